"""Tables and columns of PDFs are read by the places of their words; what only looks like a table is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

import pytest

from app.domain import Document
from ingest.parsers import parse, pdf
from tests.pdfs import Drawn, draw_pdf

ERRORS = [
    ["Code", "Meaning", "Action"],
    ["E-101", "No supply voltage", "Check fuse F2"],
    ["E-107", "Membrane damaged", "Send the device in for repair"],
    ["E-110", "Filter blocked", "Replace the filter"],
    ["E-112", "Pump runs dry", "Open the inlet valve"],
]
ERRORS_MARKDOWN = """| Code | Meaning | Action |
| --- | --- | --- |
| E-101 | No supply voltage | Check fuse F2 |
| E-107 | Membrane damaged | Send the device in for repair |
| E-110 | Filter blocked | Replace the filter |
| E-112 | Pump runs dry | Open the inlet valve |"""
PROSE = (
    "The committee met on Tuesday to discuss the state of the harbour and the plans for the new quay. It was agreed"
    " that the work should begin in spring, provided that the funds are released before the end of March. "
)
OTHER = (
    "The reserve tank in Halden was drained in March for cleaning. The inspection cost 48,000 crowns and found no"
    " cracks. Another one is planned for next year, when the pipes will be replaced as well. Nobody was hurt. "
)


def cells(
    rows: Sequence[Sequence[str]], xs: Sequence[float], top: float = 1400, lead: float = 18
) -> Iterator[Drawn]:
    """Draw cells row by row; lines of one are set apart by "/"."""
    for row in rows:
        for x, cell in zip(xs, row, strict=True):
            for index, line in enumerate(cell.split("/")):
                if line:
                    yield x, top - 14 * index, line
        top -= lead + 14 * max(cell.count("/") for cell in row)


def grid(xs: Sequence[float], ys: Sequence[float]) -> list[Drawn]:
    return [*((xs[0], y, xs[-1], y) for y in ys), *((x, ys[0], x, ys[-1]) for x in xs)]


def text_lines(text: str, x: float, top: float, width: int) -> list[Drawn]:
    return [(x, top - 14 * index, line) for index, line in enumerate(wrap(text, width))]


def read(*pages: Sequence[Drawn], rotate: int = 0) -> Document:
    document = parse(draw_pdf(pages, rotate=rotate), pdf.MEDIA_TYPE, "a.pdf")
    texts = [document.text[page.char_start : page.char_end] for page in document.pages]
    assert "\n\n".join(texts) == document.text
    return document


def test_a_ruled_table_has_rows_and_columns() -> None:
    page = [*text_lines(PROSE, 50, 1500, 90), *cells(ERRORS, (60, 140, 300))]
    page += grid((50, 130, 290, 500), [1414 - 18 * row for row in range(6)])
    page += text_lines(OTHER, 50, 1250, 90)
    assert read(page).text.split("\n\n")[1:-1] == [ERRORS_MARKDOWN]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_table_without_lines_is_read_by_its_blank_stripes(rotate: int) -> None:
    page = [
        *text_lines(PROSE, 50, 1500, 90),
        *cells(ERRORS, (60, 140, 300)),
        *text_lines(OTHER, 50, 1250, 90),
    ]
    assert read(page, rotate=rotate).text.split("\n\n")[1:-1] == [ERRORS_MARKDOWN]


def test_figures_may_stand_to_the_right() -> None:
    rows = [["Item", "Qty", "Price (EUR)"], ["Gas engine", "2", "12,400.00"], ["Oil filter", "14", "36.50"]]
    rows += [["Plug set", "6", "48.00"], ["Total", "", "13,223.00"]]
    page: list[Drawn] = [(60, 1420, 400, 1420), (60, 1395, 400, 1395), (60, 1300, 400, 1300)]
    for index, (item, number, price) in enumerate(rows):
        y = 1404 - 20 * index
        page += [(60, y, item), (250 - 6 * len(number), y, number), (390 - 6 * len(price), y, price)]
    assert read(page).text.split("\n")[2:] == [
        "| Gas engine | 2 | 12,400.00 |",
        "| Oil filter | 14 | 36.50 |",
        "| Plug set | 6 | 48.00 |",
        "| Total |  | 13,223.00 |",
    ]


def test_figures_that_rise_below_a_name_are_no_page_numbers() -> None:
    rows = [["Size", "Price"], ["Small", "10"], ["Medium", "15"], ["Large", "20"], ["Extra large", "25"]]
    assert "| Medium | 15 |" in read(list(cells(rows, (60, 200)))).text


WRAPPED = [
    ["Fault", "Cause", "Remedy"],
    [
        "Pump does/not start",
        "The switch has tripped as/the motor was blocked",
        "Remove what blocks it, then/press the green switch",
    ],
    [
        "Noise",
        "Air in the suction line",
        "Bleed the line at valve V3/and top up the reser-/voir until the glass is full",
    ],
    ["Leak", "Seal worn", "Replace the seal"],
]


@pytest.mark.parametrize("is_ruled", [True, False])
def test_wrapped_cells_are_whole(is_ruled: bool) -> None:
    page = list(cells(WRAPPED, (60, 160, 340)))
    if is_ruled:
        page += grid((50, 150, 330, 540), [1414, 1396, 1364, 1318, 1300])
    assert read(page).text.split("\n") == [
        "| Fault | Cause | Remedy |",
        "| --- | --- | --- |",
        "| Pump does not start | The switch has tripped as the motor was blocked"
        " | Remove what blocks it, then press the green switch |",
        "| Noise | Air in the suction line"
        " | Bleed the line at valve V3 and top up the reservoir until the glass is full |",
        "| Leak | Seal worn | Replace the seal |",
    ]


@pytest.mark.parametrize("repeats_head", [True, False])
def test_a_table_that_goes_on_keeps_the_names_of_its_columns(repeats_head: bool) -> None:
    head = [["Tag", "Hall", "Pressure"]]
    first = head + [[f"V-{n}", f"Hall {n}", f"{n}.5 bar"] for n in range(1, 6)]
    second = [[f"V-{n}", f"Hall {n}", f"{n}.5 bar"] for n in range(6, 10)]
    pages = [
        [
            *cells(rows, (60, 160, 260)),
            *grid((50, 150, 250, 400), [1414 - 18 * n for n in range(len(rows) + 1)]),
        ]
        for rows in (first, head + second if repeats_head else second)
    ]
    document = read(*pages)
    assert document.text[document.pages[1].char_start :].split("\n")[:3] == [
        "| Tag | Hall | Pressure |",
        "| --- | --- | --- |",
        "| V-6 | Hall 6 | 6.5 bar |",
    ]


@pytest.mark.parametrize(
    ("xs", "is_ruled"), [((60, 160, 260), True), ((60, 160, 260), False), ((60, 98, 130), False)]
)
def test_chinese_tables(xs: Sequence[float], is_ruled: bool) -> None:
    rows = [["代码", "含义", "处理"], ["E-101", "无电源", "检查保险丝"], ["E-107", "膜片损坏", "寄回维修"]]
    rows += [["E-110", "滤网堵塞", "更换滤网"], ["E-115", "水泵空转", "打开进水阀"]]
    page = [*cells(rows, xs)]
    if is_ruled:
        page += grid((50, 150, 250, 400), [1414 - 18 * row for row in range(6)])
    assert "| E-107 | 膜片损坏 | 寄回维修 |" in read(page).text


def test_merged_cells_are_repeated_and_names_over_names_joined() -> None:
    rows = [["Plant", "2023", "", "2024", ""], ["", "Q1", "Q2", "Q1", "Q2"]]
    rows += [["Kiel", "12", "14", "15", "18"], ["", "9", "8", "7", "11"]]
    page = list(cells(rows, (60, 120, 180, 240, 300)))
    page += [(50, 1414, 350, 1414), (110, 1396, 350, 1396), (50, 1378, 350, 1378), (110, 1360, 350, 1360)]
    page += [(50, 1342, 350, 1342), *((x, 1414, x, 1342) for x in (50, 110, 230, 350))]
    page += [(170, 1396, 170, 1342), (290, 1396, 290, 1342)]
    assert read(page).text.split("\n") == [
        "| Plant | 2023 Q1 | 2023 Q2 | 2024 Q1 | 2024 Q2 |",
        "| --- | --- | --- | --- | --- |",
        "| Kiel | 12 | 14 | 15 | 18 |",
        "| Kiel | 9 | 8 | 7 | 11 |",
    ]


def test_pairs_without_names_of_columns_are_items() -> None:
    rows = [
        ["Weight", "12 kg"],
        ["Power", "3.2 kW"],
        ["Voltage", "400 V"],
        ["Noise", "62 dB"],
        ["Flow:", "18 m"],
    ]
    text = "- Weight: 12 kg\n- Power: 3.2 kW\n- Voltage: 400 V\n- Noise: 62 dB\n- Flow: 18 m"
    assert read(list(cells(rows, (60, 160)))).text == text
    ruled = [*cells(rows, (60, 160)), *grid((50, 150, 250), [1414 - 18 * row for row in range(6)])]
    assert read(ruled).text == text


LEFT = ["Nordwind GmbH", "Hafenstrasse 12", "20457 Hamburg", "Germany"]
RIGHT = ["Phone: 040 1234567", "Fax: 040 1234568", "office@nordwind.example", "Date: 3 May 2024"]
STEPS = [
    "Close the inlet",
    "Wait for the lamp",
    "Drain the tank",
    "Rinse the filter",
    "Sign the log",
    "Lock the hall",
]
CODE = ["int main(void) {", "int n = 10;", "for (i = 0; i < n; i++)", "total += i;", "return total;", "}"]
TITLES = ["1 Introduction", "1.1 Scope", "1.2 Terms", "2 Installation", "2.1 Water", "3 Operation", "4 Care"]


def pairs(left: Sequence[str], right: Sequence[str], gap: float = 300) -> list[Drawn]:
    return [
        item
        for index, (one, other) in enumerate(zip(left, right, strict=True))
        for item in ((60.0, 1400.0 - 16 * index, one), (60 + gap, 1400.0 - 16 * index, other))
    ]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            text_lines(PROSE * 4, 50, 1400, 44) + text_lines(OTHER * 4, 340, 1400, 44), id="columns"
        ),
        pytest.param(pairs(TITLES, ["3", "3", "4", "7", "8", "15", "22"]), id="contents"),
        pytest.param(pairs(TITLES, [". . . . . . . . 9"] * 7), id="leaders"),
        pytest.param(pairs(LEFT, RIGHT), id="letterhead"),
        pytest.param(pairs([f"{n}." for n in range(1, 7)], STEPS, 30), id="steps"),
        pytest.param(pairs("••••••", STEPS, 30), id="bullets"),
        pytest.param(pairs([f"{n}" for n in range(1, 7)], CODE, 30), id="numbered code"),
        pytest.param(pairs(CODE, [f"// remark {n}" for n in range(6)]), id="code with remarks"),
        pytest.param(
            pairs([f"x{n} = a{n} + b{n}" for n in range(5)], [f"(2.{n})" for n in range(5)]), id="formulas"
        ),
        pytest.param(pairs(["1", "0", "0", "1", "0"], ["0", "1", "1", "0", "1"], 40), id="matrix"),
        pytest.param(
            grid((100, 200, 300, 400), (1000, 1100, 1200, 1300))
            + [(70, 1000 + 100 * n, f"{n}0") for n in range(4)],
            id="chart",
        ),
        pytest.param([*grid((50, 550), (1410, 1200)), *text_lines(PROSE * 2, 60, 1390, 70)], id="box"),
    ],
)
def test_what_is_no_table(page: Sequence[Drawn]) -> None:
    assert "|" not in read(page).text


@pytest.mark.parametrize("count", [2, 3])
def test_columns_drawn_line_by_line_are_read_apart(count: int) -> None:
    """F-1121: the lines of two columns were joined across the gap between them."""
    texts = [PROSE * 2, OTHER * 2, PROSE + OTHER][:count]
    lines = [text_lines(text, 50 + 300 * index, 1400, 40) for index, text in enumerate(texts)]
    by_line = sorted(
        (item for column in lines for item in column), key=lambda item: (-float(item[1]), item[0])
    )
    heading: Drawn = (50, 1450, "The works in spring")
    text = read([heading, *by_line]).text
    assert " ".join(text.split()) == " ".join(
        ["The works in spring", *(part for one in texts for part in one.split())]
    )
