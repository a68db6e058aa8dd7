"""Makes, lists and deletes tenants. Sync, as the schema's owner: the service's role may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from app.errors import InvalidRequestError, NotFoundError
from app.store.connection import Connection
from app.store.spaces import COLLECTION_NAME
from app.store.tenancy import DEFAULT_NAME

_LIST: Final = """
SELECT t.name, t.created_at, count(DISTINCT c.name) AS collections, coalesce(sum(c.chunk_count), 0)::bigint AS chunks,
       (SELECT count(*) FROM pgask.api_keys k WHERE k.tenant_id = t.id AND k.revoked_at IS NULL) AS keys
  FROM pgask.tenants t LEFT JOIN pgask.collections c ON c.tenant_id = t.id AND c.twin_of IS NULL
 GROUP BY t.id ORDER BY t.name"""


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant as it is listed; `keys` are those that are not revoked."""

    name: str
    collections: int
    chunks: int
    keys: int
    created_at: datetime


def list_tenants(owner: Connection) -> Sequence[TenantRow]:
    """All of them by name."""
    with owner.cursor(row_factory=class_row(TenantRow)) as cursor:
        return cursor.execute(_LIST).fetchall()


def create_tenant(owner: Connection, name: str) -> None:
    """Make one. Raises InvalidRequestError for a bad name, and where there is one of that name."""
    if not COLLECTION_NAME.fullmatch(name):
        raise InvalidRequestError(
            "A tenant's name has 1 to 64 letters, digits, '_', '-', '.' or inner spaces, and starts and ends with a "
            "letter or digit."
        )
    made = owner.execute(
        "INSERT INTO pgask.tenants (name) VALUES (%s) ON CONFLICT (name) DO NOTHING RETURNING id", [name]
    ).fetchone()
    if made is None:
        raise InvalidRequestError(
            f"There is a tenant {name!r} already. Choose another name, or use that one.", code="tenant_exists"
        )


def delete_tenant(owner: Connection, name: str) -> int:
    """Delete one with all its rows; returns how many documents there were. Raises NotFoundError, and
    InvalidRequestError for `default`, which is whose everything is that names no other."""
    if name == DEFAULT_NAME:
        raise InvalidRequestError(
            "The tenant 'default' stays. `pgask collections delete` deletes what is in it.",
            code="default_tenant",
        )
    with owner.transaction():
        row = owner.execute("SELECT id FROM pgask.tenants WHERE name = %s FOR UPDATE", [name]).fetchone()
        if row is None:
            raise NotFoundError(f"There is no tenant {name!r}. `pgask tenants list` lists them.")
        documents = owner.execute(
            "DELETE FROM pgask.documents WHERE collection_id IN"
            " (SELECT id FROM pgask.collections WHERE tenant_id = %s AND twin_of IS NULL)",  # copies go with them
            [row[0]],
        ).rowcount
        owner.execute("DELETE FROM pgask.tenants WHERE id = %s", [row[0]])  # all else goes with it
    return documents
