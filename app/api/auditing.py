"""The record of who did what: put aside by requests, written by a task within a second, off every request's path.

Recorded are changes, questions (that one was asked, never its words), logins, and what was refused. Who is refused
again and again writes a line at once and one more when the minute ends, with their number: nobody fills the table.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

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
REFUSED: Final = frozenset({401, 403, 429})
MOST_KINDS: Final = 20  # of refusals of one caller, or of all strangers, that are told apart in a minute
_log = structlog.get_logger(__name__)

_Caller = tuple[int, str, UUID | None]
_Kind = tuple[str | None, str, int]


class Refusals:
    """Counts refusals: in each minute the first of its kind is a line, and all others are one more when it ends.

    Of a kind are those of one caller, from one address, of one action and status. Strangers count as one caller; beyond
    MOST_KINDS a caller's are told apart by status alone.
    """

    def __init__(self) -> None:
        self._minute: datetime | None = None
        self._kinds: dict[_Caller, dict[_Kind, Deed | None]] = {}

    def take(self, deed: Deed) -> bool:
        """Whether it is a line of its own; else it is counted. Asked after `end`."""
        kinds = self._kinds.setdefault((deed.tenant, deed.actor, deed.key_id), {})
        kind: _Kind = (deed.address, deed.action, deed.status)
        if kind not in kinds:
            if len(kinds) < MOST_KINDS:
                kinds[kind] = None
                return True
            deed = replace(deed, action="refused", target="", address=None)
            kind = (None, "", deed.status)
        before = kinds.get(kind)
        count = 1 if before is None else before.detail["requests"] + 1
        kinds[kind] = replace(deed, detail=deed.detail | {"requests": count})
        return False

    def end(self, now: datetime | None) -> list[Deed]:
        """The lines of the minute that has ended, if one has; None: of what was counted until now."""
        minute = None if now is None else now.replace(second=0, microsecond=0)
        if minute is not None and minute == self._minute:
            return []
        ended = [deed for kinds in self._kinds.values() for deed in kinds.values() if deed is not None]
        self._minute, self._kinds = minute, {}
        return ended


class Record:
    """Writes deeds to the database; lines older than `days` go. With 0 days nothing is recorded."""

    def __init__(self, pool: AsyncPool, days: int) -> None:
        self._pool, self._days = pool, days
        self._waiting: deque[Deed] = deque()
        self._lost = 0
        self._refusals = Refusals()

    def add(self, deed: Deed) -> None:
        """Put a deed aside."""
        if self._days == 0:
            return
        if deed.status in REFUSED:
            self._put(*self._refusals.end(deed.at))
            if not self._refusals.take(deed):
                return
        self._put(deed)

    def _put(self, *deeds: Deed) -> None:
        for deed in deeds:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(deed)

    async def write(self) -> None:
        """Write what waits; what could not be written waits on. Raises StoreError."""
        self._put(*self._refusals.end(datetime.now(UTC)))
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
            self._put(*self._refusals.end(None))
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
