"""Keeps the vectors of the newest questions, so that an index's recall is measured with what people ask.

No words are stored. A vector still says roughly what was asked to whoever has the model, so
PGASK_KEEP_QUESTION_VECTORS=0 keeps none. Never on a request's path: `note` puts a vector aside, a task writes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import psycopg
import structlog

from app.embedding import FloatMatrix
from app.errors import StoreError
from app.store.engine import AsyncPool, transaction

_WRITE_EVERY_S: Final = 5.0
_MOST_WAITING: Final = (
    200  # more come in than are written only while the database is away: then the oldest go
)
_log = structlog.get_logger(__name__)

_INSERT: Final = """
INSERT INTO pgask.question_vectors (space_id, digest, embedding)
SELECT %(space)s, %(digest)s, %(embedding)s WHERE EXISTS (SELECT FROM pgask.embedding_spaces WHERE id = %(space)s)
ON CONFLICT (space_id, digest) DO UPDATE SET asked_at = excluded.asked_at"""

_PRUNE: Final = """
DELETE FROM pgask.question_vectors q USING (
    SELECT space_id, digest, row_number() OVER (PARTITION BY space_id ORDER BY asked_at DESC, digest) AS place
      FROM pgask.question_vectors) ranked
 WHERE (q.space_id, q.digest) = (ranked.space_id, ranked.digest) AND ranked.place > %(keep)s"""


class QuestionVectors:
    """The newest `keep` distinct questions of each space; 0: none, and those that are there go."""

    def __init__(self, pool: AsyncPool, keep: int) -> None:
        self._pool, self._keep = pool, keep
        self._waiting: dict[tuple[int, bytes], list[float]] = {}
        self._forgotten = False  # what was kept before none was to be kept

    def note(self, space_id: int, vector: FloatMatrix) -> None:
        """Put a question's unit vector (dimension,) aside; it is written within some seconds."""
        if self._keep == 0:
            return
        key = (space_id, hashlib.sha256(vector.tobytes()).digest()[:16])
        self._waiting.pop(key, None)
        self._waiting[key] = [float(number) for number in vector]
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.pop(next(iter(self._waiting)))

    async def write(self) -> None:
        """Write what waits, and forget all but the newest. Raises StoreError."""
        waiting, self._waiting = self._waiting, {}
        if not waiting and (self._keep or self._forgotten):
            return
        async with transaction(self._pool) as connection:
            for (space_id, digest), embedding in waiting.items():
                await connection.execute(
                    _INSERT, {"space": space_id, "digest": digest, "embedding": embedding}
                )
            await connection.execute(_PRUNE, {"keep": self._keep})
        self._forgotten = self._keep == 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[QuestionVectors]:
        """Write every few seconds until the block ends, and what is left then."""
        task = asyncio.create_task(self._write_on())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._try_to_write()

    async def _write_on(self) -> None:
        while True:
            await self._try_to_write()
            await asyncio.sleep(_WRITE_EVERY_S)

    async def _try_to_write(self) -> None:
        try:
            await self.write()
        except (StoreError, psycopg.Error) as error:
            _log.warning("question vectors were not kept", error=str(error).split("\n")[0][:200])
