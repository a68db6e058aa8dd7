"""R29: 500 hostile strings in every field, key, operator and value of a search: data to the service, never SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient
from psycopg import sql

from app.store.connection import Database, connect
from tests.injection import STRINGS

pytestmark = pytest.mark.integration

Body = dict[str, Any]
QUESTION = "How many lists and backups?"


def metadata_field(text: str) -> str:
    """A key that is exactly this text."""
    return "metadata." + text.replace("\\", "\\\\").replace(".", "\\.")


def each_test(field: str, text: str) -> list[Body]:
    """Every operator on a field, with the text for its values."""
    return [
        {"field": field, "op": "equal", "value": text},
        {"field": field, "op": "in", "values": [text, "x" + text]},
        {"field": field, "op": "range", "from": text, "to": text + "\U0010ffff"},
        {"field": field, "op": "prefix", "value": text},
    ]


# Where a string goes, and whether what is asked may find what an ordinary question finds (else it must find nothing).
PLACES: list[tuple[str, Callable[[str], Body], bool]] = [
    ("question", lambda text: {"question": text}, True),
    ("collection", lambda text: {"collection": text}, False),
    ("source_prefix", lambda text: {"filter": {"source_prefix": text}}, False),
    ("metadata key and value", lambda text: {"filter": {"metadata": {text: text, "nested": {text: [text]}}}}, False),
    ("field", lambda text: {"filter": {"field": text, "op": "equal", "value": "x"}}, False),
    ("op", lambda text: {"filter": {"field": "source", "op": text, "value": "x"}}, False),
    ("word of a tree", lambda text: {"filter": {text: [{"field": "source", "op": "exists"}]}}, True),
    ("field of the body", lambda text: {text: text}, True),
    ("metadata field", lambda text: {"filter": {"any": each_test(metadata_field(text), text)}}, False),
    ("columns' values", lambda text: {"filter": {"any": each_test("source", text) + each_test("title", text)}}, False),
    ("time", lambda text: {"filter": {"field": "updated_at", "op": "range", "from": text}}, False),
    ("exists", lambda text: {"filter": {"not": {"field": metadata_field(text), "op": "exists"}}}, True),
]  # fmt: skip


@pytest.fixture(scope="module")
def usual(client: TestClient) -> set[str]:
    """The chunks that an ordinary question finds: all there are."""
    found = chunks(client.post("/search", json={"question": QUESTION, "top_k": 50}).json())
    assert len(found) >= 3
    return found


def chunks(reply: Body) -> set[str]:
    return {hit["chunk_id"] for hit in reply["hits"]}


def sources_that_start_so(client: TestClient, text: str) -> bool:
    documents = client.get("/documents").json()["documents"]
    return any(document[name].startswith(text) for document in documents for name in ("source", "title"))


def test_there_are_five_hundred() -> None:
    assert len(set(STRINGS)) == 500


@pytest.mark.parametrize(
    "strings", [STRINGS[::4], pytest.param(STRINGS, marks=pytest.mark.long)], ids=["some", "all"]
)
@pytest.mark.parametrize(("place", "put", "may_find"), PLACES, ids=[place for place, _, _ in PLACES])
def test_a_hostile_string_is_refused_or_finds_what_it_should(
    client: TestClient,
    filled: Database,
    usual: set[str],
    *,
    strings: Sequence[str],
    place: str,
    put: Callable[[str], Body],
    may_find: bool,
) -> None:
    before = contents(filled)
    statuses = set()
    for text in strings:
        reply = client.post("/search", json={"question": QUESTION, "top_k": 50} | put(text))
        statuses.add(reply.status_code)
        if reply.status_code == 200:
            found = chunks(reply.json())
            assert (
                found in (set(), usual) if may_find else not found or sources_that_start_so(client, text)
            ), text
        else:
            assert 400 <= reply.status_code < 500, (text, reply.text)
            assert reply.json()["code"] in ("invalid_request", "not_found"), text
    assert contents(filled) == before
    assert statuses & {200, 404, 422}, place


@pytest.mark.parametrize("text", STRINGS[::10])
def test_questions_and_messages_too(client: TestClient, text: str) -> None:
    tree = {"any": each_test(metadata_field(text), text)}
    for path, body in (
        ("/ask", {"question": text, "filter": tree}),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": text}], "pgask": {"filter": tree}},
        ),
    ):
        reply = client.post(path, json={"model": "pgask"} | body if path != "/ask" else body)
        assert reply.status_code == 200 or 400 <= reply.status_code < 500, (path, reply.text)


def contents(database: Database) -> list[tuple[Any, ...]]:
    """Every table of ours with the number and a hash of its rows, but the one that searches write."""
    with connect(database.app, vectors=False) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('pgask', 'pgask_vectors')"
            " AND tablename <> 'question_vectors' ORDER BY 1, 2"
        ).fetchall()
        count = sql.SQL("SELECT {}::text, count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {} t")
        return [
            row
            for schema, name in tables
            for row in connection.execute(count.format(name, sql.Identifier(schema, name)))
        ]
