"""Documents that only some groups may read: what each scope sees, moves between shelves, and folders that say who reads
(ADR 0039)."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.errors import InvalidRequestError
from app.server.embedded import EmbeddedPostgres
from app.store import catalog
from app.store.connection import Connection, Database, connect, see, transaction, write
from app.store.connection_pool import open_pool
from app.store.exporting import export_collection
from app.store.migrate import downgrade
from app.store.shelves import MOST_SHELVES, ensure_shelf, list_shelves, read_groups
from app.store.sources import known_documents
from app.store.spaces import ensure_space
from app.store.tenancy import DEFAULT, NOBODY, Scope, working_for
from ingest.importing import import_collection
from ingest.options import IngestOptions
from ingest.parsers import parse
from ingest.pipeline import IngestRun, Report
from ingest.shelving import ShelvedPlan, ShelvedRun
from tests.conftest import TEMPLATE
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import FAKE, SMALL, Silent, open_collection, random_text
from tests.integration.test_twins import add, go_to

pytestmark = pytest.mark.integration

HR, BOARD, NONE = Scope(1, groups=("hr",)), Scope(1, groups=("board", "hr")), Scope(1)
_OF_COLLECTION = """
SELECT n.nspname || '.' || c.relname, bool_or(a.attname = 'document_id'), bool_or(a.attname = 'chunk_id')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE n.nspname IN ('pgask', 'pgask_vectors') AND c.relkind = 'r' AND NOT a.attisdropped
 GROUP BY 1 HAVING bool_or(a.attname = 'collection_id') AND bool_or(a.attname IN ('document_id', 'chunk_id'))"""


def _write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def _shelved(connection: Connection, readers: Sequence[str] | None, options: IngestOptions) -> ShelvedRun:
    return ShelvedRun(
        connection,
        "default",
        options,
        lambda shelf: IngestRun(connection, shelf, FAKE, options, Silent(), parse=parse),
        None if readers is None else read_groups(readers),
    )


def _ingest(
    database: Database, folder: Path, readers: Sequence[str] | None = None, *, prune: bool = False
) -> Report:
    open_collection(database)
    options = IngestOptions(SMALL.chunk_tokens, SMALL.overlap, SMALL.window_tokens, prune=prune)
    with connect(database.app) as connection:
        run = _shelved(connection, readers, options)
        run.renew_terms()
        return run.execute([folder])


def _plan(database: Database, folder: Path, readers: Sequence[str] | None = None) -> ShelvedPlan:
    with connect(database.app) as connection:
        return _shelved(connection, readers, SMALL).plan([folder])


def _seen(database: Database, scope: Scope) -> dict[str, list[str]]:
    """Source → readers of all documents that a scope sees."""
    with connect(database.app) as app:
        see(app, scope)
        rows = app.execute(
            "SELECT d.source, coalesce(c.readers, '{}') FROM pgask.documents d"
            " JOIN pgask.collections c ON c.id = d.collection_id ORDER BY 1"
        ).fetchall()
    return dict(rows)


async def _change(database: Database, source: str, readers: Sequence[str], scope: Scope = DEFAULT) -> None:
    async with open_pool(database.app, size=1, statement_timeout_s=30, otherwise=DEFAULT) as pool:
        async with transaction(pool) as connection:
            found = await catalog.find_document(connection, "default", source)
        with working_for(scope):
            await write(
                pool,
                lambda connection: catalog.change_readers(connection, found, read_groups(readers)),
            )


def _rows_by_shelf(database: Database) -> dict[str, dict[int, int]]:
    """Table → rows by collection, of every table whose rows lie in one."""
    with connect(database.owner) as owner:
        found: dict[str, dict[int, int]] = {}
        for table, *_ in owner.execute(_OF_COLLECTION).fetchall():
            query = f"SELECT collection_id, count(*) FROM {table} GROUP BY 1"
            found[table] = dict(owner.execute(query.encode()).fetchall())
        counts = "SELECT id, chunk_count FROM pgask.collections WHERE chunk_count > 0"
        found["counted"] = dict(owner.execute(counts).fetchall())
        terms = "SELECT id, term_count FROM pgask.collections WHERE term_count > 0"
        found["terms"] = dict(owner.execute(terms).fetchall())
    return found


def test_each_scope_sees_what_its_groups_may_read(database: Database, tmp_path: Path) -> None:
    for name, readers in (("a", []), ("b", ["hr"]), ("c", ["board", "legal"]), ("d", ["hr", "board"])):
        _ingest(database, _write(tmp_path / name, {f"{name}.md": random_text(ord(name), 9)}), readers)
    everything = {"a.md": [], "b.md": ["hr"], "c.md": ["board", "legal"], "d.md": ["board", "hr"]}
    assert _seen(database, DEFAULT) == everything
    assert set(_seen(database, NONE)) == {"a.md"}
    assert set(_seen(database, HR)) == {"a.md", "b.md", "d.md"}
    assert set(_seen(database, BOARD)) == set(everything)
    for unknown in ("hR", "h", "hr ", "*", "{hr}", 'h"r,\\', "NULL", "pgask-admins"):
        assert set(_seen(database, Scope(1, groups=(unknown,)))) == {"a.md"}, unknown
    assert _seen(database, NOBODY) == {}
    assert _seen(database, Scope(2, groups=None)) == {}
    with connect(database.app) as app:  # whoever sets nothing is in no group
        app.execute("SELECT set_config('pgask.groups', '', false), set_config('pgask.tenant', '1', false)")
        assert app.execute("SELECT count(*) FROM pgask.documents").fetchone() == (1,)


def test_every_table_follows_and_without_the_policy_all_would_be_seen(
    database: Database, tmp_path: Path
) -> None:
    text = "---\nkind: secret\n---\n" + random_text(1, 40)
    _ingest(database, _write(tmp_path, {"secret.md": text}), ["hr"])
    tables = [table for table in _rows_by_shelf(database) if "." in table]

    def counts(scope: Scope) -> dict[str, int]:
        with connect(database.app) as app:
            see(app, scope)
            rows = (
                (table, app.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()) for table in tables
            )
            return {table: row[0] for table, row in rows if row is not None}

    filled = {table for table, count in counts(HR).items() if count}
    assert {"pgask.chunks", "pgask.postings", "pgask.document_texts", "pgask.document_facts"} <= filled
    assert {"pgask_vectors.chunk_vectors_1", "pgask_vectors.window_vectors_1"} <= filled
    assert set(counts(NONE).values()) == {0}
    with connect(database.owner) as owner:
        owner.execute("ALTER POLICY tenant ON pgask.collections USING (tenant_id = pgask.current_tenant())")
    assert {table for table, count in counts(NONE).items() if count} == filled


def test_what_is_hidden_can_t_be_written_or_stood_in_the_way_of(database: Database, tmp_path: Path) -> None:
    _ingest(database, _write(tmp_path, {"secret.md": random_text(1, 9)}), ["hr"])
    with connect(database.app) as app:
        row = app.execute("SELECT id, collection_id FROM pgask.documents").fetchone()
        assert row is not None
        see(app, NONE)
        assert app.execute("DELETE FROM pgask.documents").rowcount == 0
        assert (
            app.execute("UPDATE pgask.collections SET readers = NULL WHERE id = %s", [row[1]]).rowcount == 0
        )
        for statement, values in (
            (
                "INSERT INTO pgask.documents (collection_id, source, status) VALUES (%s, 'x', 'ready')",
                [row[1]],
            ),
            (
                "INSERT INTO pgask.collections (name, space_id, lexicon_version, readers)"
                " SELECT name, space_id, lexicon_version, '{board}' FROM pgask.collections",
                [],
            ),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement.encode(), values)
        see(app, NONE)
        app.execute("SELECT pgask.move_document(%s, %s)", [row[0], row[1]])
    with working_for(NONE):  # the same name, and the same text: neither tells of the other one
        other = _ingest(database, _write(tmp_path / "more", {"secret.md": random_text(1, 9)}))
    assert (other.new, other.duplicates) == (1, [])
    assert _seen(database, NONE) == {"secret.md": []}


async def test_other_readers_take_every_row_along_and_no_vector_is_made_anew(
    database: Database, tmp_path: Path
) -> None:
    files = {"a.md": "---\nkind: a\n---\n" + random_text(1, 60), "b.md": random_text(2, 60)}
    _ingest(database, _write(tmp_path, files))
    before = _rows_by_shelf(database)

    def stored() -> Any:
        with connect(database.owner) as owner:
            return owner.execute(
                "SELECT k.id, v.embedding::text, (SELECT string_agg(w.embedding::text, ' ' ORDER BY w.window_index)"
                " FROM pgask_vectors.window_vectors_1 w WHERE w.document_id = k.document_id)"
                " FROM pgask.chunks k JOIN pgask_vectors.chunk_vectors_1 v ON v.chunk_id = k.id ORDER BY 1"
            ).fetchall()

    vectors = stored()
    await _change(database, "a.md", ["hr"])
    after = _rows_by_shelf(database)
    for table, rows in before.items():
        assert sum(rows.values()) == sum(after[table].values()), table
        if sum(rows.values()) > 1 and table != "pgask.background_windows":
            assert len(after[table]) == len(rows) + 1, table
    assert stored() == vectors
    assert _seen(database, NONE) == {"b.md": []}
    assert _seen(database, HR) == {"a.md": ["hr"], "b.md": []}
    await _change(database, "a.md", [])
    assert {table: rows for table, rows in _rows_by_shelf(database).items() if rows} == {
        table: rows for table, rows in before.items() if rows
    }
    assert stored() == vectors


async def test_a_change_of_readers_that_would_hide_less_than_it_says_is_refused(
    database: Database, tmp_path: Path
) -> None:
    text = random_text(1, 20)
    _ingest(database, _write(tmp_path / "one", {"a.md": text, "b.md": text}))
    with pytest.raises(InvalidRequestError) as refused:
        await _change(database, "b.md", ["hr"])
    assert refused.value.code == "is_duplicate"
    await _change(database, "a.md", ["board"])  # what was left out for its sake does not name it any more
    with connect(database.app) as connection:
        row = connection.execute(
            "SELECT duplicate_of, reason_detail FROM pgask.documents WHERE source = 'b.md'"
        )
        assert row.fetchone() == (None, None)
    await _change(database, "a.md", [])
    _ingest(database, _write(tmp_path / "two", {"c.md": random_text(2, 9)}), ["hr"])
    with connect(database.app) as connection:
        connection.execute("UPDATE pgask.documents SET source = 'a.md' WHERE source = 'c.md'")
    with pytest.raises(InvalidRequestError) as taken:
        await _change(database, "a.md", ["hr"])
    assert taken.value.code == "duplicate_source"


def test_there_is_a_most_of_sets_of_groups(database: Database) -> None:
    space_id = open_collection(database).space_id
    with connect(database.app) as connection:
        connection.execute(
            "INSERT INTO pgask.collections (name, space_id, lexicon_version, readers)"
            " SELECT 'default', space_id, lexicon_version, ARRAY['g' || n] FROM pgask.collections,"
            " generate_series(1, %s) n",
            [MOST_SHELVES],
        )
        ensure_shelf(connection, "default", space_id, ("g7",))
        with pytest.raises(InvalidRequestError) as refused:
            ensure_shelf(connection, "default", space_id, ("another",))
    assert refused.value.code == "too_many_shelves"


# Of a .pgask.toml: not TOML, another key, one more key, no list, names that are none, nothing, no UTF-8
_WRONG = ("readers = ['hr'", "reader = ['hr']", "readers = ['hr']\nmode = 1", "readers = 'hr'", "readers = ['']",
          "readers = ['a,b']", "readers = [1]", "", "\udc80", "readers = " + "[" * 20_000)  # fmt: skip


class TestFolders:
    def test_the_nearest_file_says_who_reads(self, database: Database, tmp_path: Path) -> None:
        folder = _write(
            tmp_path / "docs",
            {
                ".pgask.toml": 'readers = ["staff"]',
                "a.md": random_text(1, 9),
                "hr/.pgask.toml": '# of people\nreaders = ["hr", " board"]\n',
                "hr/deep/b.md": random_text(2, 9),
                "open/.pgask.toml": "readers = []",
                "open/c.md": random_text(3, 9),
            },
        )
        wanted = {"a.md": ["staff"], "hr/deep/b.md": ["board", "hr"], "open/c.md": []}
        assert _ingest(database, folder, ["ignored"]).new == 3
        assert _seen(database, DEFAULT) == wanted
        again = _ingest(database, folder)
        assert (again.unchanged, again.readers_changed, again.failed) == (3, 0, [])
        _ingest(database, folder / "hr")  # a folder given by itself: what is said above it holds, too
        _ingest(database, folder / "hr/deep/b.md")
        assert _seen(database, DEFAULT) == wanted

    def test_a_changed_file_moves_documents_and_embeds_nothing(
        self, database: Database, tmp_path: Path
    ) -> None:
        folder = _write(tmp_path / "docs", {"a.md": random_text(1, 30), "b/c.md": random_text(2, 30)})
        _ingest(database, folder)
        _write(folder, {"b/.pgask.toml": 'readers = ["hr"]'})
        planned = _plan(database, folder)
        assert [(one.source, one.old, one.new) for one in planned.changes] == [("b/c.md", (), ("hr",))]
        assert (planned.plan.new, planned.plan.unchanged) == ((), ("a.md", "b/c.md"))
        report = _ingest(database, folder, prune=True)
        assert (report.readers_changed, report.unchanged, report.removed, report.tokens) == (1, 2, 0, 0)
        assert _seen(database, NONE) == {"a.md": []}
        (folder / "b/.pgask.toml").unlink()  # nobody says that all may read it now
        _ingest(database, folder)
        assert _seen(database, DEFAULT)["b/c.md"] == ["hr"]
        assert _ingest(database, folder, []).readers_changed == 1
        assert set(_seen(database, NONE)) == {"a.md", "b/c.md"}

    def test_one_that_says_nothing_that_holds_keeps_documents_for_admins(
        self, database: Database, tmp_path: Path
    ) -> None:
        folder = _write(tmp_path / "docs", {"a.md": random_text(1, 9), "x/b.md": random_text(2, 9)})
        told = folder / "x/.pgask.toml"
        for wrong in _WRONG:
            told.write_text("readers = []", "utf-8")
            assert _ingest(database, folder).failed == []
            assert set(_seen(database, NONE)) == {"a.md", "x/b.md"}
            told.write_bytes(os.fsencode(wrong))
            (failure,) = _ingest(database, folder).failed
            assert (failure.code, failure.source) == ("bad_readers", str(told)), wrong
            assert set(_seen(database, BOARD)) == {"a.md"}, wrong
            assert _seen(database, DEFAULT)["x/b.md"] == ["pgask-admins"]

    def test_a_renamed_file_and_a_new_version_keep_their_readers(
        self, database: Database, tmp_path: Path
    ) -> None:
        folder = _write(tmp_path / "docs", {"a.md": random_text(1, 20), "b.md": random_text(2, 20)})
        _ingest(database, folder / "a.md", ["hr"])
        _ingest(database, folder)
        assert _seen(database, NONE) == {"b.md": []}
        (folder / "a.md").rename(folder / "z.md")
        assert _ingest(database, folder).renamed == 1
        assert _seen(database, NONE) == {"b.md": []}
        _write(folder, {"z.md": random_text(3, 20)})
        assert _ingest(database, folder).changed == 1
        assert _seen(database, NONE) == {"b.md": []}
        (folder / "z.md").unlink()
        assert _ingest(database, folder, prune=True).removed == 1
        assert _seen(database, DEFAULT) == {"b.md": []}

    def test_a_document_whose_readers_change_while_a_run_goes_on_is_not_stored_for_all(
        self, database: Database, tmp_path: Path
    ) -> None:
        """A run's plan may be hours old: what was moved since then stays where it is."""
        folder = _write(tmp_path / "docs", {"a.md": random_text(1, 20)})
        _ingest(database, folder)
        _write(folder, {"a.md": random_text(2, 20)})
        with connect(database.app) as connection:
            main = list_shelves(connection, "default")[0].collection
            run = IngestRun(connection, main, FAKE, SMALL, Silent(), parse=parse)
            plan = run.plan([folder])
            with connect(database.app) as other:
                shelf = ensure_shelf(other, "default", main.space_id, ("hr",))
                other.execute("SELECT pgask.move_document(id, %s) FROM pgask.documents", [shelf.id])
            report = run.execute(plan)
        assert [failure.code for failure in report.failed] == ["other_readers"]
        assert _seen(database, NONE) == {}
        assert _seen(database, DEFAULT) == {"a.md": ["hr"]}


