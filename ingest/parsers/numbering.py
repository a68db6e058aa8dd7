"""Numbers of lists and headings as Word shows them: definitions, counters and number formats.

Pure: gets elements, gives labels. Formats: ISO/IEC 29500-1, 17.18.59 (ST_NumberFormat); those not listed here are
written as decimals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.ooxml import attribute, child

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


@dataclass(slots=True)
class _List:
    """A numbered list of the document: the definition that it follows, and where it starts anew."""

    definition: str
    restarts: dict[int, int] = field(default_factory=dict)


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
        counters[depth + 1 :] = [None] * (LEVELS - depth - 1)
        if level.number_format == "bullet":
            return BULLET
        return _PLACEHOLDER.sub(lambda mark: _number(mark, levels, counters), level.label)[:_MAX_LABEL_CHARS]

    def _levels(self, list_id: str) -> dict[int, Level]:
        found = self._lists.get(list_id)
        return self._definitions.get(found.definition, {}) if found else {}


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
    """
    write = _FORMATS.get(number_format)
    return write(number) if write and 0 < number < 4000 else str(number)


def _number(mark: re.Match[str], levels: Mapping[int, Level], counters: list[int | None]) -> str:
    index = int(mark[1]) - 1
    level = levels.get(index, Level())
    count = counters[index]
    return format_number(level.start if count is None else count, level.number_format)


def _read_levels(definition: etree._Element) -> dict[int, Level]:
    levels: dict[int, Level] = {}
    for element in definition:
        if local_name(element) == "lvl":
            levels[_depth(element)] = Level(
                attribute(child(element, "numFmt"), "val", "decimal"),
                attribute(child(element, "lvlText"), "val"),
                to_number(attribute(child(element, "start"), "val"), 1, 0, 1_000_000),
                attribute(child(element, "pStyle"), "val"),
            )
    return levels


def _read_list(element: etree._Element) -> _List:
    found = _List(attribute(child(element, "abstractNumId"), "val"))
    for override in element:
        start = attribute(child(override, "startOverride"), "val")
        if local_name(override) == "lvlOverride" and start:
            found.restarts[_depth(override)] = to_number(start, 1, 0, 1_000_000)
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
    if number > 99:
        return "".join(_HAN_DIGITS[int(digit)] for digit in str(number))
    tens, ones = divmod(number, 10)
    leading = "" if tens == 0 else "十" if tens == 1 else _HAN_DIGITS[tens] + "十"
    return leading + (_HAN_DIGITS[ones] if ones or not tens else "")


_FORMATS: Mapping[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "chineseCounting": _han,
    "chineseCountingThousand": _han,
    "japaneseCounting": _han,
    "ideographDigital": _han,
    "taiwaneseCounting": _han,
    "taiwaneseCountingThousand": _han,
    "decimalZero": lambda number: f"{number:02d}",
    "none": lambda _: "",
}
