"""Migrations beside services that answer: what each revision locks, what it fills, how it goes on after a stop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection as SaConnection
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from app.errors import SchemaError, StoreError
from app.store import migrate as migrations
from app.store.connection import Connection, Database, connect
from app.store.migrate import compare, current_revision, downgrade, migrate, migrate_ahead
from app.store.revisions import kind_of, known_revisions, needed_revision
from app.store.tables import metadata
from migrations import online
from migrations.online import BATCH_ROWS, LARGE
from migrations.vector_partitions import remove_partitions
from tests.integration.ingesting import ingest, open_collection, snapshot, write_corpus

pytestmark = pytest.mark.integration

LAST_WITHOUT_KIND = "0021"
# What holds others back, and how often rows of large tables were read and changed in this transaction
LOCKS = """
SELECT DISTINCT l.relation::regclass::text || ' ' || l.mode FROM pg_locks l
 WHERE l.pid = pg_backend_pid() AND l.granted AND l.relation = ANY (%s)
   AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') ORDER BY 1"""
WORK = """
SELECT coalesce(sum(seq_tup_read), 0)::bigint, coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint
  FROM pg_stat_xact_all_tables WHERE relid = ANY (%s)"""
# One statement, outside of a transaction, that holds nobody back for long, or changes a batch
ALONE = re.compile(
    r"\s*(SELECT|SET|CREATE INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|UPDATE|ALTER TABLE \S+ VALIDATE CONSTRAINT)\b"
)


class Watcher:
    """Notes each statement that holds readers or writers of a large table back for as long as it has rows."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._large: list[int] = []
        self._before = (0, 0)

    def begun(self, connection: SaConnection) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        with raw.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(array_agg(c.oid::bigint), '{}') FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
                " AND (n.nspname = 'pgask_vectors' OR n.nspname = 'pgask' AND c.relname = ANY (%s))",
                (sorted(LARGE),),
            )
            self._large = (cursor.fetchone() or ([],))[
                0
            ]  # what this transaction makes is seen by nobody else
            cursor.execute(WORK, (self._large,))
            read, changed = cursor.fetchone() or (0, 0)
            self._before = (read, changed)

    def ran(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        said = " ".join(statement.split())[:100]
        if cursor.connection.autocommit:
            if not ALONE.match(statement) or cursor.rowcount > BATCH_ROWS:
                self.faults.append(f"alone: {said}")
            return
        with cursor.connection.cursor() as look:
            look.execute(WORK, (self._large,))
            read, changed = (now - then for now, then in zip(look.fetchone(), self._before, strict=True))
            look.execute(LOCKS, (self._large,))
            held = ", ".join(name for (name,) in look.fetchall())
        if changed or (read and held):
            self.faults.append(f"{read} rows read, {changed} changed, holding {held or 'rows'}: {said}")


@contextmanager
def watching() -> Iterator[Watcher]:
    """Every statement of every engine while this is open."""
    watcher = Watcher()
    event.listen(Engine, "begin", watcher.begun)
    event.listen(Engine, "after_cursor_execute", watcher.ran)
    try:
        yield watcher
    finally:
        event.remove(Engine, "begin", watcher.begun)
        event.remove(Engine, "after_cursor_execute", watcher.ran)


def empty_collections(owner: Connection, space_id: int) -> int:
    """Have the rows be as those of before there were tenants. Returns how many there are."""
    tables = ("pgask.document_texts", f"pgask_vectors.window_vectors_{space_id}")
    return sum(
        owner.execute(f"UPDATE {table} SET collection_id = NULL".encode()).rowcount for table in tables
    )


@pytest.fixture
def old(empty_database: Database, tmp_path: Path) -> Database:
    """A filled database as version 0021 left it, rows of before 0017 among them."""
    migrate(empty_database)
    ingest(empty_database, write_corpus(tmp_path, 4))
    downgrade(empty_database, LAST_WITHOUT_KIND)
    with connect(empty_database.owner) as owner:
        assert empty_collections(owner, 1) > 8
    return empty_database


def test_f_1313_no_revision_holds_a_large_table_for_as_long_as_it_has_rows(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up, and down as well; those of before there were kinds: OF_BEFORE_KINDS of tests/unit/test_rules.py."""
    monkeypatch.setattr(online, "BATCH_ROWS", 3)
    with watching() as watcher:
        migrate(old)
        assert watcher.faults == []
    with connect(old.owner) as owner:
        for table in ("pgask.document_texts", "pgask.page_lines", "pgask_vectors.window_vectors_1"):
            left = owner.execute(f"SELECT count(*) FROM {table} WHERE collection_id IS NULL".encode())
            assert left.fetchone() == (0,)
            policy = owner.execute(
                "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy"
                " WHERE polname = 'tenant' AND polrelid = %s::regclass",
                [table],
            ).fetchone()
            assert policy is not None
            assert "EXISTS" not in policy[0]
    stored = snapshot(old)
    compare(old)
    with watching() as watcher:
        downgrade(old, LAST_WITHOUT_KIND)
        assert watcher.faults == []
    migrate(old)
    assert snapshot(old) == stored
    compare(old)


