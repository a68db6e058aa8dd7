"""What there is: collections and documents, read, made and deleted for the API and the CLI. Async.

Every function works in the caller's transaction (`app.store.connection.transaction`). Malformed ids raise
NotFoundError, like unknown ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from app.domain import CollectionNames, Page, Section, names_of
from app.embedding import UNREADABLE_SHARE, EmbeddingSpace
from app.errors import EmbeddingMismatchError, InvalidRequestError, NotFoundError, SchemaError
from app.lexicon import LEXICON_VERSION
from app.losses import NOTEWORTHY_SHARE, lost_share
from app.store import shelves
from app.store.connection import AsyncConnection, allow_seconds
from app.store.document_counts import Contents, DocumentCounts
from app.store.revisions import FOUND
from app.store.shelves import Readers
from app.store.spaces import COLLECTION_NAME, FIND_SPACE, MISMATCHES, mismatch_error, space_parameters
from app.store.texts import text_between
from app.store.twins import TODAYS

MAX_TEXT_CHARS: Final = 100_000  # code points in one answer of document_text
_WRITE_S: Final = 600  # a delete takes its postings and vectors along: longer than any search may take

SUMMARY: Final = """
d.id::text AS id, d.source, d.title, d.media_type, d.language,
coalesce(d.languages, ARRAY[d.language]) AS languages, d.status, d.reason,
nullif(jsonb_array_length(d.pages), 0) AS pages, d.char_count AS chars, d.chunk_count AS chunks,
d.token_count AS tokens, d.updated_at, d.root,
(SELECT coalesce(c.readers, '{}') FROM pgask.collections c WHERE c.id = d.collection_id) AS readers"""


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """A collection, what is in it, and the model that its vectors were made with."""

    name: str
    description: str
    documents: int
    chunks: int
    model: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A document in a list. `status`: ready, failed (nothing stored), stale (an older version answers) or duplicate
    (left out, since another document holds the same text); `reason` says why it failed. `pages` is null for formats
    without pages. `language` is what most of its letters are, `languages` all that a section of it is in. `readers`:
    the groups that alone may read it, none where all may who read its collection. Goes over the wire as it is."""

    id: str
    source: str
    title: str
    media_type: str
    language: str
    languages: list[str]
    status: str
    reason: str | None
    pages: int | None
    chars: int
    chunks: int
    tokens: int
    updated_at: datetime
    readers: list[str]


@dataclass(frozen=True, slots=True)
class DocumentDetail(DocumentSummary):
    """Everything about a document but its text. Offsets are code points into that text, half-open.

    `duplicate_of`: source of the document that holds the same text. `unknown_share`: share of its tokens that the
    embedding model can't read, 0 to 1, null without tokens; `is_unreadable`: more than a tenth, so words find it,
    meaning does not. `dropped`: what was left out when it was read, kind to characters; `lost_share` is that of its
    visible text, 0 to 1; `is_lossy`: more than a tenth. `has_original`: its file is kept. `sender`: the account that
    uploaded it, null where none did, and for whoever may not write.
    """

    collection: str
    reason_detail: str | None
    duplicate_of: str | None
    size_bytes: int
    unknown_tokens: int
    unknown_share: float | None
    is_unreadable: bool
    page_spans: tuple[Page, ...]
    sections: tuple[Section, ...]
    metadata: dict[str, Any]
    dropped: dict[str, int]
    lost_share: float
    is_lossy: bool
    has_original: bool
    sender: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RootedDetail(DocumentDetail):
    """The same with the folder, or the file given by itself, that it was taken in from: for operators, not for whoever
    may ask."""

    root: str | None = None


@dataclass(frozen=True, slots=True)
class TextSlice:
    """text[start:end] of a document's stored text, in code points."""

    text: str
    start: int
    end: int
    total_chars: int


async def list_collections(
    connection: AsyncConnection, counts: DocumentCounts | None = None
) -> list[CollectionSummary]:
    """All collections by name. With `counts`, documents are counted only where that is not remembered there."""
    rows = await (
        await connection.execute(
            "SELECT c.id, c.name, c.chunk_count, c.term_count, c.description, s.model, c.created_at"
            " FROM pgask.collections c JOIN pgask.embedding_spaces s ON s.id = c.space_id"
            " WHERE c.twin_of IS NULL AND NOT c.importing ORDER BY c.name, c.readers NULLS FIRST"
        )
    ).fetchall()
    contents = {number: Contents(chunks, terms) for number, _, chunks, terms, *_ in rows}
    documents = await (counts or DocumentCounts()).count(connection, contents)
    found: dict[str, CollectionSummary] = {}
    for number, name, chunks, _, description, model, created_at in rows:
        one = CollectionSummary(name, description, documents[number], chunks, model, created_at)
        found[name] = _joined(found[name], one) if name in found else one
    return list(found.values())


