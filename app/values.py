"""Dates and durations in text → terms that are the same for the same value, whatever its form. Pure.

Only forms that can be read in one way: 03/04/2026 is April or March, so it is no date here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTH: Final = "|".join((*_MONTHS, *(f"{name[:3]}" for name in _MONTHS), "sept"))
_DAY: Final = r"(?P<{0}>[0-3]?\d)(?:st|nd|rd|th)?"
_DATE: Final = re.compile(
    rf"\b{_DAY.format('d1')}(?: of)?[ -](?P<m1>{_MONTH})\b\.?(?:,?[ -](?P<y1>[12]\d{{3}}))?"
    rf"|\b(?P<m2>{_MONTH})\.? {_DAY.format('d2')}\b(?:,? (?P<y2>[12]\d{{3}})\b)?"
    r"|(?<![\d.-])(?P<y3>[12]\d{3})[-/.](?P<m3>[01]?\d)[-/.](?P<d3>[0-3]?\d)(?!\d)"
    r"|(?:(?P<y4>[12]\d{3}) ?年 ?)?(?<!\d)(?P<m4>[01]?\d) ?月 ?(?P<d4>[0-3]?\d) ?[日号號]",
    re.IGNORECASE,
)
_WORDS: Final = {
    word: number
    for number, words in enumerate(
        (
            *("one a 一", "two 两 兩 二", "three 三", "four 四", "five 五", "six 六", "seven 七", "eight 八"),
            *("nine 九", "ten 十", "eleven 十一", "twelve 十二"),
        ),
        1,
    )
    for word in words.split()
}
# What a unit is counted in, and how many of that it is.
_UNITS: Final = {
    **dict.fromkeys(("year", "years", "年"), ("mo", 12)),
    **dict.fromkeys(("month", "months", "个月", "個月"), ("mo", 1)),
    **dict.fromkeys(("week", "weeks", "周", "週", "星期"), ("d", 7)),
    **dict.fromkeys(("day", "days", "天"), ("d", 1)),
    **dict.fromkeys(("hour", "hours", "小时", "小時"), ("min", 60)),
    **dict.fromkeys(("minute", "minutes", "分钟", "分鐘"), ("min", 1)),
}
_DURATION: Final = re.compile(
    rf"(?<![\w.,])(?P<n1>\d{{1,4}}|{'|'.join(word for word in _WORDS if word.isascii())})[ -]"
    rf"(?P<u1>{'|'.join(unit for unit in _UNITS if unit.isascii())})\b"
    rf"|(?<![\d.,])(?P<n2>\d{{1,3}}|[一二两兩三四五六七八九十]{{1,2}}) ?"
    rf"(?P<u2>{'|'.join(unit for unit in _UNITS if not unit.isascii())})",
    re.IGNORECASE,
)


def value_terms(text: str) -> Iterator[str]:
    """The dates of a text, without their year and with it, and its durations, in order; with repetitions.

    >>> list(value_terms("On 4 March 2026, two years after 2024-03-04"))
    ['@03-04', '@2026-03-04', '@03-04', '@2024-03-04', '@24mo']
    >>> list(value_terms("3月4日起24个月"))
    ['@03-04', '@24mo']
    """
    for date in _DATE.finditer(text):
        yield from _date_terms(date)
    for duration in _DURATION.finditer(text):
        number = (duration["n1"] or duration["n2"]).lower()
        amount = int(number) if number.isdecimal() else _WORDS.get(number)
        if amount is not None:
            unit, times = _UNITS[(duration["u1"] or duration["u2"]).lower()]
            yield f"@{amount * times}{unit}"


def dates_in(text: str) -> Iterator[str]:
    """The dates of a text as they are written.

    >>> list(dates_in("from 4 March 2026 to 2026-03-09"))
    ['4 March 2026', '2026-03-09']
    """
    for date in _DATE.finditer(text):
        if any(_date_terms(date)):
            yield date[0]


def _date_terms(date: re.Match[str]) -> Iterator[str]:
    form = next(number for number in "1234" if date[f"d{number}"])
    day, month, year = int(date[f"d{form}"]), date[f"m{form}"].lower(), date[f"y{form}"]
    number = int(month) if month.isdecimal() else _month_number(month)
    if not (1 <= day <= 31 and 1 <= number <= 12):
        return
    yield f"@{number:02}-{day:02}"
    if year is not None:
        yield f"@{year}-{number:02}-{day:02}"


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))
