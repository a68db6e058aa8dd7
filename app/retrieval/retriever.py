"""Question → ranked chunks. Usually in one statement (app/search/ranking.py); step by step where a reranker reads the
candidates or all of them are to be shown: search both legs in one snapshot, fuse, rerank, load the texts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.config import Settings
from app.domain import Explanation, RetrievalScores, ScoredChunk, SearchFilter
from app.embedding import Embedder, FloatMatrix
from app.letterspacing import close_up
from app.question.content import NOTHING, Asked, read_question
from app.question.courtesy import bare_question
from app.retrieval.explanation import explain_candidates
from app.retrieval.fusion import Fused, fuse
from app.retrieval.reading import QuestionReader
from app.retrieval.rerank import Reranker, Reranking, RerankSettings, rerank
from app.retrieval.selection import Dropped, Ranked
from app.retrieval.usual import SPARE, Load, UsualSearch, as_hit, settle
from app.retrieval.wide_filters import WideFilters
from app.search.candidates import Candidates, SearchPlan, weigh_terms
from app.search.ranking import RankingQuery, RankingSettings
from app.store.bm25 import unknown_weight
from app.store.chunks import StoredChunk, load_chunks, load_neighbours, load_passages, load_sources
from app.store.chunks import load_surroundings as load_stored_surroundings
from app.store.connection import AsyncConnection, AsyncPool, run_alone, transaction
from app.store.named_documents import NamedDocument, find_named
from app.store.outlines import find_holders

MAX_HOLDING = 20  # documents looked at for one that says it replaces another
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
    max_per_document: int = 0
    rerank: RerankSettings = field(default_factory=RerankSettings)

    @property
    def dense_alone(self) -> bool:
        """Whether the lexical leg has no weight: then it is not searched."""
        return self.dense_weight == 1

    def ranking(self) -> RankingSettings:
        """The part that one statement needs."""
        return RankingSettings(
            self.candidates, self.exact_max_rows, self.dense_weight, self.window_share, self.k1, self.b
        )

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
    configured reranker had no say. `explanation` is there where it was asked for.
    """

    hits: tuple[ScoredChunk, ...]
    vector: FloatMatrix
    term_weights: dict[str, float]
    plan: SearchPlan
    timings_ms: dict[str, float]
    rerank_failure: str | None = None
    explanation: Explanation | None = None
    asked: Asked = NOTHING

    @property
    def unknown_terms(self) -> frozenset[str]:
        """The terms that no chunk of the collection holds: those of the highest idf that there is."""
        highest = unknown_weight(self.plan.chunk_count)
        return frozenset(term for term, idf in self.term_weights.items() if idf >= highest - 1e-9)


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked, and what the model and the lexicon made of it."""

    collection: str
    top_k: int
    filter: SearchFilter | None
    explain: bool
    terms: list[str]
    vector: FloatMatrix
    unknown_share: float


@dataclass(slots=True)
class _Found:
    """What the database gave within one snapshot, and what became of it."""

    plan: SearchPlan
    candidates: Candidates
    fused: list[Fused]
    texts: dict[int, StoredChunk]
    passages: list[str]  # of the first of `fused`, for the reranker
    sources: Mapping[str, str]
    chosen: list[int]
    dropped: dict[int, Dropped]


class _Stages:
    """Milliseconds by stage, each from the end of the one before."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def end(self, stage: str) -> None:
        now = time.perf_counter()
        self.ms[stage] = self.ms.get(stage, 0.0) + (now - self._last) * 1000
        self._last = now

    def summary(self) -> dict[str, float]:
        """All but embedding and reranking as one."""
        searching = sum(ms for stage, ms in self.ms.items() if stage not in ("embed", "rerank"))
        timings = {"embed": self.ms["embed"], "retrieve": searching}
        return timings | ({"rerank": self.ms["rerank"]} if "rerank" in self.ms else {})


