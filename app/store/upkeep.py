"""What `pgask index` and `pgask doctor` ask of a database: spaces, tuning an index, versions and roles. Sync."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.errors import InvalidRequestError
from app.store.engine import Connection
from app.store.ivfflat import IndexReport, calibrate, report


@dataclass(frozen=True, slots=True)
class Space:
    """An embedding space as its owner sees it."""

    id: int
    model: str
    dimension: int
    collections: int


@dataclass(frozen=True, slots=True)
class Role:
    """What the role of a connection may do beyond rows."""

    name: str
    superuser: bool
    bypasses_rls: bool
    owns_schema: bool


def list_spaces(connection: Connection) -> list[Space]:
    """All embedding spaces in the order that they were made."""
    with connection.cursor(row_factory=class_row(Space)) as cursor:
        return cursor.execute(
            "SELECT s.id, s.model, s.dimension,"
            " (SELECT count(*) FROM pgask.collections c WHERE c.space_id = s.id) AS collections"
            " FROM pgask.embedding_spaces s ORDER BY s.id"
        ).fetchall()


def tune(owner: Connection, space_id: int, *, target_recall: float) -> IndexReport:
    """Measure the index again and keep the probes that reach the target. Raises InvalidRequestError without one."""
    row = owner.execute(
        "SELECT index_lists, index_report FROM pgask.embedding_spaces WHERE id = %s", [space_id]
    ).fetchone()
    if row is None or row[0] is None:
        raise InvalidRequestError(
            f"Space {space_id} has no index: its search is exact. `pgask index rebuild` builds one once there are "
            "PGASK_INDEX_MIN_ROWS chunks.",
            code="no_index",
        )
    measured = calibrate(owner, space_id, lists=row[0], target_recall=target_recall)
    owner.execute(
        "UPDATE pgask.embedding_spaces SET index_probes = %s, index_report = %s WHERE id = %s",
        [measured["probes"], Jsonb((row[1] or {}) | measured), space_id],
    )
    return report(owner, space_id)


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
