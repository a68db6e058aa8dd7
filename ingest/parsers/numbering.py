"""Numbers of lists and headings as Word shows them: definitions, counters and number formats.

Pure: gets elements, gives labels. Formats: ISO/IEC 29500-1, 17.18.59 (ST_NumberFormat); those not listed here are
written as decimals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.ooxml import attribute, child, is_on, unwrapped

LEVELS = 9
BULLET = "-"

_PLACEHOLDER = re.compile(r"%([1-9])")
_MAX_LABEL_CHARS = 60
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_HAN_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list is numbered."""

    number_format: str = "bullet"
    label: str = ""
    start: int = 1
    style: str = ""  # the paragraph style that stands for this level
    is_legal: bool = False  # the numbers of the levels above are decimals here: "1.2" below "I"
    restarts_after: int = LEVELS  # levels above this one make it start anew; 0 for none


@dataclass(slots=True)
class _List:
    """A numbered list of the document: the definition that it follows, and where it starts anew."""

    definition: str
    restarts: dict[int, int] = field(default_factory=dict)
    levels: dict[int, Level] = field(default_factory=dict)  # those that it has of its own


class Numbering:
    """All lists of a document and how far each has counted."""

    def __init__(self, root: etree._Element | None, style_lists: Mapping[str, str]) -> None:
        """Read the numbering part; `style_lists` says which list id a list style stands for."""
        self._definitions: dict[str, dict[int, Level]] = {}
        self._lists: dict[str, _List] = {}
        self._counters: dict[str, list[int | None]] = {}
        linked: dict[str, str] = {}
        for element in root if root is not None else ():
            if local_name(element) == "abstractNum":
                number = attribute(element, "abstractNumId")
                self._definitions[number] = _read_levels(element)
                linked[number] = attribute(child(element, "numStyleLink"), "val")
            elif local_name(element) == "num":
                self._lists[attribute(element, "numId")] = _read_list(element)
        for number, style in linked.items():
            target = self._lists.get(style_lists.get(style, ""))
            if style and target and target.definition in self._definitions:
                self._definitions[number] = self._definitions[target.definition]

    def level_of_style(self, list_id: str, style: str) -> int:
        """Return the level of a list that a paragraph style stands for; 0 if none does."""
        levels = self._levels(list_id)
        return next((index for index, level in levels.items() if style and level.style == style), 0)

    def next_label(self, list_id: str, depth: int) -> str | None:
        """Count an item and return its label, "-" for a bullet; None if there is no such list."""
        found = self._lists.get(list_id)
        levels = self._levels(list_id)
        if found is None or not levels:
            return None
        counters = self._counters.setdefault(found.definition, [None] * LEVELS)
        level = levels.get(depth, Level())
        if depth in found.restarts:
            counters[depth] = found.restarts.pop(depth) - 1
        count = counters[depth]
        counters[depth] = level.start if count is None else count + 1
        for deeper in range(depth + 1, LEVELS):
            if depth < levels.get(deeper, Level()).restarts_after:
                counters[deeper] = None
        if level.number_format == "bullet":
            return BULLET
        write = partial(_number, levels=levels, counters=counters, is_legal=level.is_legal)
        return _PLACEHOLDER.sub(write, level.label)[:_MAX_LABEL_CHARS]

    def _levels(self, list_id: str) -> dict[int, Level]:
        found = self._lists.get(list_id)
        defined = self._definitions.get(found.definition, {}) if found else {}
        return {**defined, **found.levels} if found and found.levels else defined


