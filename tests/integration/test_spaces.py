"""The manifest: one space for one model, and no collection with vectors of two."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.errors import EmbeddingMismatchError, InvalidRequestError, NotFoundError, StoreError
from app.lexicon import LEXICON_VERSION
from app.search.plan import read_collections
from app.store.connection import Database, connect, transaction
from app.store.connection_pool import open_pool
from app.store.documents import replace_document
from app.store.spaces import check_spaces, ensure_collection, ensure_space, find_collection, peek_collection
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import FAKE, embed_document, open_collection, version_of

pytestmark = pytest.mark.integration

OTHERS: dict[str, FakeEmbedder] = {
    "model": FakeEmbedder("other-model"),
    "weights_sha256": FakeEmbedder(weights_sha256="f" * 64),
    "query_prefix": FakeEmbedder(query_prefix="query: "),
    "passage_prefix": FakeEmbedder(passage_prefix="passage: "),
    "dimension": FakeEmbedder(dimension=32),
}


def fill(database: Database, name: str = "default") -> None:
    collection = open_collection(database, FAKE, name)
    with connect(database.app) as app:
        replace_document(app, collection, version_of("a.txt", "A text."), embed_document("A text."))


def count(database: Database, table: str) -> int:
    with connect(database.app) as app:
        row = app.execute(f"SELECT count(*) FROM pgask.{table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_space_is_made_once(database: Database) -> None:
    def ensure(_: int) -> int:
        with connect(database.owner) as owner:
            return ensure_space(owner, FAKE.space)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ensure, range(6)))) == 1
    assert count(database, "embedding_spaces") == 1


def test_every_field_makes_another_space(database: Database) -> None:
    with connect(database.owner) as owner:
        ids = {ensure_space(owner, embedder.space) for embedder in (FAKE, *OTHERS.values())}
    assert len(ids) == 1 + len(OTHERS)


def test_a_role_that_may_not_create_tables_is_told(database: Database) -> None:
    with connect(database.app) as app, pytest.raises(StoreError, match="PGASK_OWNER_DATABASE_URL"):
        ensure_space(app, FAKE.space)
    assert count(database, "embedding_spaces") == 0


@pytest.mark.parametrize("field", OTHERS)
async def test_another_model_is_refused_with_both_values_and_the_way_out(
    database: Database, field: str
) -> None:
    fill(database)
    other = OTHERS[field].space
    stored, wanted = repr(getattr(FAKE.space, field)), repr(getattr(other, field))
    refusals: list[EmbeddingMismatchError] = []
    with connect(database.app) as app, connect(database.owner) as owner:
        space_id = ensure_space(owner, other)
        attempts: list[Callable[[], object]] = [
            lambda: ensure_collection(app, "default", space_id),
            lambda: peek_collection(app, "default", other),
            lambda: check_spaces(app, other),
        ]
        for attempt in attempts:
            with pytest.raises(EmbeddingMismatchError) as refused:
                attempt()
            refusals.append(refused.value)
    async with open_pool(database.app, size=1, statement_timeout_s=5) as pool, transaction(pool) as reader:
        with pytest.raises(EmbeddingMismatchError) as refused:
            await read_collections(reader, "default", other)
        refusals.append(refused.value)
    for refusal in refusals:
        assert f"{field}: stored {stored}, configured {wanted}" in str(refusal)
        assert "'default'" in str(refusal)
        assert "pgask collections delete default" in str(refusal)
        assert "lexicon_version" not in str(refusal)  # names what differs and nothing else
    assert open_collection(database).name == "default"  # untouched by the refusals


@pytest.mark.parametrize(
    ("stored", "way_out"),
    [(0, "Run `ingest` on any of its folders once"), (99, "Use that version, or delete")],
)
async def test_another_lexicon_is_refused(database: Database, stored: int, way_out: str) -> None:
    fill(database)
    with connect(database.app) as app:
        app.execute("UPDATE pgask.collections SET lexicon_version = %s", [stored])
        wanted = rf"lexicon_version: stored {stored}, configured {LEXICON_VERSION}\). {way_out}"
        if stored > LEXICON_VERSION:
            with pytest.raises(EmbeddingMismatchError, match=wanted):
                open_collection(database)
        else:  # the run makes them anew
            assert open_collection(database).lexicon_version == stored
        with pytest.raises(EmbeddingMismatchError, match=wanted):
            check_spaces(app, FAKE.space)
    async with open_pool(database.app, size=1, statement_timeout_s=5) as pool, transaction(pool) as reader:
        with pytest.raises(EmbeddingMismatchError, match=wanted):
            await read_collections(reader, "default", FAKE.space)


def test_an_empty_collection_moves_to_the_configured_space(database: Database) -> None:
    before = open_collection(database)
    after = open_collection(database, OTHERS["model"])
    assert after.id == before.id
    assert after.space_id != before.space_id
    assert open_collection(database) == before


def test_a_collection_whose_documents_were_removed_moves(database: Database) -> None:
    fill(database)
    with connect(database.app) as app:
        app.execute("DELETE FROM pgask.documents")
    assert open_collection(database, OTHERS["dimension"]).name == "default"


def test_collections_of_two_models_live_side_by_side_but_are_not_mixed(database: Database) -> None:
    fill(database, "old")
    open_collection(database, OTHERS["model"], "new")
    with connect(database.app) as app, pytest.raises(EmbeddingMismatchError, match="'old'"):
        check_spaces(app, OTHERS["model"].space)


BAD_NAMES = [
    "",
    " ",
    "a ",
    " a",
    "_a",
    "a_",
    "-a",
    "a/b",
    "a\nb",
    "a\n",
    "a'b",
    'a"b',
    "a;b",
    "x" * 65,
    "a\0b",
    "…",
]


def test_bad_names_are_refused_and_nothing_is_made(database: Database) -> None:
    for name in BAD_NAMES:
        with pytest.raises(InvalidRequestError, match="1 to 64"):
            open_collection(database, FAKE, name)
    assert count(database, "collections") == 0


def test_good_names(database: Database) -> None:
    for name in ("a", "x" * 64, "手册", "Handbuch für alle", "a-b_c.d e", "2026", "名称 2"):
        assert open_collection(database, FAKE, name).name == name


def test_peeking_writes_nothing(database: Database) -> None:
    with connect(database.app) as app:
        assert peek_collection(app, "default", FAKE.space) is None
        assert count(database, "collections") == count(database, "embedding_spaces") == 0
        made = open_collection(database)
        assert peek_collection(app, "default", FAKE.space) == made
        assert peek_collection(app, "default", OTHERS["model"].space) is None  # empty: it would move
        assert find_collection(app, "default") == made


def test_a_collection_that_does_not_exist(database: Database) -> None:
    with connect(database.app) as app, pytest.raises(NotFoundError, match="pgask collections"):
        find_collection(app, "none")


def stored_rows(database: Database) -> list[Any]:
    with connect(database.app) as app:
        return app.execute(
            "SELECT id FROM pgask.documents UNION ALL SELECT document_id FROM pgask.chunks"
        ).fetchall()


def test_nothing_is_stored_in_a_collection_that_moved_meanwhile(database: Database) -> None:
    stale = open_collection(database)
    open_collection(database, OTHERS["model"])
    with connect(database.app) as app, pytest.raises(EmbeddingMismatchError, match="'default' was moved"):
        replace_document(app, stale, version_of("a.txt", "A text."), embed_document("A text."))
    assert stored_rows(database) == []


def test_nothing_is_stored_in_a_collection_that_was_deleted_meanwhile(database: Database) -> None:
    gone = open_collection(database)
    with connect(database.app) as app:
        app.execute("DELETE FROM pgask.collections")
        with pytest.raises(NotFoundError, match="'default' was deleted"):
            replace_document(app, gone, version_of("a.txt", "A text."), embed_document("A text."))
    assert stored_rows(database) == []
