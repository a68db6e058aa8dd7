"""The database's ranking against tests/oracle.py: random collections, filters, ties, unreadable text, two languages."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest

from app.domain import AllOf, AnyOf, MetadataKey, Negation, OneOf, SearchFilter, Within
from app.index.background import renew_backgrounds
from app.lexicon import terms
from app.search import plan, ranking
from app.search.plan import SearchMemory
from app.search.ranking import RankedChunk, Ranking, RankingSettings
from app.store.backgrounds import arrange_samples, sample_statement
from app.store.connection import AsyncPool, Database, connect
from app.store.connection_pool import open_pool
from app.store.posting_blocks import merge_postings
from tests import oracle
from tests.integration.ingesting import FAKE, random_text
from tests.integration.searching import NEAR, Corpus, Place, check_order, search_pool, standards_of

pytestmark = pytest.mark.integration

QUESTIONS: Final = [
    "vector index probe recall",
    "weight",
    "索引和召回的向量 index",
    "查询 文档",
    "索引標題",
    "nowhere at all",
    "?",
]
Keeps = Callable[[str, Mapping[str, Any]], bool]

LANGUAGE: Final = MetadataKey(("lang",))
NUMBER: Final = MetadataKey(("number",))
FILTERS: Final[list[tuple[SearchFilter | None, Keeps]]] = [
    (None, lambda source, metadata: True),
    (SearchFilter(metadata={"lang": "zh"}), lambda source, metadata: metadata["lang"] == "zh"),
    (SearchFilter(source_prefix="a/"), lambda source, metadata: source.startswith("a/")),
    (SearchFilter(source_prefix="none"), lambda source, metadata: False),
    (
        SearchFilter("a/", where=Negation(OneOf(LANGUAGE, ("zh",)))),
        lambda source, metadata: source.startswith("a/") and metadata["lang"] != "zh",
    ),
    (
        SearchFilter(where=AnyOf((Within(NUMBER, 5, 9), AllOf((OneOf(LANGUAGE, ("en",)), Within(NUMBER, 15, None)))))),
        lambda source, metadata: (
            5 <= metadata["number"] <= 9 or (metadata["lang"] == "en" and metadata["number"] >= 15)
        ),
    ),
]  # fmt: skip


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[AsyncPool]:
    async with open_pool(database.app, size=1, statement_timeout_s=30) as opened:
        yield opened


def fill(database: Database, rng: random.Random) -> Corpus:
    """Documents of both languages in two folders, some the very same, some that the model can't read, one replaced and
    one removed; and another collection of the same space, whose words must not count. Postings are rows, blocks of few
    chunks, or both."""
    corpus, other = Corpus(database), Corpus(database, "other")
    size = rng.choice([0, 1, 2, 3, 128])
    other.put("x.txt", random_text(rng.randrange(10**6), 30))
    for number in range(rng.randint(14, 26)):
        chinese = rng.random() < 0.4
        text = random_text(rng.randrange(10**6), rng.randint(1, 12), chinese=chinese)
        metadata = {"lang": "zh" if chinese else "en", "number": number}
        unknown_share = rng.choice([0.0, 0.0, 0.25, 0.7, 1.0]) if chinese else rng.choice([0.0, 0.0, 0.03])
        source = f"{rng.choice('ab')}/{number}.txt"
        corpus.put(source, text, metadata, unknown_share)
        if rng.random() < 0.2:
            corpus.put(f"{source}.copy", text, metadata, unknown_share)
        if size and rng.random() < 0.2:
            merge(database, corpus, size)
    chosen = rng.sample(sorted(corpus.documents), 2)
    corpus.put(chosen[0], random_text(rng.randrange(10**6), 8), corpus.metadata[chosen[0]])
    corpus.remove(chosen[1])
    if size and rng.random() < 0.5:
        merge(database, corpus, size)
    return corpus


def merge(database: Database, corpus: Corpus, size: int) -> None:
    with connect(database.owner) as owner:
        assert merge_postings(owner, corpus.collection.space_id, least=1, step=7, size=size)


def check_projection(
    corpus: Corpus, places: Mapping[int, Place], one: RankedChunk, expected: oracle.Fused, *, by_words: bool
) -> None:
    """What is shown of a chunk: text and passage of the first ones, all scores of the explained ones."""
    assert one.scores.dense == pytest.approx(expected.dense, abs=NEAR)
    assert one.standard == pytest.approx(expected.standard, abs=100 * NEAR)
    assert one.scores.lexical == (pytest.approx(expected.candidate.lexical, abs=1e-9) if by_words else None)
    place = places[one.chunk_id]
    if one.chunk is not None:
        stored = corpus.documents[place.source]
        chunk = stored.chunks[place.chunk_index]
        assert (one.chunk.source, one.chunk.char_start, one.chunk.char_end) == (
            place.source, chunk.char_start, chunk.char_end,
        )  # fmt: skip
        assert one.chunk.text == stored.document.text[chunk.char_start : chunk.char_end]
        assert one.chunk.sentences == tuple(chunk.sentences)
        assert one.chunk.places == tuple(chunk.places)
    if one.passage is not None:
        assert one.passage == corpus.passage(place, expected.window)
    if one.explained is not None:
        shown = one.explained
        assert (shown.chunk_id, shown.source) == (str(one.chunk_id), place.source)
        assert shown.dense == one.scores.dense
        assert shown.window_lexical == pytest.approx(expected.window_lexical, abs=1e-9)
        assert shown.readability == pytest.approx(expected.readability, abs=1e-9)
        assert shown.dense_rank == expected.candidate.dense_rank
        assert (shown.lexical_rank is None) == (expected.candidate.lexical_rank is None)


def check_lexical_ranks(found: Ranking, expected: Sequence[oracle.Fused]) -> None:
    """By BM25, as far as the order of adding up lets equal ones be told apart."""
    lexical = {one.candidate.lexical_rank: one.candidate.lexical for one in expected}
    shown = {one.explained.lexical_rank: one for one in found.chunks if one.explained is not None}
    assert set(shown) == set(lexical)
    for place, one in shown.items():
        if place is not None:
            assert one.scores.lexical == pytest.approx(lexical[place], abs=1e-9)


@pytest.mark.parametrize("filter_first_rows", [10_000, 0])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))])
async def test_the_three_projections_are_the_oracle_s(
    database: Database,
    pool: AsyncPool,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    filter_first_rows: int,
) -> None:
    """With few chunks of each leg, so that both legs are cut; filters first and filters last."""
    monkeypatch.setattr(plan, "FILTER_FIRST_ROWS", filter_first_rows)
    rng = random.Random(seed)
    corpus = fill(database, rng)
    chunks, places, memory = corpus.chunks(), corpus.places(), SearchMemory()
    for question in QUESTIONS:
        asked = list(dict.fromkeys(terms(question)))
        vector = FAKE.embed_queries([question])[0]
        search_filter, keeps = rng.choice(FILTERS)
        kept = corpus.ids([source for source, metadata in corpus.metadata.items()
                           if source in corpus.documents and keeps(source, metadata)])  # fmt: skip
        for dense_weight in (0.0, 0.6, 1.0):
            candidates, unknown_share = rng.choice([3, 8, 200]), rng.choice([0.0, 0.3, 1.0])
            weights = oracle.Weights(dense_weight, rng.choice([0.67, 0.0, 1.0]))
            expected = oracle.rank(
                chunks, vector, asked, candidates=candidates, weights=weights,
                measured_by=standards_of(vector),
                unknown_share=unknown_share, kept=None if search_filter is None else kept,
            )  # fmt: skip
            settings = RankingSettings(dense_weight=dense_weight, window_share=weights.window_share)
            by_id = {one.candidate.chunk_id: one for one in expected}
            for projection in ("hits", "candidates", "explained"):
                found = await search_pool(
                    pool, question, asked, search_filter, candidates=candidates, settings=settings,
                    projection=projection, unknown_share=unknown_share, memory=memory,
                )  # fmt: skip
                check_order(found, expected)
                assert found.plan.rows == (len(chunks) if search_filter is None else len(kept))
                assert found.term_weights == pytest.approx(oracle.idfs(chunks, asked))
                assert [one.chunk is not None for one in found.chunks[:6]] == [
                    place < 5 for place in range(len(found.chunks[:6]))
                ]
                assert all((one.explained is None) == (projection != "explained") for one in found.chunks)
                assert all(
                    (one.passage is None) == (one.chunk is None or projection == "hits")
                    for one in found.chunks
                )
                if projection == "explained":
                    check_lexical_ranks(found, expected)
                for one in found.chunks:
                    other = by_id[one.chunk_id]
                    if other.margin > NEAR:  # else single precision may take another window for the best
                        check_projection(corpus, places, one, other, by_words=dense_weight < 1)


async def test_where_a_filter_keeps_too_few_with_the_rarest_terms_all_are_added_up(
    database: Database, pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many candidates as there are chunks are asked for, so the rarest term alone never brings enough."""
    monkeypatch.setattr(plan, "FILTER_FIRST_ROWS", 0)
    monkeypatch.setattr(ranking, "BUDGET", 0)
    corpus, memory = fill(database, random.Random(1)), SearchMemory()
    chunks, asked_of_all = corpus.chunks(), 0
    for question, (search_filter, keeps) in itertools.product(QUESTIONS, FILTERS):
        if search_filter is None:
            continue
        kept = corpus.ids([source for source, metadata in corpus.metadata.items()
                           if source in corpus.documents and keeps(source, metadata)])  # fmt: skip
        asked = list(dict.fromkeys(terms(question)))
        vector = FAKE.embed_queries([question])[0]
        expected = oracle.rank(
            chunks, vector, asked, candidates=200, weights=oracle.Weights(0.0, 0.67),
            measured_by=standards_of(vector), kept=kept,
        )  # fmt: skip
        found = await search_pool(
            pool, question, asked, search_filter, candidates=200,
            settings=RankingSettings(dense_weight=0.0), memory=memory,
        )  # fmt: skip
        check_order(found, expected)
        asked_of_all += len(asked) > 1 and len(found.chunks) > 1
    assert asked_of_all


