"""What PostgreSQL's refusals mean: the only table from SQLSTATEs to our errors, for connections of every kind.

Knows nothing of statements. docs/errors.md has the same table for
readers, app/api/store_problem_texts.py what clients are told.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg
import structlog

from app.errors import SchemaError, StoreBusyError, StoreError, StoreUnavailableError

CONFLICTS: Final = frozenset(
    {"deadlock", "write_conflict"}
)  # codes of what may succeed when it is done again
_UNAVAILABLE: Final = "store_unavailable"
_log = structlog.get_logger(__name__)

# By SQLSTATE, else by its class, its first two characters: code and sentence, in which {why} is PostgreSQL's own.
REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "08": (_UNAVAILABLE, ""),
    "57": (_UNAVAILABLE, ""),  # it is being stopped, starts, or has crashed
    "25P03": (_UNAVAILABLE, ""),  # it has ended an idle session
    "53100": ("disk_full", "The database's disk is full. Free some space and try again."),
    "53200": (
        "database_out_of_memory",
        "PostgreSQL is out of memory: {why}. Give its server more, or lower its work_mem, and try again.",
    ),
    "53300": (
        "too_many_connections",
        "PostgreSQL takes no more connections: {why}. End sessions that are not needed, or raise max_connections or "
        "the limit of the role or database.",
    ),
    "53": ("database_limit", "PostgreSQL has reached a limit of its own: {why}. Raise it and try again."),
    "55P03": (
        "lock_timeout",
        "Another session holds a lock that this needs: {why}. Try again; pg_locks shows who has it.",
    ),
    "40P01": (
        "deadlock",
        "Another session wanted the same rows in another order, and PostgreSQL ended this one. Try again.",
    ),
    "40": ("write_conflict", "Another session changed the same rows at the same time: {why}. Try again."),
    "57014": (
        "statement_timeout",
        "The database took longer than PGASK_STATEMENT_TIMEOUT_S or its own statement_timeout allows: {why}. Narrow "
        "the question or the filter, or raise the setting.",
    ),
    "25P04": (
        "statement_timeout",
        "The database took longer than its transaction_timeout allows: {why}. Raise that setting.",
    ),
    "42501": (
        "missing_privilege",
        "The database role lacks a right: {why}. Run pgask migrate as the schema's owner, which grants it, or grant "
        "it by hand.",
    ),
    "25006": (
        "database_read_only",
        "The database takes no writes: {why}. Name the primary in PGASK_DATABASE_URL where this is a standby, else "
        "turn default_transaction_read_only off.",
    ),
    "42P05": ("transaction_pooler", ""),  # a prepared statement of another client is there,
    "26": ("transaction_pooler", ""),  # or one of ours is not
    "42P01": ("schema_mismatch", ""),
    "42703": ("schema_mismatch", ""),
    "42704": ("schema_mismatch", ""),
    "42883": ("schema_mismatch", ""),
    "3F": ("schema_mismatch", ""),
    "XX001": ("data_corrupted", ""),
    "XX002": ("data_corrupted", ""),
    "58": ("database_fault", ""),
    "XX": ("database_fault", ""),
    "F0": ("database_fault", ""),
    "42P04": ("store_error", ""),  # there is a database of that name
    "0A": ("store_error", ""),  # a plan that a migration has overtaken
    "P0": ("store_error", ""),  # a trigger or a function of somebody else's
}
_SENTENCES: Final[Mapping[str, str]] = {  # of the codes that several have
    _UNAVAILABLE: "PostgreSQL can't be reached: {why}. Check that it runs and that PGASK_DATABASE_URL is right; "
    "`pgask doctor` tells more.",
    "transaction_pooler": "A pooler in transaction mode stands before PostgreSQL ({why}). Name the server itself in "
    "PGASK_DIRECT_DATABASE_URL, for what keeps sessions, or set pool_mode to session.",
    "schema_mismatch": "The database lacks what this version of pgask needs: {why}. Run: pgask migrate",
    "data_corrupted": "PostgreSQL found damaged data: {why}. Its log tells where; restore a backup.",
    "database_fault": "PostgreSQL reports a fault of its own or of its disk: {why}. Its log tells more.",
    "store_error": "PostgreSQL refuses: {why}.",
}
_KINDS: Final[Mapping[str, type[StoreError]]] = {
    _UNAVAILABLE: StoreUnavailableError,
    "schema_mismatch": SchemaError,
    **dict.fromkeys(("too_many_connections", "lock_timeout", *CONFLICTS), StoreBusyError),
}
BUSY: Final = (
    "database_busy",
    "All of pgask's connections to PostgreSQL are in use. Try again in a few seconds.",
)

# What a refused connection says: libpq hands on no SQLSTATE then. English, and as PostgreSQL's catalogue has it in
# Chinese; where it speaks another language the server "can't be reached", and its words say why.
_AT_CONNECT: Final = (
    (re.compile(re.escape(os.strerror(errno.ENOSPC)) + "|设备上没有空间"), "53100"),
    (re.compile("too many (clients|connections)|remaining connection slots|no more connections"), "53300"),
    (re.compile("太多的客户|连接太多|已保留的连接位置"), "53300"),
    (re.compile("permission denied for database|访问数据库.*权限不够"), "42501"),
)


def refusal_of(error: psycopg.Error) -> StoreError | None:
    """What an error of PostgreSQL or of the connection means; None where it says something of the statement or of its
    values, which whoever sent it has to judge."""
    state = error.sqlstate
    if state is None:  # of the connection itself
        return _refusal("08", error) if isinstance(error, psycopg.OperationalError) else None
    found = state if state in REFUSALS else state[:2]
    if found in REFUSALS:
        return _refusal(found, error)
    is_judged = isinstance(error, psycopg.errors.ProgramLimitExceeded)
    is_operational = isinstance(error, psycopg.OperationalError | psycopg.InternalError)
    return _refusal("P0", error) if is_operational and not is_judged else None


def refusal_at_connect(error: psycopg.OperationalError) -> StoreError:
    """What it means that there is no connection to be had."""
    said = str(error)
    return _refusal(next((state for words, state in _AT_CONNECT if words.search(said)), "08"), error)


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what PostgreSQL refuses and what cuts the connection into StoreError; what it says of a statement or of its
    values goes on, for the caller to judge."""
    try:
        yield
    except psycopg.Error as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


@contextmanager
def all_errors() -> Iterator[None]:
    """The same where nobody is left to judge: everything becomes a StoreError, and what should not be is logged."""
    try:
        yield
    except psycopg.Error as error:
        refusal = refusal_of(error)
        if refusal is None:
            _log.error("PostgreSQL refused a statement", sqlstate=error.sqlstate, exc_info=error)
            refusal = _refusal("P0", error)
        raise refusal from error


def first_line(error: Exception) -> str:
    """The first line of an error's words, without its stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(".")


def _refusal(state: str, error: psycopg.Error) -> StoreError:
    code, sentence = REFUSALS[state]
    told = (sentence or _SENTENCES[code]).format(why=first_line(error))
    return _KINDS.get(code, StoreError)(told, code=code)
