"""Answers that outlive their reader's connection for a while, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from app.api import resumable
from app.api.admission import Places
from app.api.metrics import Metrics
from app.api.resumable import ResumableAnswer, ResumableAnswers
from app.errors import StoreBusyError

NAME = "0123456789abcdef"


class Model:
    """Makes an event whenever it is let go on."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.steps: asyncio.Queue[bool] = asyncio.Queue()
        self.failure = failure
        self.was_cancelled = asyncio.Event()

    async def events(self) -> AsyncGenerator[bytes, None]:
        made = 0
        while await self.steps.get():
            made += 1
            yield b"event: token\ndata: %d\n\n" % made
        if self.failure is not None:
            raise self.failure

    def note(self) -> None:
        self.was_cancelled.set()


def answers(*, limit: int = 2, resume_s: float = 5.0) -> tuple[ResumableAnswers, Places]:
    places = Places(limit, Metrics())
    return ResumableAnswers(places, resume_s), places


def begin(kept: ResumableAnswers, model: Model, name: str = NAME, owner: str = "ada") -> ResumableAnswer:
    answer = kept.begin(owner, name, model.events(), model.note)
    assert answer is not None
    return answer


async def some(answer: ResumableAnswer, after: int, count: int) -> list[bytes]:
    """So many events, and then the reader leaves."""
    reading = answer.read(after)
    read = [await anext(reading) for _ in range(count)]
    await reading.aclose()
    return read


async def until_cancelled(model: Model) -> None:
    async with asyncio.timeout(5):
        await model.was_cancelled.wait()


async def test_an_answer_goes_on_and_is_taken_up_where_it_was() -> None:
    kept, _ = answers()
    model = Model()
    async with kept.open():
        answer = begin(kept, model)
        for _ in range(2):
            model.steps.put_nowait(True)
        assert await some(answer, 0, 2) == [b"id: %d\nevent: token\ndata: %d\n\n" % (n, n) for n in (1, 2)]
        for go_on in (True, True, False):
            model.steps.put_nowait(go_on)
        found = kept.find("ada", NAME)
        assert found is answer
        assert [event.split(b"\n")[0] async for event in found.read(2)] == [b"id: 3", b"id: 4"]
        assert [event.split(b"\n")[0] async for event in found.read(0)] == [
            b"id: %d" % n for n in range(1, 5)
        ]
        assert kept.find("bob", NAME) is None
        assert kept.find("ada", NAME[::-1]) is None
    assert not model.was_cancelled.is_set()


async def test_what_nobody_takes_up_is_cancelled_and_forgotten() -> None:
    kept, _ = answers(resume_s=0.02)
    model = Model()
    async with kept.open():
        model.steps.put_nowait(True)
        await some(begin(kept, model), 0, 1)
        await until_cancelled(model)
        assert kept.find("ada", NAME) is None
        ended = Model()
        ended.steps.put_nowait(False)
        assert [event async for event in begin(kept, ended).read(0)] == []
        await asyncio.sleep(0.2)
        assert kept.find("ada", NAME) is None
        assert not ended.was_cancelled.is_set()


async def test_who_reads_keeps_it_alive_and_who_ends_it_cancels_it_at_once() -> None:
    kept, _ = answers(resume_s=0.01)
    model = Model()
    async with kept.open():
        answer = begin(kept, model)
        reading = answer.read(0)
        model.steps.put_nowait(True)
        await anext(reading)
        await asyncio.sleep(0.05)
        assert kept.find("ada", NAME) is answer
        assert not kept.forget("bob", NAME)
        assert kept.forget("ada", NAME)
        await until_cancelled(model)
        assert [event async for event in reading] == []


async def test_a_failure_is_raised_to_whoever_reads() -> None:
    kept, _ = answers()
    model = Model(StoreBusyError("later"))
    async with kept.open():
        model.steps.put_nowait(False)
        with pytest.raises(StoreBusyError):
            await some(begin(kept, model), 0, 1)


async def test_work_without_a_reader_holds_a_place_or_ends() -> None:
    kept, places = answers(limit=1)
    one, other = Model(), Model()
    async with kept.open():
        one.steps.put_nowait(True)
        await some(begin(kept, one), 0, 1)
        with pytest.raises(Exception, match="all at once"), places.take():
            pass
        other.steps.put_nowait(True)
        await some(begin(kept, other, NAME[::-1]), 0, 1)
        await until_cancelled(other)
        assert kept.forget("ada", NAME)
        await until_cancelled(one)
        with places.take():
            pass


async def test_as_many_as_may_be_are_kept_and_the_oldest_that_ended_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resumable, "MOST_KEPT", 2)
    kept, _ = answers()
    ended, working = Model(), Model()
    async with kept.open():
        begin(kept, working, "working-working-")
        ended.steps.put_nowait(False)
        assert [event async for event in begin(kept, ended, "ended-ended-ended").read(0)] == []
        assert kept.begin("ada", "working-working-", Model().events(), ended.note) is None
        begin(kept, Model(), "newest-newest-new")
        assert kept.find("ada", "ended-ended-ended") is None
        assert kept.begin("ada", "one-more-one-more", Model().events(), ended.note) is None
