"""How good a vector index is: sampled questions are asked exactly and by index, and the answers compared. Sync.

Questions are those that people asked last, where their vectors are kept (app/store/questions.py), filled up with
vectors between two windows: a question is near to its answer, and lies further out than any passage.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg import sql

from app.embedding import FloatMatrix
from app.index.exact import find_nearest
from app.index.manifest import (
    IndexState,
    Measurement,
    VectorIndex,
    count_rows,
    index_name,
    now,
)
from app.store.connection import Connection
from app.store.schema_names import VECTOR_SCHEMA
from app.store.spaces import chunk_table, window_table

NEIGHBOURS: Final = 10
LEAST_QUESTIONS: Final = 200
# What is added of another window to the window that a question is made of, both of unit length. With it the probes that
# 95 % takes are about those of real questions, on sentences in two languages and on 100,000 passages (eval/LOG.md).
OTHER_WINDOW: Final = 0.85
# The choice flatters the questions it was made with: so a fifth of what may be missed is kept in hand.
CALIBRATED_MISSES: Final = 0.8
# More are not asked, however many tenants keep theirs: the newest. The interval of 1,000 is narrow enough.
MOST_QUESTIONS: Final = 1_000
_PAGE_QUESTIONS: Final = 50  # of these the pages read are counted too
# What an exact search takes is timed by as many searches as compare so many rows, at least one and at most _TIMED.
_TIMED: Final = 10
_TIMED_ROWS: Final = 1_000_000
_TIE: Final = 1e-9  # distances this near are equal: of chunks with equal vectors any is as good as the other
_PAGE_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Questions, float32 (n, dimension), the first `stored` of them asked by people; for each the distances of its
    nearest chunks, ascending; and the milliseconds that an exact search took, of some of them."""

    questions: FloatMatrix
    stored: int
    nearest: list[NDArray[np.float64]]
    elapsed_ms: list[float]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the curve: at this effort, so much recall@10 in so much time."""

    effort: int
    recall: float
    recall_low: float
    recall_high: float
    p50_ms: float
    p95_ms: float


def sample_truth(connection: Connection, state: IndexState, questions: int = LEAST_QUESTIONS) -> GroundTruth:
    """Sample questions and answer them exactly, over all rows of the space, as its index holds them. Reads the table
    once, however many questions there are, and for a time some more: up to a million rows, or all of them once."""
    stored = _stored_questions(connection, state.space_id)
    windows = _sample_windows(connection, state.space_id, max(0, questions - len(stored)))
    made = _between(np.array(windows, dtype=np.float32).reshape(-1, state.dimension))
    asked = np.vstack([np.array(stored, dtype=np.float32).reshape(-1, state.dimension), made])
    nearest = find_nearest(connection, state.space_id, asked, NEIGHBOURS)
    return GroundTruth(asked, len(stored), nearest, _time_exactly(connection, state, asked))


def measure_at(
    connection: Connection, state: IndexState, index: VectorIndex, truth: GroundTruth, effort: int
) -> Point:
    """Ask the index with this effort."""
    statement = _indexed(state, index)
    shares, elapsed_ms = [], []
    with _searching(connection, index, effort):
        for question, best in zip(truth.questions, truth.nearest, strict=True):
            found, elapsed = _ask(connection, statement, _parameters(index, question))
            elapsed_ms.append(elapsed)
            if len(best):
                shares.append(float(np.sum(found <= best[-1] + _TIE)) / len(best))
    recall = float(np.mean(shares)) if shares else 1.0
    low, high = interval(shares)
    p50, p95 = np.percentile(elapsed_ms, [50, 95]) if elapsed_ms else (0.0, 0.0)
    return Point(
        effort, round(recall, 4), round(low, 4), round(high, 4), round(float(p50), 2), round(float(p95), 2)
    )


def calibrate(
    connection: Connection, state: IndexState, index: VectorIndex, truth: GroundTruth, target_recall: float
) -> tuple[VectorIndex, Measurement]:
    """The index with the least effort that misses at most CALIBRATED_MISSES of what the target allows (or its highest
    effort), and its figures."""
    points: dict[int, Point] = {}

    def reaches(effort: int) -> bool:
        points[effort] = measure_at(connection, state, index, truth, effort)
        return 1 - points[effort].recall <= CALIBRATED_MISSES * (1 - target_recall) + 1e-9

    effort = least(reaches, index.least_effort, index.highest_effort)
    chosen = replace(index, effort=effort)
    return chosen, describe(
        connection, state, chosen, truth=truth, point=points[effort], target_recall=target_recall
    )


def describe(
    connection: Connection,
    state: IndexState,
    index: VectorIndex,
    *,
    truth: GroundTruth,
    point: Point,
    target_recall: float,
) -> Measurement:
    """A point as the manifest keeps it, with the pages that questions read and the rows that there are."""
    size = connection.execute(
        "SELECT pg_relation_size(%s::regclass)",
        [f"{VECTOR_SCHEMA}.{index_name(state.space_id, index.build)}"],
    ).fetchone()
    last = connection.execute(
        sql.SQL("SELECT coalesce(max(chunk_id), 0) FROM {}").format(chunk_table(state.space_id))
    ).fetchone()
    assert size is not None
    assert last is not None
    return Measurement(
        recall=point.recall,
        recall_low=point.recall_low,
        recall_high=point.recall_high,
        questions=len(truth.questions),
        stored_questions=truth.stored,
        p50_ms=point.p50_ms,
        p95_ms=point.p95_ms,
        exact_p50_ms=round(float(np.median(truth.elapsed_ms)), 2) if truth.elapsed_ms else 0.0,
        pages=_mean_pages(connection, state, index, truth),
        index_pages=int(size[0]) // _PAGE_BYTES,
        rows=count_rows(connection, state.space_id),
        last_chunk_id=int(last[0]),
        target_recall=target_recall,
        measured_at=now(),
    )


def trace_curve(
    connection: Connection, state: IndexState, index: VectorIndex, truth: GroundTruth
) -> list[Point]:
    """Recall and time from the least effort up, each step about half as much again, until next to nothing is missed."""
    points, effort = [], index.least_effort
    while True:
        points.append(measure_at(connection, state, index, truth, effort))
        if points[-1].recall >= 0.999 or effort >= index.highest_effort:
            return points
        effort = min(index.highest_effort, effort + max(1, effort // 2))


def least(reaches: Callable[[int], bool], low: int, high: int) -> int:
    """The least number in [low, high] that reaches, where more always reaches at least as far; else `high`.

    >>> least(lambda effort: effort >= 37, 1, 100), least(lambda effort: False, 1, 100)
    (37, 100)
    """
    missed, effort = low - 1, low
    while not reaches(effort):
        if effort >= high:
            return high
        missed, effort = effort, min(high, effort + max(1, effort // 2))
    while effort - missed > 1:
        middle = (missed + effort) // 2
        missed, effort = (missed, middle) if reaches(middle) else (middle, effort)
    return effort


def interval(shares: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean of shares, each of NEIGHBOURS neighbours: Wilson's (1927), on the effective size.

    Neighbours of one question are found or missed together, so n of them say less than n independent ones: fewer by
    the design effect, their share's variance over the binomial one (Kish 1965). Where all are alike nothing shows the
    variance, and a question counts as one.

    >>> [round(bound, 3) for bound in interval([0.9, 1.0, 1.0, 0.8] * 50)]
    [0.913, 0.936]
    >>> [round(bound, 3) for bound in interval([1.0] * 200)]
    [0.981, 1.0]
    """
    if not shares:
        return 0.0, 1.0
    share, size = float(np.mean(shares)), float(len(shares))
    if 0 < share < 1 and len(shares) > 1:
        variance = float(np.var(shares, ddof=1))
        if variance > 0:
            size = share * (1 - share) / (variance / len(shares))
            size = min(size, float(NEIGHBOURS * len(shares)))
    return wilson(share, size)


