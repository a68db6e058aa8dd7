"""An index that is gone, broken or somebody else's is noticed, told and mended; what looks after it goes on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb
from structlog.testing import capture_logs

from app.cli.index_table import describe
from app.index import maintenance
from app.index.manifest import IndexSettings, count_changes, new_rows_statement, read_state
from app.index.watch import IndexWatch
from app.search.plan import SearchMemory, read_collections
from app.search.ranking import RankingSettings
from app.store.connection import Connection, Database, connect, transaction
from app.store.connection_pool import open_pool
from app.store.sources import remove_documents
from app.store.spaces import Collection, chunk_table
from tests.integration.ingesting import FAKE, open_collection
from tests.integration.processes import wait_until
from tests.integration.searching import search_pool
from tests.integration.vectors import add_rows, clustered

pytestmark = pytest.mark.integration

ROWS = 500
SETTINGS = IndexSettings(min_rows=ROWS, target_recall=0.8)
RANKING = RankingSettings(exact_max_rows=100)


@pytest.fixture
def collection(database: Database) -> Collection:
    """A collection of 500 chunks whose index is build 1."""
    made = open_collection(database)
    with connect(database.app) as app, connect(database.owner) as owner:
        add_rows(app, made, clustered(np.random.default_rng(1), ROWS), "rows.txt")
        assert maintenance.maintain(owner, made.space_id, SETTINGS) is not None
    return made


def test_f_1312_changed_rows_are_counted_without_a_look_at_those_that_stayed(
    database: Database, collection: Collection
) -> None:
    with connect(database.app) as app, connect(database.owner) as owner:
        latest = read_state(owner, collection.space_id).latest
        assert latest is not None
        add_rows(app, collection, clustered(np.random.default_rng(5), 7), "new.txt")
        remove_documents(app, collection, ["rows.txt"])
        assert count_changes(owner, collection.space_id, latest) == ROWS + 7
        add_rows(app, collection, clustered(np.random.default_rng(1), ROWS), "again.txt")
        owner.execute(sql.SQL("VACUUM (ANALYZE) {}").format(chunk_table(collection.space_id)))
        last = latest.last_chunk_id + ROWS  # as if all but 7 had been measured
        plan = owner.execute(
            sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) {}").format(new_rows_statement(collection.space_id)),
            [last],
        ).fetchone()
        assert plan is not None
        scan = plan[0][0]["Plan"]["Plans"][0]
        assert (scan["Node Type"], scan["Actual Rows"]) == ("Index Only Scan", 7)


def test_f_1312_nobody_waits_for_a_large_vacuum_nor_a_job_for_a_large_index(
    database: Database, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_LEAST_PAGES", 1)
    monkeypatch.setattr(maintenance, "_WAITED_FOR_PAGES", 1)
    with connect(database.app) as app, connect(database.owner) as owner:
        add_rows(app, collection, clustered(np.random.default_rng(5), 2 * ROWS), "more.txt")

        def visible() -> int:
            row = owner.execute(
                "SELECT relallvisible FROM pg_class WHERE oid = %s::regclass",
                [chunk_table(collection.space_id).as_string(owner)],
            ).fetchone()
            assert row is not None
            return int(row[0])

        before = visible(), names(owner)
        maintenance.maintain(owner, collection.space_id, SETTINGS, wait=False, most_rows=2 * ROWS)
        assert (visible(), names(owner)) == before
        maintenance.maintain(owner, collection.space_id, IndexSettings(min_rows=10 * ROWS))
        assert visible() == before[0]

        def seen_after_a_look() -> bool:
            assert (
                maintenance.maintain(owner, collection.space_id, SETTINGS, wait=False) is not None
                or visible()
            )
            return visible() > before[0]

        wait_until(seen_after_a_look)
        assert names(owner) != before[1]
        settings = "SELECT current_setting('statement_timeout'), current_setting('vacuum_cost_delay')"
        assert owner.execute(settings).fetchone() == ("0", "0")


def test_f_1312_a_vacuum_that_takes_too_long_is_cut_short(
    database: Database, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else the look has to do is done."""
    monkeypatch.setattr(maintenance, "_LEAST_PAGES", 1)
    monkeypatch.setattr(maintenance, "_VISIBLE", 2)
    monkeypatch.setattr(
        maintenance,
        "_PACE",
        {"vacuum_cost_delay": "100ms", "vacuum_cost_limit": "1", "statement_timeout": "50ms"},
    )
    with connect(database.owner) as owner, capture_logs() as logs:
        maintenance.maintain(owner, collection.space_id, replace(SETTINGS, method="hnsw"), wait=False)
        assert any("cut short" in one["event"] for one in logs)
        assert names(owner) == [(f"vectors_{collection.space_id}_2", True)]


def names(connection: Connection) -> list[tuple[str, bool]]:
    """Names of the vector indexes, and whether each is valid."""
    return connection.execute(
        "SELECT c.relname::text, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_am a ON a.oid = c.relam WHERE a.amname IN ('ivfflat', 'hnsw') ORDER BY 1"
    ).fetchall()


