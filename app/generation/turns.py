"""Whose turn it is at the language model: so many at once, so many waiting, and nobody for long.

Pure but for the event loop's time. Not thread-safe: it lives on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from app.errors import LlmBusyError


class Turns:
    """Lets `concurrency` callers in at once, in the order of asking; up to `queue` more wait, `wait_s` at most.

    A server that batches (vLLM) answers some requests together faster than one by one; beyond that each more only
    makes all of them slower, and the first token of the last one comes too late.
    """

    def __init__(self, *, concurrency: int, queue: int, wait_s: float) -> None:
        self._free = asyncio.Semaphore(concurrency)
        self._queue = queue
        self._wait_s = wait_s
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._waiting

    @asynccontextmanager
    async def take(self) -> AsyncGenerator[None, None]:
        """Hold a turn until the block ends. Raises LlmBusyError at once where too many wait, else after `wait_s`."""
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        if self._waiting >= self._queue:
            raise LlmBusyError(
                f"{self._waiting} questions wait for the language model already (PGASK_LLM_QUEUE): try again shortly."
            )
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise LlmBusyError(
                f"The language model had no turn for this question within {self._wait_s:g} s: try again in a moment."
            ) from error
        finally:
            self._waiting -= 1