async def test_a_second_space_keeps_readers_and_notices_that_they_change(
    database: Database, tmp_path: Path
) -> None:
    _ingest(database, _write(tmp_path / "open", {"a.md": random_text(1, 20)}))
    _ingest(database, _write(tmp_path / "kept", {"b.md": random_text(2, 20)}), ["hr"])
    space_id = add(database)
    assert _seen(database, NONE) == {"a.md": []}
    await _change(database, "a.md", ["hr"])
    assert _seen(database, NONE) == {}  # nor in its twin
    assert add(database) == space_id
    assert go_to(database, space_id)
    assert set(_seen(database, NONE)) == set()
    with connect(database.app) as app:
        see(app, HR)
        found = app.execute(
            "SELECT d.source, c.space_id FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id"
            " WHERE c.name = 'default' ORDER BY 1"
        ).fetchall()
    assert found == [("a.md", space_id), ("b.md", space_id)]


async def test_a_schema_without_readers_is_refused_where_there_are_some(
    database: Database, tmp_path: Path
) -> None:
    _ingest(database, _write(tmp_path, {"a.md": random_text(1, 9)}), ["hr"])
    with pytest.raises(RuntimeError, match="all read them"):
        downgrade(database, "0018")
    await _change(database, "a.md", [])
    downgrade(database, "0018")


