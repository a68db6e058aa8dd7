"""Background work ends with its block, whatever becomes of a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from app.loop_tasks import running


def test_it_runs_and_ends_with_the_block() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async def block() -> int:
        async with running(tick(), tick()):
            await asyncio.sleep(0.01)
        return len(asyncio.all_tasks())

    assert asyncio.run(block()) == 1
    assert ticks > 2


def test_a_cancellation_that_is_lost_comes_again() -> None:
    """As `asyncio.wait_for` of Python 3.11 loses one: a service that was told to end then waited for an hour."""
    lost = 0

    async def lose_one() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    async def block() -> None:
        async with running(lose_one()):
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(block(), 60))
    assert lost == 1


def test_what_it_raises_is_not_lost() -> None:
    async def fail() -> None:
        raise ValueError("mine")

    async def block() -> None:
        async with running(fail()):
            await asyncio.sleep(0.01)

    with pytest.raises(ValueError, match="mine"):
        asyncio.run(block())
