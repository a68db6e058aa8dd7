"""Tenants held apart by row-level security: the catalog, the scope of connections, and the commands."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.errors import ConfigError, InvalidRequestError, NotFoundError
from app.index.maintenance import maintain
from app.index.manifest import IndexSettings, VectorIndex
from app.search.plan import read_collections
from app.store.connection import Connection, Database, connect, run_alone, see, transaction
from app.store.connection_pool import open_pool
from app.store.migrate import downgrade, grant, migrate
from app.store.shelves import ensure_shelf
from app.store.tenancy import DEFAULT, NOBODY, Scope, check_confined, open_scope, working_for
from app.store.tenant_list import create_tenant, delete_tenant, list_tenants
from tests.chaos import policies
from tests.integration.ingesting import FAKE, ingest, open_collection, random_text
from tests.statements import searches

pytestmark = pytest.mark.integration

# What is nobody's: the list of tenants, models and what everyday texts are like in them, the revision of the schema.
SHARED = {"tenants", "embedding_spaces", "background_texts", "alembic_version"}

_TABLES = """
SELECT n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity,
       ARRAY(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY 1)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('pgask', 'pgask_vectors') AND c.relkind IN ('r', 'p', 'm', 'v', 'f') ORDER BY 1, 2"""
# Of each table whose rows are a collection's and have no tenant of their own
_CONDITIONS = """
SELECT c.relname, pg_get_expr(p.polqual, p.polrelid) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
 WHERE p.polname = 'tenant'
   AND ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attname IN ('tenant_id', 'collection_id')) = '{collection_id}'"""


@pytest.fixture
def other(database: Database) -> Scope:
    """A second tenant."""
    with connect(database.owner) as owner:
        create_tenant(owner, "other")
    return _scope(database, "other")


def _scope(database: Database, name: str) -> Scope:
    with connect(database.app) as app:
        return open_scope(app, name)


def _write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.md").write_text(f"---\nkind: {name}\n---\n# {name}\n\n{text}\n", "utf-8")
    return folder


def _counts(database: Database, scope: Scope) -> dict[str, int]:
    """Rows of every table with policies that a scope sees."""
    with connect(database.app) as app:
        tables = [row for row in app.execute(_TABLES).fetchall() if row[2]]
        see(app, scope)
        found = {}
        for schema, table, *_ in tables:
            query = f"SELECT count(*) FROM {schema}.{table}"
            row = app.execute(query.encode()).fetchone()
            assert row is not None
            found[table] = row[0]
        return found


def test_every_table_of_a_tenants_rows_has_its_policies_forced(database: Database) -> None:
    open_collection(database)  # tables of a space
    with connect(database.owner) as owner:
        tables = owner.execute(_TABLES).fetchall()
        assert {"chunk_vectors_1", "window_vectors_1", "collections"} <= {table for _, table, *_ in tables}
        for schema, table, enabled, forced, policies in tables:
            if table in SHARED:
                continue
            assert enabled and forced, f"SELECT pgask.protect('{schema}.{table}') is missing in its migration"  # noqa: PT018
            assert {"tenant", "owner"} <= set(policies), table
        definers = owner.execute(
            "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname LIKE 'pgask%' AND p.prosecdef"
        ).fetchall()
    assert definers == []


def test_no_plan_is_made_for_a_policy_that_hides_nearly_all(database: Database) -> None:
    """An admin of hundreds of shelves reads all of their rows, and plans were made for ten's."""
    open_collection(database)  # tables of a space
    with connect(database.owner) as owner, connect(database.app) as app:
        _make_shelves(app)
        app.execute(
            "INSERT INTO pgask.documents (collection_id, source, status)"
            " SELECT c.id, n::text, 'ready' FROM pgask.collections c, generate_series(1, 10) n"
        )
        owner.execute("ANALYZE pgask.documents")
        plan = app.execute("EXPLAIN (FORMAT JSON) SELECT FROM pgask.documents").fetchall()[0][0][0]["Plan"]
        assert 500 <= plan["Plan Rows"] <= 1_010
        alike = owner.execute(_CONDITIONS).fetchall()
    assert {name for name, _ in alike} >= {
        "documents",
        "chunks",
        "postings",
        "posting_blocks",
        "chunk_vectors_1",
    }
    assert len({condition for _, condition in alike}) == 1


