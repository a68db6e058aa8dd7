"""Numbers with their units and dates in text, by value, English and Chinese; pure.

24 months and two years are one amount, 12万 and 120,000 one number, 3月4日 and March 4th one date. Text is expected in
NFKC with simplified characters (`app.lexicon.fold_script`). A number that is part of a code ("LX-200", "v2.4.1") is
none. What can be read in two ways ("pounds", 03/04/2026) is both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from app.han import HAN

Scale = tuple[str, Fraction]  # a dimension and the factor to its base unit

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ONES: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS: Final = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
    *("eighteenth", "nineteenth", "twentieth"),
)
_WORD_VALUES: Final = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
    **{"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12},
}
_EN_SCALES: Final = {
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "bn": 10**9,
}
_PARTS: Final = {
    "half": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
}
_HAN_DIGITS: Final = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_SCALES: Final = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}


def _units() -> dict[str, tuple[Scale, ...]]:
    """Each spelling of a unit in small letters → its meanings."""
    table: dict[str, tuple[Scale, ...]] = {}
    for dimension, units in {
        "time": {
            "1/1000": "ms millisecond 毫秒",
            "1": "s sec second 秒 秒钟",
            "60": "min minute 分 分钟",
            "3600": "h hr hour 小时 钟头",
            "86400": "day 天 日",
            "604800": "week 周 星期 礼拜",
        },
        "months": {
            "1": "month 个月 月",
            "12": "year yr 年 周年",
            "120": "decade",
            "1200": "个世纪",
        },
        "length": {
            "1/1000": "mm millimetre millimeter 毫米",
            "1/100": "cm centimetre centimeter 厘米",
            "1": "m metre meter 米",
            "1000": "km kilometre kilometer 公里 千米",
            "0.0254": "inch inche 英寸",
            "0.3048": "ft foot feet 英尺",
            "0.9144": "yard 码",
            "1609.344": "mi mile 英里",
            "1852": "海里",
        },
        "area": {
            "1": "m2 sqm 平方米|square metre|square meter",
            "1000000": "km2 平方公里 平方千米|square kilometre|square kilometer|sq km",
            "10000": "ha hectare 公顷",
            "2589988.11": "平方英里|square mile|sq mi",
            "4046.8564": "acre 英亩",
            "666.6667": "亩",
        },
        "mass": {
            "1/1000": "mg milligram 毫克",
            "1": "g gram 克",
            "1000": "kg kilogram kilo 公斤 千克",
            "500": "斤",
            "1000000": "t tonne 吨",
            "907184.74": "ton",
            "453.59237": "lb pound 磅",
            "28.349523": "oz ounce 盎司",
        },
        "volume": {"1/1000": "ml millilitre milliliter 毫升", "1": "l litre liter 升", "1000": "m3 立方米"},
        "data": {
            "1/1000": "kb 千字节",
            "1": "mb megabyte 兆",
            "1000": "gb gigabyte",
            "1000000": "tb terabyte",
        },
        "ratio": {
            "1/100": "% percent pct|per cent|percentage point",
            "1/1000": "‰|per mille",
            "1/10": "成",
        },
        "celsius": {"1": "°c ℃ 摄氏度|degree celsius|degrees celsius"},
        "fahrenheit": {"1": "°f 华氏度|degree fahrenheit|degrees fahrenheit"},
        "pressure": {
            "100": "kpa 千帕",
            "100000": "bar 巴",
            "6894.757": "psi",
            "1000000": "mpa 兆帕",
            "1": "pa 帕",
        },
        "power": {"1": "w watt 瓦", "1000": "kw kilowatt 千瓦", "1000000": "mw megawatt 兆瓦"},
        "voltage": {"1": "v volt 伏"},
        "current": {"1": "a amp ampere 安", "1/1000": "ma 毫安"},
        "frequency": {
            "1": "hz hertz 赫兹",
            "1000": "khz 千赫",
            "1000000": "mhz 兆赫",
            "1000000000": "ghz 吉赫",
        },
        "torque": {"1": "nm"},
        "speed": {"1": "km/h kph", "1.609344": "mph"},
        "usd": {"1": "usd $ us$ dollar 美元 美金"},
        "eur": {"1": "eur € euro 欧元"},
        "gbp": {"1": "gbp £ pound 英镑"},
        "chf": {"1": "chf 瑞士法郎"},
        "jpy": {"1": "jpy 日元 日圆"},
        "cny": {"1": "cny rmb ¥ yuan 元 块 人民币"},
        "hkd": {"1": "hkd hk$ 港元 港币"},
        "twd": {"1": "twd nt$ 台币 新台币"},
    }.items():
        for factor, spellings in units.items():
            short, *long = spellings.split("|")
            for name in (*short.split(), *long):
                table[name] = (*table.get(name, ()), (dimension, Fraction(factor)))
    return table


_UNITS: Final = _units()
_ORDINAL: Final[tuple[Scale, ...]] = (("ordinal", Fraction(1)),)
_RATIO: Final[tuple[Scale, ...]] = (("ratio", Fraction(1)),)
_CLOCK: Final[tuple[Scale, ...]] = (("clock", Fraction(1)),)
_DECADE: Final[tuple[Scale, ...]] = (("decade", Fraction(1)),)
_WEEKDAY: Final[tuple[Scale, ...]] = (("weekday", Fraction(1)),)

_HAN_NUMBER: Final = "[零〇一二两三四五六七八九十百千万亿]"
_MONTH: Final = (
    rf"(?:{'|'.join((*_MONTHS, *(f'{name[:3]}' for name in _MONTHS if len(name) > 4), 'sept'))})\b\.?"
)
_DAY: Final = r"[0-3]?\d(?:st|nd|rd|th)?"
_TO: Final = r"(?: ?[-–—/&,] ?| and | to | or )"
_YEAR: Final = r"[12]\d{3}(?!\d)"
_HAN_YEAR: Final = r"(?:(?<!\d)\d{4}|[〇零一二三四五六七八九]{4}) ?年(?!代)"
_HAN_DAY: Final = r"(?:[0-3]?\d|[一二三四五六七八九十]{1,3}) ?[日号](?![码线])"
_DATE: Final = re.compile(
    rf"(?<!\w)(?<!\d[.,])(?:(?P<d0>{_DAY}){_TO})?(?P<d1>{_DAY})(?: of)?[ -](?P<m1>{_MONTH})(?:,?[ -](?P<y1>{_YEAR}))?"
    rf"|\b(?P<m2>{_MONTH}) (?:(?P<d4>{_DAY}){_TO})?(?P<d2>{_DAY})(?![\d.]*\d)(?:,? (?P<y2>{_YEAR}))?"
    rf"|\b(?P<m3>{_MONTH})(?:,| of)? (?P<y3>{_YEAR})"
    r"|(?<!\d)(?<!\d[.,/-])(?P<y4>[12]\d{3})(?P<sep>[-/.])(?P<m4>[01]?\d)(?P=sep)(?P<d3>[0-3]?\d)(?![\d.]*\d)"
    rf"|(?<!\d)(?<!\d[.,/-])(?P<a>[0-3]?\d)(?P<sep2>[-/.])(?P<b>[0-3]?\d)(?P=sep2)(?P<y5>{_YEAR})"
    rf"|(?:(?P<y6>{_HAN_YEAR}) ?)?(?<![\d一二三四五六七八九十])"
    rf"(?P<m6>[01]?\d|十?[一二三四五六七八九十]) ?月(?!份?[球光亮])(?: ?(?P<d6>{_HAN_DAY}))?"
    rf"|(?P<y7>{_HAN_YEAR})|(?<=公元前)(?P<y8>\d{{1,4}} ?年)|(?<!\d)(?<!\d[.,])(?P<y9>\d{{1,4}} bce?\b)"
    rf"|\b(?P<m8>(?:{'|'.join(name for name in _MONTHS if name not in ('may', 'march'))}))\b"
    r"|(?<=\bin )(?P<m9>may|march)\b",
    re.IGNORECASE,
)
_CODE: Final = re.compile(
    rf"(?<![^\W{HAN}])(?:[A-Za-z_][^\W{HAN}]*+(?:[-./_][^\W{HAN}]++)*+"
    rf"|\d+(?:\.\d+){{2,}}|\d++-(?=\d*+[A-Za-z])(?:[A-Za-z\d]++-\d|\d*+[A-Za-z]++\d)[^\W{HAN}]*+)"
)
_PLAIN: Final = r"(?:\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百千]+(?:点[零一二三四五六七八九]+)?)"
_NUMBER: Final = re.compile(
    r"(?P<clock>(?<![\d:])[0-2]?\d:[0-5]\d(?!\d))(?::\d\d)?(?: ?(?P<half>[ap]\.?m\b))?"
    r"|(?<!\d)(?<!\d[.,])(?P<hour>1?\d) ?(?P<half2>[ap]\.?m\b)"
    r"|(?<!\d)(?P<decade>\d{0,3}0)(?:s\b|年代)|(?P<han_decade>[二三四五六七八九]十)年代"
    rf"|百分之(?P<percent>{_PLAIN})|(?P<part>[万千]分之|{_PLAIN}分之)(?P<parts>{_PLAIN})"
    r"|第 ?(?P<han_ordinal>\d+|[零〇一二两三四五六七八九十百]+)"
    r"|(?P<ordinal>(?<!\d)(?<!\d[.,])\d+)(?:st|nd|rd|th)\b"
    r"|(?<!\d)(?<!\d[.,])(?P<century>\d{1,2}|[一二三四五六七八九十]{1,3})世纪"
    r"|(?:(?P<money>us\$|hk\$|nt\$|[$€£¥]) ?)?(?P<digits>(?<!\d)(?<!\d[.,])(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?)"
    r"(?: ?(?P<han_scale>[百千万亿]{1,3})|[ -]?(?P<scale>hundred|thousand|million|billion|trillion|bn)s?\b)?"
    rf"|\b(?P<words>(?:{'|'.join((*_ONES, *_TENS, 'hundred', 'thousand', 'million', 'billion'))})"
    rf"(?:[ -](?:and )?(?:{'|'.join((*_ONES, *_TENS, *_EN_SCALES))}))*)(?:[ -](?P<fraction>{'|'.join(_PARTS)})s)?\b"
    rf"|(?P<han>{_HAN_NUMBER}+(?:点[零一二三四五六七八九]+)?)"
    rf"|\b(?P<ordinal_word>{'|'.join(_ORDINALS)})\b"
    rf"|\b(?P<weekday>{'|'.join(_WEEKDAYS)})s?\b|(?:星期|周|礼拜)(?P<han_weekday>[一二三四五六日天])",
    re.IGNORECASE,
)
# What may not follow is said once, by the unit's last character: written behind each unit it takes .35 s to compile.
_UNIT: Final = re.compile(
    rf"[ -]?(?P<unit>(?:{'|'.join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))})"
    rf"(?:(?<=[a-z])(?:e?s)?(?![^\W\d_{HAN}])|(?<=[!-@\[-`{{-~])(?![a-z])|(?<![!-~])))",
    re.IGNORECASE,
)
# A numeral in Chinese characters counts something only before a measure word or a unit; 一 alone is an article.
_MEASURE: Final = re.compile(
    r"[ 多余几]?(?:[个名位座种次条家人岁部只所间层场项篇章节期届支艘架辆枚颗棵届代队组套台件本页张站县区省市国"
    r"倍年月日天周秒分小时米公里厘毫平立吨克斤元美英欧港日块世纪])"
)
_YEAR_GROUPS: Final = ("y1", "y2", "y3", "y4", "y5", "y6", "y7", "y8", "y9")
_NOT_COUNTED: Final = re.compile(r"[一十百千万亿]+$")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with what it counts. `scales` are the meanings of its unit, none where it has no known one.

    `spoken`: it was written in words that need not count ("one of them", 一般), so that it asserts no number.
    """

    value: Fraction
    scales: tuple[Scale, ...]
    start: int
    end: int
    spoken: bool = False

    @property
    def dimensions(self) -> frozenset[str]:
        """What the unit may measure."""
        return frozenset(dimension for dimension, _ in self.scales)


