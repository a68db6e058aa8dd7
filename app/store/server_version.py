"""What a server must be: PostgreSQL 15 and pgvector 0.8 or newer, with no pooler before it that keeps no sessions.

Sync; every connection of ingest and the CLI is checked so, and the service's first one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import psycopg
import structlog

from app.errors import StoreError
from app.store.pooler import meets_several

OLDEST_SERVER: Final = 150_000
KNOWN_SERVERS: Final = 190_000  # exclusive; tested up to here
OLDEST_PGVECTOR: Final = (0, 8)
_log = structlog.get_logger(__name__)

Connection = psycopg.Connection[tuple[Any, ...]]


def check_server(connection: Connection, url: str) -> None:
    """Refuse a server that the statements were not made for; makes the extension where it is missing. `url` is where
    the connection leads.

    Raises StoreError `unsupported_postgresql`, `unsupported_pgvector` or `transaction_pooler`.
    """
    version = connection.info.server_version
    row = connection.execute(
        "SELECT pg_catalog.pg_backend_pid(), (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'vector')"
    ).fetchone()
    assert row is not None
    backend, installed = row
    check_versions(version, installed or f"{OLDEST_PGVECTOR[0]}.{OLDEST_PGVECTOR[1]}")
    if backend != connection.info.backend_pid:  # a pooler names no backend, since it may be any
        _refuse_transaction_pooler(connection, url)
    if installed is None:
        _create_extension(connection)
        check_versions(version, installed_pgvector(connection))


def check_versions(server: int, pgvector: str | None) -> None:
    """The rule of check_server: `server` is libpq's number (180004 is 18.4), `pgvector` the extension's version."""
    if server < OLDEST_SERVER:
        raise StoreError(
            f"pgask needs PostgreSQL 15 or newer; this server is {_told(server)}. Upgrade it, or unset "
            "PGASK_DATABASE_URL to use the embedded server.",
            code="unsupported_postgresql",
        )
    if server >= KNOWN_SERVERS:
        _warn_of_newer(server)
    if pgvector_version(pgvector) < OLDEST_PGVECTOR:
        raise StoreError(
            f"pgask needs pgvector 0.8 or newer; this database has {pgvector or 'none'}. Install a newer package on "
            "the server and run: ALTER EXTENSION vector UPDATE;",
            code="unsupported_pgvector",
        )


def pgvector_version(version: str | None) -> tuple[int, ...]:
    """The numbers of an extension's version, for comparison.

    >>> pgvector_version("0.8.2") >= (0, 8, 2), pgvector_version(None)
    (True, ())
    """
    return tuple(int(part) for part in re.findall(r"\d+", version or "")[:3])


def installed_pgvector(connection: Connection) -> str | None:
    """The version of this database's pgvector; None where there is none."""
    row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    return None if row is None else str(row[0])


def _told(server: int) -> str:
    return f"{server // 10_000}.{server % 10_000}"


@lru_cache(maxsize=10)  # once of each
def _warn_of_newer(server: int) -> None:
    _log.warning(
        f"pgask is tested with PostgreSQL up to {KNOWN_SERVERS // 10_000 - 1}; this one is newer",
        server=_told(server),
    )


def _refuse_transaction_pooler(connection: Connection, url: str) -> None:
    if meets_several(connection, url):
        raise StoreError(
            "A pooler in transaction mode stands before PostgreSQL: statements of one session reach several. Name the "
            "server itself in PGASK_DIRECT_DATABASE_URL, for what keeps sessions, or set pool_mode to session.",
            code="transaction_pooler",
        )


def _create_extension(connection: Connection) -> None:
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.FeatureNotSupported,
        psycopg.errors.UndefinedFile,
    ) as error:
        if not connection.autocommit:
            connection.rollback()
        raise StoreError(
            "This database has no pgvector. Install the package for its PostgreSQL version and, as a superuser, run: "
            "CREATE EXTENSION vector;",
            code="unsupported_pgvector",
        ) from error
