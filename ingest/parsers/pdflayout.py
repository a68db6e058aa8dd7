"""Words of a page with their places → its lines in reading order, and its tables by rows and columns.

Pure. A table is told by ruled lines that make cells, or by words that leave the same stripes blank over several lines;
in doubt it is text, as prose read as a table is worse than a table read as lines. Two columns of prose that were drawn
line by line are read one after the other; what was drawn column by column already is.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from statistics import median

from app.han import HAN
from ingest.parsers.pdfwords import Rule, Rules, Word

GAP = "\t"  # stands for a wide gap within a line

_MAX_ROWS = 2_000  # of a page; one that has more is a drawing
_MAX_RULES = 600  # of one direction
_MAX_COLUMNS, _MAX_BANDS = 40, 300  # of a ruled table
_MAX_CELL_CHARS = 1_200  # what is longer stands in a layout, not in a table
_LONG_CELL_CHARS, _MANY_CELL_CHARS = 250, 150  # of the longest one, and of half of them
_MAX_NAME_CHARS = 120  # of a column
_LEAST_WORDY = 0.15  # of a ruled table's cells: fewer have words in formulas and puzzles
_NEAR = 3.0  # points: lines that end so near to each other touch

_MAX_TRIES = 8  # to find where a table begins
_MAX_CELL_LINES = 12  # of a table without ruled lines
_SAME_PLACE = 8.0  # points between the columns of a table on two pages

_ENOUGH = 4  # points of _is_convincing

# In heights of a line, which are about 1.2 times the font's size.
_CELL_GAP = 0.8  # words farther from each other may stand in two columns
_HAN_GAP = 0.5  # beside a Chinese character, and of the blank stripe between two columns
_WIDE_GAP = 1.5
_LEADING = 2.2  # lines of a table are at most so far from each other

_PROSE_CHARS = 24  # of a line in a column of prose; a Chinese character counts two
_LONG_LINE_CHARS = (
    55  # as many in a quarter of the lines of a column are prose too, which has short lines between
)
_PROSE_FILL = 0.75  # of the column's width that such a line takes
_HAN = re.compile(f"[{HAN}]")
_WORDY = re.compile(f"[^\\W\\d_]{{2}}|[{HAN}]")
_VALUE = re.compile(
    r"^(?:[-+±~≈<>≤≥(]{0,2}\s?(?:[$€£¥￥]|[A-Z]{3}\s)?\s?\d[\d.,:/ -]*\s?\S{0,8}|[—–-]|n/?a)$", re.I
)
_LEADERS = re.compile(r"(?:\.\s?){4}|…{2}|·{4}")
_MARKER = re.compile(
    r"^(?:[^\w\s]{1,2}|[(\[]?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.):\]]{0,2}|[(（]?[一二三四五六七八九十]{1,3}[)）、.]?)$"
)
_KEY = re.compile(r"[:：]$")
_PERIOD = re.compile(r"^(?:FY\s?)?(?:19|20)\d\d(?:[/-]\d\d(?:\d\d)?)?年?(?:\s?(?:Q|H)[1-4])?$")
_EQUATION = re.compile(r"\(\d+(?:[.\-]\d+)*[a-z]?\)$")
_SIGNS = re.compile(r"^[^\w\s—–✓✔✗✘×•☐☑-]+$")
_ASSIGNED = re.compile(r"^:?=")
_SECTION = re.compile(r"^(?:[A-Z]|\d+)(?:\.\d+)*\.?(?:\s|$)")
_CODE = re.compile(r"[{};\\#%]|==|->|::|\(\)|//|</|[=+*]=|\$\w|\w=\S|,$")


Cells = dict[int, tuple[str, ...]]  # column → the lines of text in its cell, columns ascending


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; GAP stands for wide gaps."""

    text: str


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Rows of cells, each cell the lines that stand in it; `columns` are the places between the columns.

    `has_head`: the first row names the columns.
    """

    rows: tuple[Cells, ...]
    columns: tuple[float, ...]
    has_head: bool

    def continued(self, before: TableBlock) -> TableBlock:
        """Return this table with the first row of the one before if its columns stand where those do."""
        same = len(self.columns) == len(before.columns) and all(
            abs(one - other) <= _SAME_PLACE for one, other in zip(self.columns, before.columns, strict=True)
        )
        if not same or not before.has_head or self.rows[0] == before.rows[0]:
            return self
        return TableBlock((before.rows[0], *self.rows), self.columns, has_head=True)


Block = Line | TableBlock


@dataclass(slots=True)
class _Segment:
    """Words of one line without a gap between them that could part two columns."""

    words: Sequence[Word]
    x0: float
    x1: float
    y0: float
    y1: float

    @classmethod
    def of(cls, words: Sequence[Word]) -> _Segment:
        return cls(
            words,
            min([word.x0 for word in words]),
            max([word.x1 for word in words]),
            min([word.y0 for word in words]),
            max([word.y1 for word in words]),
        )

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def middle(self) -> float:
        return (self.x0 + self.x1) / 2


@dataclass(slots=True)
class _Row:
    """Segments side by side, from left to right."""

    segments: list[_Segment]
    y0: float
    y1: float


@dataclass(slots=True)
class _Found:
    """A table and the words that it took."""

    block: TableBlock
    words: set[int] = field(default_factory=set)  # id() of each


def find_blocks(lines: Sequence[Sequence[Word]], read_rules: Callable[[], Rules]) -> list[Block]:
    """Return the lines and tables of a page in reading order. `read_rules` is called where there may be a table."""
    height = median([line[0].y1 - line[0].y0 for line in lines]) if lines else 0.0
    starts = [_starts(line, height) for line in lines]
    middles = sorted([line[0].y0 + line[0].y1 for line in lines])
    side_by_side = sum(len(places) > 1 for places in starts)
    side_by_side += sum(after - before < 0.8 * height for before, after in pairwise(middles))
    if height <= 0 or side_by_side < 2:  # as on most pages
        return [
            Line(" ".join([word.text for word in line]) if len(places) == 1 else _text(line, height))
            for line, places in zip(lines, starts, strict=True)
        ]
    split = [
        [_Segment.of(line[start:end]) for start, end in pairwise([*places, len(line)])]
        for line, places in zip(lines, starts, strict=True)
    ]
    rows = _rows([piece for pieces in split for piece in pieces], height)
    if len(rows) > _MAX_ROWS or not any(_share_a_gap(above, below) for above, below in pairwise(rows)):
        return [Line(_text(line, height)) for line in lines]
    rules = read_rules()
    tables = list(_ruled_tables(lines, rules, height))
    taken = {word for table in tables for word in table.words}
    rest = [row for row in (_without(row, taken) for row in rows) if row.segments] if taken else rows
    tables += _aligned_tables(rest, rules, height)
    return list(_compose(lines, tables, height))


def _compose(lines: Sequence[Sequence[Word]], tables: Sequence[_Found], height: float) -> Iterator[Block]:
    """Yield each table where its first word was drawn, and the lines around it."""
    owner = {word: table for table in tables for word in table.words}
    written: set[int] = set()
    pending: list[list[Word]] = []
    for line in lines:
        left: list[Word] = []
        for word in line:
            table = owner.get(id(word))
            if table is None:
                left.append(word)
            elif id(table) not in written:
                written.add(id(table))
                yield from _read_columns([*pending, left] if left else pending, height)
                pending, left = [], []
                yield table.block
        if left:
            pending.append(left)
    yield from _read_columns(pending, height)


# Lines


def _starts(line: Sequence[Word], height: float) -> list[int]:
    """Return the indexes of the words before which a line has a gap, or goes back, and of its first word."""
    starts = [0]
    narrow, wide = _HAN_GAP * height, _CELL_GAP * height
    x1 = line[0].x1
    for index, word in enumerate(line):
        gap = word.x0 - x1
        if not index or -wide < gap < narrow:
            pass
        elif not 0 < gap < wide or _HAN.match(word.text) or _HAN.match(line[index - 1].text[-1]):
            starts.append(index)  # words of Chinese text have no blanks between them
        x1 = word.x1
    return starts


def _split(line: Sequence[Word], height: float) -> list[_Segment]:
    """Part the words of a line at gaps."""
    places = [*_starts(line, height), len(line)]
    return [_Segment.of(line[start:end]) for start, end in pairwise(places)]


def _text(line: Sequence[Word], height: float) -> str:
    text = line[0].text
    gap = _WIDE_GAP * height or float("inf")
    x1 = line[0].x1
    for word in line[1:]:
        text += (GAP if word.x0 - x1 >= gap else " ") + word.text
        x1 = word.x1
    return text


def _rows(segments: Iterable[_Segment], height: float) -> list[_Row]:
    """Put segments side by side that stand at the same height; upright ones, as text that is turned, are left out."""
    rows: list[_Row] = []
    flat = [piece for piece in segments if piece.y1 - piece.y0 < 3 * height]
    for piece in sorted(flat, key=lambda piece: piece.y0 + piece.y1):
        middle = (piece.y0 + piece.y1) / 2
        if rows and middle - (rows[-1].y0 + rows[-1].y1) / 2 < 0.4 * height:
            rows[-1].segments.append(piece)
            rows[-1].y0, rows[-1].y1 = min(rows[-1].y0, piece.y0), max(rows[-1].y1, piece.y1)
        else:
            rows.append(_Row([piece], piece.y0, piece.y1))
    for row in rows:
        row.segments.sort(key=lambda piece: piece.x0)
    return rows


def _share_a_gap(above: _Row, below: _Row) -> bool:
    return any(
        max(one.x1, left.x1) < min(other.x0, right.x0)
        for one, other in pairwise(above.segments)
        for left, right in pairwise(below.segments)
    )


def _without(row: _Row, taken: set[int]) -> _Row:
    return _Row([piece for piece in row.segments if id(piece.words[0]) not in taken], row.y0, row.y1)


# Tables by ruled lines


def _ruled_tables(lines: Sequence[Sequence[Word]], rules: Rules, height: float) -> Iterator[_Found]:
    across, down = _merge(rules.across), _merge(rules.down)
    if not down or len(across) < 2 or max(len(across), len(down)) > _MAX_RULES:
        return
    words = [word for line in lines for word in line]
    for group_across, group_down in _connected(across, down):
        grid = _Grid.of(group_across, group_down)
        found = grid.read(words, height) if grid else None
        if found:
            yield found
            words = [word for word in words if id(word) not in found.words]


def _merge(rules: Iterable[Rule]) -> list[Rule]:
    """Join lines that go on in each other."""
    merged: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: (round(rule.at / _NEAR), rule.start)):
        last = merged[-1] if merged else None
        if last and abs(last.at - rule.at) < _NEAR and rule.start <= last.end + _NEAR:
            merged[-1] = Rule(last.at, last.start, max(last.end, rule.end))
        else:
            merged.append(rule)
    return merged


def _connected(across: Sequence[Rule], down: Sequence[Rule]) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Yield the lines that touch each other, group by group."""
    left_across, left_down = list(across), list(down)
    while left_down:
        group: tuple[list[Rule], list[Rule]] = ([], [left_down.pop()])
        pending = [(False, group[1][0])]
        while pending:
            is_across, rule = pending.pop()
            others = left_down if is_across else left_across
            touching = [other for other in others if _touch(rule, other)]
            if touching:
                others[:] = [other for other in others if not _touch(rule, other)]
                group[1 if is_across else 0].extend(touching)
                pending += [(not is_across, other) for other in touching]
        yield group


