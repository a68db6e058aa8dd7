"""Keeps the vector indexes right: decides what an index needs, and does it while searching goes on.

After each ingest (`maintain`), from `pgask index` (`rebuild`, `tune`), and in the running service (app/index/watch.py).
Sync, as the schema's owner. An index is built where there are enough rows and none is there, where a setting asks for
another kind, and where the rows have doubled or halved, so that √rows lists are others. After a fifth of the rows has
changed it is measured again. It has drifted, and is built anew, where the questions then miss more than the target with
more than chance, or where reaching it takes DRIFT times the share of the index's pages that it took when it was built:
new rows that lie together crowd into the few lists nearest to them, and each question there reads them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal

import psycopg
import structlog
from psycopg import sql
from psycopg.rows import class_row

from app.errors import InvalidRequestError
from app.index import build as index_build
from app.index import manifest as vector_index
from app.index.background import BackgroundReport, read_backgrounds, renew_backgrounds
from app.index.manifest import IndexFault, IndexSettings, IndexState, Measurement, VectorIndex
from app.index.recall import Point, calibrate, measure_at, sample_truth, trace_curve
from app.store.connection import Connection
from app.store.migrate import current_revision
from app.store.partitions import arrange_partitions, partitions_of
from app.store.posting_blocks import LEAST_CHUNKS, merge_postings
from app.store.revisions import is_whole
from app.store.schema_names import SCHEMA
from app.store.spaces import chunk_table

CHANGED: Final = 0.2  # share of the measured rows that came or went: measured again
REGROWN: Final = 2.0  # times the rows that it was built with, or so many times fewer: other lists
DRIFT: Final = 1.5
_VISIBLE: Final = 0.8  # share of the postings' pages that need no look into the table
_LEAST_PAGES: Final = 100
_SMALL_INDEXES: Final = (
    2**26
)  # bytes that rows leave behind in indexes once they are merged, to be used again
_HALF_BUILT: Final = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = 'pgask.postings'::regclass AND NOT i.indisvalid"""
# Pages to look at (64 MB) up to which somebody who waits has it done, seconds; more is for the service, and autovacuum.
_WAITED_FOR_PAGES: Final = 8_192
# Of a vacuum in the background: at autovacuum's pace, and for so long a look. What it did by then stays done.
_PACE: Final = {"vacuum_cost_delay": "2ms", "statement_timeout": "10min"}
_log = structlog.get_logger(__name__)

Need = Literal["nothing", "measure", "build"]


@dataclass(frozen=True, slots=True)
class Space:
    """An embedding space as its owner sees it, or the partition (of the space `partition_of`) that `collection` has for
    itself; `collections` have their vectors there."""

    id: int
    model: str
    dimension: int
    collections: int
    partition_of: int | None = None
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """What the role of a connection may do beyond rows."""

    name: str
    superuser: bool
    bypasses_rls: bool
    owns_schema: bool


@dataclass(frozen=True, slots=True)
class IndexReport:
    """A space's index as people and programs see it; None where there is none, or it was not measured.

    `recall` is recall@10 against exact search with its 95 % interval, over `questions` of which people asked
    `stored_questions`. `changed_rows` came or went since. `drift` is the share of the index's pages that a question
    reads as a multiple of what it was when the index was built. Times are ISO 8601, UTC. `fault`: there should be an
    index, and it is missing, invalid or of other options; search is exact. `backgrounds` are what cosines in the
    space's collections are measured against.
    """

    rows: int
    method: str | None = None
    precision: str | None = None
    lists: int | None = None
    probes: int | None = None
    ef_search: int | None = None
    recall: float | None = None
    recall_low: float | None = None
    recall_high: float | None = None
    target_recall: float | None = None
    questions: int = 0
    stored_questions: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    exact_p50_ms: float | None = None
    size_bytes: int | None = None
    build_s: float | None = None
    built_at: str | None = None
    measured_at: str | None = None
    changed_rows: int | None = None
    drift: float | None = None
    fault: IndexFault | None = None
    backgrounds: tuple[BackgroundReport, ...] = ()


