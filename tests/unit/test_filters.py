"""Filters as they come over the wire and as SQL: what is read, what is refused, and that no text of a caller is SQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from pydantic import TypeAdapter, ValidationError

from app.api.filters import MAX_CHARS, MAX_DEPTH, MAX_LEAVES, MAX_VALUES, AnyFilter
from app.domain import (
    AllOf,
    AnyOf,
    Condition,
    Exists,
    MetadataKey,
    Negation,
    OneOf,
    SearchFilter,
    StartsWith,
    Within,
)
from app.moments import time_span
from app.store.filters import compile_filter

FILTERS: TypeAdapter[Any] = TypeAdapter(AnyFilter)
LEAF = {"field": "source", "op": "equal", "value": "a.md"}
HOSTILE = "'; DROP TABLE pgask.documents; -- %s %(x)s {} $1 \\"


def read(given: Any) -> SearchFilter | None:
    """The domain's filter of what came over the wire."""
    found = FILTERS.validate_python(given).to_domain()
    assert found is None or isinstance(found, SearchFilter)
    return found


def nested(depth: int) -> dict[str, Any]:
    """A tree of `depth` levels, its leaf included."""
    tree: dict[str, Any] = LEAF
    for level in range(depth - 1):
        tree = {"not": tree} if level % 2 else {"all": [tree]}
    return tree


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (LEAF, OneOf("source", ("a.md",))),
        (
            {"field": "metadata.year", "op": "in", "values": [1, 2.5, True, "x"]},
            OneOf(MetadataKey(("year",)), (1, 2.5, True, "x")),
        ),
        (
            {"field": "updated_at", "op": "range", "from": "2024-01-01"},
            Within("updated_at", "2024-01-01", None),
        ),
        (
            {"field": r"metadata.dc\.date.x", "op": "range", "to": 7},
            Within(MetadataKey(("dc.date", "x")), None, 7),
        ),
        ({"field": "title", "op": "prefix", "value": "指南"}, StartsWith("title", "指南")),
        ({"field": "language", "op": "exists"}, Exists("language")),
        ({"field": "metadata.a", "op": "exists", "value": False}, Exists(MetadataKey(("a",)), False)),
        (
            {"any": [LEAF, {"not": {"all": [LEAF]}}]},
            AnyOf((OneOf("source", ("a.md",)), Negation(AllOf((OneOf("source", ("a.md",)),))))),
        ),
    ],
)
def test_trees_are_read(given: dict[str, Any], expected: Condition) -> None:
    assert read(given) == SearchFilter(where=expected)


def test_the_short_form_means_what_it_meant() -> None:
    assert read({"source_prefix": "docs/", "metadata": {"lang": "zh"}}) == SearchFilter(
        "docs/", {"lang": "zh"}
    )
    assert read({}) is None
    assert read({"source_prefix": "", "metadata": {}}) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (nested(MAX_DEPTH + 1), "more than 5 levels; it has 6 or more"),
        (nested(10_000), "more than 5 levels; it has 6 or more"),
        ({"all": [LEAF] * (MAX_LEAVES + 1)}, "more than 32 tests"),
        ({"all": [{"not": LEAF}] * (MAX_LEAVES + 1)}, "more than 32 tests"),
        ({"field": "title", "op": "in", "values": ["x"] * (MAX_VALUES + 1)}, "more than 256 values"),
        ({"any": [{"field": "title", "op": "in", "values": ["x"] * 129}] * 2}, "more than 256 values"),
        ({"any": [{}] * 10_000}, "more than 160 conditions"),
        (
            {"field": "title", "op": "equal", "value": "x" * (MAX_CHARS + 1)},
            "more than 1,024 characters in a key or string; it has 1,0",
        ),
        (
            {"field": "metadata." + "x" * MAX_CHARS, "op": "exists"},
            "more than 1,024 characters in a key or string; it has 1,0",
        ),
        (
            {"field": "metadata.a.b.c.d.e.f", "op": "exists"},
            "more than 5 levels in a path into the metadata; it has 6",
        ),
        ({"field": "metadata.", "op": "exists"}, "a key after each dot"),
        ({"field": "metadata.a..b", "op": "exists"}, "a key after each dot"),
        ({"field": "text", "op": "exists"}, "must be source, title"),
        ({"field": "d.source", "op": "exists"}, "must be source, title"),
        ({"field": "metadata", "op": "exists"}, "must be source, title"),
        ({"field": "title", "op": "like", "value": "x"}, "must hold source_prefix"),
        ({"field": "title", "op": ["equal"], "value": "x"}, "must hold source_prefix"),
        ({"field": "title", "op": "short", "value": "x"}, "must hold source_prefix"),
        ({"op": "equal"}, "Field required"),
        ({"field": "title"}, "must hold source_prefix"),
        ([LEAF], "must hold source_prefix"),
        ("title", "must hold source_prefix"),
        ({"all": []}, "at least 1 item"),
        ({"all": LEAF}, "valid list"),
        ({"not": [LEAF]}, "must hold source_prefix"),
        ({"not": {"source_prefix": "x"}}, "must hold source_prefix"),
        ({"all": [LEAF], "any": [LEAF]}, "Extra inputs"),
        (LEAF | {"values": ["x"]}, "Extra inputs"),
        ({"source_prefix": "x", "all": [LEAF]}, "Extra inputs"),
        ({"field": "title", "op": "in", "values": []}, "at least 1 item"),
        ({"field": "title", "op": "equal", "value": 7}, "title is text"),
        ({"field": "title", "op": "equal", "value": None}, "a string, a number, true or false"),
        ({"field": "metadata.a", "op": "equal", "value": {}}, "a string, a number, true or false"),
        ({"field": "metadata.a", "op": "equal", "value": float("nan")}, "NaN"),
        ({"field": "metadata.a", "op": "equal", "value": "\0"}, "NUL"),
        ({"field": "metadata.\ud800", "op": "exists"}, "lone surrogates"),
        ({"field": "metadata.a", "op": "range"}, "from, to or both"),
        ({"field": "metadata.a", "op": "range", "from": 1, "to": "x"}, "of one kind"),
        ({"field": "metadata.a", "op": "range", "from": True}, "strings or numbers"),
        ({"field": "updated_at", "op": "range", "from": "soon"}, "ISO 8601"),
        ({"field": "updated_at", "op": "equal", "value": 2024}, "ISO 8601"),
        ({"field": "updated_at", "op": "prefix", "value": "2024"}, "use range"),
        ({"field": "title", "op": "prefix", "value": 7}, "valid string"),
        ({"field": "title", "op": "exists", "value": "no"}, "valid boolean"),
    ],
)
def test_what_is_no_filter_or_too_much_of_one_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        read(given)


