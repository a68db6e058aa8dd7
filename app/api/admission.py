"""How many questions are answered at once, whatever asks them: REST, OpenAI's address or an agent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.api.metrics import Metrics
from app.api.problems import Fault, FaultError


class Places:
    """At most `limit` questions and searches at once: more would only wait longer for the same cores."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._taken = 0
        self._gauge = metrics.in_flight

    @contextmanager
    def take(self) -> Iterator[None]:
        """A place until the block ends. Raises FaultError (429) where there is none."""
        if self._taken >= self._limit:
            raise FaultError(
                Fault(
                    "too_many_requests",
                    429,
                    f"{self._limit} questions are being answered now; that is all at once "
                    "(PGASK_MAX_CONCURRENT_ASKS). Try again in a moment, or have the limit raised.",
                    detail_zh=f"正在回答 {self._limit} 个问题，已达上限（PGASK_MAX_CONCURRENT_ASKS）。"
                    "请稍后重试，或调高该上限。",
                    retry_after_s=1,
                )
            )
        self._count(+1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._taken += change
        self._gauge.set(self._taken)
