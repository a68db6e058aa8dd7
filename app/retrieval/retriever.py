"""Question → ranked chunks: embed, rank (app/search/ranking.py), rerank where a model is set, choose the hits."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from app.config import Settings
from app.domain import CollectionNames, Explanation, ScoredChunk, SearchFilter
from app.embedding import Embedder, EmbeddingSpace, FloatMatrix
from app.letterspacing import close_up
from app.question.content import NOTHING, Asked, read_question
from app.question.courtesy import bare_question
from app.retrieval.context import ContextReader
from app.retrieval.explaining import explain_search
from app.retrieval.reading import QuestionReader
from app.retrieval.rerank import Reranker, Reranking, RerankSettings, rerank
from app.retrieval.selection import Dropped, find_near_identical, select
from app.search.background_reader import BackgroundReader
from app.search.bm25 import unknown_weight
from app.search.plan import SearchMemory, SearchPlan
from app.search.ranking import RankedChunk, Ranking, RankingQuery, RankingSettings, rank_chunks
from app.search.standard import Background, Standards
from app.store.chunks import load_chunks
from app.store.connection import AsyncPool, run_alone
from app.tracing import note_stage

# Of a question of 8,000 characters no more than this many distinct terms are looked up.
MAX_QUERY_TERMS: Final = 256
SPARE_TEXTS: Final = 0.2  # of `top_k`: read at once, lest a hit that repeats another costs a round trip
QUICKLY_COMPARED: Final = 12  # hits whose texts take a millisecond; changing threads costs a tenth of that


@dataclass(frozen=True, slots=True)
class RetrievalSettings(RankingSettings):
    """The part of the settings that retrieval needs."""

    max_per_document: int = 0
    rerank: RerankSettings = field(default_factory=RerankSettings)

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
            max_per_document=settings.max_per_document,
            rerank=RerankSettings.from_settings(settings),
        )


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Ranked chunks, best first, and how they were found.

    `asked` is what was searched for. `vector` is the question's unit vector (dimension,); `term_weights` the idf of
    each of its terms, `unknown_terms` those that no chunk of the collection holds. `rerank_failure` says why the
    configured reranker had no say. `explanation` is there where it was asked for. `standards` are what the question's
    cosines are measured by, of the collection's `background`; `space` is the vector's.
    """

    hits: tuple[ScoredChunk, ...]
    vector: FloatMatrix
    term_weights: Mapping[str, float]
    plan: SearchPlan
    timings_ms: dict[str, float]
    rerank_failure: str | None = None
    explanation: Explanation | None = None
    asked: Asked = NOTHING
    standards: Standards = field(default_factory=dict)
    background: Background | None = None
    space: EmbeddingSpace | None = None

    @property
    def unknown_terms(self) -> frozenset[str]:
        """The terms that no chunk of the collection holds: those of the highest idf that there is."""
        highest = unknown_weight(self.plan.chunk_count)
        return frozenset(term for term, idf in self.term_weights.items() if idf >= highest - 1e-9)


