"""Which stored documents hold the same text: candidates by hash and by signature, and how a duplicate is recorded.

Knows nothing of how signatures are made (ingest/duplicates.py). Sync; used by ingest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.domain import Document
from app.sqlstates import store_errors
from app.store.connection import Connection, retried
from app.store.documents import SourceVersion, delete_parts, release_duplicates
from app.store.sources import lock_file, lock_source
from app.store.spaces import Collection
from app.store.texts import whole_text

_MOST_CANDIDATES: Final = (
    100  # of each kind; more share a band only where a collection keeps all its duplicates
)

# Those that share a band are found first and sorted then, and the bands are hidden from the planner: it expects each to
# be shared by one document in two hundred, and would rather read them all, in the order of their source or not.
_CANDIDATES: Final = """
WITH near AS MATERIALIZED (
    SELECT source, signature FROM pgask.documents
     WHERE id IN (SELECT document_id FROM pgask.signature_bands
                   WHERE collection_id = %(collection)s AND band = ANY ((SELECT %(bands)s::bigint[])::bigint[]))
       AND collection_id = %(collection)s AND text_sha256 <> %(sha)s AND chunk_count > 0 AND source <> %(source)s
)
(SELECT source, signature, true AS is_same FROM pgask.documents
  WHERE collection_id = %(collection)s AND text_sha256 = %(sha)s AND chunk_count > 0 AND source <> %(source)s
  ORDER BY source LIMIT %(most)s)
UNION ALL
(SELECT source, signature, false FROM near ORDER BY source LIMIT %(most)s)"""


@dataclass(frozen=True, slots=True)
class Signature:
    """What two texts are compared by. `minhash` is None for a text too short to be compared but as a whole."""

    text_sha256: str
    minhash: bytes | None = None
    bands: Sequence[int] = ()  # near duplicates share at least one with high probability; signed 64-bit


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored document that may hold the same text; `is_same` where it does to the letter."""

    source: str
    signature: bytes | None
    is_same: bool


def duplicate_candidates(
    connection: Connection, collection: Collection, source: str, signature: Signature
) -> list[Candidate]:
    """Searchable documents of the collection, other than `source`, with the same text or a band in common: the same
    ones first, both by source."""
    with store_errors(), connection.cursor(row_factory=class_row(Candidate)) as cursor:
        return cursor.execute(
            _CANDIDATES,
            {
                "collection": collection.id,
                "source": source,
                "sha": signature.text_sha256,
                "bands": list(signature.bands),
                "most": _MOST_CANDIDATES,
            },
        ).fetchall()


def read_text(connection: Connection, collection: Collection, source: str) -> str:
    """The stored text of a document; empty where it is gone by now."""
    with store_errors():
        row = connection.execute(
            f"SELECT {whole_text('id')} FROM pgask.documents"  # noqa: S608 - constants only
            " WHERE collection_id = %s AND source = %s",
            [collection.id, source],
        ).fetchone()
    return "" if row is None else str(row[0])


@retried
def record_duplicate(
    connection: Connection,
    collection: Collection,
    version: SourceVersion,
    document: Document,
    *,
    kept: str,
    text_sha256: str,
    detail: str,
) -> bool:
    """Note that a source is left out since `kept` holds the same; what was stored of it goes. False, with nothing
    written, where `kept` is not searchable any more: the document has to be stored itself then."""
    with store_errors(), connection.transaction():
        for source in sorted((version.source, kept)):
            if source == version.source:
                lock_file(connection, collection, source, version.file)
            else:
                lock_source(connection, collection, source)
        found = connection.execute(
            "SELECT id FROM pgask.documents WHERE collection_id = %s AND source = %s AND chunk_count > 0"
            " FOR KEY SHARE",  # the kept one before its duplicate, as replace_document does
            [collection.id, kept],
        ).fetchone()
        if found is None:
            return False
        row = connection.execute(
            "INSERT INTO pgask.documents (collection_id, source, status, reason, reason_detail, title, media_type,"
            " language, languages, content_sha256, pipeline, root, origin, mtime_ns, inode, text_sha256, dropped,"
            " size_bytes, metadata, duplicate_of, sender)"
            " VALUES (%(collection)s, %(source)s, 'duplicate', 'duplicate', %(detail)s, %(title)s, %(media_type)s,"
            " %(language)s, %(languages)s, %(sha)s, %(pipeline)s, %(root)s, %(origin)s, %(mtime_ns)s, %(inode)s,"
            " %(text_sha)s, %(dropped)s, %(size)s,"
            " %(metadata)s, %(kept)s, %(sender)s)"
            " ON CONFLICT (collection_id, source) DO UPDATE SET status = 'duplicate', reason = 'duplicate',"
            "   reason_detail = excluded.reason_detail, title = excluded.title, media_type = excluded.media_type,"
            "   language = excluded.language, languages = excluded.languages, content_sha256 = excluded.content_sha256,"
            "   pipeline = excluded.pipeline, root = excluded.root, origin = excluded.origin,"
            "   mtime_ns = excluded.mtime_ns, inode = excluded.inode, text_sha256 = excluded.text_sha256,"
            "   dropped = excluded.dropped, size_bytes = excluded.size_bytes, duplicate_of = excluded.duplicate_of,"
            "   pages = '[]', sections = '[]', metadata = excluded.metadata, signature = NULL,"
            "   window_hashes = NULL, char_count = 0,"
            "   chunk_count = 0, token_count = 0, unknown_tokens = 0, sender = excluded.sender,"
            "   updated_at = now()"
            " RETURNING id",
            {
                "collection": collection.id,
                "source": version.source,
                "detail": detail,
                "title": document.title,
                "media_type": document.media_type,
                "language": document.language,
                "languages": list(document.languages) or None,
                "sha": version.content_sha256,
                "pipeline": version.pipeline,
                **asdict(version.file),
                "text_sha": text_sha256,
                "dropped": Jsonb(dict(document.dropped)),
                "size": version.size_bytes,
                "metadata": Jsonb(dict(document.metadata)),
                "kept": found[0],
                "sender": version.sender,
            },
        ).fetchone()
        assert row is not None
        delete_parts(connection, collection, row[0])
        connection.execute("DELETE FROM pgask.document_texts WHERE document_id = %s", [row[0]])
        release_duplicates(connection, row[0])
        return True