class Retriever:
    """Hybrid retrieval over one database."""

    def __init__(
        self,
        pool: AsyncPool,
        embedder: Embedder,
        settings: RetrievalSettings,
        note: Callable[[int, FloatMatrix], None] | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """`note` is told the space and the vector of each question; it must not wait."""
        self._pool = pool
        self._embedder = embedder
        self._settings = settings
        self._note = note
        self._reranker = reranker
        self._reader = QuestionReader(embedder)
        self._wide_filters = WideFilters()
        self._usual = UsualSearch(
            pool, embedder.space, settings.ranking(), settings.max_per_document, self._wide_filters
        )

    async def retrieve(
        self,
        question: str,
        collection: str,
        top_k: int,
        search_filter: SearchFilter | None = None,
        *,
        explain: bool = False,
        weigh: bool = True,
    ) -> Retrieved:
        """The `top_k` best chunks for what is asked: courtesy, and words that only ask, are not searched for.

        Without `weigh`, terms that the search itself does not need are not weighed.
        Raises NotFoundError, EmbeddingMismatchError, StoreError.
        """
        stages = _Stages()
        bare = read_question(bare_question(close_up(question)))
        read = await self._reader.read(bare.text)
        are_used = weigh or explain or not self._settings.dense_alone
        asked_terms = list(bare.terms[:MAX_QUERY_TERMS]) if are_used else []
        asked = _Question(
            collection, top_k, search_filter, explain, asked_terms, read.vector, read.unknown_share
        )
        stages.end("embed")
        retrieved = None
        is_wide = self._wide_filters.rows(collection, search_filter) is not None
        if self._reranker is None and not explain and not is_wide:
            retrieved = await self._search_at_once(asked, stages)
        if retrieved is None:
            retrieved = await self._search_in_steps(bare.text, asked, stages)
        if self._settings.dense_alone and weigh:
            async with transaction(self._pool) as connection:
                weights = await weigh_terms(connection, retrieved.plan.collection_id, asked.terms)
            retrieved = replace(retrieved, term_weights=weights)
        if self._note is not None:
            self._note(retrieved.plan.space_id, asked.vector)
        return replace(retrieved, asked=bare)

    async def _search_at_once(self, asked: _Question, stages: _Stages) -> Retrieved | None:
        """By one statement; None where it needs more."""
        settings = self._settings
        most = 2 * max(settings.candidates, asked.top_k)
        shown = most if settings.max_per_document else min(most, math.ceil((1 + SPARE) * asked.top_k) + 1)
        found = await self._usual.search(
            RankingQuery(
                asked.collection,
                asked.vector,
                asked.terms,
                asked.unknown_share,
                asked.filter,
                asked.top_k,
                shown,
            )
        )
        stages.end("search")
        if found is None:
            return None
        return Retrieved(found.hits, asked.vector, dict(found.term_weights), found.plan, stages.summary())

    async def _search_in_steps(self, question: str, asked: _Question, stages: _Stages) -> Retrieved:
        async with transaction(self._pool) as connection:
            found = await self._search(connection, asked, stages)
        reranking = Reranking(())
        if self._reranker is not None:
            limit_s = self._settings.rerank.timeout_s
            reranking = await rerank(self._reranker, question, found.passages, timeout_s=limit_s)
            stages.end("rerank")
            ranked = _reranked(found.fused, reranking.scores or ())
            found.chosen, found.dropped = await self._settle(ranked, asked, found, self._load_later)
            stages.end("load")
        scores = {
            one.candidate.chunk_id: score
            for one, score in zip(found.fused, reranking.scores or (), strict=False)
        }
        return Retrieved(
            self._to_hits(found, scores),
            asked.vector,
            dict(found.candidates.term_weights),
            found.plan,
            stages.summary(),
            reranking.failure,
            self._explain(asked, found, scores, stages) if asked.explain else None,
        )

    async def _search(self, connection: AsyncConnection, asked: _Question, stages: _Stages) -> _Found:
        """All that is read in one snapshot: candidates, and the texts of the hits or of what is to be reranked."""
        settings = self._settings
        plan, candidates = await self._wide_filters.find_candidates(
            connection,
            asked.collection,
            self._embedder.space,
            asked.filter,
            vector=asked.vector,
            terms=[] if settings.dense_alone else asked.terms,
            settings=replace(settings.ranking(), candidates=max(settings.candidates, asked.top_k)),
            on_planned=lambda: stages.end("plan"),
        )
        stages.end("search")
        fused = fuse(candidates.chunks, settings.dense_weight, settings.window_share, asked.unknown_share)
        stages.end("fuse")
        found = _Found(plan, candidates, fused, {}, [], {}, [], {})
        if asked.explain:
            documents = {one.candidate.document_id for one in fused}
            found.sources = await load_sources(connection, documents)
        if self._reranker is not None:
            await self._read_passages(connection, found)
        else:

            async def load(ids: Sequence[int]) -> Mapping[int, StoredChunk]:
                return await load_chunks(connection, ids)

            found.chosen, found.dropped = await self._settle(_reranked(fused, ()), asked, found, load)
        stages.end("load")
        return found

    async def _read_passages(self, connection: AsyncConnection, found: _Found) -> None:
        """The texts of the best candidates, and of each the passage that the reranker reads."""
        first = found.fused[: self._settings.rerank.candidates]
        found.texts.update(await load_chunks(connection, [one.candidate.chunk_id for one in first]))
        windows = {one.candidate.chunk_id: one.window for one in first}
        spans = await load_passages(connection, found.plan.space_id, windows)
        for chunk_id in windows:
            chunk, (start, end) = found.texts[chunk_id], spans[chunk_id]
            found.passages.append(
                chunk.text[max(0, start - chunk.char_start) : max(0, end - chunk.char_start)]
            )

    async def _settle(
        self, ranked: Sequence[Ranked], asked: _Question, found: _Found, load: Load
    ) -> tuple[list[int], dict[int, Dropped]]:
        return await settle(ranked, asked.top_k, self._settings.max_per_document, found.texts, load)

    async def _load_later(self, chunk_ids: Sequence[int]) -> Mapping[int, StoredChunk]:
        async with transaction(self._pool) as connection:
            return await load_chunks(connection, chunk_ids)

    def _to_hits(self, found: _Found, rerank_scores: Mapping[int, float]) -> tuple[ScoredChunk, ...]:
        fused = {one.candidate.chunk_id: one for one in found.fused}
        hits = []
        for rank, chunk_id in enumerate(found.chosen, 1):
            one = fused[chunk_id]
            lexical = None if self._settings.dense_alone else one.candidate.lexical
            scores = RetrievalScores(one.dense, lexical, rerank_scores.get(chunk_id))
            hits.append(as_hit(found.texts[chunk_id], one.score, scores, rank))
        return tuple(hits)

    def _explain(
        self,
        asked: _Question,
        found: _Found,
        scores: Mapping[int, float],
        stages: _Stages,
    ) -> Explanation:
        settings, plan = self._settings, found.plan
        return Explanation(
            terms=dict(found.candidates.term_weights) or dict.fromkeys(asked.terms, 0.0),
            unknown_share=asked.unknown_share,
            dense_weight=settings.dense_weight,
            window_share=settings.window_share,
            search="exact" if plan.index is None else plan.index.method,
            probes=plan.probes,
            rows=plan.rows,
            candidates_per_search=max(settings.candidates, asked.top_k),
            reranked=len(scores),
            candidates=explain_candidates(
                found.fused,
                unknown_share=asked.unknown_share,
                rerank_scores=scores,
                chosen=found.chosen,
                dropped=found.dropped,
                sources=found.sources,
            ),
            stages_ms=dict(stages.ms),
        )

    async def load_neighbours(self, hits: Sequence[ScoredChunk]) -> tuple[ScoredChunk, ...]:
        """What stands after and before each hit in its document, best hit first; none that is a hit itself.

        They were not searched for: score 0, no scores, rank 0. Raises StoreError.
        """
        known = {hit.chunk_id for hit in hits}
        async with transaction(self._pool) as connection:
            found = await load_neighbours(connection, [int(hit.chunk_id) for hit in hits])
        beside = (neighbour.chunk for neighbour in found)
        return tuple(_beside(chunk) for chunk in beside if str(chunk.chunk_id) not in known)

    async def load_heads(
        self, hits: Sequence[ScoredChunk], in_table: Sequence[ScoredChunk]
    ) -> dict[str, tuple[str, int, str]]:
        """By the hit's id: the beginning of its document, and for those `in_table` what stands before it, after the
        offset where that begins. A hit that was deleted meanwhile is missing. Raises StoreError."""
        async with transaction(self._pool) as connection:
            found = await load_stored_surroundings(
                connection, [int(hit.chunk_id) for hit in hits], [int(hit.chunk_id) for hit in in_table]
            )
        return {str(chunk_id): known for chunk_id, known in found.items()}

    async def find_named(
        self, collection: str, search_filter: SearchFilter | None, names: Sequence[Sequence[str]]
    ) -> list[NamedDocument]:
        """Documents whose path and title hold all words of one of `names`, in their order. Raises StoreError."""
        return await run_alone(
            self._pool, lambda connection: find_named(connection, collection, search_filter, names)
        )

    async def find_holding(
        self, collection: str, search_filter: SearchFilter | None, terms: Sequence[str]
    ) -> list[str]:
        """Sources of documents one of whose chunks holds all of these terms, at most MAX_HOLDING. Raises StoreError."""
        holders = await run_alone(
            self._pool,
            lambda connection: find_holders(connection, collection, search_filter, terms, MAX_HOLDING),
        )
        return [holder.source for holder in holders]

    async def load_surroundings(
        self, hits: Sequence[ScoredChunk], steps: int
    ) -> dict[str, tuple[tuple[int, ScoredChunk], ...]]:
        """What stands at most `steps` chunks before and after each hit, in the document's order, by the hit's id: how
        many chunks after the hit (before it: negative), and the chunk, cut where it meets the next. Raises StoreError.
        """
        async with transaction(self._pool) as connection:
            found = await load_neighbours(connection, [int(hit.chunk_id) for hit in hits], steps)
        surroundings: dict[str, list[tuple[int, ScoredChunk]]] = {hit.chunk_id: [] for hit in hits}
        for neighbour in sorted(found, key=lambda one: one.steps):
            surroundings[str(neighbour.beside)].append((neighbour.steps, _beside(neighbour.chunk)))
        return {chunk_id: tuple(chunks) for chunk_id, chunks in surroundings.items()}


def _reranked(fused: Sequence[Fused], scores: Sequence[float]) -> list[Ranked]:
    """Candidates in their final order: those that the cross-encoder scored, the first of `fused`, by its score, equal
    ones and all after them as fused."""
    order = sorted(range(len(scores)), key=lambda at: -scores[at]) + list(range(len(scores), len(fused)))
    return [
        Ranked(fused[at].candidate.chunk_id, fused[at].candidate.document_id, fused[at].score) for at in order
    ]


def _beside(chunk: StoredChunk) -> ScoredChunk:
    """A stored chunk, or the part of one that is left, as a hit that was not searched for."""
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
        places=chunk.places,
        sentences=tuple(
            (start, end)
            for start, end in chunk.sentences
            if chunk.char_start <= start and end <= chunk.char_end
        ),
    )
