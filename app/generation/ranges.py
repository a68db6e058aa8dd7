"""Numbers with units, and ranges of them, in questions and rows: "5 to 9 years", 满1年不满10年, "under 5 EUR"; pure.

A question about a number ("after 6 years") is answered by the row or sentence whose range holds it; one with a bound
("less than 100 EUR") by the rows whose number keeps it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.lexicon import fold_script, terms

_WORDS: Final = {
    word: float(number)
    for number, words in enumerate(
        (
            *(
                "one 一",
                "two 二 两",
                "three 三",
                "four 四",
                "five 五",
                "six 六",
                "seven 七",
                "eight 八",
                "nine 九",
            ),
            *("ten 十", "eleven 十一", "twelve 十二", "thirteen 十三", "fourteen 十四", "fifteen 十五"),
            *("sixteen 十六", "seventeen 十七", "eighteen 十八", "nineteen 十九", "twenty 二十"),
        ),
        1,
    )
    for word in words.split()
} | {"thirty": 30.0, "forty": 40.0, "fifty": 50.0, "三十": 30.0, "四十": 40.0, "五十": 50.0, "一百": 100.0}
# A unit, and how many of its base unit it is. Months and days are not turned into each other.
_UNITS: Final = {
    **dict.fromkeys(("year", "yr", "年", "周年", "岁"), ("month", 12.0)),
    **dict.fromkeys(("month", "个月", "月"), ("month", 1.0)),
    **dict.fromkeys(("week", "周", "星期"), ("day", 7.0)),
    **dict.fromkeys(("day", "天", "日", "个工作日", "工作日"), ("day", 1.0)),
    **dict.fromkeys(("hour", "h", "hr", "小时"), ("minute", 60.0)),
    **dict.fromkeys(("minute", "min", "分钟"), ("minute", 1.0)),
    **dict.fromkeys(("second", "sec", "秒"), ("second", 1.0)),
    **dict.fromkeys(("eur", "euro", "€"), ("EUR", 1.0)),
    **dict.fromkeys(("usd", "dollar", "$"), ("USD", 1.0)),
    **dict.fromkeys(("gbp", "pound", "£"), ("GBP", 1.0)),
    **dict.fromkeys(("cny", "rmb", "yuan", "元", "¥", "￥"), ("CNY", 1.0)),
    **dict.fromkeys(("万元",), ("CNY", 10_000.0)),
    **dict.fromkeys(("kg", "kilo", "kilogram", "公斤", "千克"), ("g", 1000.0)),
    **dict.fromkeys(("g", "gram", "克"), ("g", 1.0)),
    **dict.fromkeys(("t", "tonne", "ton", "吨"), ("g", 1_000_000.0)),
    **dict.fromkeys(("km", "kilometre", "kilometer", "公里", "千米"), ("m", 1000.0)),
    **dict.fromkeys(("m", "metre", "meter", "米"), ("m", 1.0)),
    **dict.fromkeys(("%", "percent"), ("%", 1.0)),
    **dict.fromkeys(("人", "people", "person"), ("person", 1.0)),
}
_LATIN_NUMBER: Final = "|".join(sorted((word for word in _WORDS if word.isascii()), key=len, reverse=True))
_HAN_NUMBER: Final = "|".join(sorted((word for word in _WORDS if not word.isascii()), key=len, reverse=True))
_N: Final = (
    rf"(?:\d+(?:,\d{{3}})*(?:\.\d+)?|\b(?:{_LATIN_NUMBER})\b|(?:{_HAN_NUMBER})(?![一二三四五六七八九十]))"
)
_SIGN: Final = r"[€$£¥￥] ?|\b(?:EUR|USD|GBP|CNY|RMB|CHF) "
_HAN_UNITS: Final = "|".join(
    sorted((unit for unit in _UNITS if re.match(r"[\u4e00-\u9fff]", unit)), key=len, reverse=True)
)
_U: Final = rf"(?:[ -]?(?:(?:full|working|calendar|complete) )?(?:[€$£¥￥%]|[a-z]+)| ?(?:{_HAN_UNITS}))"
_AMOUNT: Final = re.compile(
    rf"(?P<sign>{_SIGN})?(?<![A-Za-z0-9_.,-])(?P<n>{_N})(?:st|nd|rd|th)?(?P<u>{_U})?", re.IGNORECASE
)
_BOTH: Final = re.compile(
    rf"(?P<sign>{_SIGN})?(?<![A-Za-z0-9_.,-])(?P<a>{_N})(?P<ua>{_U})?"
    r" ?(?:-|–|—|~|～|至|到|\bto\b|\band\b|不满|未满|不足) ?"
    rf"(?:{_SIGN})?(?P<b>{_N})(?P<ub>{_U})?",
    re.IGNORECASE,
)
# What stands before or after a number and makes it a bound.
_BELOW_BEFORE: Final = re.compile(
    r"(?:\b(?P<e>up to|at most|no more than|not more than|not over|maximum(?: of)?|max\.?|within|until|first)"
    r"|\b(?:less than|fewer than|under|below|cheaper than|shorter than|lighter than|lower than|smaller than|before)"
    r"|(?P<z>不超过|不高于|至多|最多|不多于|≤)|不满|未满|不足|低于|少于|小于|短于|便宜于|<)\s*$",
    re.IGNORECASE,
)
_BELOW_AFTER: Final = re.compile(
    r"\s*(?:\b(?:or (?:less|fewer|under|below|shorter|cheaper|younger)|and (?:less|under|below))\b"
    r"|及?以[下内]|之内|以里)",
    re.IGNORECASE,
)
_ABOVE_BEFORE: Final = re.compile(
    r"(?:\b(?P<e>at least|from|no less than|not less than|minimum(?: of)?|min\.?|since|after)"
    r"|\b(?:more than|over|above|longer than|exceeding|greater than|higher than|heavier than|beyond)"
    r"|(?P<z>不低于|不少于|至少|最少|≥|满)|超过|高于|多于|大于|长于|逾|>)\s*$",
    re.IGNORECASE,
)
_ABOVE_AFTER: Final = re.compile(
    r"\s*(?:\+|\b(?:or (?:more|over|above|longer|older)|and (?:more|over|above|up)|upwards?|onwards?)\b|及?以上|起)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in the base unit of its kind; `unit` is "" where none is told."""

    number: float
    unit: str


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, whether each is one of them."""

    low: float
    high: float
    unit: str
    has_low: bool = True
    has_high: bool = True

    def holds(self, amount: Amount) -> bool:
        """Whether an amount of the same unit, or of none, lies within."""
        if amount.unit and self.unit and amount.unit != self.unit:
            return False
        above = amount.number > self.low or (self.has_low and amount.number == self.low)
        return above and (amount.number < self.high or (self.has_high and amount.number == self.high))


def read_amounts(text: str, unit: str = "") -> list[Amount]:
    """The numbers of a text with their units; `unit` is that of those that name none.

    >>> read_amounts("after 6 years, 1,200 EUR")
    [Amount(number=72.0, unit='month'), Amount(number=1200.0, unit='EUR')]
    """
    return [
        _amount(found["n"], found["sign"] or found["u"], unit)
        for found in _AMOUNT.finditer(fold_script(text))
    ]


def read_ranges(text: str, unit: str = "") -> list[Range]:
    """The ranges that a text names, in order; `unit` is that of those that name none.

    >>> read_ranges("满1年不满10年")
    [Range(low=12.0, high=120.0, unit='month', has_low=True, has_high=False)]
    >>> read_ranges("10+", "year")
    [Range(low=120.0, high=inf, unit='month', has_low=True, has_high=True)]
    """
    text = fold_script(text)
    found: list[tuple[int, Range]] = []
    taken: list[tuple[int, int]] = []
    for both in _BOTH.finditer(text):
        unit_text = both["sign"] or both["ub"] or both["ua"]
        low = _amount(both["a"], both["sign"] or both["ua"] or unit_text, unit)
        high = _amount(both["b"], unit_text, unit)
        if low.unit != high.unit or low.number >= high.number:
            continue
        opens = not re.search("不满|未满|不足", both[0])
        found.append((both.start(), Range(low.number, high.number, high.unit, has_high=opens)))
        taken.append(both.span())
    for one in _AMOUNT.finditer(text):
        if any(start <= one.start() < end for start, end in taken):
            continue
        bound = _bound(text, one)
        if bound is not None:
            amount = _amount(one["n"], one["sign"] or one["u"], unit)
            below, included = bound
            found.append(
                (
                    one.start(),
                    Range(-math.inf, amount.number, amount.unit, has_high=included)
                    if below
                    else Range(amount.number, math.inf, amount.unit, has_low=included),
                )
            )
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def unit_of(name: str) -> str:
    """The unit that a column's name tells ("Price EUR", 质保（月）), "" for none.

    >>> unit_of("Price EUR"), unit_of("质保（月）"), unit_of("Owner")
    ('EUR', 'month', '')
    """
    for word in reversed(re.findall(r"[€$£¥￥%]|[a-z]+|[\u4e00-\u9fff]+", fold_script(name).lower())):
        for known in (word, word.removesuffix("s")):
            if known in _UNITS:
                return _UNITS[known][0]
    return ""


def scale_of(name: str) -> float:
    """How many of the base unit one of the unit that a column's name tells is."""
    for word in reversed(re.findall(r"[€$£¥￥%]|[a-z]+|[\u4e00-\u9fff]+", fold_script(name).lower())):
        for known in (word, word.removesuffix("s")):
            if known in _UNITS:
                return _UNITS[known][1]
    return 1.0


