"""What a search finds: each leg by the book, filters to the letter, nothing for hostile strings."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from app.domain import SearchFilter
from app.errors import NotFoundError
from app.lexicon import terms
from app.search.ranking import RankingSettings
from app.store.chunks import load_chunks
from app.store.connection import Database, PooledConnection, transaction
from app.store.connection_pool import open_pool
from tests import oracle
from tests.integration.ingesting import FAKE, random_text
from tests.integration.searching import NEAR, Corpus, check_order, search, standards_of, unit

pytestmark = pytest.mark.integration

PROBE = FAKE.embed_queries(["probe"])[0]


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[PooledConnection]:
    """A connection of the service's pool; each statement sees the newest state."""
    async with (
        open_pool(database.app, size=1, statement_timeout_s=10) as pool,
        pool.connection() as connection,
    ):
        await connection.set_autocommit(True)
        yield connection


async def check_bm25(reader: PooledConnection, corpus: Corpus, question: list[str]) -> None:
    """The BM25 of every chunk, and of its best window by words alone."""
    by_words = RankingSettings(dense_weight=0, window_share=1)
    found = await search(reader, "probe", question, settings=by_words)
    assert any(chunk.scores.lexical for chunk in found.chunks)
    weights = oracle.Weights(dense_weight=0, window_share=1)
    chunks = corpus.chunks()
    ranked = oracle.rank(
        chunks, PROBE, question, candidates=500, weights=weights, measured_by=standards_of(PROBE)
    )
    expected = {one.candidate.chunk_id: one for one in ranked}
    assert {one.chunk_id for one in found.chunks} == {one.chunk_id for one in chunks} == set(expected)
    shown = [one.explained for one in found.chunks if one.explained is not None]
    for one in shown:
        other = expected[int(one.chunk_id)]
        assert one.lexical == pytest.approx(other.candidate.lexical, abs=1e-9)
        assert one.window_lexical == pytest.approx(max(other.candidate.window_lexicals), abs=1e-9)
        assert (one.lexical_rank is None) == (one.lexical == 0)
    best = sorted((one for one in shown if one.lexical_rank), key=lambda one: one.lexical_rank or 0)
    assert [one.lexical_rank for one in best] == list(range(1, len(best) + 1))
    assert [one.lexical for one in best] == sorted((one.lexical for one in best), reverse=True)


@pytest.mark.parametrize("seed", [100, 200])
async def test_bm25_is_the_textbook_s(database: Database, reader: PooledConnection, seed: int) -> None:
    corpus = Corpus(database)
    other = Corpus(database, "other")  # its words must not count
    other.put("x.txt", random_text(seed, 30))
    corpus.fill(25, seed)
    questions = [
        terms("vector index probe"),
        terms("weight"),
        terms("索引和召回的向量 index"),
        ["nowhere", "index"],
    ]
    for question in questions:
        await check_bm25(reader, corpus, question)
    corpus.put("3.txt", random_text(seed + 70, 40))
    corpus.put("new.txt", "Index index index index. " * 30)
    corpus.remove("5.txt")
    corpus.rename("6.txt", "sixth.txt")
    corpus.put("new.txt", "Index once.")
    for question in questions:
        await check_bm25(reader, corpus, question)


async def test_term_weights_are_of_the_whole_collection(database: Database, reader: PooledConnection) -> None:
    corpus = Corpus(database)
    for number in range(5):
        corpus.put(f"{number}.txt", "Common words." if number else "Common rare.", {"number": number})
    for search_filter in (None, SearchFilter(metadata={"number": 1})):
        found = await search(reader, "probe", ["common", "rare", "absent"], search_filter)
        assert found.term_weights == pytest.approx(
            {
                "common": math.log(1 + 0.5 / 5.5),
                "rare": math.log(1 + 4.5 / 1.5),
                "absent": math.log(1 + 5.5 / 0.5),
            }
        )


async def test_dense_search_is_exact_and_scored_by_windows(
    database: Database, reader: PooledConnection
) -> None:
    corpus = Corpus(database)
    corpus.fill(40)
    rng = np.random.default_rng(5)
    for question in ("vector index probe recall", "查询 文档 分块", rng.standard_normal(64)):
        vector = FAKE.embed_queries([question])[0] if isinstance(question, str) else unit(question)
        found = await search(reader, vector, candidates=10, settings=RankingSettings(dense_weight=1))
        weights = oracle.Weights(dense_weight=1)
        expected = oracle.rank(
            corpus.chunks(), vector, [], candidates=10, weights=weights, measured_by=standards_of(vector)
        )
        check_order(found, expected)
        cosines = {one.candidate.chunk_id: max(one.candidate.cosines) for one in expected}
        for one in found.chunks:
            assert one.scores.dense == pytest.approx(cosines[one.chunk_id], abs=NEAR)
            assert one.scores.lexical is None
        shown = [one.explained for one in found.chunks if one.explained is not None]
        assert sorted(one.dense_rank or 0 for one in shown) == list(range(1, 11))
        assert {one.lexical_rank for one in shown} == {None}


async def test_each_leg_gives_its_best_and_no_more(database: Database, reader: PooledConnection) -> None:
    corpus = Corpus(database)
    corpus.fill(40)
    question = "weight of a page"
    found = await search(reader, question, candidates=10)
    assert 10 <= len(found.chunks) <= 20
    shown = [one.explained for one in found.chunks if one.explained is not None]
    lexical = {one.chunk_id for one in shown if one.lexical_rank is not None}
    dense = {one.chunk_id for one in shown if one.dense_rank is not None}
    assert len(lexical) == len(dense) == 10
    assert lexical - dense
    assert dense - lexical
    expected = oracle.rank(
        corpus.chunks(),
        FAKE.embed_queries([question])[0],
        terms(question),
        candidates=10,
        weights=oracle.Weights(),
        measured_by=standards_of(FAKE.embed_queries([question])[0]),
    )
    check_order(found, expected)


