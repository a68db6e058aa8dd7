"""The vector index of a space: what it is, how a query uses it, and what the manifest knows of it.

Each build is a partial index over all rows, `WHERE chunk_id <> -BUILD`: no chunk has a negative id, so it holds every
row, and PostgreSQL uses it only for a query that states that very condition. So a query uses the build that its probes
were measured on, never one that is being built, measured or dropped beside it; the swap is one UPDATE of the manifest.
Half precision is an index over `embedding::halfvec`: the table stays as it is, and the setting can be changed online.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal

import structlog
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from app.config import IndexMethod, Settings, VectorPrecision
from app.errors import NotFoundError
from app.index import hnsw, ivfflat
from app.store.connection import Connection
from app.store.schema_names import VECTOR_SCHEMA
from app.store.spaces import chunk_table

MOST_FULL_DIMENSION: Final = 2_000  # pgvector indexes no longer vector
MOST_HALF_DIMENSION: Final = 4_000  # and no longer halfvec

_log = structlog.get_logger(__name__)

IndexFault = Literal["missing", "invalid", "other_options"]

# A space's index is that of the partition that its collections share. Large collections have partitions of their own,
# each with a row in the manifest and an index (app/store/partitions.py): what is said here of spaces holds for these.
#
# What is wrong with the index that the manifest names, of the row `s` of embedding_spaces; NULL where nothing is, or
# none is named. Looked up by name and in the statement's snapshot, so that it is never of another build.
INDEX_FAULT: Final = r"""
CASE WHEN s.index_method IS NOT NULL THEN coalesce((
    SELECT CASE WHEN NOT i.indisvalid THEN 'invalid'
                WHEN a.amname = s.index_method
                 AND t.relname = 'chunk_vectors_' || s.id
                 AND o.opcname = CASE s.index_precision WHEN 'half' THEN 'halfvec' ELSE 'vector' END || '_cosine_ops'
                 AND (s.index_lists IS NULL OR 'lists=' || s.index_lists = ANY (c.reloptions))
                 AND coalesce(substring(pg_get_expr(i.indpred, i.indrelid) FROM '-(\d+)'), '0') = s.index_build::text
                THEN '' ELSE 'other_options' END
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_am a ON a.oid = c.relam
      JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
      JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0]
     WHERE n.nspname = 'pgask_vectors'
       AND c.relname = CASE s.index_build
                       WHEN 0 THEN 'ivfflat_' || s.id ELSE 'vectors_' || s.id || '_' || s.index_build END
    ), 'missing') END"""

# Which index of the row `s` can be asked, and how; its number alone where there is none.
INDEX_STATE: Final = f"""concat_ws(':', s.id, CASE {INDEX_FAULT} WHEN ''
 THEN concat_ws(':', s.index_method, s.index_build, s.index_probes, s.index_ef_search) END)"""

# Builds are numbered through all partitions of a space: a statement that asks several of them names a build of each.
_STATE: Final = f"""
SELECT dimension, index_method AS method, index_precision AS precision, index_build AS build, index_lists AS lists,
       coalesce(index_probes, index_ef_search) AS effort, index_report AS report, {INDEX_FAULT} AS fault,
       (SELECT max(o.index_build) FROM pgask.embedding_spaces o
         WHERE coalesce(o.partition_of, o.id) = coalesce(s.partition_of, s.id)) AS last_build
  FROM pgask.embedding_spaces s WHERE id = %s"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """The part of the settings that an index is built and kept by."""

    method: IndexMethod = "ivfflat"
    precision: VectorPrecision = "full"
    min_rows: int = 10_000
    target_recall: float = 0.95
    partition_chunks: int = 0  # of a collection that gets a partition of its own; 0: none does
    lists: int | None = None  # of ivfflat; None: by the rows. No setting: for evaluation

    @classmethod
    def from_settings(cls, settings: Settings) -> IndexSettings:
        """The group from all settings."""
        return cls(
            method=settings.index_method,
            precision=settings.vector_precision,
            min_rows=settings.index_min_rows,
            target_recall=settings.index_target_recall,
            partition_chunks=settings.partition_chunks,
        )


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """An index that can be asked. `effort` is how hard a query searches: probes of ivfflat, ef_search of hnsw. Where
    several partitions are asked at once, each has its own: `others` are their builds, `lists` those of all."""

    method: IndexMethod
    precision: VectorPrecision
    build: int
    dimension: int
    lists: int | None
    effort: int
    others: tuple[int, ...] = ()

    @classmethod
    def of_partitions(cls, rows: Iterable[Mapping[str, Any]]) -> VectorIndex | None:
        """What partitions are asked by, of their rows of the manifest with `index_fault`. One without an index is read
        whole. None where none has one, and where they are of different kinds, as they are while a setting changes."""
        found = []
        for row in rows:
            if row["index_fault"]:
                _warn_of_index(row["partition_id"], row["index_build"], row["index_fault"])
            elif row["index_method"] is not None:
                effort = row["index_probes"] or row["index_ef_search"]
                kind = row["index_method"], row["index_precision"]
                found.append(cls(*kind, row["index_build"], row["dimension"], row["index_lists"], effort))
        if len({(index.method, index.precision) for index in found}) != 1:
            return None
        return replace(
            found[0],
            lists=sum(index.lists or 0 for index in found) or None,
            effort=max(index.effort for index in found),
            others=tuple(index.build for index in found[1:]),
        )

    @property
    def condition(self) -> sql.Composed:
        """True of every row of the alias v; what makes PostgreSQL take this build and no other."""
        builds = (
            sql.SQL("v.chunk_id <> {}").format(sql.Literal(-build)) for build in (self.build, *self.others)
        )
        return sql.SQL(" AND ").join(builds)

    @property
    def distance(self) -> sql.Composed:
        """The distance that the index orders by, of the alias v to the parameters `vector` or `half`."""
        if self.precision == "full":
            return sql.SQL("v.embedding <=> %(vector)s").format()
        return sql.SQL("v.embedding::halfvec({}) <=> %(half)s").format(sql.Literal(self.dimension))

    def session_settings(self, effort: int | None = None) -> dict[str, str]:
        """What a query's transaction sets. An iterative scan goes on until as many rows are found as asked for."""
        method = self.method
        settings = {
            ivfflat.EFFORT if method == "ivfflat" else hnsw.EFFORT: str(effort or self.effort),
            f"{method}.iterative_scan": "relaxed_order",
        }
        return settings if method == "ivfflat" else settings | {"hnsw.max_scan_tuples": str(2**31 - 1)}

    @property
    def highest_effort(self) -> int:
        """All lists, or pgvector's limit."""
        return self.lists or 1 if self.method == "ivfflat" else hnsw.MOST_EF_SEARCH

    @property
    def least_effort(self) -> int:
        """From where calibration starts."""
        return 1 if self.method == "ivfflat" else hnsw.LEAST_EF_SEARCH


