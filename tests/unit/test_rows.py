"""Which rows and items a question asks for: by its words, its bound, the most or least, and the range of its number."""

from __future__ import annotations

import pytest

from app.generation.rows import ChosenRows, choose_rows, tied_rows, with_ranges
from app.generation.units import Unit, blocks_of, read_units
from app.question.content import read_question
from app.question.kinds import read_wanted
from app.stored_markdown import Kind
from tests.hits import hits_of

PRICES = (
    "# Prices\n\n| Item | Price EUR | Warranty | Seats | Delivery date |\n|---|---|---|---|---|\n"
    "| Desk small | 349.00 | 2 years | 1 | 2025-03-01 |\n| Desk big | 1,049.00 | 18 months | 2 | 2024-11-15 |\n"
    "| Chair | 89.50 | 6 months | 1 | 2025-06-30 |\n| Sofa | 1,049.00 | 1 year | 3 | 2025-01-07 |\n"
)
PRICES_ZH = (
    "# 价目表\n\n| 名称 | 单价（元） | 质保（月） | 容纳人数 | 交货日期 |\n|---|---|---|---|---|\n"
    "| 小书桌 | 349 | 24 | 1 | 2025年3月1日 |\n| 大书桌 | 1,049 | 18 | 2 | 2024年11月15日 |\n"
    "| 椅子 | 89.5 | 6 | 1 | 2025年6月30日 |\n| 沙发 | 1,049 | 12 | 3 | 2025年1月7日 |\n"
)


def chosen(question: str, page: str) -> tuple[str, list[str]]:
    """How the rows of a page's first table or list were told, and the first cell or text of each."""
    asked = read_question(question)
    block = blocks_of(read_units(hits_of(page)))[0]
    weights = dict.fromkeys(asked.terms, 1.0)
    found: ChosenRows = choose_rows(asked, read_wanted(question), weights, block, block[0].around)
    return found.how, [item[0].cells[0] if item[0].cells else item[0].text for item in found.items]


@pytest.mark.parametrize(
    ("question", "page", "names"),
    [
        ("Which is the cheapest item?", PRICES, ["Chair"]),
        ("What is the cheapest desk?", PRICES, ["Desk small"]),
        ("Which item is the most expensive?", PRICES, ["Desk big", "Sofa"]),
        ("Which is the least expensive?", PRICES, ["Chair"]),
        ("Which item has the longest warranty?", PRICES, ["Desk small"]),
        ("Which item has the shortest warranty?", PRICES, ["Chair"]),
        ("Which item has the most seats?", PRICES, ["Sofa"]),
        ("Which item has the earliest delivery date?", PRICES, ["Desk big"]),
        ("What has the latest delivery?", PRICES, ["Chair"]),
        ("最便宜的是哪个？", PRICES_ZH, ["椅子"]),
        ("哪个書桌最便宜？", PRICES_ZH, ["小书桌"]),
        ("最贵的是什么？", PRICES_ZH, ["大书桌", "沙发"]),
        ("哪个质保最长？", PRICES_ZH, ["小书桌"]),
        ("質保最短的是哪個？", PRICES_ZH, ["椅子"]),
        ("容纳人数最多的是哪个？", PRICES_ZH, ["沙发"]),
        ("交货日期最早的是哪个？", PRICES_ZH, ["大书桌"]),
    ],
)
def test_the_most_and_the_least(question: str, page: str, names: list[str]) -> None:
    """F-711: of the things that the question names, every row that shares the value."""
    assert chosen(question, page) == ("extreme", names)


@pytest.mark.parametrize(
    ("question", "page", "names"),
    [
        ("Which items cost less than EUR 100?", PRICES, ["Chair"]),
        ("Which items cost 1,049 EUR or more, that is over 1,000 EUR?", PRICES, ["Desk big", "Sofa"]),
        ("Which desks cost under 400 euros?", PRICES, ["Desk small"]),
        ("Which items cost between 300 and 400 EUR?", PRICES, ["Desk small"]),
        ("Which items have a warranty of at least one year?", PRICES, ["Desk small", "Desk big", "Sofa"]),
        ("Which items have a warranty longer than 1 year?", PRICES, ["Desk small", "Desk big"]),
        ("哪些产品低于一百元？", PRICES_ZH, ["椅子"]),
        ("哪些產品超過三百元？", PRICES_ZH, ["小书桌", "大书桌", "沙发"]),
        ("价格在100元到400元之间的有哪些？", PRICES_ZH, ["小书桌"]),
        ("质保一年以上的有哪些？", PRICES_ZH, ["小书桌", "大书桌", "沙发"]),
        ("质保不到一年的有哪些？", PRICES_ZH, ["椅子"]),
    ],
)
def test_a_bound_is_kept(question: str, page: str, names: list[str]) -> None:
    """F-711: "more" leaves out its number, 以上 does not; a year is twelve months."""
    assert chosen(question, page) == ("bound", names)