def maintain(
    owner: Connection,
    space_id: int,
    settings: IndexSettings,
    *,
    wait: bool = True,
    most_rows: int | None = None,
) -> IndexReport | None:
    """Do what the index needs, forget one that is gone, and drop what a killed process left; so too for the partitions
    that collections of the space have for themselves, which are made here. Merge postings and sample backgrounds of
    cosines that are due. Returns the report, of the first index that needed something; None where none did, or with
    `wait` False where another process is at it.

    With `wait` or `most_rows` somebody waits for it: then large tables are not vacuumed. Of a space of more than
    `most_rows` chunks no index is built or measured, and nothing moves. Both are left to the service, which has the
    time.
    """
    waited_for = wait or most_rows is not None
    # Services of the version before read rows alone: nothing is merged as long as there may be one
    if is_whole(current_revision(owner)):
        if merge_postings(owner, space_id, least=LEAST_CHUNKS):
            _vacuum_merged(owner, waited_for=waited_for)
        if most_rows is None and arrange_partitions(owner, space_id, settings.partition_chunks):
            _forget_needless(owner, space_id, settings)
    renew_backgrounds(owner, space_id)
    found = [
        _maintain_index(owner, partition, settings, wait=wait, most_rows=most_rows)
        for partition in (space_id, *partitions_of(owner, space_id))
    ]
    return next((report for report in found if report is not None), None)


def _forget_needless(owner: Connection, space_id: int, settings: IndexSettings) -> None:
    """No index where so few rows are left that none would be built: it is as large as for those that went."""
    with index_build.build_lock(owner, space_id):
        state = vector_index.read_state(owner, space_id)
        if state.index is not None and vector_index.count_rows(owner, space_id) < settings.min_rows:
            vector_index.forget_index(owner, space_id)
            index_build.drop_unused(owner, replace(state, index=None))


def _maintain_index(
    owner: Connection, space_id: int, settings: IndexSettings, *, wait: bool, most_rows: int | None
) -> IndexReport | None:
    """Of one partition: that of a space's number is the one its collections share."""
    _make_visible(owner, space_id, waited_for=wait or most_rows is not None)
    vector_index.note_rows(owner, space_id)
    if most_rows is not None and vector_index.count_rows(owner, space_id) > most_rows:
        return None
    due = find_need(owner, space_id, settings)[0] != "nothing"
    due = due or vector_index.read_state(owner, space_id).fault is not None
    if not due and not index_build.find_unused(owner, vector_index.read_state(owner, space_id)):
        return None
    with index_build.build_lock(owner, space_id, wait=wait and due) as locked:
        if not locked:
            return None
        is_lost = _forget_lost(owner, space_id)
        index_build.drop_unused(owner, vector_index.read_state(owner, space_id))
        need, why = found = find_need(owner, space_id, settings)  # another process may have done it meanwhile
        if need == "measure":
            need, why = _measure(owner, vector_index.read_state(owner, space_id), settings)
        if need == "build":
            _build(owner, vector_index.read_state(owner, space_id), settings, why)
    return report(owner, space_id) if is_lost or found[0] != "nothing" else None


def rebuild(owner: Connection, space_id: int, settings: IndexSettings) -> IndexReport:
    """Build the index anew beside the one in use, measure it, swap. Searching goes on. Waits for another build."""
    with index_build.build_lock(owner, space_id):
        _forget_lost(owner, space_id)
        _build(owner, vector_index.read_state(owner, space_id), settings, "asked for")
    return report(owner, space_id)


def tune(owner: Connection, space_id: int, *, target_recall: float) -> IndexReport:
    """Measure the index again and keep the least effort that calibrate accepts. Raises InvalidRequestError without
    an index."""
    with index_build.build_lock(owner, space_id):
        state = _with_index(owner, space_id)
        _measure(owner, state, IndexSettings(target_recall=target_recall))
    return report(owner, space_id)


def curve(owner: Connection, space_id: int) -> list[Point]:
    """Recall and time of the index in use from the least effort up. Raises InvalidRequestError without an index."""
    state = _with_index(owner, space_id)
    assert state.index is not None
    return trace_curve(owner, state, state.index, sample_truth(owner, state))


def find_need(connection: Connection, space_id: int, settings: IndexSettings) -> tuple[Need, str]:
    """What the index needs, and why in a few words."""
    state = vector_index.read_state(connection, space_id)
    rows = vector_index.count_rows(connection, space_id)
    precision = vector_index.effective_precision(settings.precision, state.dimension)
    if rows < settings.min_rows or precision is None:
        return "nothing", ""
    if state.index is None:
        return "build", "enough rows" if state.fault is None else f"the index was {state.fault}"
    if (state.index.method, state.index.precision) != (settings.method, precision):
        return "build", "a setting changed"
    if state.latest is None or state.built is None:
        return "measure", "not measured"
    if state.index.lists is not None:
        lists = index_build.choose_lists(connection, rows, state.dimension, settings)
        if not 1 / REGROWN < (lists / state.index.lists) ** 2 < REGROWN:
            return "build", "rows doubled or halved"
    other_target = state.latest.target_recall != settings.target_recall
    changed = vector_index.count_changes(connection, space_id, state.latest) >= CHANGED * state.latest.rows
    return ("measure", "rows or target changed") if other_target or changed else ("nothing", "")


