"""Several collections asked as one: ranked as one collection with the documents of all would be (tests/oracle.py)."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Final

import numpy as np
import pytest

from app.domain import ALL, MAX_COLLECTIONS, SearchFilter
from app.errors import EmbeddingMismatchError, LimitExceededError, NotFoundError
from app.index.maintenance import maintain
from app.index.manifest import IndexSettings
from app.lexicon import terms
from app.retrieval.context import ContextReader
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.search.plan import SearchMemory
from app.search.ranking import RankingSettings
from app.store.backgrounds import background_texts, ensure_texts
from app.store.connection import AsyncPool, Database, connect
from app.store.connection_pool import open_pool
from app.store.documents import replace_document
from app.store.spaces import ensure_collection
from tests import oracle
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import FAKE, embed_document, open_collection, random_text, version_of
from tests.integration.searching import Corpus, check_order, search_pool, standards_of

pytestmark = pytest.mark.integration

BOTH: Final = ("firm", "law")
QUESTIONS: Final = ["vector index probe recall", "weight", "索引和召回的向量 index", "nowhere at all", "?"]


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[AsyncPool]:
    async with open_pool(database.app, size=1, statement_timeout_s=30) as opened:
        yield opened


def fill(database: Database, rng: random.Random) -> tuple[Corpus, Corpus]:
    """Two collections of different size and words in common, and a third that must not count."""
    other = Corpus(database, "other")
    other.put("x.txt", random_text(rng.randrange(10**6), 30))
    corpora = Corpus(database, "firm"), Corpus(database, "law")
    for corpus, count in zip(corpora, (17, 6), strict=True):
        for number in range(count):
            chinese = rng.random() < 0.4
            text = random_text(rng.randrange(10**6), rng.randint(1, 12), chinese=chinese)
            corpus.put(f"{corpus.name}/{number}.txt", text, {"lang": "zh" if chinese else "en"})
    return corpora


@pytest.mark.parametrize("seed", range(3))
async def test_two_are_ranked_as_one_that_holds_both(database: Database, pool: AsyncPool, seed: int) -> None:
    rng = random.Random(seed)
    firm, law = fill(database, rng)
    chunks = [*firm.chunks(), *law.chunks()]
    memory = SearchMemory()
    for question in QUESTIONS:
        asked = list(dict.fromkeys(terms(question)))
        vector = FAKE.embed_queries([question])[0]
        for only in (None, SearchFilter("law/"), SearchFilter(metadata={"lang": "zh"})):
            kept = {
                chunk_id
                for corpus in (firm, law)
                for chunk_id in corpus.ids(
                    [
                        source
                        for source, metadata in corpus.metadata.items()
                        if only is None
                        or (only.source_prefix and source.startswith(only.source_prefix))
                        or (only.metadata and metadata["lang"] == only.metadata["lang"])
                    ]
                )
            }
            for dense_weight in (0.0, 0.6, 1.0):
                candidates = rng.choice([3, 8, 200])
                expected = oracle.rank(
                    chunks, vector, asked, candidates=candidates, weights=oracle.Weights(dense_weight),
                    measured_by=standards_of(vector), kept=None if only is None else kept,
                )  # fmt: skip
                found = await search_pool(
                    pool, question, asked, only, collection=BOTH, candidates=candidates, memory=memory,
                    settings=RankingSettings(dense_weight=dense_weight),
                )  # fmt: skip
                check_order(found, expected)
                assert found.plan.rows == (len(chunks) if only is None else len(kept))
                assert found.term_weights == pytest.approx(oracle.idfs(chunks, asked))
    together = await search_pool(pool, QUESTIONS[0], collection=BOTH)
    assert {one.chunk.collection for one in together.chunks[:5] if one.chunk} <= {"firm", "law"}


async def test_by_the_index_the_same_are_found(database: Database, pool: AsyncPool) -> None:
    """With every list looked into, as many as exact search finds, and none of the third collection."""
    firm, law = fill(database, random.Random(5))
    with connect(database.owner) as owner:
        maintain(owner, firm.collection.space_id, IndexSettings(min_rows=10, method="ivfflat", lists=2))
        owner.execute("UPDATE pgask.embedding_spaces SET index_probes = 2 WHERE index_method IS NOT NULL")
    vector = FAKE.embed_queries([QUESTIONS[0]])[0]
    by_index, exactly = [
        await search_pool(
            pool, vector, collection=BOTH, settings=RankingSettings(dense_weight=1.0, exact_max_rows=rows)
        )
        for rows in (0, 10_000)
    ]
    assert (by_index.plan.exact, exactly.plan.exact) == (False, True)
    expected = {chunk.chunk_id for corpus in (firm, law) for chunk in corpus.chunks()}
    assert {one.chunk_id for one in by_index.chunks} == {one.chunk_id for one in exactly.chunks} == expected


async def test_cosines_are_measured_by_the_samples_of_both(database: Database, pool: AsyncPool) -> None:
    """Each window counts for the chunks that it was sampled from, whichever collection it is of."""
    firm, law = fill(database, random.Random(1))
    with connect(database.owner) as owner:
        ensure_texts(owner, firm.collection.space_id, FAKE)
        maintain(owner, firm.collection.space_id, IndexSettings())
        sampled = owner.execute(
            "SELECT c.name, c.chunk_count, d.language, w.document_id, w.window_index FROM pgask.background_windows w"
            " JOIN pgask.documents d ON d.id = w.document_id JOIN pgask.collections c ON c.id = w.collection_id"
            " WHERE c.name = ANY(%s)", [list(BOTH)]
        ).fetchall()  # fmt: skip
        sources = {
            row[0]: row[1] for row in owner.execute("SELECT id, source FROM pgask.documents").fetchall()
        }
    found = await search_pool(pool, QUESTIONS[0], collection=BOTH)
    question = FAKE.embed_queries([QUESTIONS[0]])[0]
    size = {name: sum(row[0] == name for row in sampled) for name in BOTH}
    documents = firm.documents | law.documents
    for language in ("en", "zh"):
        rows = [row for row in sampled if row[2] == language]
        cosines = [
            documents[sources[row[3]]].window_vectors[row[4]].astype(np.float16) @ question for row in rows
        ]
        weights = [row[1] / size[row[0]] for row in rows]
        assert len(set(weights)) > 1
        own = float(np.average(cosines, weights=weights))
        general = FAKE.embed_passages(background_texts()[language]) @ question
        share = min(0.5, len(rows) / (len(rows) + 48))
        assert found.standards[language].mean == pytest.approx(
            (1 - share) * general.mean() + share * own, abs=1e-3
        )


async def test_one_that_is_empty_counts_for_nothing_until_it_is_filled(
    database: Database, pool: AsyncPool
) -> None:
    firm = Corpus(database, "firm")
    firm.put("a.txt", "The pump is blue.")
    open_collection(database, FakeEmbedder("another-model"), "law")  # in a space of its own
    retriever = Retriever(pool, FAKE, RetrievalSettings())
    assert [hit.source for hit in (await retriever.retrieve("pump", BOTH, 5)).hits] == ["a.txt"]
    law = Corpus(database, "law")
    law.put("b.txt", "A pump is a machine that moves water.")
    found = await retriever.retrieve("pump", BOTH, 5)
    assert {(hit.collection, hit.source) for hit in found.hits} == {("firm", "a.txt"), ("law", "b.txt")}
    assert found.plan.chunk_count == 2
    with connect(database.app) as app:
        app.execute("UPDATE pgask.collections SET name = 'old' WHERE name = 'law'")
    with pytest.raises(NotFoundError, match="'law'"):
        await retriever.retrieve("pump", BOTH, 5)


async def test_another_models_vectors_are_refused_by_name(database: Database, pool: AsyncPool) -> None:
    Corpus(database, "firm").put("a.txt", "The pump is blue.")
    other = FakeEmbedder("another-model")
    law = open_collection(database, other, "law")
    with connect(database.app) as app:
        replace_document(app, law, version_of("b.txt", "A pump."), embed_document("A pump."))
    with pytest.raises(EmbeddingMismatchError, match="law"):
        await Retriever(pool, FAKE, RetrievalSettings()).retrieve("pump", BOTH, 5)


async def test_which_collections_are_meant(database: Database, pool: AsyncPool) -> None:
    reader = ContextReader(pool)
    with pytest.raises(NotFoundError):
        await reader.find_collections(ALL)
    space_id = open_collection(database, FAKE, "b").space_id
    assert await reader.find_collections(ALL) == await reader.find_collections(("b", "b")) == "b"
    open_collection(database, FAKE, "a")
    assert await reader.find_collections((ALL,)) == ("a", "b")
    with connect(database.app) as app:
        for number in range(MAX_COLLECTIONS - 2):
            ensure_collection(app, f"c{number}", space_id)
        assert len(await reader.find_collections(ALL)) == MAX_COLLECTIONS
        ensure_collection(app, "one more", space_id)
    with pytest.raises(LimitExceededError, match=str(MAX_COLLECTIONS)):
        await reader.find_collections(ALL)