def _bound(text: str, amount: re.Match[str]) -> tuple[bool, bool] | None:
    """Whether a number is an upper bound (else a lower one), and whether it is within; None where it is none."""
    before, after = text[: amount.start()], text[amount.end() :]
    if found := _BELOW_BEFORE.search(before):
        return True, bool(found["e"] or found["z"])
    if _BELOW_AFTER.match(after):
        return True, True
    if found := _ABOVE_BEFORE.search(before):
        return False, bool(found["e"] or found["z"])
    return (False, True) if _ABOVE_AFTER.match(after) else None


def _amount(number: str, unit_text: str | None, default: str) -> Amount:
    value = _WORDS.get(number.lower())
    if value is None:
        value = float(number.replace(",", ""))
    base, times = _unit(unit_text or default)
    return Amount(value * times, base)


def _unit(text: str) -> tuple[str, float]:
    """The base unit of a unit as written, and how many of that it is; a word of no table is its own."""
    for word in reversed(re.findall(r"[€$£¥￥%]|[a-z]+|[\u4e00-\u9fff]+", text.lower())):
        for known in (word, word.removesuffix("s")):
            if known in _UNITS:
                return _UNITS[known]
        return next(iter(_terms(word)), ""), 1.0
    return "", 1.0


def _terms(word: str) -> Iterator[str]:
    yield from terms(word)
