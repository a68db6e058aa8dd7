"""Jobs that take documents in again, of the files that are kept of them. Async, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from app.errors import NotFoundError
from app.store.connection import AsyncConnection
from app.store.jobs import Job, NewFile, create_job
from app.store.twins import TODAYS

MOST_DOCUMENTS: Final = 100  # of one request: what is said of each goes along with its job


@dataclass(frozen=True, slots=True)
class Reingestion:
    """The jobs that were made, one for each set of readers, and the ids of documents whose file is not kept."""

    jobs: tuple[Job, ...]
    without_original: tuple[str, ...]


@dataclass(slots=True)
class _Shelf:
    files: list[NewFile] = field(default_factory=list)
    metadata: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # by source


async def reingest(
    connection: AsyncConnection, document_ids: Sequence[str], *, groups: Sequence[str] | None, created_by: str
) -> Reingestion:
    """Let documents be made anew of their files, though these have not changed; what was said of them (their metadata)
    stays. Raises NotFoundError for a document that is not there, or where no file of any is kept."""
    shelves: dict[int, _Shelf] = {}
    without = []
    seen: set[UUID] = set()  # an id may be written in several ways, and a document may have a former one
    for document_id in document_ids:
        number, shelf, source, metadata, original, size_bytes = await _read(connection, document_id)
        if number in seen:
            continue
        seen.add(number)
        if original is None:
            without.append(document_id)
            continue
        # As if an older version had made it: then it is made anew, though its bytes are the same.
        await connection.execute("UPDATE pgask.documents SET pipeline = NULL WHERE id = %s", [number])
        there = shelves.setdefault(shelf, _Shelf())
        there.files.append(NewFile(source, size_bytes, original))
        if metadata:
            there.metadata[source] = metadata
    if not shelves:
        raise NotFoundError(
            "The file is not kept: what was taken in from a folder is taken in again by `ingest`, and originals are "
            "kept of uploads (PGASK_KEEP_ORIGINALS)."
        )
    jobs = [
        await create_job(
            connection,
            shelf,
            there.files,
            kind="reingest",
            options={"groups": None if groups is None else list(groups), "kept_metadata": there.metadata},
            created_by=created_by,
        )
        for shelf, there in shelves.items()
    ]
    return Reingestion(tuple(jobs), tuple(without))


async def _read(
    connection: AsyncConnection, document_id: str
) -> tuple[UUID, int, str, Mapping[str, Any], UUID | None, int]:
    try:
        wanted = UUID(document_id)
    except ValueError:
        raise _no_document(document_id) from None
    row = await (
        await connection.execute(
            "SELECT d.id, d.collection_id, d.source, d.metadata, o.id, o.size_bytes FROM pgask.documents d"  # noqa: S608
            f" LEFT JOIN pgask.originals o ON o.document_id = d.id WHERE d.id = {TODAYS}",
            {"id": wanted},
        )
    ).fetchone()
    if row is None:
        raise _no_document(document_id)
    return row[0], row[1], row[2], row[3], row[4], row[5] or 0


def _no_document(document_id: str) -> NotFoundError:
    return NotFoundError(f"There is no document {document_id[:64]!r}. GET /documents lists them.")