def hurt(owner: Connection, collection: Collection, fault: str, app_url: str) -> None:
    """Do to the index what people, restores and killed commands do."""
    index = sql.Identifier(f"vectors_{collection.space_id}_1")
    owner.execute(sql.SQL("DROP INDEX pgask_vectors.{}").format(index))
    made = sql.SQL(
        "CREATE INDEX CONCURRENTLY {} ON {} USING ivfflat (embedding vector_cosine_ops)"
        " WITH (lists = 10) WHERE chunk_id <> {}"
    )
    table = chunk_table(collection.space_id)
    if fault == "other_options":
        owner.execute(made.format(index, table, sql.Literal(-7)))
    if fault == "invalid":
        with psycopg.connect(app_url) as writer:
            writer.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(table))
            owner.execute("SET statement_timeout = '100ms'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                owner.execute(made.format(index, table, sql.Literal(-1)))
            owner.execute("RESET statement_timeout")


@pytest.mark.parametrize("fault", ["missing", "invalid", "other_options"])
async def test_f_301_an_index_that_is_gone_is_noticed_and_built_anew(
    database: Database, collection: Collection, fault: str
) -> None:
    space_id = collection.space_id
    vector, memory = clustered(np.random.default_rng(3), 1)[0], SearchMemory()
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool:
        search = partial(search_pool, pool, vector, ["text"], settings=RANKING, memory=memory)
        before = await search()
        assert before.plan.index is not None
        with connect(database.owner) as owner:
            hurt(owner, collection, fault, database.app)
            report = maintenance.report(owner, space_id)
            assert (report.fault, report.method, report.recall) == (fault, None, None)
            shown = describe(maintenance.list_spaces(owner)[0], report)["search"]
            assert shown.startswith("exact: the index ")
            assert "pgask index rebuild" in shown
            with capture_logs() as logs:
                meanwhile = await search()
                async with transaction(pool) as reader:
                    assert (await read_collections(reader, "default", FAKE.space)).index is None
            assert [(one["fault"], one["log_level"]) for one in logs] == [(fault, "warning")]  # once
            assert meanwhile.plan.index is None
            assert len(meanwhile.chunks) == len(before.chunks)
            mended = maintenance.maintain(owner, space_id, SETTINGS)
            assert mended is not None
            assert (mended.fault, mended.method) == (None, "ivfflat")
            assert names(owner) == [(f"vectors_{space_id}_2", True)]
            assert maintenance.maintain(owner, space_id, SETTINGS) is None
        after = await search()
        assert after.plan.index is not None
        assert after.plan.index.build == 2


def test_f_301_the_manifest_forgets_an_index_that_is_not_due_any_more(
    database: Database, collection: Collection
) -> None:
    with connect(database.owner) as owner:
        hurt(owner, collection, "other_options", database.app)
        report = maintenance.maintain(owner, collection.space_id, IndexSettings(min_rows=2 * ROWS))
        assert report is not None
        assert replace(report, backgrounds=()) == maintenance.IndexReport(rows=ROWS)
        assert names(owner) == []
        manifest = owner.execute("SELECT index_method, index_build FROM pgask.embedding_spaces").fetchall()
        assert manifest == [(None, 1)]


def test_f_302_an_index_that_somebody_else_made_is_left_alone(
    database: Database, collection: Collection
) -> None:
    with connect(database.owner) as owner:
        for own in ("my_own", "vectors_mine", f"vectors_{collection.space_id}_1_old"):
            owner.execute(
                sql.SQL(
                    "CREATE INDEX {} ON {} USING ivfflat (embedding vector_ip_ops) WITH (lists = 1)"
                ).format(sql.Identifier(own), chunk_table(collection.space_id))
            )
        maintenance.maintain(owner, collection.space_id, SETTINGS)
        maintenance.rebuild(owner, collection.space_id, SETTINGS)
        assert [name for name, _ in names(owner)] == [
            *("my_own", f"vectors_{collection.space_id}_1_old", f"vectors_{collection.space_id}_2"),
            "vectors_mine",
        ]


def test_f_303_the_watch_goes_on_after_anything_and_shows_that_it_is_late(
    database: Database, collection: Collection
) -> None:
    def write_report(report: Any) -> None:
        with connect(database.owner) as owner:
            owner.execute("UPDATE pgask.embedding_spaces SET index_report = %s", [Jsonb(report)])

    with connect(database.owner) as owner:
        good = owner.execute("SELECT index_report FROM pgask.embedding_spaces").fetchall()[0][0]
    write_report(["nobody foresaw this"])
    watch = IndexWatch(database, SETTINGS, every_s=0.05, first_after_s=0)
    started = watch.last_look()
    with capture_logs() as logs:
        watch.start()
        try:
            wait_until(lambda: len(logs) >= 4)  # of the space and of the whole, twice
            assert (watch.last_look(), watch.reports()) == (started, {})
            assert any(isinstance(one.get("exc_info"), AttributeError) for one in logs)
            write_report(good)
            wait_until(lambda: watch.last_look() > started)
            assert watch.reports()[collection.space_id].method == "ivfflat"
        finally:
            watch.stop()
