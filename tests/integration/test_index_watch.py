"""The running service looks after its indexes by itself, and measures them with what people asked."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest
from fastapi.testclient import TestClient

from app.index import build as index_build
from app.index import maintenance
from app.index.manifest import IndexSettings, read_state
from app.index.recall import sample_truth
from app.index.watch import IndexWatch
from app.main import create_app
from app.store.connection import Connection, Database, connect
from app.store.connection_pool import open_pool
from app.store.questions import QuestionVectors
from app.store.spaces import Collection
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.ingesting import FAKE, open_collection
from tests.integration.processes import wait_until
from tests.integration.vectors import add_rows, clustered

pytestmark = pytest.mark.integration

ROWS = 1_200
SETTINGS = IndexSettings(min_rows=1_000, target_recall=0.9)


@pytest.fixture
def collection(database: Database) -> Collection:
    made = open_collection(database)
    with connect(database.app) as app:
        add_rows(app, made, clustered(np.random.default_rng(1), ROWS), "yesterday.txt")
    return made


def grow_tenfold(database: Database, collection: Collection) -> None:
    with connect(database.app) as app:
        for part in range(3):
            rows = clustered(np.random.default_rng(2 + part), 3 * ROWS)
            add_rows(app, collection, rows, f"today-{part}.txt")


def kept_questions(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM pgask.question_vectors").fetchone()
    assert row is not None
    return int(row[0])


def gauges(client: TestClient) -> dict[str, float]:
    lines = [
        line.split() for line in client.get("/metrics").text.splitlines() if line.startswith("pgask_index_")
    ]
    return {name.partition("{")[0].removeprefix("pgask_index_"): float(value) for name, value in lines}


def is_right(shown: dict[str, float]) -> bool:
    """Whether the index has about √12,000 = 110 lists: it may have been built while the rows came in, at half of them
    or more."""
    return (
        shown["rows"] == 10 * ROWS
        and 1 / maintenance.REGROWN < (shown["lists"] / 110) ** 2 < maintenance.REGROWN
    )


@pytest.mark.long
def test_a_service_whose_collection_grows_tenfold_has_a_right_index_by_itself(
    database: Database, collection: Collection
) -> None:
    settings = settings_for(index_min_rows=1_000, index_target_recall=0.9, index_check_minutes=0.005)
    with (
        TestClient(create_app(settings, database, FAKE), base_url=BASE_URL) as client,
        connect(database.owner) as owner,
    ):
        wait_until(lambda: gauges(client).get("recall") is not None)
        first = gauges(client)
        assert (first["rows"], first["lists"], first["recall_target"]) == (ROWS, 24, 0.9)
        grow_tenfold(database, collection)
        wait_until(lambda: is_right(gauges(client)))
        shown, report = gauges(client), maintenance.report(owner, collection.space_id)
        assert report.recall is not None
        assert report.recall >= 0.9
        assert (shown["rows"], shown["lists"]) == (10 * ROWS, report.lists)
        assert shown["recall"] == report.recall
        assert {"p50_seconds", "p95_seconds", "size_bytes", "build_age_seconds", "drift", "fault"} <= set(
            shown
        )
        assert abs(shown["last_look_timestamp_seconds"] - time.time()) < 30
        assert client.post("/search", json={"question": "lists and probes"}).status_code == 200
    with connect(database.owner) as owner:  # written when the service ended, if not before
        assert kept_questions(owner) == 1


def test_only_one_process_looks_after_them(database: Database, collection: Collection) -> None:
    watch = IndexWatch(database, SETTINGS, every_s=60)
    with psycopg.connect(database.owner, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('pgask.upkeep'))")
        watch.look()
        assert replace(watch.reports()[collection.space_id], backgrounds=()) == maintenance.IndexReport(
            rows=ROWS
        )
        other.execute("SELECT pg_advisory_unlock_all()")
        watch.look()
        assert watch.reports()[collection.space_id].lists == 24


def test_a_role_that_owns_nothing_reads_alone(database: Database, collection: Collection) -> None:
    watch = IndexWatch(Database(owner=database.app, app=database.app), SETTINGS, every_s=60)
    watch.look()
    watch.look()
    assert replace(watch.reports()[collection.space_id], backgrounds=()) == maintenance.IndexReport(rows=ROWS)


def test_it_stops_in_the_middle_of_a_build_and_the_next_one_clears_up(
    database: Database, collection: Collection
) -> None:
    watch = IndexWatch(database, SETTINGS, every_s=60)
    with psycopg.connect(database.app) as writer, connect(database.owner) as owner:
        # a transaction that has written holds the build up
        writer.execute(
            b"SELECT pg_advisory_lock(1); DELETE FROM pgask_vectors.chunk_vectors_1 WHERE chunk_id = -5"
        )
        looking = threading.Thread(target=watch.start)
        looking.start()
        looking.join()
        wait_until(lambda: watch._connection is not None and _building(owner))
        watch.stop()
        assert not watch._thread.is_alive()
        assert read_state(owner, collection.space_id).index is None
        writer.rollback()
        assert maintenance.maintain(owner, collection.space_id, SETTINGS) is not None
        names = owner.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        ).fetchall()
        assert names == []


def _building(connection: Connection) -> bool:
    return connection.execute("SELECT count(*) FROM pg_stat_progress_create_index").fetchone() == (1,)


def test_it_does_not_wait_for_a_build_elsewhere(database: Database, collection: Collection) -> None:
    with connect(database.owner) as builder, connect(database.owner) as owner:
        with index_build.build_lock(builder, collection.space_id):
            assert maintenance.maintain(owner, collection.space_id, SETTINGS, wait=False) is None
        assert maintenance.maintain(owner, collection.space_id, SETTINGS, wait=False) is not None


async def test_the_newest_distinct_questions_are_kept_and_asked_first(
    database: Database, collection: Collection
) -> None:
    asked = clustered(np.random.default_rng(5), 12)
    async with open_pool(database.app, size=1, statement_timeout_s=5) as pool:
        questions = QuestionVectors(pool, keep=8)
        for number in (*range(6), *range(6)):  # each twice
            questions.note(collection.space_id, asked[number])
        await questions.write()
        with connect(database.owner) as owner:
            assert kept_questions(owner) == 6
            for number in range(6, 12):
                questions.note(collection.space_id, asked[number])
                await questions.write()
            assert kept_questions(owner) == 8
            truth = sample_truth(owner, read_state(owner, collection.space_id))
            assert (len(truth.questions), truth.stored) == (200, 8)
            newest = {vector.tobytes() for vector in asked[4:]}
            assert {vector.tobytes() for vector in truth.questions[:6]} <= newest
            questions.note(999, asked[0])  # a space that is gone
            await questions.write()
            assert kept_questions(owner) == 8
        await QuestionVectors(pool, keep=0).write()
        with connect(database.owner) as owner:
            assert kept_questions(owner) == 0


async def test_questions_wait_for_a_database_that_is_away_without_growing(database: Database) -> None:
    settings: dict[str, Any] = {"size": 1, "statement_timeout_s": 5}
    async with open_pool(database.app, **settings) as pool:
        questions = QuestionVectors(pool, keep=500)
        for vector in clustered(np.random.default_rng(6), 300):
            questions.note(1, vector)
        assert len(questions._waiting) == 200
