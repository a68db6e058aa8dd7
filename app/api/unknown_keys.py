"""Keys and sessions that are nobody's: so many a minute of an address; then no other unknown one is looked up.

A key that was let in before is looked up as ever, so that those who share an address with somebody who tries keys go
on. Lives on one event loop; each service counts for itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from app.api.problems import FaultError
from app.api.rates import LOGINS, Rates
from app.store.accounts import digest_of

MOST_KNOWN: Final = (
    10_000  # keys that are remembered, by digest; whoever has not come for longest begins anew
)
_POLL_S: Final = 0.02
_PATIENCE_S: Final = 1.0  # for looks that go on, which may turn out to be somebody's
T = TypeVar("T")


class UnknownKeys:
    """Who may have a key looked up. `find` is the look, whose result is None for nobody's."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._strangers = Rates(LOGINS, now, are_logins=True)
        self._logins = Rates(LOGINS, now, are_logins=True)
        self._looks: Counter[str] = Counter()
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._ended: OrderedDict[bytes, None] = OrderedDict()

    async def look(
        self,
        address: str | None,
        secret: str,
        find: Callable[[], Awaitable[T | None]],
        *,
        is_login: bool = False,
        is_session: bool = False,
    ) -> T | None:
        """What `find` finds. Each that is nobody's counts, and so does each login, which stores a row. Raises
        FaultError (429), and what `find` raises."""
        digest = digest_of(secret)
        if digest in self._known:
            if is_login:
                self._logins.take(digest.hex())
            found = await find()
            if found is None:  # revoked or expired since
                self._known.pop(digest, None)
                self._remember_ended(digest, is_session=is_session)
            else:
                _remember(self._known, digest)
            return found
        if digest in self._ended:  # a browser sends it with every request until its user logs in again
            return None
        place = place_of(address)
        await self._take(place)
        self._looks[place] += 1
        counts = is_login
        try:
            found = await find()
            counts = counts or found is None
        finally:
            self._looks[place] -= 1
            if not self._looks[place]:
                del self._looks[place]
            if not counts:
                self._strangers.give_back(place)
        if found is None:
            self._remember_ended(digest, is_session=is_session)
        else:
            _remember(self._known, digest)
        return found

    def let_in(self, secret: str) -> None:
        """Know a session that this service has just opened."""
        _remember(self._known, digest_of(secret))

    async def _take(self, place: str) -> None:
        """A look of the address. Many that begin at once, as after a restart, wait for those before them."""
        ends = asyncio.get_running_loop().time() + _PATIENCE_S
        while True:
            try:
                self._strangers.take(place)
                return
            except FaultError:
                if not self._looks[place] or asyncio.get_running_loop().time() > ends:
                    raise
            await asyncio.sleep(_POLL_S)

    def _remember_ended(self, digest: bytes, *, is_session: bool) -> None:
        if is_session:
            _remember(self._ended, digest)


def place_of(address: str | None) -> str:
    """Whose requests count together: those of an address, of IPv6 those of a network of 64 bits, which one line has.

    >>> place_of("192.0.2.7"), place_of("::ffff:192.0.2.7"), place_of("2001:db8::1:2"), place_of(None)
    ('192.0.2.7', '192.0.2.7', '2001:db8::/64', 'unknown')
    """
    if address is None:
        return "unknown"
    found = ipaddress.ip_address(address.strip("[]"))
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def _remember(digests: OrderedDict[bytes, None], digest: bytes) -> None:
    digests[digest] = None
    digests.move_to_end(digest)
    if len(digests) > MOST_KNOWN:
        digests.popitem(last=False)