@dataclass(frozen=True, slots=True)
class Measurement:
    """What asking an index with sampled questions found. `recall` is recall@10 against exact search, with the 95 %
    interval [recall_low, recall_high]. `questions` were asked, `stored_questions` of them asked by people before, the
    rest made of windows. `pages` is the mean number of pages that a question read of the `index_pages` there are."""

    recall: float
    recall_low: float
    recall_high: float
    questions: int
    stored_questions: int
    p50_ms: float
    p95_ms: float
    exact_p50_ms: float
    pages: float
    index_pages: int
    rows: int
    last_chunk_id: int
    target_recall: float
    measured_at: str


@dataclass(frozen=True, slots=True)
class IndexState:
    """What the manifest says of a space's index; `index` None: there is none, search is exact. `fault`: the manifest
    names one that can't be used. `built` is what the index measured when it was built, `latest` what it measured
    last."""

    space_id: int
    dimension: int
    last_build: int
    index: VectorIndex | None
    fault: IndexFault | None = None
    built_at: str | None = None
    build_s: float | None = None
    built: Measurement | None = None
    latest: Measurement | None = None


def read_state(connection: Connection, space_id: int) -> IndexState:
    """The manifest's word on a space's index, held against the index that there is. Raises NotFoundError."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_STATE, [space_id]).fetchone()
    if row is None:
        raise NotFoundError(f"There is no space {space_id}. `pgask index status` lists them.")
    fault = row.pop("fault") or None
    last_build = row.pop("last_build")
    if row["method"] is None or fault is not None:
        return IndexState(space_id, row["dimension"], last_build, None, fault)
    report = row.pop("report") or {}
    return IndexState(
        space_id=space_id,
        dimension=row["dimension"],
        last_build=last_build,
        index=VectorIndex(**row),
        built_at=report.get("built_at"),
        build_s=report.get("build_s"),
        built=_measurement(report.get("built")),
        latest=_measurement(report.get("latest")),
    )


def write_state(owner: Connection, state: IndexState) -> None:
    """Put a state with an index into the manifest: from here on new searches use it."""
    index = state.index
    assert index is not None
    report = {
        "built_at": state.built_at,
        "build_s": state.build_s,
        "built": state.built and asdict(state.built),
        "latest": state.latest and asdict(state.latest),
    }
    effort = {"ivfflat": None, "hnsw": None} | {index.method: index.effort}
    owner.execute(
        "UPDATE pgask.embedding_spaces SET index_method = %s, index_precision = %s, index_build = %s, index_lists = %s,"
        " index_probes = %s, index_ef_search = %s, index_report = %s WHERE id = %s",
        [
            *(index.method, index.precision, index.build, index.lists, effort["ivfflat"], effort["hnsw"]),
            *(Jsonb(report), state.space_id),
        ],
    )


def forget_index(owner: Connection, space_id: int) -> None:
    """Take a space's index out of the manifest: from here on new searches are exact. Builds are numbered on."""
    owner.execute(
        "UPDATE pgask.embedding_spaces SET index_method = NULL, index_precision = NULL, index_lists = NULL,"
        " index_probes = NULL, index_ef_search = NULL, index_report = NULL WHERE id = %s",
        [space_id],
    )