def test_a_term_of_many_shelves_is_looked_up_at_once(database: Database) -> None:
    open_collection(database)
    with connect(database.app) as app:
        _make_shelves(app)
        app.execute(
            "INSERT INTO pgask.postings (chunk_id, collection_id, term_frequency, chunk_terms, term)"
            " SELECT c.id, c.id, 1, 2, term FROM pgask.collections c, unnest('{crane,heron,stork}'::text[]) term"
        )
        app.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        explained = app.execute(
            "EXPLAIN ANALYZE SELECT count(*) FROM pgask.postings WHERE term = 'heron'"
            " AND collection_id = ANY(ARRAY(SELECT id FROM pgask.collections))"
        ).fetchall()
        searches = [int(line.split()[-1]) for (line,) in explained if "Index Searches" in line]
        assert searches, "PostgreSQL 18 counts them"
        assert max(searches) <= 5, explained


def _make_shelves(app: Connection) -> None:
    for number in range(100):
        ensure_shelf(app, "default", 1, (f"group {number}",))


def test_each_row_is_seen_by_its_tenant_alone_and_a_broken_policy_is_noticed(
    database: Database, tmp_path: Path
) -> None:
    """All tables with policies, and rows of two tenants in two collections each; `make chaos` breaks every policy."""
    figures = policies.run(database, tmp_path / "files", every=7)
    assert figures.passed(), figures
    assert figures.mutants >= 10


def test_no_scope_sees_no_row_and_each_tenant_its_own(
    database: Database, other: Scope, tmp_path: Path
) -> None:
    text = "The heron stands in the shallow water at the mouth of the river. " * 3
    ingest(database, _write(tmp_path / "a", heron=text, crane="A crane lifts stones at the harbour all day."))
    with working_for(other):
        ingest(database, _write(tmp_path / "b", heron=text))
    mine, theirs, nobodys = (_counts(database, scope) for scope in (DEFAULT, other, NOBODY))
    assert set(nobodys.values()) == {0}
    assert (mine["documents"], theirs["documents"]) == (
        2,
        1,
    )  # and the same text is no duplicate of another tenant's
    for table in ("collections", "chunks", "postings", "document_texts", "document_facts", "chunk_vectors_1"):
        assert mine[table] > 0 < theirs[table], table
    with connect(database.owner) as owner:
        row = owner.execute("SELECT count(*) FROM pgask.documents").fetchone()
    assert row == (3,)


def test_nothing_can_be_written_or_changed_for_another_tenant(
    database: Database, other: Scope, tmp_path: Path
) -> None:
    ingest(database, _write(tmp_path, heron="The heron stands in the shallow water."))
    before = _counts(database, DEFAULT)
    with connect(database.app) as app:
        row = app.execute("SELECT id, collection_id FROM pgask.documents").fetchone()
        assert row is not None
        see(app, other)
        for table in ("documents", "chunks", "postings", "collections", "document_texts"):
            assert app.execute(f"DELETE FROM pgask.{table}".encode()).rowcount == 0
        assert app.execute("UPDATE pgask.documents SET title = 'x' WHERE id = %s", [row[0]]).rowcount == 0
        for statement, values in (
            (
                "INSERT INTO pgask.documents (collection_id, source, status) VALUES (%s, 'x', 'ready')",
                [row[1]],
            ),
            ("INSERT INTO pgask.document_texts (document_id, part, text) VALUES (%s, 99, 'x')", [row[0]]),
            (
                "INSERT INTO pgask.audit (tenant_id, actor, action, target, status) VALUES (1, 'x', 'x', 'x', 200)",
                [],
            ),
            ("INSERT INTO pgask.tenants (name) VALUES ('x')", []),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement.encode(), values)
    assert _counts(database, DEFAULT) == before


