"""Gives large collections vector tables of their own, among those of their space (ADR 0046), and takes them back.

Sync, as the schema's owner; app/index/maintenance.py says when. A partition has a row of its own in the manifest, whose
number its tables and its index have. PostgreSQL moves a row by an UPDATE of `partition_id`, from one table into the
other at once: each vector is found once at any moment, searches meanwhile read both (app/search/plan.py), and a move
that was killed goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psycopg
import structlog
from psycopg import sql
from psycopg.rows import class_row

from app.sqlstates import store_errors
from app.store.connection import Connection
from app.store.spaces import (
    SPACE_FIELDS,
    all_chunks,
    all_windows,
    chunk_table,
    create_partition,
    window_table,
)

BATCH_CHUNKS: Final = 2_000  # moved in one transaction; who writes to one of its documents waits for it
SHRUNK: Final = 0.5  # of the chunks that a partition is made for: its collection goes back
_LOCK_TIMEOUT: Final = "1s"  # whoever waits for a lock on tables makes all wait that come after it
_REST_S: Final = 0.1
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('pgask.partitions'), %s)"
_UNLOCK: Final = "SELECT pg_advisory_unlock(hashtext('pgask.partitions'), %s)"
_log = structlog.get_logger(__name__)

_PLACES: Final = """
SELECT id, chunk_count, partition_id, leaving_id FROM pgask.collections
 WHERE space_id = %s AND NOT importing ORDER BY id"""
_UNUSED: Final = """
SELECT s.id FROM pgask.embedding_spaces s
 WHERE s.partition_of = %s AND NOT EXISTS (
       SELECT FROM pgask.collections c WHERE s.id IN (c.partition_id, c.leaving_id))"""
# By the unique index on both; a document without chunks has no vectors.
_NEXT: Final = """
SELECT id, source, chunk_count FROM pgask.documents
 WHERE collection_id = %s AND source > %s AND chunk_count > 0 ORDER BY source LIMIT 500"""
# Who writes to a document or deletes it holds its row, and so finds all of it in one table or the other. One that is
# held is left for the next round.
_HOLD: Final = "SELECT id FROM pgask.documents WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"


@dataclass(frozen=True, slots=True)
class _Placed:
    id: int
    chunk_count: int
    partition_id: int | None
    leaving_id: int | None


def partitions_of(connection: Connection, space_id: int) -> list[int]:
    """The numbers of the partitions that collections of a space have for themselves."""
    rows = connection.execute(
        "SELECT id FROM pgask.embedding_spaces WHERE partition_of = %s ORDER BY id", [space_id]
    )
    return [row[0] for row in rows.fetchall()]


def arrange_partitions(owner: Connection, space_id: int, partition_chunks: int) -> int:
    """Give each collection of the space with `partition_chunks` chunks (0: none) that does not lie alone a partition,
    take back that of one which has shrunk to SHRUNK of that, finish what was begun, and drop what no collection has any
    more. Returns how many collections were moved; none where another process is at it. Raises StoreError."""
    with store_errors():
        if owner.execute(_TRY_LOCK, [space_id]).fetchone() != (True,):
            return 0
        try:
            _drop_unused(owner, space_id)  # first: who began to write where it was has a whole look of time
            moved = 0
            for placed in _placed(owner, space_id):
                if _begin(owner, space_id, placed, partition_chunks):
                    _move(owner, space_id, placed.id)
                    moved += 1
            return moved
        finally:
            if not owner.closed and not owner.broken:
                owner.execute(_UNLOCK, [space_id])


def _placed(connection: Connection, space_id: int) -> list[_Placed]:
    with connection.cursor(row_factory=class_row(_Placed)) as cursor:
        return cursor.execute(_PLACES, [space_id]).fetchall()


def _begin(owner: Connection, space_id: int, placed: _Placed, partition_chunks: int) -> bool:
    """Say where the collection's vectors are written from now on, where that is elsewhere; whether some are to move."""
    if placed.leaving_id is not None:
        return True
    is_large = 0 < partition_chunks <= placed.chunk_count
    if placed.partition_id is None and is_large and _lies_beside_others(owner, space_id, placed):
        partition = _create(owner, space_id)
        return partition is not None and _point(owner, placed, partition, space_id)
    if placed.partition_id is not None and (
        not partition_chunks or placed.chunk_count < SHRUNK * partition_chunks
    ):
        return _point(owner, placed, None, placed.partition_id)
    return False


