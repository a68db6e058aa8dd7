"""The hits of a search → the units that an answer is made of: sentences, list items, table rows and pieces of code,
each with what stands around it. Pure.

Stored text keeps the marks of Markdown, whatever format it came from, so they tell what a line is. A row is read with
its header, a piece of code is one unit with all its lines. A chunk may begin inside fenced code, whose first fence then
closes one, or inside a table, whose header stands before it (`Surroundings`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from app.domain import QuotedSpan, ScoredChunk
from app.generation.instructions import speaks_to_an_assistant
from app.lexicon import terms
from app.stored_markdown import (
    Header,
    Kind,
    begins_in_table,
    code_within,
    fence_at,
    is_numbered,
    is_ruler,
    kind_of,
    read_fences,
    split_cells,
    split_record,
)

_BOLD: Final = re.compile(r"\s*(?:\*\*[^*\n]{1,120}\*\*|__[^_\n]{1,120}__)\s*$")
_QUESTION: Final = re.compile(r"[^\n]{1,200}[?？][\s*_”\"」]*$")
LEAD_IN: Final = (":", "：")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of a hit's document beside the hit: its first characters, and the header of the table in whose
    middle the hit begins."""

    head: str = ""
    header: Header | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a hit: document[char_start:char_end] is `text`.

    `heading` is the innermost one above it ("" for none), a bold line or the question of a list of questions as well;
    `is_lead`: the first prose below that. `names`, `cells`: of a row, the columns' names ("" where it has none) and
    what stands in them; `header` where the names stand, None where they stand in the row. `block` counts stretches of
    one kind within a hit: the rows of one table, the items of one list. `continues`: a further sentence of a list's
    item, or code that belongs to it. `is_instruction`: it speaks to an assistant, or goes on with what does. `own` are
    the terms of its text, `around` those of its header, headings, title and file name.
    """

    chunk: ScoredChunk
    char_start: int
    char_end: int
    text: str
    kind: Kind
    heading: str
    is_lead: bool
    block: int
    names: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    header: Header | None = None
    continues: bool = False
    own: frozenset[str] = frozenset()
    around: frozenset[str] = field(default=frozenset(), repr=False)
    is_instruction: bool = False

    @property
    def is_answer(self) -> bool:
        """Whether it may be shown as an answer by itself."""
        return self.kind in (Kind.PROSE, Kind.ITEM, Kind.ROW, Kind.CODE)


def read_units(
    hits: Sequence[ScoredChunk], surroundings: Mapping[str, Surroundings] | None = None
) -> list[Unit]:
    """The units of `hits`, in their order, each stretch of a document once. `surroundings` are by chunk id."""
    seen: set[tuple[str, int]] = set()
    units: list[Unit] = []
    for hit in hits:
        for unit in _units_of(hit, (surroundings or {}).get(hit.chunk_id, Surroundings())):
            if (hit.document_id, unit.char_start) not in seen:
                seen.add((hit.document_id, unit.char_start))
                units.append(unit)
    return _mark_instructions(units)


def letters(text: str) -> str:
    """Letters and digits alone, in lower case: what makes two lines the same to a reader."""
    return re.sub(r"[\W_]+", "", text).casefold()


def shown_label(text: str) -> str:
    """A bold line or a question without its marks.

    >>> shown_label("**问：可以试听吗？**"), shown_label("**Cause.** "), shown_label("2. How long?")
    ('可以试听吗？', 'Cause.', 'How long?')
    """
    return re.sub(
        r"^[\s#>*_-]*(?:\(?\d{1,3}[.)、）] ?)?(?:(?:[Qq]\d*|问题?|問題?)[.:：、] ?)?[*_]*|[\s*_]+$", "", text
    )


def blocks_of(units: Sequence[Unit]) -> list[list[Unit]]:
    """The rows of each table and the items of each list, in the order of `units`. One that goes over the border of its
    chunk is one block where the next chunk comes right after it."""
    blocks: list[list[Unit]] = []
    last: Unit | None = None
    for unit in units:
        is_part = unit.kind in (Kind.ITEM, Kind.ROW) or unit.continues
        if is_part and last is not None and _goes_on(last, unit):
            blocks[-1].append(unit)
        elif is_part:
            blocks.append([unit])
        if unit.kind is not Kind.HEADER or last is None or last.chunk is unit.chunk:
            last = unit
    return blocks


def items_of(block: Sequence[Unit]) -> list[list[Unit]]:
    """The rows or items of a block, each with all of its sentences."""
    items: list[list[Unit]] = []
    for unit in block:
        if unit.continues and items:
            items[-1].append(unit)
        else:
            items.append([unit])
    return items


def _goes_on(last: Unit, unit: Unit) -> bool:
    is_list = {last.kind, unit.kind} <= {Kind.ITEM, Kind.CODE} and (last.continues or unit.continues)
    if not (last.kind is unit.kind or is_list) or last.chunk.document_id != unit.chunk.document_id:
        return False
    if last.chunk is unit.chunk:
        return last.block == unit.block
    touches = last.char_end <= unit.char_start <= last.chunk.char_end + 2
    return touches and last.heading == unit.heading


def _mark_instructions(units: Sequence[Unit]) -> list[Unit]:
    """The units, marked where they speak to an assistant or go on with that: in its paragraph or item, in the list or
    table that it announces, in the section below such a heading."""
    marked: list[Unit] = []
    headings: dict[str, bool] = {}
    last: Unit | None = None
    announced: tuple[str, int] | None = None
    for unit in units:
        if unit.heading not in headings:
            headings[unit.heading] = speaks_to_an_assistant(unit.heading)
        place = (unit.chunk.chunk_id, unit.block)
        if last is not None and last.is_instruction and last.chunk.document_id == unit.chunk.document_id:
            if last.text.rstrip().endswith(LEAD_IN):
                announced = place
            goes_on = place == (last.chunk.chunk_id, last.block) and (
                unit.kind is Kind.PROSE or unit.continues
            )
        else:
            goes_on = False
        speaks = goes_on or place == announced or headings[unit.heading]
        if speaks or any(map(speaks_to_an_assistant, unit.cells or (unit.text,))):
            last = replace(unit, is_instruction=True)
        else:
            last = unit
        marked.append(last)
    return marked


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int  # in the chunk's text
    end: int
    kind: Kind
    continues: bool = False


def _units_of(chunk: ScoredChunk, known: Surroundings) -> list[Unit]:
    units: list[Unit] = []
    below_heading = False
    label = ""  # a bold line or a question, which is the heading of what follows it
    header = known.header if begins_in_table(chunk.text) else None
    block, last_kind, last_end, last_heading = -1, None, 0, ""
    base = frozenset(terms(f"{chunk.title}\n{_stem(chunk.source)}"))
    last_section = ""
    above: dict[tuple[str, str], frozenset[str]] = {}
    for piece in _pieces(chunk):
        text = chunk.text[piece.start : piece.end]
        path = chunk.place_at(chunk.char_start + piece.start).heading or ""
        section = path.rpartition(" › ")[2]
        kind = piece.kind
        if kind is Kind.PROSE and section and letters(text) == letters(section):
            kind = Kind.HEADING
        if kind is Kind.HEADING or section != last_section:
            label = ""
        if kind in (Kind.PROSE, Kind.HEADING) and (_BOLD.match(text) or _QUESTION.match(text)):
            kind, label = Kind.HEADING, shown_label(text)
        heading = label or section
        names: tuple[str, ...] = ()
        cells: tuple[str, ...] = ()
        own_header = None
        if kind is Kind.ROW:
            if last_kind not in (Kind.ROW, Kind.HEADER) and units:
                header = None
            if is_ruler(text):
                kind = Kind.HEADER
            elif is_ruler(chunk.text[piece.end :].lstrip("\n").partition("\n")[0]):
                at = chunk.char_start + piece.start
                header = Header(split_cells(text), QuotedSpan(at, at + len(text), text))
                kind = Kind.HEADER
            else:
                cells, own_header = split_cells(text), header
                names = header.cells if header is not None else ()
        elif kind is Kind.ITEM and (record := split_record(text)) is not None:
            kind, (names, cells) = Kind.ROW, record
        goes_on = piece.continues or (bool(units) and units[-1].continues and kind is Kind.ITEM)
        together = kind is last_kind or goes_on or {kind, last_kind} == {Kind.HEADER, Kind.ROW}
        gap = chunk.text[last_end : piece.start]
        if (
            not together
            or heading != last_heading
            or (kind is not Kind.ITEM and not goes_on and gap.count("\n") > 1)
        ):
            block += 1
        if (path, label) not in above:
            above[path, label] = frozenset(terms(f"{path}\n{label}")) | base
        around = above[path, label] | frozenset(terms("\n".join(names)))
        units.append(
            Unit(
                chunk,
                chunk.char_start + piece.start,
                chunk.char_start + piece.end,
                text,
                kind,
                heading,
                kind in (Kind.PROSE, Kind.ITEM) and below_heading,
                block,
                names,
                cells,
                own_header,
                piece.continues,
                frozenset(terms("\n".join(cells) if cells else text)),
                around,
            )
        )
        below_heading = kind is Kind.HEADING or (below_heading and kind in (Kind.MARKUP, Kind.HEADER))
        last_kind, last_end, last_heading, last_section = kind, piece.end, heading, section
    return units


def _pieces(chunk: ScoredChunk) -> list[_Piece]:
    """The chunk's sentences by kind; those of one piece of fenced code as one."""
    fences = read_fences(chunk.text, may_begin_inside=chunk.char_start > 0)
    pieces: list[_Piece] = []
    for start, end in chunk.sentences:
        at, to = start - chunk.char_start, end - chunk.char_start
        if (fence := fence_at(fences, at)) is not None:
            inner = code_within(chunk.text, fence)
            if inner is not None and (not pieces or pieces[-1].start != inner[0]):
                pieces.append(_Piece(*inner, Kind.CODE, _is_of_item(chunk.text, pieces, fence.start)))
            continue
        kind = kind_of(chunk.text[at:to])
        last = pieces[-1] if pieces else None
        # A statement goes on after a semicolon: F-605.
        if (
            last is not None
            and kind is Kind.PROSE
            and last.kind in (Kind.PROSE, Kind.ITEM)
            and chunk.text[last.start : last.end].endswith((";", "；"))
            and "\n" not in chunk.text[last.end : at]
        ):
            pieces[-1] = _Piece(last.start, to, last.kind, last.continues)
            continue
        if last is not None and kind is Kind.PROSE and (last.kind is Kind.ITEM or last.continues):
            gap = chunk.text[last.end : at]
            if "\n" not in gap or re.fullmatch(r"\s*\n[ \t]+", gap):
                pieces.append(_Piece(at, to, Kind.ITEM, continues=True))
                continue
        pieces.append(_Piece(at, to, kind))
    return _with_questions(chunk.text, pieces)