def _joined(one: CollectionSummary, shelf: CollectionSummary) -> CollectionSummary:
    """A collection with another shelf of it."""
    return replace(
        one,
        documents=one.documents + shelf.documents,
        chunks=one.chunks + shelf.chunks,
        model=one.model if one.chunks else shelf.model,
        created_at=min(one.created_at, shelf.created_at),
    )


async def read_creation_times(connection: AsyncConnection) -> dict[str, datetime]:
    """When each collection was made, by name."""
    rows = await connection.execute(
        "SELECT name, min(created_at) FROM pgask.collections WHERE twin_of IS NULL AND NOT importing"
        " GROUP BY name ORDER BY name"
    )
    return dict(await rows.fetchall())


async def require_collections(connection: AsyncConnection, collections: CollectionNames) -> None:
    """Raises NotFoundError where there is no collection of one of these names."""
    for name in names_of(collections):
        await find_shelf_ids(connection, name)


async def read_names(connection: AsyncConnection, most: int) -> list[str]:
    """The names of at most so many collections, in their order."""
    found = await connection.execute(
        "SELECT DISTINCT name FROM pgask.collections WHERE twin_of IS NULL AND NOT importing ORDER BY name LIMIT %s",
        [most],
    )
    return [row[0] for row in await found.fetchall()]


async def create_collection(
    connection: AsyncConnection, name: str, space: EmbeddingSpace, description: str = ""
) -> CollectionSummary:
    """Make an empty collection. Raises InvalidRequestError (a bad name, or `collection_exists`), and SchemaError where
    the tables of the space are missing."""
    _check_name(name)
    await _allow_writing(connection)
    found = await (await connection.execute(FIND_SPACE, space_parameters(space))).fetchone()
    if found is None:
        raise SchemaError(
            f"The tables for vectors of the model {space.model!r} are missing. Run: pgask migrate"
        )
    made = await (
        await connection.execute(
            "INSERT INTO pgask.collections (name, space_id, lexicon_version, description) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (tenant_id, name, readers) DO NOTHING RETURNING created_at",
            [name, found[0], LEXICON_VERSION, description],
        )
    ).fetchone()
    if made is None:
        raise _name_is_taken(name)
    return CollectionSummary(name, description, documents=0, chunks=0, model=space.model, created_at=made[0])


async def rename_collection(connection: AsyncConnection, name: str, new: str) -> None:
    """Give a collection another name. Raises NotFoundError, and InvalidRequestError: a bad name, or one that another
    collection has (`collection_exists`)."""
    _check_name(new)
    await _allow_writing(connection)
    await _wait_for_switch(connection)
    ids = await find_shelf_ids(connection, name)
    taken = await connection.execute("SELECT FROM pgask.collections WHERE name = %s LIMIT 1", [new])
    if new != name and await taken.fetchone() is not None:
        raise _name_is_taken(new)
    try:
        async with connection.transaction():
            await connection.execute(  # its twin is made now, or later by this name
                "SELECT FROM pgask.collections WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [ids]
            )
            await connection.execute(
                "UPDATE pgask.collections SET name = CASE WHEN twin_of IS NULL THEN %(new)s"
                " ELSE '@' || space_id || ':' || %(new)s END WHERE id = ANY(%(ids)s) OR twin_of = ANY(%(ids)s)",
                {"new": new, "ids": ids},
            )
    except psycopg.errors.UniqueViolation as error:
        raise _name_is_taken(new) from error


async def describe_collection(connection: AsyncConnection, name: str, description: str) -> None:
    """Say what a collection holds. Raises NotFoundError."""
    ids = await find_shelf_ids(connection, name)
    await connection.execute(
        "UPDATE pgask.collections SET description = %s WHERE id = ANY(%s)", [description, ids]
    )


async def delete_collection(connection: AsyncConnection, name: str) -> int:
    """Delete a collection with its documents, those that are seen. Returns how many there were. Raises
    NotFoundError."""
    await _allow_writing(connection)
    await _wait_for_switch(connection)
    ids = await find_shelf_ids(connection, name)
    documents = await connection.execute("DELETE FROM pgask.documents WHERE collection_id = ANY(%s)", [ids])
    await connection.execute("DELETE FROM pgask.collections WHERE id = ANY(%s)", [ids])
    return documents.rowcount


