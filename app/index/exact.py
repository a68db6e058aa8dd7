"""The nearest chunks of many questions, exactly, by one pass over a space's vectors instead of one a question. Sync.

The vectors come by COPY, block by block, and are compared with all questions by one matrix product: whatever the size,
memory has one block, its cosines and a short list for each question. The last digits of the product are not
PostgreSQL's, and an index's answers are held against these distances: pgvector compares the short lists once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from app.embedding import FloatMatrix
from app.store.binary_copy import HEADER, TRAILER
from app.store.connection import Connection
from app.store.spaces import chunk_table

_BLOCK_BYTES: Final = 1 << 24
# So many more than are asked for are compared again: among these, an error of 1e-7 in a cosine moves none out.
_SPARE: Final = 10
_LEAST_LENGTH: Final = np.float32(1e-20)


def find_nearest(
    connection: Connection, space_id: int, questions: FloatMatrix, neighbours: int
) -> list[NDArray[np.float64]]:
    """Of each question, (n, dimension), the cosine distances of its nearest chunks of the space, ascending, as pgvector
    computes them: `neighbours` of them, fewer where the connection sees fewer rows. One snapshot; not within a
    transaction of the caller's."""
    if not len(questions):
        return []
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        short_lists = _pass_over(connection, space_id, questions, neighbours + _SPARE)
        statement = sql.SQL(
            "SELECT v.embedding <=> %(vector)s AS distance FROM {} v WHERE v.chunk_id = ANY(%(ids)s)"
            " ORDER BY distance LIMIT {}"
        ).format(chunk_table(space_id), sql.Literal(neighbours))
        return [
            np.array(
                [row[0] for row in connection.execute(statement, {"vector": question, "ids": ids})],
                dtype=np.float64,
            )
            for question, ids in zip(questions, short_lists, strict=True)
        ]


def _pass_over(connection: Connection, space_id: int, questions: FloatMatrix, count: int) -> list[list[int]]:
    """The ids of the `count` chunks nearest to each question, in no order, by one scan."""
    asked = _unit(questions)
    best = np.full((len(asked), count), -np.inf, dtype=np.float32)
    ids = np.zeros((len(asked), count), dtype=np.int64)
    for block in _blocks(connection, space_id, asked.shape[1]):
        cosines = asked @ _unit(block["vector"].astype(np.float32)).T
        # Few vectors come near enough to any question once the first blocks are seen: only these are sorted in
        near = np.flatnonzero((cosines > best.min(axis=1, keepdims=True)).any(axis=0))
        if not len(near):
            continue
        best = np.hstack([best, cosines[:, near]])
        ids = np.hstack(
            [ids, np.broadcast_to(block["chunk_id"][near].astype(np.int64), (len(asked), len(near)))]
        )
        kept = np.argpartition(-best, count - 1, axis=1)[:, :count]
        best, ids = np.take_along_axis(best, kept, axis=1), np.take_along_axis(ids, kept, axis=1)
    return [found[seen].tolist() for found, seen in zip(ids, best > -np.inf, strict=True)]


def _blocks(connection: Connection, space_id: int, dimension: int) -> Iterator[NDArray[np.void]]:
    """Arrays of rows with `chunk_id` and `vector`, all of the space's that the connection sees, as they lie there."""
    row = np.dtype(
        [
            *(("columns", ">i2"), ("length0", ">i4"), ("chunk_id", ">i8"), ("length1", ">i4")),
            *(("dimension", ">i2"), ("unused", ">i2"), ("vector", ">f4", dimension)),
        ]
    )
    size = max(1, _BLOCK_BYTES // row.itemsize) * row.itemsize
    copied = sql.SQL("COPY (SELECT v.chunk_id, v.embedding FROM {} v) TO STDOUT (FORMAT BINARY)").format(
        chunk_table(space_id)
    )
    waiting, start = bytearray(), len(HEADER)
    with connection.cursor() as cursor, cursor.copy(copied) as copy:
        for piece in copy:
            waiting += piece
            if len(waiting) >= start + size:
                yield np.frombuffer(bytes(waiting[start : start + size]), dtype=row)
                waiting, start = waiting[start + size :], 0
    yield np.frombuffer(bytes(waiting[start : len(waiting) - len(TRAILER)]), dtype=row)


def _unit(vectors: FloatMatrix) -> FloatMatrix:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, _LEAST_LENGTH), dtype=np.float32)
