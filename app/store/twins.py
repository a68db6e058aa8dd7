"""A collection in a second embedding space: a twin that nobody sees, filled beside it, and the cut-over. Sync.

A twin is a collection whose documents are copies of another one's, with chunks and vectors of another model, so that
all that searches, indexes and deletes knows it already. Whoever asks in a twin's space is answered from it; a document
that is deleted takes its copy along. A switch swaps names: the twin becomes the collection, and the collection its
twin, which `back` swaps again (ADR 0036).

Connections here are the schema owner's: they see all collections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from app.embedding import EmbeddingSpace
from app.errors import InvalidRequestError, NotFoundError
from app.lexicon import LEXICON_VERSION
from app.sqlstates import store_errors
from app.store.connection import Connection, retried
from app.store.documents import EmbeddedDocument, SourceVersion, replace_document
from app.store.sources import FileState
from app.store.spaces import Collection, all_chunks, all_windows

TRIES: Final = 5  # more only where documents change all the time
CHOSEN: Final = """
SELECT model, weights_sha256, dimension, query_prefix, passage_prefix, pooling, normalized
  FROM pgask.embedding_spaces WHERE chosen_at IS NOT NULL ORDER BY chosen_at DESC LIMIT 1"""
# The number that a document has today, by the one (%(id)s) that it had before its collection was switched.
TODAYS: Final = """(
SELECT coalesce((SELECT copy_of FROM pgask.documents WHERE id = %(id)s),
                (SELECT document_id FROM pgask.former_documents WHERE id = %(id)s), %(id)s))"""
_STATES: Final = """
SELECT s.id, s.model, s.dimension, s.chosen_at,
       count(DISTINCT (c.tenant_id, c.name)) FILTER (WHERE c.twin_of IS NULL AND c.chunk_count > 0) AS collections,
       count(DISTINCT (c.tenant_id, c.name)) FILTER (WHERE c.twin_of IS NOT NULL) AS twins,
       count(DISTINCT (c.tenant_id, c.name)) FILTER (WHERE c.twin_of IS NOT NULL AND c.filled_at IS NULL) AS unfilled,
       coalesce(sum(c.chunk_count), 0)::bigint AS chunks
  FROM pgask.embedding_spaces s LEFT JOIN pgask.collections c ON c.space_id = s.id
 WHERE s.partition_of IS NULL GROUP BY s.id ORDER BY s.id"""
_MISSING: Final = """
SELECT d.id, d.source, d.updated_at, d.status, d.content_sha256, d.pipeline, d.size_bytes, d.media_type, d.root,
       d.origin, d.mtime_ns, d.inode, d.sender
  FROM pgask.documents d LEFT JOIN pgask.documents t ON t.copy_of = d.id AND t.collection_id = %(twin)s
 WHERE d.collection_id = %(original)s AND d.chunk_count > 0 AND t.copied_at IS DISTINCT FROM d.updated_at
 ORDER BY d.source"""
# A copy that is searched, of the same bytes that the other model could not take in: all that there is of its text.
_ALONE: Final = "(t.chunk_count > 0 AND d.status = 'failed' AND d.content_sha256 = t.content_sha256)"
# Copies of what is gone, or is called otherwise, or has no text that is searched: these are copied anew at the end.
_CLEAR: Final = f"""
DELETE FROM pgask.documents t WHERE t.collection_id = %(twin)s AND NOT EXISTS (
       SELECT FROM pgask.documents d
        WHERE d.id = t.copy_of AND d.source = t.source AND (d.chunk_count > 0 OR {_ALONE}))"""  # noqa: S608 - constants only
_COLUMNS: Final = (
    "source, status, reason, reason_detail, title, media_type, language, languages, content_sha256, pipeline, root,"
    " origin, mtime_ns, inode, sender, metadata, dropped, size_bytes, text_sha256, signature, created_at, updated_at"
)
_COPY_REST: Final = f"""
INSERT INTO pgask.documents (collection_id, copy_of, copied_at, duplicate_of, {_COLUMNS})
SELECT %(twin)s, d.id, d.updated_at, kept.id, {", ".join("d." + name for name in _COLUMNS.split(", "))}
  FROM pgask.documents d
  LEFT JOIN pgask.documents kept ON kept.copy_of = d.duplicate_of AND kept.collection_id = %(twin)s
 WHERE d.collection_id = %(original)s AND d.chunk_count = 0
   AND NOT EXISTS (SELECT FROM pgask.documents t WHERE t.collection_id = %(twin)s AND t.copy_of = d.id)"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class SpaceState:
    """An embedding space: how many collections with text it answers for, how many twins it has, how many of these were
    never filled, and the chunks of all."""

    id: int
    model: str
    dimension: int
    chosen_at: datetime | None
    collections: int
    twins: int
    unfilled: int
    chunks: int


