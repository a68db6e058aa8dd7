"""The circuit breaker, on a clock of its own."""

from __future__ import annotations

import pytest

from app.generation.breaker import CircuitBreaker


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(clock, failures_to_open=3, probe_interval_s=10)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.record_failure()


def test_failures_in_a_row_open_it_others_do_not(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    breaker.record_success()
    fail(breaker, 2)
    assert breaker.allow()
    fail(breaker, 1)
    assert not breaker.allow()
    assert breaker.wait_s == 10


def test_one_probe_each_interval_whatever_becomes_of_it(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 9.9
    assert not breaker.allow()
    clock.now += 0.1
    assert [breaker.allow(), breaker.allow()] == [True, False]  # this probe is cancelled and reports nothing
    clock.now += 10
    assert breaker.allow()
    breaker.record_failure()
    assert not breaker.allow()


def test_late_failures_of_calls_from_before_do_not_put_the_probe_off(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 9
    fail(breaker, 20)
    clock.now += 1
    assert breaker.allow()


def test_a_success_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    assert breaker.allow()
    breaker.record_success()
    assert [breaker.allow(), breaker.allow()] == [True, True]
    fail(breaker, 2)
    assert breaker.allow()