@pytest.mark.parametrize(
    ("question", "page", "how", "names"),
    [
        ("Which desks are there?", PRICES, "held", ["Desk small", "Desk big"]),
        ("List all items with prices", PRICES, "all", ["Desk small", "Desk big", "Chair", "Sofa"]),
        ("Which item is the loudest?", PRICES, "all", ["Desk small", "Desk big", "Chair", "Sofa"]),
        ("Which items weigh less than 5 kg?", PRICES, "all", ["Desk small", "Desk big", "Chair", "Sofa"]),
        ("有哪些书桌？", PRICES_ZH, "held", ["小书桌", "大书桌"]),
        (
            "Which tools need oil?",
            "- saw, needs oil\n- drill\n- lathe, needs oil\n",
            "held",
            ["- saw, needs oil", "- lathe, needs oil"],
        ),
        (
            "Which rows are not sold?",
            "| a | b |\n|---|---|\n| x | sold |\n| y | sold |\n| z | kept |\n",
            "held",
            ["z"],
        ),
    ],
)
def test_rows_are_told_by_what_they_hold(question: str, page: str, how: str, names: list[str]) -> None:
    """All where nothing tells them apart: no column has the unit, no column is what the superlative is about."""
    assert chosen(question, page) == (how, names)


ROOMS = (
    "# Rooms\n\n| Room | Seats | Rent per day (EUR) | Open since |\n|---|---|---|---|\n"
    "| Aula | 120 | 450 | 2019 |\n| Lab | 24 | 95 | 2021 |\n| Loft | 40 | 210 | 2015 |\n"
)
ROOMS_ZH = (
    "# 会议室\n\n| 会议室 | 座位数 | 日租金（元） | 启用年份 |\n|---|---|---|---|\n"
    "| 大厅 | 120 | 450 | 2019 |\n| 实验室 | 24 | 95 | 2021年 |\n| 阁楼 | 40 | 210 | 2015 |\n"
)


@pytest.mark.parametrize(
    ("question", "page", "expected"),
    [
        ("Which room is the newest?", ROOMS, ("extreme", ["Lab"])),
        ("Which is the oldest room?", ROOMS, ("extreme", ["Loft"])),
        ("Which room has the fewest seats?", ROOMS, ("extreme", ["Lab"])),
        ("Which rooms have more than 30 seats?", ROOMS, ("bound", ["Aula", "Loft"])),
        ("Which rooms cost under 200 EUR per day?", ROOMS, ("bound", ["Lab"])),
        ("最早启用的会议室是哪个？", ROOMS_ZH, ("extreme", ["阁楼"])),
        ("座位数最少的是哪个？", ROOMS_ZH, ("extreme", ["实验室"])),
        ("座位數超過30的有哪些？", ROOMS_ZH, ("bound", ["大厅", "阁楼"])),
        ("日租金二百元以下的有哪些？", ROOMS_ZH, ("bound", ["实验室"])),
    ],
)
def test_what_is_counted_is_the_name_of_a_column(
    question: str, page: str, expected: tuple[str, list[str]]
) -> None:
    """F-701, F-711: a column that a day is in the name of has no dates; years are some."""
    assert chosen(question, page) == expected


def test_a_bound_without_a_unit_is_one_of_the_price() -> None:
    assert chosen("Which items cost less than 100?", PRICES) == ("bound", ["Chair"])
    assert chosen("价格低于100的有哪些？", PRICES_ZH) == ("bound", ["椅子"])


def test_of_two_columns_of_a_unit_the_one_that_is_named_counts() -> None:
    page = "| Flat | Rent EUR | Deposit EUR |\n|---|---|---|\n| A | 900 | 100 |\n| B | 90 | 2,000 |\n"
    assert chosen("Which flats have a deposit of less than 500 EUR?", page) == ("bound", ["A"])
    assert chosen("Which flats have a rent of less than 500 EUR?", page) == ("bound", ["B"])