def _touch(one: Rule, other: Rule) -> bool:
    return (
        one.start - _NEAR <= other.at <= one.end + _NEAR
        and other.start - _NEAR <= one.at <= other.end + _NEAR
    )


def _places(rules: Iterable[Rule], ends: Iterable[float]) -> list[float]:
    """Return where lines stand, near ones once, and the outer ends of the lines across them."""
    ends = list(ends)
    places: list[float] = []
    for place in sorted([*(rule.at for rule in rules), min(ends), max(ends)]):
        if not places or place - places[-1] > _NEAR:
            places.append(place)
    return places


@dataclass(slots=True)
class _Grid:
    """Cells between ruled lines."""

    xs: list[float]
    ys: list[float]
    owner: dict[tuple[int, int], tuple[int, int]]  # cell → the first one of those that it is one with

    @classmethod
    def of(cls, across: Sequence[Rule], down: Sequence[Rule]) -> _Grid | None:
        if len(across) < 2 or not down:
            return None
        xs = _places(down, (end for rule in across for end in (rule.start, rule.end)))
        ys = _places(across, (end for rule in down for end in (rule.start, rule.end)))
        if not (3 <= len(xs) <= _MAX_COLUMNS and 2 <= len(ys) <= _MAX_BANDS):
            return None
        owner: dict[tuple[int, int], tuple[int, int]] = {}
        for row, (top, bottom) in enumerate(pairwise(ys)):
            for column, (left, right) in enumerate(pairwise(xs)):
                middle = (top + bottom) / 2
                if column and not _crosses(down, left, middle):
                    owner[row, column] = owner[row, column - 1]
                elif (
                    row
                    and not _crosses(across, top, (left + right) / 2)
                    and owner[row - 1, column][1] == column
                ):
                    owner[row, column] = owner[row - 1, column]
                else:
                    owner[row, column] = (row, column)
        return cls(xs, ys, owner)

    def read(self, words: Sequence[Word], height: float) -> _Found | None:
        """Return the table of the words between the lines, None where they make none."""
        cells: dict[tuple[int, int], list[Word]] = {}
        inside = [
            word
            for word in words
            if self.xs[0] - _NEAR <= (word.x0 + word.x1) / 2 <= self.xs[-1] + _NEAR
            and self.ys[0] - _NEAR <= (word.y0 + word.y1) / 2 <= self.ys[-1] + _NEAR
        ]
        crossing = 0
        for word in inside:
            column = _index(self.xs, (word.x0 + word.x1) / 2)
            row = _index(self.ys, (word.y0 + word.y1) / 2)
            home = self.owner[row, column]
            crossing += (
                _index(self.xs, word.x0 + _NEAR) != column
                and self.owner[row, _index(self.xs, word.x0 + _NEAR)] != home
            )
            cells.setdefault(home, []).append(word)
        homes = set(self.owner.values())
        if (
            len({column for _, column in cells}) < 2
            or len(cells) < max(3, 0.35 * len(homes))
            or crossing > 0.1 * len(inside)
            or len(homes) < 0.5 * len(self.owner)
            or self._is_within_text(words, inside, height)
            or _is_layout([sum(_columns_of(word.text) + 1 for word in cell) for cell in cells.values()])
        ):
            return None
        rows = [row for row in self._rows(cells, height) if row]
        joined = _join_heads(rows, self._spans()) if rows else []
        texts = [" ".join(lines) for row in joined for lines in row.values()]
        full = len(self.xs) - 1
        several = sum(len(row) > 1 for row in joined)
        if several < max(2, 0.6 * len(joined)) or (len(joined) == 2 and min(map(len, joined)) < full - 1):
            return None
        if _share(_WORDY, texts) < _LEAST_WORDY:
            return None
        has_head = len(joined) < len(rows) or _has_head(rows)
        block = TableBlock(tuple(joined), tuple(self.xs[1:-1]), has_head)
        return _Found(block, {id(word) for word in inside})

    def _rows(self, cells: dict[tuple[int, int], list[Word]], height: float) -> list[Cells]:
        rows: list[Cells] = []
        bands = len(self.ys) - 1
        for band in range(bands):
            homes = {self.owner[band, column] for column in range(len(self.xs) - 1)}
            held = {home[1]: cells[home] for home in homes if home in cells}
            lines = _rows([_Segment.of([word]) for words in held.values() for word in words], height)
            split = [self._by_column(line) for line in lines]
            if _are_rows(split, lines):
                rows += split
            elif bands <= 2 and len(split) > 2 and _is_drawn_by_rows(lines) and min(map(len, split)) > 1:
                rows += _records(split, lines, height)  # no line is drawn between the rows
            else:
                rows.append({column: _cell_lines(held[column]) for column in sorted(held)})
        return rows

    def _is_within_text(self, words: Sequence[Word], inside: Sequence[Word], height: float) -> bool:
        """Tell whether lines go on beside the ruled ones: then these are frames around words."""
        lines = {word.seq for word in inside}
        beside = {
            word.seq
            for word in words
            if -height < word.x1 - self.xs[0] < _NEAR or -_NEAR < word.x0 - self.xs[-1] < height
        }
        return len(lines & beside) > 0.3 * len(lines)

    def _by_column(self, line: _Row) -> Cells:
        pieces = groupby(line.segments, key=lambda piece: _index(self.xs, piece.middle))
        return {column: _cell_text(list(held)) for column, held in pieces}

    def _spans(self) -> dict[int, dict[int, int]]:
        """Row → the columns in which a cell over several columns begins → the column behind it."""
        spans: dict[int, dict[int, int]] = {}
        for (row, column), home in self.owner.items():
            if home[1] != column and home[0] == row:
                spans.setdefault(row, {})[home[1]] = column + 1
        return spans