@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)]
)
async def test_in_two_languages_the_dense_leg_goes_by_standard_scores(
    database: Database, pool: AsyncPool, seed: int
) -> None:
    """With a sample of both, and documents that hold chunks in another language than their own."""
    rng = random.Random(seed)
    corpus = fill(database, rng)
    told = {chunk.chunk_id: chunk.language for chunk in corpus.chunks()}
    with connect(database.owner) as owner:
        for chunk_id in sorted(told):
            if rng.random() < 0.3:
                told[chunk_id] = rng.choice(["en", "zh", "und"])
                owner.execute(
                    "UPDATE pgask.chunks SET language = %s WHERE id = %s", [told[chunk_id], chunk_id]
                )
        assert renew_backgrounds(owner, corpus.collection.space_id) == 2
        number = corpus.collection.id
        rows = owner.execute(sample_statement(corpus.collection.space_id), [[number]]).fetchall()
    chunks = [replace(chunk, language=told[chunk.chunk_id]) for chunk in corpus.chunks()]
    windows = arrange_samples(rows, [number], FAKE.space.dimension)[number]
    assert windows.keys() >= {"en", "zh"}
    for question in QUESTIONS:
        asked, vector = list(dict.fromkeys(terms(question))), FAKE.embed_queries([question])[0]
        for candidates, dense_weight in [(3, 0.6), (6, 1.0), (200, 0.6)]:
            expected = oracle.rank(
                chunks, vector, asked, candidates=candidates, weights=oracle.Weights(dense_weight),
                measured_by=standards_of(vector, windows), mixed=True,
            )  # fmt: skip
            settings = RankingSettings(dense_weight=dense_weight)
            check_order(
                await search_pool(pool, question, asked, candidates=candidates, settings=settings), expected
            )


