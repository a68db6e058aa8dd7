"""What a collection holds of files that are about to come. Async, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from psycopg.rows import class_row

from app.store.connection import AsyncConnection
from app.store.sources import UPLOADED


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A document's name, the SHA-256 of the bytes that it was made of (hex), its status, its readers' groups, and
    whether it came by an upload: only such a one is replaced by another."""

    source: str
    sha256: str | None
    status: str
    readers: list[str]
    was_uploaded: bool


async def find_stored(
    connection: AsyncConnection, collection: str, sources: Collection[str], sums: Collection[str]
) -> list[StoredFile]:
    """The documents of a collection that have one of these names, or were made of the same bytes, by name; none where
    there is no such collection. Reads a row of each of its documents."""
    async with connection.cursor(row_factory=class_row(StoredFile)) as rows:
        await rows.execute(
            "SELECT d.source, d.content_sha256 AS sha256, d.status,"
            " coalesce(c.readers, '{}') AS readers,"
            " d.root IS NULL OR d.root = %s AS was_uploaded FROM pgask.documents d"
            " JOIN pgask.collections c ON c.id = d.collection_id AND c.twin_of IS NULL AND NOT c.importing"
            " WHERE c.name = %s AND d.status <> 'skipped'"
            " AND (d.source = ANY(%s) OR d.content_sha256 = ANY(%s)) ORDER BY d.source",
            [UPLOADED, collection, list(sources), list(sums)],
        )
        return await rows.fetchall()