def _is_layout(chars: Sequence[int]) -> bool:
    """Tell by the characters of cells whether lines part a page and not a table: most of it stands in one of them."""
    longest = max(chars)
    return (
        longest > min(_MAX_CELL_CHARS, max(_LONG_CELL_CHARS, 0.4 * sum(chars)))
        or median(chars) > _MANY_CELL_CHARS
    )


def _crosses(rules: Iterable[Rule], at: float, middle: float) -> bool:
    return any(abs(rule.at - at) <= _NEAR and rule.start <= middle <= rule.end for rule in rules)


def _index(places: Sequence[float], place: float) -> int:
    return max(0, min(len(places) - 2, bisect(places, place) - 1))


def _join_heads(rows: list[Cells], spans: dict[int, dict[int, int]]) -> list[Cells]:
    """Join a first row in which cells stand over several columns with the row below, which names them."""
    first = spans.get(0, {})
    named = {column: end for column, end in first.items() if column in rows[0]}
    if not named or len(rows) < 3 or len(rows[0]) < 2 or spans.get(1) or len(rows[1]) <= len(rows[0]) - 1:
        return rows
    joined: Cells = {}
    for column in sorted({*rows[0], *rows[1]}):
        above = next((start for start, end in named.items() if start <= column < end), column)
        parts = [
            *rows[0].get(above, ()),
            *(rows[1].get(column, ()) if rows[1].get(column) != rows[0].get(above) else ()),
        ]
        joined[column] = (" ".join(parts),)
    return [joined, *rows[2:]]


