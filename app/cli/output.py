"""How commands print: one JSON object for programs, tables and lines for people.

Text from documents and models may hold control characters, which a terminal would obey: they are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]


def print_json(value: Any) -> None:
    """One line of JSON; dates and paths as text, letters of every script as they are, and escapes for what a terminal
    obeys or does not show."""
    print(as_json(value))


def as_json(value: Any) -> str:
    """The line that print_json prints.

    >>> as_json({"title": "表\\x9b31m"})
    '{"title": "表\\\\u009b31m"}'
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def printable(text: str) -> str:
    """The text without control characters; line breaks, tabs and the ideographic space kept.

    >>> printable("a\\x1b[31mb\\nc")
    'a�[31mb\\nc'
    """
    return "".join(c if c.isprintable() or c in "\n\t\u3000" else "�" for c in text)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their widest cell; the widths of Chinese characters are counted double."""
    from rich.cells import cell_len

    cells = [
        [printable(str("" if cell is None else cell)).replace("\n", " ") for cell in row] for row in rows
    ]
    widths = [max(cell_len(row[i]) for row in [list(titles), *cells]) for i in range(len(titles))]
    for row in [list(titles), *cells]:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())
