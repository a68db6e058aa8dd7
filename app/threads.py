"""Threads of the service: each kind of blocking work has its own, so that what waits for its turn keeps no thread from
other work.

asyncio's own pool (`asyncio.to_thread`) is for work that waits for nothing. A model's passes run one at a time, since
more only fight over the same cores: they queue for the model's one thread, not for a lock inside a shared pool.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Final, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """At most `count` threads for one kind of work, first come, first served. They start when they are needed and end
    when this is forgotten."""

    def __init__(self, name: str, count: int = 1) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, or what it raises. Work whose caller leaves before it has begun is not begun."""
        call = partial(contextvars.copy_context().run, partial(function, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a caller that is in a thread of another kind, and waits there."""
        return self._executor.submit(function, *args, **kwargs).result()


_of_models: Final[WeakKeyDictionary[object, Threads]] = WeakKeyDictionary()
_lock: Final = Lock()


def thread_of(model: object) -> Threads:
    """The one thread that a model (an embedder, a reranker) works in, the same one for all its callers."""
    with _lock:
        threads = _of_models.get(model)
        if threads is None:
            threads = _of_models[model] = Threads(type(model).__name__)
        return threads