@pytest.fixture
def elsewhere(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A second database."""
    name = f"elsewhere{os.getpid()}_test"
    urls = postgres.create_database(name, template=TEMPLATE)
    yield Database(owner=urls.owner, app=urls.app)
    postgres.drop_database(name)


@pytest.mark.parametrize("dimension", [64, 16], ids=["the same model", "another model"])
async def test_an_exported_collection_keeps_its_readers(
    database: Database, elsewhere: Database, tmp_path: Path, dimension: int
) -> None:
    text = random_text(5, 30)
    _ingest(database, _write(tmp_path / "open", {"a.md": random_text(1, 30), "b.md": text, "c.md": text}))
    _ingest(database, _write(tmp_path / "kept", {"d.md": random_text(2, 30), "e.md": text}), ["hr"])
    stream = io.BytesIO()
    with connect(database.app) as connection:
        told = export_collection(connection, "default", stream)
    assert told["documents"] == 5
    header = json.loads(gzip.decompress(stream.getvalue()).split(b"\n", 1)[0])
    assert (header["version"], header["documents"]) == (
        2,
        5,
    )  # no older version takes it for one that all may read
    embedder = FakeEmbedder(dimension=dimension)
    with connect(elsewhere.owner) as owner:
        space_id = ensure_space(owner, embedder.space)
    for killed in (True, False):
        stream.seek(0)

        def stop(done: int, _of: int, *, killed: bool = killed) -> None:
            if killed and done == 4:
                assert set(_seen(elsewhere, NONE)) == {"a.md", "b.md", "c.md"} & set(
                    _seen(elsewhere, DEFAULT)
                )
                raise ZeroDivisionError

        with connect(elsewhere.app) as connection, contextlib.suppress(ZeroDivisionError):
            imported = import_collection(
                connection, stream, None, space_id, embedder, options=SMALL, progress=stop
            )
    assert (imported.documents, imported.resumed) == (5, 4)
    assert _seen(elsewhere, DEFAULT) == _seen(database, DEFAULT)
    assert set(_seen(elsewhere, NONE)) == {"a.md", "b.md", "c.md"}
    rows = _rows_by_shelf(elsewhere)
    assert rows["counted"] == rows["pgask.chunks"]
    with connect(elsewhere.app) as connection:
        kept = connection.execute(
            "SELECT d.source, k.source FROM pgask.documents d JOIN pgask.documents k ON k.id = d.duplicate_of"
        ).fetchall()
    assert kept == [("c.md", "b.md")]  # e.md has the same text, for others: it is no duplicate


def test_a_plan_reads_what_is_stored_once(database: Database, tmp_path: Path) -> None:
    """It read every document of the collection twice, also for a folder of which one file changed."""
    folder = _write(tmp_path, {f"{number}.md": random_text(number, 3) for number in range(9)})
    _ingest(database, folder)
    read = (
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
        " WHERE relid = 'pgask.documents'::regclass"
    )

    def rows(connection: Connection) -> int:
        found = connection.execute(read).fetchone()
        assert found is not None
        return int(found[0])

    with connect(database.app, autocommit=False) as connection:
        (shelf,) = list_shelves(connection, "default")
        before = rows(connection)
        assert len(known_documents(connection, shelf.collection)) == 9
        once = rows(connection) - before
        plan = _shelved(
            connection, None, IngestOptions(SMALL.chunk_tokens, SMALL.overlap, SMALL.window_tokens)
        ).plan([folder])
        assert len(plan.plan.unchanged) == 9
        assert rows(connection) - before - once == once >= 9