def report(connection: Connection, space_id: int) -> IndexReport:
    """The state of a space's index as it was last measured, with today's rows."""
    state = vector_index.read_state(connection, space_id)
    rows = vector_index.count_rows(connection, space_id)
    backgrounds = tuple(read_backgrounds(connection, space_id))
    if state.index is None:
        return IndexReport(rows, fault=state.fault, backgrounds=backgrounds)
    index, latest = state.index, state.latest
    found = IndexReport(
        rows,
        method=index.method,
        precision=index.precision,
        lists=index.lists,
        probes=index.effort if index.method == "ivfflat" else None,
        ef_search=index.effort if index.method == "hnsw" else None,
        size_bytes=vector_index.size_bytes(connection, state),
        build_s=state.build_s,
        built_at=state.built_at,
        backgrounds=backgrounds,
    )
    if latest is None:
        return found
    return replace(
        found,
        recall=latest.recall,
        recall_low=latest.recall_low,
        recall_high=latest.recall_high,
        target_recall=latest.target_recall,
        questions=latest.questions,
        stored_questions=latest.stored_questions,
        p50_ms=latest.p50_ms,
        p95_ms=latest.p95_ms,
        exact_p50_ms=latest.exact_p50_ms,
        measured_at=latest.measured_at,
        changed_rows=vector_index.count_changes(connection, space_id, latest),
        drift=None if state.built is None else round(_drift(state.built, latest), 2),
    )


def list_spaces(connection: Connection) -> list[Space]:
    """All embedding spaces and partitions, in the order that they were made."""
    with connection.cursor(row_factory=class_row(Space)) as cursor:
        return cursor.execute(
            "SELECT s.id, s.model, s.dimension, s.partition_of, count(c.id) AS collections,"
            " CASE WHEN s.partition_of IS NOT NULL THEN min(c.name) END AS collection"
            " FROM pgask.embedding_spaces s"
            " LEFT JOIN pgask.collections c ON coalesce(c.partition_id, c.space_id) = s.id"
            " GROUP BY s.id ORDER BY s.id"
        ).fetchall()


def versions(connection: Connection) -> tuple[str, str]:
    """PostgreSQL's and pgvector's versions; the latter "none" where it is missing."""
    row = connection.execute(
        "SELECT current_setting('server_version'),"
        " coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'), 'none')"
    ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1])


def role(connection: Connection) -> Role:
    """The role of a connection."""
    with connection.cursor(row_factory=class_row(Role)) as cursor:
        found = cursor.execute(
            "SELECT r.rolname AS name, r.rolsuper AS superuser, r.rolbypassrls AS bypasses_rls,"
            " EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'pgask' AND pg_has_role(r.oid, n.nspowner, 'USAGE'))"
            " AS owns_schema FROM pg_roles r WHERE r.rolname = current_user"
        ).fetchone()
    assert found is not None
    return found


def _make_visible(owner: Connection, space_id: int, *, waited_for: bool) -> None:
    """Vacuum postings and vectors after much was written. Until then an index-only scan, which BM25 and counting live
    on, looks every row up in the table; autovacuum gets there, a minute or more later."""
    for table in (
        sql.Identifier(SCHEMA, "postings"),
        sql.Identifier(SCHEMA, "posting_blocks"),
        chunk_table(space_id),
    ):
        row = owner.execute(
            "SELECT pg_relation_size(oid) / current_setting('block_size')::int, relallvisible FROM pg_class"
            " WHERE oid = %s::regclass",
            [table.as_string(owner)],
        ).fetchone()
        assert row is not None
        pages, visible = int(row[0]), int(row[1])
        if pages < _LEAST_PAGES or visible >= _VISIBLE * pages:
            continue
        if waited_for and pages - visible > _WAITED_FOR_PAGES:
            continue
        with _paced({} if waited_for else _PACE, owner):
            owner.execute(sql.SQL("VACUUM (ANALYZE, SKIP_LOCKED) {}").format(table))


