"""What stands around hits and what documents are called: read from the database, searched for by nothing. Async."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.domain import ALL, MAX_COLLECTIONS, CollectionNames, ScoredChunk, SearchFilter, names_of
from app.errors import LimitExceededError, NotFoundError
from app.store.catalog import read_names
from app.store.chunks import load_neighbours
from app.store.chunks import load_surroundings as load_stored_surroundings
from app.store.connection import AsyncPool, run_alone, transaction
from app.store.named_documents import NamedDocument, find_named
from app.store.outlines import find_holders

MAX_HOLDING: Final = 20  # documents looked at for one that says it replaces another


class ContextReader:
    """Reads what stands around hits."""

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool

    async def find_collections(self, collections: CollectionNames) -> CollectionNames:
        """The collections that are meant, each once: for ALL, every one that whoever asks may read. Raises
        NotFoundError where that is none, LimitExceededError where it is more than MAX_COLLECTIONS, StoreError."""
        names = list(dict.fromkeys(names_of(collections)))
        if ALL in names:
            names = await run_alone(
                self._pool, lambda connection: read_names(connection, MAX_COLLECTIONS + 1)
            )
        if not names:
            raise NotFoundError("There is no collection yet: `ingest PATH` makes one.")
        if len(names) > MAX_COLLECTIONS:
            raise LimitExceededError(
                f"The question asks {len(names)} collections or more at once; the limit is {MAX_COLLECTIONS} (fixed). "
                "Name those that matter.",
                chinese=f"问题一次询问了 {len(names)} 个或更多集合，上限为 {MAX_COLLECTIONS}（不可调整）。"
                "请指明所需的集合。",
            )
        return names[0] if len(names) == 1 else tuple(names)

    async def load_neighbours(self, hits: Sequence[ScoredChunk]) -> tuple[ScoredChunk, ...]:
        """What stands after and before each hit in its document, best hit first; none that is a hit itself.

        They were not searched for: score 0, no scores, rank 0. Raises StoreError.
        """
        known = {hit.chunk_id for hit in hits}
        async with transaction(self._pool) as connection:
            found = await load_neighbours(connection, [int(hit.chunk_id) for hit in hits])
        beside = (neighbour.chunk for neighbour in found)
        return tuple(_beside(chunk) for chunk in beside if chunk.chunk_id not in known)

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
        self, collection: CollectionNames, search_filter: SearchFilter | None, names: Sequence[Sequence[str]]
    ) -> list[NamedDocument]:
        """Documents whose path and title hold all words of one of `names`, in their order. Raises StoreError."""
        return await run_alone(
            self._pool, lambda connection: find_named(connection, collection, search_filter, names)
        )

    async def find_holding(
        self, collection: CollectionNames, search_filter: SearchFilter | None, terms: Sequence[str]
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


def _beside(chunk: ScoredChunk) -> ScoredChunk:
    """A stored chunk, or the part of one that is left, under the page and heading and with the sentences of that."""
    place = next((p for p in reversed(chunk.places) if p.char_start <= chunk.char_start), None)
    return replace(
        chunk,
        page=place.page if place else chunk.page,
        heading=place.heading if place else chunk.heading,
        sentences=tuple(
            (start, end)
            for start, end in chunk.sentences
            if chunk.char_start <= start and end <= chunk.char_end
        ),
    )
