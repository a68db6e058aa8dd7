"""Reads what a question's cosines are measured against, and keeps it: a collection's sample changes seldom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from app.embedding import Embedder, EmbeddingSpace, FloatMatrix
from app.embedding_switch import embedder_of
from app.search.plan import Sample
from app.search.standard import Background, Windows
from app.store.backgrounds import (
    LOAD_TEXTS,
    arrange_samples,
    arrange_texts,
    embed_texts,
    sample_statement,
)
from app.store.connection import AsyncConnection
from app.store.tenancy import NOBODY, Scope, current_scope
from app.threads import thread_of

MOST_KEPT: Final = 20_000  # vectors, of a collection up to 288, and of what one question asks in any case


class BackgroundReader:
    """Keeps those read last, one a collection. Where the space has no vectors of the texts, which ingest writes, they
    are made here and kept in memory: a second once a process."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._texts: dict[int, Mapping[str, FloatMatrix]] = {}
        self._kept: dict[tuple[Scope, int, int, int], Windows] = {}

    async def read(
        self, connection: AsyncConnection, space: EmbeddingSpace, space_id: int, samples: Sequence[Sample]
    ) -> Background:
        """The background of the collections that are asked in `space`, of their samples as the manifest numbers all."""
        texts = await self._read_texts(connection, space, space_id)
        windows = await self._read_windows(connection, space, space_id, samples)
        return Background(texts, windows, [sample.chunk_count for sample in samples])

    async def _read_windows(
        self, connection: AsyncConnection, space: EmbeddingSpace, space_id: int, samples: Sequence[Sample]
    ) -> list[Windows]:
        """Those that are not kept in one round trip: a collection may have hundreds of shelves."""
        scope = current_scope(NOBODY)
        keys = [(scope, sample.collection_id, sample.version, space_id) for sample in samples]
        known = {
            key: self._kept[key] for key in keys if key in self._kept
        }  # another question may let them go
        missing = [key[1] for key in keys if key not in known]
        if missing:
            cursor = await connection.execute(sample_statement(space_id), [missing])
            read = arrange_samples(await cursor.fetchall(), missing, space.dimension)
            known |= {key: read[key[1]] for key in keys if key not in known}
        for key in keys:  # to the end: those asked last are kept
            self._kept.pop(key, None)
            self._kept[key] = known[key]
        held = sum(map(_count, self._kept.values()))
        while held > MOST_KEPT and len(self._kept) > len(keys):
            held -= _count(self._kept.pop(next(iter(self._kept))))
        return [known[key] for key in keys]

    async def _read_texts(
        self, connection: AsyncConnection, space: EmbeddingSpace, space_id: int
    ) -> Mapping[str, FloatMatrix]:
        if space_id not in self._texts:
            dimension = space.dimension
            cursor = await connection.execute(LOAD_TEXTS, [space_id])
            texts = arrange_texts(await cursor.fetchall(), dimension)
            if texts is None:
                embedder = embedder_of(self._embedder, space)
                made = await thread_of(self._embedder).run(embed_texts, embedder, space_id)
                texts = arrange_texts(((row["digest"], row["embedding"]) for row in made), dimension)
                assert texts is not None
            self._texts[space_id] = texts
        return self._texts[space_id]


def _count(windows: Windows) -> int:
    return sum(map(len, windows.values()))
