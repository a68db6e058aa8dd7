"""Numbers with units, and ranges of them, in questions and rows: "5 to 9 years", 满1年不满10年, "under 5 EUR"; pure.

A question about a number ("after 6 years") is answered by the row or sentence whose range holds it; one with a bound
("less than 100 EUR") by the rows whose number keeps it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from app.lexicon import fold_script, terms

_ONES: Final = "one two three four five six seven eight nine".split()  # noqa: SIM905
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_TEENS: Final = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: SIM905
_ORDINALS: Final = "first second third fourth fifth sixth seventh eighth ninth tenth".split()  # noqa: SIM905
_WORDS: Final = {
    **{word: float(number) for number, word in enumerate((*_ONES, *_TEENS), 1)},
    **{word: 10.0 * number for number, word in enumerate(_TENS, 2)},
    **{f"{ten}-{one}": 10.0 * n + m for n, ten in enumerate(_TENS, 2) for m, one in enumerate(_ONES, 1)},
    **{word: float(number) for number, word in enumerate(_ORDINALS, 1)},
    **{"a": 1.0, "an": 1.0, "half a": 0.5, "half an": 0.5, "半": 0.5},
}
_HAN_DIGITS: Final = {**{digit: at for at, digit in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}
_HAN_TIMES: Final = {"十": 10, "百": 100, "千": 1000}
# A unit, and how many of its base unit it is. Months and days are not turned into each other.
_UNITS: Final = {
    **dict.fromkeys(("year", "yr", "年", "周年", "岁", "周岁"), ("month", 12.0)),
    **dict.fromkeys(("month", "月"), ("month", 1.0)),
    **dict.fromkeys(("week", "周", "星期"), ("day", 7.0)),
    **dict.fromkeys(("day", "天", "日"), ("day", 1.0)),
    **dict.fromkeys(("hour", "h", "hr", "小时"), ("minute", 60.0)),
    **dict.fromkeys(("minute", "min", "分钟"), ("minute", 1.0)),
    **dict.fromkeys(("second", "sec", "秒"), ("second", 1.0)),
    **dict.fromkeys(("eur", "euro", "€", "欧元"), ("EUR", 1.0)),
    **dict.fromkeys(("usd", "dollar", "$", "us$", "美元", "美金"), ("USD", 1.0)),
    **dict.fromkeys(("gbp", "pound", "£", "英镑"), ("GBP", 1.0)),
    **dict.fromkeys(("chf", "franc", "瑞士法郎"), ("CHF", 1.0)),
    **dict.fromkeys(("cny", "rmb", "yuan", "元", "块", "¥"), ("CNY", 1.0)),
    **dict.fromkeys(("千元",), ("CNY", 1_000.0)),
    **dict.fromkeys(("万元",), ("CNY", 10_000.0)),
    **dict.fromkeys(("hkd", "hk$", "港元", "港币"), ("HKD", 1.0)),
    **dict.fromkeys(("twd", "ntd", "nt$", "新台币", "台币"), ("TWD", 1.0)),
    **dict.fromkeys(("jpy", "yen", "日元"), ("JPY", 1.0)),
    **dict.fromkeys(("kg", "kilo", "kilogram", "公斤", "千克"), ("g", 1000.0)),
    **dict.fromkeys(("g", "gram", "克"), ("g", 1.0)),
    **dict.fromkeys(("t", "tonne", "ton", "吨"), ("g", 1_000_000.0)),
    **dict.fromkeys(("km", "kilometre", "kilometer", "公里", "千米"), ("m", 1000.0)),
    **dict.fromkeys(("m", "metre", "meter", "米"), ("m", 1.0)),
    **dict.fromkeys(("cm", "centimetre", "centimeter", "厘米"), ("m", 0.01)),
    **dict.fromkeys(("mm", "millimetre", "millimeter", "毫米"), ("m", 0.001)),
    **dict.fromkeys(("l", "litre", "liter", "升"), ("l", 1.0)),
    **dict.fromkeys(("mb", "megabyte"), ("MB", 1.0)),
    **dict.fromkeys(("gb", "gigabyte"), ("MB", 1024.0)),
    **dict.fromkeys(("tb", "terabyte"), ("MB", 1_048_576.0)),
    **dict.fromkeys(("°c", "摄氏度"), ("°C", 1.0)),
    **dict.fromkeys(("%", "percent"), ("%", 1.0)),
    **dict.fromkeys(("人", "people", "person"), ("person", 1.0)),
}
CURRENCIES: Final = frozenset(("EUR", "USD", "GBP", "CHF", "CNY", "HKD", "TWD", "JPY"))
_HAN_UNITS: Final = "|".join(sorted((unit for unit in _UNITS if unit > "\u4e00"), key=len, reverse=True))
_UNIT_WORD: Final = re.compile(r"(?:us|hk|nt)?\$|[€£¥%]|°c|[a-z]+|[\u4e00-\u9fff]+")
_COUNTED: Final = r"个?(?:工作|自然|日历)?"  # between a number and a Chinese unit
_SPANS: Final = r"(?=[ -](?:year|month|week|day|hour|minute)s?\b)"
_LATIN_NUMBER: Final = (
    rf"\b(?:half an?{_SPANS}|an?{_SPANS}|(?:{'|'.join(_ORDINALS)}){_SPANS}"
    rf"|(?:{'|'.join(_TENS)})(?:-(?:{'|'.join(_ONES)}))?|{'|'.join((*_ONES, *_TEENS))})\b"
)
_N: Final = (
    r"(?:\d+(?:,\d{3})*(?:\.\d+)?(?: ?[万亿])?"
    rf"|{_LATIN_NUMBER}|[零〇一二两三四五六七八九十][零〇一二两三四五六七八九十百千万]{{0,12}}|半(?={_COUNTED}(?:年|月|天|日|小时)))"
)
_SIGN: Final = r"(?:US|HK|NT)?[€$£¥] ?|\b(?:EUR|USD|GBP|CHF|CNY|RMB|HKD|TWD|NTD|JPY) ?"
_START: Final = rf"(?:(?P<sign>{_SIGN})|(?<![A-Za-z0-9_.,-]))"
_NO_UNIT: Final = (
    r"(?:or|and|to|of|in|on|at|is|are|per|for|than|more|less|until|from|by|with|after|before|as|up)\b"
)
_U: Final = (
    r"(?:[ -]?(?:(?:full|working|business|calendar|completed?|consecutive|whole) )?"
    rf"(?:(?:US|HK|NT)?\$|[€£¥%]|°C|(?!{_NO_UNIT})[a-z]+)| ?{_COUNTED}(?:{_HAN_UNITS}))"
)
_AMOUNT: Final = re.compile(
    rf"{_START}(?P<n>{_N})(?:st|nd|rd|th)?(?P<plus>\+)?(?P<u>{_U})?(?P<half>半)?", re.IGNORECASE
)
_BOTH: Final = re.compile(
    rf"(?P<between>\bbetween )?{_START}(?P<a>{_N})(?P<ua>{_U})? ?"
    r"(?(between)(?:and|to|-|–|—|~)"
    r"|(?:(?:[-–—~至到]|\bto)? ?(?P<open>不满|未满|不足|不到|\b(?:under|less than|below))"
    r"|[-–—~至到]|\b(?:up )?to\b)) ?"
    rf"(?:{_SIGN})?(?P<b>{_N})(?P<ub>{_U})?",
    re.IGNORECASE,
)
# What is written with numbers and counts nothing: dates, times of day, versions, telephone numbers.
_NO_AMOUNT: Final = re.compile(
    r"(?<!\d)\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?(?![\d.])|(?<!\d)\d++(?:\.\d++){2,}|(?<!\d)\d{1,2}/\d{1,2}/\d{2,4}"
    r"|\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]\.?m\b)?|\b\d{1,2} ?[ap]\.?m\b"
    r"|(?:\d{1,2} ?(?:-|–|and|to) )?\d{1,2} o'clock|[\d一二三四五六七八九十]{1,3}点(?:\d{1,2}分|半)?"
    r"|\+\d[\d ()/-]{5,}\d|(?<![\d,.])0\d{1,4}[-/ ]\d[\d -]{3,}\d|(?<![\d,.])\d{3,5}(?:[ -]\d{3,5}){2,}"
    r"|(?<!\d)(?:19|20)\d\d ?年(?:\d{1,2}月)?(?:\d{1,2}[日号])?"
    r"|(?<!\d)(?:0?[1-9]|1[0-2])月(?:\d{1,2}[日号]?)?|(?<![一二三四五六七八九十])(?:[一二三四五六七八九]|十[一二]?)月(?!份?以)",
    re.IGNORECASE,
)
_INCLUSIVE: Final = re.compile(r" ?\((?:含(?:本数)?|inclusive|incl\.|included)\)", re.IGNORECASE)
# What stands before or after a number and makes it a bound. Denied, one of the other side that holds its number.
_LESS: Final = (
    r"(?:less|fewer|cheaper|shorter|lighter|lower|smaller|younger|earlier|slower|narrower) than|under|below"
)
_MORE: Final = (
    r"(?:more|longer|greater|higher|heavier|older|later|larger|bigger|taller|wider|faster|deeper) than"
    r"|over|above|beyond|exceed(?:s|ing|ed)?"
)
_NOT: Final = r"(?:\b(?:not|no|never|cannot)|n't) (?:be )?"
_BELOW_BEFORE: Final = re.compile(
    rf"(?:\b(?P<e>up to|at most|maximum(?: of)?|max\.?|within|until|first)|(?P<n>{_NOT}(?:{_MORE}))"
    rf"|\b(?:{_LESS}|before)"
    r"|(?P<z>不(?:得|能|可|应|会|可以)?(?:超过|高于|多于|大于|长于|超出)|小于或?等于|至多|最多|≤|<=)"
    r"|不满|未满|不足|不到|低于|少于|小于|短于|便宜于|<)\s*(?:the |第)?$",
    re.IGNORECASE,
)
_BELOW_AFTER: Final = re.compile(
    r"\s*(?:\b(?:or|and) (?:less|fewer|under|below|shorter|cheaper|younger|earlier|lower)\b(?! ?\d)"
    r"|及?以[下内]|之内|以里|内(?![容部网存衣]))",
    re.IGNORECASE,
)
_ABOVE_BEFORE: Final = re.compile(
    rf"(?:\b(?P<e>at least|from|minimum(?: of)?|min\.?|since|after)|(?P<n>{_NOT}(?:{_LESS}))|\b(?:{_MORE})"
    r"|(?P<z>不(?:得|能|可|应|会|可以)?(?:低于|少于|小于|短于)|大于或?等于|至少|最少|≥|>=|满)"
    r"|超过|高于|多于|大于|长于|逾|>)\s*(?:the |第)?$",
    re.IGNORECASE,
)
_ABOVE_AFTER: Final = re.compile(
    r"\s*(?:\b(?:or|and) (?:more|over|above|longer|older|up|later|higher|greater)\b(?! ?\d)"
    r"|\b(?:upwards?|onwards?)\b|及?以上|[以之]后|起)",
    re.IGNORECASE,
)
MOST_BETWEEN: Final = 24  # characters between a lower bound and the upper one that closes it: 以上…以下


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
    return [amount for _, amount in written_amounts(text, unit)]


def written_amounts(text: str, unit: str = "") -> list[tuple[str, Amount]]:
    """As `read_amounts`, each with how it is written. "A year" is none: it says how often.

    >>> written_amounts("一年半后, in the 6th year")
    [('一年半', Amount(number=18.0, unit='month')), ('6th year', Amount(number=72.0, unit='month'))]
    """
    return [
        (found[0], _amount(found["n"], found["sign"] or found["u"], unit, is_more=bool(found["half"])))
        for found in _AMOUNT.finditer(_readable(text))
        if found["n"].lower() not in ("a", "an")
    ]


def read_ranges(text: str, unit: str = "") -> list[Range]:
    """The ranges that a text names, in order; `unit` is that of those that name none.

    >>> read_ranges("满1年不满10年")
    [Range(low=12.0, high=120.0, unit='month', has_low=True, has_high=False)]
    >>> read_ranges("10+", "year")
    [Range(low=120.0, high=inf, unit='month', has_low=True, has_high=True)]
    >>> read_ranges("over 5 and under 10 kg")
    [Range(low=5000.0, high=10000.0, unit='g', has_low=False, has_high=False)]
    """
    text = _readable(text)
    found: list[tuple[int, Range]] = []
    taken: list[tuple[int, int]] = []
    for both in _BOTH.finditer(text):
        unit_text = both["sign"] or both["ub"] or both["ua"]
        low = _amount(both["a"], both["sign"] or both["ua"] or unit_text, unit)
        high = _amount(both["b"], unit_text, unit)
        if low.unit != high.unit or low.number >= high.number:
            continue
        found.append((both.start(), Range(low.number, high.number, high.unit, has_high=not both["open"])))
        taken.append(both.span())
    lower: tuple[re.Match[str], bool] | None = None
    for one in _AMOUNT.finditer(text):
        if any(start <= one.start() < end for start, end in taken):
            continue
        bound = _bound(text, one)
        if bound is None:
            continue
        below, included = bound
        amount = _amount(one["n"], one["sign"] or one["u"], unit, is_more=bool(one["half"]))
        if not below:
            lower = one, included
            found.append((one.start(), Range(amount.number, math.inf, amount.unit, has_low=included)))
            continue
        low_number, has_low = -math.inf, True
        if lower is not None and _goes_on(text[lower[0].end() : one.start()]):
            first, first_included = lower
            own = _amount(first["n"], first["sign"] or first["u"] or one["sign"] or one["u"], unit)
            if own.unit == amount.unit and own.number < amount.number:
                low_number, has_low = own.number, first_included
                found.pop()
        found.append((one.start(), Range(low_number, amount.number, amount.unit, has_low, included)))
        lower = None
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def unit_of(name: str) -> str:
    """The unit that a column's name tells ("Price EUR", 质保（月）), "" for none.

    >>> unit_of("Price EUR per month"), unit_of("质保（月）"), unit_of("年假天数"), unit_of("Owner")
    ('EUR', 'month', 'day', '')
    """
    return unit_and_scale(name)[0]


def unit_and_scale(name: str) -> tuple[str, float]:
    """The base unit that a column's name tells, "" for none, and how many of it one in that column is."""
    found = [known for word in _unit_words(name) if (known := _known(word)) is not None]
    return next((known for known in found if known[0] in CURRENCIES), found[0] if found else ("", 1.0))


