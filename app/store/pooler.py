"""What stands between pgask and PostgreSQL: nothing or a pooler that keeps a session's backend, or one that does not.

A pooler in transaction mode (PgBouncer's pool_mode = transaction, Supavisor, RDS Proxy without pinning) hands each
transaction to any backend. The service works through such a one where it also keeps track of prepared statements, as
PgBouncer does since 1.21 (max_prepared_statements): its requests set what they need at the beginning of each
transaction. Commands, workers and the upkeep of indexes keep sessions, with locks and temporary tables, and go past it
(PGASK_DIRECT_DATABASE_URL).
"""

from __future__ import annotations

import select
from typing import Any, Final

import psycopg
from psycopg.pq import ConnStatus

from app.errors import StoreError
from app.sqlstates import all_errors, refusal_at_connect

_BACKEND: Final = "SELECT pg_catalog.pg_backend_pid()"
_ROUNDS: Final = 3
_PREPARED: Final = 12  # statements of each of two clients, which have the same names
_PATIENCE_S: Final = 3.0

Connection = psycopg.Connection[tuple[Any, ...]]


def is_shared(url: str) -> bool:
    """Whether the address leads through a pooler in transaction mode, which can be worked with.

    Raises StoreError `statement_pooler` for one that breaks transactions up, `pooler_mixes_statements` for one that
    hands prepared statements of one client to another, and as connecting does.
    """
    try:
        first = psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise refusal_at_connect(error) from error
    with all_errors(), first:
        if first.info.backend_pid == _backend(first) or not meets_several(first, url):
            return False
        with psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=10) as second:
            _check_transactions(first)
            _check_prepared(first, second)
    return True


def meets_several(connection: Connection, url: str) -> bool:
    """Whether statements of one session reach several backends, or two open sessions the same. `connection` leads to
    `url`."""
    for _ in range(_ROUNDS):
        first, other, again = _backend(connection), _backend_of_another(url), _backend(connection)
        if first != again or other in (first, again):
            return True
        if other is None:
            return False
    return False


def _check_transactions(connection: Connection) -> None:
    """Raise where a transaction does not stay on one backend, or none is let through."""
    try:
        with connection.transaction():
            is_kept = len({_backend(connection) for _ in range(_ROUNDS)}) == 1
    except psycopg.Error:  # PgBouncer: "transaction blocks not allowed in statement pooling mode"
        is_kept = False
    if not is_kept:
        raise StoreError(
            "The pooler in PGASK_DATABASE_URL does not keep a transaction together (statement pooling). Set its "
            "pool_mode to transaction or session, or name the server itself.",
            code="statement_pooler",
        )


def _check_prepared(first: Connection, second: Connection) -> None:
    """Raise where two clients' prepared statements of one name are mixed up. Both give theirs the same names."""
    is_mixed, why = False, None
    first.prepare_threshold = second.prepare_threshold = 0
    try:
        for number in range(_PREPARED):
            for client, value in ((first, number), (second, -number)):
                query = f"SELECT {value}, %s::integer"
                for _ in range(2):
                    found = client.execute(query.encode(), [number]).fetchone()
                    is_mixed |= found != (value, number)
    except (
        psycopg.errors.DuplicatePreparedStatement,
        psycopg.errors.InvalidSqlStatementName,
        psycopg.errors.ProtocolViolation,
    ) as error:
        is_mixed, why = True, error
    if is_mixed:
        raise StoreError(
            "The pooler in PGASK_DATABASE_URL mixes prepared statements of its clients up: PgBouncer before 1.21 does, "
            "or with max_prepared_statements = 0. Upgrade it and set max_prepared_statements = 200, or set its "
            "pool_mode to session, or name the server itself.",
            code="pooler_mixes_statements",
        ) from why


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
