"""Writes: one document, one transaction, binary COPY. Sync; used by ingest.

A reader sees the old version of a document or the new one. Rows that make a document unsearchable go with it: vectors
and windows by foreign key, postings by trigger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import numpy as np
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from app.domain import Chunk, Document
from app.embedding import UNREADABLE_SHARE, FloatMatrix, FloatVector
from app.errors import DocumentError, EmbeddingMismatchError, NotFoundError, StoreError
from app.sqlstates import store_errors
from app.store.binary_copy import POSTING_COLUMNS, in_blocks, pack_postings, pack_vectors
from app.store.connection import Connection, retried
from app.store.schema_names import SCHEMA, VECTOR_SCHEMA
from app.store.sources import NOT_KNOWN, FileState, lock_file
from app.store.spaces import Collection, all_windows
from app.store.staging import staged_copy
from app.store.texts import WRITE_TEXT, cut_text

WINDOW_HASH_BYTES: Final = 16
_MAX_TERM_FREQUENCY = 32_767  # the column is a smallint; BM25 is flat long before


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """Which bytes of which file, through which pipeline settings; `file` is where it lay and looked like when read.
    `media_type` is what the file was found to be, for those that fail: a document has its own. `sender` is the account
    that sent the bytes; None: nobody's, but the operator's."""

    source: str
    content_sha256: str
    size_bytes: int
    pipeline: str
    file: FileState = NOT_KNOWN
    media_type: str = ""
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedDocument:
    """A document ready to be stored. All of one length: `chunks`, `chunk_vectors` (n, dim), `chunk_windows` (half-open
    ranges of window indices), `chunk_terms` (term → frequency); and of another: `windows` (char_start, char_end),
    `window_vectors` (m, dim), `window_terms` (term → frequency), `window_hashes` (WINDOW_HASH_BYTES each, joined;
    empty: vectors can't be kept later).
    """

    document: Document
    chunks: Sequence[Chunk]
    chunk_vectors: FloatMatrix
    chunk_windows: Sequence[tuple[int, int]]
    chunk_terms: Sequence[Counter[str]]
    windows: Sequence[tuple[int, int]]
    window_vectors: FloatMatrix
    window_terms: Sequence[Counter[str]]
    unknown_tokens: int
    token_count: int
    window_hashes: bytes = b""
    text_sha256: str | None = None
    signature: bytes | None = (
        None  # and its bands: what near duplicates are found by, see app/store/duplicates.py
    )
    signature_bands: Sequence[int] = ()


def stored_windows(
    connection: Connection, collection: Collection, source: str
) -> Mapping[bytes, FloatVector]:
    """The window vectors of a document by the hash of their tokens: float32 (dim,) of half precision. Empty where
    there is no document, or its hashes are not known."""
    with store_errors():
        row = connection.execute(
            sql.SQL(
                "SELECT d.window_hashes, (SELECT string_agg(halfvec_send(w.embedding), '' ORDER BY w.window_index)"
                " FROM {windows} w WHERE w.document_id = d.id)"
                " FROM pgask.documents d WHERE d.collection_id = %s AND d.source = %s AND d.window_hashes IS NOT NULL"
            ).format(windows=all_windows(collection.space_id)),
            [collection.id, source],
            binary=True,
        ).fetchone()
    if row is None or row[1] is None:
        return {}
    hashes, vectors = row
    count = len(hashes) // WINDOW_HASH_BYTES
    # halfvec's binary form: the dimension and nothing, 16 bits each, then the numbers; all big-endian
    numbers = np.frombuffer(vectors, dtype=">f2").reshape(count, -1)[:, 2:].astype(np.float32)
    keys = (hashes[i * WINDOW_HASH_BYTES : (i + 1) * WINDOW_HASH_BYTES] for i in range(count))
    return dict(zip(keys, numbers, strict=True))


def count_unreadable(connection: Connection, collection: Collection) -> int:
    """How many documents of a collection hold more than UNREADABLE_SHARE of tokens that the model can't read."""
    row = connection.execute(
        "SELECT count(*) FROM pgask.documents"
        " WHERE collection_id = %s AND chunk_count > 0 AND unknown_tokens > token_count * %s",
        [collection.id, UNREADABLE_SHARE],
    ).fetchone()
    return 0 if row is None else int(row[0])


@retried
def replace_document(
    connection: Connection, collection: Collection, version: SourceVersion, embedded: EmbeddedDocument
) -> bool:
    """Store a document in place of what its source held. False: another process stored this very version meanwhile.

    Raises DocumentError where PostgreSQL can't hold the document, EmbeddingMismatchError or NotFoundError where the
    collection was moved or deleted meanwhile, InvalidRequestError where the name went to another folder's file, and
    StoreError. The old version then stays.
    """
    try:
        with store_errors(), connection.transaction():
            lock_file(connection, collection, version.source, version.file)
            if _is_stored(connection, collection, version):
                return False
            document_id, is_new = _upsert(connection, collection, version, embedded)
            if not is_new:
                delete_parts(connection, collection, document_id)
                release_duplicates(connection, document_id)
            _write_page_lines(connection, collection, document_id, embedded.document)
            copy_parts(connection, collection, document_id, embedded)
            _check_collection(connection, collection)
            return True
    except psycopg.errors.ProgramLimitExceeded as error:
        raise DocumentError(
            f"The document is larger than PostgreSQL can store: {error.diag.message_primary}. Split it.",
            code="too_large",
        ) from error
    except (psycopg.DataError, UnicodeEncodeError) as error:  # NUL, lone surrogates, numbers that JSON lacks
        raise DocumentError("The document holds characters that PostgreSQL can't store.") from error
    except StoreError as error:
        if isinstance(
            error.__cause__, psycopg.errors.InsufficientPrivilege
        ):  # no policy lets rows into what is gone
            _check_collection(connection, collection)
        raise


def _check_collection(connection: Connection, collection: Collection) -> None:
    """Hold the document to the space that it was made for. The trigger has locked the collection's row by now, so
    nothing moves it before the commit: ensure_collection waits, and then finds content."""
    row = connection.execute(
        "SELECT space_id, lexicon_version, twin_of FROM pgask.collections WHERE id = %s", [collection.id]
    ).fetchone()
    if row is None:
        raise _deleted(collection)
    if row != (collection.space_id, collection.lexicon_version, collection.twin_of):
        raise EmbeddingMismatchError(
            f"Collection {collection.name!r} was moved to another embedding model while this run went on. Run ingest "
            "again with the model that it should have."
        )


def _deleted(collection: Collection) -> NotFoundError:
    return NotFoundError(
        f"Collection {collection.name!r} was deleted meanwhile. Run ingest again to make it anew."
    )


@retried
def record_failure(
    connection: Connection, collection: Collection, version: SourceVersion, code: str, detail: str
) -> None:
    """Note that a source can't be taken in. An older version of it stays searchable, marked as stale."""
    with store_errors(), connection.transaction():
        lock_file(connection, collection, version.source, version.file)
        connection.execute(
            "INSERT INTO pgask.documents AS d (collection_id, source, status, reason, reason_detail, content_sha256,"
            " pipeline, size_bytes, root, origin, mtime_ns, inode, title, media_type, sender)"
            " VALUES (%(collection)s, %(source)s, 'failed', %(code)s, %(detail)s, %(sha)s, %(pipeline)s, %(size)s,"
            " %(root)s, %(origin)s, %(mtime_ns)s, %(inode)s, %(source)s, %(media_type)s, %(sender)s)"
            " ON CONFLICT (collection_id, source) DO UPDATE SET"
            "   status = CASE WHEN d.chunk_count > 0 THEN 'stale' ELSE 'failed' END, reason = excluded.reason,"
            "   reason_detail = excluded.reason_detail, content_sha256 = excluded.content_sha256,"
            "   media_type = CASE WHEN d.chunk_count > 0 THEN d.media_type ELSE excluded.media_type END,"
            "   sender = CASE WHEN d.chunk_count > 0 THEN d.sender ELSE excluded.sender END,"  # whose text answers
            "   pipeline = excluded.pipeline, size_bytes = excluded.size_bytes,"
            "   root = coalesce(excluded.root, d.root), origin = coalesce(excluded.origin, d.origin),"
            "   mtime_ns = excluded.mtime_ns, inode = excluded.inode, duplicate_of = NULL, updated_at = now()"
            " WHERE (d.reason, d.reason_detail, d.content_sha256, d.pipeline, d.root, d.origin, d.mtime_ns, d.inode)"
            "   IS DISTINCT FROM (excluded.reason, excluded.reason_detail, excluded.content_sha256, excluded.pipeline,"
            "   coalesce(excluded.root, d.root), coalesce(excluded.origin, d.origin), excluded.mtime_ns,"
            "   excluded.inode)",  # else nothing is new
            {
                "collection": collection.id,
                "source": version.source,
                "code": code,
                "detail": detail,
                "sha": version.content_sha256 or None,
                "pipeline": version.pipeline,
                "media_type": version.media_type,
                "sender": version.sender,
                "size": version.size_bytes,
                **asdict(version.file),
            },
        )


@retried
def record_textless(
    connection: Connection, collection: Collection, version: SourceVersion, detail: str
) -> None:
    """Note that a file is a picture without text; what was stored of it goes."""
    with store_errors(), connection.transaction():
        lock_file(connection, collection, version.source, version.file)
        connection.execute(
            "DELETE FROM pgask.documents WHERE collection_id = %s AND source = %s",
            [collection.id, version.source],
        )
        connection.execute(
            "INSERT INTO pgask.documents (collection_id, source, status, reason, reason_detail, content_sha256,"
            " pipeline, size_bytes, root, origin, mtime_ns, inode, title, media_type, sender)"
            " VALUES (%(collection)s, %(source)s, 'skipped', 'picture', %(detail)s, %(sha)s, %(pipeline)s, %(size)s,"
            " %(root)s, %(origin)s, %(mtime_ns)s, %(inode)s, %(source)s, %(media_type)s, %(sender)s)",
            {
                "collection": collection.id,
                "source": version.source,
                "detail": detail,
                "sha": version.content_sha256,
                "pipeline": version.pipeline,
                "media_type": version.media_type,
                "sender": version.sender,
                "size": version.size_bytes,
                **asdict(version.file),
            },
        )


def _is_stored(connection: Connection, collection: Collection, version: SourceVersion) -> bool:
    row = connection.execute(
        "SELECT 1 FROM pgask.documents WHERE collection_id = %s AND source = %s AND content_sha256 = %s"
        " AND pipeline = %s AND status = 'ready'",
        [collection.id, version.source, version.content_sha256, version.pipeline],
    ).fetchone()
    return row is not None


def _upsert(
    connection: Connection, collection: Collection, version: SourceVersion, embedded: EmbeddedDocument
) -> tuple[UUID, bool]:
    """Write the document's row and its text; its id, and whether it is new (no transaction has put a lock on it: xmax
    is 0)."""
    document = embedded.document
    row = connection.execute(
        "WITH stored AS (INSERT INTO pgask.documents"  # noqa: S608 - constants only
        " (collection_id, source, status, title, media_type, language, languages, content_sha256,"
        " pipeline, pages, sections, metadata, dropped, size_bytes, char_count, chunk_count, token_count,"
        " unknown_tokens, root, origin, mtime_ns, inode, sender, text_sha256, signature, window_hashes)"
        " VALUES (%(collection)s, %(source)s, 'ready', %(title)s, %(media_type)s, %(language)s,"
        " %(languages)s, %(sha)s, %(pipeline)s, %(pages)s, %(sections)s, %(metadata)s, %(dropped)s, %(size)s,"
        " %(chars)s, %(chunks)s,"
        " %(tokens)s, %(unknown)s, %(root)s, %(origin)s, %(mtime_ns)s, %(inode)s, %(sender)s,"
        " %(text_sha)s, %(signature)s, %(window_hashes)s)"
        " ON CONFLICT (collection_id, source) DO UPDATE SET status = 'ready', reason = NULL, reason_detail = NULL,"
        "   title = excluded.title, media_type = excluded.media_type, language = excluded.language,"
        "   languages = excluded.languages, content_sha256 = excluded.content_sha256, pipeline = excluded.pipeline,"
        "   pages = excluded.pages, sections = excluded.sections, metadata = excluded.metadata,"
        "   dropped = excluded.dropped, size_bytes = excluded.size_bytes, char_count = excluded.char_count,"
        "   chunk_count = excluded.chunk_count, token_count = excluded.token_count,"
        "   unknown_tokens = excluded.unknown_tokens, root = excluded.root, origin = excluded.origin,"
        "   mtime_ns = excluded.mtime_ns, inode = excluded.inode, sender = excluded.sender,"
        "   text_sha256 = excluded.text_sha256, signature = excluded.signature,"
        "   window_hashes = excluded.window_hashes, duplicate_of = NULL, updated_at = now()"
        f" RETURNING id, xmax = 0 AS is_new), {WRITE_TEXT} SELECT id, is_new FROM stored",
        {
            "collection": collection.id,
            "source": version.source,
            "title": document.title,
            "media_type": document.media_type,
            "language": document.language,
            "languages": list(document.languages) or None,
            "sha": version.content_sha256,
            "pipeline": version.pipeline,
            "pages": Jsonb(
                [_with(p.ocr_confidence, [p.number, p.char_start, p.char_end]) for p in document.pages]
            ),
            "sections": Jsonb(stored_sections(document)),
            "metadata": Jsonb(dict(document.metadata)),
            "dropped": Jsonb(dict(document.dropped)),
            "size": version.size_bytes,
            "chars": len(document.text),
            "chunks": len(embedded.chunks),
            "tokens": embedded.token_count,
            "unknown": embedded.unknown_tokens,
            **asdict(version.file),
            "sender": version.sender,
            "text_sha": embedded.text_sha256,
            "signature": embedded.signature,
            "window_hashes": embedded.window_hashes or None,
            "parts": list(cut_text(document.text)),
        },
    ).fetchone()
    assert row is not None
    document_id: UUID = row[0]
    return document_id, bool(row[1])


def _write_page_lines(
    connection: Connection, collection: Collection, document_id: UUID, document: Document
) -> None:
    connection.execute("DELETE FROM pgask.page_lines WHERE document_id = %s", [document_id])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO pgask.page_lines (collection_id, document_id, page, width, height, lines)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (
                    *(collection.id, document_id, page.number, page.width, page.height),
                    [number for line in page.lines for number in line],
                )
                for page in document.page_lines
            ],
        )


