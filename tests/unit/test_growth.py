"""tests.growth: quadratic work is told from linear work, and calls are counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.growth import assert_linear, count_calls


def test_quadratic_work_is_noticed() -> None:
    def pairs(size: int) -> Callable[[], object]:
        return lambda: sum(1 for a in range(size) for b in range(size) if a == b)

    def items(size: int) -> Callable[[], object]:
        return lambda: sum(1 for a in range(100 * size) if a % 7)

    assert_linear(items, 2_000)
    with pytest.raises(AssertionError, match="8 times the input took"):
        assert_linear(pairs, 800)


def test_calls_of_python_and_of_c_are_counted() -> None:
    def work() -> None:
        for _ in range(5):
            len([str(1)])

    assert 5 <= count_calls(work) <= 20
