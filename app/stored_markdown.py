"""Stored Markdown: which lines are headings, rows, rules, items and fenced code, and what stands in a table. Pure.

The one reader of it: sentences (app/sentences.py), sections (ingest/parsers/headings.py), the units of answers
(app/generation/units.py), overviews and citations go by it. Stored text keeps the marks of Markdown, whatever format it
came from. Nothing here looks beyond a line but for fences and tables; time is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from app.domain import QuotedSpan

_FENCE: Final = re.compile(
    r"^[ \t]{0,3}(?P<quote>(?:>[ \t]?)*)(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\n]*)$", re.MULTILINE
)
_HEADING: Final = re.compile(r"[ \t]{0,3}#{1,6}(?:\s|$)")
_ROW: Final = re.compile(r"\s*\|")
_RULER: Final = re.compile(
    r"\s*+(?:\|\s*+)?(?::?-{2,}+:?\s*+\|\s*+)++(?::?-{2,}+:?\s*+)?$|\s*+\|\s*+:?-++:?\s*+\|\s*$"
)
_RULE: Final = re.compile(r"\s*(?:[-=*_+|:~^][ \t]*){3,}$")
_REFERENCE: Final = re.compile(r"\s*(?:!\[|\[[^\]]*\]:)|\s*+\W{0,20}\[[^\]]*\]\([^)]*\)\W*$")

_DIGITS: Final = "一二三四五六七八九十"
_MARK: Final = (
    r"(?:(?:[-*+•·]|\(?\d{1,3}[.)]|\(?[A-Za-z][)])[ \t]+"
    rf"|\d{{1,3}}、|（\d{{1,3}}）|\d{{1,3}}）|[{_DIGITS}]{{1,3}}、|[（(][{_DIGITS}]{{1,3}}[）)])"
)
_ANSWER: Final = r"(?:(?:答|[Aa])[：:] ?)?"
# What a sentence of its own begins with.
LIST_MARKER: Final = re.compile(rf"[ \t\u3000]*{_MARK}")
_ITEM: Final = re.compile(rf"[ \t\u3000]*{_ANSWER}(?:{_MARK}|第[{_DIGITS}百\d]+[条步][ \u3000]?)")
_NUMBERED: Final = re.compile(
    rf"[ \t\u3000]*{_ANSWER}(?:\(?\d{{1,3}}[.)、）]|（\d{{1,3}}）|[{_DIGITS}]{{1,3}}、"
    rf"|[（(][{_DIGITS}]{{1,3}}[）)]|第[{_DIGITS}\d]+步)"
)
_CELL_BORDER: Final = re.compile(r"(?<!\\)\|")
_RECORD: Final = re.compile(r"\s*[-*+] [^|:\n]{1,80}: [^|\n]*(?: \| [^|\n]*)+$")
_NAMED_CELL: Final = re.compile(r"(?P<name>[^|:\n]{1,80}): (?P<value>.*)", re.DOTALL)


class Kind(Enum):
    """What a piece of text is written as."""

    PROSE = "prose"
    ITEM = "item"  # of a list
    HEADING = "heading"
    ROW = "row"  # of a table, with its header
    HEADER = "header"  # of a table, and the line below it
    CODE = "code"  # a whole piece
    MARKUP = "markup"  # rules, images and links alone: nothing that answers a question in words


class Fenced(NamedTuple):
    """A piece of fenced code, its fences included: text[start:end]."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """A table's names of columns, and where they stand in the document."""

    cells: tuple[str, ...]
    span: QuotedSpan


def kind_of(line: str) -> Kind:
    """What a line or sentence outside of code is: prose, an item, a heading, a row of a table or markup alone.

    >>> [kind_of(line).value for line in ("## Why", "| a | b |", "---", "![](a.png)", "2. Wait", "Wait.")]
    ['heading', 'row', 'markup', 'markup', 'item', 'prose']
    """
    if is_heading(line):
        return Kind.HEADING
    if is_row(line):
        return Kind.ROW
    if is_rule(line) or _REFERENCE.match(line):
        return Kind.MARKUP
    return Kind.ITEM if _ITEM.match(line) else Kind.PROSE


def is_heading(line: str) -> bool:
    """Whether a line is a heading by its marks."""
    return bool(_HEADING.match(line))


def is_row(line: str) -> bool:
    """Whether a line is a row of a pipe table, its header or its ruler."""
    return bool(_ROW.match(line))


def is_ruler(line: str) -> bool:
    """Whether a line is the one below a pipe table's header."""
    return bool(_RULER.match(line))


def is_rule(line: str) -> bool:
    """Whether a line is of marks alone: the underline of a title, a thematic break, the ruling of a table."""
    return bool(_RULE.match(line))


def is_numbered(item: str) -> bool:
    """Whether a list item has a number: its list has an order."""
    return bool(_NUMBERED.match(item))


