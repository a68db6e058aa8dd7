"""The ivfflat index of a space: when to build it, with how many lists, and how many probes reach the target recall.

Never built by a migration or on few rows: lists learnt from nothing answer wrongly and say nothing. Below
`index_min_rows` search is exact, and quick. Sync, as the schema's owner; used after ingest and by `pgask index`.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import structlog
from psycopg import sql
from psycopg.types.json import Jsonb

from app.store.engine import Connection
from app.store.spaces import chunk_table, window_table
from app.store.tables import VECTOR_SCHEMA

GROWTH: Final = (
    1.2  # rebuilt when the rows are this many times those it was built with (or that many times fewer)
)
_SAMPLE: Final = 200  # window vectors asked as questions when recall is measured
_NEIGHBOURS: Final = 10
_LEAST_LISTS: Final = 10
_MOST_BUILD_BYTES: Final = 4 * 2**30
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('pgask.ivfflat'), %s)"
_LOCK_POLL_S: Final = 0.2
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The state of a space's index. `recall` is recall@10 against exact search over `sample` stored vectors, with a
    95 % Wilson interval [recall_low, recall_high] over the sample's neighbours."""

    rows: int
    lists: int | None
    probes: int | None
    recall: float | None = None
    recall_low: float | None = None
    recall_high: float | None = None
    sample: int = 0
    p50_ms: float | None = None
    exact_p50_ms: float | None = None
    build_s: float | None = None
    size_bytes: int | None = None