async def get_document(connection: AsyncConnection, document_id: str) -> RootedDetail:
    """A document by its id. Raises NotFoundError."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            f"SELECT {SUMMARY}, c.name AS collection, d.reason_detail, kept.source AS duplicate_of,"  # noqa: S608
            " d.size_bytes, d.unknown_tokens, d.unknown_tokens::float8 / nullif(d.token_count, 0) AS unknown_share,"
            " d.pages AS page_spans, d.sections, d.metadata, d.dropped, d.sender, d.created_at,"
            " EXISTS (SELECT FROM pgask.originals o WHERE o.document_id = d.id) AS has_original"
            " FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id"
            " LEFT JOIN pgask.documents kept ON kept.id = d.duplicate_of"
            f" WHERE d.id = {TODAYS}",
            {"id": _document_id(document_id)},
        )
        row = await cursor.fetchone()
    if row is None:
        raise _no_document(document_id)
    unknown, lost = row["unknown_share"], round(lost_share(row["dropped"], row["chars"]), 3)
    return RootedDetail(
        **row
        | {
            "unknown_share": None if unknown is None else round(unknown, 4),
            "is_unreadable": unknown is not None and unknown > UNREADABLE_SHARE,
            "page_spans": tuple(Page(*page) for page in row["page_spans"]),
            "sections": tuple(Section.of(*section) for section in row["sections"]),
            "lost_share": lost,
            "is_lossy": lost > NOTEWORTHY_SHARE,
        }
    )


async def document_text(
    connection: AsyncConnection, document_id: str, start: int = 0, end: int | None = None
) -> TextSlice:
    """A stretch of a document's stored text, cut to what there is and to MAX_TEXT_CHARS: `end` says how far it goes.

    Raises NotFoundError, and InvalidRequestError where `start` is negative or after `end`.
    """
    if start < 0 or (end is not None and end < start):
        raise InvalidRequestError("start must be 0 or more, and end not before start.")
    wanted = MAX_TEXT_CHARS if end is None else min(end - start, MAX_TEXT_CHARS)
    first = "least(%(start)s::int, char_count)"
    row = await (
        await connection.execute(
            f"SELECT {text_between('id', first, f'{first} + %(wanted)s::int')}, char_count"  # noqa: S608
            f" FROM pgask.documents WHERE id = {TODAYS}",
            {"id": _document_id(document_id), "start": min(start, 2**31 - 2), "wanted": wanted},
        )
    ).fetchone()
    if row is None:
        raise _no_document(document_id)
    text, total = row
    first = min(start, total)
    return TextSlice(text, first, first + len(text), total)


async def change_document(
    connection: AsyncConnection, document_id: str, *, title: str | None, metadata: dict[str, Any] | None
) -> None:
    """Give a document another title or other metadata; None leaves it as it is. Raises NotFoundError."""
    changed = await connection.execute(
        "UPDATE pgask.documents SET title = coalesce(%(title)s, title),"  # noqa: S608 - constants only
        f" metadata = coalesce(%(metadata)s, metadata), updated_at = now() WHERE id = {TODAYS}",
        {
            "title": title,
            "metadata": None if metadata is None else Jsonb(metadata),
            "id": _document_id(document_id),
        },
    )
    if changed.rowcount == 0:
        raise _no_document(document_id)


async def change_readers(connection: AsyncConnection, document_id: str, readers: Readers) -> None:
    """Let these groups alone read a document, or all. Raises as shelves.change_readers does."""
    await _allow_writing(connection)
    await _wait_for_switch(connection)
    row = await (await connection.execute(f"SELECT {TODAYS}", {"id": _document_id(document_id)})).fetchone()
    assert row is not None
    await shelves.change_readers(connection, row[0], readers)


async def delete_document(connection: AsyncConnection, document_id: str) -> None:
    """Delete a document with all that makes it searchable. Raises NotFoundError."""
    await _allow_writing(connection)
    deleted = await connection.execute(
        f"DELETE FROM pgask.documents WHERE id = {TODAYS}",  # noqa: S608 - constants only
        {"id": _document_id(document_id)},
    )
    if deleted.rowcount == 0:
        raise _no_document(document_id)


async def delete_sent(connection: AsyncConnection, collection: str, sender: str) -> int:
    """Delete all that one account uploaded into a collection, in one transaction. Returns how many documents there
    were. Raises NotFoundError for the collection."""
    await _allow_writing(connection)
    ids = await find_shelf_ids(connection, collection)
    deleted = await connection.execute(
        "DELETE FROM pgask.documents WHERE collection_id = ANY(%s) AND sender = %s", [ids, sender]
    )
    return deleted.rowcount


async def find_document(connection: AsyncConnection, collection: str, source: str) -> str:
    """The id of the document with this source, or with the one that looks the same: macOS writes é in a name as two
    characters. Raises NotFoundError."""
    ids = await find_shelf_ids(connection, collection)
    row = await (
        await connection.execute(
            "SELECT id::text FROM pgask.documents WHERE collection_id = ANY(%s) AND source = %s"
            " AND status <> 'skipped' ORDER BY collection_id LIMIT 1",
            [ids, source],
        )
    ).fetchone()
    if row is None and not source.isascii():
        row = await (
            await connection.execute(
                "SELECT id::text FROM pgask.documents WHERE collection_id = ANY(%s)"
                " AND normalize(source, NFC) = normalize(%s::text, NFC) ORDER BY source, collection_id LIMIT 1",
                [ids, source],
            )
        ).fetchone()
    if row is None:
        raise NotFoundError(f"Collection {collection!r} has no document {source!r}.")
    return str(row[0])


async def schema_revision(connection: AsyncConnection) -> tuple[str | None, str | None]:
    """The revision that the schema is at, None without a schema; and the oldest that code must know to work on it."""
    exists = await (await connection.execute("SELECT to_regclass('pgask.alembic_version')")).fetchone()
    if exists == (None,):
        return None, None
    row = await (await connection.execute(FOUND)).fetchone()
    return (None, None) if row is None else (str(row[0]), row[1])


async def find_mismatch(connection: AsyncConnection, space: EmbeddingSpace) -> EmbeddingMismatchError | None:
    """The refusal, if any collection with content was made in another space or with another lexicon."""
    row = await (
        await connection.execute(MISMATCHES, space_parameters(space) | {"twins_do": True})
    ).fetchone()
    return None if row is None else mismatch_error(row, space)


def _check_name(name: str) -> None:
    if not COLLECTION_NAME.fullmatch(name):
        raise InvalidRequestError(
            "A collection's name has 1 to 64 letters, digits, '_', '-', '.' or inner spaces, and starts and ends with "
            "a letter or digit."
        )


def _name_is_taken(name: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"There is a collection {name!r} already. Choose another name, or use that one.",
        code="collection_exists",
    )


async def _allow_writing(connection: AsyncConnection) -> None:
    """First in a write's transaction: wait for concurrent writers instead of failing on them, and take the time."""
    await connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    await allow_seconds(connection, _WRITE_S)


