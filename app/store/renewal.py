"""Stored documents whose terms another version of the lexicon made: read back, and stored again in place. Sync; used by
ingest.

Nothing that a reader sees of a document changes: its text, spans and times stay, what makes it searchable is written
anew in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from psycopg.types.json import Jsonb

from app.domain import Document, Page, Section
from app.lexicon import LEXICON_VERSION
from app.sqlstates import store_errors
from app.store.connection import Connection, retried
from app.store.documents import EmbeddedDocument, copy_parts, delete_parts, stored_sections
from app.store.sources import lock_source
from app.store.spaces import Collection
from app.store.texts import whole_text


def read_document(connection: Connection, collection: Collection, source: str) -> Document | None:
    """The stored document of a source; None where nothing of it is searchable."""
    with store_errors():
        row = connection.execute(
            f"SELECT {whole_text('id')}, title, media_type, language, pages, sections, metadata, dropped"  # noqa: S608
            " FROM pgask.documents WHERE collection_id = %s AND source = %s AND chunk_count > 0",
            [collection.id, source],
        ).fetchone()
    if row is None:
        return None
    text, title, media_type, language, pages, sections, metadata, dropped = row
    return Document(
        text,
        title,
        media_type,
        language,
        pages=tuple(Page(*page) for page in pages),
        sections=tuple(Section.of(*section) for section in sections),
        metadata=metadata,
        dropped=dropped,
    )


@retried
def store_again(
    connection: Connection,
    collection: Collection,
    source: str,
    embedded: EmbeddedDocument,
    pipeline: str | None,
) -> bool:
    """Store what makes a document searchable in place of what did, under another `pipeline`. False where its text is
    another by now, or gone: whoever wrote it made the terms too."""
    with store_errors(), connection.transaction():
        lock_source(connection, collection, source)
        row = connection.execute(
            "UPDATE pgask.documents SET pipeline = %(pipeline)s, chunk_count = %(chunks)s, token_count = %(tokens)s,"  # noqa: S608
            " unknown_tokens = %(unknown)s, text_sha256 = %(text_sha)s, signature = %(signature)s,"
            " window_hashes = %(window_hashes)s, languages = %(languages)s, sections = %(sections)s"
            " WHERE collection_id = %(collection)s AND source = %(source)s AND chunk_count > 0"
            f" AND {whole_text('id')} = %(text)s RETURNING id",
            {
                "pipeline": pipeline,
                "chunks": len(embedded.chunks),
                "tokens": embedded.token_count,
                "unknown": embedded.unknown_tokens,
                "text_sha": embedded.text_sha256,
                "signature": embedded.signature,
                "window_hashes": embedded.window_hashes or None,
                "languages": list(embedded.document.languages) or None,
                "sections": Jsonb(stored_sections(embedded.document)),
                "collection": collection.id,
                "source": source,
                "text": embedded.document.text,
            },
        ).fetchone()
        if row is None:
            return False
        delete_parts(connection, collection, row[0])
        copy_parts(connection, collection, row[0], embedded)
        return True


@retried
def finish_renewal(
    connection: Connection, collection: Collection, pipelines: Mapping[str, str]
) -> Collection:
    """Say that all terms of the collection are of this lexicon, and that documents without terms (`pipelines`, by
    source) need not be read again for it. Returns the collection as it is now."""
    with store_errors(), connection.transaction():
        connection.execute(
            "UPDATE pgask.documents d SET pipeline = new.pipeline"
            " FROM unnest(%s::text[], %s::text[]) new (source, pipeline)"
            " WHERE d.collection_id = %s AND d.source = new.source AND d.chunk_count = 0",
            [list(pipelines), list(pipelines.values()), collection.id],
        )
        connection.execute(
            "UPDATE pgask.collections SET lexicon_version = %s WHERE id = %s AND lexicon_version < %s",
            [LEXICON_VERSION, collection.id, LEXICON_VERSION],
        )
    return replace(collection, lexicon_version=LEXICON_VERSION)