# Tables by blank stripes


Interval = tuple[float, float]


def _aligned_tables(rows: Sequence[_Row], rules: Rules, height: float) -> Iterator[_Found]:
    index, tries = 0, 0
    while index < len(rows):
        if len(rows[index].segments) < 2:
            index += 1
            continue
        end, stripes = _grow(rows, index, height)
        run = list(rows[index:end])
        while run and len(run[-1].segments) == 1 and run[-1].segments[0].x0 < stripes[0][0]:
            run.pop()  # what follows the table
        found = _read_aligned(run, stripes, rules, height)
        tries += 1
        if found:
            yield found
            index, tries = index + len(run), 0
        elif tries < _MAX_TRIES:
            index += 1  # what stands above the table was taken for a part of it
        else:
            index, tries = end, 0


def _grow(rows: Sequence[_Row], start: int, height: float) -> tuple[int, list[Interval]]:
    """Return where the lines end that leave the same stripes blank, and the stripes."""
    stripes = [(left.x1, right.x0) for left, right in pairwise(rows[start].segments)]
    end = start + 1
    filled = 1
    while end < len(rows) and rows[end].y0 - rows[end - 1].y1 <= _LEADING * height:
        narrowed = [
            stripe
            for stripe in _subtract(stripes, rows[end].segments)
            if stripe[1] - stripe[0] >= _HAN_GAP * height
        ]
        if not narrowed or (len(narrowed) < len(stripes) and filled >= 3):
            break
        stripes = narrowed
        filled += len(rows[end].segments) > 1
        end += 1
    return end, stripes


