"""Builds a space's vector index beside the one in use, and drops what is used no more. Sync, as the schema's owner."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from app.config import IndexMethod
from app.errors import StoreError
from app.index import hnsw, ivfflat
from app.index.manifest import (
    MOST_HALF_DIMENSION,
    IndexSettings,
    IndexState,
    VectorIndex,
    count_rows,
    effective_precision,
    index_name,
)
from app.store.connection import Connection
from app.store.schema_names import VECTOR_SCHEMA
from app.store.server_version import installed_pgvector, pgvector_version
from app.store.spaces import chunk_table

_MOST_BYTES: Final = 4 * 2**30
_SAFE_HNSW: Final = (0, 8, 2)
_LEAST_BYTES: Final = 64 * 2**20
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('pgask.ivfflat'), %s)"
_UNLOCK: Final = "SELECT pg_advisory_unlock(hashtext('pgask.ivfflat'), %s)"
_LOCK_POLL_S: Final = 0.2


@contextmanager
def build_lock(owner: Connection, space_id: int, *, wait: bool = True) -> Iterator[bool]:
    """One build of a space at a time. Waits for another one; with `wait` False it gives False instead.

    Asked for again and again, since CREATE INDEX CONCURRENTLY would wait for a session that waits in a statement.
    """
    while owner.execute(_TRY_LOCK, [space_id]).fetchone() != (True,):
        if not wait:
            yield False
            return
        time.sleep(_LOCK_POLL_S)
    try:
        yield True
    finally:
        if not owner.closed and not owner.broken:
            owner.execute(_UNLOCK, [space_id])


def create_index(owner: Connection, state: IndexState, settings: IndexSettings) -> tuple[VectorIndex, float]:
    """Build a new index beside the one in use. Returns it, not yet used by anyone, and the seconds it took.

    Raises StoreError where pgvector can't index vectors of this dimension. Under build_lock.
    """
    precision = effective_precision(settings.precision, state.dimension)
    if precision is None:
        raise StoreError(
            f"pgvector indexes at most {MOST_HALF_DIMENSION:,} dimensions; space {state.space_id} has "
            f"{state.dimension:,}. Its search stays exact.",
            code="too_many_dimensions",
        )
    drop_unused(owner, state)
    rows, lists = count_rows(owner, state.space_id), None
    if settings.method == "ivfflat":
        lists = choose_lists(owner, rows, state.dimension, settings)
        memory = ivfflat.build_bytes(lists, state.dimension)
    else:
        memory = hnsw.build_bytes(rows, state.dimension, 4 if precision == "full" else 2)
    index = VectorIndex(
        method=settings.method,
        precision=precision,
        build=state.last_build + 1,  # a number that no query has named yet
        dimension=state.dimension,
        lists=lists,
        effort=1,
    )
    started = time.monotonic()
    statement = _create_statement(state.space_id, index)
    workers = build_workers(settings.method, installed_pgvector(owner))
    with _build_session(owner, memory, workers):
        try:
            owner.execute(statement)
        except psycopg.errors.DiskFull:
            # Parallel workers share memory under /dev/shm, of which a container has 64 MB; one process needs none.
            _drop(owner, index_name(state.space_id, index.build))
            owner.execute("SET max_parallel_maintenance_workers = 0")
            owner.execute(statement)
    owner.execute(sql.SQL("ANALYZE {}").format(chunk_table(state.space_id)))
    return index, time.monotonic() - started


def choose_lists(connection: Connection, rows: int, dimension: int, settings: IndexSettings) -> int:
    """Lists for so many rows, fewer where there is too little memory to train them."""
    lists = settings.lists or ivfflat.choose_lists(rows)
    return ivfflat.fit_lists(lists, dimension, most_build_bytes(connection))


def build_workers(method: IndexMethod, pgvector: str | None) -> int:
    """Processes that help to build: none for hnsw before pgvector 0.8.2, where they may read and write beyond their
    memory (CVE-2026-3172)."""
    if method == "hnsw" and pgvector_version(pgvector) < _SAFE_HNSW:
        return 0
    return max(1, min(7, (os.cpu_count() or 2) - 1))


def drop_unused(owner: Connection, state: IndexState) -> None:
    """Drop every build of a space's index but the one in use: what was replaced, and what a killed build left.

    CONCURRENTLY: a plain DROP would wait for the longest reader and make all others wait behind it.
    """
    for name in find_unused(owner, state):
        _drop(owner, name)


def find_unused(connection: Connection, state: IndexState) -> list[str]:
    """Names of the builds of a space's index but the one in use; without build_lock one may be another process's work.
    Indexes that somebody else made have other names, and are left alone."""
    used = state.index and index_name(state.space_id, state.index.build)
    found = connection.execute(
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam"
        " WHERE i.indrelid = %s::regclass AND a.amname IN ('ivfflat', 'hnsw') ORDER BY 1",
        [f"{VECTOR_SCHEMA}.chunk_vectors_{state.space_id}"],
    ).fetchall()
    made = re.compile(rf"vectors_{state.space_id}_[1-9][0-9]*|{index_name(state.space_id, 0)}")
    return [name for (name,) in found if made.fullmatch(name) and name != used]


def most_build_bytes(connection: Connection) -> int:
    """What a build may take: half of what the server believes that the machine has for it (effective_cache_size), half
    of this machine's memory or its container's, which is the server's where it is embedded, and at most 4 GB."""
    row = connection.execute("SELECT pg_size_bytes(current_setting('effective_cache_size'))").fetchone()
    assert row is not None
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        limit = "max"
    memory = min(machine, int(row[0]), int(limit) if limit.isdecimal() else machine)
    return max(_LEAST_BYTES, min(_MOST_BYTES, memory // 2))


def _create_statement(space_id: int, index: VectorIndex) -> sql.Composed:
    column = sql.SQL("embedding vector_cosine_ops")
    if index.precision == "half":
        column = sql.SQL("(embedding::halfvec({})) halfvec_cosine_ops").format(sql.Literal(index.dimension))  # type: ignore[assignment]
    options = sql.SQL("lists = {}").format(sql.Literal(index.lists))
    if index.method == "hnsw":
        options = sql.SQL("m = {}, ef_construction = {}").format(
            sql.Literal(hnsw.M), sql.Literal(hnsw.EF_CONSTRUCTION)
        )
    return sql.SQL(
        "CREATE INDEX CONCURRENTLY {name} ON {table} USING {method} ({column}) WITH ({options})"
        " WHERE chunk_id <> {build}"
    ).format(
        name=sql.Identifier(index_name(space_id, index.build)),
        table=chunk_table(space_id),
        method=sql.Identifier(index.method),
        column=column,
        options=options,
        build=sql.Literal(-index.build),
    )


@contextmanager
def _build_session(owner: Connection, memory: int, workers: int) -> Iterator[None]:
    """Memory and workers for one build, given back after it."""
    megabytes = min(max(memory * 21 // 20, _LEAST_BYTES), most_build_bytes(owner)) // 2**20 + 16
    owner.execute(
        "SELECT set_config('maintenance_work_mem', %s, false),"
        " set_config('max_parallel_maintenance_workers', %s, false)",
        [f"{megabytes}MB", str(workers)],
    )
    try:
        yield
    finally:
        if not owner.closed and not owner.broken:
            owner.execute("RESET maintenance_work_mem")
            owner.execute("RESET max_parallel_maintenance_workers")


def _drop(owner: Connection, name: str) -> None:
    owner.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(VECTOR_SCHEMA, name)))