def _is_of_item(text: str, pieces: Sequence[_Piece], start: int) -> bool:
    """Whether code whose fence is at `start` belongs to the item before it: it is indented, or the item has a number,
    since steps and what is to be typed take turns."""
    if not pieces or not (pieces[-1].kind is Kind.ITEM or pieces[-1].continues):
        return False
    item = next((piece for piece in reversed(pieces) if not piece.continues), pieces[-1])
    return text[start : start + 1].isspace() or is_numbered(text[item.start : item.end])


def _with_questions(text: str, pieces: Sequence[_Piece]) -> list[_Piece]:
    """The pieces, an item that asks and is answered in prose right below, no other item before it, as a heading."""
    found = list(pieces)
    for at, piece in enumerate(pieces[:-1]):
        is_first = at == 0 or pieces[at - 1].kind is not Kind.ITEM
        is_answered = is_first and pieces[at + 1].kind is Kind.PROSE
        if piece.kind is Kind.ITEM and is_answered and _QUESTION.match(text[piece.start : piece.end]):
            found[at] = _Piece(piece.start, piece.end, Kind.HEADING)
    return found


def _stem(source: str) -> str:
    """A file's name without its folder and suffix."""
    name = source.rpartition("/")[2]
    return name.rpartition(".")[0] or name
