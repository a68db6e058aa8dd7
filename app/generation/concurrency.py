"""How many questions may use the language model or the processors at once, and how many may wait for how long.

Pure but for the event loop's time. Not thread-safe: it lives on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from app.errors import BusyError, LlmBusyError, PgaskError


def _model_is_full(waiting: int) -> PgaskError:
    return LlmBusyError(
        f"{waiting} questions wait for the language model already (PGASK_LLM_QUEUE): try again shortly.",
        chinese=f"已有 {waiting} 个问题在等待语言模型，达到上限（PGASK_LLM_QUEUE）：请稍后重试。",
    )


def _model_is_late(wait_s: float) -> PgaskError:
    return LlmBusyError(
        f"The language model had no turn for this question within {wait_s:g} s (PGASK_LLM_QUEUE_TIMEOUT_S): try again "
        "in a moment.",
        chinese=f"该问题在 {wait_s:g} 秒内未轮到语言模型（PGASK_LLM_QUEUE_TIMEOUT_S）：请稍后重试。",
    )


def _service_is_full(waiting: int) -> PgaskError:
    return BusyError(
        f"{waiting} questions wait to be searched for already (PGASK_MAX_CONCURRENT_ASKS): try again in a moment.",
        chinese=f"已有 {waiting} 个问题在等待检索，达到上限（PGASK_MAX_CONCURRENT_ASKS）：请稍后重试。",
    )


def _service_is_late(wait_s: float) -> PgaskError:
    return BusyError(
        f"There was no turn for this question within {wait_s:g} s (PGASK_QUEUE_TIMEOUT_S): try again in a moment.",
        chinese=f"该问题在 {wait_s:g} 秒内未轮到（PGASK_QUEUE_TIMEOUT_S）：请稍后重试。",
    )


class ConcurrencyLimiter:
    """Lets `concurrency` callers in at once, in the order of asking; up to `queue` more wait, `wait_s` at most.

    A server that batches (vLLM) answers some requests together faster than one by one; beyond that each more only
    makes all of them slower, and the first token of the last one comes too late.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        queue: int,
        wait_s: float,
        full: Callable[[int], PgaskError] = _model_is_full,
        late: Callable[[float], PgaskError] = _model_is_late,
    ) -> None:
        """`full` and `late` make the errors: of how many wait already, and of the wait in seconds."""
        self.concurrency = concurrency
        self._free = asyncio.Semaphore(concurrency)
        self._queue = queue
        self._wait_s = wait_s
        self._waiting = 0
        self._full = full
        self._late = late

    @classmethod
    def at_processors(cls, processors: int, *, queue: int, wait_s: float) -> ConcurrencyLimiter:
        """Turns to search and to read what was found. Some more than there are processors, since they wait for the
        database too, and questions that come together are encoded together. Raise BusyError."""
        concurrency = max(4, 2 * processors)
        return cls(
            concurrency=concurrency, queue=queue, wait_s=wait_s, full=_service_is_full, late=_service_is_late
        )

    @property
    def has_room(self) -> bool:
        """Whether a turn is free now."""
        return not self._free.locked()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._waiting

    @asynccontextmanager
    async def take(self) -> AsyncGenerator[None, None]:
        """Hold a turn until the block ends. Raises what `full` makes at once where too many wait, and what
        `late` makes after `wait_s`."""
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
            raise self._full(self._waiting)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise self._late(self._wait_s) from error
        finally:
            self._waiting -= 1