async def test_a_connection_of_the_pool_keeps_nobodys_scope(database: Database, other: Scope) -> None:
    open_collection(database)

    async def count(connection: psycopg.AsyncConnection[tuple[int, ...]]) -> int:
        row = await (await connection.execute("SELECT count(*) FROM pgask.collections")).fetchone()
        assert row is not None
        return int(row[0])

    async with open_pool(database.app, size=1, statement_timeout_s=10, otherwise=NOBODY) as pool:
        with working_for(DEFAULT):
            assert await run_alone(pool, count) == 1
        assert await run_alone(pool, count) == 0
        with working_for(other):
            async with transaction(pool) as connection:
                assert await count(connection) == 0
        with working_for(DEFAULT), contextlib.suppress(ZeroDivisionError):
            async with transaction(pool) as connection:
                assert await count(connection) == 1
                raise ZeroDivisionError
        assert await run_alone(pool, count) == 0


def test_a_key_s_collections_narrow_what_is_seen(database: Database, tmp_path: Path) -> None:
    for name in ("default", "second"):
        ingest(database, _write(tmp_path, heron="The heron stands in the shallow water."), collection=name)
    seen = {
        name: _counts(database, Scope(1, (name,)))["documents"] for name in ("default", "none", 'a"b\\c,{}')
    }
    assert seen == {"default": 1, "none": 0, 'a"b\\c,{}': 0}
    assert _counts(database, DEFAULT)["documents"] == 2


def test_the_role_of_the_service_has_to_be_held_by_policies(database: Database) -> None:
    with connect(database.app) as app:
        check_confined(app, several=True)
    with connect(database.owner) as owner:
        check_confined(owner, several=False)  # one role for all, one tenant: as ever
        with pytest.raises(ConfigError) as refused:
            check_confined(owner, several=True)
        assert refused.value.code == "role_not_confined"
        create_tenant(owner, "second")
        with pytest.raises(ConfigError, match="PGASK_OWNER_DATABASE_URL"):
            open_scope(owner, "default")


# What a search, a list and an ingest look for, each by an index of its own; %(one)s is a document, {vector} a vector.
_LOOKS: tuple[str, ...] = (
    "SELECT count(*) FROM pgask.postings WHERE collection_id = 1 AND term = 'heron'",
    "SELECT count(*) FROM pgask.postings WHERE collection_id = 1 AND term >= 'he' AND term < 'hf'",
    "SELECT * FROM pgask.postings WHERE collection_id = 1 AND term = 'heron' AND chunk_id = ANY('{1,2}')",
    "SELECT sum(df) FROM pgask.posting_blocks WHERE collection_id = 1 AND term = 'heron'",
    "SELECT * FROM pgask.posting_blocks WHERE collection_id = 1 AND term = 'heron' AND first_chunk <= 2"
    " ORDER BY first_chunk DESC LIMIT 1",
    "SELECT * FROM pgask.merged_chunks WHERE chunk_id = ANY('{1,2}')",
    "SELECT * FROM pgask.chunks WHERE document_id = %(one)s",
    "SELECT * FROM pgask.chunks WHERE id = ANY('{1,2}')",
    "SELECT * FROM pgask.document_texts WHERE document_id = %(one)s AND part >= 0 AND part <= 1",
    "SELECT * FROM pgask_vectors.window_vectors_1 WHERE document_id = %(one)s AND window_index >= 0",
    "SELECT * FROM pgask_vectors.chunk_vectors_1 WHERE collection_id = 1",
    "SELECT * FROM pgask_vectors.chunk_vectors_1 v WHERE v.chunk_id <> -1 AND v.collection_id = 1"
    " ORDER BY v.embedding <=> {vector} LIMIT 5",
    "SELECT * FROM pgask.documents WHERE collection_id = 1 AND source = 'heron.md'",
    "SELECT * FROM pgask.documents WHERE collection_id = 1 AND source >= 'h' AND source < 'i' ORDER BY source",
    "SELECT * FROM pgask.documents WHERE collection_id = 1 AND text_sha256 = 'x'",
    "SELECT document_id FROM pgask.signature_bands WHERE collection_id = 1 AND band = ANY('{1,2}')",
    "SELECT document_id FROM pgask.document_facts WHERE collection_id = 1 AND fact = ANY('{1,2}')",
)


