"""Filters on a real database against a reading of the same tree in Python, over random documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from app.domain import (
    TIME_COLUMNS,
    AllOf,
    AnyOf,
    Condition,
    Exists,
    Field,
    MetadataKey,
    Negation,
    OneOf,
    Scalar,
    SearchFilter,
    StartsWith,
    Within,
)
from app.moments import time_span
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Connection, Database, connect
from app.store.filters import compile_filter
from tests.conftest import TEMPLATE
from tests.integration.ingesting import open_collection

pytestmark = pytest.mark.integration

Row = dict[str, Any]
EDGES = ["", "a", "a%", "a_", "A", "ab", "é", "é", "文", "文档/", "𠀀", "\U0010ffff", "'\"\\", "{}", "1"]
NAMES = ("source", "title")  # compared in the composed form where what is asked for is more than ASCII
MOMENTS = [
    "2024-02-29", "2024-03-01", "2024-02-29T23:59:59.999999Z", "2024-03-01T00:00", "2024-03-01 01:00:00+02:00",
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59.999999-14:00",
]  # fmt: skip
NO_MOMENTS = ["2023-02-29", "2024-13-01", "0000-01-01", "2024-02-29T25:00", "2024-02-29\n", "infinity", "now"]

texts = st.sampled_from(EDGES + MOMENTS + NO_MOMENTS) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4
)
numbers = st.sampled_from([0, 1, -1, 1.0, 0.1, 1e22, 10**22, 2**63, 1.5, -0.0]) | st.integers(-3, 3)
scalars = st.booleans() | numbers | texts
leaves = scalars | st.none()
keys = st.sampled_from(["a", "b", "0", "'", "a.b", "%s", "文"])
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
moments = st.sampled_from([span[0] for text in MOMENTS[:5] if (span := time_span(text))])
rows = st.fixed_dictionaries(
    {
        "source": texts,
        "title": texts,
        "language": st.sampled_from(["en", "zh", "und"]),
        "media_type": st.sampled_from(["text/markdown", "application/pdf", ""]),
        "metadata": st.dictionaries(keys, values, max_size=4),
        "created_at": moments,
        "updated_at": moments,
    }
)
text_columns = st.sampled_from(["source", "title", "language", "media_type"])
time_columns = st.sampled_from(["created_at", "updated_at"])
paths = st.builds(MetadataKey, st.lists(keys, min_size=1, max_size=3).map(tuple))


def _ranges(fields: Any, bounds: Any) -> Any:
    either = st.tuples(bounds, bounds | st.none()).flatmap(st.permutations)
    return st.builds(lambda field, pair: Within(field, *pair), fields, either)


conditions: st.SearchStrategy[Condition] = st.recursive(
    st.builds(OneOf, paths, st.lists(scalars, min_size=1, max_size=3).map(tuple))
    | st.builds(OneOf, text_columns, st.lists(texts, min_size=1, max_size=3).map(tuple))
    | st.builds(OneOf, time_columns, st.lists(st.sampled_from(MOMENTS), min_size=1, max_size=2).map(tuple))
    | _ranges(paths, texts)
    | _ranges(paths, numbers)
    | _ranges(paths, st.sampled_from(MOMENTS))
    | _ranges(text_columns, texts)
    | _ranges(time_columns, st.sampled_from(MOMENTS))
    | st.builds(StartsWith, text_columns | paths, texts)
    | st.builds(Exists, text_columns | time_columns | paths, st.booleans()),
    lambda inner: (
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Negation, inner)
    ),
    max_leaves=6,
)


def holds(condition: Condition, row: Row) -> bool:  # noqa: PLR0911 - one a case
    """The reference: whether a document meets a condition."""
    match condition:
        case AllOf(parts):
            return all(holds(part, row) for part in parts)
        case AnyOf(parts):
            return any(holds(part, row) for part in parts)
        case Negation(part):
            return not holds(part, row)
        case Exists(field, expected):
            found = _found(field, row)
            return (found not in (None, "") if isinstance(field, str) else found is not None) == expected
        case OneOf(field, wanted):
            return any(_equal(value, one, field) for value in _elements(field, row) for one in wanted)
        case StartsWith(field, prefix):
            found = [value for value in _elements(field, row) if isinstance(value, str)]
            if field in NAMES and not prefix.isascii():
                return any(normalize("NFC", v).startswith(normalize("NFC", prefix)) for v in found)
            return any(value.startswith(prefix) for value in found)
        case Within(field, low, high):
            return any(_between(value, low, high, field) for value in _elements(field, row))


def _found(field: Field, row: Row) -> Any:
    if isinstance(field, str):
        return row[field]
    value: Any = row["metadata"]
    for key in field.path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _elements(field: Field, row: Row) -> list[Any]:
    value = _found(field, row)
    return value if isinstance(value, list) else [value]


def _equal(value: Any, wanted: Scalar, field: Field) -> bool:
    if isinstance(value, datetime):
        return _between(value, wanted, wanted, field)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return Decimal(repr(value)) == Decimal(repr(wanted))
    if field in NAMES and isinstance(value, str) and isinstance(wanted, str) and not wanted.isascii():
        return normalize("NFC", value) == normalize("NFC", wanted)
    return isinstance(value, str) and value == wanted


def _between(value: Any, low: Scalar | None, high: Scalar | None, field: Field) -> bool:
    bounds = [bound for bound in (low, high) if bound is not None]
    if field in TIME_COLUMNS or (
        isinstance(field, MetadataKey) and all(isinstance(b, str) and time_span(b) for b in bounds)
    ):
        span = (value, None) if isinstance(value, datetime) else isinstance(value, str) and time_span(value)
        if not span:
            return False
        edges = [time_span(str(bound)) if bound is not None else None for bound in (low, high)]
        return (not edges[0] or span[0] >= edges[0][0]) and (not edges[1] or span[0] < edges[1][1])
    if isinstance(bounds[0], str):
        return (
            isinstance(value, str)
            and (low is None or value >= str(low))
            and (high is None or value <= str(high))
        )
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    number = Decimal(repr(value))
    return (low is None or number >= Decimal(repr(low))) and (high is None or number <= Decimal(repr(high)))


@pytest.fixture(scope="module")
def documents(postgres: EmbeddedPostgres) -> Iterator[tuple[Connection, int]]:
    """A database to write documents into, and a collection in it."""
    name = "filters_test"
    urls = postgres.create_database(name, template=TEMPLATE)
    with connect(urls.app) as connection:
        connection.execute(
            "INSERT INTO pgask.embedding_spaces (model, weights_sha256, dimension, pooling, query_prefix,"
            " passage_prefix, normalized) VALUES ('m', '', 1, 'mean', '', '', true)"
        )
        row = connection.execute(
            "INSERT INTO pgask.collections (name, space_id, lexicon_version)"
            " SELECT 'c', id, 1 FROM pgask.embedding_spaces RETURNING id"
        ).fetchone()
        assert row is not None
        yield connection, row[0]
    postgres.drop_database(name)


def write(connection: Connection, collection_id: int, made: list[Row]) -> None:
    """Replace all documents; the numbers of the rows become their content_sha256."""
    connection.execute("DELETE FROM pgask.documents")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO pgask.documents (collection_id, source, status, content_sha256, title, language, media_type,"
            " metadata, created_at, updated_at) VALUES (%s, %s, 'ready', %s, %s, %s, %s, %s::jsonb, %s, %s)",
            [
                (
                    collection_id, row["source"], str(number), row["title"], row["language"], row["media_type"],
                    json.dumps(row["metadata"]), row["created_at"], row["updated_at"],
                )
                for number, row in enumerate(made)
            ],
        )  # fmt: skip


def kept(connection: Connection, search_filter: SearchFilter | None) -> list[int]:
    """The numbers of the rows that the compiled filter keeps."""
    compiled = compile_filter(search_filter)
    found = connection.execute(
        sql.SQL("SELECT d.content_sha256 FROM pgask.documents d WHERE {}").format(compiled.condition),
        compiled.parameters,
    )
    return sorted(int(row[0]) for row in found)


@settings(max_examples=60)
@given(
    made=st.lists(rows, min_size=1, max_size=8, unique_by=lambda row: row["source"]),
    trees=st.lists(conditions, min_size=10, max_size=10),
)
def test_sql_and_python_keep_the_same(
    documents: tuple[Connection, int], made: list[Row], trees: list[Condition]
) -> None:
    write(*documents, made)
    for tree in trees:
        expected = [number for number, row in enumerate(made) if holds(tree, row)]
        assert kept(documents[0], SearchFilter(where=tree)) == expected, (tree, made)


def _one(**fields: Any) -> Row:
    moment = datetime(2024, 2, 29, 12, tzinfo=UTC)
    row = {"source": "", "title": "", "language": "en", "media_type": "", "metadata": {}}
    return row | {"created_at": moment, "updated_at": moment} | fields


@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_names_are_found_in_both_forms_of_their_letters(
    documents: tuple[Connection, int], asked: Literal["NFC", "NFD"]
) -> None:
    """F-1134: a folder that macOS wrote was not found by what is typed, and the other way round."""
    names = ["docs/Résumés/été.md", "docs/ガイド/が.md", "docs/안내/글.md", "docs/Re/a.md"]
    made = list(dict.fromkeys(normalize(form, name) for name in names for form in ("NFC", "NFD")))
    write(*documents, [_one(source=source) for source in made])
    for name in names[:3]:
        expected = [number for number, source in enumerate(made) if normalize("NFC", source) == name]
        assert len(expected) == 2
        typed = normalize(asked, name)
        folder = typed.rpartition("/")[0] + "/"
        assert kept(documents[0], SearchFilter(folder)) == expected
        assert kept(documents[0], SearchFilter(where=StartsWith("source", folder))) == expected
        assert kept(documents[0], SearchFilter(where=OneOf("source", (typed,)))) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (OneOf(MetadataKey(("tags",)), ("x",)), [0, 1]),
        (Negation(OneOf(MetadataKey(("tags",)), ("x",))), [2, 3]),
        (Exists(MetadataKey(("tags",))), [0, 1, 2]),
        (OneOf(MetadataKey(("nested", "key")), (7.0,)), [2]),
        (Within(MetadataKey(("when",)), "2024-02-29", "2024-02-29"), [0, 1]),
        (Within(MetadataKey(("when",)), "2024-02-29T12:00Z", None), [1]),
        (Within(MetadataKey(("when",)), "2", "3"), [0, 1, 2]),
        (Within("updated_at", None, "2024-02-29"), [0, 1, 2]),
        (OneOf("updated_at", ("2024-03-01", "2024-02-29T12:00:00Z")), [0, 1, 2, 3]),
        (StartsWith("source", "docs/"), [0, 2]),
        (StartsWith("source", "docs\U0010ffff"), [1]),
        (Within("source", "docs/", "docs/zz"), [0, 2]),
    ],
)
def test_what_each_test_of_a_field_means(
    documents: tuple[Connection, int], condition: Condition, expected: list[int]
) -> None:
    write(
        *documents,
        [
            _one(source="docs/a", metadata={"tags": "x", "when": "2024-02-29"}),
            _one(
                source="docs\U0010ffff/b", metadata={"tags": ["y", "x"], "when": "2024-03-01T01:00:00+02:00"}
            ),
            _one(source="docs/z", metadata={"tags": ["xx"], "nested": {"key": 7}, "when": "2024-02-30"}),
            _one(source="d", updated_at=datetime(2024, 2, 29, tzinfo=UTC) + timedelta(days=1)),
        ],
    )
    assert kept(documents[0], SearchFilter(where=condition)) == expected


def test_a_prefix_of_the_source_is_found_by_its_index(database: Database) -> None:
    collection_id = open_collection(database).id
    compiled = compile_filter(SearchFilter(where=StartsWith("source", "docs/0001")))
    statement = sql.SQL("EXPLAIN SELECT FROM pgask.documents d WHERE d.collection_id = {} AND {}").format(
        collection_id, compiled.condition
    )
    with connect(database.app) as connection, connect(database.owner) as owner:
        write(connection, collection_id, [_one(source=f"docs/{number:05}") for number in range(2_000)])
        owner.execute("VACUUM ANALYZE pgask.documents")  # only its owner may
        plan = "\n".join(row[0] for row in connection.execute(statement, compiled.parameters))
    assert "source >= " in plan.split("Index Cond", 1)[1].split("Filter", 1)[0]
