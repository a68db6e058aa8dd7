"""What a collection knows of its files: where each lies and what it looked like when it was read. Sync; used by ingest.

A file is known again by its size, time of change and inode, without being read. Names and places change here;
content changes in app/store/documents.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from unicodedata import normalize

from psycopg.rows import class_row

from app.errors import DocumentError, InvalidRequestError
from app.sqlstates import store_errors
from app.store.connection import Connection, retried
from app.store.spaces import Collection

MAX_SOURCE_BYTES: Final = 2_000  # an index holds the source, and a row of an index at most 2,704 bytes
UPLOADED: Final = "upload:"  # the root of what was sent to the service: no path, so that no folder is ever it
_NOTED_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class FileState:
    """Where a file lay and what it looked like when its bytes were read. `root` is the folder that was given, or the
    file given by itself, `origin` the file's absolute path; None: not known. `mtime_ns` and `inode` (a signed number
    of 64 bits) are None where they can't be trusted, so that the file is read again."""

    root: str | None = None
    origin: str | None = None
    mtime_ns: int | None = None
    inode: int | None = None


NOT_KNOWN: Final = FileState()


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What the database holds of a source; root, origin, mtime_ns and inode as in FileState."""

    source: str
    status: str
    content_sha256: str | None
    pipeline: str | None
    media_type: str
    reason: str | None = None  # code and detail of why it failed or was left out
    reason_detail: str | None = None
    duplicate_of: str | None = None  # source of the document kept in its place; None where that is gone
    size_bytes: int = 0
    root: str | None = None
    origin: str | None = None
    mtime_ns: int | None = None
    inode: int | None = None
    sender: str | None = None
    read_at: float | None = (
        None  # when its content was taken in, in seconds since 1970, by the database's clock
    )

    @property
    def file(self) -> FileState:
        """Where it lay and what it looked like, as one."""
        return FileState(self.root, self.origin, self.mtime_ns, self.inode)


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file whose bytes are those of the stored document, and what it looks like now."""

    source: str
    content_sha256: str
    size_bytes: int
    file: FileState


def known_documents(
    connection: Connection, collection: Collection, sources: Sequence[str] | None = None
) -> Mapping[str, KnownDocument]:
    """Every document of a collection by its source, or those of `sources`."""
    with connection.cursor(row_factory=class_row(KnownDocument)) as cursor:
        rows = cursor.execute(
            "SELECT d.source, d.status, d.content_sha256, d.pipeline, d.media_type, d.reason, d.reason_detail,"
            " kept.source AS duplicate_of, d.size_bytes, d.root, d.origin, d.mtime_ns, d.inode, d.sender,"
            " extract(epoch FROM d.updated_at)::float8 AS read_at"
            " FROM pgask.documents d LEFT JOIN pgask.documents kept ON kept.id = d.duplicate_of"
            " WHERE d.collection_id = %(collection)s"
            " AND (%(sources)s::text[] IS NULL OR d.source = ANY(%(sources)s))",
            {"collection": collection.id, "sources": None if sources is None else list(sources)},
        )
        return {row.source: row for row in rows}


@retried
def note_files(connection: Connection, collection: Collection, seen: Sequence[SeenFile]) -> None:
    """Note where unchanged files lie and what they look like now. A document that another process has changed since
    is left as it is."""
    ordered = sorted(seen, key=lambda one: one.source)
    for first in range(0, len(ordered), _NOTED_AT_ONCE):
        batch = ordered[first : first + _NOTED_AT_ONCE]
        with store_errors(), connection.transaction():
            sources = [one.source for one in batch]
            connection.execute(  # in one order, so that two runs at once don't wait for each other in a ring
                "SELECT 1 FROM pgask.documents WHERE collection_id = %s AND source = ANY(%s)"
                " ORDER BY source FOR NO KEY UPDATE",
                [collection.id, sources],
            )
            connection.execute(
                "UPDATE pgask.documents d SET size_bytes = seen.size_bytes, root = seen.root, origin = seen.origin,"
                " mtime_ns = seen.mtime_ns, inode = seen.inode"
                " FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])"
                " AS seen (source, sha, size_bytes, root, origin, mtime_ns, inode)"
                " WHERE d.collection_id = %s AND d.source = seen.source AND d.content_sha256 = seen.sha",
                [
                    sources,
                    [one.content_sha256 for one in batch],
                    [one.size_bytes for one in batch],
                    [one.file.root for one in batch],
                    [one.file.origin for one in batch],
                    [one.file.mtime_ns for one in batch],
                    [one.file.inode for one in batch],
                    collection.id,
                ],
            )


@retried
def move_root(connection: Connection, collection: Collection, old: str, new: str) -> None:
    """A folder has another path now: its documents keep their names."""
    with store_errors():
        connection.execute(
            "UPDATE pgask.documents SET root = %(new)s, origin = %(new)s || substr(origin, length(%(old)s) + 1)"
            " WHERE collection_id = %(collection)s AND root = %(old)s",
            {"collection": collection.id, "old": old, "new": new},
        )


