"""The vector index: when it is built, how good it is, and that searching goes on while it is."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from app.domain import SearchFilter
from app.embedding import FloatMatrix
from app.errors import StoreError
from app.index import build as index_build
from app.index import ivfflat, maintenance
from app.index.manifest import IndexSettings, VectorIndex, read_state
from app.index.recall import sample_truth
from app.search.ranking import Ranking, RankingSettings
from app.store.connection import Connection, Database, PooledConnection, connect, run_alone, see
from app.store.connection_pool import open_pool
from app.store.sources import remove_documents
from app.store.spaces import Collection, chunk_table
from app.store.tenancy import DEFAULT
from tests.integration.ingesting import open_collection
from tests.integration.processes import wait_until
from tests.integration.searching import search
from tests.integration.vectors import DIMENSION, add_rows, clustered

pytestmark = pytest.mark.integration

ROWS = 3_000


@pytest.fixture
def filled(database: Database) -> Collection:
    collection = open_collection(database)
    rng = np.random.default_rng(2)
    with connect(database.app) as app:
        for number in range(3):
            add_rows(app, collection, clustered(rng, ROWS // 3), f"{number}.txt")
    return collection


async def ask(
    reader: PooledConnection,
    question: FloatMatrix,
    search_filter: SearchFilter | None = None,
    *,
    candidates: int,
    exact_max_rows: int = 1_000,
) -> Ranking:
    """By the vector alone."""
    settings = RankingSettings(exact_max_rows=exact_max_rows)
    return await search(reader, question, [], search_filter, candidates=candidates, settings=settings)


def wanted(target_recall: float = 0.9, **others: Any) -> IndexSettings:
    return IndexSettings(min_rows=ROWS, target_recall=target_recall, **others)


def used(connection: Connection, collection: Collection) -> VectorIndex:
    index = read_state(connection, collection.space_id).index
    assert index is not None
    return index


def indexes(connection: Connection) -> list[tuple[str, bool]]:
    """Names of the vector indexes, and whether each is valid."""
    return [
        (row[0], row[1])
        for row in connection.execute(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_am a ON a.oid = c.relam WHERE a.amname IN ('ivfflat', 'hnsw') ORDER BY 1"
        )
    ]


def name(collection: Collection, build: int) -> str:
    return f"vectors_{collection.space_id}_{build}"


def test_it_is_built_when_there_are_enough_rows_and_again_when_they_have_doubled(
    database: Database, filled: Collection
) -> None:
    space = filled.space_id
    with connect(database.owner) as owner, connect(database.app) as app:
        assert maintenance.maintain(owner, space, IndexSettings(min_rows=ROWS + 1)) is None
        assert indexes(owner) == []
        assert read_state(owner, space).index is None
        assert replace(maintenance.report(owner, space), backgrounds=()) == maintenance.IndexReport(rows=ROWS)

        built = maintenance.maintain(owner, space, wanted())
        assert built is not None
        assert (built.rows, built.lists) == (ROWS, ivfflat.choose_lists(ROWS))
        assert (built.method, built.precision, built.drift, built.changed_rows) == ("ivfflat", "full", 1.0, 0)
        assert indexes(owner) == [(name(filled, 1), True)]
        assert used(owner, filled).effort == built.probes
        assert maintenance.report(owner, space) == built
        assert maintenance.maintain(owner, space, wanted()) is None

        rng = np.random.default_rng(3)
        add_rows(app, filled, clustered(rng, ROWS // 6), "more.txt")  # not yet
        assert maintenance.maintain(owner, space, wanted()) is None
        assert maintenance.report(owner, space).changed_rows == ROWS // 6
        add_rows(app, filled, clustered(rng, ROWS // 10), "much-more.txt")
        measured = maintenance.maintain(owner, space, wanted())
        assert measured is not None
        assert (measured.changed_rows, measured.built_at) == (0, built.built_at)
        assert indexes(owner) == [(name(filled, 1), True)]  # alike rows: measured again, not built again

        for number in range(3):
            add_rows(app, filled, clustered(rng, ROWS // 3), f"again-{number}.txt")
        again = maintenance.maintain(owner, space, wanted())
        assert again is not None
        assert again.lists == ivfflat.choose_lists(again.rows) != built.lists
        assert indexes(owner) == [(name(filled, 2), True)]

        everything = [*(f"{number}.txt" for number in range(3)), "more.txt", "much-more.txt", "again-0.txt"]
        remove_documents(app, filled, everything)  # few left: exact search will do
        assert maintenance.maintain(owner, space, wanted()) is None


def test_churn_counts_where_the_number_of_rows_stays(database: Database, filled: Collection) -> None:
    with connect(database.owner) as owner, connect(database.app) as app:
        built = maintenance.rebuild(owner, filled.space_id, wanted())
        remove_documents(app, filled, ["0.txt"])
        add_rows(app, filled, clustered(np.random.default_rng(7), ROWS // 3), "instead.txt")
        state = maintenance.report(owner, filled.space_id)
        assert (state.rows, state.changed_rows) == (ROWS, 2 * ROWS // 3)
        measured = maintenance.maintain(owner, filled.space_id, wanted())
        assert measured is not None
        assert (measured.changed_rows, measured.built_at) == (0, built.built_at)


def test_rows_of_another_kind_make_it_drift_and_it_is_built_anew(
    database: Database, filled: Collection
) -> None:
    """They all lie near a few lists, that each question about them has to read whole."""
    settings = wanted(0.95)
    with connect(database.owner) as owner, connect(database.app) as app:
        maintenance.rebuild(owner, filled.space_id, settings)
        rng = np.random.default_rng(12)
        far = rng.standard_normal(DIMENSION) + 0.4 * rng.standard_normal((ROWS // 2, DIMENSION))
        rows = np.asarray(far / np.linalg.norm(far, axis=1, keepdims=True), dtype=np.float32)
        add_rows(app, filled, rows, "another-language.txt")
        assert maintenance.find_need(owner, filled.space_id, settings)[0] == "measure"
        rebuilt = maintenance.maintain(owner, filled.space_id, settings)
        assert rebuilt is not None
        assert indexes(owner) == [(name(filled, 2), True)]
        assert rebuilt.drift == 1.0
        assert rebuilt.recall is not None
        assert rebuilt.recall >= 0.95
        assert maintenance.maintain(owner, filled.space_id, settings) is None


@pytest.mark.parametrize(
    ("method", "precision"),
    [
        ("ivfflat", "full"),
        ("hnsw", "half"),
        pytest.param("ivfflat", "half", marks=pytest.mark.long),
        pytest.param("hnsw", "full", marks=pytest.mark.long),
    ],
)
async def test_a_change_of_setting_is_carried_out_by_upkeep(
    database: Database, filled: Collection, method: Any, precision: Any
) -> None:
    settings = wanted(0.95, method=method, precision=precision)
    with connect(database.owner) as owner:
        maintenance.rebuild(owner, filled.space_id, wanted(0.95))
        maintenance.maintain(owner, filled.space_id, settings)
        found = maintenance.report(owner, filled.space_id)
        assert (found.method, found.precision) == (method, precision)
        assert (found.lists is None, found.probes is None, found.ef_search is None) == (
            (method == "hnsw", method == "hnsw", method == "ivfflat")
        )
        assert found.recall is not None
        assert found.recall >= 0.95
        assert len(indexes(owner)) == 1
        assert maintenance.maintain(owner, filled.space_id, settings) is None
    async with (
        open_pool(database.app, size=1, statement_timeout_s=10) as pool,
        pool.connection() as reader,
        reader.transaction(),
    ):
        await reader.execute("SET LOCAL enable_seqscan = off")
        ranking = await ask(reader, clustered(np.random.default_rng(6), 1)[0], candidates=50)
        plan = ranking.plan
        assert plan.index is not None
        assert (plan.index.method, plan.index.precision) == (method, precision)
        assert len(ranking.chunks) == 50
        scans = await reader.execute(
            "SELECT pg_stat_get_xact_numscans(to_regclass(%s))",
            [f"pgask_vectors.{name(filled, plan.index.build)}"],
        )
        assert (await scans.fetchone() or (0,))[0] > 0


def test_an_index_of_before_builds_were_numbered_answers_and_is_replaced(
    database: Database, filled: Collection
) -> None:
    space = filled.space_id
    with connect(database.owner) as owner:
        owner.execute(
            sql.SQL(
                "CREATE INDEX {} ON {} USING ivfflat (embedding vector_cosine_ops) WITH (lists = 55)"
            ).format(sql.Identifier(f"ivfflat_{space}"), chunk_table(space))
        )
        owner.execute(
            "UPDATE pgask.embedding_spaces SET index_method = 'ivfflat', index_precision = 'full', index_lists = 55,"
            " index_probes = 5, index_report = %s",
            [Jsonb({"rows": ROWS, "recall": 0.97, "sample": 200})],  # as it was written then
        )
        index = used(owner, filled)
        assert (index.build, index.lists, index.effort) == (0, 55, 5)
        assert maintenance.report(owner, space).recall is None
        owner.execute("SET enable_seqscan = off")
        statement = sql.SQL("EXPLAIN SELECT chunk_id FROM {} v WHERE {} ORDER BY {} LIMIT 10").format(
            chunk_table(space), index.condition, index.distance
        )
        plan = owner.execute(statement, {"vector": clustered(np.random.default_rng(1), 1)[0]}).fetchall()
        assert any(f"ivfflat_{space}" in line for (line,) in plan)
        owner.execute("RESET enable_seqscan")
        measured = maintenance.maintain(owner, space, wanted())
        assert measured is not None
        assert measured.recall is not None
        assert measured.recall >= 0.9
        assert indexes(owner) == [(f"ivfflat_{space}", True)]
        maintenance.rebuild(owner, space, wanted())
        assert indexes(owner) == [(name(filled, 1), True)]


def test_a_query_asks_its_own_build_and_never_the_one_beside_it(
    database: Database, filled: Collection
) -> None:
    with connect(database.owner) as owner:
        maintenance.rebuild(owner, filled.space_id, wanted(method="hnsw"))
        state = read_state(owner, filled.space_id)
        beside, _ = index_build.create_index(owner, state, wanted())
        assert indexes(owner) == [(name(filled, 1), True), (name(filled, 2), True)]
        owner.execute("SET enable_seqscan = off")
        assert state.index is not None
        for index in (state.index, beside):
            statement = sql.SQL("EXPLAIN SELECT chunk_id FROM {} v WHERE {} ORDER BY {} LIMIT 10").format(
                chunk_table(filled.space_id), index.condition, index.distance
            )
            plan = owner.execute(statement, {"vector": clustered(np.random.default_rng(1), 1)[0]}).fetchall()
            assert any(name(filled, index.build) in line for (line,) in plan)
        with index_build.build_lock(owner, filled.space_id), connect(database.owner) as other:
            assert (
                maintenance.maintain(other, filled.space_id, wanted(method="hnsw")) is None
            )  # somebody builds: not waste
            assert len(indexes(owner)) == 2
        assert maintenance.maintain(owner, filled.space_id, wanted(method="hnsw")) is None
        assert indexes(owner) == [(name(filled, 1), True)]  # whoever built the other one is gone


@pytest.mark.parametrize("target", [0.8, 0.97])
async def test_probes_reach_more_than_the_target_recall(
    database: Database, filled: Collection, target: float
) -> None:
    with connect(database.owner) as owner:
        built = maintenance.rebuild(owner, filled.space_id, wanted(target))
        stored = owner.execute(
            sql.SQL("SELECT chunk_id, embedding FROM {}").format(chunk_table(filled.space_id))
        ).fetchall()
    assert built.recall is not None
    assert 1 - built.recall <= 0.8 * (1 - target) + 1e-9  # a fifth of what may be missed is kept in hand
    assert built.recall_low is not None
    assert built.recall_high is not None
    assert built.recall_low <= built.recall <= built.recall_high
    ids, vectors = np.array([row[0] for row in stored]), np.stack([row[1].to_numpy() for row in stored])
    rng = np.random.default_rng(9)
    picked, other = vectors[rng.integers(len(vectors), size=(2, 100))]
    questions = picked + 0.6 * other  # nearer than what it was tuned with, and further out than any chunk
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    hits = 0
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool, pool.connection() as reader:
        for question in questions.astype(np.float32):
            found = await ask(reader, question, candidates=10)
            assert (found.plan.exact, found.plan.probes, found.plan.rows) == (False, built.probes, ROWS)
            assert len(found.chunks) == 10
            exact = ids[np.argsort(-(vectors @ question))[:10]]
            hits += len(set(exact.tolist()) & {chunk.chunk_id for chunk in found.chunks})
    assert hits / 1_000 >= target - 0.05  # of another sample


def test_sampled_questions_lie_further_out_than_passages(database: Database, filled: Collection) -> None:
    """Of stored passages' own vectors one list holds nearly all neighbours, whatever the lists are worth to people."""
    with connect(database.owner) as owner:
        maintenance.rebuild(owner, filled.space_id, wanted())
        truth = sample_truth(owner, read_state(owner, filled.space_id))
    assert (truth.stored, truth.questions.shape) == (0, (200, DIMENSION))
    np.testing.assert_allclose(np.linalg.norm(truth.questions, axis=1), 1, rtol=1e-5)
    nearest = np.array([distances[0] for distances in truth.nearest])
    assert 0.1 < np.median(nearest) < 0.5  # those of windows are at .02