def stored_sections(document: Document) -> list[list[Any]]:
    """The sections as their column has them (`Section.of` reads them)."""
    return [[s.char_start, s.char_end, list(s.heading_path), s.language] for s in document.sections]


def _with(ocr_confidence: float | None, values: list[Any]) -> list[Any]:
    return values if ocr_confidence is None else [*values, ocr_confidence]


def delete_parts(connection: Connection, collection: Collection, document_id: UUID) -> None:
    """Delete all that makes a document searchable; its row and its text stay."""
    connection.execute("DELETE FROM pgask.chunks WHERE document_id = %s", [document_id])
    connection.execute("DELETE FROM pgask.signature_bands WHERE document_id = %s", [document_id])
    connection.execute(
        sql.SQL("DELETE FROM {} WHERE document_id = %s").format(all_windows(collection.space_id)),
        [document_id],
    )


def release_duplicates(connection: Connection, document_id: UUID) -> None:
    """What was left out in favour of a document whose text goes has to be looked at again by the next run."""
    connection.execute(
        "UPDATE pgask.documents SET duplicate_of = NULL WHERE duplicate_of = %s", [document_id]
    )


def copy_parts(
    connection: Connection, collection: Collection, document_id: UUID, embedded: EmbeddedDocument
) -> None:
    """Write all that makes a document searchable, by binary COPY; a text COPY of vectors would be ten times slower.

    Raises StoreError, for which `retried` does it again, where the collection's vectors were moved meanwhile."""
    partition = _find_partition(connection, collection)
    connection.execute(
        "INSERT INTO pgask.signature_bands (collection_id, band, document_id)"
        " SELECT DISTINCT %s::int, band, %s::uuid FROM unnest(%s::bigint[]) AS shared (band)",
        [collection.id, document_id, list(embedded.signature_bands)],
    )
    ids = [
        row[0]
        for row in connection.execute(
            "SELECT nextval('pgask.chunks_id_seq') FROM generate_series(1, %s)", [len(embedded.chunks)]
        )
    ]
    offsets = np.array(embedded.windows, dtype=np.int32).reshape(-1, 2)
    _copy_blocks(
        connection,
        (VECTOR_SCHEMA, f"window_vectors_{partition}"),
        "collection_id, document_id, window_index, char_start, char_end, embedding",
        pack_vectors(
            [
                (">i4", np.full(len(offsets), collection.id)),
                ("V16", document_id.bytes),
                (">i4", np.arange(len(offsets))),
                (">i4", offsets[:, 0]),
                (">i4", offsets[:, 1]),
            ],
            embedded.window_vectors,
            half=True,
        ),
    )
    term_counts = _copy_postings(connection, collection, ids, embedded)
    _copy(
        connection,
        (SCHEMA, "chunks"),
        "id, document_id, collection_id, chunk_index, char_start, char_end, token_count, term_count, page, heading,"
        " places, sentences, window_start, window_end, windows_shared, language",
        ["int8", "uuid", *["int4"] * 7, "text", "jsonb", "int4[]", *["int4"] * 3, "text"],
        (
            (
                chunk_id,
                document_id,
                collection.id,
                chunk.chunk_index,
                chunk.char_start,
                chunk.char_end,
                chunk.token_count,
                term_count,
                chunk.page,
                chunk.heading,
                Jsonb([_with(p.ocr_confidence, [p.char_start, p.page, p.heading]) for p in chunk.places]),
                [offset for span in chunk.sentences for offset in span],
                *windows,
                max(0, held - windows[0]),
                chunk.language,
            )
            for chunk_id, chunk, term_count, windows, held in zip(
                ids,
                embedded.chunks,
                term_counts,
                embedded.chunk_windows,
                [end for _, end in [(0, 0), *embedded.chunk_windows][:-1]],
                strict=True,
            )
        ),
    )
    _copy_blocks(
        connection,
        (VECTOR_SCHEMA, f"chunk_vectors_{partition}"),
        "chunk_id, collection_id, document_id, embedding",
        pack_vectors(
            [
                (">i8", np.array(ids, dtype=np.int64)),
                (">i4", np.full(len(ids), collection.id)),
                ("V16", document_id.bytes),
            ],
            embedded.chunk_vectors,
            half=False,
        ),
    )
    # The trigger has locked the collection's row: from here to the commit no move begins or ends
    if _find_partition(connection, collection) != partition:
        raise StoreError(
            f"The vectors of collection {collection.name!r} were moved meanwhile. Try again.",
            code="write_conflict",
        )


