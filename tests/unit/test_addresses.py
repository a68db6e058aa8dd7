"""Addresses in settings: what is none is refused without a word of it, and no secret of one is shown."""

from __future__ import annotations

import pytest

from app.addresses import (
    database_fault,
    database_secrets,
    server_fault,
    server_secrets,
    show_database,
    show_server,
)
from app.config import load_settings
from app.errors import ConfigError

SECRET = "canary"
MISTYPED = [
    "postgresql://u:canaryB2%zzcanary@h/db",
    "canary",
    "postgresql://u:canary@[::1/db",
    "postgresql://u:canary/canary@h/db",
    "postgresql://u:12/canary@h/db",
    "postgresql://u:x@canary@h/db",
    "postgresql://u:12/x?canary@h/db",
    "u:canary@h/db",
    "postgres//u:canary@h/db",
    "http://u:canary@h/db?a=b",
    "host=h user=u password=x canary",
    "host=h pasword=canary",
    "host=h password='canary",
    "postgresql://h:canary/db",
    "postgresql://u:canary@h:port/db",
    '"postgresql://u:canary@h/db"',
    "postgresql://u@h/db?pasword=canary",
    " ",
]
RIGHT = [
    "postgresql://u:canary@h/db",
    "postgres://u:canary@h:5432/db?sslmode=require",
    "postgresql://u:canary%2F%40%25@h1:5432,h2:5433/db",
    "postgresql://u:canary?#@[::1]:5432/db",
    "postgresql:///db?host=/run/postgresql&user=a@b&password=canary",
    "host=/run/postgresql user='a@b' password='canary canary' dbname=db",
    "postgresql://u@h/db?passfile=/run/pgpass&sslpassword=canary&options=canary",
    "service=docs",
    "postgresql://",
]


@pytest.mark.parametrize("name", ["database_url", "owner_database_url"])
@pytest.mark.parametrize("address", MISTYPED)
def test_f_1205_a_mistyped_address_is_refused_in_one_line_without_it(name: str, address: str) -> None:
    """F-1205: three of eleven shapes ended in a traceback with the password."""
    with pytest.raises(ConfigError) as refused:
        load_settings(**{name: address})
    told = str(refused.value)
    assert told.startswith(f"Wrong setting: PGASK_{name.upper()} is not a connection address")
    assert (SECRET in told, "\n" in told) == (False, False)
    assert show_database(address) == "***"


@pytest.mark.parametrize("address", RIGHT)
def test_f_1206_a_databases_address_is_shown_without_its_secrets(address: str) -> None:
    """F-1206: a password with a slash was shown as a port."""
    assert database_fault(address) is None
    assert SECRET not in show_database(address)


def test_f_1206_a_servers_address_is_shown_without_its_secrets() -> None:
    """F-1206: user, password and key of PGASK_LLM_BASE_URL were shown."""
    shown = show_server("https://u:canary@[::1]:8000/v1?api_key=canary&canary=x&v=")
    assert shown == "https://***@[::1]:8000/v1?api_key=***&canary=***&v=***"
    assert show_server("http://127.0.0.1:8001/v1") == "http://127.0.0.1:8001/v1"
    assert show_server("http://canary@h") == "http://***@h"


@pytest.mark.parametrize(
    "address",
    [
        "http://u:can/ary@h/v1",
        "http://u:x@canary@h/v1",
        "u:canary@h/v1",
        "http://h:canary/v1",
        "ftp://canary@h",
        "http://h /canary",
        "http://u:x?canary@h/v1",
        "http://u:x#canary@h/v1",
        "http://u:x\\canary@h",
    ],
)
def test_f_1206_a_mistyped_address_of_a_server_is_refused_without_it(address: str) -> None:
    """F-1206: nor does a message tell a part of one."""
    assert server_fault(address)
    assert show_server(address) == "***"
    with pytest.raises(ConfigError, match="PGASK_LLM_BASE_URL is not the address of a server") as refused:
        load_settings(llm_base_url=address)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("http://llm:8000/v1", set()),
        ("http://me:canary@llm/v1", {"canary", "bWU6Y2FuYXJ5"}),
        ("http://me:can%40ry@llm/v1", {"can%40ry", "can@ry", "bWU6Y2FuQHJ5"}),
        ("http://canary@llm/v1", {"canary", "Y2FuYXJ5Og=="}),
        ("http://llm/v1?api_key=canary&debug&empty=", {"canary"}),
        ("no address with a canary", set()),
    ],
)
def test_the_secrets_of_a_server_s_address_in_every_form(address: str, secrets: set[str]) -> None:
    assert server_secrets(address) == secrets


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("postgresql://me:can%40ry@db/docs", {"can%40ry", "can@ry"}),
        ("host=db user=me password=canary sslpassword=other", {"canary", "other"}),
        ("postgresql://db/docs", set()),
        ("postgresql://db/docs?password=canary", {"canary"}),
        ("no address", set()),
    ],
)
def test_the_secrets_of_a_database_s_address(address: str, secrets: set[str]) -> None:
    assert database_secrets(address) == secrets