def _subtract(stripes: Sequence[Interval], segments: Sequence[_Segment]) -> Iterator[Interval]:
    """Yield what a row leaves blank of stripes; both from left to right."""
    for left, right in stripes:
        at = left
        for piece in segments:
            if piece.x1 <= at:
                continue
            if piece.x0 >= right:
                break
            if piece.x0 > at:
                yield at, piece.x0
            at = piece.x1
        if at < right:
            yield at, right


def _read_aligned(
    run: Sequence[_Row], stripes: Sequence[Interval], rules: Rules, height: float
) -> _Found | None:
    """Return the table of lines that leave stripes blank, None where they are something else."""
    borders = [(left + right) / 2 for left, right in stripes]
    cells: list[dict[int, list[_Segment]]] = []
    for row in run:
        held: dict[int, list[_Segment]] = {}
        for piece in row.segments:
            held.setdefault(bisect(borders, piece.middle), []).append(piece)
        cells.append(held)
    columns = len(borders) + 1
    apart = [len(pieces) > 1 for held in cells for pieces in held.values()]
    if sum(len(held) > 1 for held in cells) < 3 or sum(apart) > 0.15 * len(apart):
        return None
    x0, x1 = min(row.segments[0].x0 for row in run), max(row.segments[-1].x1 for row in run)
    lines = sorted(
        rule.at
        for rule in _merge(rules.across)
        if min(rule.end, x1) - max(rule.start, x0) > 0.7 * (x1 - x0)
        and run[0].y0 - height <= rule.at <= run[-1].y1 + height
    )
    inner = [at for at in lines if run[0].y1 - 0.3 * height <= at <= run[-1].y0 + 0.3 * height]
    texts = [{column: _cell_text(held[column]) for column in sorted(held)} for held in cells]
    if _is_something_else(texts, columns, has_rule=bool(inner)):
        return None
    prose = sum(_is_prose(cells, column) for column in range(columns))
    if prose and (
        (columns == 2 and len(lines) < 3) or min(right - left for left, right in stripes) < 1.1 * height
    ):
        return None
    drawn = _drawn_cells(run, borders)
    if drawn and _is_convincing(drawn, run, stripes, len(lines) + 1):
        return _found(drawn, borders, run)
    if len(inner) >= 2:
        rows = _banded(texts, run, inner)
    elif inner and inner[0] <= run[min(3, len(run) - 1)].y0:
        head = sum(row.y1 - 0.3 * height <= inner[0] for row in run)
        rows = [*_banded(texts[:head], run[:head], []), *_records(texts[head:], run[head:], height)]
    else:
        rows = _records(texts, run, height)
    is_table = _is_drawn_by_rows(run) and prose < 2 and _is_convincing(rows, run, stripes, len(lines))
    return _found(rows, borders, run) if is_table else None


