"""Rows of cells → Markdown, for sheets and CSV files, in the forms of table_text.py.

Pure. Rows are written as they come: memory does not grow with the table, beyond its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingest.parsers.blocks import split_lines
from ingest.parsers.budget import TextBudget
from ingest.parsers.flat import FlatWriter
from ingest.parsers.numbering import BULLET
from ingest.parsers.table_text import (
    Row,
    find_head,
    is_long,
    pipe_table,
    short_names,
    write_record,
)

__all__ = ["Row", "write_grid", "write_rows"]


def write_rows(writer: FlatWriter, rows: Iterable[Row]) -> None:
    """Write rows, in which an empty one ends a table and starts another."""
    table: list[Row] = []
    names: dict[int, str] | None = None  # of a table that has proved long
    chars = 0
    for row in (_clean(row) for row in rows):
        if not row:
            _write_table(writer, table) if names is None else None
            writer.end_list()
            table, names, chars = [], None, 0
        elif names is not None:
            _write_record(writer, row, names)
        else:
            table.append(row)
            chars += sum(map(len, row.values()))
            if is_long(len(table), chars, len(row)):
                names = _start_records(writer, table)
    if names is None:
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
    if rows:
        head, count = find_head(rows)
        writer.lines(pipe_table([head, *rows[count:]] if head else rows))


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
    head, count = find_head(rows)
    if head:
        writer.paragraph(" | ".join(head.values()))
    names = short_names(head)
    for row in rows[count:]:
        _write_record(writer, row, names)
    return names


def _write_record(writer: FlatWriter, row: Row, names: dict[int, str]) -> None:
    writer.item(0, BULLET, write_record(row, names).removeprefix("- "))