def test_the_same_indexes_are_asked_with_policies_as_without(database: Database, tmp_path: Path) -> None:
    ingest(database, _write(tmp_path, heron="The heron stands in the shallow water of the river."))
    with connect(database.owner) as owner, connect(database.app) as app:
        owner.execute(
            "CREATE INDEX by_vector ON pgask_vectors.chunk_vectors_1 USING hnsw (embedding vector_cosine_ops)"
            " WHERE chunk_id <> -1"
        )
        row = app.execute("SELECT document_id, embedding::text FROM pgask_vectors.chunk_vectors_1").fetchone()
        assert row is not None
        app.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")

        def indexes() -> list[set[str]]:
            found = []
            for look in _LOOKS:
                query = "EXPLAIN (FORMAT JSON) " + look.replace("{vector}", f"'{row[1]}'::vector")
                plan = app.execute(query.encode(), {"one": row[0]}).fetchone()
                assert plan is not None
                names = set(re.findall(r"'Index Name': '(\w+)'", str(plan[0])))
                found.append(
                    names - {"pk_collections", "uq_collections_tenant_id_name_readers"}
                )  # the policies' own
            return found

        held = indexes()
        assert all(held), list(zip(_LOOKS, held, strict=True))
        for schema, table, *_ in owner.execute(_TABLES).fetchall():
            owner.execute(f"ALTER TABLE {schema}.{table} DISABLE ROW LEVEL SECURITY".encode())
        assert held == indexes()
    assert "by_vector" in held[11]


def test_no_search_reads_a_table_from_end_to_end_because_of_its_policy(
    database: Database, tmp_path: Path
) -> None:
    """A condition that PostgreSQL thinks could tell of hidden rows is asked after the policy, and so by no index."""
    ingest(database, _write(tmp_path, heron="The heron stands in the shallow water of the river."))
    with connect(database.app) as app, psycopg.RawCursor(app) as cursor:
        app.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
        app.execute("SET cpu_tuple_cost = 10")  # as of a large table: a small one may as well be read whole
        for kind, search in searches(1).items():
            row = cursor.execute(b"EXPLAIN (GENERIC_PLAN, FORMAT JSON) " + search.text).fetchone()
            assert row is not None
            scans = list(_scans(row[0][0]["Plan"]))
            read = {name for name, is_looked_up in scans if not is_looked_up}
            assert read.isdisjoint(
                {"chunks", "postings", "posting_blocks", "document_texts", "window_vectors_1"}
            ), kind
            assert ("chunks", True) in scans, kind


def _scans(plan: Any) -> Iterator[tuple[str, bool]]:
    """The tables that a plan reads, and whether by a condition that an index is asked for."""
    if "Relation Name" in plan:
        yield plan["Relation Name"], bool({"Index Cond", "Recheck Cond"} & set(plan))
    for below in plan.get("Plans", []):
        yield from _scans(below)


def test_what_is_asked_of_a_row_is_asked_after_its_policy(
    database: Database, other: Scope, tmp_path: Path
) -> None:
    """Neither a function that costs nothing and tells what it is given, nor an error of a cast, sees a hidden row."""
    ingest(database, _write(tmp_path / "a", heron="The heron stands in the shallow water."))
    with connect(database.app) as app:
        shelf = ensure_shelf(app, "default", 1, ("hr",))
        app.execute("SELECT pgask.move_document(id, %s) FROM pgask.documents", [shelf.id])
    with working_for(other):
        ingest(database, _write(tmp_path / "b", crane="A crane lifts stones at the harbour."))
    told: list[str] = []
    with connect(database.app) as app:
        app.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        app.execute(
            "CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS"
            " $$BEGIN RAISE NOTICE 'told %', $1; RETURN true; END$$"
        )
        for scope, seen in ((Scope(1), set()), (other, {"told crane.md"}), (NOBODY, set())):
            see(app, scope)
            told.clear()
            for setting in ("on", "off"):
                app.execute(f"SET enable_seqscan = {setting}".encode())
                app.execute("SELECT FROM pgask.documents WHERE pg_temp.tell(source)")
                app.execute("SELECT FROM pgask.documents WHERE pg_temp.tell(source) AND collection_id > 0")
            assert set(told) == seen
            if not seen:
                app.execute("SELECT FROM pgask.chunks WHERE 1 / (id - id) > 0 AND heading::integer > 0")


