"""Runs alembic on a database: up, down, and the comparison with tables.py. Loaded only where there is something to do,
for alembic and SQLAlchemy take half a second."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError
from sqlalchemy import Connection as SaConnection
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.errors import SchemaError, StoreError
from app.store.revisions import MIGRATIONS, head_revision, oldest_to_write
from app.store.schema_names import SCHEMA

# Whoever waits for a lock makes all others wait that come after it: not longer than a reader bears
_LOCK_TIMEOUT_MS: Final = 500
_AGAIN_AFTER_S: Final = (0.2, 1.0)
_IN_THE_WAY: Final = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


def upgrade(url: str, revision: str, patience_s: float) -> None:
    """Upgrade to `revision`; one that meets a lock is done again, for `patience_s` seconds in all. Raises SchemaError
    where the schema is newer than this code, StoreError."""
    ends = time.monotonic() + patience_s
    with _sqlalchemy(url) as connection:
        while True:
            try:
                command.upgrade(_config(connection), revision)
                return
            except CommandError as error:
                raise SchemaError(
                    "The database schema was made by a newer pgask than this one, which knows revisions up to "
                    f"{head_revision()}. Upgrade pgask."
                ) from error
            except DBAPIError as error:
                connection.rollback()
                if not isinstance(error.orig, _IN_THE_WAY) or time.monotonic() >= ends:
                    raise _refusal(error) from error
            time.sleep(random.uniform(*_AGAIN_AFTER_S))  # noqa: S311 - no secret


def downgrade(url: str, revision: str) -> None:
    """Go back to `revision` ("base": remove everything, vectors too)."""
    with _sqlalchemy(url) as connection:
        command.downgrade(_config(connection), revision)


def compare(url: str) -> None:
    """`alembic check`: raises alembic's error where tables.py and the migrations differ."""
    with _sqlalchemy(url) as connection:
        command.check(_config(connection))


def _refusal(error: DBAPIError) -> Exception:
    """What a failed migration means where that is not what PostgreSQL's error means elsewhere, else that error."""
    if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
        return StoreError(
            "The database role may not change the schema. Set PGASK_OWNER_DATABASE_URL to a role that owns the "
            "database, or grant it CREATE on the database.",
            code="missing_privilege",
        )
    if isinstance(error.orig, _IN_THE_WAY):
        return StoreError(
            "The schema is in use: another session holds a lock that the migration needs, and did not let go of it "
            "for a minute. What was done is kept. Run pgask migrate again, once what runs so long has ended.",
            code="schema_in_use",
        )
    return error.orig if isinstance(error.orig, psycopg.Error) else error


@contextmanager
def _sqlalchemy(url: str) -> Iterator[SaConnection]:
    """A connection for alembic, which is in no transaction yet. The address may be a URL or keywords."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}"))
            connection.commit()
            yield connection
    finally:
        engine.dispose()


def _config(connection: SaConnection) -> Config:
    config = Config(stdout=sys.stdout)  # else the one of when alembic was loaded, which may be closed by now
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["on_version_apply"] = _note_oldest_code
    return config


def _note_oldest_code(*, ctx: MigrationContext, step: MigrationInfo, heads: set[str], **_: object) -> None:
    """Write beside the revision how old code may be that works on it."""
    assert ctx.connection is not None
    table = f"{SCHEMA}.alembic_version"
    told = ctx.connection.execute(text(f"SELECT obj_description('{table}'::regclass, 'pg_class')")).scalar()
    before = next(iter(step.source_revision_ids), None) if step.is_upgrade else None
    oldest = next((f"'{oldest_to_write(head, before, told)}'" for head in heads), "NULL")
    ctx.connection.execute(text(f"COMMENT ON TABLE {table} IS {oldest}"))