def test_of_ages_the_oldest_is_not_the_least() -> None:
    page = "| Name | Age |\n|---|---|\n| Ada | 36 |\n| Bob | 81 |\n"
    assert chosen("Who is the oldest?", page) != ("extreme", ["Ada"])


NOTICE = (
    "# Notice\n\n| Years of service | Notice |\n|---|---|\n"
    "| 0-4 | 1 month |\n| 5-9 | 2 months |\n| 10+ | 3 months |\n"
)
LEAVE = (
    "# 年假\n\n| 工龄 | 天数 |\n|---|---|\n"
    "| 满1年不满10年 | 5天 |\n| 满10年不满20年 | 10天 |\n| 满20年 | 15天 |\n"
)
OPEN = "# Notice\n\nThe notice is one month. After 5 years it is two months. After 10 years it is three months.\n"
PARCELS = "# Parcels\n\n- up to 5 kg: 5 EUR\n- up to 10 kg: 8 EUR\n- up to 20 kg: 12 EUR\n"
TRIAL = (
    "# 试用期\n\n- 三个月以上不满一年的，试用期不超过一个月\n"
    "- 一年以上不满三年的，不超过二个月\n- 三年以上的，不超过六个月\n"
)


def fitting(question: str, page: str) -> list[str]:
    """The units that hold the number of the question as it stands there."""
    units = with_ranges(read_units(hits_of(page)), question)
    plain = {unit.char_start: unit.own for unit in read_units(hits_of(page))}
    return [unit.cells[0] if unit.cells else unit.text for unit in units if unit.own - plain[unit.char_start]]


@pytest.mark.parametrize(
    ("question", "page", "names"),
    [
        ("What is the notice after 6 years?", NOTICE, ["5-9"]),
        ("What is the notice in the fifth year?", NOTICE, ["5-9"]),
        ("What is the notice after 12 years of service?", NOTICE, ["10+"]),
        ("What is the notice after 18 months?", NOTICE, ["0-4"]),
        ("工龄八年有几天年假？", LEAVE, ["满1年不满10年"]),
        ("工齡10年有幾天年假？", LEAVE, ["满10年不满20年"]),
        ("工作二十五年有几天年假？", LEAVE, ["满20年"]),
        ("2025年有几天年假？", LEAVE, []),
        ("What is the notice after 7 years?", OPEN, ["After 5 years it is two months."]),
        ("What is the notice after 12 years?", OPEN, ["After 10 years it is three months."]),
        ("What is the notice after 2 years?", OPEN, []),
        ("What does a parcel of 7 kg cost?", PARCELS, ["- up to 10 kg: 8 EUR"]),
        ("How much is a parcel of 3 kg?", PARCELS, ["- up to 5 kg: 5 EUR"]),
        ("合同两年，试用期多长？", TRIAL, ["- 一年以上不满三年的，不超过二个月"]),
        ("合同五年，试用期多长？", TRIAL, ["- 三年以上的，不超过六个月"]),
    ],
)
def test_the_unit_whose_range_holds_the_number(question: str, page: str, names: list[str]) -> None:
    """F-701: of open ranges the nearest one; a year of the calendar is no length of service."""
    assert fitting(question, page) == names


def test_a_number_that_a_range_does_not_hold_is_not_said_by_it() -> None:
    units = with_ranges(
        read_units(hits_of("| Years | Days |\n|---|---|\n| 1 to 6 | 5 days |\n| 7 to 9 years | 8 days |\n")),
        "after 6 years",
    )
    own = {unit.cells[0]: unit.own for unit in units if unit.kind is Kind.ROW}
    assert "6" in own["1 to 6"] or "6 year" in " ".join(own["1 to 6"])
    assert "year" not in own["7 to 9 years"]


def test_without_a_number_nothing_changes() -> None:
    units = read_units(hits_of(NOTICE))
    assert with_ranges(units, "What is the notice for GW-7 on 2025-03-04 at 9 o'clock?") == units


def test_rows_that_hold_the_same_of_the_question() -> None:
    page = "| Name | City |\n|---|---|\n| Ada | London |\n| Bob | Paris |\n| Cid | London |\n\nLondon.\n"
    units = read_units(hits_of(page))
    rows: list[Unit] = [unit for unit in units if unit.kind is Kind.ROW]
    assert [row.cells[0] for row in tied_rows(rows[0], {"london": 1.0}, units)] == ["Ada", "Cid"]
    assert [row.cells[0] for row in tied_rows(rows[1], {"london": 1.0, "pari": 1.0}, units)] == ["Bob"]
