"""So many keys that are nobody's a minute of an address, and those that were let in before as ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.api import unknown_keys
from app.api.problems import FaultError
from app.api.rates import LOGINS
from app.api.unknown_keys import UnknownKeys
from tests.unit.test_rates import Clock

ADDRESS = "192.0.2.7"


class Door:
    """Looks that are counted; `keys` are somebody's."""

    def __init__(self, *keys: str) -> None:
        self.clock = Clock()
        self.unknown = UnknownKeys(self.clock)
        self.keys = {*keys}
        self.looks = 0

    def find(self, key: str) -> Callable[[], Awaitable[str | None]]:
        async def look() -> str | None:
            self.looks += 1
            await asyncio.sleep(0)
            return key if key in self.keys else None

        return look

    async def come(self, key: str, address: str | None = ADDRESS, **more: bool) -> str:
        """ "in", "nobody", or "429"."""
        try:
            found = await self.unknown.look(address, key, self.find(key), **more)
        except FaultError as error:
            return str(error.fault.status)
        return "nobody" if found is None else "in"


async def spend(door: Door, address: str | None = ADDRESS) -> None:
    assert {await door.come(f"wrong {number}", address) for number in range(LOGINS)} == {"nobody"}


async def test_beyond_the_limit_nobody_is_looked_up_but_who_was_let_in_before() -> None:
    door = Door("old", "new")
    assert await door.come("old") == "in"
    await spend(door)
    looks = door.looks
    assert [await door.come(f"more {number}") for number in range(1_000)] == ["429"] * 1_000
    assert await door.come("new") == "429"
    assert door.looks == looks
    assert await door.come("old") == "in"
    assert await door.come("new", "192.0.2.8") == "in"  # elsewhere it is let in, and known from then on
    assert await door.come("new") == "in"


async def test_a_second_later_there_is_one_look_more() -> None:
    door = Door("new")
    await spend(door)
    door.clock.now_s += 1
    assert [await door.come("new"), await door.come("wrong")] == [
        "in",
        "nobody",
    ]  # who is let in does not count
    assert await door.come("wrong") == "429"


async def test_a_known_key_that_is_revoked_counts_like_any_other() -> None:
    door = Door("old")
    assert await door.come("old") == "in"
    door.keys.clear()
    assert await door.come("old") == "nobody"
    await spend(door)
    assert await door.come("old") == "429"


async def test_logins_count_by_address_until_their_key_is_known_and_by_key_from_then_on() -> None:
    door = Door("old", *(f"key {number}" for number in range(LOGINS)))
    for number in range(LOGINS):
        assert await door.come(f"key {number}", is_login=True) == "in"
    assert await door.come("old", is_login=True) == "429"
    assert await door.come("key 0", is_login=True) == "in"
    assert {await door.come("key 1", is_login=True) for _ in range(LOGINS)} == {"in"}
    assert await door.come("key 1", is_login=True) == "429"


async def test_a_session_that_has_ended_counts_once_however_often_a_browser_sends_it() -> None:
    door = Door("session")
    assert await door.come("session", is_session=True) == "in"
    door.keys.clear()
    assert {await door.come("session", is_session=True) for _ in range(1_000)} == {"nobody"}
    assert {await door.come("of before a restart", is_session=True) for _ in range(1_000)} == {"nobody"}
    assert door.looks == 3
    assert {await door.come(f"made up {number}", is_session=True) for number in range(LOGINS - 1)} == {
        "nobody"
    }
    assert await door.come("made up", is_session=True) == "429"


async def test_all_who_come_at_once_after_a_restart_are_let_in() -> None:
    keys = [f"key {number}" for number in range(5 * LOGINS)]
    door = Door(*keys)
    assert {*await asyncio.gather(*map(door.come, keys))} == {"in"}


async def test_as_many_at_once_that_are_nobodys_are_looked_up_as_one_after_the_other() -> None:
    door = Door()
    told = await asyncio.gather(*(door.come(f"wrong {number}") for number in range(10 * LOGINS)))
    assert (door.looks, told.count("429")) == (LOGINS, 9 * LOGINS)


async def test_a_look_that_fails_does_not_count() -> None:
    door = Door()

    async def fails() -> None:
        raise ConnectionError

    for _ in range(2 * LOGINS):
        with pytest.raises(ConnectionError):
            await door.unknown.look(ADDRESS, "key", fails)
    await spend(door)


async def test_addresses_of_one_line_are_one_address() -> None:
    door = Door()
    await spend(door, "2001:db8::1")
    assert await door.come("wrong", "2001:db8::ffff") == "429"
    assert await door.come("wrong", "2001:db8:0:1::1") == "nobody"


async def test_no_number_of_keys_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknown_keys, "MOST_KNOWN", 2)
    door = Door("a", "b", "c")
    for key in "abc":
        assert await door.come(key) == "in"
    await spend(door)
    assert [await door.come(key) for key in "abc"] == ["429", "in", "in"]