def choose_lists(rows: int) -> int:
    """Lists for an ivfflat index: √rows, at least 10 and at most rows/50, so that each list has 50 rows to learn from.

    >>> choose_lists(100_000), choose_lists(1_000_000), choose_lists(500)
    (316, 1000, 10)
    """
    return max(_LEAST_LISTS, min(round(math.sqrt(rows)), rows // 50))


def maintain(owner: Connection, space_id: int, *, min_rows: int, target_recall: float) -> IndexReport | None:
    """Build or rebuild the index if the rows call for it. Returns the report of a build, None where nothing was due."""
    rows = count_rows(owner, space_id)
    state = _state(owner, space_id)
    built_with = int((state[2] or {}).get("rows", 0)) if state[0] is not None else 0
    if rows < min_rows:
        return None
    if built_with and built_with / GROWTH < rows < built_with * GROWTH:
        return None
    return rebuild(owner, space_id, target_recall=target_recall)


def rebuild(owner: Connection, space_id: int, *, target_recall: float) -> IndexReport:
    """Build the index beside the old one, measure, swap. Queries go on meanwhile. Waits for another build."""
    # Asked for again and again, since CREATE INDEX CONCURRENTLY would wait for a session that waits in a statement.
    while owner.execute(_TRY_LOCK, [space_id]).fetchone() != (True,):
        time.sleep(_LOCK_POLL_S)
    try:
        return _rebuild(owner, space_id, target_recall)
    finally:
        owner.execute("SELECT pg_advisory_unlock(hashtext('pgask.ivfflat'), %s)", [space_id])


def count_rows(connection: Connection, space_id: int) -> int:
    """Chunk vectors in a space."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(chunk_table(space_id))).fetchone()
    assert row is not None
    return int(row[0])


def report(connection: Connection, space_id: int) -> IndexReport:
    """The state of a space's index as it was last measured, with today's rows."""
    lists, probes, stored = _state(connection, space_id)
    measured = {key: value for key, value in (stored or {}).items() if key not in ("rows", "lists", "probes")}
    return IndexReport(rows=count_rows(connection, space_id), lists=lists, probes=probes, **measured)


def _rebuild(owner: Connection, space_id: int, target_recall: float) -> IndexReport:
    table = chunk_table(space_id)
    current, new, old = (f"ivfflat_{space_id}{suffix}" for suffix in ("", "_new", "_old"))
    for name in (new, old):  # of a build that was killed: invalid, or one too many
        _drop_index(owner, name)
    rows = count_rows(owner, space_id)
    lists = _fit_lists(owner, table, choose_lists(rows))
    started = time.monotonic()
    owner.execute(
        sql.SQL(
            "CREATE INDEX CONCURRENTLY {} ON {} USING ivfflat (embedding vector_cosine_ops) WITH (lists = {})"
        ).format(sql.Identifier(new), table, sql.Literal(lists))
    )
    build_s = time.monotonic() - started
    # Renaming locks no reader out, nor does dropping CONCURRENTLY; a plain DROP would wait for the longest reader (a
    # backup, say) and make all others wait behind it.
    with owner.transaction():
        _rename_index(owner, current, old)
        _rename_index(owner, new, current)
        # until probes are measured, enough of them for a recall near 1
        owner.execute(
            "UPDATE pgask.embedding_spaces SET index_lists = %s, index_probes = %s, index_report = %s WHERE id = %s",
            [lists, max(1, lists // 4), Jsonb({"rows": rows}), space_id],
        )
    _drop_index(owner, old)
    owner.execute(sql.SQL("ANALYZE {}").format(table))
    measured = calibrate(owner, space_id, lists=lists, target_recall=target_recall)
    size = owner.execute("SELECT pg_relation_size(%s::regclass)", [f"{VECTOR_SCHEMA}.{current}"]).fetchone()
    built = {
        "rows": rows,
        "lists": lists,
        "build_s": round(build_s, 2),
        "size_bytes": size[0] if size else None,
    }
    done = IndexReport(**(measured | built))
    owner.execute(
        "UPDATE pgask.embedding_spaces SET index_probes = %s, index_report = %s WHERE id = %s",
        [done.probes, Jsonb(asdict(done)), space_id],
    )
    _log.info("ivfflat index built", space=space_id, **asdict(done))
    return done


def _drop_index(owner: Connection, name: str) -> None:
    owner.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(VECTOR_SCHEMA, name)))


def _rename_index(owner: Connection, name: str, to: str) -> None:
    owner.execute(
        sql.SQL("ALTER INDEX IF EXISTS {} RENAME TO {}").format(
            sql.Identifier(VECTOR_SCHEMA, name), sql.Identifier(to)
        )
    )


def _fit_lists(owner: Connection, table: sql.Identifier, lists: int) -> int:
    """Give the build the memory that it needs, and take fewer lists where this machine has too little of it."""
    row = owner.execute(
        "SELECT atttypmod FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'embedding'",
        [table.as_string(owner)],
    ).fetchone()
    assert row is not None
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    most = min(_MOST_BUILD_BYTES, machine // 2)
    while lists > _LEAST_LISTS and build_bytes(lists, row[0]) > most:
        lists = max(_LEAST_LISTS, lists * 9 // 10)
    megabytes = max(64, build_bytes(lists, row[0]) // 2**20 + 16)
    owner.execute("SELECT set_config('maintenance_work_mem', %s, false)", [f"{megabytes}MB"])
    return lists


def build_bytes(lists: int, dimension: int) -> int:
    """At most what pgvector's k-means needs: the sample (50 rows a list, at least 10,000), three sets of centres, and
    the bounds of Elkan's algorithm, sample × lists and lists × lists (ivfkmeans.c). It refuses to build with less.

    >>> build_bytes(1_000, 384) // 2**20
    276
    """
    sample = max(10_000, 50 * lists)
    return 4 * (sample * (dimension + lists + 4) + lists * (3 * dimension + 2 * lists + 9))


def calibrate(connection: Connection, space_id: int, *, lists: int, target_recall: float) -> dict[str, Any]:
    """The least probes whose recall@10 reaches the target, asking with sampled window vectors (a window is to its
    chunk what a question is to its answer: near, not equal)."""
    table = chunk_table(space_id)
    questions = _sample_windows(connection, space_id)
    exact, exact_ms = _neighbours(connection, table, questions, probes=None)
    total = sum(len(distances) for distances in exact)
    probes = 1
    while True:
        found, index_ms = _neighbours(connection, table, questions, probes=probes)
        # By distance and not by id: of chunks with equal vectors any is as good as the other.
        hits = sum(
            sum(distance <= best[-1] + 1e-9 for distance in distances)
            for distances, best in zip(found, exact, strict=True)
            if best
        )
        if hits >= target_recall * total or probes >= lists:
            break
        probes = min(lists, probes + max(1, probes // 3))
    low, high = wilson(hits, total)
    return {
        "probes": probes,
        "recall": round(hits / max(1, total), 4),
        "recall_low": round(low, 4),
        "recall_high": round(high, 4),
        "sample": len(questions),
        "p50_ms": round(statistics.median(index_ms), 2),
        "exact_p50_ms": round(statistics.median(exact_ms), 2),
    }


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion (Wilson 1927).

    >>> [round(bound, 3) for bound in wilson(95, 100)]
    [0.888, 0.978]
    """
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def _sample_windows(connection: Connection, space_id: int) -> list[Any]:
    windows = window_table(space_id)
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(windows)).fetchone()
    percent = min(100.0, 100.0 * _SAMPLE * 4 / max(1, int(row[0]) if row else 1))
    return [
        found[0]
        for found in connection.execute(
            sql.SQL(
                "SELECT embedding::vector FROM {} TABLESAMPLE BERNOULLI ({}) REPEATABLE (1)"
                " ORDER BY md5(document_id::text || window_index) LIMIT {}"
            ).format(windows, sql.Literal(percent), sql.Literal(_SAMPLE))
        )
    ]


def _neighbours(
    connection: Connection, table: sql.Identifier, questions: Sequence[Any], *, probes: int | None
) -> tuple[list[list[float]], list[float]]:
    """Distances of the nearest chunks of each question, ascending, and the milliseconds each took. `probes` None:
    exact."""
    found, elapsed_ms = [], []
    statement = sql.SQL(
        "SELECT embedding <=> %(question)s FROM {} ORDER BY embedding <=> %(question)s LIMIT {}"
    ).format(table, sql.Literal(_NEIGHBOURS))
    with connection.transaction():
        if probes is None:
            connection.execute("SET LOCAL enable_indexscan = off")
        else:
            connection.execute("SELECT set_config('ivfflat.probes', %s, true)", [str(probes)])
            connection.execute("SET LOCAL enable_seqscan = off")
        for question in questions:
            started = time.perf_counter()
            # Never prepared: a kept plan would outlive the settings above, and exact search be measured twice.
            rows = connection.execute(statement, {"question": question}, prepare=False)
            found.append(sorted(float(row[0]) for row in rows))
            elapsed_ms.append((time.perf_counter() - started) * 1000)
    return found, elapsed_ms


def _state(connection: Connection, space_id: int) -> tuple[int | None, int | None, dict[str, Any] | None]:
    row = connection.execute(
        "SELECT index_lists, index_probes, index_report FROM pgask.embedding_spaces WHERE id = %s", [space_id]
    ).fetchone()
    return (None, None, None) if row is None else (row[0], row[1], row[2])