async def test_a_search_is_planned_by_all_rows_of_the_space(
    database: Database, other: Scope, tmp_path: Path
) -> None:
    """Else a tenant of few rows, who sees no others, would ask the index as if its rows were all there are (R31)."""
    folder = _write(tmp_path, heron="The heron stands in the shallow water.")
    ingest(database, folder)
    with working_for(other):
        ingest(database, _write(tmp_path / "more", **{f"crane{n}": random_text(n, 40) for n in range(9)}))
    with connect(database.owner) as owner:
        maintain(owner, 1, IndexSettings())
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool, transaction(pool) as reader:
        stored = await read_collections(reader, "default", FAKE.space)
    assert stored.chunk_count == 1
    assert stored.space_count >= 10
    index = VectorIndex("ivfflat", "full", build=1, dimension=8, lists=4, effort=1)
    assert replace(stored, index=index).plan(exact_max_rows=0).index is None


class TestTenants:
    def test_made_listed_and_deleted_with_all_they_have(
        self, database: Database, other: Scope, tmp_path: Path
    ) -> None:
        with working_for(other):
            ingest(database, _write(tmp_path, heron="The heron stands in the shallow water."))
        ingest(database, _write(tmp_path, heron="The heron stands in the shallow water."))
        with connect(database.owner) as owner:
            assert [(row.name, row.collections) for row in list_tenants(owner)] == [
                ("default", 1),
                ("other", 1),
            ]
            for bad in ("", "a/b", "x" * 65):
                with pytest.raises(InvalidRequestError):
                    create_tenant(owner, bad)
            with pytest.raises(InvalidRequestError) as twice:
                create_tenant(owner, "other")
            assert twice.value.code == "tenant_exists"
            before = _counts(database, DEFAULT)
            assert delete_tenant(owner, "other") == 1
            with pytest.raises(NotFoundError):
                delete_tenant(owner, "other")
            with pytest.raises(InvalidRequestError):
                delete_tenant(owner, "default")
            for schema, table, *_ in owner.execute(_TABLES).fetchall():
                if table not in SHARED:
                    row = owner.execute(f"SELECT count(*) FROM {schema}.{table}".encode()).fetchone()
                    assert row == (before[table],), table

    def test_a_schema_without_policies_is_refused_where_there_are_several(
        self, database: Database, other: Scope
    ) -> None:
        assert other.tenant != 1
        with pytest.raises(RuntimeError, match="pgask tenants delete"):
            downgrade(database, "0012")


def test_what_was_stored_before_there_were_tenants_is_seen_by_default(
    database: Database, tmp_path: Path
) -> None:
    """Windows, texts and lines from before have no collection_id: migration 0025 gives them that of their document."""
    ingest(database, _write(tmp_path, heron="The heron stands in the shallow water of the river."))
    before = _counts(database, DEFAULT)
    downgrade(database, "0012")
    migrate(database)
    with connect(database.owner) as owner:
        grant(owner, "pgask_app")
        row = owner.execute(
            "SELECT count(*) FROM pgask_vectors.window_vectors_1 WHERE collection_id IS NULL"
        ).fetchone()
        assert row == (0,)
        create_tenant(owner, "other")
    assert _counts(database, DEFAULT) == before
    assert set(_counts(database, _scope(database, "other")).values()) == {0}