@dataclass(frozen=True, slots=True)
class Date:
    """A date or a part of one; what is not given is None. Years before Christ are below 0."""

    year: int | None
    month: int | None
    day: int | None
    start: int
    end: int


def read_amounts(text: str) -> tuple[list[Amount], list[list[Date]]]:
    """The numbers of a text that are no dates, and its dates, each with all its readings; both in the text's order.

    >>> amounts, dates = read_amounts("24 months from 4 March 2026, 0.5% or 12万元")
    >>> [(str(a.value), sorted(a.dimensions)) for a in amounts]
    [('24', ['months']), ('1/200', ['ratio']), ('120000', ['cny'])]
    >>> [(d.year, d.month, d.day) for readings in dates for d in readings]
    [(2026, 3, 4)]
    """
    masked = list(text)
    for code in _CODE.finditer(text):
        if any(character.isdigit() for character in code.group()):
            masked[code.start() : code.end()] = "_" * (code.end() - code.start())
    dates: list[list[Date]] = []
    for match in _DATE.finditer("".join(masked)):
        if readings := list(_date_readings(match, text)):
            dates.extend(readings)
            masked[match.start() : match.end()] = "\0" * (match.end() - match.start())
    shown = "".join(masked)
    amounts = [amount for match in _NUMBER.finditer(shown) for amount in [_amount(match, shown)] if amount]
    return amounts, dates


