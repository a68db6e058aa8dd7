"""One thread a model, first come, first served; what is forgotten ends."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextvars import ContextVar

import pytest

from app.threads import Threads, thread_of


class Model:
    """Anything with a name."""


async def test_f_1302_a_model_has_one_thread_for_all_its_callers() -> None:
    model, other = Model(), Model()
    names = await asyncio.gather(*(thread_of(model).run(threading.get_ident) for _ in range(8)))
    assert len(set(names)) == 1
    assert thread_of(model).call(threading.get_ident) == names[0]
    assert await thread_of(other).run(threading.get_ident) != names[0]


async def test_the_first_that_comes_is_the_first_served() -> None:
    threads, order = Threads("test"), list[int]()
    await asyncio.gather(*(threads.run(order.append, number) for number in range(50)))
    assert order == list(range(50))


async def test_what_is_left_before_it_began_is_not_begun() -> None:
    threads, release, begun = Threads("test"), threading.Event(), list[str]()
    first = asyncio.create_task(threads.run(release.wait, 10))
    second = asyncio.create_task(threads.run(begun.append, "second"))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    release.set()
    assert await first
    await threads.run(begun.append, "third")
    assert begun == ["third"]


async def test_errors_and_context_pass() -> None:
    value: ContextVar[str] = ContextVar("value", default="")
    value.set("the caller's")
    threads = Threads("test")
    assert await threads.run(value.get) == "the caller's"

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await threads.run(fail)


def test_threads_end_with_their_model() -> None:
    model = Model()
    thread = thread_of(model).call(threading.current_thread)
    del model
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
