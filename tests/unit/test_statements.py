"""The statements of a search: as tests/golden has them, of files that say what they are for, with all slots filled."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from psycopg import sql

from app.search.statements import fill_sql, load_sql
from tests.statements import GOLDEN, statements

FILES = sorted(path.name for path in (files("app.search") / "sql").iterdir())


def test_they_are_those_in_the_golden_files() -> None:
    """`make golden` writes them anew: look at the difference."""
    assert {path.stem: path.read_text("utf-8") for path in GOLDEN.glob("*.sql")} == statements()


@pytest.mark.parametrize("name", FILES)
def test_each_file_says_what_it_is_for_and_has_no_comment_in_its_statement(name: str) -> None:
    text = (files("app.search") / "sql" / name).read_text("utf-8")
    head, statement = re.fullmatch(r"((?:--[^\n]*\n)+)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    assert head.rstrip().endswith((".", ")"))
    assert not set("{}%") & set(head)  # no slot and no parameter
    assert "--" not in statement
    assert load_sql(name.removesuffix(".sql")).as_string() == statement.rstrip("\n")


@pytest.mark.parametrize("name", sorted(statements()))
def test_every_slot_is_filled_and_every_parameter_numbered(name: str) -> None:
    text = statements()[name]
    assert not re.search(r"\{\w*\}|%\(", text)
    first, rest = text.split("\n", 1)
    assert sorted({int(number) for number in re.findall(r"\$(\d+)", rest)}) == list(
        range(1, first.count("$") + 1)
    )


def test_a_slot_that_is_not_filled_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill_sql("dense_exact", chunks=sql.Identifier("c"), kept=sql.SQL(""))


def test_the_formula_stands_once() -> None:
    """Weights, what a cosine is worth and how far it is trusted: in one file each and once in each statement."""
    texts = {name: (files("app.search") / "sql" / name).read_text("utf-8") for name in FILES}
    assert [name for name, text in texts.items() if "%(dense_weight)s" in text] == ["scored.sql"]
    assert [name for name, text in texts.items() if "least(greatest((o.cosine" in text] == ["dense_term.sql"]
    assert [name for name, text in texts.items() if "sqrt(" in text] == ["readability.sql"]
    for name, text in statements().items():
        assert text.count("least(greatest((o.cosine") == (name != "collection")
