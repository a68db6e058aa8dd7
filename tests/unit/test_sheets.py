"""Sheets and tables: what a cell shows, which column and row it belongs to, and what stands beside it."""

from __future__ import annotations

import pytest

from app.domain import Document
from app.errors import DocumentError
from ingest.parsers import csvfile, parse, xlsx
from tests.office import Cell, Row, build_book, build_docx, paragraph, word_table


def read(content: bytes) -> Document:
    return parse(content, xlsx.MEDIA_TYPE, "d/book.xlsx")


def sheet(content: bytes) -> str:
    return read(content).text.removeprefix("# S\n\n")


# What cells show: a workbook for each format, its cells as a spreadsheet program shows them

FORMATS: dict[str, dict[str, str]] = {
    "": {"1234.5": "1234.5", "0.1": "0.1", "1234567890123456": "1234567890123456", "1.23e-06": "1.23E-06"},
    "General": {"7": "7", "-0.5": "-0.5", "0.30000000000000004": "0.3"},
    'General" pcs"': {"7": "7 pcs"},
    "0": {"2.5": "3", "-7.4": "-7", "1234567890123456": "1234567890123456", "1E15": "1000000000000000"},
    "00000": {"1067": "01067", "99999": "99999"},
    "000-0000": {"5551234": "555-1234"},
    "(000) 000-0000": {"4930123456": "(493) 012-3456"},
    "0000 0000 0000 0000": {"1234567890123456": "1234 5678 9012 3456"},
    '"KT-"0000': {"42": "KT-0042"},
    '"第"0"名"': {"5": "第5名"},
    "0.00": {"1.005": "1.01", "-3.14159": "-3.14", "0": "0.00", "-0.001": "0.00"},
    "0.##": {"3": "3", "0.1": "0.1", "2.345": "2.35"},
    "#,##0": {"1234567.8": "1,234,568", "12": "12", "-1000": "-1,000"},
    "#,##0.00": {"0.5": "0.50", "1234567.891": "1,234,567.89"},
    "#,##0.0,": {"1234567": "1,234.6"},
    '0.0,,"M"': {"1500000": "1.5M"},
    "0%": {"0.2": "20%", "1": "100%", "-0.05": "-5%"},
    "0.0%;[Red]-0.0%": {"0.125": "12.5%", "-0.125": "-12.5%"},
    '0"%"': {"12": "12%"},
    '#,##0.00 "€"': {"1250.5": "1,250.50 €", "-35.2": "-35.20 €"},
    "#,##0.00 [$€-407]": {"5": "5.00 €"},
    "[$€-2] #,##0": {"5": "€ 5"},
    "[$¥-804]#,##0.00": {"88": "¥88.00"},
    '"$"#,##0.00_);("$"#,##0.00)': {"7": "$7.00", "-7": "($7.00)"},
    '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)': {"1234": "$ 1,234.00", "-5": "$ (5.00)", "0": "$ -"},
    '_-* #,##0.00\\ "kr"_-': {"1234.5": "1,234.50 kr"},
    '#,##0"元"': {"650": "650元"},
    '0" kg"': {"35": "35 kg"},
    '0.0\\ "m/s"': {"1.25": "1.3 m/s"},
    "0.0\\ °C": {"-18": "-18.0 °C"},
    '0 "h"': {"25": "25 h"},
    "0;(0)": {"-5": "(5)", "5": "5"},
    '0;-0;"none"': {"0": "none", "4": "4"},
    '[>=100]"many";0': {"120": "many", "7": "7"},
    '[<0]"minus "0;[=0]"zero";0': {"-3": "minus 3", "0": "zero", "3": "3"},
    ";;;": {"12": "12"},
    "0.00E+00": {"12345": "1.23E+04", "0.00000123": "1.23E-06"},
    "##0.0E+0": {"123456789": "123.5E+6"},
    "# ?/?": {"0.5": "1/2", "1.5": "1 1/2", "2": "2"},
    "# ??/??": {"3.14": "3 7/50"},
    "# ?/8": {"0.375": "3/8"},
    "yyyy-mm-dd": {"45717": "2025-03-01", "60": "1900-02-28"},
    "dd/mm/yyyy": {"45717": "01/03/2025"},
    "d.m.yyyy": {"45778": "1.5.2025"},
    "dd.mm.yy hh:mm": {"45778.25": "01.05.25 06:00"},
    "d mmm yyyy": {"45657": "31 Dec 2024"},
    "mmmm yyyy": {"45778": "May 2025"},
    "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy": {"45778": "Thursday, May 01, 2025"},
    'yyyy"年"m"月"d"日"': {"45778": "2025年5月1日"},
    '[$-804]yyyy"年"m"月";@': {"45852": "2025年7月"},
    "[$-804]aaaa": {"45657": "星期二"},
    "yyyy/m/d": {"45778": "2025/5/1"},
    "h:mm": {"45778.25": "06:00", "0.5729166666666666": "13:45", "0": "00:00"},
    "h:mm:ss AM/PM": {"0.5729166666666666": "1:45:00 PM", "0": "12:00:00 AM"},
    "yyyy-mm-dd h:mm:ss": {"45657.5": "2024-12-31 12:00:00"},
    "[h]:mm": {"1.395833333333333": "33:30", "0.3333333333333333": "08:00"},
    "[mm]:ss": {"0.0625": "90:00"},
    "mm:ss.000": {"0.000011574": "00:01.000"},
    'h"时"mm"分"': {"0.5": "12时00分"},
    "@": {"5": "5"},
}  # fmt: skip


