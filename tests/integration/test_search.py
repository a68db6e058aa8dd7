"""Search statements against independent computations: BM25 in Python, cosines in numpy."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from app.domain import SearchFilter
from app.embedding import FloatMatrix
from app.errors import NotFoundError
from app.lexicon import terms
from app.search.candidates import WINDOW_K1, Candidates, find_candidates, plan_search
from app.store.chunks import load_chunks
from app.store.connection import AsyncConnection, Database, connect, open_pool, transaction
from app.store.documents import EmbeddedDocument, replace_document
from app.store.sources import remove_documents, rename_document
from tests.integration.ingesting import FAKE, embed_document, open_collection, random_text, version_of

pytestmark = pytest.mark.integration

K1, B = 1.2, 0.75
Key = tuple[str, int]  # source and chunk_index


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection of the service's pool; each statement sees the newest state."""
    async with (
        open_pool(database.app, size=1, statement_timeout_s=10) as pool,
        pool.connection() as connection,
    ):
        await connection.set_autocommit(True)
        yield connection


class Corpus:
    """What the collection should hold, kept beside it."""

    def __init__(self, database: Database, name: str = "default") -> None:
        self.database = database
        self.collection = open_collection(database, FAKE, name)
        self.documents: dict[str, EmbeddedDocument] = {}
        self.metadata: dict[str, dict[str, Any]] = {}

    def put(self, source: str, text: str, metadata: dict[str, Any] | None = None) -> None:
        embedded = embed_document(text, chunk_tokens=40, metadata=metadata)
        with connect(self.database.app) as app:
            replace_document(app, self.collection, version_of(source, text), embedded)
        self.documents[source] = embedded
        self.metadata[source] = metadata or {}

    def remove(self, source: str) -> None:
        with connect(self.database.app) as app:
            assert remove_documents(app, self.collection, [source]) == 1
        del self.documents[source]

    def rename(self, old: str, new: str) -> None:
        with connect(self.database.app) as app:
            assert rename_document(app, self.collection, old, new)
        self.documents[new] = self.documents.pop(old)

    def keys(self) -> dict[int, Key]:
        """Which chunk an id is."""
        with connect(self.database.app) as app:
            rows = app.execute(
                "SELECT k.id, d.source, k.chunk_index FROM pgask.chunks k JOIN pgask.documents d"
                " ON d.id = k.document_id WHERE k.collection_id = %s",
                [self.collection.id],
            ).fetchall()
        return {row[0]: (row[1], row[2]) for row in rows}

    def bm25(self, question: list[str]) -> dict[Key, float]:
        """BM25 of every chunk by the textbook, with the idf of Lucene."""
        chunks = {
            (source, index): counts
            for source, document in self.documents.items()
            for index, counts in enumerate(document.chunk_terms)
        }
        mean = sum(counts.total() for counts in chunks.values()) / len(chunks)
        scores = dict.fromkeys(chunks, 0.0)
        for term in set(question):
            holding = sum(term in counts for counts in chunks.values())
            idf = math.log(1 + (len(chunks) - holding + 0.5) / (holding + 0.5))
            for key, counts in chunks.items():
                norm = K1 * (1 - B + B * counts.total() / mean)
                scores[key] += idf * counts[term] * (K1 + 1) / (counts[term] + norm)
        return scores

    def own_windows(self) -> dict[Key, tuple[int, int]]:
        """The windows of each chunk that the chunk before does not hold."""
        found, held = {}, dict.fromkeys(self.documents, 0)
        for source, document in self.documents.items():
            for index, (first, after) in enumerate(document.chunk_windows):
                found[source, index] = (max(first, held[source]), after)
                held[source] = after
        return found

    def window_bm25(self, question: list[str]) -> dict[Key, list[float]]:
        """BM25 without length of every window of a chunk's own, with the idf of chunks."""
        chunks = [counts for document in self.documents.values() for counts in document.chunk_terms]
        scores = {}
        for (source, index), (first, after) in self.own_windows().items():
            scores[source, index] = [0.0] * (after - first)
            for place, counts in enumerate(self.documents[source].window_terms[first:after]):
                for term in set(question):
                    holding = sum(term in counted for counted in chunks)
                    idf = math.log(1 + (len(chunks) - holding + 0.5) / (holding + 0.5))
                    scores[source, index][place] += (
                        idf * counts[term] * (WINDOW_K1 + 1) / (counts[term] + WINDOW_K1)
                    )
        return scores

    def cosines(self, vector: FloatMatrix) -> dict[Key, list[float]]:
        """The cosines of each chunk's own windows, both sides in half precision."""
        half = vector.astype(np.float16).astype(np.float64)
        found = {}
        for source, document in self.documents.items():
            windows = document.window_vectors.astype(np.float16).astype(np.float64)
            cosines = windows @ half / (np.linalg.norm(windows, axis=1) * np.linalg.norm(half))
            for (owner, index), (first, after) in self.own_windows().items():
                if owner == source:
                    found[source, index] = cosines[first:after].tolist()
        return found

    def nearest(self, vector: FloatMatrix, count: int) -> set[Key]:
        """The chunks whose pooled vectors are nearest."""
        distances = {
            (source, index): 1 - float(pooled.astype(np.float64) @ vector.astype(np.float64))
            for source, document in self.documents.items()
            for index, pooled in enumerate(document.chunk_vectors)
        }
        return set(sorted(distances, key=lambda key: distances[key])[:count])