def _date_readings(match: re.Match[str], text: str) -> Iterator[list[Date]]:
    span = match.start(), match.end()
    year = next((match[name] for name in _YEAR_GROUPS if match[name]), None)
    number = None
    if year is not None:
        digits = year.lower().rstrip(" 年bce")
        number = int("".join(str(_HAN_DIGITS.get(character, character)) for character in digits))
        if match["y9"] or text[: match.start()].endswith("公元前"):
            number = -number
    if match["a"]:
        a, b = int(match["a"]), int(match["b"])
        readings = [Date(number, m, d, *span) for d, m in {(a, b), (b, a)} if 1 <= m <= 12 and 1 <= d <= 31]
        if readings:
            yield readings
        return
    names = ("m1", "m2", "m3", "m4", "m6", "m8", "m9")
    month = _month(next((match[name] for name in names if match[name]), None))
    if month == 0 or (number is None and (match["m1"] or match["m2"]) in ("may", "march", "mar")):
        return
    for name in ("d0", "d4", "d1", "d2", "d3", "d6"):
        if match[name] is not None:
            day = int(_plain_value(match[name].lower().rstrip(" 日号stndrh")))
            if 1 <= day <= 31:
                yield [Date(number, month, day, *span)]
    if not any(match[name] for name in ("d1", "d2", "d3", "d6")):
        yield [Date(number, month, None, *span)]


