"""Brings the schema to this code's revision, as the owner, and lets the app's role use it.

One run at a time: an advisory lock makes a second one wait. Migrations never build vector indexes (ivfflat.py). How one
goes on beside services that answer: ADR 0044.
"""

from __future__ import annotations

import time
from typing import Final

from psycopg import sql

from app.errors import SchemaError
from app.store.connection import Connection, Database, connect
from app.store.revisions import (
    FOUND,
    head_revision,
    known_revisions,
    last_before_post,
    left_to_do,
    needed_revision,
    works_on,
)
from app.store.schema_names import QUEUE_SCHEMA, SCHEMA, VECTOR_SCHEMA

_LOCK: Final = 7_003_210_417  # any number of our own: the advisory lock that serialises migrations
_NOT_SEEN: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY (%s) AND c.relrowsecurity AND NOT EXISTS (
       SELECT FROM pg_policy p
        WHERE p.polrelid = c.oid AND p.polname = 'owner' AND current_user::regrole::oid = ANY (p.polroles))"""
PATIENCE_S: Final = 60.0
_TURN_POLL_S: Final = 0.2


def migrate(
    database: Database, revision: str = "head", *, patience_s: float = PATIENCE_S
) -> tuple[str | None, str | None]:
    """Upgrade to `revision` and grant. Returns the revision before and after (None: no schema).

    Each revision is a transaction of its own, or several. One that meets a lock lets those behind it go first and is
    done again, for `patience_s` seconds in all; what was done by then stays, and the next call goes on from there.
    """
    with connect(database.owner, vectors=False) as owner:
        _wait_for_turn(owner)
        _see_all(owner)
        before = current_revision(owner)
        if before != (head_revision() if revision == "head" else revision):
            from app.store import alembic_run

            alembic_run.upgrade(database.owner, revision, patience_s)
        after = current_revision(owner)
        with connect(database.app, vectors=False) as app:
            role = app.info.user
        if role != owner.info.user:
            grant(owner, role)
    return before, after


def migrate_ahead(database: Database) -> tuple[str | None, str | None]:
    """Upgrade as far as services of the version before go on: up to the first revision that takes something away."""
    with connect(database.owner, vectors=False) as owner:
        target = last_before_post(current_revision(owner))
    return migrate(database, target)


def _wait_for_turn(owner: Connection) -> None:
    """Asked for again and again: an index that is built concurrently would wait for a session that waits in a
    statement."""
    while owner.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone() != (True,):
        time.sleep(_TURN_POLL_S)


def _see_all(owner: Connection) -> None:
    """Let the owner see all rows where the policies that say so are another role's: after a restore, or a change of the
    tables' owner."""
    tables = owner.execute(_NOT_SEEN, [[SCHEMA, VECTOR_SCHEMA]]).fetchall()
    for schema, table in tables:
        name = sql.Identifier(schema, table)
        owner.execute(sql.SQL("DROP POLICY IF EXISTS owner ON {}").format(name))
        owner.execute(sql.SQL("CREATE POLICY owner ON {} TO CURRENT_USER USING (true)").format(name))


def downgrade(database: Database, revision: str) -> None:
    """Go back to `revision` ("base": remove everything, vectors too)."""
    from app.store import alembic_run

    alembic_run.downgrade(database.owner, revision)


def compare(database: Database) -> None:
    """`alembic check`: raises alembic's error where tables.py and the migrations differ."""
    from app.store import alembic_run

    alembic_run.compare(database.owner)


def check_revision(connection: Connection) -> str | None:
    """Raise SchemaError unless this code works on the schema as it is. Returns what is left to be said of it: that
    `pgask migrate` leads further; None where it does not."""
    found = _found(connection)
    if not works_on(*found):
        raise SchemaError(revision_refusal(*found))
    further = left_to_do(found[0])
    if further is None:
        return None
    return (
        f"The database schema is at revision {found[0]}, on which this version of pgask works; pgask migrate leads on "
        f"to {further}, once no older version runs."
    )


def revision_refusal(found: str | None, oldest: str | None) -> str:
    """Why this code does not work on a schema, and the way out."""
    if found is not None and found not in known_revisions():
        return (
            f"The database schema is at revision {found}, made by a newer pgask for code that knows "
            f"{oldest or 'it'}; this one knows revisions up to {head_revision()}. Upgrade pgask."
        )
    known = known_revisions()
    lacks = ""
    if found is not None and known.index(found) > known.index(needed_revision()):
        lacks = " It was there before that one, which it lacks."
    return (
        f"The database schema is at revision {found or 'none'}; this version of pgask needs {needed_revision()}."
        f"{lacks} Run: pgask migrate"
    )


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at, None without a schema."""
    return _found(connection)[0]


def _found(connection: Connection) -> tuple[str | None, str | None]:
    if connection.execute("SELECT to_regclass('pgask.alembic_version')").fetchone() == (None,):
        return None, None
    row = connection.execute(FOUND).fetchone()
    return (None, None) if row is None else (str(row[0]), row[1])


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