def _readable(text: str) -> str:
    """The text in one script and width, with a semicolon for numbers that count nothing."""
    text = fold_script(unicodedata.normalize("NFKC", text))
    return _INCLUSIVE.sub("", _NO_AMOUNT.sub(";", text))


def _goes_on(between: str) -> bool:
    return len(between) <= MOST_BETWEEN and not re.search(r"[\d;。\n|]|\. ", between)


def _bound(text: str, amount: re.Match[str]) -> tuple[bool, bool] | None:
    """Whether a number is an upper bound (else a lower one), and whether it is within; None where it is none."""
    before, after = text[: amount.start()], text[amount.end() :]
    found = [
        (match.start(), pattern is _BELOW_BEFORE, match)
        for pattern in (_BELOW_BEFORE, _ABOVE_BEFORE)
        if (match := pattern.search(before[-40:])) is not None
    ]
    if found:  # of "not less than" and "less than" the longer
        _, below, match = min(found, key=lambda one: one[0])
        return below, bool(match["e"] or match["n"] or match["z"])
    if _BELOW_AFTER.match(after):
        return True, True
    return (False, True) if amount["plus"] or _ABOVE_AFTER.match(after) else None


def _amount(number: str, unit_text: str | None, default: str, *, is_more: bool = False) -> Amount:
    value = _number(number.lower()) + (0.5 if is_more else 0.0)
    base, times = _unit(unit_text or default)
    if not unit_text and base == "month" and 1900 <= value < 2100:
        return Amount(value, "")  # a year of the calendar in a column of years
    return Amount(value * times, base)