@dataclass(frozen=True, slots=True)
class MissingCopy:
    """A document that a twin lacks, or has as it was before."""

    id: UUID
    source: str
    updated_at: datetime
    status: str
    content_sha256: str | None
    pipeline: str | None
    size_bytes: int
    media_type: str
    root: str | None
    origin: str | None
    mtime_ns: int | None
    inode: int | None
    sender: str | None

    @property
    def version(self) -> SourceVersion:
        """What was stored, as it was read."""
        file = FileState(self.root, self.origin, self.mtime_ns, self.inode)
        sha = self.content_sha256 or ""
        pipeline = self.pipeline or ""
        return SourceVersion(self.source, sha, self.size_bytes, pipeline, file, self.media_type, self.sender)


def read_chosen(connection: Connection) -> EmbeddingSpace | None:
    """The space that `pgask spaces` chose last; None where the settings name the model."""
    with connection.cursor(row_factory=class_row(EmbeddingSpace)) as cursor:
        return cursor.execute(CHOSEN).fetchone()


def list_states(connection: Connection) -> list[SpaceState]:
    """All spaces in the order in which they were made."""
    with connection.cursor(row_factory=class_row(SpaceState)) as cursor:
        return cursor.execute(_STATES).fetchall()


def list_originals(connection: Connection, space_id: int) -> list[Collection]:
    """The collections with text that another space answers for."""
    rows = connection.execute(
        "SELECT id, name, space_id, lexicon_version FROM pgask.collections"
        " WHERE twin_of IS NULL AND NOT importing AND chunk_count > 0 AND space_id <> %s ORDER BY name, id",
        [space_id],
    ).fetchall()
    return [Collection(*row) for row in rows]


def read_space(connection: Connection, space_id: int) -> EmbeddingSpace:
    """What makes a space. Raises NotFoundError."""
    with connection.cursor(row_factory=class_row(EmbeddingSpace)) as cursor:
        space = cursor.execute(
            "SELECT model, weights_sha256, dimension, query_prefix, passage_prefix, pooling, normalized"
            " FROM pgask.embedding_spaces WHERE id = %s",
            [space_id],
        ).fetchone()
    if space is None:
        raise no_space(str(space_id))
    return space


@retried
def ensure_twin(connection: Connection, original: Collection, space_id: int) -> Collection:
    """The twin of a collection in this space, made where it is missing. With terms of another lexicon it is emptied."""
    with store_errors(), connection.transaction():
        named = (
            connection.execute(  # the name of now, which stays until the twin is there to be renamed with it
                "SELECT name FROM pgask.collections WHERE id = %s AND twin_of IS NULL FOR SHARE",
                [original.id],
            ).fetchone()
        )
        if named is None:
            raise _gone(original)
        row = connection.execute(
            "INSERT INTO pgask.collections (tenant_id, name, space_id, lexicon_version, twin_of, readers)"
            " SELECT tenant_id, %(hidden)s, %(space)s, %(lexicon)s, id, readers FROM pgask.collections"
            " WHERE id = %(original)s"
            " ON CONFLICT (twin_of, space_id) DO UPDATE SET lexicon_version = collections.lexicon_version"
            " RETURNING id, name, space_id, lexicon_version, twin_of",
            {
                "hidden": hidden_name(named[0], space_id),
                "space": space_id,
                "lexicon": LEXICON_VERSION,
                "original": original.id,
            },
        ).fetchone()
        assert row is not None  # the original is locked
        twin = Collection(*row)
        if twin.lexicon_version == LEXICON_VERSION:
            return twin
        connection.execute("DELETE FROM pgask.documents WHERE collection_id = %s", [twin.id])
        connection.execute(
            "UPDATE pgask.collections SET lexicon_version = %s, filled_at = NULL WHERE id = %s",
            [LEXICON_VERSION, twin.id],
        )
        return Collection(twin.id, twin.name, twin.space_id, LEXICON_VERSION, twin.twin_of)


