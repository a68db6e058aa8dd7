"""Ctrl-C that waits for the end of a block."""

from __future__ import annotations

import signal
import threading

import pytest

from ingest.interrupts import interrupt_after


def interrupted(times: int, done: list[str]) -> None:
    """Get SIGINT so often in a block whose last act is noted in `done`."""
    with interrupt_after():
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        done.append("the rest of the block")


def test_it_comes_after_the_block() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(1, done)
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_is_not_kept_waiting() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(2, done)
    assert not done


def test_an_error_of_the_block_is_kept() -> None:
    with pytest.raises(ValueError, match="broken"), interrupt_after():
        raise ValueError("broken")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_is_left_alone() -> None:
    ran = []

    def work() -> None:
        with interrupt_after():
            ran.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran == [signal.default_int_handler]
