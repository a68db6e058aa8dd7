"""A collection kept beside the database, as tests/oracle.py takes it, and a search that shows every candidate."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain import CollectionNames, SearchFilter
from app.embedding import FloatMatrix
from app.lexicon import is_chinese, terms
from app.search.background_reader import BackgroundReader
from app.search.plan import SearchMemory
from app.search.ranking import Projection, Ranking, RankingQuery, RankingSettings, rank_chunks
from app.store.backgrounds import background_texts
from app.store.connection import AsyncPool, Database, PooledConnection, connect, run_alone
from app.store.documents import EmbeddedDocument, replace_document
from app.store.sources import remove_documents, rename_document
from tests import oracle
from tests.integration.ingesting import FAKE, embed_document, open_collection, random_text, version_of

NEAR: Final = 5e-6  # a cosine: the database adds up in single precision


@dataclass(frozen=True)
class Place:
    """Which chunk an id is."""

    source: str
    chunk_index: int


class Corpus:
    """What the collection should hold, kept beside it."""

    def __init__(self, database: Database, name: str = "default") -> None:
        self.database = database
        self.name = name
        self.collection = open_collection(database, FAKE, name)
        self.documents: dict[str, EmbeddedDocument] = {}
        self.metadata: dict[str, dict[str, Any]] = {}
        self.unknown_shares: dict[str, float] = {}

    def put(
        self, source: str, text: str, metadata: dict[str, Any] | None = None, unknown_share: float = 0.0
    ) -> None:
        embedded = embed_document(text, chunk_tokens=40, metadata=metadata)
        with connect(self.database.app) as app:
            replace_document(app, self.collection, version_of(source, text), embedded)
            app.execute(
                "UPDATE pgask.documents SET token_count = 1000, unknown_tokens = %s, language = %s WHERE source = %s",
                [round(1000 * unknown_share), language_of(text), source],
            )
        self.documents[source] = embedded
        self.metadata[source] = metadata or {}
        self.unknown_shares[source] = round(1000 * unknown_share) / 1000

    def fill(self, count: int, seed: int = 0) -> None:
        """Documents of both languages."""
        for number in range(count):
            chinese = number % 4 == 3
            text = random_text(seed + number, random.Random(seed + number).randint(1, 14), chinese=chinese)
            self.put(f"{number}.txt", text, {"lang": "zh" if chinese else "en", "number": number})

    def remove(self, source: str) -> None:
        with connect(self.database.app) as app:
            assert remove_documents(app, self.collection, [source]) == 1
        del self.documents[source]

    def rename(self, old: str, new: str) -> None:
        with connect(self.database.app) as app:
            assert rename_document(app, self.collection, old, new)
        self.documents[new] = self.documents.pop(old)
        self.metadata[new] = self.metadata.pop(old)
        self.unknown_shares[new] = self.unknown_shares.pop(old)

    def places(self) -> dict[int, Place]:
        """Which chunk an id is."""
        with connect(self.database.app) as app:
            rows = app.execute(
                "SELECT k.id, d.source, k.chunk_index FROM pgask.chunks k JOIN pgask.documents d"
                " ON d.id = k.document_id WHERE k.collection_id = %s",
                [self.collection.id],
            ).fetchall()
        return {row[0]: Place(row[1], row[2]) for row in rows}

    def sources(self, ranking: Ranking) -> set[str]:
        """The documents whose chunks were found."""
        places = self.places()
        return {places[one.chunk_id].source for one in ranking.chunks}

    def ids(self, sources: Collection[str]) -> set[int]:
        """The chunks of these documents."""
        return {chunk_id for chunk_id, place in self.places().items() if place.source in sources}

    def chunks(self) -> list[oracle.Chunk]:
        """All of them. A window that two chunks share is the first one's."""
        found = []
        for chunk_id, place in self.places().items():
            document = self.documents[place.source]
            first, after = document.chunk_windows[place.chunk_index]
            if place.chunk_index:
                first = max(first, document.chunk_windows[place.chunk_index - 1][1])
            found.append(
                oracle.Chunk(
                    chunk_id,
                    document.chunk_vectors[place.chunk_index],
                    first,
                    document.window_vectors[first:after],
                    document.window_terms[first:after],
                    document.chunk_terms[place.chunk_index],
                    self.unknown_shares[place.source],
                    language_of(document.document.text),
                )
            )
        return found

    def passage(self, place: Place, window: int) -> str:
        """A window with those beside it that are in the chunk, as far as they are."""
        document = self.documents[place.source]
        chunk = document.chunks[place.chunk_index]
        first, after = document.chunk_windows[place.chunk_index]
        start = document.windows[max(first, window - 1)][0]
        end = document.windows[min(after - 1, window + 1)][1]
        return document.document.text[max(start, chunk.char_start) : min(end, chunk.char_end)]


def language_of(text: str) -> str:
    """As a document has it."""
    return "zh" if is_chinese(text) else "en"


def standards_of(question: FloatMatrix, windows: Mapping[str, FloatMatrix] | None = None) -> oracle.Standards:
    """What a question's cosines are measured by, where a collection's sample is `windows`."""
    texts = {language: FAKE.embed_passages(found) for language, found in background_texts().items()}
    return oracle.standards(question, texts, windows or {})


async def search(
    reader: PooledConnection,
    question: str | FloatMatrix,
    question_terms: Sequence[str] | None = None,
    search_filter: SearchFilter | None = None,
    *,
    candidates: int = 500,
    collection: CollectionNames = "default",
    settings: RankingSettings | None = None,
    projection: Projection = "explained",
    unknown_share: float = 0.0,
    memory: SearchMemory | None = None,
) -> Ranking:
    """All candidates; `question` is embedded, or is a unit vector."""
    vector = FAKE.embed_queries([question])[0] if isinstance(question, str) else question
    if question_terms is None:
        question_terms = list(dict.fromkeys(terms(question))) if isinstance(question, str) else []
    query = RankingQuery(
        collection,
        vector,
        question_terms,
        unknown_share,
        search_filter,
        candidates=candidates,
        texts=5,
        projection=projection,
    )
    memory, settings = memory or SearchMemory(), settings or RankingSettings()
    return await rank_chunks(reader, memory, FAKE.space, query, settings, backgrounds=BackgroundReader(FAKE))


async def search_pool(pool: AsyncPool, *arguments: Any, **named: Any) -> Ranking:
    """The same by any connection of a pool."""
    return await run_alone(pool, lambda connection: search(connection, *arguments, **named))


def check_order(ranking: Ranking, expected: Sequence[oracle.Fused]) -> None:
    """The database's chunks are the oracle's, with its scores and in its order, as far as single precision tells them
    apart; of equal scores the higher BM25 comes first, then the older chunk."""
    by_id = {one.candidate.chunk_id: one for one in expected}
    assert sorted(one.chunk_id for one in ranking.chunks) == sorted(by_id)
    for place, one in enumerate(ranking.chunks):
        assert one.score == pytest.approx(by_id[one.chunk_id].score, abs=NEAR)
        assert one.score == pytest.approx(expected[place].score, abs=NEAR)
    order = [(-one.score, -(one.scores.lexical or 0), one.chunk_id) for one in ranking.chunks]
    assert order == sorted(order)


def unit(vector: NDArray[np.float64]) -> FloatMatrix:
    """Of length 1, in single precision."""
    return (vector / np.linalg.norm(vector)).astype(np.float32)