def read_fences(text: str, *, quotes: bool = False, may_begin_inside: bool = False) -> list[Fenced]:
    """Where fenced code stands, in order: CommonMark 0.31, section 4.5. A fence is closed by its own marks, as many or
    more, and nothing after them; one that is left open goes to the end.

    With `quotes`, fences in block quotes count. Text that may begin inside code does where its fences leave one open
    and the first one may close what stands before it.
    """
    found = [fence for fence in _FENCE.finditer(text) if _is_fence(fence, quotes=quotes)]
    pieces, opened = _pair(found)
    if opened is not None and may_begin_inside and not found[0]["info"] and not _is_underline(found[0]):
        rest, opened = _pair(found[1:])
        pieces = [Fenced(0, found[0].end()), *rest]
    return pieces if opened is None else [*pieces, Fenced(opened.start(), len(text))]


def fence_at(fences: Sequence[Fenced], offset: int) -> Fenced | None:
    """The piece of code that holds an offset."""
    place = bisect_right(fences, offset, key=lambda piece: piece.start) - 1
    return fences[place] if place >= 0 and offset < fences[place].end else None


def code_within(text: str, piece: Fenced) -> tuple[int, int] | None:
    """The lines between the fences of a piece of code, None where there is nothing between them."""
    start, end = piece
    first = _FENCE.match(text, start)
    if first is not None:
        start = first.end()
    last = text.rfind("\n", start, end)
    if last >= 0 and _FENCE.match(text, last + 1):
        end = last
    while start < end and text[start] == "\n":
        start += 1
    return (start, end) if text[start:end].strip() else None


def split_cells(row: str) -> tuple[str, ...]:
    r"""The cells of a row of a pipe table, without blanks around them.

    >>> split_cells(r"| E-107 | a \| b |  |")
    ('E-107', 'a | b', '')
    """
    cells = [cell.strip().replace("\\|", "|") for cell in _CELL_BORDER.split(row.strip())]
    if cells and cells[0] == "":
        cells = cells[1:]
    if cells and cells[-1] == "":
        cells = cells[:-1]
    return tuple(cells)


def split_record(item: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Names and values of a row that is written as a list item, as sheets of many rows are; None for another item.

    >>> split_record("- SKU: GW-7 | Price: 640.00 | sold out")
    (('SKU', 'Price', ''), ('GW-7', '640.00', 'sold out'))
    """
    if not _RECORD.match(item):
        return None
    names, values = [], []
    for cell in item.strip()[2:].split(" | "):
        named = _NAMED_CELL.fullmatch(cell.strip())
        names.append(named["name"] if named else "")
        values.append(named["value"].strip() if named else cell.strip())
    return tuple(names), tuple(values)


def find_header(before: str, char_start: int) -> Header | None:
    """The header of the table that goes on after `before`, which is text of the document from `char_start` on."""
    lines: list[tuple[int, str]] = []  # from the last one back
    end = len(before.rstrip("\n"))
    while end > 0:
        start = before.rfind("\n", 0, end) + 1
        line = before[start:end]
        if not is_row(line):
            return None
        if lines and is_ruler(lines[-1][1]):
            at = char_start + start
            return Header(split_cells(line), QuotedSpan(at, at + len(line), line))
        lines.append((start, line))
        end = start - 1
    return None


def begins_in_table(text: str) -> bool:
    """Whether a chunk's text begins with a row whose header may stand before it."""
    first, _, rest = text.lstrip("\n").partition("\n")
    return is_row(first) and not is_ruler(rest.partition("\n")[0])


def begins_in_block(text: str) -> bool:
    """Whether a chunk's text begins with a row or an item, of which there may be more before it."""
    first = text.lstrip("\n").partition("\n")[0]
    return is_row(first) or bool(_ITEM.match(first))


def ends_in_block(text: str) -> bool:
    """Whether a chunk's text ends with a row or an item, code and indented paragraphs of it included, of which there
    may be more after it."""
    paragraphs = text.rstrip("\n").split("\n\n")
    while len(paragraphs) > 1 and (paragraphs[-1][:1].isspace() or _FENCE.match(paragraphs[-1])):
        paragraphs.pop()
    return any(is_row(line) or _ITEM.match(line) for line in paragraphs[-1].split("\n"))


def _is_fence(fence: re.Match[str], *, quotes: bool) -> bool:
    """Whether the marks may be a fence's: what follows backticks has none, or they are code within a line."""
    is_of_line = fence["marks"][0] == "`" and "`" in fence["info"]
    return not is_of_line and (quotes or not fence["quote"])


def _is_underline(fence: re.Match[str]) -> bool:
    """Whether tildes underline the title above them, as in reStructuredText: as wide as it, and right below. As an
    opening fence they would take all that follows for code."""
    text, start, marks = fence.string, fence.start(), fence["marks"]
    above = text[text.rfind("\n", 0, max(0, start - 1)) + 1 : max(0, start - 1)].strip()
    return marks[0] == "~" and len(marks) > 3 and 0 < len(above) <= len(marks)


def _pair(fences: Sequence[re.Match[str]]) -> tuple[list[Fenced], re.Match[str] | None]:
    """The pieces that `fences` enclose, and the one that is left open."""
    pieces: list[Fenced] = []
    opened: re.Match[str] | None = None
    for fence in fences:
        if opened is None:
            opened = None if _is_underline(fence) else fence
        elif fence["marks"].startswith(opened["marks"]) and not fence["info"]:
            pieces.append(Fenced(opened.start(), fence.end()))
            opened = None
    return pieces, opened