def _month(name: str | None) -> int | None:
    """The month's number; 0 where there is none such."""
    if name is None:
        return None
    if name.isdecimal():
        return int(name) if 1 <= int(name) <= 12 else 0
    if name[0] in _HAN_DIGITS or name[0] == "十":
        return int(_han_value(name))
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name[:3].lower()))


def _amount(match: re.Match[str], text: str) -> Amount | None:
    if match["digits"] or match["words"] or match["han"]:
        return _counted(match, text)
    spoken = False
    if match["clock"] or match["hour"]:
        value, scales = _hours(match, text), _CLOCK
    elif decade := match["decade"] or match["han_decade"]:
        value, scales = _plain_value(decade) % 100, _DECADE
    elif match["percent"]:
        value, scales = _plain_value(match["percent"]) / 100, _RATIO
    elif match["part"]:
        whole = _plain_value(match["part"].removesuffix("分之"))
        if whole == 0:
            return None
        value, scales = _plain_value(match["parts"]) / whole, _RATIO
    elif weekday := match["weekday"] or match["han_weekday"]:
        number = "一二三四五六日".find(weekday) % 7 if len(weekday) == 1 else _WEEKDAYS.index(weekday.lower())
        value, scales = Fraction(number), _WEEKDAY
    elif word := match["ordinal_word"]:
        value, scales = Fraction(_ORDINALS.index(word.lower()) + 1), _ORDINAL
        spoken = value <= 2
    else:
        value, scales = _plain_value(match["han_ordinal"] or match["ordinal"] or match["century"]), _ORDINAL
    return Amount(value, scales, match.start(), match.end(), spoken)


