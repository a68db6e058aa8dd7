"""Addresses in settings: whether one is one, and as much of it as may be shown. What is said never holds a part of an
address that is none, since a password may have come to stand anywhere in it."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

# A half-open socket is noticed in about 30 s instead of the system's hours.
KEEPALIVE: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "pgask",
}
HIDDEN: Final = "***"
NO_DATABASE: Final = (
    "is not a connection address. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of the "
    "password escaped: %40 for @, %2F for /, %3A for :, %25 for %"
)
_NO_SERVER: Final = (
    "is not the address of a server. Write http://HOST:PORT/v1 or https://HOST/v1, with special characters of a user's "
    "name or password escaped: %40 for @, %2F for /, %25 for %"
)
# scheme, host (IPv6 in brackets), port; RFC 6454, 6.2
_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, 5.1
_MOST_SERVERS: Final = 16
_PORTS: Final = re.compile(r"(?:[0-9]{1,5})?(?:,(?:[0-9]{1,5})?)*")
# Parameters of libpq that hold nothing secret.
_SHOWN: Final = frozenset(
    {"user", "host", "hostaddr", "port", "dbname", "sslmode", "sslrootcert", "passfile", "service", "connect_timeout"}
)  # fmt: skip
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?:(?P<user>[^/@?#\s\\]*)@)?(?P<host>[^/@?#\s\\:\[\]]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?"
    r"(?P<path>/[^@?#\s\\]*)?(?:\?(?P<query>[^#\s]*))?",
    re.IGNORECASE,
)


def database_fault(address: str) -> str | None:
    """What is wrong with the address of a database, None where nothing is; a sentence to go on with after its name."""
    return NO_DATABASE if _database(address) is None else None


def show_database(address: str) -> str:
    """Where a database is, without what is secret.

    >>> show_database("postgresql://me:secret@db:5432/docs")
    'user=me password=*** dbname=docs host=db port=5432'
    >>> show_database("postgresql://me:sec/ret@db:5432/docs")
    '***'
    """
    parts = _database(address)
    if parts is None:
        return HIDDEN
    return " ".join(f"{name}={value if name in _SHOWN else HIDDEN}" for name, value in parts.items())


def split_databases(addresses: str) -> tuple[str, ...]:
    """Several addresses of databases, with commas between; one of them may have commas between its hosts.

    >>> split_databases("postgresql://a,b/docs, postgres://c/docs")
    ('postgresql://a,b/docs', 'postgres://c/docs')
    """
    return tuple(filter(None, (one.strip() for one in re.split(r",(?=\s*postgres(?:ql)?://)", addresses))))


def server_name(address: str) -> str:
    """The host and port of a database's address, for people and figures.

    >>> server_name("postgresql://me:secret@db:5433/docs"), server_name("postgresql:///docs")
    ('db:5433', 'local:5432')
    """
    parts = _database(address) or {}
    hosts, ports = parts.get("host", parts.get("hostaddr", "")), parts.get("port", "").strip(",")
    return f"{hosts or 'local'}:{ports or 5432}"


def server_fault(address: str) -> str | None:
    """What is wrong with the address of an HTTP server, None where nothing is; as `database_fault`."""
    return None if _URL.fullmatch(address) else _NO_SERVER


def show_server(address: str) -> str:
    """An HTTP address without user, password and values of parameters.

    >>> show_server("http://me:secret@llm:8000/v1?api_key=secret&a")
    'http://***@llm:8000/v1?api_key=***&a'
    """
    found = _URL.fullmatch(address)
    if found is None:
        return HIDDEN
    user = f"{HIDDEN}@" if found["user"] is not None else ""
    shown = f"{found['scheme']}://{user}{found['host']}{found['port'] or ''}{found['path'] or ''}"
    if found["query"]:
        pairs = [pair.partition("=") for pair in found["query"].split("&")]
        shown += "?" + "&".join(f"{name}={HIDDEN}" if equals else name for name, equals, _ in pairs)
    return shown


def show_servers(addresses: str) -> str:
    """Several of them, with commas between.

    >>> show_servers("http://me:secret@llm:8000/v1, http://other/v1")
    'http://***@llm:8000/v1,http://other/v1'
    """
    return ",".join(show_server(address.strip()) for address in addresses.split(","))


def database_secrets(address: str) -> frozenset[str]:
    """What `show_database` hides of an address, as it is written and as it is meant."""
    parts = _database(address) or {}
    meant = {value for name, value in parts.items() if name not in _SHOWN and value}
    userinfo = address.partition("://")[2].partition("/")[0].rpartition("@")[0]
    return frozenset(filter(None, {*meant, userinfo.partition(":")[2]}))


def server_secrets(address: str) -> frozenset[str]:
    """What `show_server` hides of an address: as it is written, as it is meant, and as a client sends it (RFC 7617). A
    name alone is a key; beside a password it is none, and may be an everyday word.

    >>> sorted(server_secrets("http://me:p%40ss@llm:8000/v1?api_key=sk-1"))
    ['bWU6cEBzcw==', 'p%40ss', 'p@ss', 'sk-1']
    """
    found = _URL.fullmatch(address)
    if found is None:
        return frozenset()
    written = {pair.partition("=")[2] for pair in (found["query"] or "").split("&")}
    userinfo = found["user"] or ""
    name, _, password = userinfo.partition(":")
    written.add(password or name)
    sent = base64.b64encode(unquote(userinfo if ":" in userinfo else f"{userinfo}:").encode()).decode()
    return frozenset(filter(None, {*written, *map(unquote, written), sent if userinfo else ""}))


def _database(address: str) -> Mapping[str, str] | None:
    """The parameters of a connection address, None where it is none, or where a password that is not escaped has
    shifted its parts."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(address).items()}
    except ProgrammingError:
        return None
    if not _PORTS.fullmatch(parts.get("port", "")) or "@" in parts.get("host", ""):
        return None
    _, is_uri, rest = address.partition("://")
    authority, _, path = rest.partition("/")
    if is_uri and "@" not in authority and "@" in path.partition("?")[0]:
        return None
    return parts if parts or is_uri else None


def is_loopback(host: str) -> bool:
    """Whether an address that the service listens on is reachable from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def read_origins(text: str) -> list[str]:
    """Origins with commas between, as browsers write them: lower case, no path, no wildcard. Raises ValueError."""
    origins = [origin.strip().lower().removesuffix("/") for origin in text.split(",") if origin.strip()]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"{origin!r} is no origin. Name each as a browser does, https://name or http://name:port, without a "
                "path and without *"
            )
    return origins


def read_networks(text: str) -> list[str]:
    """Addresses and networks with commas between. Raises ValueError."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        try:
            ipaddress.ip_network(name, strict=False)
        except ValueError:
            raise ValueError(f"{name!r} is no address or network, such as 10.0.0.5 or 10.0.0.0/8") from None
    return names


def read_header_name(text: str) -> str:
    """The name of a header, in lower case. Raises ValueError."""
    if not _HEADER.fullmatch(text):
        raise ValueError(f"{text!r} is no name of a header")
    return text.lower()


def read_servers(text: str) -> list[str]:
    """Addresses of HTTP servers with commas between, each once. Raises ValueError."""
    servers = [one.strip().rstrip("/") for one in text.split(",")]
    for server in servers:
        if fault := server_fault(server):
            raise ValueError(fault)
    if len(servers) > _MOST_SERVERS or len({*servers}) < len(servers):
        raise ValueError(f"names at most {_MOST_SERVERS} servers, each once")
    return servers
