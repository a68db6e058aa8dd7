"""Positions in the log, what a request brings of them, and how late a replica is."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from app.addresses import server_name, split_databases
from app.api.positions import COOKIE, HEADER, brought
from app.config import load_settings
from app.errors import ConfigError
from app.store.replicas import Progress, Reads, read_position, show_position


@pytest.mark.parametrize("text", ["0/0", "0/3000148", "1A/FFFFFFFF", "FFFFFFFF/1"])
def test_a_position_is_read_as_it_is_written(text: str) -> None:
    assert show_position(read_position(text)) == text


@pytest.mark.parametrize("text", ["", "1", "0/", "/1", "g/1", "0/123456789", "-1/1", "0/1 ", "٣/1"])
def test_what_is_no_position_asks_for_nothing(text: str) -> None:
    assert read_position(text) == 0


@pytest.mark.parametrize(
    ("headers", "position"),
    [
        ({}, 0),
        ({HEADER: "0/10"}, 16),
        ({"Cookie": f"a=b; {COOKIE}=0/20"}, 32),
        ({HEADER: "0/10", "Cookie": f"{COOKIE}=0/20"}, 32),
        ({HEADER: "0/30", "Cookie": f"{COOKIE}=nonsense"}, 48),
        ({"Cookie": f'{COOKIE}="'}, 0),
    ],
)
def test_the_later_of_header_and_cookie_counts(headers: dict[str, str], position: int) -> None:
    assert brought(Headers(headers)) == position


def test_a_replica_of_an_idle_primary_is_not_late() -> None:
    progress = Progress()
    assert progress.lag_s(0.0, 100) is None
    for second in range(100):
        progress.note(float(second), 100)
    assert progress.lag_s(100.0, 100) == 0.0
    progress.note(100.0, 101)
    assert progress.lag_s(103.0, 100) == 3.0


def test_a_new_primary_that_stands_before_the_old_one_is_measured_anew() -> None:
    progress = Progress()
    progress.note(1.0, 500)
    progress.note(2.0, 400)
    assert progress.lag_s(3.0, 400) == 0.0


async def test_without_replicas_all_is_the_primary_s() -> None:
    reads = Reads()

    async def work() -> str:
        return "done"

    assert await reads.run(work) == "done"
    assert await reads.position() is None
    assert (reads.states(), reads.counts(), reads.are_apart) == ([], {"primary": 1}, False)


def test_several_addresses_may_hold_commas_themselves() -> None:
    two = "postgresql://me:a%2Cb@one,two/docs?target_session_attrs=any,postgres://three:5433/docs"
    assert [server_name(one) for one in split_databases(two)] == ["one,two:5432", "three:5433"]
    assert split_databases("host=one dbname=docs") == ("host=one dbname=docs",)


def test_one_wrong_address_of_several_is_told_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="PGASK_READ_DATABASE_URL is not a connection address") as refused:
        load_settings(
            database_url="postgresql://a/b",
            read_database_url="postgresql://one/docs,postgresql://me:sec/ret@two/docs",
        )
    assert "ret" not in str(refused.value).replace("secret", "").replace("PostgreSQL", "").replace("are", "")


@pytest.mark.parametrize("name", ["read_database_url", "direct_database_url"])
def test_other_addresses_need_the_primary_s(name: str) -> None:
    with pytest.raises(ConfigError, match=f"PGASK_{name.upper()} needs PGASK_DATABASE_URL"):
        load_settings(**{name: "postgresql://a/b"})