async def search(
    reader: AsyncConnection,
    question: str | FloatMatrix,
    question_terms: list[str] | None = None,
    search_filter: SearchFilter | None = None,
    *,
    candidates: int = 500,
    collection: str = "default",
) -> Candidates:
    plan = await plan_search(reader, collection, FAKE.space, search_filter, exact_max_rows=10_000)
    assert plan.exact
    vector = FAKE.embed_queries([question])[0] if isinstance(question, str) else question
    if question_terms is None:
        question_terms = list(dict.fromkeys(terms(question))) if isinstance(question, str) else []
    return await find_candidates(
        reader, plan, vector, question_terms, search_filter, candidates=candidates, k1=K1, b=B
    )


def fill(corpus: Corpus, count: int, seed: int = 0) -> None:
    for number in range(count):
        chinese = number % 4 == 3
        text = random_text(seed + number, random.Random(seed + number).randint(1, 14), chinese=chinese)
        corpus.put(f"{number}.txt", text, {"lang": "zh" if chinese else "en", "number": number})


async def check_bm25(reader: AsyncConnection, corpus: Corpus, question: list[str]) -> None:
    found = await search(reader, "probe", question)
    assert any(chunk.lexical > 0 for chunk in found.chunks)
    keys, expected = corpus.keys(), corpus.bm25(question)
    assert {keys[chunk.chunk_id] for chunk in found.chunks} == set(expected)
    windows, own = corpus.window_bm25(question), corpus.own_windows()
    best = sorted(found.chunks, key=lambda chunk: (-chunk.lexical, chunk.chunk_id))
    for rank, chunk in enumerate(best, 1):
        key = keys[chunk.chunk_id]
        assert chunk.lexical == pytest.approx(expected[key], abs=1e-9)
        assert chunk.window_lexicals == pytest.approx(windows[key], abs=1e-9)
        assert chunk.lexical_rank == (rank if chunk.lexical > 0 else None)
        assert chunk.first_window == own[key][0]


@pytest.mark.parametrize("seed", [100, 200])
async def test_bm25_is_the_textbook_s(database: Database, reader: AsyncConnection, seed: int) -> None:
    corpus = Corpus(database)
    other = Corpus(database, "other")  # its words must not count
    other.put("x.txt", random_text(seed, 30))
    fill(corpus, 25, seed)
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


async def test_term_weights_are_of_the_whole_collection(database: Database, reader: AsyncConnection) -> None:
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
    database: Database, reader: AsyncConnection
) -> None:
    corpus = Corpus(database)
    fill(corpus, 40)
    keys = corpus.keys()
    rng = np.random.default_rng(5)
    for question in ("vector index probe recall", "查询 文档 分块", rng.standard_normal(64)):
        if isinstance(question, str):
            vector = FAKE.embed_queries([question])[0]
        else:
            vector = (question / np.linalg.norm(question)).astype(np.float32)
        found = await search(reader, vector, candidates=10)
        assert {keys[chunk.chunk_id] for chunk in found.chunks} == corpus.nearest(vector, 10)
        cosines = corpus.cosines(vector)
        for chunk in found.chunks:
            assert chunk.cosines == pytest.approx(cosines[keys[chunk.chunk_id]], abs=2e-6)
            assert chunk.lexical == 0
            assert chunk.lexical_rank is None
            assert set(chunk.window_lexicals) == {0.0}
        assert sorted(chunk.dense_rank or 0 for chunk in found.chunks) == list(range(1, 11))


