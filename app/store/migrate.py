"""Brings the schema to this code's revision, as the owner, and lets the app's role use it.

One run at a time: an advisory lock makes a second one wait. Migrations never build vector indexes (ivfflat.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection as SaConnection
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.errors import SchemaError, StoreError
from app.store.connection import Connection, Database, connect
from app.store.tables import QUEUE_SCHEMA, SCHEMA, VECTOR_SCHEMA

_LOCK: Final = 7_003_210_417  # any number of our own: the advisory lock that serialises migrations
_NOT_SEEN: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY (%s) AND c.relrowsecurity AND NOT EXISTS (
       SELECT FROM pg_policy p
        WHERE p.polrelid = c.oid AND p.polname = 'owner' AND current_user::regrole::oid = ANY (p.polroles))"""
_MIGRATIONS: Final = Path(__file__).parents[2] / "migrations"


def migrate(database: Database, revision: str = "head") -> tuple[str | None, str | None]:
    """Upgrade to `revision` and grant. Returns the revision before and after (None: no schema)."""
    with connect(database.owner, vectors=False) as owner:
        owner.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        _see_all(owner)
        with _sqlalchemy(database.owner) as connection:
            before = _current(connection)
            try:
                command.upgrade(_config(connection), revision)
            except DBAPIError as error:
                raise _refusal(error) from error
            after = _current(connection)
        with connect(database.app, vectors=False) as app:
            role = app.info.user
        if role != owner.info.user:
            grant(owner, role)
    return before, after


def _see_all(owner: Connection) -> None:
    """Let the owner see all rows where the policies that say so are another role's: after a restore, or a change of the
    tables' owner."""
    tables = owner.execute(_NOT_SEEN, [[SCHEMA, VECTOR_SCHEMA]]).fetchall()
    for schema, table in tables:
        name = sql.Identifier(schema, table)
        owner.execute(sql.SQL("DROP POLICY IF EXISTS owner ON {}").format(name))
        owner.execute(sql.SQL("CREATE POLICY owner ON {} TO CURRENT_USER USING (true)").format(name))


def _refusal(error: DBAPIError) -> Exception:
    """What a failed migration means where that is not what PostgreSQL's error means elsewhere, else that error."""
    if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
        return StoreError(
            "The database role may not change the schema. Set PGASK_OWNER_DATABASE_URL to a role that owns the "
            "database, or grant it CREATE on the database.",
            code="missing_privilege",
        )
    if isinstance(error.orig, psycopg.errors.LockNotAvailable):
        return StoreError(
            "The schema is in use: another session holds a lock that the migration needs. Stop `pgask serve` and "
            "`ingest`, then run pgask migrate again.",
            code="schema_in_use",
        )
    return error.orig if isinstance(error.orig, psycopg.Error) else error


def downgrade(database: Database, revision: str) -> None:
    """Go back to `revision` ("base": remove everything, vectors too)."""
    with _sqlalchemy(database.owner) as connection:
        command.downgrade(_config(connection), revision)


def compare(database: Database) -> None:
    """`alembic check`: raises alembic's error where tables.py and the migrations differ."""
    with _sqlalchemy(database.owner) as connection:
        command.check(_config(connection))


def check_revision(connection: Connection) -> None:
    """Raise SchemaError unless the schema is at this code's revision."""
    head = head_revision()
    found = current_revision(connection)
    if found != head:
        raise SchemaError(
            f"The database schema is at revision {found or 'none'}; this version of pgask needs {head}. "
            "Run: pgask migrate"
        )


def head_revision() -> str:
    """The revision that this code needs."""
    return str(ScriptDirectory(str(_MIGRATIONS)).get_current_head())


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at, None without a schema."""
    if connection.execute("SELECT to_regclass('pgask.alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT version_num FROM pgask.alembic_version").fetchone()
    return None if row is None else str(row[0])


def grant(owner: Connection, role: str) -> None:
    """Let `role` read and write rows and use sequences, now and for tables to come, and make tables that go with its
    session; nothing else."""
    name = sql.Identifier(role)
    schemas = owner.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s)", [[SCHEMA, VECTOR_SCHEMA, QUEUE_SCHEMA]]
    )  # at an earlier revision there is no queue
    for (schema,) in schemas.fetchall():
        for statement in (
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        ):
            owner.execute(sql.SQL(statement).format(schema=sql.Identifier(schema), role=name))
    for table in ("alembic_version", "tenants"):
        if owner.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.{table}"]).fetchone() == (None,):
            continue  # of a later revision
        owner.execute(
            sql.SQL("REVOKE INSERT, UPDATE, DELETE ON {table} FROM {role}").format(
                table=sql.Identifier(SCHEMA, table), role=name
            )
        )
    # Rows are copied into tables of the session, and from there under the policies: COPY refuses tables that have them
    row = owner.execute(
        "SELECT current_database(), has_database_privilege(%s, current_database(), 'TEMPORARY')", [role]
    ).fetchone()
    assert row is not None
    if not row[1]:
        owner.execute(
            sql.SQL("GRANT TEMPORARY ON DATABASE {database} TO {role}").format(
                database=sql.Identifier(row[0]), role=name
            )
        )


@contextmanager
def _sqlalchemy(url: str) -> Iterator[SaConnection]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            yield connection
    finally:
        engine.dispose()


def _config(connection: SaConnection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _current(connection: SaConnection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    return context.get_current_revision()
