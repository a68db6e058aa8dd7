"""Shelves: where the documents of a collection lie that only some groups may read (ADR 0039).

A shelf is a row of `pgask.collections` of the collection's own name with `readers`; the row without them holds what all
may read who may read the collection. What a name means is all of its rows that are seen: the policy of that one table
holds shelves back, and with them all that lies there. So a shelf that is not seen is not there: its documents neither
stand in the way of others' names nor of others' duplicates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.errors import EmbeddingMismatchError, InvalidRequestError, NotFoundError
from app.lexicon import LEXICON_VERSION
from app.sqlstates import store_errors
from app.store.connection import AsyncConnection, Connection, retried
from app.store.spaces import Collection, ensure_collection

Readers = tuple[str, ...]
"""Groups in order, each once; none: whoever may read the collection."""

ADMINS: Final = (
    "pgask-admins"  # the group of a proxy that makes an admin: all of a tenant's is theirs to read
)
MOST_GROUPS: Final = 20  # of a document
MOST_GROUP_CHARS: Final = 100
MOST_SHELVES: Final = (
    500  # of a collection: a question looks into the index once a term for each that is seen
)

# The shelf of these readers, made where it is missing, in the space and with the lexicon that are asked for.
_ENSURE: Final = """
INSERT INTO pgask.collections AS c (name, space_id, lexicon_version, readers)
VALUES (%(name)s, %(space)s, %(lexicon)s, %(readers)s::text[])
    ON CONFLICT (tenant_id, name, readers) DO UPDATE
   SET space_id = excluded.space_id, lexicon_version = excluded.lexicon_version, partition_id = NULL, leaving_id = NULL
 WHERE c.chunk_count = 0
   AND (c.space_id, c.lexicon_version) IS DISTINCT FROM (excluded.space_id, excluded.lexicon_version)"""
_COUNT: Final = """
SELECT count(*) FROM pgask.collections
 WHERE name = %(name)s AND readers IS NOT NULL AND readers IS DISTINCT FROM %(readers)s::text[]"""
_SHELF: Final = """
SELECT id FROM pgask.collections
 WHERE name = %(name)s AND readers IS NOT DISTINCT FROM %(readers)s::text[]
   AND (space_id, lexicon_version) = (%(space)s, %(lexicon)s)"""
_SHELVES: Final = """
SELECT id, name, space_id, lexicon_version, readers FROM pgask.collections WHERE name = %s AND NOT importing
 ORDER BY readers NULLS FIRST"""
_PLACE: Final = """
SELECT d.source, d.status, c.id, c.name, c.space_id, c.lexicon_version, c.readers
  FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id WHERE d.id = %s"""
_IS_TAKEN: Final = "SELECT FROM pgask.documents WHERE collection_id = %s AND source = %s"
LOCK_SOURCE: Final = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"
_MOVE: Final = "SELECT pgask.move_document(%s, %s)"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A row of a collection, and who may read what lies there."""

    collection: Collection
    readers: Readers


def read_groups(given: Iterable[str]) -> Readers:
    """Groups as they are stored. Raises InvalidRequestError (`bad_readers`) for a name that is none, and for too many.

    >>> read_groups([" hr", "board", "hr "])
    ('board', 'hr')
    """
    groups = tuple(sorted({name.strip() for name in given if name.strip()}))
    for name in groups:
        if len(name) > MOST_GROUP_CHARS or not name.isprintable() or "," in name:
            raise InvalidRequestError(
                f"A group's name has 1 to {MOST_GROUP_CHARS} printable characters and no comma.",
                code="bad_readers",
            )
    if len(groups) > MOST_GROUPS:
        raise InvalidRequestError(
            f"The document would have {len(groups):,} groups of readers; the limit is {MOST_GROUPS} (fixed). Make one "
            "group of them, where keys or the proxy get their groups.",
            code="bad_readers",
            chinese=f"文档将有 {len(groups):,} 个读者分组，上限为 {MOST_GROUPS}（不可调整）。"
            "请在密钥或代理处把它们合并为一个分组。",
        )
    return groups


def list_shelves(connection: Connection, name: str) -> list[Shelf]:
    """The rows of a collection that are seen, first that of what all may read; none where there is no collection."""
    rows = connection.execute(_SHELVES, [name]).fetchall()
    return [Shelf(Collection(*fields), tuple(readers or ())) for *fields, readers in rows]


