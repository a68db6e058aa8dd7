"""From a question to ranked chunks, over the bundled corpus, on the real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import numpy as np
import psycopg
import pytest

from app.domain import SearchFilter
from app.errors import EmbeddingMismatchError, NotFoundError, StoreError, StoreUnavailableError
from app.index.maintenance import rebuild
from app.index.manifest import IndexSettings
from app.retrieval.retriever import MAX_QUERY_TERMS, RetrievalSettings, Retriever
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from app.store.texts import whole_text
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import FAKE, ingest, open_collection, random_text
from tests.integration.processes import ROOT
from tests.integration.vectors import add_rows, clustered

pytestmark = pytest.mark.integration

CORPUS = ROOT / "corpus"


@pytest.fixture
def filled(database: Database) -> Database:
    report = ingest(database, CORPUS)
    assert report.failed == []
    assert report.new > 10
    return database


@pytest.fixture
async def retriever(filled: Database) -> AsyncIterator[Retriever]:
    async with open_pool(filled.app, size=4, statement_timeout_s=10) as pool:
        yield Retriever(pool, FAKE, RetrievalSettings())


def sentences(database: Database, every: int) -> list[tuple[str, str, str]]:
    """Source, chunk id and text of some stored sentences, long enough to be told from others."""
    with connect(database.app) as app:
        found = app.execute(
            f"SELECT d.source, k.id::text, k.sentences, {whole_text('d.id')} FROM pgask.chunks k JOIN pgask.documents d"
            " ON d.id = k.document_id ORDER BY k.id"
        ).fetchall()
    chosen = []
    for source, chunk_id, offsets, text in found[::every]:
        spans = [(text[a:b], b - a) for a, b in zip(offsets[::2], offsets[1::2], strict=True)]
        sentence, length = max(spans, key=lambda span: span[1], default=("", 0))
        if length > 60:
            chosen.append((source, chunk_id, sentence))
    return chosen


async def test_a_sentence_finds_its_own_chunk(filled: Database, retriever: Retriever) -> None:
    asked = sentences(filled, 6)
    assert len(asked) >= 10
    first = 0
    for _, _, sentence in asked:
        found = await retriever.retrieve(sentence, "default", 5)
        holding = [hit.rank for hit in found.hits if sentence in hit.text]
        assert holding, sentence
        first += holding[0] == 1
    assert first >= 0.9 * len(asked)


async def test_hits_are_ranked_and_whole(filled: Database, retriever: Retriever) -> None:
    for question in ("How do I choose the number of ivfflat lists?", "如何选择分块大小？"):
        found = await retriever.retrieve(question, "default", 8)
        assert [hit.rank for hit in found.hits] == list(range(1, 9))
        scores = [hit.score for hit in found.hits]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert len({hit.chunk_id for hit in found.hits}) == 8
        assert found.plan.exact
        assert set(found.timings_ms) == {"embed", "retrieve"}
        for hit in found.hits:
            assert hit.scores.dense is not None
            assert -1 <= hit.scores.dense <= 1.001
            assert hit.scores.lexical is not None
            assert hit.place_at(hit.char_start).heading == hit.places[0].heading
            text = (CORPUS / hit.source).read_text("utf-8")
            assert hit.text == text[hit.char_start : hit.char_end]
        again = await retriever.retrieve(question, "default", 8)
        assert [hit.chunk_id for hit in again.hits] == [hit.chunk_id for hit in found.hits]
        # the last digit is that of the order in which PostgreSQL finds the rows that it adds up
        assert [hit.score for hit in again.hits] == pytest.approx(scores, abs=1e-9)
    assert any(hit.source.startswith("zh/") for hit in found.hits[:3])  # the Chinese question


async def test_fewer_are_the_best_of_more(retriever: Retriever) -> None:
    more = await retriever.retrieve("vector index recall", "default", 10)
    fewer = await retriever.retrieve("vector index recall", "default", 3)
    assert fewer.hits == more.hits[:3]


async def test_filters_hold(retriever: Retriever) -> None:
    for prefix in ("zh/", "en/"):
        found = await retriever.retrieve(
            "ivfflat lists 列表", "default", 20, SearchFilter(source_prefix=prefix)
        )
        assert found.hits
        assert all(hit.source.startswith(prefix) for hit in found.hits)
    nothing = await retriever.retrieve("ivfflat", "default", 5, SearchFilter(metadata={"lang": "none"}))
    assert nothing.hits == ()


async def test_a_collection_that_is_not_there_and_another_model(
    filled: Database, retriever: Retriever
) -> None:
    with pytest.raises(NotFoundError, match="'none'"):
        await retriever.retrieve("anything", "none", 5)
    async with open_pool(filled.app, size=1, statement_timeout_s=10) as pool:
        other = Retriever(pool, FakeEmbedder("other"), RetrievalSettings())
        with pytest.raises(EmbeddingMismatchError, match="stored 'fake', configured 'other'"):
            await other.retrieve("anything", "default", 5)


@pytest.mark.parametrize(
    "question", ["", " ", "?", "的", "the of", "\u200b", "'; --", "%s {} \\", "🙂", "a" * 8_000]
)
async def test_odd_questions_are_answered(retriever: Retriever, question: str) -> None:
    found = await retriever.retrieve(question, "default", 3)
    assert len(found.hits) == 3


async def test_a_question_of_many_words(retriever: Retriever) -> None:
    found = await retriever.retrieve(" ".join(f"word{number}" for number in range(900)), "default", 3)
    assert len(found.term_weights) == MAX_QUERY_TERMS


async def test_many_at_once(retriever: Retriever) -> None:
    alone = await retriever.retrieve("vector index recall", "default", 5)
    found = await asyncio.gather(
        *(retriever.retrieve("vector index recall", "default", 5) for _ in range(24))
    )
    assert all(retrieved.hits == alone.hits for retrieved in found)


async def test_a_document_replaced_meanwhile_never_shows_half(database: Database, tmp_path: Path) -> None:
    """Searches beside writes: each finds chunks of one version, with texts that are theirs."""
    texts = ["alpha " + random_text(1, 40), "beta " + random_text(2, 80)]
    file = tmp_path / "a.txt"
    file.write_text(texts[0], "utf-8")
    ingest(database, tmp_path)

    def write() -> None:
        for turn in range(12):
            file.write_text(texts[(turn + 1) % 2], "utf-8")
            ingest(database, tmp_path)

    writing = asyncio.create_task(asyncio.to_thread(write))
    searches = 0
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool:
        retriever = Retriever(pool, FAKE, RetrievalSettings())
        while not writing.done():
            found = await retriever.retrieve("vector index probe", "default", 50)
            searches += 1
            assert found.hits
            assert len(found.hits) == found.plan.rows
            versions = [
                all(hit.text == text[hit.char_start : hit.char_end] for hit in found.hits) for text in texts
            ]
            assert versions.count(True) == 1
    await writing
    assert searches > 5


async def test_a_lost_connection_is_made_anew(filled: Database, retriever: Retriever) -> None:
    before = await retriever.retrieve("vector index recall", "default", 5)
    with psycopg.connect(filled.app, autocommit=True) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user"
        )
    assert (await retriever.retrieve("vector index recall", "default", 5)).hits == before.hits


async def test_a_search_that_takes_too_long_says_so(filled: Database) -> None:
    with psycopg.connect(filled.owner) as owner:
        owner.execute("LOCK TABLE pgask.postings")
        async with open_pool(filled.app, size=1, statement_timeout_s=0.2) as pool:
            with pytest.raises(StoreError, match="PGASK_STATEMENT_TIMEOUT_S") as refused:
                await Retriever(pool, FAKE, RetrievalSettings()).retrieve("vector", "default", 5)
    assert refused.value.code == "statement_timeout"
    assert not isinstance(refused.value, StoreUnavailableError)


async def test_weights_choose_between_the_legs(filled: Database) -> None:
    async with open_pool(filled.app, size=1, statement_timeout_s=10) as pool:
        for weight in (0.0, 1.0):
            settings = RetrievalSettings(dense_weight=weight)
            found = await Retriever(pool, FAKE, settings).retrieve("ivfflat lists probes", "default", 10)
            dense, lexical = zip(
                *((hit.scores.dense or 0, hit.scores.lexical or 0) for hit in found.hits), strict=True
            )
            standard = [hit.standard for hit in found.hits]
            if weight:
                assert standard == sorted(standard, reverse=True)
            else:
                assert lexical[0] == max(lexical)
                assert list(dense) != sorted(dense, reverse=True)


@pytest.mark.parametrize("method", ["ivfflat", "hnsw"])
async def test_an_explanation_names_the_index_and_its_probes(
    database: Database, method: Literal["ivfflat", "hnsw"]
) -> None:
    collection = open_collection(database)
    with connect(database.app) as app:
        for number in range(3):
            add_rows(app, collection, clustered(np.random.default_rng(number), 500), f"{number}.txt")
    wanted = IndexSettings(min_rows=1_000, target_recall=0.9, method=method)
    with connect(database.owner) as owner:
        built = rebuild(owner, collection.space_id, wanted)
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool:
        by_index = Retriever(pool, FAKE, RetrievalSettings(exact_max_rows=100))
        shown = (await by_index.retrieve("anything", "default", 5, explain=True)).explanation
        exactly = Retriever(pool, FAKE, RetrievalSettings(exact_max_rows=10_000))
        compared = (await exactly.retrieve("anything", "default", 5, explain=True)).explanation
    assert shown is not None
    assert compared is not None
    assert (shown.search, shown.probes, shown.rows) == (method, built.probes, 1_500)
    assert (shown.probes is None) == (method == "hnsw")
    assert (compared.search, compared.probes, compared.rows) == ("exact", None, 1_500)
    assert len(shown.candidates) == len(compared.candidates) == 50