def to_number(text: str, default: int, low: int, high: int) -> int:
    """Read a whole number from an attribute, kept within [low, high]; `default` for what is none."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        return default
    return max(low, min(high, sign * int(digits)))


def format_number(number: int, number_format: str) -> str:
    """Write a number in a format of Word or PowerPoint.

    >>> [format_number(28, name) for name in ("decimal", "lowerLetter", "upperRoman", "chineseCounting")]
    ['28', 'bb', 'XXVIII', '二十八']
    >>> [format_number(105, name) for name in ("chineseCountingThousand", "ideographDigital", "0001, 0002")]
    ['一百零五', '一零五', '0105']
    """
    write = _FORMATS.get(number_format) or _padded(number_format)
    return write(number) if write and 0 < number < 4000 else str(number)


def _number(
    mark: re.Match[str], levels: Mapping[int, Level], counters: list[int | None], *, is_legal: bool
) -> str:
    index = int(mark[1]) - 1
    level = levels.get(index, Level())
    count = counters[index]
    return format_number(
        level.start if count is None else count, "decimal" if is_legal else level.number_format
    )


def _read_levels(definition: etree._Element) -> dict[int, Level]:
    return {_depth(element): _read_level(element) for element in definition if local_name(element) == "lvl"}


def _read_level(element: etree._Element) -> Level:
    # A format of its own comes with one for old programs behind it.
    number_format = next((found for found in unwrapped(element) if local_name(found) == "numFmt"), None)
    name = attribute(number_format, "val", "decimal")
    return Level(
        attribute(number_format, "format") if name == "custom" else name,
        attribute(child(element, "lvlText"), "val"),
        to_number(attribute(child(element, "start"), "val"), 1, 0, 1_000_000),
        attribute(child(element, "pStyle"), "val"),
        is_on(child(element, "isLgl")),
        to_number(attribute(child(element, "lvlRestart"), "val"), LEVELS, 0, LEVELS),
    )


def _read_list(element: etree._Element) -> _List:
    found = _List(attribute(child(element, "abstractNumId"), "val"))
    for override in element:
        if local_name(override) != "lvlOverride":
            continue
        if start := attribute(child(override, "startOverride"), "val"):
            found.restarts[_depth(override)] = to_number(start, 1, 0, 1_000_000)
        if (level := child(override, "lvl")) is not None:
            found.levels[_depth(override)] = _read_level(level)
    return found


def _depth(element: etree._Element) -> int:
    return to_number(attribute(element, "ilvl"), 0, 0, LEVELS - 1)


def _letters(number: int) -> str:
    """Write 1 to 26 as a to z, then aa, bb, … as Word does."""
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def _roman(number: int) -> str:
    written = ""
    for value, sign in _ROMAN:
        written += sign * (number // value)
        number %= value
    return written


def _han(number: int) -> str:
    """Write 1 to 99 in Chinese; larger numbers digit by digit."""
    return _han_counted(number) if number < 100 else _han_digits(number)


def _han_digits(number: int) -> str:
    return "".join(_HAN_DIGITS[int(digit)] for digit in str(number))


def _han_counted(number: int, digits: str = _HAN_DIGITS, units: str = "十百千") -> str:
    """Write a number below 10,000 as it is said: 一百零五, 十二."""
    written, is_gap = "", False
    for at, digit in enumerate(str(number)):
        place = len(str(number)) - at - 1
        if digit == "0":
            is_gap = bool(written)
            continue
        written += (digits[0] if is_gap else "") + digits[int(digit)] + (units[place - 1] if place else "")
        is_gap = False
    return written.removeprefix("一") if 10 <= number < 20 else written


def _from(characters: str) -> Callable[[int], str]:
    """Return a writer of the first numbers by a character each; those beyond are decimals."""
    return lambda number: characters[number - 1] if number <= len(characters) else str(number)


def _ordinal(number: int) -> str:
    return f"{number}{'th' if 10 < number % 100 < 14 else ['th', 'st', 'nd', 'rd', *['th'] * 6][number % 10]}"


def _padded(number_format: str) -> Callable[[int], str] | None:
    """Return the writer of a format that is written as its first numbers: 001, 002, 003."""
    first = number_format.partition(",")[0]
    return (lambda number: str(number).rjust(len(first), "0")) if re.fullmatch(r"0{0,8}1", first) else None


_CIRCLED = "".join(map(chr, (*range(0x2460, 0x2474), *range(0x3251, 0x3260), *range(0x32B1, 0x32C0))))
_FORMATS: Mapping[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    **dict.fromkeys(("chineseCounting", "taiwaneseCounting"), _han),
    **dict.fromkeys(
        ("chineseCountingThousand", "taiwaneseCountingThousand", "japaneseCounting"), _han_counted
    ),
    **dict.fromkeys(("ideographDigital", "japaneseDigitalTenThousand", "taiwaneseDigital"), _han_digits),
    "chineseLegalSimplified": lambda number: _han_counted(number, "零壹贰叁肆伍陆柒捌玖", "拾佰仟"),
    "ideographLegalTraditional": lambda number: _han_counted(number, "零壹貳參肆伍陸柒捌玖", "拾佰仟"),
    "ideographTraditional": _from("甲乙丙丁戊己庚辛壬癸"),
    "ideographZodiac": _from("子丑寅卯辰巳午未申酉戌亥"),
    **dict.fromkeys(("decimalEnclosedCircle", "decimalEnclosedCircleChinese"), _from(_CIRCLED)),
    "decimalEnclosedParen": lambda number: f"({number})",
    "decimalEnclosedFullstop": lambda number: f"{number}.",
    "numberInDash": lambda number: f"- {number} -",
    "russianLower": _from("абвгдежзиклмнопрстуфхцчшщэюя"),
    "russianUpper": _from("АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЭЮЯ"),
    "ganada": _from("가나다라마바사아자차카타파하"),
    **dict.fromkeys(("aiueo", "aiueoFullWidth"), _from("アイウエオカキクケコサシスセソタチツテトナニヌネノ")),
    **dict.fromkeys(("iroha", "irohaFullWidth"), _from("イロハニホヘトチリヌルヲワカヨタレソツネナラム")),
    "ordinal": _ordinal,
    "decimalZero": lambda number: f"{number:02d}",
    "none": lambda _: "",
}
