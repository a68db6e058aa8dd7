"""What a server must be: PostgreSQL 15 and pgvector 0.8 or newer, and no pooler in transaction mode before it.

Sync; every connection of ingest and the CLI is checked so, and the service's first one.
"""

from __future__ import annotations

import re
import select
from functools import lru_cache
from typing import Any, Final

import psycopg
import structlog
from psycopg.pq import ConnStatus

from app.errors import StoreError

OLDEST_SERVER: Final = 150_000
KNOWN_SERVERS: Final = 190_000  # exclusive; tested up to here
OLDEST_PGVECTOR: Final = (0, 8)
_BACKEND: Final = "SELECT pg_catalog.pg_backend_pid()"
_ROUNDS: Final = 3
_PATIENCE_S: Final = 3.0
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
    """Raise where statements of one session meet several backends, or two open sessions the same."""
    for _ in range(_ROUNDS):
        first, other, again = _backend(connection), _backend_of_another(url), _backend(connection)
        if first != again or other in (first, again):
            raise StoreError(
                "A pooler in transaction mode stands before PostgreSQL: statements of one session reach several. Set "
                "its pool_mode to session, or name the server itself in PGASK_DATABASE_URL.",
                code="transaction_pooler",
            )
        if other is None:
            return


def _backend(connection: Connection) -> int:
    row = connection.execute(_BACKEND).fetchone()
    assert row is not None
    return int(row[0])


def _backend_of_another(url: str) -> int | None:
    """The backend that a second session meets; None where it gets none in time, as of a pool of one in session mode."""
    try:
        second = psycopg.connect(url, autocommit=True, connect_timeout=int(_PATIENCE_S))
    except psycopg.OperationalError:
        return None
    try:
        session = second.pgconn
        session.send_query(_BACKEND.encode())
        while session.status == ConnStatus.OK and session.is_busy():
            if not select.select([second.fileno()], [], [], _PATIENCE_S)[0]:
                return None
            session.consume_input()
        found = session.get_result()
        value = found.get_value(0, 0) if found is not None and found.ntuples == 1 else None
        return int(value) if value is not None else None
    except psycopg.OperationalError:
        return None
    finally:
        second.close()


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