def effective_precision(precision: VectorPrecision, dimension: int) -> VectorPrecision | None:
    """The precision that an index of this dimension can have; None: pgvector can't index it, search stays exact.

    >>> effective_precision("full", 384), effective_precision("full", 3072), effective_precision("half", 4096)
    ('full', 'half', None)
    """
    if dimension > MOST_HALF_DIMENSION:
        return None
    return "half" if dimension > MOST_FULL_DIMENSION else precision


def index_name(space_id: int, build: int) -> str:
    """The index of a build; build 0 was made before builds were numbered."""
    return f"vectors_{space_id}_{build}" if build else f"ivfflat_{space_id}"


def count_rows(connection: Connection, space_id: int) -> int:
    """Chunks of the collections whose vectors lie in this partition, as the triggers count them: no table is read."""
    row = connection.execute(
        "SELECT coalesce(sum(chunk_count), 0)::bigint FROM pgask.collections"
        " WHERE coalesce(partition_id, space_id) = %s",
        [space_id],
    ).fetchone()
    assert row is not None
    return int(row[0])


def note_rows(owner: Connection, space_id: int) -> None:
    """Note how many chunks a space has, where that is another number by more than a twentieth: searches, which see the
    rows of one tenant alone, are planned by it."""
    owner.execute(
        "UPDATE pgask.embedding_spaces SET row_count = %(rows)s"
        " WHERE id = %(space)s AND abs(row_count - %(rows)s) > row_count / 20",
        {"rows": count_rows(owner, space_id), "space": space_id},
    )


def count_changes(connection: Connection, space_id: int, since: Measurement) -> int:
    """Rows that came or went since a measurement: those of today that it did not see, and those it saw that are gone.
    Reads the former alone, by the primary key: the rest follows from the number of rows, which triggers keep.

    A document that was ingested anew counts twice, its old chunks and its new ones.
    """
    row = connection.execute(new_rows_statement(space_id), [since.last_chunk_id]).fetchone()
    assert row is not None
    new = int(row[0])
    return new + max(0, since.rows - (count_rows(connection, space_id) - new))


def new_rows_statement(space_id: int) -> sql.Composed:
    """How many rows have a higher number than that of the parameter."""
    return sql.SQL("SELECT count(*) FROM {} WHERE chunk_id > %s").format(chunk_table(space_id))


def size_bytes(connection: Connection, state: IndexState) -> int | None:
    """What the index takes on disk; None without one."""
    if state.index is None:
        return None
    name = f"{VECTOR_SCHEMA}.{index_name(state.space_id, state.index.build)}"
    row = connection.execute("SELECT pg_relation_size(to_regclass(%s))", [name]).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def now() -> str:
    """The time, to the second, for a report."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@lru_cache(maxsize=1_000)  # once of each index
def _warn_of_index(space_id: int, build: int, fault: str) -> None:
    _log.warning(
        "the vector index can't be used; search is exact until it is built anew",
        space=space_id,
        build=build,
        fault=fault,
    )


def _measurement(stored: dict[str, Any] | None) -> Measurement | None:
    """None of a report that an older version wrote: it is measured anew."""
    names = {field.name for field in fields(Measurement)}
    return Measurement(**stored) if stored is not None and set(stored) == names else None
