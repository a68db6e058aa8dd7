"""The files of sql/ as statements: read once, slots filled with other statements, never with text of a caller.

`{slot}` is filled by `fill_sql`, `%(name)s` is a parameter. Each file begins with a comment on what it is for,
which stays out of the statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, LiteralString

from psycopg import sql

_NAMED: Final = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class NumberedStatement:
    """A statement with $1, $2 …, and the names of the parameters in that order: psycopg converts named ones anew for
    each long text."""

    text: bytes
    names: tuple[str, ...]


@cache
def load_sql(name: str) -> sql.SQL:
    """sql/NAME.sql without the comment that it begins with. It is a literal as much as if it stood here: the files are
    part of the package."""
    lines = (files("app.search") / "sql" / f"{name}.sql").read_text("utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    text: LiteralString = "\n".join(lines[first:])  # what mypy takes for any str
    return sql.SQL(text)


def fill_sql(name: str, **slots: sql.Composable) -> sql.Composed:
    """sql/NAME.sql with its slots filled."""
    return load_sql(name).format(**slots)


def number_parameters(statement: str) -> NumberedStatement:
    """A statement with its named parameters numbered in the order of their first use.

    >>> number_parameters("SELECT %(a)s, %(b)s, %(a)s")
    NumberedStatement(text=b'SELECT $1, $2, $1', names=('a', 'b'))
    """
    numbers: dict[str, int] = {}
    text = _NAMED.sub(lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", statement)
    return NumberedStatement(text.encode(), tuple(numbers))