HOLDING = (
    "CREATE INDEX ON pgask.chunks (page)",
    "ALTER TABLE pgask.chunks ALTER COLUMN page TYPE bigint",
    "ALTER TABLE pgask.chunks ADD COLUMN told_at timestamptz DEFAULT clock_timestamp()",
    "ALTER TABLE pgask.chunks ADD CONSTRAINT small CHECK (page < 1000000)",
    "ALTER TABLE pgask.chunks ALTER COLUMN other SET DEFAULT 1, ADD CHECK (token_count > 0)",
    "UPDATE pgask.chunks SET page = 1",
    "CLUSTER pgask.chunks USING pk_chunks",
    "ALTER TABLE pgask.chunks ADD FOREIGN KEY (collection_id) REFERENCES pgask.collections",
)


def test_a_step_that_holds_others_back_is_noticed(database: Database, tmp_path: Path) -> None:
    ingest(database, write_corpus(tmp_path, 2))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database.owner), poolclass=NullPool
    )
    with watching() as watcher, engine.connect() as connection:
        for number, statement in enumerate(HOLDING):
            with connection.begin() as step:
                connection.execute(text("ALTER TABLE pgask.chunks ADD COLUMN other integer"))
                assert len(watcher.faults) == number, watcher.faults
                connection.execute(text(statement))
                assert len(watcher.faults) == number + 1, statement
                step.rollback()


def test_every_table_that_grows_is_on_the_list() -> None:
    """Those whose rows are made for each document, file or request; new tables are added here or there."""
    few = {
        *(
            "api_keys",
            "background_texts",
            "collections",
            "completions",
            "conversations",
            "embedding_spaces",
            "feedback",
        ),
        *("jobs", "question_vectors", "replies", "sessions", "tenants"),
    }
    assert {table.name for table in metadata.tables.values()} - few <= LARGE