def _found(rows: Sequence[Cells], borders: Sequence[float], run: Sequence[_Row]) -> _Found:
    words = {id(word) for row in run for piece in row.segments for word in piece.words}
    return _Found(TableBlock(tuple(rows), tuple(borders), _has_head(rows)), words)


def _drawn_cells(run: Sequence[_Row], borders: Sequence[float]) -> list[Cells]:
    """Return the rows of a table whose cells were drawn one after the other, each with all its lines; [] if none was.

    Columns of prose are drawn whole or line by line, never in rows of several lines.
    """
    pieces = sorted(
        (piece for row in run for piece in row.segments), key=lambda piece: (piece.words[0].seq, piece.x0)
    )
    rows: list[dict[int, list[_Segment]]] = []
    last = len(borders) + 1
    for piece in pieces:
        column = bisect(borders, piece.middle)
        if column < last:
            rows.append({})
        rows[-1].setdefault(column, []).append(piece)
        last = column
    cells = [
        {
            column: tuple(_cell_lines([word for piece in cell for word in piece.words]))
            for column, cell in row.items()
        }
        for row in rows
    ]
    several = sum(any(len(cell) > 1 for cell in row.values()) for row in cells)
    longest = max(len(cell) for row in cells for cell in row.values())
    spans = [
        (
            min(piece.y0 for cell in row.values() for piece in cell),
            max(piece.y1 for cell in row.values() for piece in cell),
        )
        for row in rows
    ]
    is_apart = all(above[1] <= below[0] + _NEAR for above, below in pairwise(spans))
    if len(rows) < 3 or several < 2 or longest > _MAX_CELL_LINES or not is_apart:
        return []
    return cells


def _is_drawn_by_rows(run: Sequence[_Row]) -> bool:
    """Tell whether the lines were drawn one after the other, and not column after column as prose is."""
    spans = [
        (min(piece.words[0].seq for piece in row.segments), max(piece.words[0].seq for piece in row.segments))
        for row in run
    ]
    in_order = sum(before[1] <= after[0] for before, after in pairwise(spans))
    return in_order >= 0.6 * (len(spans) - 1)


def _is_something_else(texts: Sequence[Cells], columns: int, *, has_rule: bool) -> bool:
    """Tell whether aligned lines are a table of contents, a list, code, formulas or a drawing."""
    by_column = [[row[column][0] for row in texts if column in row] for column in range(columns)]
    everything = [text for column in by_column for text in column]
    if any(_LEADERS.search(text) for text in everything):
        return True
    first, last = by_column[0], by_column[-1]
    if not first or not last or (columns == 2 and _share(_MARKER, first) > 0.6):
        return True
    if (
        _share(_EQUATION, last) > 0.4
        or _share(_SIGNS, everything) > 0.3
        or any(_share(_ASSIGNED, column) >= 0.5 for column in by_column[1:])
    ):
        return True
    rows = [" ".join(cell[0] for cell in row.values()) for row in texts]
    if (
        not has_rule
        and last[0].isdigit()
        and (  # without a name above its last column
            (columns <= 3 and _ascends(last, 3))
            or (_share(_SECTION, first) >= 0.5 and _ascends([row.split()[-1] for row in rows], 2))
        )
    ):
        return True
    if _share(_CODE, rows) > (0.6 if has_rule else 0.35) or (columns > 2 and _counts_lines(texts, columns)):
        return True
    wordy = [column for column in by_column if _share(_WORDY, column) >= 0.5]
    return not wordy or sum(map(len, everything)) < 2.5 * len(everything)


