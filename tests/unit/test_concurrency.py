"""Turns at the model: how many at once, in which order, how many wait and for how long."""

from __future__ import annotations

import asyncio

import pytest

from app.errors import BusyError, LlmBusyError
from app.generation.concurrency import ConcurrencyLimiter


async def hold(turns: ConcurrencyLimiter, name: int, log: list[int], until: asyncio.Event) -> None:
    async with turns.take():
        log.append(name)
        await until.wait()


async def test_so_many_at_once_and_the_rest_in_the_order_of_asking() -> None:
    turns = ConcurrencyLimiter(concurrency=2, queue=10, wait_s=10)
    ends = [asyncio.Event() for _ in range(5)]
    log: list[int] = []
    tasks = [asyncio.create_task(hold(turns, name, log, ends[name])) for name in range(5)]
    await asyncio.sleep(0)
    assert (log, turns.waiting) == ([0, 1], 3)
    for name in range(5):
        ends[name].set()
        await tasks[name]
    assert (log, turns.waiting) == ([0, 1, 2, 3, 4], 0)


async def test_a_full_queue_refuses_at_once_and_a_long_wait_ends() -> None:
    turns = ConcurrencyLimiter(concurrency=1, queue=1, wait_s=0.05)
    end = asyncio.Event()
    first = asyncio.create_task(hold(turns, 0, [], end))
    await asyncio.sleep(0)
    second = asyncio.create_task(hold(turns, 1, [], end))
    await asyncio.sleep(0)
    with pytest.raises(LlmBusyError, match="wait for the language model already"):
        await hold(turns, 2, [], end)
    with pytest.raises(LlmBusyError, match=r"within 0\.05 s"):
        await second
    end.set()
    await first
    await hold(turns, 3, [], end)


async def test_who_is_cancelled_or_fails_gives_the_turn_back() -> None:
    turns = ConcurrencyLimiter(concurrency=1, queue=1, wait_s=10)
    never, end = asyncio.Event(), asyncio.Event()
    end.set()
    for _ in range(3):
        holding = asyncio.create_task(hold(turns, 0, [], never))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(hold(turns, 1, [], never))
        await asyncio.sleep(0)
        for task in (waiting, holding):
            task.cancel()
        await asyncio.gather(holding, waiting, return_exceptions=True)
        assert turns.waiting == 0
    with pytest.raises(ZeroDivisionError):
        async with turns.take():
            raise ZeroDivisionError
    log: list[int] = []
    await hold(turns, 2, log, end)
    assert log == [2]


async def test_f_1211_a_turn_at_the_processors_is_waited_for_in_time() -> None:
    """F-1211: those let in waited as long as it took, 19 s in the median."""
    turns = ConcurrencyLimiter.at_processors(1, queue=1, wait_s=0.05)
    end = asyncio.Event()
    holding = [asyncio.create_task(hold(turns, name, [], end)) for name in range(4)]
    await asyncio.sleep(0)
    late = asyncio.create_task(hold(turns, 4, [], end))
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match="wait to be searched for already"):
        await hold(turns, 5, [], end)
    with pytest.raises(BusyError, match=r"within 0\.05 s"):
        await late
    end.set()
    await asyncio.gather(*holding)