def test_equal_vectors_are_no_misses(database: Database) -> None:
    """Of chunks with the same vector any is right: recall must not ask for some of them by number."""
    collection = open_collection(database)
    with connect(database.app) as app, connect(database.owner) as owner:
        vectors = np.repeat(clustered(np.random.default_rng(4), 20), 60, axis=0)
        add_rows(app, collection, vectors, "same.txt")
        built = maintenance.rebuild(owner, collection.space_id, wanted(0.95))
    assert built.lists is not None
    assert built.probes is not None
    assert built.probes < built.lists
    assert built.recall is not None
    assert built.recall >= 0.95


async def test_a_filter_that_keeps_little_is_searched_exactly(database: Database, filled: Collection) -> None:
    with connect(database.owner) as owner:
        maintenance.rebuild(owner, filled.space_id, wanted(0.9))
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool, pool.connection() as reader:
        for search_filter, limit, exact, rows in (
            (None, ROWS, True, ROWS),
            (None, ROWS - 1, False, ROWS),
            (SearchFilter(source_prefix="1"), ROWS // 3, True, ROWS // 3),
            (SearchFilter(source_prefix="1"), 0, True, ROWS // 3),  # so few that an index brings no gain
            (SearchFilter(source_prefix="none"), 10, True, 0),
        ):
            question = clustered(np.random.default_rng(6), 1)[0]
            found = await ask(reader, question, search_filter, candidates=20, exact_max_rows=limit)
            assert (found.plan.exact, found.plan.rows) == (exact, rows)
            assert len(found.chunks) == (20 if rows else 0)


async def test_searching_goes_on_and_misses_nothing_while_it_is_rebuilt(
    database: Database, filled: Collection
) -> None:
    kinds: list[tuple[Any, Any]] = [
        ("ivfflat", "full"),
        ("hnsw", "half"),
        ("ivfflat", "half"),
        ("ivfflat", "full"),
    ]

    def rebuild_all() -> None:
        with connect(database.owner) as owner:
            for method, precision in kinds:
                maintenance.rebuild(owner, filled.space_id, wanted(0.95, method=method, precision=precision))

    with connect(database.owner) as owner:
        stored = owner.execute(
            sql.SQL("SELECT chunk_id, embedding FROM {}").format(chunk_table(filled.space_id))
        ).fetchall()
    ids, vectors = np.array([row[0] for row in stored]), np.stack([row[1].to_numpy() for row in stored])
    questions = clustered(np.random.default_rng(8), 50)
    best = [set(ids[np.argsort(-(vectors @ question))[:10]].tolist()) for question in questions]
    rebuilding = asyncio.create_task(asyncio.to_thread(rebuild_all))
    hits: list[int] = []
    used_kinds: set[tuple[str, str] | None] = set()
    async with open_pool(database.app, size=1, statement_timeout_s=5) as pool:
        while not rebuilding.done():
            asked = len(hits) % 50
            found = await run_alone(pool, partial(ask, question=questions[asked], candidates=10))
            plan = found.plan
            assert len(found.chunks) == 10
            hits.append(len(best[asked] & {chunk.chunk_id for chunk in found.chunks}))
            used_kinds.add((plan.index.method, plan.index.precision) if plan.index else None)
    await rebuilding
    assert used_kinds >= {None, *kinds[:3]}  # before the first build, and after each
    assert np.mean(hits) / 10 >= 0.85  # also with the index beside it; other questions than it was tuned with
    with connect(database.owner) as owner:
        assert indexes(owner) == [(name(filled, 4), True)]


def test_a_long_reader_holds_up_the_build_and_nobody_else(database: Database, filled: Collection) -> None:
    statement = sql.SQL("SELECT count(*) FROM {}").format(chunk_table(filled.space_id))
    with connect(database.owner) as owner, psycopg.connect(database.app) as long_reader:
        maintenance.rebuild(owner, filled.space_id, wanted(0.9))
        see(long_reader, DEFAULT)
        long_reader.commit()
        long_reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        long_reader.execute(statement)
        with ThreadPoolExecutor(1) as pool, connect(database.app) as app, connect(database.owner) as watcher:
            build = pool.submit(maintenance.rebuild, owner, filled.space_id, wanted())
            wait_until(lambda: waits(watcher, owner))
            app.execute("SET statement_timeout = '2s'")
            assert app.execute(statement).fetchone() == (ROWS,)
            add_rows(app, filled, clustered(np.random.default_rng(5), 10), "written-meanwhile.txt")
            assert not build.done()
            long_reader.rollback()
            assert build.result(timeout=60).rows == ROWS + 10


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
                    maintenance.rebuild(owner, filled.space_id, wanted(0.9))
                finally:
                    ended.set()

        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(build)
            wait_until(lambda: indexes(watcher) == [(name(filled, 1), False)])
            watcher.execute("SELECT pg_terminate_backend(%s)", [pids[0]])
            wait_until(ended.is_set)
            writer.rollback()
            with pytest.raises((StoreError, psycopg.OperationalError)):
                building.result(timeout=60)
        assert indexes(watcher) == [(name(filled, 1), False)]
        assert read_state(watcher, filled.space_id).index is None  # search stays exact
        assert maintenance.maintain(watcher, filled.space_id, wanted()) is not None
        assert indexes(watcher) == [(name(filled, 1), True)]


def test_two_builds_at_once_leave_one_index(database: Database, filled: Collection) -> None:
    def build(_: int) -> int:
        with connect(database.owner) as owner:
            return maintenance.rebuild(owner, filled.space_id, wanted(0.8)).rows

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(build, range(2))) == [ROWS, ROWS]
    with connect(database.owner) as owner:
        assert indexes(owner) == [(name(filled, 2), True)]


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
        refused = lambda: maintenance.rebuild(app, filled.space_id, wanted(0.9))  # noqa: E731
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            refused()
