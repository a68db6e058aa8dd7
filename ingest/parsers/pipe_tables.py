"""Long pipe tables of Markdown files → records, as all other formats write them.

Pure and linear. A table that is longer than a chunk would leave its later chunks without the names of its columns.
Rows: GitHub Flavored Markdown, section 4.10. Short tables, and text without tables, come back as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ingest.parsers.inline_html import stretches
from ingest.parsers.table_text import Row, is_long, render_rows

_RULE: Final = re.compile(r" {0,3}\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?[ \t]*)?$")
_MAY_RULE: Final = re.compile(r"-[ \t]*+(?::[ \t]*+)?\||\|[ \t]*+:?-")
_CELL_END: Final = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_STARTS_BLOCK: Final = re.compile(r" {0,3}(?:#{1,6}[ \t]|>|(?:[-*+]|\d{1,9}[.)])[ \t])| {4}|\t")


def with_records(text: str) -> str:
    """Return the text with its long tables as a line of names and an item a row.

    >>> rows = "".join(f"| Plant {number} | {number} |\\n" for number in range(20))
    >>> with_records(f"| Name | Tons |\\n|---|---|\\n{rows}").splitlines()[:3]
    ['Name | Tons', '', '- Name: Plant 0 | Tons: 0']
    """
    if not _MAY_RULE.search(text):
        return text
    return "".join(
        stretch if is_code or "|" not in stretch else _rewritten(stretch)
        for is_code, stretch in stretches(text)
    )


def _rewritten(text: str) -> str:
    lines = text.split("\n")
    out: list[str] = []
    at = 0
    for start, end in _tables(lines):
        cells = [_cells(line) for line in (lines[start], *lines[start + 2 : end])]
        rows: list[Row] = [
            {column: cell for column, cell in enumerate(row[: len(cells[0])]) if cell} for row in cells
        ]
        chars = sum(len(cell) for row in rows for cell in row.values())
        if is_long(len(rows), chars, len(cells[0])):
            before = lines[at:start]
            # what is a block of its own now must not go on in the lines around it
            out += [*before, *([""] if before and before[-1].strip() else [])]
            out += "\n\n".join(render_rows(rows, head_rows=1)).split("\n")
            out += [""] if end < len(lines) and lines[end].strip() else []
            at = end
    return "\n".join([*out, *lines[at:]]) if at else text


def _tables(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where tables begin, with their head, and end."""
    at = 1
    while at < len(lines):
        head = lines[at - 1]
        is_table = "|" in head and _RULE.match(lines[at].rstrip()) and not _STARTS_BLOCK.match(head)
        if is_table and len(_cells(head)) == len(_cells(lines[at])):
            end = at + 1
            while end < len(lines) and lines[end].strip() and not _STARTS_BLOCK.match(lines[end]):
                end += 1
            yield at - 1, end
            at = end
        at += 1


def _cells(line: str) -> list[str]:
    """The cells of a row, without the bars at its ends.

    >>> _cells(r"| a \\| b |  | c")
    ['a | b', '', 'c']
    """
    line = line.strip().removeprefix("|")
    pieces, start = list[str](), 0
    for bar in _CELL_END.finditer(line):
        pieces.append(line[start : bar.end() - 1])
        start = bar.end()
    if line[start:].strip():
        pieces.append(line[start:])
    return [piece.replace("\\|", "|").strip() for piece in pieces]
