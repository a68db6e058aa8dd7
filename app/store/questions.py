"""Keeps the vectors of the newest questions, so that an index's recall is measured with what people ask.

No words are stored. A vector still says roughly what was asked to whoever has the model, so
PGASK_KEEP_QUESTION_VECTORS=0 keeps none. Never on a request's path: `note` puts a vector aside, a task writes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import psycopg
import structlog

from app.embedding import FloatMatrix
from app.errors import StoreError
from app.loop_tasks import running
from app.store.accounts import read_tenant_ids
from app.store.connection import AsyncConnection, AsyncPool, write
from app.store.tenancy import Scope, current_scope, working_for

_WRITE_EVERY_S: Final = 5.0
_MOST_WAITING: Final = 200  # as many only while the database is away: then the oldest go
_MANY_WAITING: Final = 100  # are written at once
_log = structlog.get_logger(__name__)

Key = tuple[int, int, bytes]  # a tenant, a space, and what stands for the vector

# One writer of all services at a time: two that write the same questions, or forget the same ones, would wait for each
# other. The time is the clock's and not the transaction's, which began before it waited.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('pgask.question_vectors'))"

_INSERT: Final = """
INSERT INTO pgask.question_vectors (space_id, digest, embedding, asked_at)
SELECT %(space)s, %(digest)s, %(embedding)s, clock_timestamp()
 WHERE EXISTS (SELECT FROM pgask.embedding_spaces WHERE id = %(space)s)
ON CONFLICT (tenant_id, space_id, digest) DO UPDATE SET asked_at = excluded.asked_at"""

_PRUNE: Final = """
DELETE FROM pgask.question_vectors q USING (
    SELECT space_id, digest, row_number() OVER (PARTITION BY space_id ORDER BY asked_at DESC, digest) AS place
      FROM pgask.question_vectors) ranked
 WHERE (q.space_id, q.digest) = (ranked.space_id, ranked.digest) AND ranked.place > %(keep)s"""


class QuestionVectors:
    """The newest `keep` distinct questions of each tenant and space; 0: none, and those that are there go."""

    def __init__(self, pool: AsyncPool, keep: int) -> None:
        self._pool, self._keep = pool, keep
        self._waiting: dict[Key, list[float]] = {}
        self._many = asyncio.Event()
        self._forgotten = False  # what was kept before none was to be kept

    def note(self, space_id: int, vector: FloatMatrix) -> None:
        """Put a question's unit vector (dimension,) aside; it is written within some seconds."""
        if self._keep == 0:
            return
        tenant = current_scope(self._pool.otherwise).tenant
        if tenant is None:
            return
        key = (tenant, space_id, hashlib.sha256(vector.tobytes()).digest()[:16])
        self._wait({key: [float(number) for number in vector]})
        if len(self._waiting) >= _MANY_WAITING:
            self._many.set()

    async def write(self) -> None:
        """Write what waits, and forget all but the newest. What could not be written waits on. Raises StoreError."""
        waiting, self._waiting = self._waiting, {}
        if not waiting and (self._keep or self._forgotten):
            return
        try:
            for tenant in {tenant for tenant, *_ in waiting} or await read_tenant_ids(self._pool):
                await self._keep_newest(tenant, waiting)
        except BaseException:  # cancelled, too
            newer, self._waiting = self._waiting, waiting
            self._wait(newer)
            raise
        self._forgotten = self._keep == 0

    async def _keep_newest(self, tenant: int, waiting: Mapping[Key, list[float]]) -> None:
        rows = [
            {"space": space_id, "digest": digest, "embedding": embedding}
            for (whose, space_id, digest), embedding in waiting.items()
            if whose == tenant
        ]

        async def keep_newest(connection: AsyncConnection) -> None:
            await connection.execute(_LOCK)
            async with connection.cursor() as cursor:
                await cursor.executemany(_INSERT, rows)
            await connection.execute(_PRUNE, {"keep": self._keep})

        with working_for(Scope(tenant)):
            await write(self._pool, keep_newest)

    def _wait(self, newest: dict[Key, list[float]]) -> None:
        """Let these wait behind the others, the newest last."""
        for key in newest:
            self._waiting.pop(key, None)
        self._waiting.update(newest)
        for key in list(self._waiting)[: max(0, len(self._waiting) - _MOST_WAITING)]:
            del self._waiting[key]

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[QuestionVectors]:
        """Write every few seconds until the block ends, and what is left then."""
        try:
            async with running(self._write_on()):
                yield self
        finally:
            await self._try_to_write()

    async def _write_on(self) -> None:
        while True:
            self._many.clear()
            if not await self._try_to_write():
                await asyncio.sleep(_WRITE_EVERY_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WRITE_EVERY_S):
                    await self._many.wait()

    async def _try_to_write(self) -> bool:
        try:
            await self.write()
        except (StoreError, psycopg.Error) as error:
            _log.warning(
                "question vectors could not be written; they wait on", error=str(error).split("\n")[0][:200]
            )
            return False
        return True