@retried
def list_missing(connection: Connection, twin: Collection) -> list[MissingCopy]:
    """The searchable documents that a twin does not hold as they are now. What it holds too much of is deleted."""
    with store_errors():
        connection.execute(_CLEAR, {"twin": twin.id})
        with connection.cursor(row_factory=class_row(MissingCopy)) as cursor:
            return cursor.execute(_MISSING, {"twin": twin.id, "original": twin.twin_of}).fetchall()


@retried
def store_copy(
    connection: Connection, twin: Collection, missing: MissingCopy, embedded: EmbeddedDocument
) -> bool:
    """Store a document's copy. False where the document is gone by now."""
    with store_errors(), connection.transaction():
        if not _hold(connection, missing):
            return False
        connection.execute(  # what stands there under its name is another document's copy, or an older one
            "DELETE FROM pgask.documents WHERE collection_id = %s AND source = %s AND copy_of IS DISTINCT FROM %s",
            [twin.id, missing.source, missing.id],
        )
        connection.execute(  # a folder that moved since
            "UPDATE pgask.documents SET root = %s, origin = %s WHERE collection_id = %s AND source = %s",
            [missing.root, missing.origin, twin.id, missing.source],
        )
        replace_document(connection, twin, missing.version, embedded)
        copied = connection.execute(
            "UPDATE pgask.documents t SET copy_of = d.id, copied_at = %(copied_at)s, status = d.status,"
            " reason = d.reason, reason_detail = d.reason_detail, created_at = d.created_at,"
            " updated_at = %(copied_at)s FROM pgask.documents d"
            " WHERE t.collection_id = %(twin)s AND t.source = %(source)s AND d.id = %(id)s RETURNING t.id",
            {
                "copied_at": missing.updated_at,
                "twin": twin.id,
                "source": missing.source,
                "id": missing.id,
            },
        ).fetchone()
        if copied is None:
            connection.execute(
                "DELETE FROM pgask.documents WHERE collection_id = %s AND source = %s",
                [twin.id, missing.source],
            )
            return False
        _copy_page_lines(connection, twin, missing.id, copied[0])
        return True


@retried
def store_unreadable(connection: Connection, twin: Collection, missing: MissingCopy, detail: str) -> None:
    """Note that a document holds nothing that this model reads: it is in the twin, and answers nothing there."""
    with store_errors(), connection.transaction():
        if not _hold(connection, missing):
            return
        connection.execute(
            "DELETE FROM pgask.documents WHERE collection_id = %s AND source = %s", [twin.id, missing.source]
        )
        connection.execute(
            "INSERT INTO pgask.documents (collection_id, source, status, reason, reason_detail, title, media_type,"
            " content_sha256, pipeline, size_bytes, root, origin, sender, copy_of, copied_at)"
            " SELECT %s, source, 'failed', 'empty', %s, title, media_type, content_sha256, pipeline, size_bytes, root,"
            " origin, sender, id, %s FROM pgask.documents WHERE id = %s",
            [twin.id, detail, missing.updated_at, missing.id],
        )


@retried
def finish_twin(connection: Connection, twin: Collection) -> None:
    """Copy what is not searchable (failures, duplicates), and note that the twin holds all."""
    with store_errors(), connection.transaction():
        _copy_rest(connection, twin)
        connection.execute("UPDATE pgask.collections SET filled_at = now() WHERE id = %s", [twin.id])


@retried
def switch(connection: Connection, space_id: int) -> bool:
    """Make every filled twin in this space the collection, and that its twin, in one transaction; from then on this
    space's model is the chosen one. False where a collection was made since, or a twin lacks a document by now: that
    has to be filled first.

    Raises InvalidRequestError (`space_not_filled`) where the first fill of a twin there has not ended.
    """
    with store_errors(), connection.transaction():
        _stop_writers(connection)
        for original in list_originals(connection, space_id):
            row = connection.execute(
                "SELECT filled_at IS NOT NULL, id, name, space_id, lexicon_version, twin_of FROM pgask.collections"
                " WHERE twin_of = %s AND space_id = %s",
                [original.id, space_id],
            ).fetchone()
            if row is None:
                return False
            is_filled, *fields = row
            if not is_filled:
                raise InvalidRequestError(
                    f"The collection {original.name!r} is not filled for this model. Run: pgask spaces add MODEL",
                    code="space_not_filled",
                )
            twin = Collection(*fields)
            if list_missing(connection, twin):
                return False
            _copy_rest(connection, twin)
            _swap(connection, original, twin)
        _check_imports(connection, space_id)
        _move_empty(connection, space_id)
        connection.execute(
            "UPDATE pgask.embedding_spaces SET chosen_at = CASE WHEN id = %(space)s THEN now()"
            " ELSE coalesce(chosen_at, created_at) END",
            {"space": space_id},
        )
        return True


