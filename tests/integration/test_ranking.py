"""What a search remembers of a collection, when that changes; which candidates become hits. The ranking itself is in
tests/integration/test_oracle.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import psycopg
import pytest

from app.domain import OneOf, SearchFilter
from app.errors import EmbeddingMismatchError
from app.index.maintenance import rebuild
from app.index.manifest import IndexSettings
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.search import plan
from app.search.plan import SearchMemory
from app.search.ranking import Ranking, RankingSettings
from app.store.connection import AsyncPool, Database, connect, run_alone, transaction
from app.store.connection_pool import open_pool
from app.store.documents import replace_document
from app.store.sources import remove_documents
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import FAKE, embed_document, open_collection, random_text, version_of
from tests.integration.searching import search_pool
from tests.integration.vectors import add_rows, clustered

pytestmark = pytest.mark.integration

QUESTIONS = [
    "vector index probe recall",
    "weight",
    "索引和召回的向量 index",
    "查询 文档",
    "nowhere at all",
    "?",
]


def put(database: Database, source: str, text: str, **metadata: object) -> None:
    with connect(database.app) as app:
        embedded = embed_document(text, chunk_tokens=40, metadata=metadata)
        replace_document(app, open_collection(database), version_of(source, text), embedded)


def fill(database: Database, count: int = 30) -> None:
    for number in range(count):
        chinese = number % 4 == 3
        text = random_text(number, 1 + number % 13, chinese=chinese)
        put(database, f"{number}.txt", text, lang="zh" if chinese else "en")


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[AsyncPool]:
    async with open_pool(database.app, size=2, statement_timeout_s=10) as opened:
        yield opened


class Remembering:
    """Searches that remember, as a retriever's do."""

    def __init__(self, pool: AsyncPool, **settings: Any) -> None:
        self._pool = pool
        self._memory = SearchMemory()
        self._settings = RankingSettings(**settings)

    async def search(self, question: str, search_filter: SearchFilter | None = None) -> Ranking:
        return await search_pool(
            self._pool,
            question,
            search_filter=search_filter,
            candidates=50,
            settings=self._settings,
            memory=self._memory,
            projection="hits",
        )


async def test_what_is_left_out_makes_room(database: Database, pool: AsyncPool) -> None:
    for number in range(40):
        put(database, f"same{number}.txt", "Weight of the very same page, word for word, in every copy.")
    fill(database, 12)
    found = await Retriever(pool, FAKE, RetrievalSettings()).retrieve("weight page copy", "default", 3)
    assert [hit.source.startswith("same") for hit in found.hits] == [True, False, False]
    assert [hit.rank for hit in found.hits] == [1, 2, 3]
    settings = RetrievalSettings(max_per_document=1)
    capped = await Retriever(pool, FAKE, settings).retrieve("vector index", "default", 8)
    assert len({hit.document_id for hit in capped.hits}) == len(capped.hits) == 8


async def test_an_index_that_comes_and_a_collection_that_grows_are_noticed(
    database: Database, pool: AsyncPool
) -> None:
    collection = open_collection(database)
    rng = np.random.default_rng(4)
    with connect(database.app) as app:
        add_rows(app, collection, clustered(rng, 1_200), "first.txt")
    search = Remembering(pool, exact_max_rows=100)
    assert (await search.search("anything")).plan.exact
    with connect(database.owner) as owner:
        first = rebuild(owner, collection.space_id, IndexSettings(min_rows=1_000, target_recall=0.9))
        assert (await search.search("anything")).plan.probes == first.probes
        with connect(database.app) as app:
            add_rows(app, collection, clustered(rng, 600), "second.txt")
        assert (await search.search("anything")).plan.rows == 1_800
        second = rebuild(owner, collection.space_id, IndexSettings(min_rows=1_000, target_recall=0.9))
    after = await search.search("anything")
    assert after.plan.index is not None
    assert after.plan.index.build > 1
    assert after.plan.probes == second.probes


