"""The record of who did what: put aside by requests, written by a task within a second, off every request's path.

Recorded are changes, questions (that one was asked, never its words), logins, and what was refused.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import psycopg
import structlog

from app.errors import StoreError
from app.loop_tasks import running
from app.store.accounts import Deed, forget_record, read_tenant_ids, record
from app.store.connection import AsyncConnection, AsyncPool, write
from app.store.tenancy import Scope, working_for

_WRITE_EVERY_S: Final = 1.0
_FORGET_EVERY_S: Final = 3_600.0
MOST_WAITING: Final = 10_000  # while the database is away; then the oldest go, and the log says how many
_AT_ONCE: Final = 500
_log = structlog.get_logger(__name__)


class Record:
    """Writes deeds to the database; lines older than `days` go. With 0 days nothing is recorded."""

    def __init__(self, pool: AsyncPool, days: int) -> None:
        self._pool, self._days = pool, days
        self._waiting: deque[Deed] = deque()
        self._lost = 0

    def add(self, deed: Deed) -> None:
        """Put a deed aside."""
        if self._days == 0:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(deed)

    async def write(self) -> None:
        """Write what waits; what could not be written waits on. Raises StoreError."""
        while self._waiting:
            now = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]

            try:
                for tenant in dict.fromkeys(deed.tenant for deed in now):
                    await self._add(tenant, [deed for deed in now if deed.tenant == tenant])
                    now = [deed for deed in now if deed.tenant != tenant]
            except BaseException:  # cancelled, too
                self._waiting.extendleft(reversed(now))
                raise
        if self._lost:
            _log.error("lines of the audit record are lost: the database was away too long", lines=self._lost)
            self._lost = 0

    async def _add(self, tenant: int, deeds: Sequence[Deed]) -> None:
        async def add(connection: AsyncConnection) -> None:
            await record(connection, deeds)

        with working_for(Scope(tenant)):
            await write(self._pool, add)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Record]:
        """Write every second until the block ends, and what is left then."""
        try:
            async with running(self._write_on()):
                yield self
        finally:
            await self._try(self.write())

    async def _write_on(self) -> None:
        clock = asyncio.get_running_loop().time
        forgotten = -_FORGET_EVERY_S
        while True:
            await self._try(self.write())
            if self._days and clock() - forgotten > _FORGET_EVERY_S:
                forgotten = clock()
                await self._try(self._forget())
            await asyncio.sleep(_WRITE_EVERY_S)

    async def _forget(self) -> None:
        async def forget(connection: AsyncConnection) -> None:
            await forget_record(connection, days=self._days)

        for tenant in await read_tenant_ids(self._pool):
            with working_for(Scope(tenant)):
                await write(self._pool, forget)

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (StoreError, psycopg.Error) as error:
            _log.warning(
                "the audit record could not be written; it waits on", error=str(error).split("\n")[0][:200]
            )