def switch_when_filled(connection: Connection, space_id: int, fill: Callable[[], object]) -> None:
    """Switch, after `fill` where something has changed since; this may be so again by then.

    Raises InvalidRequestError: `space_not_filled` as `switch` does, `write_conflict` where documents change each time.
    """
    for _ in range(TRIES):
        if switch(connection, space_id):
            return
        fill()
    raise InvalidRequestError(
        "Documents changed all the time, so the switch was not made. Try again when less is being ingested.",
        code="write_conflict",
    )


@retried
def drop(connection: Connection, space_id: int) -> int:
    """Delete all twins of a space, and its tables. Returns how many chunks went. Raises NotFoundError, and
    InvalidRequestError (`space_in_use`) where it answers for a collection."""
    with store_errors(), connection.transaction():
        _stop_writers(connection)
        state = next((one for one in list_states(connection) if one.id == space_id), None)
        if state is None:
            raise no_space(str(space_id))
        if state.collections:
            raise InvalidRequestError(
                f"{state.model} answers for {state.collections} collections. Switch to the other space first: "
                "pgask spaces back",
                code="space_in_use",
            )
        if state.chosen_at is not None:  # its documents were seen under their numbers
            connection.execute(
                "INSERT INTO pgask.former_documents (id, collection_id, document_id)"
                " SELECT t.id, d.collection_id, d.id FROM pgask.documents t JOIN pgask.documents d ON d.id = t.copy_of"
                " WHERE t.collection_id IN (SELECT id FROM pgask.collections WHERE space_id = %s"
                " AND twin_of IS NOT NULL) ON CONFLICT DO NOTHING",
                [space_id],
            )
        connection.execute(
            "DELETE FROM pgask.documents WHERE collection_id IN"
            " (SELECT id FROM pgask.collections WHERE space_id = %s AND twin_of IS NOT NULL)",
            [space_id],
        )
        connection.execute(
            "DELETE FROM pgask.collections WHERE space_id = %s AND twin_of IS NOT NULL", [space_id]
        )
        left = connection.execute(
            "SELECT EXISTS (SELECT FROM pgask.collections WHERE space_id = %s)", [space_id]
        ).fetchone()
        if left == (False,):
            for table in (all_chunks(space_id), all_windows(space_id)):
                connection.execute(sql.SQL("DROP TABLE {}").format(table))
            connection.execute(
                "DELETE FROM pgask.embedding_spaces WHERE %s IN (id, partition_of)", [space_id]
            )
        return state.chunks


def no_space(name: str) -> NotFoundError:
    """The refusal of a space that there is not."""
    return NotFoundError(f"There is no embedding space {name!r}. `pgask spaces list` lists them.")


def hidden_name(name: str, space_id: int) -> str:
    """What a twin is called, as no collection of a user can be. Policies read it (migration 0018).

    >>> hidden_name("handbook", 2)
    '@2:handbook'
    """
    return f"@{space_id}:{name}"


def find_second(states: Sequence[SpaceState]) -> SpaceState | None:
    """The space of twins, if there is one: there is at most one beside the space that answers."""
    return next((state for state in states if state.twins), None)


def _stop_writers(connection: Connection) -> None:
    """What is being stored, renamed or deleted is waited for, and the next ones wait, to find their collection moved;
    searches go on. Writers lock documents before they count them in the collection's row, and so it is done here."""
    connection.execute("LOCK TABLE pgask.documents IN SHARE ROW EXCLUSIVE MODE")
    connection.execute("LOCK TABLE pgask.collections IN SHARE ROW EXCLUSIVE MODE")


def _hold(connection: Connection, missing: MissingCopy) -> bool:
    """Let nobody delete a document before the transaction ends; False where it is gone. Held before its copy is: who
    deletes takes the two in this order, and would wait for us as we for them."""
    held = connection.execute("SELECT FROM pgask.documents WHERE id = %s FOR KEY SHARE", [missing.id])
    return held.fetchone() is not None