def _vacuum_merged(owner: Connection, *, waited_for: bool) -> None:
    """Give back the room of rows that were merged: the table's by a vacuum, that of its indexes, where it is much, by
    building them anew beside the ones in use. Nobody waits for more than some seconds of it."""
    pages = owner.execute(
        "SELECT pg_total_relation_size('pgask.postings') / current_setting('block_size')::int"
    ).fetchone()
    assert pages is not None
    if waited_for and pages[0] > _WAITED_FOR_PAGES:
        return
    for table in ("postings", "posting_blocks"):
        owner.execute(
            sql.SQL("VACUUM (ANALYZE, SKIP_LOCKED) {}").format(sql.Identifier(SCHEMA, table)),
        )
    row = owner.execute(
        "SELECT pg_indexes_size(oid) > greatest(%s, 4 * pg_relation_size(oid)) FROM pg_class"
        " WHERE oid = 'pgask.postings'::regclass",
        [_SMALL_INDEXES],
    ).fetchone()
    if row == (True,):
        for (name,) in owner.execute(_HALF_BUILT).fetchall():  # by one that was killed
            owner.execute(
                sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(SCHEMA, name))
            )
        owner.execute("REINDEX TABLE CONCURRENTLY pgask.postings")


@contextmanager
def _paced(settings: Mapping[str, str], owner: Connection) -> Iterator[None]:
    """A statement with these settings; one that they end early goes on at the next look."""
    for name, value in settings.items():
        owner.execute("SELECT set_config(%s, %s, false)", [name, value])
    try:
        yield
    except psycopg.errors.QueryCanceled:
        if not settings:
            raise
        _log.info("a vacuum was cut short; the next look goes on with it")
    finally:
        for name in settings if not owner.closed else ():
            owner.execute(sql.SQL("RESET {}").format(sql.Identifier(name)))


def _forget_lost(owner: Connection, space_id: int) -> bool:
    """Have the manifest tell of no index that can't be used: dropped by hand, not restored, or another one by its name.
    Under build_lock."""
    state = vector_index.read_state(owner, space_id)
    if state.fault is None:
        return False
    vector_index.forget_index(owner, space_id)
    _log.warning(
        "the vector index can't be used and is forgotten; upkeep builds another one",
        space=space_id,
        build=state.last_build,
        fault=state.fault,
    )
    return True


def _build(owner: Connection, state: IndexState, settings: IndexSettings, why: str) -> None:
    index, build_s = index_build.create_index(owner, state, settings)
    truth = sample_truth(owner, state)
    index, measured = calibrate(owner, state, index, truth, settings.target_recall)
    state = replace(
        state,
        last_build=index.build,
        index=index,
        built_at=vector_index.now(),
        build_s=round(build_s, 2),
        built=measured,
        latest=measured,
    )
    vector_index.write_state(owner, state)
    index_build.drop_unused(owner, state)
    _log.info("vector index built", space=state.space_id, why=why, **_figures(index, measured))


def _measure(owner: Connection, state: IndexState, settings: IndexSettings) -> tuple[Need, str]:
    """Measure at the effort in use, then choose it anew. Returns whether the index has drifted, and how."""
    index = state.index
    assert index is not None
    truth = sample_truth(owner, state)
    before = measure_at(owner, state, index, truth, index.effort)
    tuned, measured = calibrate(owner, state, index, truth, settings.target_recall)
    comparable = state.built is not None and state.built.target_recall == settings.target_recall
    built = state.built if state.built is not None and comparable else measured
    vector_index.write_state(owner, replace(state, index=tuned, built=built, latest=measured))
    drift = _drift(built, measured)
    _log.info(
        "vector index measured", space=state.space_id, drift=round(drift, 2), **_figures(tuned, measured)
    )
    missed = before.recall_high < settings.target_recall
    if comparable:
        if missed:
            return "build", f"recall {before.recall} at the effort in use"
        if drift > DRIFT:
            return "build", f"{drift:.1f} times the pages"
    return "nothing", ""


def _drift(built: Measurement, latest: Measurement) -> float:
    then, today = built.pages / max(1, built.index_pages), latest.pages / max(1, latest.index_pages)
    return today / then if then else 1.0


def _with_index(connection: Connection, space_id: int) -> IndexState:
    state = vector_index.read_state(connection, space_id)
    if state.index is None:
        raise InvalidRequestError(
            f"Space {space_id} has no index that can be used: its search is exact. `pgask index rebuild` builds "
            "one once there are PGASK_INDEX_MIN_ROWS chunks.",
            code="no_index",
        )
    return state


def _figures(index: VectorIndex, measured: Measurement) -> dict[str, object]:
    return {
        "method": index.method,
        "precision": index.precision,
        "lists": index.lists,
        "effort": index.effort,
        "recall": measured.recall,
        "recall_low": measured.recall_low,
        "rows": measured.rows,
        "p50_ms": measured.p50_ms,
    }
