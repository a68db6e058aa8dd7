"""Work in the background of an event loop, for as long as a block lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

_AGAIN_AFTER_S: Final = 0.5


@asynccontextmanager
async def running(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run each as a task until the block ends; then all are cancelled and have ended. Raises what one has raised.

    A task is cancelled again until it ends: in Python 3.11 `asyncio.wait_for`, by which psycopg's pool waits,
    loses a cancellation that comes together with what it waits for, and who was cancelled in vain goes on for ever.
    """
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        while on := [task for task in tasks if not task.done()]:
            for task in on:
                task.cancel()
            await asyncio.wait(on, timeout=_AGAIN_AFTER_S)
        for task in tasks:
            if not task.cancelled():
                task.result()
