"""The nearest chunks of many questions by one pass: the same as by a search for each, within the caller's rows."""

from __future__ import annotations

import numpy as np
import pytest
from psycopg import sql

from app.embedding import FloatMatrix
from app.index import exact
from app.index.exact import find_nearest
from app.index.manifest import read_state
from app.index.recall import sample_truth
from app.store.connection import Connection, Database, connect, see
from app.store.spaces import Collection, chunk_table
from app.store.tenancy import NOBODY
from tests.integration.ingesting import open_collection
from tests.integration.vectors import DIMENSION, add_rows, clustered

pytestmark = pytest.mark.integration

ROWS = 1_500


@pytest.fixture
def filled(database: Database) -> Collection:
    """Rows of which some are alike, so that distances tie."""
    collection = open_collection(database)
    vectors = clustered(np.random.default_rng(2), ROWS)
    vectors[ROWS // 2 :: 7] = vectors[0]
    with connect(database.app) as app, connect(database.owner) as owner:
        add_rows(app, collection, vectors, "rows.txt")
        owner.execute(sql.SQL("VACUUM (ANALYZE) {}").format(chunk_table(collection.space_id)))
    return collection


def one_by_one(connection: Connection, space_id: int, questions: FloatMatrix) -> list[list[float]]:
    statement = sql.SQL(
        "SELECT distance FROM (SELECT v.embedding <=> %s AS distance FROM {} v OFFSET 0) e ORDER BY 1 LIMIT 10"
    ).format(chunk_table(space_id))
    return [
        [row[0] for row in connection.execute(statement, [question]).fetchall()] for question in questions
    ]


def scans(connection: Connection, space_id: int) -> int:
    """Whole scans of the vectors so far."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    row = connection.execute(
        "SELECT seq_scan FROM pg_stat_user_tables WHERE relid = %s::regclass",
        [chunk_table(space_id).as_string(connection)],
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("block_bytes", [1, 100_000, 1 << 24])
def test_f_1309_one_pass_finds_what_a_search_for_each_question_does(
    database: Database, filled: Collection, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "_BLOCK_BYTES", block_bytes)
    questions = np.vstack(
        [clustered(np.random.default_rng(4), 30), 3 * clustered(np.random.default_rng(2), 1)]
    )
    with connect(database.owner) as owner:
        before = scans(owner, filled.space_id)
        found = find_nearest(owner, filled.space_id, questions, 10)
        assert scans(owner, filled.space_id) == before + 1
        assert [distances.tolist() for distances in found] == one_by_one(owner, filled.space_id, questions)


def test_f_1309_recall_is_not_measured_by_a_scan_a_question(database: Database, filled: Collection) -> None:
    with connect(database.owner) as owner:
        before = scans(owner, filled.space_id)
        truth = sample_truth(owner, read_state(owner, filled.space_id))
        assert (len(truth.questions), len(truth.nearest)) == (200, 200)
        assert all(len(distances) == 10 for distances in truth.nearest)
        assert scans(owner, filled.space_id) - before == 1 + len(truth.elapsed_ms) <= 11


def test_few_rows_none_and_none_that_may_be_seen(database: Database) -> None:
    collection = open_collection(database)
    question = clustered(np.random.default_rng(1), 1)
    with connect(database.app) as app:
        assert [len(one) for one in find_nearest(app, collection.space_id, question, 10)] == [0]
        add_rows(app, collection, clustered(np.random.default_rng(2), 3), "few.txt")
        found = find_nearest(app, collection.space_id, question, 10)
        assert [one.tolist() for one in found] == one_by_one(app, collection.space_id, question)
        assert len(found[0]) == 3
        assert find_nearest(app, collection.space_id, np.zeros((0, DIMENSION), np.float32), 10) == []
        see(app, NOBODY)
        assert [len(one) for one in find_nearest(app, collection.space_id, question, 10)] == [0]