def _counts_lines(texts: Sequence[Cells], columns: int) -> bool:
    """Tell whether the first column counts lines of code or prose, which fill the others only here and there."""
    numbers = [int(row[0][0]) for row in texts if 0 in row and row[0][0].isascii() and row[0][0].isdigit()]
    steps = [after - before for before, after in pairwise(numbers)]
    counts = len(numbers) > 2 and len(numbers) >= 0.6 * len(texts) and len(set(steps)) == 1 and steps[0] > 0
    return counts and sum(map(len, texts)) < 0.75 * columns * len(texts)


def _is_prose(cells: Sequence[dict[int, list[_Segment]]], column: int) -> bool:
    lines = [held[column] for held in cells if column in held]
    if len(lines) < 3:
        return False
    x0, x1 = min(line[0].x0 for line in lines), max(line[-1].x1 for line in lines)
    chars = median(sum(_columns_of(piece.text) for piece in line) for line in lines)
    fill = median((line[-1].x1 - line[0].x0) / max(1.0, x1 - x0) for line in lines)
    long = sum(sum(_columns_of(piece.text) for piece in line) >= _LONG_LINE_CHARS for line in lines)
    return (chars >= _PROSE_CHARS and fill >= _PROSE_FILL) or long > 0.25 * len(lines)


def _columns_of(text: str) -> int:
    return len(text) + len(_HAN.findall(text))


def _share(pattern: re.Pattern[str], texts: Sequence[str]) -> float:
    return sum(bool(pattern.search(text)) for text in texts) / max(1, len(texts))


def _ascends(texts: Sequence[str], least: int) -> bool:
    """Tell whether cells are page numbers, at least so many, each not smaller than the one above."""
    numbers = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 6]
    return len(numbers) >= least and len(numbers) >= 0.8 * len(texts) and numbers == sorted(numbers)


def _is_convincing(
    rows: Sequence[Cells], run: Sequence[_Row], stripes: Sequence[Interval], rule_count: int
) -> bool:
    """Weigh what speaks for a table: columns, rows, figures, ruled lines, even leading, wide stripes."""
    columns = len(stripes) + 1
    filled = sum(map(len, rows)) / (columns * len(rows))
    if len(rows) < 3 or filled < 0.5 or sum(0 in row for row in rows) < len(rows) / 3:
        return False
    values = [
        _share(_VALUE, [" ".join(row[column]) for row in rows[1:] if column in row])
        for column in range(1, columns)
    ]
    leads = [after.y0 - before.y0 for before, after in pairwise(run)]
    points = 2 * (max(values) >= 0.6) + 2 * (rule_count >= 1) + (rule_count >= 2) + (len(rows) >= 5)
    points += max(leads) <= 1.2 * min(leads)
    points += min(right - left for left, right in stripes) >= 2 * (run[0].y1 - run[0].y0)
    if columns == 2:
        points += 2 * (_share(_KEY, [" ".join(row.get(0, ())) for row in rows]) >= 0.7)
    else:
        points += min(2, columns - 2) + (len(rows) >= 8) + (filled > 0.95) + _is_flush(run, stripes)
    return points >= _ENOUGH


def _is_flush(run: Sequence[_Row], stripes: Sequence[Interval]) -> bool:
    """Tell whether the words of each column begin or end at one place."""
    columns: dict[int, list[_Segment]] = {}
    for row in run:
        for piece in row.segments:
            columns.setdefault(bisect(stripes, (piece.middle, piece.middle)), []).append(piece)
    return all(
        min(
            max(ends) - min(ends)
            for ends in ([p.x0 for p in pieces], [p.x1 for p in pieces], [p.middle for p in pieces])
        )
        < _NEAR
        for pieces in columns.values()
    )