@retried
def rename_document(
    connection: Connection,
    collection: Collection,
    old: str,
    new: str,
    file: FileState = NOT_KNOWN,
) -> bool:
    """Move a document to another source and to the place of `file`, content untouched; a title that was the file's name
    follows it, and so do the documents left out in its favour. A document left out in favour of `old` gives up the name
    `new`. False where another document has it, or `old` is gone by now."""
    with store_errors(), connection.transaction():
        for source in sorted((old, new)):
            lock_source(connection, collection, source)
        names = {
            "collection": collection.id,
            "old": old,
            "new": new,
            # titles are composed, whatever the disk writes
            "old_stem": normalize("NFC", PurePosixPath(old).stem),
            "new_stem": normalize("NFC", PurePosixPath(new).stem),
            "old_name": normalize("NFC", PurePosixPath(old).name),  # the title of source code
            "new_name": normalize("NFC", PurePosixPath(new).name),
            "root": file.root,
            "origin": file.origin,
        }
        connection.execute(
            "DELETE FROM pgask.documents d USING pgask.documents kept"
            " WHERE d.collection_id = %(collection)s AND d.source = %(new)s AND d.duplicate_of = kept.id"
            " AND kept.source = %(old)s",
            names,
        )
        moved = connection.execute(
            "UPDATE pgask.documents SET source = %(new)s, root = %(root)s, origin = %(origin)s, updated_at = now(),"
            " title = CASE title WHEN %(old_stem)s THEN %(new_stem)s WHEN %(old_name)s THEN %(new_name)s ELSE title END"
            " WHERE collection_id = %(collection)s AND source = %(old)s AND NOT EXISTS (SELECT FROM"
            " pgask.documents WHERE collection_id = %(collection)s AND source = %(new)s) RETURNING id",
            names,
        ).fetchone()
        if moved is None:
            return False
        connection.execute(
            "UPDATE pgask.documents SET reason_detail = replace(reason_detail, %s, %s) WHERE duplicate_of = %s",
            [f'"{old}"', f'"{new}"', moved[0]],
        )
        return True


@retried
def remove_documents(connection: Connection, collection: Collection, sources: Sequence[str]) -> int:
    """Delete documents with all that makes them searchable. Returns how many there were."""
    with store_errors():
        return connection.execute(
            "DELETE FROM pgask.documents WHERE collection_id = %s AND source = ANY(%s)",
            [collection.id, list(sources)],
        ).rowcount


@retried
def give_over(
    connection: Connection, collection: Collection, files: Sequence[tuple[str, str | None, FileState]]
) -> None:
    """Let another folder's files have the documents of these sources: (source, root until now, where the file is). What
    they look like is not known until they are read."""
    ordered = sorted(files, key=lambda one: one[0])
    with store_errors(), connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE pgask.documents SET root = %s, origin = %s, mtime_ns = NULL, inode = NULL"
            " WHERE collection_id = %s AND source = %s AND root IS NOT DISTINCT FROM %s",
            [(file.root, file.origin, collection.id, source, root) for source, root, file in ordered],
        )


def lock_file(connection: Connection, collection: Collection, source: str, file: FileState) -> None:
    """lock_source for a file. Raises InvalidRequestError where another folder's file got the name meanwhile, and
    DocumentError (`other_readers`) where its document lies on another shelf of the collection."""
    lock_source(connection, collection, source)
    if collection.twin_of is None:
        _check_shelf(connection, collection, source)
    row = connection.execute(
        "SELECT root FROM pgask.documents WHERE collection_id = %s AND source = %s AND root <> %s AND origin <> %s",
        [collection.id, source, file.root, file.origin],
    ).fetchone()
    if row is not None:
        raise InvalidRequestError(
            f"{source} came into this collection from {row[0]} while this run went on, and {file.root} has another "
            "file of that name. Run ingest again: it says what to do.",
            code="duplicate_source",
        )


# Where a twin's documents lie, those that they are copies of tell.
_ELSEWHERE: Final = """
SELECT EXISTS (
       SELECT FROM pgask.collections own
         JOIN pgask.collections c ON c.tenant_id = own.tenant_id AND c.name = own.name AND c.id <> own.id
         JOIN pgask.documents d ON d.collection_id = c.id AND d.source = %(source)s
        WHERE own.id = %(own)s AND NOT own.importing)
   AND NOT EXISTS (SELECT FROM pgask.documents WHERE collection_id = %(own)s AND source = %(source)s)"""


def _check_shelf(connection: Connection, collection: Collection, source: str) -> None:
    """A document that others may read, or that went to others meanwhile, is never stored a second time."""
    if connection.execute(_ELSEWHERE, {"own": collection.id, "source": source}).fetchone() == (True,):
        raise DocumentError(
            "The collection has a document of this name that others may read. Send the file with the readers that it "
            "has, or change these before.",
            code="other_readers",
        )


def lock_source(connection: Connection, collection: Collection, source: str) -> None:
    """Until the end of the transaction, one writer a source: a second one waits for the first one's commit."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [collection.id, source])
