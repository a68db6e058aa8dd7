"""Answers that go on for a while when their reader's line breaks or the page is loaded anew, and can be taken up again.

An answer is known by the id that its reader gave, to that reader alone. Its events are kept in this process until
RESUME_S after its end, or after nobody has read it: then its work is cancelled. Lives on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from contextlib import ExitStack, aclosing, asynccontextmanager
from typing import Final

from app.api.admission import Places
from app.api.problems import FaultError

RESUME_S: Final = 20.0
MOST_KEPT: Final = 64  # answers at once; one more is a plain stream
_Key = tuple[Hashable, str]  # whose it is, and its id


class ResumableAnswer:
    """The events of one answer, from the first, and the task that makes them."""

    def __init__(self, places: Places, expire: Callable[[], None], resume_s: float) -> None:
        self._places, self._expire, self._resume_s = places, expire, resume_s
        self._events: list[bytes] = []
        self._failure: Exception | None = None
        self.has_ended = False
        self._news = asyncio.Event()
        self._readers = 0
        self._place = ExitStack()  # among the questions in work, once no request holds one for it
        self._expiry: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None

    async def make(self, events: AsyncGenerator[bytes, None], cancelled: Callable[[], None]) -> None:
        """Take all events. `cancelled` is called where that ends before them."""
        try:
            async with aclosing(events) as made:
                async for event in made:
                    self._events.append(b"id: %d\n%b" % (len(self._events) + 1, event))
                    self._tell()
        except asyncio.CancelledError:
            cancelled()
            raise
        except Exception as failure:  # the API boundary: told to whoever reads, by EventStream
            self._failure = failure
        finally:
            self.has_ended = True
            self._place.close()
            self._tell()
            if self._readers == 0:
                self._expire_later()

    async def read(self, after: int) -> AsyncGenerator[bytes, None]:
        """The events after so many. Raises what their making raised."""
        self._readers += 1
        if self._expiry is not None:
            self._expiry.cancel()
        try:
            at = after
            while True:
                news = self._news
                for event in self._events[at:]:
                    at += 1
                    yield event
                if at < len(self._events):
                    continue
                if self._failure is not None:
                    raise self._failure
                if self.has_ended:
                    return
                await news.wait()
        finally:
            self._readers -= 1
            if self._readers == 0:
                self._left_alone()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _left_alone(self) -> None:
        if not self.has_ended:
            try:
                self._place.enter_context(self._places.take())
            except FaultError:  # others wait for its place
                self._expire()
                return
        self._expire_later()

    def _expire_later(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(self._resume_s, self._expire)

    def close(self) -> None:
        """Cancel what is left of its work."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self.task is not None:
            self.task.cancel()


class ResumableAnswers:
    """Those of this process."""

    def __init__(self, places: Places, resume_s: float = RESUME_S) -> None:
        self._places, self._resume_s = places, resume_s
        self._kept: dict[_Key, ResumableAnswer] = {}
        self._working: set[asyncio.Task[None]] = set()

    def begin(
        self,
        owner: Hashable,
        answer_id: str,
        events: AsyncGenerator[bytes, None],
        cancelled: Callable[[], None],
    ) -> ResumableAnswer | None:
        """Make an answer that outlives its reader. None where the id is taken, or as many as may be are kept."""
        key = (owner, answer_id)
        if len(self._kept) >= MOST_KEPT:
            self._drop_ended()
        if key in self._kept or len(self._kept) >= MOST_KEPT:
            return None

        def expire() -> None:
            self.forget(owner, answer_id)

        answer = ResumableAnswer(self._places, expire, self._resume_s)
        task = asyncio.create_task(answer.make(events, cancelled))
        answer.task = task
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        self._kept[key] = answer
        return answer

    def find(self, owner: Hashable, answer_id: str) -> ResumableAnswer | None:
        """An answer that is made, or was lately."""
        return self._kept.get((owner, answer_id))

    def forget(self, owner: Hashable, answer_id: str) -> bool:
        """End an answer's work; False where there is none of this id."""
        answer = self._kept.pop((owner, answer_id), None)
        if answer is None:
            return False
        answer.close()
        return True

    def _drop_ended(self) -> None:
        """Forget the oldest that has ended."""
        for owner, answer_id in self._kept:
            if self._kept[owner, answer_id].has_ended:
                self.forget(owner, answer_id)
                return

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Until the block ends; then all that is left of their work is cancelled, and has ended."""
        try:
            yield
        finally:
            for owner, answer_id in list(self._kept):
                self.forget(owner, answer_id)
            await asyncio.gather(*self._working, return_exceptions=True)