async def test_questions_without_terms_and_empty_collections(
    database: Database, reader: PooledConnection
) -> None:
    corpus = Corpus(database)
    assert (await search(reader, "anything")).chunks == ()
    corpus.put("a.txt", "Some words.")
    found = await search(reader, "?!", [])
    assert len(found.chunks) == 1
    assert found.term_weights == {}
    with pytest.raises(NotFoundError, match="'none'"):
        await search(reader, "anything", collection="none")


SOURCES = [
    "docs/a.md",
    "docs/a%b.md",
    "docs/a_b.md",
    "docs/axb.md",
    r"docs/a\b.md",
    "docs/a'b.md",
    'docs/a"b.md',
    "docs2/a.md",
    "Docs/a.md",
    "文档/甲.md",
    "文档/乙.md",
    "𠀀/a.md",
    "a;DROP TABLE pgask.documents;--.md",
]


async def test_a_prefix_is_taken_to_the_letter(database: Database, reader: PooledConnection) -> None:
    corpus = Corpus(database)
    for source in SOURCES:
        corpus.put(source, "The same words.")
    keys = corpus.places()
    prefixes = [
        "docs/",
        "docs",
        "docs/a%",
        "docs/a_",
        "docs/a\\",
        "docs/a'",
        'docs/a"',
        "%",
        "_",
        "文档/",
        "文",
        "𠀀",
    ]
    for prefix in [
        *prefixes,
        "a;DROP",
        "' OR '1'='1",
        "none",
        "D",
        "\U0010ffff",
        SOURCES[0],
        SOURCES[0] + "x",
    ]:
        found = await search(reader, "same words", search_filter=SearchFilter(source_prefix=prefix))
        sources = sorted(keys[chunk.chunk_id].source for chunk in found.chunks)
        assert sources == sorted(source for source in SOURCES if source.startswith(prefix)), prefix


async def test_metadata_must_contain_all_pairs(database: Database, reader: PooledConnection) -> None:
    corpus = Corpus(database)
    corpus.put("en.txt", "The same words.", {"lang": "en", "year": 2026, "draft": False, "tags": ["a", "b"]})
    corpus.put("zh.txt", "The same words.", {"lang": "zh", "year": 2026, "draft": True, "a'b": 'c"d'})
    corpus.put("none.txt", "The same words.")
    keys = corpus.places()
    expected: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {"en.txt", "zh.txt", "none.txt"}),
        ({"year": 2026}, {"en.txt", "zh.txt"}),
        ({"year": 2026, "lang": "zh"}, {"zh.txt"}),
        ({"year": "2026"}, set()),
        ({"draft": False}, {"en.txt"}),
        ({"tags": ["b"]}, {"en.txt"}),
        ({"a'b": 'c"d'}, {"zh.txt"}),
        ({"lang": "' OR true --"}, set()),
        ({"lang": "fr"}, set()),
    ]
    for metadata, sources in expected:
        found = await search(reader, "same words", search_filter=SearchFilter(metadata=metadata))
        assert {keys[chunk.chunk_id].source for chunk in found.chunks} == sources, metadata
    both = SearchFilter(source_prefix="z", metadata={"year": 2026})
    assert [
        keys[chunk.chunk_id].source for chunk in (await search(reader, "same", search_filter=both)).chunks
    ] == ["zh.txt"]


async def test_a_filter_does_not_push_good_candidates_out(
    database: Database, reader: PooledConnection
) -> None:
    """The limit on candidates is over what the filter keeps, in both legs."""
    corpus = Corpus(database)
    for number in range(40):
        corpus.put(f"near{number}.txt", "weight weight page")
    corpus.put("far.txt", "A page about many other things, and its weight.")
    found = await search(
        reader, "weight page", search_filter=SearchFilter(source_prefix="far"), candidates=10
    )
    assert [corpus.places()[chunk.chunk_id].source for chunk in found.chunks] == ["far.txt"]
    assert (found.chunks[0].scores.lexical or 0) > 0


async def test_injection_strings_change_nothing(database: Database, reader: PooledConnection) -> None:
    corpus = Corpus(database)
    corpus.fill(6)
    before = corpus.places()
    for hostile in (
        "'; DELETE FROM pgask.documents; --",
        "\"}'",
        "%s",
        "%(terms)s",
        "{}",
        "{0}",
        "\\",
        "$1",
        "NULL",
    ):
        found = await search(reader, hostile, [hostile], SearchFilter(hostile, {hostile: hostile}))
        assert found.chunks == ()
        assert len((await search(reader, hostile, [hostile])).chunks) == len(before)
        with pytest.raises(NotFoundError):
            await search(reader, "x", collection=hostile)
    assert corpus.places() == before


async def test_a_transaction_of_the_pool_sees_one_snapshot(database: Database) -> None:
    corpus = Corpus(database)
    corpus.put("a.txt", "The old words.")
    async with open_pool(database.app, size=1, statement_timeout_s=5) as pool, transaction(pool) as reader:
        old = list(await load_chunks(reader, list(corpus.places())))
        corpus.put("a.txt", "The new words and more of them.")
        chunks = await load_chunks(reader, old)
        assert [chunk.text for chunk in chunks.values()] == ["The old words."]


async def test_chunks_that_are_gone_are_left_out(database: Database, reader: PooledConnection) -> None:
    corpus = Corpus(database)
    corpus.put("a.txt", "Some words.")
    (chunk_id,) = corpus.places()
    assert list(await load_chunks(reader, [chunk_id, chunk_id + 1])) == [chunk_id]
