"""Files' bytes as they came, in parts of PART_BYTES, so that nobody holds a file whole. Async for the service, sync for
the worker.

An original belongs to a document, or to a file of a job that waits; what belongs to nothing is removed (`sweep`). Its
bytes never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from app.errors import NotFoundError
from app.store.connection import AsyncConnection, Connection
from app.store.twins import TODAYS

PART_BYTES: Final = 1 << 18

_ADD: Final = "INSERT INTO pgask.originals (name, sha256, size_bytes) VALUES (%s, %s, %s) RETURNING id"
_ADD_PART: Final = "INSERT INTO pgask.original_parts (original_id, part, bytes) VALUES (%s, %s, %s)"
_PART: Final = "SELECT bytes FROM pgask.original_parts WHERE original_id = %s AND part = %s"


@dataclass(frozen=True, slots=True)
class Original:
    """A document's file. `media_type` is what it was found to be; `has_its_text`: the document's text was made of these
    very bytes."""

    id: UUID
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    has_its_text: bool


async def add_original(
    connection: AsyncConnection, name: str, sha256: str, size_bytes: int, parts: Iterable[bytes]
) -> UUID:
    """Store a file; its parts are those of `cut_bytes`."""
    row = await (await connection.execute(_ADD, [name, sha256, size_bytes])).fetchone()
    assert row is not None
    for number, part in enumerate(parts):
        await connection.execute(_ADD_PART, [row[0], number, part], binary=True)
    return UUID(str(row[0]))


async def count_bytes(connection: AsyncConnection) -> int:
    """How many bytes of originals there are."""
    row = await (
        await connection.execute("SELECT coalesce(sum(size_bytes), 0)::bigint FROM pgask.originals")
    ).fetchone()
    return 0 if row is None else int(row[0])


async def find_original(connection: AsyncConnection, document_id: str) -> Original:
    """The original of a document. Raises NotFoundError, also where the document has none."""
    try:
        wanted = UUID(document_id)
    except ValueError:
        raise _no_original(document_id) from None
    async with connection.cursor(row_factory=class_row(Original)) as rows:
        await rows.execute(
            "SELECT o.id, o.name, d.media_type, o.sha256, o.size_bytes,"  # noqa: S608 - constants only
            " d.status <> 'failed' AND d.content_sha256 IS NOT DISTINCT FROM o.sha256 AS has_its_text"
            f" FROM pgask.originals o JOIN pgask.documents d ON d.id = o.document_id WHERE d.id = {TODAYS}",
            {"id": wanted},
        )
        found = await rows.fetchone()
    if found is None:
        raise _no_original(document_id)
    return found


async def read_part(connection: AsyncConnection, original: UUID, part: int) -> bytes | None:
    """A part, None after the last."""
    row = await (await connection.execute(_PART, [original, part], binary=True)).fetchone()
    return None if row is None else bytes(row[0])


async def read_whole(connection: AsyncConnection, original: UUID) -> bytes:
    """All parts, joined: for what is handed on whole."""
    row = await (
        await connection.execute(
            "SELECT string_agg(bytes, ''::bytea ORDER BY part) FROM pgask.original_parts WHERE original_id = %s",
            [original],
            binary=True,
        )
    ).fetchone()
    return b"" if row is None or row[0] is None else bytes(row[0])


def store_original(
    connection: Connection, name: str, sha256: str, size_bytes: int, parts: Iterable[bytes]
) -> UUID:
    """add_original for the worker."""
    row = connection.execute(_ADD, [name, sha256, size_bytes]).fetchone()
    assert row is not None
    with connection.cursor(binary=True) as cursor:
        for number, part in enumerate(parts):
            cursor.execute(_ADD_PART, [row[0], number, part])
    return UUID(str(row[0]))


def read_original(connection: Connection, original: UUID) -> Iterator[bytes]:
    """The parts in order."""
    number = 0
    with connection.cursor(binary=True) as cursor:
        while (row := cursor.execute(_PART, [original, number]).fetchone()) is not None:
            yield bytes(row[0])
            number += 1


def give_original(
    connection: Connection, original: UUID, collection_id: int, source: str, sha256: str
) -> UUID | None:
    """Let the document of a source have an original, in place of the one that it had; returns the document's id. None
    where there is no document of these bytes: what is stored of another version keeps its own."""
    with connection.transaction():
        row = connection.execute(
            "SELECT id FROM pgask.documents WHERE collection_id = %s AND source = %s AND status <> 'stale'"
            " AND (content_sha256 = %s OR (status = 'failed' AND content_sha256 IS NULL)) FOR UPDATE",
            [collection_id, source, sha256],
        ).fetchone()
        if row is None:
            return None
        connection.execute(
            "DELETE FROM pgask.originals WHERE document_id = %s AND id <> %s", [row[0], original]
        )
        connection.execute("UPDATE pgask.originals SET document_id = %s WHERE id = %s", [row[0], original])
    return UUID(str(row[0]))


def drop_original(connection: Connection, original: UUID) -> None:
    """Remove an original."""
    connection.execute("DELETE FROM pgask.originals WHERE id = %s", [original])


def sweep_originals(connection: Connection) -> int:
    """Remove originals that nothing refers to. Returns how many there were."""
    return connection.execute(
        "DELETE FROM pgask.originals o WHERE document_id IS NULL"
        " AND NOT EXISTS (SELECT FROM pgask.job_files f WHERE f.original_id = o.id)"
    ).rowcount


def cut_bytes(content: bytes) -> Iterator[bytes]:
    """The parts of a file that is in memory."""
    return (content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES))


def _no_original(document_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no original of the document {document_id[:64]!r}: it was taken in from a folder, or originals are "
        "not kept (PGASK_KEEP_ORIGINALS)."
    )
