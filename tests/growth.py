"""How work grows with its input, told without a clock on the wall: a loaded machine changes nothing of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

TIMES: Final = 8  # the large input to the small one
_MOST: Final = 4 * TIMES  # linear work takes 8 times as long, quadratic work 64 times
_LEAST_S: Final = 0.002  # below it the processor's clock says little


def assert_linear(work: Callable[[int], Callable[[], object]], small: int) -> None:
    """`work(size)` prepares a call whose input is so large. Fails where 8 times the input takes over 32 times as much
    processor time: the least of some runs each, in the same process, since compiled code has no steps to count. The
    small one runs oftener: a few milliseconds are the more easily doubled by a neighbour on the same core."""
    least = max(_least_cpu_s(work(small), 12), _LEAST_S)
    most = _least_cpu_s(work(TIMES * small), 3)
    assert most < _MOST * least, f"{TIMES} times the input took {most / least:.0f} times as long"


def count_calls(work: Callable[[], object]) -> int:
    """How many functions, of Python and of C, a piece of work calls in this thread: the same on every machine."""
    calls = 0

    def seen(_: FrameType, event: str, __: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def _least_cpu_s(work: Callable[[], object], runs: int) -> float:
    taken = []
    for _ in range(runs):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)
