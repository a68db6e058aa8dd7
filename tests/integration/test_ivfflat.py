"""The vector index: when it is built, how good it is, and that searching goes on while it is."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from app.domain import SearchFilter
from app.embedding import FloatMatrix
from app.errors import StoreError
from app.store import ivfflat
from app.store.documents import remove_documents
from app.store.engine import Connection, Database, connect, open_pool, transaction
from app.store.search import find_candidates, plan_search
from app.store.spaces import Collection, chunk_table, window_table
from tests.integration.ingesting import FAKE, open_collection
from tests.integration.processes import wait_until

pytestmark = pytest.mark.integration

ROWS = 3_000
DIMENSION = FAKE.space.dimension


def clustered(rng: np.random.Generator, count: int, clusters: int = 40) -> FloatMatrix:
    """Unit vectors around common centres, as those of texts are."""
    centres = np.random.default_rng(1).standard_normal((clusters, DIMENSION))
    vectors = centres[rng.integers(clusters, size=count)] + 0.7 * rng.standard_normal((count, DIMENSION))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def add_rows(connection: Connection, collection: Collection, vectors: FloatMatrix, source: str) -> None:
    """One document with a chunk for each vector, its only window near it."""
    row = connection.execute(
        "INSERT INTO pgask.documents (collection_id, source, status, text, chunk_count)"
        " VALUES (%s, %s, 'ready', 'text', %s) RETURNING id",
        [collection.id, source, len(vectors)],
    ).fetchone()
    assert row is not None
    ids = [
        found[0]
        for found in connection.execute(
            "INSERT INTO pgask.chunks (document_id, collection_id, chunk_index, char_start, char_end, token_count,"
            " term_count, places, sentences, window_start, window_end)"
            " SELECT %s, %s, i, 0, 4, 1, 1, '[]', '{}', i, i + 1 FROM generate_series(0, %s) i RETURNING id",
            [row[0], collection.id, len(vectors) - 1],
        )
    ]
    rng = np.random.default_rng(len(vectors))
    with connection.cursor() as cursor:
        copy_chunks = sql.SQL("COPY {} (chunk_id, collection_id, document_id, embedding) FROM STDIN").format(
            chunk_table(collection.space_id)
        )
        with cursor.copy(copy_chunks) as copy:
            for chunk_id, vector in zip(ids, vectors, strict=True):
                copy.write_row((chunk_id, collection.id, row[0], vector))
        copy_windows = sql.SQL(
            "COPY {} (document_id, window_index, char_start, char_end, embedding) FROM STDIN"
        ).format(window_table(collection.space_id))
        with cursor.copy(copy_windows) as copy:
            for index, vector in enumerate(vectors):
                copy.write_row(
                    (row[0], index, 0, 4, vector + 0.05 * rng.standard_normal(DIMENSION).astype(np.float32))
                )


@pytest.fixture
def filled(database: Database) -> Collection:
    collection = open_collection(database)
    rng = np.random.default_rng(2)
    with connect(database.app) as app:
        for number in range(3):
            add_rows(app, collection, clustered(rng, ROWS // 3), f"{number}.txt")
    return collection


def state(connection: Connection, collection: Collection) -> tuple[Any, ...]:
    row = connection.execute(
        "SELECT index_lists, index_probes, (index_report->>'rows')::int FROM pgask.embedding_spaces WHERE id = %s",
        [collection.space_id],
    ).fetchone()
    assert row is not None
    return row


def indexes(connection: Connection) -> list[tuple[str, bool]]:
    """Names of the ivfflat indexes, and whether each is valid."""
    return [
        (row[0], row[1])
        for row in connection.execute(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'ivfflat' ORDER BY 1"
        )
    ]


def test_it_is_built_when_there_are_enough_rows_and_again_after_growth(
    database: Database, filled: Collection
) -> None:
    space = filled.space_id
    with connect(database.owner) as owner, connect(database.app) as app:
        assert ivfflat.maintain(owner, space, min_rows=ROWS + 1, target_recall=0.9) is None
        assert indexes(owner) == []
        assert state(owner, filled) == (None, None, None)

        built = ivfflat.maintain(owner, space, min_rows=ROWS, target_recall=0.9)
        assert built is not None
        assert (built.rows, built.lists) == (ROWS, ivfflat.choose_lists(ROWS))
        assert indexes(owner) == [(f"ivfflat_{space}", True)]
        assert state(owner, filled) == (built.lists, built.probes, ROWS)
        assert ivfflat.report(owner, space).recall == built.recall

        rng = np.random.default_rng(3)
        add_rows(app, filled, clustered(rng, 500), "more.txt")  # a sixth more: not yet
        assert ivfflat.maintain(owner, space, min_rows=ROWS, target_recall=0.9) is None
        add_rows(app, filled, clustered(rng, 200), "much-more.txt")
        again = ivfflat.maintain(owner, space, min_rows=ROWS, target_recall=0.9)
        assert again is not None
        assert again.rows == ROWS + 700
        assert indexes(owner) == [(f"ivfflat_{space}", True)]

        remove_documents(app, filled, ["0.txt", "1.txt", "2.txt"])  # few left: exact search will do
        assert ivfflat.maintain(owner, space, min_rows=ROWS, target_recall=0.9) is None


@pytest.mark.parametrize("target", [0.8, 0.97])
async def test_probes_reach_the_target_recall(database: Database, filled: Collection, target: float) -> None:
    with connect(database.owner) as owner:
        built = ivfflat.rebuild(owner, filled.space_id, target_recall=target)
        stored = owner.execute(
            sql.SQL("SELECT chunk_id, embedding FROM {}").format(chunk_table(filled.space_id))
        ).fetchall()
    assert built.recall is not None
    assert built.recall >= target
    assert built.recall_low is not None
    assert built.recall_high is not None
    assert built.recall_low <= built.recall <= built.recall_high
    ids, vectors = np.array([row[0] for row in stored]), np.stack([row[1].to_numpy() for row in stored])
    rng = np.random.default_rng(9)
    picked = vectors[rng.integers(len(vectors), size=100)]
    questions = picked + 0.05 * rng.standard_normal(picked.shape)  # other questions than it was tuned with
    hits = 0
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool, transaction(pool) as reader:
        plan = await plan_search(reader, "default", FAKE.space, None, exact_max_rows=1_000)
        assert (plan.exact, plan.probes, plan.rows) == (False, built.probes, ROWS)
        for question in questions.astype(np.float32):
            found = await find_candidates(reader, plan, question, [], None, candidates=10, k1=1.2, b=0.75)
            assert len(found.chunks) == 10
            exact = ids[np.argsort(-(vectors @ question))[:10]]
            hits += len(set(exact.tolist()) & {chunk.chunk_id for chunk in found.chunks})
    assert hits / 1_000 >= target - 0.05  # of another sample


def test_equal_vectors_are_no_misses(database: Database) -> None:
    """Of chunks with the same vector any is right: recall must not ask for some of them by number."""
    collection = open_collection(database)
    with connect(database.app) as app, connect(database.owner) as owner:
        vectors = np.repeat(clustered(np.random.default_rng(4), 20), 60, axis=0)
        add_rows(app, collection, vectors, "same.txt")
        built = ivfflat.rebuild(owner, collection.space_id, target_recall=0.95)
    assert built.lists is not None
    assert built.probes is not None
    assert built.probes < built.lists
    assert built.recall is not None
    assert built.recall >= 0.95


async def test_a_filter_that_keeps_little_is_searched_exactly(database: Database, filled: Collection) -> None:
    with connect(database.owner) as owner:
        ivfflat.rebuild(owner, filled.space_id, target_recall=0.9)
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool, transaction(pool) as reader:
        for search_filter, limit, exact, rows in (
            (None, ROWS, True, ROWS),
            (None, ROWS - 1, False, ROWS),
            (SearchFilter(source_prefix="1"), ROWS // 3, True, ROWS // 3),
            (SearchFilter(source_prefix="1"), 0, True, ROWS // 3),  # so few that an index brings no gain
            (SearchFilter(source_prefix="none"), 10, True, 0),
        ):
            plan = await plan_search(reader, "default", FAKE.space, search_filter, exact_max_rows=limit)
            assert (plan.exact, plan.rows) == (exact, rows)
            question = clustered(np.random.default_rng(6), 1)[0]
            found = await find_candidates(
                reader, plan, question, [], search_filter, candidates=20, k1=1.2, b=0.75
            )
            assert len(found.chunks) == (20 if rows else 0)


async def test_searching_goes_on_while_it_is_rebuilt(database: Database, filled: Collection) -> None:
    def rebuild_thrice() -> None:
        with connect(database.owner) as owner:
            for _ in range(3):
                ivfflat.rebuild(owner, filled.space_id, target_recall=0.9)

    rebuilding = asyncio.create_task(asyncio.to_thread(rebuild_thrice))
    questions = clustered(np.random.default_rng(8), 50)
    searches = exact_ones = 0
    async with open_pool(database.app, size=1, statement_timeout_s=5) as pool:
        while not rebuilding.done():
            async with transaction(pool) as reader:
                plan = await plan_search(reader, "default", FAKE.space, None, exact_max_rows=1_000)
                found = await find_candidates(
                    reader, plan, questions[searches % 50], [], None, candidates=10, k1=1.2, b=0.75
                )
            assert len(found.chunks) == 10
            searches += 1
            exact_ones += plan.exact
    await rebuilding
    assert 0 < exact_ones < searches  # before the first build and after it
    with connect(database.owner) as owner:
        assert indexes(owner) == [(f"ivfflat_{filled.space_id}", True)]


def test_a_long_reader_holds_up_the_build_and_nobody_else(database: Database, filled: Collection) -> None:
    statement = sql.SQL("SELECT count(*) FROM {}").format(chunk_table(filled.space_id))
    with connect(database.owner) as owner, psycopg.connect(database.app) as long_reader:
        ivfflat.rebuild(owner, filled.space_id, target_recall=0.9)
        long_reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        long_reader.execute(statement)
        with ThreadPoolExecutor(1) as pool, connect(database.app) as app, connect(database.owner) as watcher:
            build = pool.submit(ivfflat.rebuild, owner, filled.space_id, target_recall=0.9)
            wait_until(lambda: waits(watcher, owner))
            app.execute("SET statement_timeout = '2s'")
            assert app.execute(statement).fetchone() == (ROWS,)
            add_rows(app, filled, clustered(np.random.default_rng(5), 10), "written-meanwhile.txt")
            assert not build.done()
            long_reader.rollback()
            assert build.result(timeout=60).rows == ROWS


def waits(watcher: Connection, waiting: Connection) -> bool:
    row = watcher.execute(
        "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [waiting.info.backend_pid]
    ).fetchone()
    return row is not None and bool(row[0])


def test_what_a_killed_build_leaves_is_cleaned_up_by_the_next(database: Database, filled: Collection) -> None:
    with psycopg.connect(database.app) as writer, connect(database.owner) as watcher:
        writer.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(chunk_table(filled.space_id)))
        pids: list[int] = []
        ended = threading.Event()

        def build() -> None:
            with connect(database.owner) as owner:
                pids.append(owner.info.backend_pid)
                try:
                    ivfflat.rebuild(owner, filled.space_id, target_recall=0.9)
                finally:
                    ended.set()

        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(build)
            wait_until(lambda: indexes(watcher) == [(f"ivfflat_{filled.space_id}_new", False)])
            watcher.execute("SELECT pg_terminate_backend(%s)", [pids[0]])
            wait_until(ended.is_set)
            writer.rollback()
            with pytest.raises((StoreError, psycopg.OperationalError)):
                building.result(timeout=60)
        assert indexes(watcher) == [(f"ivfflat_{filled.space_id}_new", False)]
        assert state(watcher, filled) == (None, None, None)  # search stays exact
        assert ivfflat.maintain(watcher, filled.space_id, min_rows=ROWS, target_recall=0.9) is not None
        assert indexes(watcher) == [(f"ivfflat_{filled.space_id}", True)]


def test_two_builds_at_once_leave_one_index(database: Database, filled: Collection) -> None:
    def build(_: int) -> int:
        with connect(database.owner) as owner:
            return ivfflat.rebuild(owner, filled.space_id, target_recall=0.8).rows

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(build, range(2))) == [ROWS, ROWS]
    with connect(database.owner) as owner:
        assert indexes(owner) == [(f"ivfflat_{filled.space_id}", True)]


def test_the_memory_asked_for_is_what_pgvector_wants(database: Database, filled: Collection) -> None:
    with connect(database.owner) as owner:
        for lists in (10, 300, 1_000):
            owner.execute("SET maintenance_work_mem = '1MB'")
            statement = sql.SQL(
                "CREATE INDEX ON {} USING ivfflat (embedding vector_cosine_ops) WITH (lists = {})"
            )
            with pytest.raises(psycopg.errors.ProgramLimitExceeded) as refused:
                owner.execute(statement.format(chunk_table(filled.space_id), sql.Literal(lists)))
            wanted = re.search(r"memory required is (\d+) MB", str(refused.value))
            assert wanted is not None
            megabytes = ivfflat.build_bytes(lists, DIMENSION) / 2**20
            assert int(wanted[1]) - 1 <= megabytes  # its figure is rounded up


def test_index_and_queries_need_the_schema_owner(database: Database, filled: Collection) -> None:
    refused: Callable[[], object]
    with connect(database.app) as app:
        refused = lambda: ivfflat.rebuild(app, filled.space_id, target_recall=0.9)  # noqa: E731
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            refused()
