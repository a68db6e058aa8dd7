"""Buckets of requests fill evenly, each has its own, and no number of strangers fills the memory."""

from __future__ import annotations

import pytest

from app.api import rates
from app.api.problems import FaultError
from app.api.rates import Rates


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def wait_s(limit: Rates, who: str) -> int | None:
    """How long `who` is told to wait; None where the request is let in."""
    try:
        limit.take(who)
    except FaultError as error:
        return error.fault.retry_after_s
    return None


def test_as_many_as_said_and_one_more_after_the_wait_that_is_told() -> None:
    clock = Clock()
    limit = Rates(30, clock)
    assert [wait_s(limit, "a") for _ in range(31)] == [None] * 30 + [2]
    assert wait_s(limit, "b") is None
    clock.now_s += 1
    assert wait_s(limit, "a") == 1
    clock.now_s += 1
    assert wait_s(limit, "a") is None
    assert wait_s(limit, "a") == 2


def test_over_a_long_time_it_is_the_rate_and_no_more() -> None:
    clock = Clock()
    limit = Rates(60, clock)
    let_in = 0
    for _ in range(6_000):
        clock.now_s += 0.1
        let_in += wait_s(limit, "a") is None
    assert 600 <= let_in <= 661


def test_none_is_no_limit() -> None:
    limit = Rates(0)
    assert all(wait_s(limit, "a") is None for _ in range(1_000))


def test_strangers_push_each_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST", 2)
    limit = Rates(1, Clock())
    for who in ("a", "b", "c"):
        assert wait_s(limit, who) is None
    assert wait_s(limit, "c") is not None
    assert wait_s(limit, "a") is None  # begins anew
