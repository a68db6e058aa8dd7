"""Numbers with units and ranges of them, in English, simplified and traditional Chinese; and what is none."""

from __future__ import annotations

import math

import pytest

from app.generation.ranges import Amount, Range, read_amounts, read_ranges, unit_and_scale, unit_of

INF = math.inf


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5-9 years", Range(60, 108, "month", True, True)),
        ("5 to 9 years", Range(60, 108, "month", True, True)),
        ("between 5 and 9 years", Range(60, 108, "month", True, True)),
        ("from 1 to under 5 years", Range(12, 60, "month", True, False)),
        ("over 5 and under 10 years", Range(60, 120, "month", False, False)),
        ("more than 3 days but less than 5 days", Range(3, 5, "day", False, False)),
        ("6 months to 2 years", Range(6, 24, "month", True, True)),
        ("10+ years", Range(120, INF, "month", True, True)),
        ("10 years or more", Range(120, INF, "month", True, True)),
        ("from the 6th year", Range(72, INF, "month", True, True)),
        ("from the sixth year", Range(72, INF, "month", True, True)),
        ("older than five years", Range(60, INF, "month", False, True)),
        ("twenty-five days or less", Range(-INF, 25, "day", True, True)),
        ("less than a week", Range(-INF, 7, "day", True, False)),
        ("within half an hour", Range(-INF, 30, "minute", True, True)),
        ("满1年不满10年", Range(12, 120, "month", True, False)),
        ("滿1年不滿10年", Range(12, 120, "month", True, False)),
        ("满一年不到三年", Range(12, 36, "month", True, False)),
        ("三个月以上不满一年", Range(3, 12, "month", True, False)),
        ("1年（含）至3年", Range(12, 36, "month", True, True)),
        ("五至九年", Range(60, 108, "month", True, True)),
        ("一年半以上", Range(18, INF, "month", True, True)),
        ("半年以内", Range(-INF, 6, "month", True, True)),
        ("第6年起", Range(72, INF, "month", True, True)),
        ("10～15個工作日", Range(10, 15, "day", True, True)),
        ("30天内", Range(-INF, 30, "day", True, True)),
        ("未滿18歲", Range(-INF, 216, "month", True, False)),
    ],
)
def test_ranges_of_time(text: str, expected: Range) -> None:
    """Whether each border belongs to it stands last: 满 has it, 不满 has not."""
    assert read_ranges(text) == [expected]


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("less than EUR 100", -INF, 100, "EUR"),
        ("under 100 euros", -INF, 100, "EUR"),
        ("below €1,200.50", -INF, 1200.5, "EUR"),
        ("EUR 50 - EUR 100", 50, 100, "EUR"),
        ("$50 to $100", 50, 100, "USD"),
        ("up to NT$500", -INF, 500, "TWD"),
        ("HK$100以上", 100, INF, "HKD"),
        ("100欧元以下", -INF, 100, "EUR"),
        ("三百元以下", -INF, 300, "CNY"),
        ("一百二十元以上", 120, INF, "CNY"),
        ("1萬元以上5萬元以下", 10_000, 50_000, "CNY"),
        ("1.5万元以上", 15_000, INF, "CNY"),
        ("￥100-200", 100, 200, "CNY"),
        ("20kg以上", 20_000, INF, "g"),
        ("2-8 °C", 2, 8, "°C"),
        ("２５％以上", 25, INF, "%"),
    ],
)
def test_ranges_of_money_weight_and_others(text: str, low: float, high: float, unit: str) -> None:
    """The currency stands before the number or behind it; thousands have commas, Chinese numbers words."""
    (found,) = read_ranges(text)
    assert (found.low, found.high, found.unit) == (low, high, unit)