def test_the_limits_themselves_pass() -> None:
    assert read(nested(MAX_DEPTH))
    assert read({"all": [LEAF] * MAX_LEAVES})
    assert read({"field": "title", "op": "in", "values": ["x" * MAX_CHARS] * MAX_VALUES})
    assert read({"field": "metadata." + "x" * (MAX_CHARS - len("metadata.")), "op": "exists"})


def test_no_text_of_the_caller_is_sql() -> None:
    """The statement of a hostile filter is that of a harmless one."""

    def tree(text: str) -> Condition:
        key = MetadataKey((text, text))
        return AllOf(
            (
                OneOf("source", (text, text)),
                OneOf(key, (text,)),
                OneOf(key, (text, 1)),
                Within(key, text, text),
                Within("title", None, text),
                StartsWith("source", text),
                StartsWith(key, text),
                Negation(Exists(key)),
            )
        )

    made = [compile_filter(SearchFilter(text, {text: text}, tree(text))) for text in ("harmless", HOSTILE)]
    statements = [compiled.condition.as_string(None) for compiled in made]
    assert statements[0] == statements[1]
    assert "DROP" not in statements[1]
    assert all(re.fullmatch(r"filter_\d+", name) for name in made[1].parameters)
    assert set(re.findall(r"%\((\w+)\)s", statements[1])) == set(made[1].parameters)


def test_without_a_filter_everything_is_kept() -> None:
    for nothing in (None, SearchFilter()):
        assert compile_filter(nothing).condition == sql.SQL("true")


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)), st.booleans())
def test_times_are_read_as_python_reads_them(moment: datetime, zoned: bool) -> None:
    text = moment.isoformat() + ("Z" if zoned else "")
    start = moment.replace(tzinfo=UTC)
    assert time_span(text) == (start, start + timedelta(microseconds=1))
    day = moment.date().isoformat()
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    assert time_span(day) == (midnight, midnight + timedelta(days=1))


@given(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
def test_days_that_do_not_exist_are_not_read(year: int, month: int, day: int) -> None:
    try:
        datetime(year, month, day)
        exists = True
    except ValueError:
        exists = False
    assert (time_span(f"{year:04}-{month:02}-{day:02}") is not None) == exists


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T24:00",
        "2024-01-01T10",
        "2024-01-01T10:00+15:00",
        "2024-01-01 10:00:00.1234567",
        "٢٠٢٤-01-01",
        "2024-01-01\n",
        "20240101",
        "",
    ],
)
def test_other_times_are_not_read(text: str) -> None:
    assert time_span(text) is None
