"""One transaction of a command on the configured database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from app.cli.opening import open_checked, read_settings

if TYPE_CHECKING:
    from app.store.connection import AsyncConnection

T = TypeVar("T")


def in_transaction(work: Callable[[AsyncConnection], Awaitable[T]], tenant: str | None = None) -> T:
    """Run `work` in one transaction on the configured database, without the service's time limit on searches, for
    `tenant`, else PGASK_TENANT."""
    from app.store.connection import write
    from app.store.connection_pool import open_pool

    async def run() -> T:
        async with open_pool(database.app, size=1, statement_timeout_s=600) as pool:
            return await write(pool, work)

    overrides = {} if tenant is None else {"tenant": tenant}
    with open_checked(read_settings(**overrides)) as database:
        return asyncio.run(run())
