"""Cells of a table → Markdown, in a form that can be read in parts.

Pure. A small table is a pipe table. In a long one each row becomes an item that names its columns ("- Name: Ada |
Born: 1815"), so that a chunk from its middle, and a citation, can be read without the head; the head itself is written
once above. Cells that span rows or columns are repeated in each. Spans are the sender's to choose, so what they add is
bounded by a budget for the whole document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Row = Mapping[int, str]  # column → text, cells without text left out, columns ascending

PIPE_TABLE_ROWS = 16  # longer tables are written as records
PIPE_TABLE_CHARS = 2_000
PIPE_TABLE_COLUMNS = 50
_MAX_REPEATED_CHARS = 200  # a longer cell is not repeated in the rows and columns that it spans
_MAX_EQUAL_CHARS = 40  # a row of equal cells that are longer is one cell over all columns
_MAX_HEAD_CHARS = 400  # longer names of columns, taken together, are shortened in the rows
_LEAST_NAME_CHARS = 12
_NOTHING = "–"  # stands for an empty cell where no name says which one is empty
_MAX_HEAD_ROWS = 3
_LOOKED_AT = 20  # rows below a head, to tell it from them
_VALUE = re.compile(r"[-+(]?[$€£¥]?[\d.,: /-]+%?\)?$|\d{4}-\d{2}-\d{2}")
_BEGINS_AS_VALUE = re.compile(r"[-+(]?\s?[$€£¥]?\s?\d")
_YEAR = re.compile(r"(?:19|20)\d\d(?:\s?[/-]\s?\d{2,4})?$")
_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?$")
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,4})?%?$")


@dataclass(slots=True)
class SpanBudget:
    """How many characters and cells the spans of one document may still add."""

    left: int = 200_000

    def take(self, amount: int) -> bool:
        """Take `amount` if so much is left, and tell whether it was."""
        if amount > self.left:
            return False
        self.left -= amount
        return True


@dataclass(slots=True)
class _Spanning:
    rows_left: int
    text: str


@dataclass(slots=True)
class Table:
    """A table while its cells come in, row by row."""

    budget: SpanBudget
    _rows: list[list[str]] = field(default_factory=list)
    _spanning: dict[int, _Spanning] = field(default_factory=dict)  # column → the cell above that reaches down
    _head_rows: int = 0  # at the top, all of whose cells were said to be names
    _is_head: bool = True
    _widths: list[int] = field(default_factory=list)  # of the cells that were added to the open row

    def open_row(self) -> None:
        """Start a row; cells that span from above on the left come in first."""
        self._close_row()
        self._rows.append([])
        self._widths = []
        self._is_head = True
        self._fill_spanned()

    def add_cell(self, text: str, colspan: int, rowspan: int, *, is_head: bool = False) -> None:
        """Add a cell to the open row, and again in each further column that it spans, if it is short."""
        if not self._rows:
            self.open_row()
        row = self._rows[-1]
        self._is_head = self._is_head and is_head
        self._widths.append(colspan)
        repeated = text if len(text) <= _MAX_REPEATED_CHARS else ""
        for at in range(colspan):
            if at and not self.budget.take(len(repeated) + 4):
                break
            if rowspan > 1:
                self._spanning[len(row)] = _Spanning(rowspan - 1, repeated)
            row.append(repeated if at else text)
        self._fill_spanned()

    def render(self) -> list[str]:
        """Return the blocks of the finished table: a pipe table or records, or a block a row if it has one column."""
        self._close_row()
        rows = [row for row in self._rows if any(row)]
        if not rows:
            return []
        if max(map(len, rows)) == 1:
            return [row[0] for row in rows]
        captions = next(at for at, row in enumerate(rows) if len(row) > 1)
        head_rows = max(0, self._head_rows - captions)
        return [row[0] for row in rows[:captions]] + render_rows(
            [dict(enumerate(row)) for row in rows[captions:]], head_rows
        )

    def _close_row(self) -> None:
        last = max(self._spanning, default=-1) if self._rows else -1
        while self._rows and len(self._rows[-1]) <= last:
            if not self.budget.take(4):
                self._spanning.clear()
                break
            self._rows[-1].append("")
            self._fill_spanned()
        if not self._rows:
            return
        row = self._rows[-1]
        is_one = len(self._widths) == 1 and self._widths[0] == len(row)
        if len(row) > 1 and row[0] and len(set(row)) == 1 and (is_one or len(row[0]) > _MAX_EQUAL_CHARS):
            del row[1:]
        elif self._is_head and self._widths and self._head_rows == len(self._rows) - 1:
            self._head_rows += 1

    def _fill_spanned(self) -> None:
        row = self._rows[-1]
        while (spanning := self._spanning.get(len(row))) is not None:
            if not self.budget.take(len(spanning.text) + 4):
                self._spanning.clear()
                return
            spanning.rows_left -= 1
            if not spanning.rows_left:
                del self._spanning[len(row)]
            row.append(spanning.text)


def is_long(row_count: int, chars: int, columns: int) -> bool:
    """Tell whether a table of so many rows, characters and columns is written as records."""
    return row_count > PIPE_TABLE_ROWS or chars > PIPE_TABLE_CHARS or columns > PIPE_TABLE_COLUMNS


def render_rows(rows: Sequence[Row], head_rows: int = 0) -> list[str]:
    """Return the blocks of a table; `head_rows` at its top are known to name the columns."""
    chars = sum(len(text) for row in rows for text in row.values())
    head, count = find_head([_filled(row) for row in rows], head_rows)
    if not is_long(len(rows), chars, max(map(len, rows))):
        return [pipe_table([head, *rows[count:]] if head else rows)]
    names = short_names(head)
    records = [record for row in rows[count:] if (record := write_record(_filled(row), names))]
    return [*([" | ".join(head.values())] if head else []), *(["\n".join(records)] if records else [])]


def pipe_table(rows: Sequence[Row]) -> str:
    """Write rows as a pipe table, the first one as its head."""
    columns = sorted({column for row in rows for column in row})
    lines = ["| " + " | ".join(_escape(row.get(column, "")) for column in columns) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(columns))
    return "\n".join(lines)


def write_record(row: Row, names: Mapping[int, str]) -> str:
    """Write a row as a list item that names its columns; without names, empty cells keep their place."""
    if not row:
        return ""
    if names:
        return "- " + " | ".join(f"{names[at]}: {text}" if at in names else text for at, text in row.items())
    is_near = max(row) - min(row) < PIPE_TABLE_COLUMNS
    columns = range(min(row), max(row) + 1) if is_near else row
    return "- " + " | ".join(row.get(column, _NOTHING) for column in columns)


def short_names(head: Row) -> dict[int, str]:
    """Return the names of columns as rows repeat them: whole, or without their middles where all together are long.

    >>> short_names({0: "Turnover of the branch in Kiel", 1: "x" * 400})[0]
    'Turnover of the branch in Kiel'
    """
    if sum(map(len, head.values())) <= _MAX_HEAD_CHARS:
        return dict(head)
    most = max(_LEAST_NAME_CHARS, _MAX_HEAD_CHARS // len(head))
    return {
        at: name if len(name) <= most else f"{name[: most // 2].rstrip()}…{name[-(most // 2) :].lstrip()}"
        for at, name in head.items()
    }


def find_head(rows: Sequence[Row], marked: int = 0) -> tuple[dict[int, str], int]:
    """Return the names of the columns and how many rows hold them; ({}, 0) where the first rows are like the others.

    The first `marked` rows are known to be names. Of two or three rows of names, the upper ones stand over several
    columns: "2023" over "Output" and "Scrap" is "2023 Output", "2023 Scrap". Years, dates and numbers at even steps
    are names where the cells below them are not like them. What stands below itself again is a value.

    >>> find_head([{0: "Works", 1: "2023", 2: "2024"}, {0: "Kiel", 1: "7", 2: "9"}])
    ({0: 'Works', 1: '2023', 2: '2024'}, 1)
    >>> find_head([{0: "Works", 1: "2023"}, {1: "Output", 2: "Scrap"}, {0: "Kiel", 1: "7", 2: "9"}])
    ({0: 'Works', 1: '2023 Output', 2: '2023 Scrap'}, 2)
    """
    used = sorted({column for row in rows for column in row})
    for depth in range(1, min(_MAX_HEAD_ROWS, max(1, len(rows) - 1)) + 1):
        names = _join_head(rows[:depth])
        missing = [column for column in used[1:] if column not in names]
        if len(set(names.values())) < len(names) or len(missing) > len(names) // 4:
            continue
        if depth <= marked or _names_columns(rows[:depth], rows[depth : depth + _LOOKED_AT]):
            return names, depth
    return {}, 0


def _join_head(rows: Sequence[Row]) -> dict[int, str]:
    filled: list[dict[int, str]] = []
    for upper, lower in pairwise(rows):
        over = ""  # a name that stands over several columns
        row: dict[int, str] = {}
        for column in sorted({*upper, *lower}):
            if column in upper:
                over = upper[column] if column in lower else ""
            if name := upper.get(column) or (over if column in lower else ""):
                row[column] = name
        filled.append(row)
    filled.append(dict(rows[-1]))
    columns = sorted({column for row in filled for column in row})
    parts = {at: list(dict.fromkeys(row[at] for row in filled if at in row)) for at in columns}
    return {at: " ".join(names) for at, names in parts.items()}


def _names_columns(head: Sequence[Row], body: Sequence[Row]) -> bool:
    """Tell whether the rows at the top are names, not values as those below."""
    if not all(_are_labels(row, body) for row in head):
        return False
    if len(head) == 1:
        names = [(at, name) for at, name in head[0].items() if not _VALUE.match(name)]
        return not any(row != head[0] and row.get(at) == name for row in body for at, name in names)
    last = head[-1]
    with_values = sum(any(_BEGINS_AS_VALUE.match(row.get(at, "")) for row in body) for at in last)
    spans = any(
        at in head[0] and at + 1 in last and head[0].get(at + 1, head[0][at]) == head[0][at] for at in last
    )
    return spans and 2 * with_values >= len(last)


def _are_labels(row: Row, body: Sequence[Row]) -> bool:
    values = {column: text for column, text in row.items() if _VALUE.match(text)}
    if not values:
        return True
    kind = next((k for k in (_YEAR, _DATE, _NUMBER) if all(k.match(text) for text in values.values())), None)
    if kind is None or len(values) == len(row) == len({column for other in body for column in other}):
        return False
    if not _goes_up(list(dict.fromkeys(values.values())), kind):
        return False
    alike = 0
    for other in body:
        below = [other[column] for column in values if column in other]
        is_alike = bool(below) and all(kind.match(text) for text in below)
        alike += is_alike and (kind is not _NUMBER or _goes_up(below, kind))
    return 2 * alike <= len(body)


def _goes_up(texts: Sequence[str], kind: re.Pattern[str]) -> bool:
    """Tell whether labels follow one another: dates in order, years and numbers at even steps."""
    if kind is _DATE:
        return list(texts) in (sorted(set(texts)), sorted(set(texts), reverse=True))
    if len(texts) == 1:
        return kind is _YEAR
    numbers = [float(text[:4] if kind is _YEAR else text.rstrip("%")) for text in texts]
    steps = {round(later - former, 6) for former, later in pairwise(numbers)}
    return len(steps) == 1 and 0 not in steps and (kind is _YEAR or len(texts) > 2)


def _filled(row: Row) -> dict[int, str]:
    return {column: text for column, text in row.items() if text}


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|")
