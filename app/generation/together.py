"""One look at something for all who ask while it runs, whose failure is everyone's.

Pure but for the event loop's time. Not thread-safe: it lives on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
FAILURE_HELD_S: Final = 1.0  # so that a question which asks twice waits once


class Together(Generic[T]):
    """Runs `look` once for all callers that come meanwhile.

    A failure is raised for all of them, and for those who come within FAILURE_HELD_S; a result is the caller's to keep.
    Where all have left, the look is cancelled.
    """

    def __init__(self, look: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._look = look
        self._running: asyncio.Task[T] | None = None
        self._waiting = 0
        self._failed_at = 0.0

    async def get(self) -> T:
        """The result of the look that runs now, or of a new one. Raises what it raises."""
        task = self._running
        if task is None or (task.done() and not self._is_held(task)):
            task = self._running = asyncio.create_task(self._look())
            task.add_done_callback(self._note)
        self._waiting += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiting -= 1
            if not self._waiting and not task.done():
                task.cancel()
                self._running = None

    def _is_held(self, task: asyncio.Task[T]) -> bool:
        failed = not task.cancelled() and task.exception() is not None
        return failed and asyncio.get_running_loop().time() < self._failed_at + FAILURE_HELD_S

    def _note(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._failed_at = task.get_loop().time()