def _number(text: str) -> float:
    """The number that is written so.

    >>> [_number(text) for text in ("1,200.5", "twenty-five", "1.5万", "一百二十", "二十五", "两千", "十")]
    [1200.5, 25.0, 15000.0, 120.0, 25.0, 2000.0, 10.0]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isdecimal():
        times = {"万": 1e4, "亿": 1e8}.get(text[-1], 1.0)
        return float(text.rstrip("万亿 ").replace(",", "")) * times
    total, section, digit = 0, 0, 0
    for character in text:
        if character in _HAN_DIGITS:
            digit = _HAN_DIGITS[character]
        elif character == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * _HAN_TIMES[character], 0
    return float(total + section + digit)


def _unit(text: str) -> tuple[str, float]:
    """The base unit of a unit as written, and how many of that it is; a word of no table is its own."""
    words = _unit_words(text)
    known = next((known for word in words if (known := _known(word)) is not None), None)
    if known is not None:
        return known
    return (next(iter(terms(words[0])), "") if words else ""), 1.0


def _unit_words(text: str) -> list[str]:
    """What may be a unit in a text, the last first."""
    return _UNIT_WORD.findall(fold_script(unicodedata.normalize("NFKC", text)).lower())[::-1]


def _known(word: str) -> tuple[str, float] | None:
    bare = re.sub(rf"^{_COUNTED}(?=.)", "", word)
    counted = word[-2:-1] if word.endswith("数") else ""  # 天数
    found = next((one for one in (word, word.removesuffix("s"), bare, counted) if one in _UNITS), None)
    return _UNITS[found] if found is not None else None