def _lies_beside_others(owner: Connection, space_id: int, placed: _Placed) -> bool:
    """Else a search would bring nothing less for the move."""
    return any(
        other.chunk_count > 0 and other.partition_id is None and other.id != placed.id
        for other in _placed(owner, space_id)
    )


def _create(owner: Connection, space_id: int) -> int | None:
    """The number of a new partition; None where the tables are in use, and the next look tries again."""
    try:
        with owner.transaction():
            owner.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            row = owner.execute(
                f"INSERT INTO pgask.embedding_spaces ({SPACE_FIELDS}, partition_of)"  # noqa: S608 - constants only
                f" SELECT {SPACE_FIELDS}, id FROM pgask.embedding_spaces WHERE id = %s RETURNING id",
                [space_id],
            ).fetchone()
            assert row is not None
            create_partition(owner, space_id, row[0])
            return int(row[0])
    except psycopg.errors.LockNotAvailable:
        _log.info("the tables are in use; the next look makes the partition", space=space_id)
        return None


def _point(owner: Connection, placed: _Placed, partition: int | None, leaving: int) -> bool:
    """Waits for who is storing a document; one who began before and stores after it does so again
    (app/store/documents.py)."""
    pointed = owner.execute(
        "UPDATE pgask.collections SET partition_id = %s, leaving_id = %s"
        " WHERE id = %s AND partition_id IS NOT DISTINCT FROM %s AND leaving_id IS NULL AND NOT importing",
        [partition, leaving, placed.id, placed.partition_id],
    )
    return pointed.rowcount == 1


def _move(owner: Connection, space_id: int, collection: int) -> None:
    """Move what is left, in the order of the documents' names; readers and writers go on."""
    moved, before = 0, -1
    while not _is_finished(owner, collection):
        if moved == before:  # what is left is held by others
            time.sleep(_REST_S)
        before = moved
        for batch in _batches(owner, collection):
            with owner.transaction():
                held = [row[0] for row in owner.execute(_HOLD, [batch]).fetchall()]
                for table in (all_windows(space_id), all_chunks(space_id)):
                    rows = owner.execute(
                        sql.SQL(
                            "UPDATE {} v SET partition_id = coalesce(c.partition_id, c.space_id)"
                            " FROM pgask.collections c WHERE c.id = %s AND v.collection_id = c.id"
                            " AND v.document_id = ANY(%s) AND v.partition_id = c.leaving_id"
                        ).format(table),
                        [collection, held],
                    ).rowcount
            moved += rows
    _log.info("a collection's vectors were moved", space=space_id, collection=collection, chunks=moved)


def _batches(owner: Connection, collection: int) -> Iterator[list[object]]:
    after = ""
    while documents := owner.execute(_NEXT, [collection, after]).fetchall():
        batch, chunks = [], 0
        for document_id, _, chunk_count in documents:
            batch.append(document_id)
            chunks += chunk_count
            if chunks >= BATCH_CHUNKS:
                yield batch
                batch, chunks = [], 0
        if batch:
            yield batch
        after = documents[-1][1]


def _is_finished(owner: Connection, collection: int) -> bool:
    """Whether nothing is left where the collection was; then from here on nobody looks there. Under the lock of its row
    nobody is storing a document of it."""
    with owner.transaction():
        row = owner.execute(
            "SELECT leaving_id FROM pgask.collections WHERE id = %s FOR NO KEY UPDATE", [collection]
        ).fetchone()
        if row is None or row[0] is None:  # deleted, or emptied and moved to another space
            return True
        left = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE collection_id = %s)").format(chunk_table(row[0]))
        if owner.execute(left, [collection]).fetchone() == (True,):
            return False
        owner.execute("UPDATE pgask.collections SET leaving_id = NULL WHERE id = %s", [collection])
        return True


def _drop_unused(owner: Connection, space_id: int) -> None:
    """Drop the tables of collections that were deleted or went back: their room is free at once, without a vacuum."""
    for (partition,) in owner.execute(_UNUSED, [space_id]).fetchall():
        try:
            with owner.transaction():
                owner.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                for table in (chunk_table(partition), window_table(partition)):
                    owner.execute(sql.SQL("DROP TABLE {}").format(table))
                owner.execute("DELETE FROM pgask.embedding_spaces WHERE id = %s", [partition])
        except psycopg.errors.LockNotAvailable:
            _log.info("a partition is in use; the next look drops it", space=space_id, partition=partition)