def ensure_shelf(connection: Connection, name: str, space_id: int, readers: Readers) -> Collection:
    """The shelf of a collection for these readers, made where it is missing. Raises as ensure_collection does, and
    InvalidRequestError (`too_many_shelves`)."""
    if readers:
        row = connection.execute(_COUNT, {"name": name, "readers": list(readers)}).fetchone()
        _check_number(row, name)
    return ensure_collection(connection, name, space_id, readers or None)


async def ensure_shelf_for(
    connection: AsyncConnection,
    name: str,
    space_id: int,
    readers: Readers,
    lexicon_version: int = LEXICON_VERSION,
) -> int:
    """The same for the service, in its transaction; the shelf's id. Raises InvalidRequestError (`too_many_shelves`),
    and EmbeddingMismatchError where there is text on the shelf for another model."""
    values = {"name": name, "space": space_id, "lexicon": lexicon_version, "readers": list(readers) or None}
    if readers:
        _check_number(await (await connection.execute(_COUNT, values)).fetchone(), name)
    row = await (await connection.execute(_SHELF, values)).fetchone()
    if (
        row is None
    ):  # no lock on one that is there: two that move documents to each other's shelf would wait in a ring
        await connection.execute(_ENSURE, values)
        row = await (await connection.execute(_SHELF, values)).fetchone()
    if row is None:
        raise EmbeddingMismatchError(
            f"Collection {name!r} holds documents for another embedding model or version of pgask. Run `ingest` on any "
            "of its folders with the model that it should have."
        )
    return int(row[0])


async def change_readers(connection: AsyncConnection, document_id: UUID, readers: Readers) -> None:
    """Let these groups alone read a document, or all. Nothing of it is cut or embedded again.

    Raises NotFoundError, and InvalidRequestError: the shelf has a document of this name (`duplicate_source`), or the
    document was left out as a duplicate, so that its text lies elsewhere (`is_duplicate`).
    """
    row = await (await connection.execute(_PLACE, [document_id])).fetchone()
    if row is None:
        raise NotFoundError(f"There is no document {str(document_id)!r}. GET /documents lists them.")
    source, status, collection_id, name, space_id, lexicon_version, before = row
    if tuple(before or ()) == readers:
        return
    if status == "duplicate":
        raise InvalidRequestError(
            f"{source} was left out since another document holds the same text, which stays readable there. Change "
            "that one's readers.",
            code="is_duplicate",
        )
    target = await ensure_shelf_for(connection, name, space_id, readers, lexicon_version)
    await connection.execute(LOCK_SOURCE, [collection_id, source])
    if await (await connection.execute(_IS_TAKEN, [target, source])).fetchone() is not None:
        raise _is_taken(source)
    await connection.execute(_MOVE, [document_id, target])


@retried
def move_source(connection: Connection, old: Collection, source: str, new: Collection) -> bool:
    """Put a document on another shelf of its collection. False where there is none, or the shelf has one of that name.
    What holds no text of its own (failed, a duplicate) is forgotten instead: the run takes the file in anew."""
    with store_errors(), connection.transaction():
        connection.execute(LOCK_SOURCE, [old.id, source])
        row = connection.execute(
            "SELECT id, chunk_count FROM pgask.documents WHERE collection_id = %s AND source = %s",
            [old.id, source],
        ).fetchone()
        if row is None or connection.execute(_IS_TAKEN, [new.id, source]).fetchone() is not None:
            return False
        if row[1]:
            connection.execute(_MOVE, [row[0], new.id])
        else:
            connection.execute("DELETE FROM pgask.documents WHERE id = %s", [row[0]])
        return True


def _check_number(row: tuple[Any, ...] | None, name: str) -> None:
    if row is not None and row[0] >= MOST_SHELVES:
        raise InvalidRequestError(
            f"The collection {name!r} has documents for {row[0]:,} different sets of groups; the limit is "
            f"{MOST_SHELVES:,} (fixed). Use sets that there are, or another collection.",
            code="too_many_shelves",
            chinese=f"集合 {name!r} 已有 {row[0]:,} 种读者分组的组合，上限为 {MOST_SHELVES:,}（不可调整）。"
            "请使用已有的组合，或使用另一个集合。",
        )


def _is_taken(source: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"There is another document {source!r} with these readers. Delete or rename one of them.",
        code="duplicate_source",
    )
