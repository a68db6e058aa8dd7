# ruff: noqa: E501 (lines of cells)
"""Kinds of sheets by their shape: merged cells, two heads, years as names, hidden rows, notes, forms, several sheets."""

from __future__ import annotations

from eval.fidelity.workbook_cells import Made, a_day, serial_of, share_of_day, sheet
from eval.fidelity.workbook_parts import Cell, Formula, Number, Raw, Writer


def merged(number: int, _: Writer) -> Made:
    rows: list[list[Cell]] = [["Region", "Shop", "Sales"]]
    must = ["Region Shop Sales"]
    for at in range(9):
        region = ("North", "East", "西区")[at // 3]
        rows.append(
            [region if at % 3 == 0 else None, f"Shop {at + 1:02d}", Number(str(100 + 7 * at + number))]
        )
        must.append(f"{region} Shop {at + 1:02d} {100 + 7 * at + number}")
    return Made((sheet("Leaders", rows, merged=("A2:A4", "A5:A7", "A8:A10")),), tuple(must))


def two_heads(number: int, _: Writer) -> Made:
    rows: list[list[Cell]] = [
        ["Plant", Number("2023"), None, Number("2024"), None],
        [None, "Output t", "Scrap %", "Output t", "Scrap %"],
    ]
    for at in range(1, 31):
        before, now = Number(str(400 + at + number)), Number(str(500 + at))
        rows.append([f"Works {at}", before, Number("1.5"), now, Number("1.25")])
    must = ("Works 1", "Works 17", f"2023 Output t: {417 + number}", "2024 Output t: 517", "Works 30")
    return Made((sheet("Two-level", rows, merged=("A1:A2", "B1:C1", "D1:E1")),), must)


def years(number: int, _: Writer) -> Made:
    years = range(2021 + number, 2025 + number)
    rows: list[list[Cell]] = [["Works", *(Number(str(year)) for year in years)]]
    rows += [[f"Town {at}", *(Number(str(100 * at + step)) for step in range(4))] for at in range(1, 24)]
    must = (
        f"Works {' '.join(map(str, years))}",
        f"{years[0]}: 100",
        f"{years[3]}: 103",
        "Town 23",
        f"{years[2]}: 2302",
    )
    return Made((sheet("Output", rows),), must)


def hidden(number: int, _: Writer) -> Made:
    rows: list[list[Cell]] = [
        ["Name", "Grade", "Salary"],
        ["Berg", "B", Number(str(4100 + number))],
        ["Holm", "C", Number("5200")],
        ["Dahl", "A", Number("3900")],
    ]
    first = sheet("Staff", rows, hidden=(3,), columns='<col min="3" max="3" width="0" hidden="1"/>')
    lists = sheet("Lists", [["internal code"], ["x17"]], state="hidden")
    deep = sheet("Deep", [["very hidden"]], state="veryHidden")
    return Made(
        (first, lists, deep),
        (
            "Name Grade Salary",
            "Berg B",
            "Holm (hidden row) C 5200",
            "Dahl A",
            "Lists",
            "internal code",
            "Deep",
        ),
    )


def noted(number: int, writer: Writer) -> Made:
    rows: list[list[Cell]] = [
        ["Valve", "Torque"],
        ["V1", Number(str(40 + number), '0" Nm"')],
        ["V2", Number("55", '0" Nm"')],
    ]
    threads = {"B3": "Is this the cold value?"} if writer == "excel" else {}
    noted_sheet = sheet(
        "Torque",
        rows,
        notes={"B2": "Ada:\nGrease the thread first."},
        threads=threads,
        boxes=("All values at 20 degrees.",),
    )
    must = (
        "Valve Torque",
        f"V1 {40 + number} Nm",
        "Grease the thread first.",
        "V2 55 Nm",
        *threads.values(),
        "All values at 20 degrees.",
    )
    return Made((noted_sheet,), must, ("Your version of Excel allows you to read this threaded comment",))


def typed(number: int, _: Writer) -> Made:
    rows: list[list[Cell]] = [
        ["Check", "Result"],
        ["Sealed", True],
        ["Painted", False],
        ["Ratio", Raw("e", "<v>#DIV/0!</v>")],
        ["Sum", Formula("SUM(B1:B9)", Number(f"{17.5 + number}", "0.00"))],
        ["Name", Formula('A2&" 2"', "Sealed 2")],
        ["Label", Formula('HYPERLINK("https://x.example","Manual")', "Manual")],
    ]
    must = ("Sealed TRUE", "Painted FALSE", "Sum", f"{17.5 + number:.2f}", "Name Sealed 2", "Label Manual")
    return Made((sheet("Checks", rows),), must, ("HYPERLINK", "SUM"))


def rich(number: int, writer: Writer) -> Made:
    rich = f'<r><t xml:space="preserve">Never </t></r><r><rPr><b/><color rgb="FFFF0000"/></rPr><t>open hot</t></r><r><t xml:space="preserve"> (rule {number + 3})</t></r>'
    ruby = '<t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/>'
    lines = "First line\nsecond line" if writer != "libreoffice" else "First line\r\nsecond line"
    rows: list[list[Cell]] = [
        ["Rule", "Place"],
        [rich, ruby],
        [lines, "a < b & c"],
        ["_x005F_x0041_ stays", "returned_x000D_\nhome"],
    ]
    must = (
        "Rule Place",
        f"Never open hot (rule {number + 3}) 東京",
        "First line",
        "second line",
        "a < b & c",
        "_x0041_ stays",
        "returned home",
    )
    return Made((sheet("Rules", rows),), must, ("トウキョウ", "_x000D_"))


def several(number: int, _: Writer) -> Made:
    sheets = (
        sheet(
            "Sales 2025",
            [
                ["Quarter", "Turnover"],
                ["Q1", Number(str(1000 + number), "#,##0")],
                [],
                ["Note", "without tax"],
            ],
        ),
        sheet(
            "维护计划", [["设备", "周期"], ["过滤器 F7", "每 6 个月更换一次"], ["水泵 P20", "每 12 个月润滑"]]
        ),
        sheet("Empty", [[]]),
        sheet("Ιστορικό", [["Έτος", "Πλοία"], [Number("2019"), Number("31")]]),
    )
    must = (
        "Sales 2025",
        "Quarter Turnover",
        f"Q1 1,{number:03d}",
        "Note without tax",
        "维护计划",
        "设备 周期",
        "过滤器 F7 每 6 个月更换一次",
        "水泵 P20 每 12 个月润滑",
        "Ιστορικό",
        "Έτος Πλοία",
        "2019 31",
    )
    return Made(sheets, must)


def form(number: int, _: Writer) -> Made:
    rows: list[list[Cell]] = [
        ["Inspection record"],
        [],
        ["Machine", None, "Press 4", None, "Date", Number(str(serial_of(a_day(number, 3))), "yyyy-mm-dd")],
        ["Inspector", None, "Ada Holm"],
        [],
        ["No.", "Check", "Limit", "Found", "OK"],
        [Number("1"), "Oil pressure", "4 bar", "4.2 bar", "yes"],
        [Number("2"), "Noise", "80 dB", "77 dB", "yes"],
        [],
        ["Remarks: guard was loose, tightened."],
    ]
    must = (
        "Inspection record",
        "Machine",
        "Press 4",
        "Date",
        str(a_day(number, 3)),
        "Inspector",
        "Ada Holm",
        "No. Check Limit Found OK",
        "1 Oil pressure 4 bar 4.2 bar yes",
        "2 Noise 80 dB 77 dB yes",
        "Remarks: guard was loose, tightened.",
    )
    return Made((sheet("Form", rows, merged=("A1:E1", "C3:D3", "A10:E10")),), must)


def chinese(number: int, _: Writer) -> Made:
    day = a_day(number, 4)
    rows: list[list[Cell]] = [
        ["姓名", "身份证号", "入职日期", "上班时间", "基本工资"],
        [
            "王芳",
            f"11010119900307{1234 + number}",
            Number(str(serial_of(day)), "[$-804]yyyy年m月d日"),
            Number(share_of_day(8, 30), 'h"时"mm"分"'),
            Number("8500", "¥#,##0.00"),
        ],
        [
            "李雷",
            "32050219881201003X",
            Number(str(serial_of(day)), "yyyy/m/d"),
            Number(share_of_day(14, 0), "上午/下午h:mm"),
            Number("0.13", "0%"),
        ],
    ]
    must = (
        "姓名 身份证号 入职日期 上班时间 基本工资",
        f"王芳 11010119900307{1234 + number} {day.year}年{day.month}月{day.day}日 08时30分 ¥8,500.00",
        f"李雷 32050219881201003X {day.year}/{day.month}/{day.day} 下午2:00 13%",
    )
    return Made((sheet("员工", rows),), must)
