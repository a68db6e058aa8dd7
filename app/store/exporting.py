"""A collection → lines of a file, as one snapshot, a document at a time. Sync; run by `pgask export`.

What only this machine knows of a file stays here: its folder, its path, its times. All other columns of a document go
along by themselves, those that a later version adds too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import IO, Any, Final

from psycopg import IsolationLevel, sql

from app.sqlstates import all_errors
from app.store.connection import Connection
from app.store.export_lines import FORMAT, VERSION, LineWriter
from app.store.shelves import Shelf, list_shelves
from app.store.spaces import all_chunks, all_windows, find_collection, read_space

# Of a document's row: what is the database's own, or tells of this machine.
LEFT_OUT: Final = (
    *("id", "collection_id", "tenant_id", "duplicate_of"),
    *("root", "origin", "mtime_ns", "inode", "sender"),
    *("copy_of", "copied_at"),
)
FORMERLY_WRITTEN: Final = ("copy_of", "copied_at")  # of nobody's documents, as null
TEXTS_A_LINE: Final = 100
PAGES_A_LINE: Final = 20
WINDOWS_A_LINE: Final = 1_000
CHUNKS_A_LINE: Final = 100

_ORIGINAL: Final = """
SELECT jsonb_build_object('kind', 'original', 'name', name, 'sha256', sha256, 'size_bytes', size_bytes)::text
  FROM pgask.originals WHERE document_id = %(id)s"""

_ORIGINAL_PARTS: Final = """
SELECT jsonb_build_object('kind', 'original_part', 'part', p.part,
                          'bytes', translate(encode(p.bytes, 'base64'), E'\n', ''))::text
  FROM pgask.originals o JOIN pgask.original_parts p ON p.original_id = o.id
 WHERE o.document_id = %(id)s ORDER BY p.part"""

_ORDER: Final = """
SELECT d.id, d.collection_id
  FROM pgask.documents d LEFT JOIN pgask.chunks k ON k.document_id = d.id AND k.chunk_index = 0
 WHERE d.collection_id = ANY(%s) ORDER BY k.id NULLS LAST, d.source, d.collection_id"""

_DOCUMENT: Final = """
SELECT jsonb_build_object(
         'kind', 'document', 'id', d.id, 'duplicate_of', kept.source, {readers}
         'row', (to_jsonb(d) - %(left_out)s::text[]) || jsonb_build_object('signature_bands', (
                SELECT jsonb_agg(s.band ORDER BY s.band) FROM pgask.signature_bands s WHERE s.document_id = d.id)),
         'background', coalesce((SELECT jsonb_agg(b.window_index ORDER BY b.window_index)
                                   FROM pgask.background_windows b WHERE b.document_id = d.id), '[]'))::text
  FROM pgask.documents d LEFT JOIN pgask.documents kept ON kept.id = d.duplicate_of WHERE d.id = %(id)s"""

_TEXTS: Final = """
SELECT jsonb_build_object('kind', 'texts', 'first', min(part), 'texts', jsonb_agg(text ORDER BY part))::text
  FROM pgask.document_texts WHERE document_id = %(id)s
 GROUP BY part / %(size)s ORDER BY part / %(size)s"""

_PAGES: Final = """
SELECT jsonb_build_object('kind', 'page_lines', 'rows',
                          jsonb_agg(to_jsonb(p) - 'document_id' - 'tenant_id' ORDER BY page))::text
  FROM (SELECT *, row_number() OVER (ORDER BY page) - 1 AS number FROM pgask.page_lines WHERE document_id = %(id)s) n
  JOIN pgask.page_lines p USING (document_id, page) GROUP BY number / %(size)s ORDER BY number / %(size)s"""

_LEFT_OF_CHUNK: Final = ("id", "document_id", "collection_id", "tenant_id")
_PACKED: Final = "translate(encode(string_agg(substring({} FROM 5), '' ORDER BY {}), 'base64'), E'\\n', '')"

_WINDOWS: Final = f"""
SELECT jsonb_build_object(
         'kind', 'windows', 'first', min(window_index),
         'spans', jsonb_agg(jsonb_build_array(char_start, char_end) ORDER BY window_index),
         'vectors', {_PACKED.format("halfvec_send(embedding)", "window_index")})::text
  FROM {{windows}} WHERE document_id = %(id)s
 GROUP BY window_index / %(size)s ORDER BY window_index / %(size)s"""  # noqa: S608 - constants only

_CHUNKS: Final = f"""
SELECT jsonb_build_object(
         'kind', 'chunks',
         'rows', jsonb_agg(to_jsonb(k) - %(left_of_chunk)s::text[] ORDER BY k.chunk_index),
         'postings', jsonb_agg(terms.postings ORDER BY k.chunk_index),
         'vectors', {_PACKED.format("vector_send(v.embedding)", "k.chunk_index")})::text
  FROM pgask.chunks k JOIN {{chunks}} v ON v.chunk_id = k.id CROSS JOIN LATERAL (
       SELECT coalesce(jsonb_agg(jsonb_build_array(term, term_frequency, encode(window_frequencies, 'hex'))
                                 ORDER BY term), '[]') AS postings
         FROM pgask.chunk_postings(ARRAY[k.id])) terms
 WHERE k.document_id = %(id)s GROUP BY k.chunk_index / %(size)s ORDER BY k.chunk_index / %(size)s"""  # noqa: S608


def export_collection(connection: Connection, name: str, stream: IO[bytes]) -> dict[str, int]:
    """Write a collection; how many documents and chunks it has. Raises NotFoundError, StoreError, OSError."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with all_errors(), connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        find_collection(connection, name)
        shelves = {shelf.collection.id: shelf for shelf in list_shelves(connection, name)}
        header = _header(connection, list(shelves.values()))
        writer = LineWriter(stream)
        writer.write(header)
        ids = connection.execute(_ORDER, [list(shelves)]).fetchall()
        for document_id, collection_id in ids:
            writer.begin_document()
            for line in _document_lines(connection, shelves[collection_id], document_id):
                writer.write(line)
            writer.end_document()
        writer.close()
    return {"documents": len(ids), "chunks": header["chunks"]}


