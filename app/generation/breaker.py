"""A circuit breaker: after some failures in a row a server is left alone, but for a probe now and then.

Pure but for the clock that it is given. Not thread-safe: it lives on one event loop.
"""

from __future__ import annotations

from collections.abc import Callable

FAILURES_TO_OPEN = 5
PROBE_INTERVAL_S = 10.0


class CircuitBreaker:
    """Counts outcomes and says whether the next call may go out.

    Closed until `failures_to_open` failures in a row; then open, and one call each `probe_interval_s` may go
    out to see. Any success closes it. A call that was cancelled reports nothing: the next probe comes in its
    time. `clock` gives seconds that only grow.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        failures_to_open: int = FAILURES_TO_OPEN,
        probe_interval_s: float = PROBE_INTERVAL_S,
    ) -> None:
        self._clock = clock
        self._failures_to_open = failures_to_open
        self._probe_interval_s = probe_interval_s
        self._failures = 0  # in a row
        self._next_probe_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= self._failures_to_open

    @property
    def wait_s(self) -> float:
        """Seconds until the next call may go out, 0 when one may now."""
        return max(0.0, self._next_probe_at - self._clock()) if self.is_open else 0.0

    def allow(self) -> bool:
        """Whether a call may go out now; of a time in which a probe is due, only the first caller's may."""
        if not self.is_open:
            return True
        if self.wait_s > 0:
            return False
        self._next_probe_at = self._clock() + self._probe_interval_s
        return True

    def record_success(self) -> None:
        self._failures = 0

    def record_failure(self) -> None:
        was_open = self.is_open
        self._failures += 1
        if self.is_open and not was_open:
            self._next_probe_at = self._clock() + self._probe_interval_s
