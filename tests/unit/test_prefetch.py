"""Working ahead and beside: order, room, errors and stopping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from ingest.prefetch import ROOM, Prefetcher, Worker

WAIT_S = 30.0
SLACK = 64_000
DONE: Future[None] = Future()
DONE.set_result(None)


def ahead(items: list[int], make: Callable[[int], str] = str, weight: int = 1) -> Prefetcher[int, str]:
    return Prefetcher(items, make, weigh=lambda _: weight, weigh_made=lambda _: weight, slack=SLACK)


def taken(work: Prefetcher[int, str]) -> list[str]:
    found = []
    while (made := work.take()) is not None:
        found.append(made)
        work.release(made)
    return found


@pytest.mark.parametrize("weight", [0, 1, SLACK + 1, ROOM // 3, ROOM, 10 * ROOM])
def test_everything_comes_once_in_order(weight: int) -> None:
    with ahead(list(range(200)), weight=weight) as work:
        assert taken(work) == [str(number) for number in range(200)]
        assert work.take() is None
        assert work.is_ready_before(DONE)


def test_what_is_in_work_stays_within_the_room() -> None:
    """Three items have room; the fourth is not begun before one is released."""
    begun: list[int] = []
    fourth = threading.Event()

    def make(item: int) -> str:
        begun.append(item)
        if item == 3:
            fourth.set()
        return str(item)

    with ahead([0, 1, 2, 3], make, weight=ROOM // 3) as work:
        made = [work.take() for _ in range(3)]
        assert not work.is_ready_before(DONE)
        assert not fourth.wait(0.2)
        assert begun == [0, 1, 2]
        assert made[0] is not None
        work.release(made[0])
        assert fourth.wait(WAIT_S)
        assert work.take() == "3"


def test_an_item_without_bound_goes_alone() -> None:
    begun: list[int] = []

    def make(item: int) -> str:
        begun.append(item)
        return str(item)

    with ahead([0, 1], make, weight=100 * ROOM) as work:
        first = work.take()
        assert begun == [0]
        assert first is not None
        work.release(first)
        work.take()
        assert begun == [0, 1]


def test_little_things_in_work_let_a_big_one_begin() -> None:
    """Else one side would wait for a group to fill and the other for room."""
    work = Prefetcher(
        [1, 100 * ROOM],
        str,
        weigh=lambda item: item,
        weigh_made=lambda made: SLACK if made == "1" else 0,
        slack=SLACK,
    )
    with work:
        assert work.take() == "1"
        assert work.take() == str(100 * ROOM)


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_an_error_comes_out_after_what_was_made_before(error: BaseException) -> None:
    def make(item: int) -> str:
        if item == 2:
            raise error
        return str(item)

    with ahead([0, 1, 2, 3], make) as work:
        assert [work.take(), work.take()] == ["0", "1"]
        with pytest.raises(type(error)):
            work.take()


def test_leaving_stops_it_where_it_waits_for_room() -> None:
    made: list[int] = []

    def make(item: int) -> str:
        made.append(item)
        return str(item)

    with ahead(list(range(100)), make, weight=ROOM) as work:
        work.take()
    threads = [thread for thread in threading.enumerate() if thread.name == "prepare"]
    assert threads == []
    assert len(made) == 1


def test_calls_are_made_in_order_in_one_thread() -> None:
    with Worker() as worker:
        futures = [worker.submit(lambda n=n: (n, threading.current_thread().name)) for n in range(50)]  # type: ignore[misc]
        assert [future.result(WAIT_S) for future in futures] == [(n, "encode") for n in range(50)]


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_a_call_s_error_comes_out_of_its_result_and_stops_nothing(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with Worker() as worker:
        failed, fine = worker.submit(fail), worker.submit(lambda: 1)
        with pytest.raises(type(error)):
            failed.result(WAIT_S)
        assert fine.result(WAIT_S) == 1


def test_leaving_waits_for_the_call_that_runs_and_tells_it() -> None:
    began, told = threading.Event(), threading.Event()
    with Worker() as worker:

        def until_stopped() -> None:
            began.set()
            while not worker.is_stopped():
                pass
            told.set()

        worker.submit(until_stopped)
        waiting = worker.submit(lambda: 1)
        assert began.wait(WAIT_S)
    assert told.is_set()
    assert not waiting.done()


def test_waiting_ends_with_an_item_or_with_the_other_thing() -> None:
    """Whoever waits for an item with things in work that keep the next from beginning is woken to release them."""
    may_go = threading.Event()
    other: Future[None] = Future()

    def make(item: int) -> str:
        may_go.wait(WAIT_S)
        return str(item)

    with ahead([0], make) as work:
        threading.Timer(0.05, other.set_result, [None]).start()
        assert not work.is_ready_before(other)
        endless: Future[None] = Future()
        threading.Timer(0.05, may_go.set).start()
        assert work.is_ready_before(endless)
        assert work.take() == "0"
        assert work.is_ready_before(endless)  # what comes next is the end, or the thread is about to say so
