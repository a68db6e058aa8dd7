"""Notices while the service runs that another model was chosen (`pgask spaces switch`), loads it, and uses it.

Until it is loaded, questions are answered with the model before, from what the switch left of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import psycopg
import structlog
from psycopg.rows import class_row

from app.embedding import Embedder, EmbeddingSpace
from app.embedding_switch import SwitchableEmbedder
from app.errors import PgaskError
from app.loop_tasks import running
from app.store.connection import AsyncConnection, AsyncPool, run_alone
from app.store.twins import CHOSEN

EVERY_S: Final = 2.0
_log = structlog.get_logger(__name__)

LoadModel = Callable[[EmbeddingSpace], Embedder]  # takes seconds; raises PgaskError


class ModelWatch:
    """Looks every `every_s` seconds."""

    def __init__(
        self, pool: AsyncPool, embedder: SwitchableEmbedder, load: LoadModel, *, every_s: float = EVERY_S
    ) -> None:
        self._pool, self._embedder, self._load, self._every_s = pool, embedder, load, every_s
        self._told: EmbeddingSpace | None = None

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look until the block ends."""
        async with running(self._watch()):
            yield

    async def look(self) -> None:
        """One look: use the chosen model where it is another one."""
        self._embedder.forget_former()
        chosen = await run_alone(self._pool, _read_chosen)
        if chosen is None or chosen == self._embedder.space:
            return
        try:
            loaded = await asyncio.to_thread(self._load, chosen)
        except PgaskError as error:
            if self._told != chosen:
                self._told = chosen
                _log.warning(
                    "the model that was chosen can't be loaded; the one before goes on answering",
                    model=chosen.model,
                    error=str(error),
                )
            return
        self._embedder.switch(loaded)
        self._told = None
        _log.info("another model answers from now on", model=chosen.model)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            with suppress(PgaskError, psycopg.Error):  # a database that is away is told of elsewhere
                await self.look()


async def _read_chosen(connection: AsyncConnection) -> EmbeddingSpace | None:
    async with connection.cursor(row_factory=class_row(EmbeddingSpace)) as cursor:
        await cursor.execute(CHOSEN)
        return await cursor.fetchone()
