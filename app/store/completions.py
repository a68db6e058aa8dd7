"""What a model said to a prompt, kept for some hours, so that the same question need not be generated again.

Nothing is kept of which documents, readers or settings an answer came from: the prompt holds all that the model saw of
them, and a digest of it is what a completion is found by (app/model_answer.py). The table is not logged: after a crash,
and on a replica that becomes the primary, it is empty. No failure here fails an answer.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from app.errors import StoreError
from app.loop_tasks import running
from app.store.accounts import read_tenant_ids
from app.store.connection import AsyncConnection, AsyncPool, write
from app.store.tenancy import Scope, current_scope, working_for

_FORGET_EVERY_S: Final = 600.0
_FIND: Final = """
SELECT text FROM pgask.completions WHERE digest = %s AND at > now() - make_interval(hours => %s)"""
_KEEP: Final = """
INSERT INTO pgask.completions (digest, text) VALUES (%s, %s)
ON CONFLICT (tenant_id, digest) DO UPDATE SET text = excluded.text, at = excluded.at"""
_FORGET: Final = "DELETE FROM pgask.completions WHERE at <= now() - make_interval(hours => %s)"
_log = structlog.get_logger(__name__)


class Completions:
    """Those of the last `hours`, each tenant's own; 0: none, and those that are there go."""

    def __init__(self, pool: AsyncPool, hours: int) -> None:
        self._pool, self._hours = pool, hours
        self.found = 0

    def digest(self, *said: str) -> bytes:
        """What stands for all that a completion depends on, who asks included: those with other groups or collections
        share none, even where they see the same."""
        scope = current_scope(self._pool.otherwise)
        return hashlib.sha256(repr((scope.settings(), said)).encode("utf-8", "surrogatepass")).digest()

    async def find(self, digest: bytes) -> str | None:
        """The completion; None where there is none."""

        async def look(connection: AsyncConnection) -> str | None:
            row = await (await connection.execute(_FIND, [digest, self._hours])).fetchone()
            return str(row[0]) if row else None

        try:  # of the primary: replicas have no table that is not logged
            found = await write(self._pool, look)
        except StoreError as error:
            _log.warning("no completion is looked up", code=error.code)
            return None
        self.found += found is not None
        return found

    async def keep(self, digest: bytes, text: str) -> None:
        """Keep one."""
        try:
            await write(self._pool, lambda connection: connection.execute(_KEEP, [digest, text]))
        except StoreError as error:
            _log.warning("a completion is not kept", code=error.code)

    async def forget(self) -> None:
        """Forget those of all tenants that are older. Raises StoreError."""
        for tenant in await read_tenant_ids(self._pool):
            with working_for(Scope(tenant, groups=None)):
                await write(self._pool, lambda connection: connection.execute(_FORGET, [self._hours]))

    @asynccontextmanager
    async def forgetting(self) -> AsyncIterator[Completions]:
        """Forget the older ones every few minutes until the block ends."""
        async with running(self._forget_on()):
            yield self

    async def _forget_on(self) -> None:
        while True:
            try:
                await self.forget()
                if self._hours == 0:
                    return
            except StoreError as error:
                _log.warning("old completions are not forgotten", code=error.code)
            await asyncio.sleep(_FORGET_EVERY_S)
