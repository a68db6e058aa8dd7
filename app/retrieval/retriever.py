"""Question → ranked chunks: embed, search both legs in one snapshot, fuse, load the texts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.config import Settings
from app.domain import RetrievalScores, ScoredChunk, SearchFilter
from app.embedding import Embedder, FloatMatrix
from app.lexicon import terms
from app.retrieval.fusion import Fused, fuse
from app.store.engine import AsyncPool, transaction
from app.store.search import (
    SearchPlan,
    StoredChunk,
    find_candidates,
    load_chunks,
    load_neighbours,
    plan_search,
)

MAX_QUERY_TERMS = 256  # of a question of 8,000 characters no more than this many distinct terms are looked up


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """The part of the settings that retrieval needs."""

    candidates: int = 50
    dense_weight: float = 0.6
    window_share: float = 0.67
    k1: float = 1.2
    b: float = 0.75
    exact_max_rows: int = 10_000

    @classmethod
    def from_settings(cls, settings: Settings) -> RetrievalSettings:
        """The group from all settings."""
        return cls(
            candidates=settings.candidates,
            dense_weight=settings.dense_weight,
            window_share=settings.window_share,
            k1=settings.bm25_k1,
            b=settings.bm25_b,
            exact_max_rows=settings.exact_max_rows,
        )


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Ranked chunks, best first, and how they were found.

    `vector` is the question's unit vector (dimension,); `term_weights` the idf of each of its terms.
    """

    hits: tuple[ScoredChunk, ...]
    vector: FloatMatrix
    term_weights: dict[str, float]
    plan: SearchPlan
    timings_ms: dict[str, float]


class Retriever:
    """Hybrid retrieval over one database."""

    def __init__(
        self,
        pool: AsyncPool,
        embedder: Embedder,
        settings: RetrievalSettings,
        note: Callable[[int, FloatMatrix], None] | None = None,
    ) -> None:
        """`note` is told the space and the vector of each question; it must not wait."""
        self._pool = pool
        self._embedder = embedder
        self._settings = settings
        self._note = note

    async def retrieve(
        self, question: str, collection: str, top_k: int, search_filter: SearchFilter | None = None
    ) -> Retrieved:
        """The `top_k` best chunks. Raises NotFoundError, EmbeddingMismatchError, StoreError."""
        started = time.perf_counter()
        vector, unknown_share = await asyncio.to_thread(self._read, question)
        embedded = time.perf_counter()
        question_terms = list(dict.fromkeys(terms(question)))[:MAX_QUERY_TERMS]
        async with transaction(self._pool) as connection:
            plan = await plan_search(
                connection,
                collection,
                self._embedder.space,
                search_filter,
                exact_max_rows=self._settings.exact_max_rows,
            )
            found = await find_candidates(
                connection,
                plan,
                vector,
                question_terms,
                search_filter,
                candidates=max(self._settings.candidates, top_k),
                k1=self._settings.k1,
                b=self._settings.b,
            )
            weights = self._settings.dense_weight, self._settings.window_share
            best = fuse(found.chunks, *weights, unknown_share)[:top_k]
            chunks = await load_chunks(connection, [fused.candidate.chunk_id for fused in best])
        if self._note is not None:
            self._note(plan.space_id, vector)
        hits = tuple(
            _hit(fused, chunks[fused.candidate.chunk_id], rank)
            for rank, fused in enumerate(best, 1)
            if fused.candidate.chunk_id in chunks
        )
        timings = {"embed": (embedded - started) * 1000, "retrieve": (time.perf_counter() - embedded) * 1000}
        return Retrieved(hits, vector, dict(found.term_weights), plan, timings)

    def _read(self, question: str) -> tuple[FloatMatrix, float]:
        """The question's unit vector (dimension,), and which share of its tokens the model can't read."""
        tokens = self._embedder.tokenize(question)
        unknown_share = tokens.unknown / len(tokens) if len(tokens) else 0.0
        return self._embedder.embed_queries([question])[0], unknown_share

    async def load_neighbours(self, hits: Sequence[ScoredChunk]) -> tuple[ScoredChunk, ...]:
        """What stands after and before each hit in its document, best hit first; none that is a hit itself.

        They were not searched for: score 0, no scores, rank 0. Raises StoreError.
        """
        known = {hit.chunk_id for hit in hits}
        async with transaction(self._pool) as connection:
            found = await load_neighbours(connection, [int(hit.chunk_id) for hit in hits])
        return tuple(_beside(chunk) for chunk in found if str(chunk.chunk_id) not in known)


def _beside(chunk: StoredChunk) -> ScoredChunk:
    place = next((p for p in reversed(chunk.places) if p.char_start <= chunk.char_start), None)
    return ScoredChunk(
        chunk_id=str(chunk.chunk_id),
        document_id=chunk.document_id,
        source=chunk.source,
        title=chunk.title,
        page=place.page if place else chunk.page,
        heading=place.heading if place else chunk.heading,
        char_start=chunk.char_start,
        char_end=chunk.char_end,
        text=chunk.text,
        score=0.0,
        scores=RetrievalScores(),
        rank=0,
    )


def _hit(fused: Fused, chunk: StoredChunk, rank: int) -> ScoredChunk:
    return ScoredChunk(
        chunk_id=str(chunk.chunk_id),
        document_id=chunk.document_id,
        source=chunk.source,
        title=chunk.title,
        page=chunk.page,
        heading=chunk.heading,
        char_start=chunk.char_start,
        char_end=chunk.char_end,
        text=chunk.text,
        score=fused.score,
        scores=RetrievalScores(dense=fused.dense, lexical=fused.candidate.lexical),
        rank=rank,
        places=chunk.places,
        sentences=chunk.sentences,
    )