def wilson(share: float, size: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion of `size` trials (Wilson 1927).

    >>> [round(bound, 3) for bound in wilson(0.95, 100)]
    [0.888, 0.978]
    """
    centre = share + z * z / (2 * size)
    spread = z * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    scale = 1 + z * z / size
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@contextmanager
def _searching(connection: Connection, index: VectorIndex, effort: int) -> Iterator[None]:
    """A transaction that searches by an index with this effort, and never by reading and sorting the table."""
    settings = index.session_settings(effort) | {"enable_seqscan": "off", "enable_sort": "off"}
    with connection.transaction():
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        yield


def _indexed(state: IndexState, index: VectorIndex) -> sql.Composed:
    return sql.SQL(
        "SELECT v.embedding <=> %(vector)s FROM {table} v WHERE {condition} ORDER BY {distance} LIMIT {limit}"
    ).format(
        table=chunk_table(state.space_id),
        condition=index.condition,
        distance=index.distance,
        limit=sql.Literal(NEIGHBOURS),
    )


def _time_exactly(connection: Connection, state: IndexState, questions: FloatMatrix) -> list[float]:
    """Milliseconds of exact searches, one a question, for so many of them as is worth while."""
    statement = sql.SQL(
        "SELECT distance FROM (SELECT v.embedding <=> %(vector)s AS distance FROM {} v OFFSET 0) exact"
        " ORDER BY distance LIMIT {}"
    ).format(chunk_table(state.space_id), sql.Literal(NEIGHBOURS))
    rows = count_rows(connection, state.space_id)
    timed = questions[: max(1, min(_TIMED, _TIMED_ROWS // max(1, rows)))]
    return [_ask(connection, statement, {"vector": question})[1] for question in timed]


def _parameters(index: VectorIndex, question: FloatMatrix) -> dict[str, Any]:
    return {"vector": question} | ({"half": HalfVector(question)} if index.precision == "half" else {})


def _ask(
    connection: Connection, statement: sql.Composed, parameters: dict[str, Any]
) -> tuple[NDArray[np.float64], float]:
    started = time.perf_counter()
    # Never prepared: a kept plan would outlive the settings, and exact search be measured twice.
    rows = connection.execute(statement, parameters, prepare=False).fetchall()
    elapsed_ms = (time.perf_counter() - started) * 1000
    return np.sort(np.array([row[0] for row in rows], dtype=np.float64)), elapsed_ms


def _mean_pages(connection: Connection, state: IndexState, index: VectorIndex, truth: GroundTruth) -> float:
    """Pages that a question reads: unlike a time, the same on a busy machine."""
    explained = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {}").format(
        _indexed(state, index)
    )
    pages = []
    step = max(1, len(truth.questions) // _PAGE_QUESTIONS)
    with _searching(connection, index, index.effort):
        for question in truth.questions[::step]:
            row = connection.execute(explained, _parameters(index, question), prepare=False).fetchone()
            assert row is not None
            plan = (json.loads(row[0]) if isinstance(row[0], str) else row[0])[0]["Plan"]
            pages.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
    return round(float(np.mean(pages)), 1) if pages else 0.0


def _between(windows: FloatMatrix) -> FloatMatrix:
    """Unit vectors (n, dimension) between each window and the next, near to the first."""
    mixed = windows + np.float32(OTHER_WINDOW) * np.roll(windows, 1, axis=0)
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.asarray(mixed / np.maximum(lengths, np.float32(_TIE)), dtype=np.float32)


def _stored_questions(connection: Connection, space_id: int) -> list[list[float]]:
    return [
        row[0]
        for row in connection.execute(
            "SELECT q.embedding FROM pgask.question_vectors q JOIN pgask.embedding_spaces s"
            " ON s.id = %s AND q.space_id = coalesce(s.partition_of, s.id) ORDER BY q.asked_at DESC, q.digest LIMIT %s",
            [space_id, MOST_QUESTIONS],
        )
    ]


def _sample_windows(connection: Connection, space_id: int, count: int) -> list[Any]:
    """Window vectors at random, other ones after the rows have changed."""
    if count == 0:
        return []
    windows = window_table(space_id)
    row = connection.execute(
        "SELECT greatest(reltuples, 0)::float8 FROM pg_class WHERE oid = %s::regclass",
        [windows.as_string(connection)],
    ).fetchone()
    estimate = float(row[0]) if row else 0.0
    sample = sql.SQL("TABLESAMPLE BERNOULLI ({}) REPEATABLE (1)")
    percent = 100.0 * count * 4 / estimate if estimate > count * 8 else 100.0
    for share in (percent, 100.0):  # the estimate may be old
        found = connection.execute(
            sql.SQL(
                "SELECT embedding::vector FROM {} {} ORDER BY md5(document_id::text || window_index) LIMIT {}"
            ).format(windows, sample.format(sql.Literal(min(100.0, share))), sql.Literal(count))
        ).fetchall()
        if len(found) == count:
            break
    return [row[0].to_numpy() for row in found]