@pytest.mark.parametrize(
    ("text", "below", "included"),
    [
        ("less than 3 days", True, False),
        ("at most 3 days", True, True),
        ("no more than 3 days", True, True),
        ("may not exceed 3 days", True, True),
        ("must not be longer than 3 days", True, True),
        ("<= 3 days", True, True),
        ("不超过3天", True, True),
        ("不得超過3天", True, True),
        ("少于3天", True, False),
        ("3天以下", True, True),
        ("more than 3 days", False, False),
        ("at least 3 days", False, True),
        ("no less than 3 days", False, True),
        ("not less than 3 days", False, True),
        (">= 3 days", False, True),
        ("不少于3天", False, True),
        ("不得低于3天", False, True),
        ("must not be less than 3 days", False, True),
        ("should be less than 3 days", True, False),
        ("大于等于3天", False, True),
        ("超过3天", False, False),
        ("3天及以上", False, True),
    ],
)
def test_bounds_and_denied_bounds(text: str, below: bool, included: bool) -> None:
    """不低于 and "not less than" are lower bounds, not upper ones."""
    (found,) = read_ranges(text)
    assert found == (Range(-INF, 3, "day", has_high=included) if below else Range(3, INF, "day", included))


@pytest.mark.parametrize(
    "text",
    [
        *("Call 030-123-4567.", "+49 30 1234567", "0800 123 4567", "电话：021-64330000", "138 1234 5678"),
        *("2025-03-04", "from 2025-03-04 to 2025-04-05", "3月5日至4月6日", "2025年3月起", "2025/3/4"),
        *("GW-7", "LX-200 to LX-300", "E-107", "since 2.4.1", "from v2.4.0", "192.168.0.1 or more"),
        *("08:00-17:00", "from 8 am to 5 pm", "between 9 and 10 o'clock", "9点到17点", "上午九点以后"),
        *("rooms 3 and 4", "after it", "more than that", "两者以上皆可", "and over again", "内部", ""),
    ],
)
def test_what_is_no_range(text: str) -> None:
    """Telephone numbers, dates, codes, versions and times of day count nothing."""
    assert read_ranges(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("after 6 years, 1,200 EUR", [Amount(72, "month"), Amount(1200, "EUR")]),
        ("in the third year", [Amount(36, "month")]),
        ("两个半小时内", [Amount(2, ""), Amount(30, "minute")]),
        ("a 24-month warranty", [Amount(24, "month")]),
        ("工作滿二十五年", [Amount(300, "month")]),
        ("EUR100 or 3 weeks", [Amount(100, "EUR"), Amount(21, "day")]),
        ("5 days a year", [Amount(5, "day")]),
        ("2025年3月4日", []),
        ("2025年的价格", []),
        ("3 pallets", [Amount(3, "pallet")]),
    ],
)
def test_amounts(text: str, expected: list[Amount]) -> None:
    """A year of the calendar is no length of time, "a year" says how often."""
    assert read_amounts(text) == expected


def test_a_number_without_a_unit_has_that_of_its_column() -> None:
    assert read_ranges("5-9", "years") == [Range(60, 108, "month")]
    assert read_ranges("10+", "年") == [Range(120, INF, "month")]
    assert read_ranges("since 2019", "year") == [Range(2019, INF, "")]


@pytest.mark.parametrize(
    ("name", "unit", "scale"),
    [
        *(("Price EUR", "EUR", 1), ("Price per month (€)", "EUR", 1), ("Years of service", "month", 12)),
        *(
            ("质保（月）", "month", 1),
            ("年假天數", "day", 1),
            ("金额（万元）", "CNY", 10_000),
            ("人数", "person", 1),
        ),
        *(("Weight kg", "g", 1000), ("Owner", "", 1), ("负责人", "", 1), ("", "", 1)),
    ],
)
def test_units_of_columns(name: str, unit: str, scale: float) -> None:
    assert unit_and_scale(name) == (unit, scale)
    assert unit_of(name) == unit


def test_borders_belong_to_a_range_or_not() -> None:
    years = Range(12, 120, "month", has_high=False)
    assert [years.holds(Amount(n, "month")) for n in (11, 12, 119, 120)] == [False, True, True, False]
    assert years.holds(Amount(12, ""))
    assert not years.holds(Amount(12, "day"))


@pytest.mark.parametrize(
    "piece", ["1", "1,", "1-", "1 to ", "一", "1.", "不满", "0 ", "between 1 and ", "EUR ", " "]
)
def test_long_runs_end(piece: str) -> None:
    """No pattern is quadratic in a text as long as a chunk: this would take minutes."""
    read_ranges(piece * 3000)
    read_amounts(piece * 3000)