def _hours(match: re.Match[str], text: str) -> Fraction:
    """A time of day in hours."""
    hour, _, minute = (match["clock"] or match["hour"]).partition(":")
    half = (match["half"] or match["half2"] or "").lower()
    late = half.startswith("p") or bool(re.search(r"(?:下午|晚上|傍晚) ?$", text[: match.start()]))
    whole = int(hour) % 12 + 12 * late if half or late else int(hour)
    return whole + Fraction(int(minute or 0), 60)


def _counted(match: re.Match[str], text: str) -> Amount:
    """A number with the unit behind it or the currency before it."""
    spoken = False
    if match["digits"]:
        value = Fraction(match["digits"].replace(",", ""))
        for scale in match["han_scale"] or "":
            value *= _HAN_SCALES[scale]
        value *= _EN_SCALES.get((match["scale"] or "").lower(), 1)
    elif match["words"]:
        value = _words_value(match["words"])
        spoken = value == 1 or match["words"].lower() in _EN_SCALES
        if match["fraction"]:
            return Amount(value / _PARTS[match["fraction"].lower()], _RATIO, match.start(), match.end())
    else:
        value = _han_value(match["han"])
        bare_scale = match["han"] != "十" and _NOT_COUNTED.match(match["han"])
        spoken = bool(bare_scale) or not _MEASURE.match(text, match.end())
    unit = _UNIT.match(text, match.end())
    scales: tuple[Scale, ...] = ()
    if match["digits"] and match["money"]:
        scales = _UNITS[match["money"].lower()]
    elif unit:
        name = unit["unit"].lower()
        names = (name, name.removesuffix("s"), name.removesuffix("es"))
        scales = next((_UNITS[known] for known in names if known in _UNITS), ())
    if scales and scales[0][0] == "ratio":
        value, scales = value * scales[0][1], _RATIO
    return Amount(value, scales, match.start(), unit.end() if unit else match.end(), spoken)


def _plain_value(digits: str) -> Fraction:
    return Fraction(digits) if digits[0].isdecimal() else _han_value(digits)


def _words_value(words: str) -> Fraction:
    """A number in English words: "two hundred and five thousand" → 205000."""
    total = current = 0
    for word in re.findall(r"[a-z]+", words.lower()):
        value = _WORD_VALUES.get(word, 10**9 if word == "bn" else 0)
        if value >= 1000:
            total, current = total + max(1, current) * value, 0
        else:
            current = max(1, current) * 100 if value == 100 else current + value
    return Fraction(total + current)


def _han_value(numeral: str) -> Fraction:
    """A number in Chinese characters: 三百零五万 → 3050000, 二〇二六 → 2026, 三点五 → 3.5."""
    whole, _, decimals = numeral.partition("点")
    if not any(character in _HAN_SCALES for character in whole):
        value = Fraction(int("".join(str(_HAN_DIGITS[character]) for character in whole) or 0))
    else:
        total = section = digit = 0
        for character in whole:
            if character in _HAN_DIGITS:
                digit = _HAN_DIGITS[character]
            elif _HAN_SCALES[character] >= 10**4:
                total = (total + section + digit or 1) * _HAN_SCALES[character]
                section = digit = 0
            else:
                section += (digit or 1) * _HAN_SCALES[character]
                digit = 0
        value = Fraction(total + section + digit)
    if decimals:
        value += Fraction(
            int("".join(str(_HAN_DIGITS[character]) for character in decimals)), 10 ** len(decimals)
        )
    return value
