"""Opens the pool of connections that requests are answered by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import psycopg
from pgvector.psycopg import register_vector_async

from app.addresses import KEEPALIVE
from app.store.connection import MARGIN_S, AsyncPool, PooledConnection
from app.store.pooler import is_shared
from app.store.tenancy import DEFAULT, Scope

_WAIT_S: Final = 5.0  # longest wait for a connection that works; a statement's time where that is shorter
# Of tries that come ever later; after that the next to need a connection tries at once.
_RECONNECT_S: Final = 2.0


@asynccontextmanager
async def open_pool(
    url: str,
    *,
    size: int,
    statement_timeout_s: float,
    otherwise: Scope = DEFAULT,
    may_share: bool = False,
    wait_s: float = _WAIT_S,
) -> AsyncIterator[AsyncPool]:
    """A pool of up to `size` connections, which are made anew after the server went away. `transaction`, `write` and
    `run_alone` take connections from it, and wait at most `wait_s` for one. `otherwise` is what they see where nobody
    said for whom they work. With `may_share` a pooler in transaction mode may stand in between: raises StoreError
    where it can't be used (app/store/pooler.py)."""
    shared = may_share and await asyncio.to_thread(is_shared, url)

    async def configure(connection: PooledConnection) -> None:
        connection.patience_s, connection.is_shared = statement_timeout_s + MARGIN_S, shared
        await register_vector_async(connection)
        if shared:
            return
        await connection.execute(
            "SELECT set_config('statement_timeout', %s, false), set_config('default_transaction_isolation',"
            " 'repeatable read', false)",  # one snapshot a request: never half of an old and half of a new version
            [f"{int(statement_timeout_s * 1000)}ms"],
        )

    class Reported(PooledConnection):
        @classmethod
        async def connect(cls, *arguments: Any, **settings: Any) -> Self:
            try:
                made = await super().connect(*arguments, **settings)
            except psycopg.OperationalError as error:
                pool.refusal = error
                raise
            pool.refusal = None
            return made

    pool = AsyncPool(
        url,
        min_size=1,
        max_size=size,
        open=False,
        configure=configure,
        timeout=min(wait_s, statement_timeout_s),
        reconnect_timeout=_RECONNECT_S,
        kwargs={**KEEPALIVE, "autocommit": True},  # a statement alone needs no BEGIN and no COMMIT
        connection_class=Reported,
    )
    pool.otherwise = otherwise
    async with pool:
        yield pool
