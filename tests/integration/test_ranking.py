"""The search by one statement against the search in steps, and what is known of a collection when that changes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import psycopg
import pytest

from app.domain import OneOf, SearchFilter
from app.errors import EmbeddingMismatchError
from app.index.maintenance import rebuild
from app.index.manifest import IndexSettings
from app.lexicon import terms
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.retrieval.usual import Usual, UsualSearch
from app.search.ranking import RankingQuery
from app.store.connection import AsyncPool, Database, connect, open_pool, run_alone, transaction
from app.store.documents import replace_document
from app.store.sources import remove_documents
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import FAKE, embed_document, open_collection, random_text, version_of
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


def query(
    question: str, search_filter: SearchFilter | None = None, *, top_k: int = 5, shown: int = 20
) -> RankingQuery:
    vector = FAKE.embed_queries([question])[0]
    asked = list(dict.fromkeys(terms(question)))
    return RankingQuery("default", vector, asked, 0.0, search_filter, top_k, shown)


def usual(pool: AsyncPool, settings: RetrievalSettings | None = None) -> UsualSearch:
    settings = settings or RetrievalSettings()
    return UsualSearch(pool, FAKE.space, settings.ranking(), settings.max_per_document)


async def found(search: UsualSearch, asked: RankingQuery) -> Usual:
    result = await search.search(asked)
    assert result is not None
    return result


@pytest.mark.parametrize("reads_han", [True, False])
@pytest.mark.parametrize("dense_weight", [0.0, 0.6, 1.0])
async def test_one_statement_finds_and_scores_as_the_steps_do(
    database: Database, pool: AsyncPool, dense_weight: float, reads_han: bool
) -> None:
    fill(database)
    settings = RetrievalSettings(candidates=10, dense_weight=dense_weight)
    embedder = FakeEmbedder(reads_han=reads_han)
    with connect(database.owner) as owner:  # as a model that reads no Chinese counts it
        owner.execute(
            'UPDATE pgask.documents SET unknown_tokens = token_count / 2 WHERE metadata @> \'{"lang": "zh"}\''
        )
    retriever = Retriever(pool, embedder, settings)
    for question in QUESTIONS:
        for search_filter in (
            None,
            SearchFilter(metadata={"lang": "zh"}),
            SearchFilter(source_prefix="none"),
        ):
            at_once = await retriever.retrieve(question, "default", 7, search_filter)
            in_steps = await retriever.retrieve(question, "default", 7, search_filter, explain=True)
            if in_steps.hits:
                assert at_once.term_weights == pytest.approx(in_steps.term_weights)
            assert [hit.chunk_id for hit in at_once.hits] == [hit.chunk_id for hit in in_steps.hits]
            for one, other in zip(at_once.hits, in_steps.hits, strict=True):
                assert (one.text, one.places, one.sentences, one.rank) == (
                    other.text, other.places, other.sentences, other.rank,
                )  # fmt: skip
                assert one.score == pytest.approx(other.score)
                if one.score > 0:  # else all windows are equally good
                    assert one.scores.dense == pytest.approx(other.scores.dense)
                assert one.scores.lexical == pytest.approx(other.scores.lexical)
                assert (one.scores.lexical is None) == (dense_weight == 1)


async def test_what_is_left_out_makes_room_or_sends_the_search_back_to_the_steps(
    database: Database, pool: AsyncPool
) -> None:
    for number in range(12):
        put(database, f"same{number}.txt", "Weight of the very same page, word for word, in every copy.")
    fill(database, 12)
    alone = usual(pool)
    hits = (await found(alone, query("weight page copy", top_k=3, shown=20))).hits
    assert [hit.source.startswith("same") for hit in hits] == [True, False, False]
    assert await alone.search(query("weight page copy", top_k=3, shown=6)) is None
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
    search = usual(pool, RetrievalSettings(exact_max_rows=100))
    assert (await found(search, query("anything"))).plan.exact
    with connect(database.owner) as owner:
        first = rebuild(owner, collection.space_id, IndexSettings(min_rows=1_000, target_recall=0.9))
        assert (await found(search, query("anything"))).plan.probes == first.probes
        with connect(database.app) as app:
            add_rows(app, collection, clustered(rng, 600), "second.txt")
        assert (await found(search, query("anything"))).plan.rows == 1_800
        second = rebuild(owner, collection.space_id, IndexSettings(min_rows=1_000, target_recall=0.9))
    after = await found(search, query("anything"))
    assert after.plan.index is not None
    assert after.plan.index.build > 1
    assert after.plan.probes == second.probes


async def test_a_filter_that_keeps_much_of_an_indexed_space_is_left_to_the_steps(
    database: Database, pool: AsyncPool
) -> None:
    collection = open_collection(database)
    rng = np.random.default_rng(5)
    with connect(database.app) as app:
        add_rows(app, collection, clustered(rng, 4_000), "much/a.txt")
        add_rows(app, collection, clustered(rng, 200), "few/b.txt")
    with connect(database.owner) as owner:
        rebuild(owner, collection.space_id, IndexSettings(min_rows=1_000, target_recall=0.9))
    search = usual(pool, RetrievalSettings(exact_max_rows=100))
    few = await found(search, query("anything", SearchFilter(source_prefix="few/")))
    assert (few.plan.exact, few.plan.rows, len(few.hits)) == (True, 200, 5)
    assert await search.search(query("anything", SearchFilter(source_prefix="much/"))) is None


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
    search = usual(pool)
    assert len((await found(search, query("words"))).hits) == 1
    other = FakeEmbedder("other")
    with connect(database.app) as app:
        remove_documents(app, open_collection(database), ["a.txt"])
    collection = open_collection(database, other)
    assert await search.search(query("words")) is None  # empty, of another space
    with connect(database.app) as app:
        embedded = embed_document("Other words.")
        replace_document(app, collection, version_of("b.txt", "Other words."), embedded)
    with pytest.raises(EmbeddingMismatchError, match="stored 'other', configured 'fake'"):
        await search.search(query("words"))


async def test_settings_of_a_statement_stay_with_it(database: Database) -> None:
    """A transaction on the same connection has PostgreSQL's own; a lost connection is replaced."""
    put(database, "a.txt", "Some words.")
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool:
        search = usual(pool)
        for _ in range(2):
            await found(search, query("words"))
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
        assert len((await found(search, query("words"))).hits) == 1