class _Stages:
    """Milliseconds by stage, each from the end of the one before."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def end(self, stage: str) -> None:
        began, self._last = self._last, time.perf_counter()
        self.ms[stage] = self.ms.get(stage, 0.0) + (self._last - began) * 1000
        note_stage(stage, self._last - began)

    def summary(self) -> dict[str, float]:
        """All but embedding and reranking as one."""
        searching = sum(ms for stage, ms in self.ms.items() if stage not in ("embed", "rerank"))
        timings = {"embed": self.ms["embed"], "retrieve": searching}
        return timings | ({"rerank": self.ms["rerank"]} if "rerank" in self.ms else {})


class Retriever(ContextReader):
    """Hybrid retrieval over one database."""

    def __init__(
        self,
        pool: AsyncPool,
        embedder: Embedder,
        settings: RetrievalSettings,
        record: Callable[[int, FloatMatrix], None] | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """`record` is told the space and the vector of each question; it must not wait."""
        super().__init__(pool)
        self._embedder, self._settings = embedder, settings
        self._record, self._reranker = record, reranker
        self._reader = QuestionReader(embedder)
        self._memory = SearchMemory()
        self._backgrounds = BackgroundReader(embedder)

    async def retrieve(
        self,
        question: str,
        collection: CollectionNames,
        top_k: int,
        search_filter: SearchFilter | None = None,
        *,
        explain: bool = False,
        weigh: bool = True,
    ) -> Retrieved:
        """The `top_k` best chunks for what is asked: courtesy, and words that only ask, are not searched for.

        weigh=False skips idf lookups that the ranking does not use.
        Raises NotFoundError, EmbeddingMismatchError, StoreError.
        """
        settings, stages = self._settings, _Stages()
        asked = read_question(bare_question(close_up(question)))
        read = await self._reader.read(asked.text)
        stages.end("embed")
        are_used = weigh or explain or settings.dense_weight < 1
        reread = settings.rerank.candidates if self._reranker is not None else 0
        query = RankingQuery(
            collection,
            read.vector,
            list(asked.terms[:MAX_QUERY_TERMS]) if are_used else [],
            read.unknown_share,
            search_filter,
            candidates=max(settings.candidates, top_k),
            texts=reread or math.ceil((1 + SPARE_TEXTS) * top_k),
            projection="explained" if explain else "candidates" if reread else "hits",
        )
        ranking = await self._rank(query, read.space)
        stages.end("search")
        reranking = Reranking(())
        if self._reranker is not None:
            passages = [one.passage for one in ranking.chunks if one.passage is not None]
            reranking = await rerank(
                self._reranker, asked.text, passages, timeout_s=settings.rerank.timeout_s
            )
            stages.end("rerank")
        ranked = _reranked(ranking.chunks, reranking.scores or ())
        highest_bm25 = (settings.k1 + 1) * sum(ranking.term_weights.values())
        hits, dropped = await self._choose(ranked, top_k, highest_bm25)
        stages.end("load")
        if self._record is not None:
            self._record(ranking.plan.space_id, read.vector)
        explanation = None
        if explain:
            explanation = explain_search(
                query, ranking, settings, ranked=ranked, hits=hits, dropped=dropped, stages_ms=stages.ms
            )
        return Retrieved(
            tuple(hits),
            read.vector,
            ranking.term_weights,
            ranking.plan,
            stages.summary(),
            reranking.failure,
            explanation,
            asked,
            ranking.standards,
            ranking.background,
            read.space,
        )

    async def _rank(self, query: RankingQuery, space: EmbeddingSpace) -> Ranking:
        return await run_alone(
            self._pool,
            lambda connection: rank_chunks(
                connection, self._memory, space, query, self._settings, backgrounds=self._backgrounds
            ),
        )

    async def _choose(
        self, ranked: Sequence[RankedChunk], top_k: int, highest_bm25: float
    ) -> tuple[list[ScoredChunk], dict[int, Dropped]]:
        """The hits, best first, and why each other chunk is none. Texts are loaded as they are needed: what is left out
        for its text makes room for one that is read then."""
        by_id = {one.chunk_id: one for one in ranked}
        chunks = {one.chunk_id: one.chunk for one in ranked if one.chunk is not None}
        left_out: dict[int, Dropped] = {}
        while True:
            chosen, dropped = select(
                ranked, top_k, self._settings.max_per_document, left_out, highest_bm25=highest_bm25
            )
            missing = [chunk_id for chunk_id in chosen if chunk_id not in chunks]
            if missing:
                chunks |= await self._load(missing)
            more = {chunk_id: Dropped("deleted") for chunk_id in missing if chunk_id not in chunks}
            texts = [(by_id[chunk_id], chunks[chunk_id].text) for chunk_id in chosen if chunk_id in chunks]
            if len(texts) <= QUICKLY_COMPARED:
                more |= find_near_identical(texts)
            else:
                more |= await asyncio.to_thread(find_near_identical, texts)
            if not more:
                found = [(chunks[chunk_id], by_id[chunk_id]) for chunk_id in chosen]
                hits = [
                    replace(
                        chunk,
                        score=one.score,
                        scores=one.scores,
                        standard=one.standard,
                        sender=one.sender,
                        rank=rank,
                    )
                    for rank, (chunk, one) in enumerate(found, 1)
                ]
                return hits, dropped
            left_out |= more

    async def _load(self, chunk_ids: Sequence[int]) -> dict[int, ScoredChunk]:
        return await run_alone(self._pool, lambda connection: load_chunks(connection, chunk_ids))


def _reranked(chunks: Sequence[RankedChunk], scores: Sequence[float]) -> list[RankedChunk]:
    """Candidates in their final order: those that the cross-encoder scored, the first of `chunks`, by its score, equal
    ones and all after them as fused."""
    scored = [
        replace(one, scores=replace(one.scores, rerank=score))
        for one, score in zip(chunks, scores, strict=False)
    ]
    return [*sorted(scored, key=lambda one: -(one.scores.rerank or 0.0)), *chunks[len(scored) :]]