def _banded(texts: Sequence[Cells], run: Sequence[_Row], lines: Sequence[float]) -> list[Cells]:
    """Join the lines of text between two ruled ones, unless each is a row of figures by itself."""
    rows: list[Cells] = []
    bands = groupby(zip(run, texts, strict=True), key=lambda row: bisect(lines, (row[0].y0 + row[0].y1) / 2))
    for _, band in bands:
        lines_of_text, held = zip(*band, strict=True)
        rows += held if _are_rows(held, lines_of_text) else [_joined(held)]
    return rows


def _are_rows(texts: Sequence[Cells], lines: Sequence[_Row]) -> bool:
    """Tell whether lines of one band are rows: all fill the same columns, and were drawn one after the other."""
    spans = [{piece.words[0].seq for piece in line.segments} for line in lines]
    return (
        len({tuple(text) for text in texts}) == 1
        and len(texts[0]) > 1
        and all(max(before) < min(after) for before, after in pairwise(spans))
    )


def _joined(lines: Sequence[Cells]) -> Cells:
    row: Cells = {}
    for line in lines:
        _append(row, line)
    return dict(sorted(row.items()))


def _records(texts: Sequence[Cells], run: Sequence[_Row], height: float) -> list[Cells]:
    """Join lines of text that go on in cells of the line above: close to it, and without a first cell or a figure."""
    rows: list[Cells] = []
    tight = 1.35 * height
    for index, text in enumerate(texts):
        is_close = index > 0 and run[index].y0 - run[index - 1].y0 <= tight
        goes_on = (
            bool(rows)
            and is_close
            and 0 not in text
            and set(text) <= set(rows[-1])
            and not any(_VALUE.match(line) for lines in text.values() for line in lines)
        )
        if goes_on:
            _append(rows[-1], text)
        else:
            rows.append(dict(text))
    return rows


def _append(row: Cells, text: Cells) -> None:
    for column, lines in text.items():
        row[column] = (*row.get(column, ()), *lines)


def _has_head(rows: Sequence[Cells]) -> bool:
    """Tell whether the first row names the columns: none of its cells is a figure above figures."""
    first, *others = rows
    if max(len(" ".join(lines)) for lines in first.values()) > _MAX_NAME_CHARS:
        return False
    for column, lines in first.items():
        below = [" ".join(row[column]) for row in others if column in row]
        name = " ".join(lines)
        if column and _VALUE.match(name) and _share(_VALUE, below) >= 0.5:
            return len(first) > 2 and all(_PERIOD.match(" ".join(first[at])) for at in first if at)
    return len(first) > 1


def _cell_text(pieces: Sequence[_Segment]) -> tuple[str, ...]:
    return (" ".join(piece.text for piece in pieces),)


def _cell_lines(words: Sequence[Word]) -> tuple[str, ...]:
    """Return the lines of text in a cell, from top to bottom."""
    height = median([word.y1 - word.y0 for word in words])
    rows = _rows([_Segment.of([word]) for word in words], height)
    return tuple(" ".join(piece.text for piece in row.segments) for row in rows)


# Columns of prose


def _read_columns(lines: Sequence[Sequence[Word]], height: float) -> Iterator[Line]:
    """Yield lines; where two or more columns of prose were drawn line by line, column after column."""
    rows = [
        _Row(pieces, min(p.y0 for p in pieces), max(p.y1 for p in pieces))
        for pieces in (_split(line, height) for line in lines)
    ]
    index = 0
    while index < len(rows):
        end, stripes = _grow(rows, index, height) if len(rows[index].segments) > 1 else (index + 1, [])
        columns = _prose_columns(rows[index:end], stripes) if end - index >= 3 else []
        if columns:
            for column in columns:
                yield from (Line(_text(line, height)) for line in column)
            index = end
        else:
            yield Line(_text(lines[index], height))
            index += 1


def _prose_columns(run: Sequence[_Row], stripes: Sequence[Interval]) -> list[list[list[Word]]]:
    borders = [(left + right) / 2 for left, right in stripes]
    cells: list[dict[int, list[_Segment]]] = []
    for row in run:
        held: dict[int, list[_Segment]] = {}
        for piece in row.segments:
            held.setdefault(bisect(borders, piece.middle), []).append(piece)
        cells.append(held)
    count = len(borders) + 1
    if any(after.y0 < before.y0 for before, after in pairwise(run)):
        return []
    if not all(_is_prose(cells, column) for column in range(count)):
        return []
    return [
        [[word for piece in held[column] for word in piece.words] for held in cells if column in held]
        for column in range(count)
    ]