async def _wait_for_switch(connection: AsyncConnection) -> None:
    """From here on names stay where they are: `pgask spaces switch` gives those of all collections to others. It locks
    the two tables in this order, too."""
    await connection.execute("LOCK TABLE pgask.documents IN ROW EXCLUSIVE MODE")
    await connection.execute("LOCK TABLE pgask.collections IN ROW EXCLUSIVE MODE")


async def find_space_id(connection: AsyncConnection, name: str) -> int:
    """The embedding space of a collection that is there: that of its vectors, where it has any."""
    row = await (
        await connection.execute(
            "SELECT space_id FROM pgask.collections WHERE name = %s AND twin_of IS NULL AND NOT importing"
            " ORDER BY chunk_count > 0 DESC, readers NULLS FIRST LIMIT 1",
            [name],
        )
    ).fetchone()
    if row is None:
        raise _no_collection(name)
    return int(row[0])


async def find_shelf_ids(connection: AsyncConnection, name: str) -> list[int]:
    """The ids of all that is one collection: the row of what all may read, and the shelves that are seen. Raises
    NotFoundError."""
    rows = await connection.execute(
        "SELECT id FROM pgask.collections WHERE name = %s AND twin_of IS NULL AND NOT importing ORDER BY id",
        [name],
    )
    found = [int(row[0]) for row in await rows.fetchall()]
    if not found:
        raise _no_collection(name)
    return found


def _no_collection(name: str) -> NotFoundError:
    return NotFoundError(f"There is no collection {name!r}. GET /collections lists them.")


def _document_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _no_document(text) from None


def _no_document(document_id: str) -> NotFoundError:
    return NotFoundError(f"There is no document {document_id[:64]!r}. GET /documents lists them.")