@pytest.mark.parametrize("code", FORMATS, ids=str)
def test_cells_show_what_the_program_shows(code: str) -> None:
    """F-1113."""
    values = FORMATS[code]
    rows: list[Row] = [["Case", "Shown"]]
    rows += [[f"c{at}", (value, 1)] for at, value in enumerate(values)]
    shown = [line.strip("| ").split(" | ")[1] for line in sheet(build_book(rows, [code])).split("\n")[2:]]
    assert shown == list(values.values())


def test_there_are_sixty_workbooks() -> None:
    assert len(FORMATS) >= 60


# Names of columns


def long(*head: Row) -> list[Row]:
    """Rows of names over 30 of values."""
    width = max(map(len, head))
    return [*head, *([f"Works {n}", *range(n * 37, n * 37 + 11 * (width - 1), 11)] for n in range(1, 31))]


def test_years_and_numbers_name_columns() -> None:
    """F-1106."""
    lines = sheet(build_book(long(["Works", 2021, 2022, 2023]))).split("\n")
    assert lines[:3] == [
        "Works | 2021 | 2022 | 2023",
        "",
        "- Works: Works 1 | 2021: 37 | 2022: 48 | 2023: 59",
    ]
    text = "Size,36,37,38\n" + "".join(f"Model {n},{n * n},{n + 7},{n % 5}\n" for n in range(30))
    found = parse(text.encode(), csvfile.CSV_MEDIA_TYPE, "a.csv").text
    assert "- Size: Model 7 | 36: 49 | 37: 14 | 38: 2" in found
    blank = sheet(build_book(long([None, "2021", "2022"])))
    assert "- Works 1 | 2021: 37 | 2022: 48" in blank


def test_two_rows_of_names_are_one() -> None:
    """F-1106."""
    head: list[Row] = [["Works", 2023, None, 2024, None], [None, "Output", "Scrap", "Output", "Scrap"]]
    wanted = "- Works: Works 1 | 2023 Output: 37 | 2023 Scrap: 48 | 2024 Output: 59 | 2024 Scrap: 70"
    assert wanted in sheet(build_book(long(*head), merged=["A1:A2", "B1:C1", "D1:E1"]))
    assert wanted in sheet(build_book(long(*head)))
    small = sheet(build_book(long(*head)[:5], merged=["B1:C1", "D1:E1"])).split("\n")
    assert small[0] == "| Works | 2023 Output | 2023 Scrap | 2024 Output | 2024 Scrap |"
    text = "Works,2023,,2024,\n,Output,Scrap,Output,Scrap\n" + "".join(f"W{n},{n},2,3,4\n" for n in range(30))
    assert (
        "- Works: W7 | 2023 Output: 7 | 2023 Scrap: 2"
        in parse(text.encode(), csvfile.CSV_MEDIA_TYPE, "a.csv").text
    )


def test_values_are_no_names() -> None:
    """F-1106: a table without names keeps its first row, and its empty cells their place."""
    lines = sheet(
        build_book([["Mozart", 1756, None, 1791], *(["Bach", 1685, None, 1750] for _ in range(20))])
    ).split("\n")
    assert lines[0] == "- Mozart | 1756 | – | 1791"
    assert len(lines) == 21


def test_wide_tables_keep_their_names() -> None:
    """F-1106: names that are long together are cut, not left out."""
    names: list[Cell] = [f"Turnover of branch number {n}" for n in range(25)]
    rows: list[Row] = [names, *([n] * 25 for n in range(20))]
    lines = sheet(build_book(rows)).split("\n")
    assert lines[2].startswith("- Turnover…number 0: 0 | Turnover…number 1: 0")


# Merged cells


def test_merged_cells_are_repeated_in_sheets() -> None:
    """F-1107."""
    rows: list[Row] = [["Shops of 2025"], ["Region", "Shop", "Sales"]]
    rows += [["East" if n == 0 else None, f"Shop {n}", n] for n in range(6)]
    rows += [["Both", None, 7]]
    text = sheet(build_book(rows, merged=["A1:C1", "A3:A8", "A9:B9"]))
    assert text.split("\n") == [
        "Shops of 2025",
        "",
        "| Region | Shop | Sales |",
        "| --- | --- | --- |",
        *(f"| East | Shop {n} | {n} |" for n in range(6)),
        "| Both | Both | 7 |",
    ]


