"""Two threads beside the one that writes to the database: one prepares the next items, one encodes.

Neither touches the database, the report or the progress bar. An error in them, an interrupt included, is raised in the
thread that asks for the result. Both end when their context is left.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

ROOM: Final = 8_000_000  # bytes that may be in work at once; a bigger item goes alone
_JOIN_S: Final = 1.0


class Prefetcher(Generic[Item, Made]):
    """Makes something of each item in a thread of its own, in order, while at most ROOM bytes are in work.

    An item counts as `weigh(item)` bytes until its result is made; the result counts as `weigh_made(made)` bytes until
    `release`. Leaving the context stops the thread after the current item.
    """

    def __init__(
        self,
        items: Sequence[Item],
        make: Callable[[Item], Made],
        *,
        weigh: Callable[[Item], int],
        weigh_made: Callable[[Made], int],
        slack: int,
    ) -> None:
        """An item may always start while at most `slack` bytes are in work: the caller of `take` holds no more than
        that while it waits for the next item."""
        self._items, self._make = items, make
        self._weigh, self._weigh_made, self._slack = weigh, weigh_made, slack
        self._changed = threading.Condition()
        self._made: deque[Made] = deque()
        self._error: BaseException | None = None
        self._in_work = 0
        self._is_over = self._is_stopped = False
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name="prepare", daemon=True
        )  # its lines in the log name the job, too

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join(_JOIN_S)  # it may be in a slow file; closing the parser ends that

    def is_ready_before(self, other: Future[Any]) -> bool:
        """Wait until `take` would not, or until `other` is done; whether it is the first."""
        with self._changed:
            if self._is_ready():
                return True
        other.add_done_callback(lambda _: self._wake())
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready() or other.done())
            return self._is_ready()

    def _is_ready(self) -> bool:
        return bool(self._made) or self._is_over

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def take(self) -> Made | None:
        """What was made of the next item, None after the last; waits. Raises what making it raised."""
        with self._changed:
            self._changed.wait_for(self._is_ready)
            if self._made:
                return self._made.popleft()
            if self._error is not None:
                raise self._error
            return None

    def release(self, made: Made) -> None:
        """Give back the room of a result that `take` returned."""
        with self._changed:
            self._in_work -= self._weigh_made(made)
        self._wake()

    def _run(self) -> None:
        try:
            for item in self._items:
                room = self._weigh(item)
                if not self._enter(room):
                    return
                made = self._make(item)
                with self._changed:
                    self._in_work += self._weigh_made(made) - room
                    self._made.append(made)
                    self._changed.notify_all()
        except BaseException as error:  # raised by take(), in the thread that decides
            self._error = error
        finally:
            self._is_over = True
            self._wake()

    def _enter(self, room: int) -> bool:
        """Wait for room and take it; False: stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or self._has(room))
            self._in_work += room
            return not self._is_stopped

    def _has(self, room: int) -> bool:
        return self._in_work + room <= ROOM or self._in_work <= self._slack


class Worker:
    """One thread that makes calls in order. Leaving the context waits for the call that runs, which should look at
    `is_stopped` where it takes long; those that wait are not made."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name="encode", daemon=True
        )  # its lines in the log name the job, too

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._calls.put(None)
        self._thread.join()

    def is_stopped(self) -> bool:
        """Whether nobody waits for a result any more."""
        return self._stopped.is_set()

    def submit(self, call: Callable[[], Made]) -> Future[Made]:
        """Make a call in the thread; what it raises comes out of `result()`."""
        future: Future[Made] = Future()

        def run() -> None:
            try:
                future.set_result(call())
            except BaseException as error:  # raised by result(), in the thread that decides
                future.set_exception(error)

        self._calls.put(run)
        return future

    def _run(self) -> None:
        while (call := self._calls.get()) is not None and not self.is_stopped():
            call()
