"""How many requests a minute a key, a proxy's user, or with PGASK_AUTH=off an address may make."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from app.api.problems import Fault, FaultError

# Keys that are nobody's, and logins, a minute of an address, whoever is behind it: each costs a look, and may store
# a row
LOGINS: Final = 60
MOST: Final = 10_000  # who is remembered; whoever has not come for longest begins anew


class Rates:
    """A bucket of `per_minute` requests for each, which fills evenly; 0: no limit. Lives on one event loop."""

    def __init__(
        self, per_minute: int, now: Callable[[], float] = time.monotonic, *, are_logins: bool = False
    ) -> None:
        self._per_minute = per_minute
        self._now = now
        self._are_logins = are_logins
        self._buckets: OrderedDict[str, tuple[float, float]] = (
            OrderedDict()
        )  # what is left, and when that was so

    def take(self, who: str) -> None:
        """Count a request. Raises FaultError (429, with Retry-After) where there are too many."""
        if not self._per_minute:
            return
        now = self._now()
        left, then = self._buckets.pop(who, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - then) * self._per_minute / 60)
        enough = left >= 1
        self._buckets[who] = (left - 1 if enough else left, now)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        if not enough:
            fault = _too_many_logins if self._are_logins else _too_fast
            raise FaultError(fault(self._per_minute, math.ceil((1 - left) * 60 / self._per_minute)))

    def give_back(self, who: str) -> None:
        """A request that was counted is not to count."""
        if who in self._buckets:
            left, then = self._buckets[who]
            self._buckets[who] = (min(self._per_minute, left + 1), then)


def _too_fast(per_minute: int, wait_s: int) -> Fault:
    return Fault(
        "rate_limited",
        429,
        f"More than {per_minute:,} requests a minute (PGASK_REQUESTS_PER_MINUTE). Wait {wait_s} s, and send them more "
        "slowly.",
        detail_zh=f"每分钟请求超过 {per_minute} 次（PGASK_REQUESTS_PER_MINUTE）。请等待 {wait_s} 秒，并放慢发送速度。",
        retry_after_s=wait_s,
    )


def _too_many_logins(per_minute: int, wait_s: int) -> Fault:
    return Fault(
        "rate_limited",
        429,
        f"More than {per_minute:,} unknown keys or logins a minute from one address. Wait {wait_s} s, and try again. "
        "Keys that this service has let in before are not held back.",
        detail_zh=f"同一地址每分钟的未知密钥与登录超过 {per_minute} 次。请等待 {wait_s} 秒后重试。"
        "本服务曾放行的密钥不受影响。",
        retry_after_s=wait_s,
    )