async def test_each_leg_gives_its_best_and_no_more(database: Database, reader: AsyncConnection) -> None:
    corpus = Corpus(database)
    fill(corpus, 40)
    keys = corpus.keys()
    question = "weight of a page"
    found = await search(reader, question, candidates=10)
    assert 10 <= len(found.chunks) <= 20
    scores = corpus.bm25(list(dict.fromkeys(terms(question))))
    lexical = {key for key in sorted(scores, key=lambda key: -scores[key])[:10] if scores[key] > 0}
    dense = corpus.nearest(FAKE.embed_queries([question])[0], 10)
    assert {keys[chunk.chunk_id] for chunk in found.chunks} == lexical | dense
    assert lexical - dense
    assert dense - lexical


async def test_the_order_is_the_same_each_time_and_ties_go_to_the_older_chunk(
    database: Database, reader: AsyncConnection
) -> None:
    corpus = Corpus(database)
    for number in range(30):
        corpus.put(f"{number}.txt", "The very same words in every document.")
    ids = sorted(corpus.keys())
    for _ in range(7):  # PostgreSQL may choose another plan for a prepared statement from the sixth time on
        found = await search(reader, "same words", candidates=12)
        assert [chunk.chunk_id for chunk in found.chunks] == ids[:12]


async def test_questions_without_terms_and_empty_collections(
    database: Database, reader: AsyncConnection
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


async def test_a_prefix_is_taken_to_the_letter(database: Database, reader: AsyncConnection) -> None:
    corpus = Corpus(database)
    for source in SOURCES:
        corpus.put(source, "The same words.")
    keys = corpus.keys()
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
        sources = sorted(keys[chunk.chunk_id][0] for chunk in found.chunks)
        assert sources == sorted(source for source in SOURCES if source.startswith(prefix)), prefix


async def test_metadata_must_contain_all_pairs(database: Database, reader: AsyncConnection) -> None:
    corpus = Corpus(database)
    corpus.put("en.txt", "The same words.", {"lang": "en", "year": 2026, "draft": False, "tags": ["a", "b"]})
    corpus.put("zh.txt", "The same words.", {"lang": "zh", "year": 2026, "draft": True, "a'b": 'c"d'})
    corpus.put("none.txt", "The same words.")
    keys = corpus.keys()
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
        assert {keys[chunk.chunk_id][0] for chunk in found.chunks} == sources, metadata
    both = SearchFilter(source_prefix="z", metadata={"year": 2026})
    assert [
        keys[chunk.chunk_id][0] for chunk in (await search(reader, "same", search_filter=both)).chunks
    ] == ["zh.txt"]


async def test_a_filter_does_not_push_good_candidates_out(
    database: Database, reader: AsyncConnection
) -> None:
    """The limit on candidates is over what the filter keeps, in both legs."""
    corpus = Corpus(database)
    for number in range(40):
        corpus.put(f"near{number}.txt", "weight weight page")
    corpus.put("far.txt", "A page about many other things, and its weight.")
    found = await search(
        reader, "weight page", search_filter=SearchFilter(source_prefix="far"), candidates=10
    )
    assert [corpus.keys()[chunk.chunk_id][0] for chunk in found.chunks] == ["far.txt"]
    assert found.chunks[0].lexical > 0


async def test_injection_strings_change_nothing(database: Database, reader: AsyncConnection) -> None:
    corpus = Corpus(database)
    fill(corpus, 6)
    before = corpus.keys()
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
    assert corpus.keys() == before


async def test_a_transaction_of_the_pool_sees_one_snapshot(database: Database) -> None:
    corpus = Corpus(database)
    corpus.put("a.txt", "The old words.")
    async with open_pool(database.app, size=1, statement_timeout_s=5) as pool, transaction(pool) as reader:
        found = await search(reader, "words")
        corpus.put("a.txt", "The new words and more of them.")
        chunks = await load_chunks(reader, [chunk.chunk_id for chunk in found.chunks])
        assert [chunk.text for chunk in chunks.values()] == ["The old words."]


async def test_chunks_that_are_gone_are_left_out(database: Database, reader: AsyncConnection) -> None:
    corpus = Corpus(database)
    corpus.put("a.txt", "Some words.")
    (chunk_id,) = corpus.keys()
    assert list(await load_chunks(reader, [chunk_id, chunk_id + 1])) == [chunk_id]