def test_what_waits_for_a_lock_lets_others_go_first_and_is_done_again(old: Database) -> None:
    """A reader of minutes: no statement behind the migration waits longer than its limit, and it ends the migration's
    patience, not the reader's."""
    with (
        connect(old.owner, autocommit=False) as reader,
        connect(old.owner) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        reader.execute("SELECT count(*) FROM pgask.document_texts")
        other.execute("SET statement_timeout = '5s'")
        migration = pool.submit(migrate, old)
        for _ in range(30):
            other.execute("SELECT count(*) FROM pgask.document_texts")
        assert not migration.done()
        reader.rollback()
        assert migration.result()[1] == known_revisions()[-1]


def test_what_was_done_before_a_stop_stays_done(old: Database) -> None:
    with connect(old.owner, autocommit=False) as writer:
        writer.execute("LOCK TABLE pgask_vectors.window_vectors_1 IN ROW SHARE MODE")
        with pytest.raises(StoreError) as refused:
            migrate(old, patience_s=0.5)
        assert refused.value.code == "schema_in_use"
    with connect(old.owner) as owner:
        assert current_revision(owner) != known_revisions()[-1]
        left = "SELECT count(*) FROM {} WHERE collection_id IS NULL"
        assert owner.execute(left.format("pgask.document_texts").encode()).fetchone() == (0,)
        assert owner.execute(left.format("pgask_vectors.window_vectors_1").encode()).fetchone() != (0,)
    migrate(old)
    compare(old)


def test_an_index_that_a_killed_build_left_is_built_anew(old: Database) -> None:
    name = "ix_documents_collection_id_updated_at"
    with connect(old.owner) as owner:
        with pytest.raises(psycopg.errors.UniqueViolation):  # ends as a kill does: invalid, by its name
            owner.execute(
                f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON pgask.documents (collection_id)".encode()
            )
        migrate(old)
        found = owner.execute(
            "SELECT indisvalid, indisunique FROM pg_index WHERE indexrelid = %s::regclass", [f"pgask.{name}"]
        ).fetchone()
        assert found == (True, False)


def test_services_of_before_run_until_the_rest_is_done(old: Database) -> None:
    before, after = migrate_ahead(old)
    assert before == LAST_WITHOUT_KIND
    assert after is not None
    known = known_revisions()
    assert kind_of(after) == "pre"
    assert all(
        kind_of(revision) == "pre"
        for revision in known[known.index(LAST_WITHOUT_KIND) + 1 : known.index(after)]
    )
    with connect(old.app) as app:
        migrations.check_revision(app)
        told = app.execute("SELECT obj_description('pgask.alembic_version'::regclass)").fetchone()
        assert told == (LAST_WITHOUT_KIND,)
    assert migrate(old) == (after, known[-1])


def undo(database: Database, change: Callable[[], None]) -> None:
    """Run what a migration is made of, outside of any."""
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database.owner), poolclass=NullPool
    )
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with context.begin_transaction(_per_migration=True), Operations.context(context):
            change()
    engine.dispose()


@pytest.mark.parametrize(("at", "oldest"), [("0026", "0029"), ("0026", "0025"), ("0031", "0029")])
def test_a_schema_of_before_a_pre_was_put_in_front_is_refused_until_it_is_migrated(
    old: Database, at: str, oldest: str
) -> None:
    """As versions between two releases left it: past 0026, and without 0032, which was put in front of that later."""
    migrate(old, at)
    undo(old, remove_partitions)
    with connect(old.owner) as owner:
        owner.execute(f"COMMENT ON TABLE pgask.alembic_version IS '{oldest}'".encode())
    with connect(old.app) as app:
        with pytest.raises(SchemaError, match=r"lacks\. Run: pgask migrate"):
            migrations.check_revision(app)
        migrate(old, "0031" if at == "0026" else "0033")  # as one that is stopped on the way
        with pytest.raises(SchemaError, match="lacks"):
            migrations.check_revision(app)
        migrate(old)
        assert migrations.check_revision(app) is None
    compare(old)


def test_a_schema_past_0034_without_senders_is_refused_until_0036_gives_them(old: Database) -> None:
    migrate(old, "0034")
    undo(old, lambda: op.drop_column("documents", "sender", schema="pgask"))
    with connect(old.owner) as owner:
        owner.execute("COMMENT ON TABLE pgask.alembic_version IS '0032'")
    with connect(old.app) as app:
        with pytest.raises(SchemaError, match=r"lacks\. Run: pgask migrate"):
            migrations.check_revision(app)
        migrate(old)
        assert migrations.check_revision(app) is None
    compare(old)


def test_what_is_left_is_said_where_the_code_works(old: Database) -> None:
    migrate(old, needed_revision())
    with connect(old.app) as app:
        said = migrations.check_revision(app)
    assert said is not None
    assert f"pgask migrate leads on to {known_revisions()[-1]}" in said


def test_the_databases_address_may_be_keywords(empty_database: Database) -> None:
    """It ended in a traceback of SQLAlchemy's."""
    owner, app = (make_conninfo(url, connect_timeout=5) for url in (empty_database.owner, empty_database.app))
    assert "=" in owner
    assert not owner.startswith("postgresql:")
    assert migrate(Database(owner=owner, app=app)) == (None, known_revisions()[-1])
    compare(Database(owner=owner, app=app))


def test_a_new_space_has_windows_with_a_collection(database: Database) -> None:
    space = open_collection(database).space_id
    with connect(database.app) as app:
        found = app.execute(
            "SELECT attnotnull FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'collection_id'",
            [f"pgask_vectors.window_vectors_{space}"],
        ).fetchone()
        assert found == (True,)