def _header(connection: Connection, shelves: Sequence[Shelf]) -> dict[str, Any]:
    collection = shelves[0].collection
    row = connection.execute(
        "SELECT c.lexicon_version, s.chunks, c.background, c.background_version,"
        " (SELECT count(*) FROM pgask.documents WHERE collection_id = ANY(%(shelves)s))"
        " FROM pgask.collections c CROSS JOIN (SELECT sum(chunk_count)::bigint AS chunks FROM pgask.collections"
        "   WHERE id = ANY(%(shelves)s)) s WHERE c.id = %(first)s",
        {"shelves": [shelf.collection.id for shelf in shelves], "first": collection.id},
    ).fetchone()
    assert row is not None
    lexicon_version, chunks, background, background_version, documents = row
    return {
        "format": FORMAT,
        "version": VERSION if len(shelves) > 1 else 1,
        "export_id": str(uuid.uuid4()),
        "collection": collection.name,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "pgask": version("pgask"),
        "space": asdict(read_space(connection, collection.space_id)),
        "lexicon_version": lexicon_version,
        "documents": documents,
        "chunks": chunks,
        "background": background,
        "background_version": background_version,
    }


def _document_lines(connection: Connection, shelf: Shelf, document_id: uuid.UUID) -> Iterator[str]:
    space_id = shelf.collection.space_id
    named = {
        "id": document_id,
        "left_out": list(LEFT_OUT),
        "left_of_chunk": list(_LEFT_OF_CHUNK),
        "readers": list(shelf.readers),
    }
    slots = {
        "windows": all_windows(space_id),
        "chunks": all_chunks(space_id),
        "readers": sql.SQL("'readers', %(readers)s::text[]," if shelf.readers else ""),
    }
    for statement, size in (
        (_DOCUMENT, 1),
        (_TEXTS, TEXTS_A_LINE),
        (_PAGES, PAGES_A_LINE),
        (_WINDOWS, WINDOWS_A_LINE),
        (_CHUNKS, CHUNKS_A_LINE),
        (_ORIGINAL, 1),
        (_ORIGINAL_PARTS, 1),
    ):
        has_slots = statement in (_DOCUMENT, _WINDOWS, _CHUNKS)
        query = sql.SQL(statement).format(**slots) if has_slots else statement.encode()
        with connection.cursor() as cursor:
            for (line,) in cursor.stream(query, named | {"size": size}):
                yield line