async def test_a_filter_that_keeps_much_of_an_indexed_space_is_asked_last(
    database: Database, pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "FILTER_FIRST_ROWS", 300)
    monkeypatch.setattr(plan, "EXACT_ROWS", 300)
    monkeypatch.setattr(plan, "VISITED_ROWS", 500)
    collection = open_collection(database)
    rng = np.random.default_rng(5)
    with connect(database.app) as app:
        add_rows(app, collection, clustered(rng, 3_000), "much/a.txt")
        add_rows(app, collection, clustered(rng, 800), "more/b.txt")
        add_rows(app, collection, clustered(rng, 200), "few/c.txt")
    with connect(database.owner) as owner:
        rebuild(owner, collection.space_id, IndexSettings(min_rows=1_000, target_recall=0.9))
    search = Remembering(pool, exact_max_rows=100)
    for _ in range(2):
        few = (await search.search("anything", SearchFilter(source_prefix="few/"))).plan
        assert (few.exact, few.rows, few.filter_order) == (True, 200, "first")
        more = (await search.search("anything", SearchFilter(source_prefix="more/"))).plan
        assert (more.exact, more.rows, more.filter_order) == (True, 800, "last")
        much = await search.search("anything", SearchFilter(source_prefix="much/"))
        assert (much.plan.exact, much.plan.rows, much.plan.filter_order) == (False, 3_000, "last")
        assert len(much.chunks) == 50


async def test_f_1304_a_wide_filter_is_evaluated_once(database: Database) -> None:
    """It was evaluated for the one statement, for the count and for the search, of every question."""
    for number in range(3):
        put(database, f"{number}.txt", random_text(number, 3))
    many = 3_000
    with connect(database.owner) as owner:
        owner.execute(
            "INSERT INTO pgask.documents (collection_id, source, status, language, chunk_count)"
            " SELECT id, 'more/' || n, 'ready', 'en', 100 FROM pgask.collections, generate_series(1, %s) n",
            [many],
        )
        owner.execute("UPDATE pgask.collections SET chunk_count = chunk_count + 100 * %s", [many])
        owner.execute("VACUUM ANALYZE pgask.documents")
    english = SearchFilter(where=OneOf("language", ("en",)))
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool:
        for explain in (False, True):
            retriever = Retriever(pool, FAKE, RetrievalSettings(candidates=2))
            evaluations = []
            for number in range(3):
                before = await documents_read(pool)
                found = await retriever.retrieve(
                    QUESTIONS[number], "default", 1, english, explain=explain and number == 0
                )
                evaluations.append(round((await documents_read(pool) - before) / many))
                assert found.plan.rows > 100 * many
                assert len(found.hits) == 1
            assert evaluations == [2, 1, 1]  # what it keeps is not known at first
        with connect(database.app) as app:  # now it keeps little, which is noticed
            app.execute("DELETE FROM pgask.documents WHERE source LIKE 'more/%'")
        for _ in range(2):
            found = await retriever.retrieve(QUESTIONS[0], "default", 1, english)
            assert len(found.hits) == 1
        assert found.plan.rows < 100


async def documents_read(pool: AsyncPool) -> int:
    """How many rows of documents were read until now."""
    async with pool.connection() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
    async with pool.connection() as connection:
        row = await (
            await connection.execute(
                "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relid = 'pgask.documents'::regclass"
            )
        ).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_collection_made_anew_in_another_space_is_refused(
    database: Database, pool: AsyncPool
) -> None:
    put(database, "a.txt", "Some words.")
    search = Remembering(pool)
    assert len((await search.search("words")).chunks) == 1
    other = FakeEmbedder("other")
    with connect(database.app) as app:
        remove_documents(app, open_collection(database), ["a.txt"])
    collection = open_collection(database, other)
    assert (await search.search("words")).chunks == ()  # empty, of another space
    with connect(database.app) as app:
        embedded = embed_document("Other words.")
        replace_document(app, collection, version_of("b.txt", "Other words."), embedded)
    with pytest.raises(EmbeddingMismatchError, match="stored 'other', configured 'fake'"):
        await search.search("words")


async def test_settings_of_a_statement_stay_with_it(database: Database) -> None:
    """A transaction on the same connection has PostgreSQL's own; a lost connection is replaced."""
    put(database, "a.txt", "Some words.")
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool:
        search = Remembering(pool)
        for _ in range(2):
            await search.search("words")
            modes = []
            async with transaction(pool) as connection:
                modes.append(await (await connection.execute("SHOW plan_cache_mode")).fetchall())
            await run_alone(pool, lambda connection: connection.set_lasting({"ivfflat.probes": "7"}))
            async with transaction(pool) as connection:
                modes.append(await (await connection.execute("SHOW ivfflat.probes")).fetchall())
            assert modes == [[("auto",)], [("1",)]]
        with psycopg.connect(database.app, autocommit=True) as killer:
            killer.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user"
            )
        assert len((await search.search("words")).chunks) == 1