async def test_the_same_text_ranks_in_the_order_of_its_age(database: Database, pool: AsyncPool) -> None:
    corpus = Corpus(database)
    for number in range(30):
        corpus.put(f"{number}.txt", "The very same words in every document.")
    ids = sorted(corpus.places())
    for _ in range(7):  # PostgreSQL may choose another plan for a prepared statement from the sixth time on
        found = await search_pool(pool, "same words", candidates=12)
        assert [one.chunk_id for one in found.chunks] == ids[:12]


async def test_postings_of_an_older_version_without_windows_leave_the_rest(
    database: Database, pool: AsyncPool
) -> None:
    corpus = Corpus(database)
    corpus.fill(8)
    with connect(database.app) as app:
        app.execute("UPDATE pgask.postings SET window_frequencies = ''")
    chunks = [
        replace(one, window_terms=[type(counts)() for counts in one.window_terms]) for one in corpus.chunks()
    ]
    question = "vector index probe"
    expected = oracle.rank(
        chunks,
        FAKE.embed_queries([question])[0],
        terms(question),
        candidates=500,
        weights=oracle.Weights(),
        measured_by=standards_of(FAKE.embed_queries([question])[0]),
    )
    check_order(await search_pool(pool, question), expected)
    assert np.any([one.candidate.lexical > 0 for one in expected])
