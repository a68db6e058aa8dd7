"""Rows of cells → Markdown, for sheets and CSV files.

Pure. A small table is a pipe table. In a long one each row becomes an item that names its columns ("Name: Ada |
Born: 1815"), so that a chunk from its middle, and a citation, can be read without the head; the head itself is
written once above. Rows are written as they come: memory does not grow with the table, beyond its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ingest.parsers.blocks import split_lines
from ingest.parsers.budget import TextBudget
from ingest.parsers.flat import FlatWriter
from ingest.parsers.numbering import BULLET
from ingest.parsers.tables import SpanBudget, Table

Row = Mapping[int, str]  # column → text, cells without text left out, columns ascending

PIPE_TABLE_ROWS = 16  # longer tables are written as records
_PIPE_TABLE_CHARS = 2_000
_PIPE_TABLE_COLUMNS = 50
_MAX_HEAD_CHARS = 400  # names of columns that together are longer are not repeated in each row
_VALUE = re.compile(r"[-+(]?[$€£¥]?[\d.,: /-]+%?\)?$|\d{4}-\d{2}-\d{2}")


def write_rows(writer: FlatWriter, rows: Iterable[Row]) -> None:
    """Write rows, in which an empty one ends a table and starts another."""
    table: list[Row] = []
    head: dict[int, str] | None = None  # of a table that has proved long
    chars = 0
    for row in (_clean(row) for row in rows):
        if not row:
            _write_table(writer, table) if head is None else None
            writer.end_list()
            table, head, chars = [], None, 0
        elif head is not None:
            _write_record(writer, row, head)
        else:
            table.append(row)
            chars += sum(map(len, row.values()))
            if len(table) > PIPE_TABLE_ROWS or chars > _PIPE_TABLE_CHARS or len(row) > _PIPE_TABLE_COLUMNS:
                head = _start_records(writer, table)
    if head is None:
        _write_table(writer, table)


def write_grid(rows: Iterable[Row], budget: TextBudget) -> str:
    """Return the Markdown of rows."""
    writer = FlatWriter(budget)
    write_rows(writer, rows)
    return writer.text()


def _clean(row: Row) -> dict[int, str]:
    cells = ((column, " ".join(split_lines(text))) for column, text in row.items())
    return {column: text for column, text in cells if text}


def _captions(table: Sequence[Row]) -> Iterator[str]:
    """Yield the text of the first rows as long as they have a single cell: what stands above a table."""
    for row in table:
        if len(row) != 1:
            return
        yield from row.values()


def _write_table(writer: FlatWriter, table: Sequence[Row]) -> None:
    captions = list(_captions(table))
    for caption in captions:
        writer.paragraph(caption)
    rows = table[len(captions) :]
    columns = sorted({column for row in rows for column in row})
    written = Table(SpanBudget(0))
    for row in rows:
        written.open_row()
        for column in columns:
            written.add_cell(row.get(column, ""), 1, 1)
    writer.table(written)


def _start_records(writer: FlatWriter, table: Sequence[Row]) -> dict[int, str]:
    """Write the rows so far as records and return the names of the columns, empty if there are none."""
    captions = list(_captions(table))
    rows = table[len(captions) :]
    if not rows:  # one column: each row is a line of its own
        for caption in captions:
            writer.item(0, BULLET, caption)
        return {}
    for caption in captions:
        writer.paragraph(caption)
    head = dict(rows[0]) if _is_head(rows) else {}
    if head:
        writer.paragraph(" | ".join(head.values()))
        rows = rows[1:]
    if sum(map(len, head.values())) > _MAX_HEAD_CHARS:
        head = {}
    for row in rows:
        _write_record(writer, row, head)
    return head


def _is_head(rows: Sequence[Row]) -> bool:
    """Tell whether the first row names the columns: words, all different, one for each column in use."""
    names = rows[0]
    used = {column for row in rows[1:] for column in row}
    return (
        len(set(names.values())) == len(names)
        and len(used - set(names)) <= len(names) // 4
        and not any(_VALUE.match(name) for name in names.values())
    )


def _write_record(writer: FlatWriter, row: Row, head: Mapping[int, str]) -> None:
    cells = (f"{head[column]}: {text}" if column in head else text for column, text in row.items())
    writer.item(0, BULLET, " | ".join(cells))
