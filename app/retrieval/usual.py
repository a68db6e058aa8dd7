"""The usual search, in one round trip: app/search/ranking.py's statement, and which of its chunks become hits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain import RetrievalScores, ScoredChunk
from app.embedding import EmbeddingSpace
from app.retrieval.selection import Dropped, Ranked, find_near_identical, select
from app.retrieval.wide_filters import WideFilters
from app.search.candidates import SearchPlan, StoredCollection, read_collection
from app.search.ranking import Ranking, RankingQuery, RankingSettings, rank_chunks
from app.store.chunks import StoredChunk, load_chunks
from app.store.connection import AsyncPool, PooledConnection, run_alone

SPARE: Final = (
    10  # chunks fetched beyond twice `top_k`: so many may be left out before the search is done again
)
MOST_KNOWN: Final = 1_000  # collections
TRIES: Final = 3  # more only where the collection changes each time

Load = Callable[[Sequence[int]], Awaitable[Mapping[int, StoredChunk]]]


@dataclass(frozen=True, slots=True)
class Usual:
    """Hits, best first; `term_weights` has the idf of each term, empty where terms were not looked up."""

    hits: tuple[ScoredChunk, ...]
    term_weights: Mapping[str, float]
    plan: SearchPlan


class UsualSearch:
    """Remembers of each collection what a statement is made for."""

    def __init__(
        self,
        pool: AsyncPool,
        space: EmbeddingSpace,
        settings: RankingSettings,
        max_per_document: int,
        wide_filters: WideFilters | None = None,
    ) -> None:
        """A filter that keeps much is noted in `wide_filters`."""
        self._pool, self._space, self._settings = pool, space, settings
        self._wide_filters = wide_filters or WideFilters()
        self._max_per_document = max_per_document
        self._known: dict[str, StoredCollection] = {}

    async def search(self, query: RankingQuery) -> Usual | None:
        """None where one statement can't do it: the filter keeps much, too many of the chunks are left out, or what is
        known of the collection changes all the time.

        Raises NotFoundError, EmbeddingMismatchError, StoreError.
        """
        ranking = await run_alone(self._pool, lambda connection: self._rank(connection, query))
        if ranking is None:
            return None
        texts = {one.chunk_id: one.chunk for one in ranking.chunks if one.chunk is not None}
        ranked = [Ranked(one.chunk_id, one.document_id, one.score) for one in ranking.chunks]
        chosen, _ = await settle(ranked, query.top_k, self._max_per_document, texts, self._load)
        if len(chosen) < query.top_k and len(ranking.chunks) == query.shown:
            return None
        lexical_ran = self._settings.dense_weight < 1
        by_id = {one.chunk_id: one for one in ranking.chunks}
        hits = []
        for rank, chunk_id in enumerate(chosen, 1):
            one = by_id[chunk_id]
            scores = RetrievalScores(one.dense, one.lexical if lexical_ran else None)
            hits.append(as_hit(texts[chunk_id], one.score, scores, rank))
        return Usual(tuple(hits), ranking.term_weights, ranking.plan)

    async def _rank(self, connection: PooledConnection, query: RankingQuery) -> Ranking | None:
        collection = self._known.get(query.collection)
        for _ in range(TRIES):
            if collection is None:
                collection = await read_collection(connection, query.collection, self._space)
                if not collection.comparable:
                    return None
            ranking = await rank_chunks(connection, collection, query, self._settings)
            collection = ranking.collection if ranking is not None else None
            self._remember(query.collection, collection)
            if ranking is not None and not ranking.is_fit and query.filter is not None:
                self._wide_filters.note(query.collection, query.filter, ranking.plan.rows)
                return None
            if ranking is not None and ranking.is_fit:
                return ranking
        return None

    def _remember(self, name: str, collection: StoredCollection | None) -> None:
        self._known.pop(name, None)
        if collection is not None:
            self._known[name] = collection
        if len(self._known) > MOST_KNOWN:
            self._known.pop(next(iter(self._known)))

    async def _load(self, chunk_ids: Sequence[int]) -> Mapping[int, StoredChunk]:
        return await run_alone(self._pool, lambda connection: load_chunks(connection, chunk_ids))


QUICKLY_COMPARED: Final = 12  # hits whose texts take a millisecond; changing threads costs a tenth of that


async def settle(
    ranked: Sequence[Ranked],
    top_k: int,
    max_per_document: int,
    texts: dict[int, StoredChunk],
    load: Load,
) -> tuple[list[int], dict[int, Dropped]]:
    """The chunks that become hits, best first, with their texts in `texts`; and why the others do not. Texts are loaded
    as they are needed: what is left out for its text makes room for one that is read then."""
    left_out: dict[int, Dropped] = {}
    by_id = {one.chunk_id: one for one in ranked}
    while True:
        chosen, dropped = select(ranked, top_k, max_per_document, left_out)
        missing = [chunk_id for chunk_id in chosen if chunk_id not in texts]
        if missing:
            texts.update(await load(missing))
        more = {chunk_id: Dropped("deleted") for chunk_id in missing if chunk_id not in texts}
        with_texts = [(by_id[chunk_id], texts[chunk_id].text) for chunk_id in chosen if chunk_id in texts]
        if len(with_texts) <= QUICKLY_COMPARED:
            more |= find_near_identical(with_texts)
        else:
            more |= await asyncio.to_thread(find_near_identical, with_texts)
        if not more:
            return chosen, dropped
        left_out |= more


def as_hit(chunk: StoredChunk, score: float, scores: RetrievalScores, rank: int) -> ScoredChunk:
    """A chunk in its place among the hits."""
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
        score=score,
        scores=scores,
        rank=rank,
        places=chunk.places,
        sentences=chunk.sentences,
    )