def _find_partition(connection: Connection, collection: Collection) -> int:
    """Where its vectors are to be written; of a collection that is gone or of another space by now, where it was."""
    row = connection.execute(
        "SELECT coalesce(partition_id, space_id) FROM pgask.collections WHERE id = %s AND space_id = %s",
        [collection.id, collection.space_id],
    ).fetchone()
    return collection.space_id if row is None else int(row[0])


def _copy_postings(
    connection: Connection, collection: Collection, ids: Sequence[int], embedded: EmbeddedDocument
) -> list[int]:
    """Write the postings of chunks; how many terms each chunk has."""
    term_counts: list[int] = []

    def packed() -> Iterator[bytes]:
        for chunk_id, terms, (first, after) in zip(
            ids, embedded.chunk_terms, embedded.chunk_windows, strict=True
        ):
            term_counts.append(terms.total())
            postings = _postings(terms, embedded.window_terms[first:after])
            yield pack_postings(chunk_id, collection.id, term_counts[-1], postings, connection.info.encoding)

    _copy_blocks(connection, (SCHEMA, "postings"), POSTING_COLUMNS, packed())
    return term_counts


def _postings(terms: Counter[str], windows: Sequence[Counter[str]]) -> Iterator[tuple[str, int, bytes]]:
    """(term, frequency, frequencies by window up to the last that has it) of a chunk, by term."""
    by_window: dict[str, bytearray] = {}
    for index, found in enumerate(windows):
        for term, frequency in found.items():
            frequencies = by_window.setdefault(term, bytearray())
            frequencies.extend(bytes(index - len(frequencies)))
            frequencies.append(min(frequency, 255))
    for term, frequency in sorted(terms.items()):
        yield term, min(frequency, _MAX_TERM_FREQUENCY), bytes(by_window.get(term, b""))


def _copy_blocks(
    connection: Connection, table: tuple[str, str], columns: LiteralString, rows: Iterable[bytes]
) -> None:
    with staged_copy(connection, *table, columns) as copy:
        for block in in_blocks(rows):
            copy.write(block)


def _copy(
    connection: Connection,
    table: tuple[str, str],
    columns: LiteralString,
    types: list[str],
    rows: Iterable[Sequence[object]],
) -> None:
    with staged_copy(connection, *table, columns) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