def _gone(original: Collection) -> NotFoundError:
    return NotFoundError(f"The collection {original.name!r} was deleted meanwhile. Try again.")


def find_serving(states: Sequence[SpaceState], second: SpaceState) -> SpaceState:
    """The space that answers beside the second one: the one of the collections whose twins are in that."""
    return next(state for state in states if state.collections and state.id != second.id)


def _copy_rest(connection: Connection, twin: Collection) -> None:
    parameters: dict[str, Any] = {"twin": twin.id, "original": twin.twin_of}
    connection.execute(  # as in _hold
        "SELECT FROM pgask.documents WHERE collection_id = %(original)s AND chunk_count = 0 ORDER BY id FOR KEY SHARE",
        parameters,
    )
    connection.execute(
        "DELETE FROM pgask.documents t USING pgask.documents d"  # noqa: S608 - constants only
        f" WHERE t.collection_id = %(twin)s AND d.id = t.copy_of AND d.chunk_count = 0 AND NOT {_ALONE}",
        parameters,
    )
    connection.execute(_COPY_REST, parameters)


def _copy_page_lines(connection: Connection, twin: Collection, document_id: UUID, copy_id: UUID) -> None:
    connection.execute("DELETE FROM pgask.page_lines WHERE document_id = %s", [copy_id])
    connection.execute(
        "INSERT INTO pgask.page_lines (collection_id, document_id, page, width, height, lines)"
        " SELECT %s, %s, page, width, height, lines FROM pgask.page_lines WHERE document_id = %s",
        [twin.id, copy_id, document_id],
    )


def _swap(connection: Connection, original: Collection, twin: Collection) -> None:
    ids = {"original": original.id, "twin": twin.id, "name": original.name}
    hidden = hidden_name(original.name, original.space_id)
    connection.execute(
        "UPDATE pgask.collections SET name = %(hidden)s, twin_of = %(twin)s, filled_at = now()"
        " WHERE id = %(original)s",
        ids | {"hidden": hidden},
    )
    connection.execute(
        "UPDATE pgask.collections t SET name = %(name)s, twin_of = NULL, filled_at = NULL, evaluation = NULL,"
        " evaluated_at = NULL, created_at = o.created_at, description = o.description"
        " FROM pgask.collections o WHERE t.id = %(twin)s AND o.id = %(original)s",
        ids,
    )
    connection.execute(
        "UPDATE pgask.former_documents f SET document_id = t.id, collection_id = t.collection_id"
        " FROM pgask.documents t WHERE t.collection_id = %(twin)s AND f.document_id = t.copy_of",
        ids,
    )
    connection.execute(
        "UPDATE pgask.originals f SET document_id = t.id FROM pgask.documents t"
        " WHERE t.collection_id = %(twin)s AND f.document_id = t.copy_of",
        ids,
    )
    for table in ("jobs", "job_files"):
        connection.execute(
            f"UPDATE pgask.{table} SET collection_id = %(twin)s WHERE collection_id = %(original)s",  # noqa: S608
            ids,
        )
    connection.execute(
        "UPDATE pgask.documents o SET copy_of = t.id, copied_at = t.updated_at FROM pgask.documents t"
        " WHERE t.collection_id = %(twin)s AND t.copy_of = o.id",
        ids,
    )
    connection.execute(
        "UPDATE pgask.documents SET copy_of = NULL, copied_at = NULL WHERE collection_id = %(twin)s", ids
    )


def _check_imports(connection: Connection, space_id: int) -> None:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pgask.collections WHERE importing AND space_id <> %s)", [space_id]
    ).fetchone()
    if row == (True,):
        raise InvalidRequestError(
            "A collection is being imported for the model that answers now. Let `pgask import` end, and try again.",
            code="import_running",
        )


def _move_empty(connection: Connection, space_id: int) -> None:
    """Collections without text simply move; what failed with the other model is read again."""
    connection.execute(
        "UPDATE pgask.documents SET pipeline = NULL WHERE collection_id IN (SELECT id FROM pgask.collections"
        " WHERE twin_of IS NULL AND NOT importing AND chunk_count = 0 AND space_id <> %s)",
        [space_id],
    )
    connection.execute(
        "UPDATE pgask.collections SET space_id = %(space)s, partition_id = NULL, leaving_id = NULL"
        " WHERE twin_of IS NULL AND NOT importing AND chunk_count = 0 AND space_id <> %(space)s",
        {"space": space_id},
    )