def test_merged_cells_are_repeated_in_pages() -> None:
    """F-1107."""
    page = (
        "<table><tr><th colspan=3>Plan of the shops<tr><th rowspan=2>Shop<th colspan=2>2025<tr><th>May<th>June"
        "<tr><td rowspan=2>East<td>1<td>2<tr><td colspan=2>closed</table>"
    )
    assert parse(page.encode(), "text/html", "a.html").text == (
        "Plan of the shops\n\n| Shop | 2025 May | 2025 June |\n| --- | --- | --- |\n| East | 1 | 2 |\n"
        "| East | closed | closed |"
    )


# Notes, boxes, what is hidden


def test_notes_stand_at_their_cells_and_boxes_at_the_end() -> None:
    """F-1118."""
    rows: list[Row] = [["Name", "Room"], ["Ann", "B1"], ["Bo", "B2"], ["Cy", "B3"]]
    long_note = "why " * 60
    notes = {"A2": "on leave", "B1": "since May", "B3": "靠窗", "A4": long_note, "D9": "alone"}
    text = sheet(build_book(rows, notes=notes, boxes=["Read me first.\nThen ask."]))
    assert text.split("\n\n") == [
        "| Name | Room |\n| --- | --- |\n| Ann (Note: on leave) | B1 |\n| Bo | B2（批注：靠窗） |\n| Cy | B3 |",
        "Note on Room (B1): since May",
        f"Note on Cy (A4): {long_note.strip()}",
        "Note on D9: alone",
        "Read me first.",
        "Then ask.",
    ]


def test_a_thread_counts_instead_of_its_copy() -> None:
    """F-1118."""
    copy = (
        "[Threaded comment]\n\nYour version of Excel allows you to read this.\n\nComment:\n    Is it right?"
    )
    rows: list[Row] = [["Name", "Room"], ["Ann", "B1"]]
    assert "Ann (Note: Is it right?)" in sheet(build_book(rows, notes={"A2": copy}))
    assert "Ann (Note: It is.)" in sheet(build_book(rows, notes={"A2": copy}, threads={"A2": "It is."}))


def test_a_sheet_that_is_a_text_box_is_not_empty() -> None:
    """F-1118."""
    assert read(build_book([], boxes=["All there is"])).text == "# S\n\nAll there is"
    with pytest.raises(DocumentError):
        read(build_book([]))


def test_hidden_rows_and_columns_are_marked() -> None:
    """F-1118."""
    rows: list[Row] = [["Name", "Pay"], ["Ann", 1], ["Bo", 2]]
    columns = '<col min="2" max="2" hidden="1"/>'
    assert sheet(build_book(rows, hidden_rows=[3], columns=columns)).split("\n") == [
        "| Name | Pay (hidden column) |",
        "| --- | --- |",
        "| Ann | 1 |",
        "| Bo (hidden row) | 2 |",
    ]
    assert "王（隐藏行）" in sheet(build_book([["姓名", "职务"], ["王", "经理"]], hidden_rows=[2]))


# Long tables of other formats


def test_rows_of_long_tables_name_their_columns_in_every_format() -> None:
    """F-1132."""
    rows = [["Code", "Meaning"], *([f"E-{n}", f"fault {n}"] for n in range(60))]
    page = "<table>" + "".join(f"<tr><td>{code}<td>{meaning}" for code, meaning in rows) + "</table>"
    found = parse(page.encode(), "text/html", "a.html").text.split("\n")
    assert found[0] == "Code | Meaning"
    assert found[2:] == [f"- Code: E-{n} | Meaning: fault {n}" for n in range(60)]
    word = build_docx(word_table(rows) + paragraph("End."))
    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert "- Code: E-59 | Meaning: fault 59\n\nEnd." in parse(word, media_type, "a.docx").text


def test_merged_cells_may_not_unfold() -> None:
    areas = [f"A{n}:XFD1048576" for n in range(1, 3000)]
    rows: list[Row] = [["x" * 190, n] for n in range(3000)]
    with pytest.raises(DocumentError) as raised:
        read(build_book(rows, merged=areas))
    assert raised.value.code == "too_large"


def test_the_line_that_names_the_delimiter_is_no_text() -> None:
    """F-1134."""
    found = parse(b"sep=;\nname;price\nkettle;48,50\n", csvfile.CSV_MEDIA_TYPE, "a.csv").text
    assert found == "| name | price |\n| --- | --- |\n| kettle | 48,50 |"
