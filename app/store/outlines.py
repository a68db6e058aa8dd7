"""What is read of a collection to tell what is in it: its documents counted and named, one document's outline, and
which documents hold some terms. Async, in the caller's transaction.

Every read is bounded, whatever the size of documents and collection: texts come in stretches, lists in their first
entries. Only counting looks at every document's row, never at its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Json

from app.domain import CollectionNames, Page, Place, SearchFilter, names_of
from app.store.chunks import COLLECTION_OF
from app.store.connection import AsyncConnection
from app.store.filters import compile_filter
from app.store.texts import text_between, whole_text

LEAD_CHARS: Final = 1_000  # of a document's text that come with its name
MAX_NAMED: Final = 15  # documents named of a collection
MAX_CANDIDATES: Final = 200  # documents whose names hold the words that are looked for
MAX_SECTIONS: Final = 2_000  # of an outline
MAX_PAGES: Final = 20_000
MAX_CHUNKS: Final = 20_000
HEAD_CHARS: Final = 200_000  # of a text that are read at once
STRETCH_CHARS: Final = 4_000  # of a section that begins beyond those
MAX_POSTINGS: Final = 10_000  # chunks of the rarest term that are looked through for the others

# The condition of the filter is put at {kept}; it is over `pgask.documents d`.
_KEPT: Final = """
    FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id
   WHERE c.name = ANY(%(collections)s) AND d.status IN ('ready', 'stale') AND d.chunk_count > 0
     AND (%(folder)s::text IS NULL OR starts_with(d.source, %(folder)s || '/')) AND ({kept})"""

_LEAD: Final = f"""
       d.id::text AS document_id, {COLLECTION_OF.format("d")} AS collection, d.source, d.title, d.language,
       d.media_type, d.updated_at,
       {text_between("d.id", "0", "%(lead)s::int")} AS text,
       (SELECT k.id::text FROM pgask.chunks k WHERE k.document_id = d.id ORDER BY k.chunk_index LIMIT 1) AS chunk_id,
       (d.pages -> 0 ->> 0)::int AS page, (d.pages -> 0 ->> 3)::float8 AS ocr_confidence,
       ARRAY(SELECT s.value -> 2 ->> -1 FROM jsonb_array_elements(d.sections) WITH ORDINALITY s (value, n)
              WHERE s.n <= 12 ORDER BY s.n) AS headings"""  # noqa: S608 - constants only

# Of the largest folders, those in the reader's language before others, the first documents: the first of every folder
# before the second of any.
_INVENTORY: Final = """
WITH counted AS MATERIALIZED (
    SELECT d.language, d.media_type, coalesce(substring(d.source FROM '^(.*)/[^/]*$'), '') AS folder,
           count(*) AS documents {from_kept}
     GROUP BY 1, 2, 3
), folders AS MATERIALIZED (
    SELECT folder, sum(documents) AS documents,
           row_number() OVER (ORDER BY bool_or(language = %(language)s) DESC, sum(documents) DESC, folder) AS place
      FROM counted GROUP BY folder ORDER BY place LIMIT 100
), named AS (
    SELECT n.id
      FROM (SELECT *, CASE folder WHEN '' THEN '' ELSE folder || '/' END AS first,
                   CASE folder WHEN '' THEN chr(1114111) ELSE folder || '0' END AS after -- what sorts after all of it
              FROM folders WHERE place <= %(named)s) f
     CROSS JOIN LATERAL (
        SELECT d.id, row_number() OVER (ORDER BY d.source) AS turn {from_kept}
           AND d.source >= f.first AND d.source < f.after
           AND coalesce(substring(d.source FROM '^(.*)/[^/]*$'), '') = f.folder
         ORDER BY d.source LIMIT %(named)s) n
     ORDER BY n.turn, f.place LIMIT %(named)s
)
SELECT (SELECT jsonb_object_agg(language, documents) FROM (SELECT language, sum(documents) AS documents FROM counted
         GROUP BY 1) l) AS languages,
       (SELECT jsonb_object_agg(media_type, documents) FROM (SELECT media_type, sum(documents) AS documents FROM counted
         GROUP BY 1) m) AS media_types,
       (SELECT jsonb_object_agg(folder, documents) FROM folders) AS folders,
       (SELECT count(DISTINCT folder) FROM counted) AS folder_count, {lead}
  FROM named JOIN pgask.documents d USING (id) ORDER BY d.source"""

_NEWEST: Final = "SELECT {lead} {from_kept} ORDER BY d.updated_at DESC, d.source LIMIT %(named)s"

# `needles` are lists of spellings; a document's name has to hold one of each. A copy that was left out is found by its
# own name, and leads to the document kept in its place.
_CANDIDATES: Final = """
SELECT {lead}, n.source AS named_source, n.title AS named_title FROM (
    SELECT coalesce(d.duplicate_of, d.id) AS id, d.source, d.title
      FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id
     WHERE c.name = ANY(%(collections)s) AND ({kept})
       AND (d.status IN ('ready', 'stale') AND d.chunk_count > 0 OR d.duplicate_of IS NOT NULL)
       AND NOT EXISTS (SELECT FROM jsonb_array_elements(%(needles)s::jsonb) word
                        WHERE NOT EXISTS (SELECT FROM jsonb_array_elements_text(word.value) spelling
                                           WHERE strpos(lower((d.source || ' ' || d.title) COLLATE "C"), spelling) > 0))
     ORDER BY length(d.source) + length(d.title), d.source LIMIT %(candidates)s) n
  JOIN pgask.documents d ON d.id = n.id
 ORDER BY length(n.source) + length(n.title), n.source"""

# An item is a line that begins with "- ": a row of a long table. They are counted where the text is not read whole.
_OUTLINE: Final = f"""
SELECT d.id::text AS document_id, {COLLECTION_OF.format("d")} AS collection, d.source, d.title, d.media_type,
       d.language, d.char_count,
       jsonb_array_length(d.sections) AS section_count, jsonb_array_length(d.pages) AS page_count,
       (SELECT coalesce(jsonb_agg(s.value ORDER BY s.n), '[]') FROM jsonb_array_elements(d.sections) WITH ORDINALITY
               s (value, n) WHERE s.n <= %(sections)s) AS sections,
       (SELECT coalesce(jsonb_agg(p.value ORDER BY p.n), '[]') FROM jsonb_array_elements(d.pages) WITH ORDINALITY
               p (value, n) WHERE p.n <= %(pages)s) AS pages,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(k.id, k.char_start, k.char_end) ORDER BY k.chunk_index), '[]')
          FROM (SELECT * FROM pgask.chunks k WHERE k.document_id = d.id ORDER BY k.chunk_index LIMIT %(chunks)s) k
       ) AS chunks,
       {text_between("d.id", "0", "%(head)s::int")} AS head,
       CASE WHEN d.char_count > %(head)s THEN (
            SELECT length(w.text) - length(replace(w.text, E'\\n- ', E'\\n-')) + starts_with(w.text, '- ')::int
              FROM (SELECT {whole_text("d.id")} AS text OFFSET 0) w) END AS items
  FROM pgask.documents d WHERE d.id = %(id)s"""  # noqa: S608 - constants only

_STRETCHES: Final = f"""
SELECT s.char_start, {text_between("d.id", "s.char_start", "s.char_start + %(chars)s::int")}
  FROM pgask.documents d CROSS JOIN unnest(%(starts)s::int[]) s (char_start)
 WHERE d.id = %(id)s ORDER BY 1"""  # noqa: S608 - constants only

# From the rarest term on; of each document the chunk that names them most often.
_HOLDERS: Final = f"""
WITH collection AS (
    SELECT id FROM pgask.collections WHERE name = ANY(%(collections)s) AND twin_of IS NULL AND NOT importing
), rarest AS MATERIALIZED (
    SELECT t.term, counted.chunks = %(postings)s AS capped
      FROM unnest(%(terms)s::text[]) t (term) CROSS JOIN LATERAL (
        SELECT count(*) AS chunks FROM (
               SELECT FROM collection c CROSS JOIN LATERAL pgask.term_postings(ARRAY[c.id], t.term)
                LIMIT %(postings)s) capped) counted
     ORDER BY counted.chunks, t.term LIMIT 1
), holding AS MATERIALIZED (
    SELECT first.chunk_id, least(first.term_frequency, others.least) AS frequency
      FROM (SELECT p.chunk_id, p.term_frequency, c.id AS collection_id FROM rarest CROSS JOIN collection c
             CROSS JOIN LATERAL pgask.term_postings(ARRAY[c.id], rarest.term) p LIMIT %(postings)s) first
     CROSS JOIN LATERAL (
        SELECT count(*) AS held, min(p.term_frequency) AS least FROM unnest(%(terms)s::text[]) t (term)
         CROSS JOIN LATERAL pgask.held_postings(
               ARRAY[first.collection_id], t.term, ARRAY[first.chunk_id], ARRAY[first.collection_id]) p) others
     WHERE others.held = cardinality(%(terms)s::text[])
), best AS (
    SELECT DISTINCT ON (d.id) d.id, d.source, k.id AS chunk_id, h.frequency, count(*) OVER (PARTITION BY d.id) AS chunks
      FROM holding h JOIN pgask.chunks k ON k.id = h.chunk_id JOIN pgask.documents d ON d.id = k.document_id
     WHERE d.status IN ('ready', 'stale') AND ({{kept}})
     ORDER BY d.id, h.frequency DESC, k.chunk_index
), chosen AS (
    SELECT *, count(*) OVER () AS documents FROM best ORDER BY chunks DESC, frequency DESC, source LIMIT %(named)s
)
SELECT h.documents, (SELECT capped FROM rarest) AS capped, d.id::text AS document_id,
       {COLLECTION_OF.format("d")} AS collection, d.source, d.title, d.language,
       k.id::text AS chunk_id, k.page, k.heading, k.places, k.char_start, k.sentences,
       {text_between("k.document_id", "k.char_start", "k.char_end")} AS text
  FROM chosen h JOIN pgask.documents d ON d.id = h.id JOIN pgask.chunks k ON k.id = h.chunk_id
 ORDER BY h.chunks DESC, h.frequency DESC, d.source"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Lead:
    """A document by its names, and its first LEAD_CHARS characters, which its first chunk holds the beginning of."""

    document_id: str
    collection: str
    source: str
    title: str
    language: str
    media_type: str
    updated_at: datetime
    text: str
    chunk_id: str
    page: int | None
    headings: tuple[str, ...]  # the innermost of each of its first sections
    ocr_confidence: float | None = None  # of its first page, see app.domain.Page


@dataclass(frozen=True, slots=True)
class Inventory:
    """Documents that can be asked, counted by language, media type and folder ("" for none); some of them, by source.

    `folders` has the 100 largest of `folder_count`.
    """

    languages: Mapping[str, int]
    media_types: Mapping[str, int]
    folders: Mapping[str, int]
    folder_count: int
    named: tuple[Lead, ...]

    @property
    def documents(self) -> int:
        """How many there are."""
        return sum(self.languages.values())


@dataclass(frozen=True, slots=True)
class StoredOutline:
    """A document's structure: the first of its sections as (char_start, char_end, heading path), of its pages,
    and of its chunks as (id, char_start, char_end); `head` is its text up to HEAD_CHARS.
    `items` are the lines that begin with "- " where the text is longer than that, else None."""

    document_id: str
    collection: str
    source: str
    title: str
    media_type: str
    language: str
    char_count: int
    section_count: int
    page_count: int
    sections: tuple[tuple[int, int, tuple[str, ...]], ...]
    pages: tuple[Page, ...]
    chunks: tuple[tuple[int, int, int], ...]
    head: str
    items: int | None


@dataclass(frozen=True, slots=True)
class Holder:
    """A document that holds all of some terms, and its chunk that does so most. `sentences` and places are spans and
    offsets of the document. `documents` counts all that hold them; with `capped`, those that were looked at."""

    documents: int
    capped: bool
    document_id: str
    collection: str
    source: str
    title: str
    language: str
    chunk_id: str
    page: int | None
    heading: str | None
    places: tuple[Place, ...]
    char_start: int
    sentences: tuple[tuple[int, int], ...]
    text: str


async def read_inventory(
    connection: AsyncConnection,
    collection: CollectionNames,
    search_filter: SearchFilter | None,
    *,
    language: str,
    folder: str | None = None,
    named: int = MAX_NAMED,
) -> Inventory | None:
    """What a collection holds under a filter and below a folder; None where that is nothing. Folders with documents in
    `language` come first in the choice of those that are named."""
    rows = await _rows(
        connection, _INVENTORY, collection, search_filter, folder=folder, named=named, language=language
    )
    if not rows:
        return None
    first = rows[0]
    counts = [
        {str(key): int(count) for key, count in (first[field] or {}).items()}
        for field in ("languages", "media_types", "folders")
    ]
    return Inventory(counts[0], counts[1], counts[2], first["folder_count"], tuple(map(_lead, rows)))


async def read_newest(
    connection: AsyncConnection, collection: CollectionNames, search_filter: SearchFilter | None, named: int
) -> list[Lead]:
    """The documents that changed last, the newest first."""
    return [_lead(row) for row in await _rows(connection, _NEWEST, collection, search_filter, named=named)]


async def find_candidates(
    connection: AsyncConnection,
    collection: CollectionNames,
    search_filter: SearchFilter | None,
    needles: Sequence[Sequence[str]],
) -> list[Lead]:
    """Documents whose source and title together, or those of a copy left out in their favour, hold one spelling of each
    needle; at most MAX_CANDIDATES, those with the shortest names, which hold little else, first. `source` and `title`
    are the ones found.

    Needles are in lower case where they are ASCII; other letters than those are found as they are written.
    """
    given = Json([list(spellings) for spellings in needles])
    rows = await _rows(
        connection, _CANDIDATES, collection, search_filter, needles=given, candidates=MAX_CANDIDATES
    )
    leads: dict[str, Lead] = {}  # one a document: the name that holds little else
    for row in rows:
        named = {"source": row.pop("named_source"), "title": row.pop("named_title")}
        leads.setdefault(row["document_id"], _lead(row | named))
    return list(leads.values())


async def read_outline(connection: AsyncConnection, document_id: str) -> StoredOutline | None:
    """The outline of a document with the beginning of its text; None where it is gone."""
    parameters = {
        "id": document_id,
        "sections": MAX_SECTIONS,
        "pages": MAX_PAGES,
        "chunks": MAX_CHUNKS,
        "head": HEAD_CHARS,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_OUTLINE, parameters)
        row = await cursor.fetchone()
    if row is None:
        return None
    row["sections"] = tuple((start, end, tuple(path)) for start, end, path, *_ in row["sections"])
    row["pages"] = tuple(Page(*page) for page in row["pages"])
    row["chunks"] = tuple(map(tuple, row["chunks"]))
    return StoredOutline(**row)


async def read_stretches(
    connection: AsyncConnection, document_id: str, starts: Sequence[int]
) -> dict[int, str]:
    """The STRETCH_CHARS characters of a document's text from each of these offsets on."""
    parameters = {"id": document_id, "starts": list(starts), "chars": STRETCH_CHARS}
    rows = await (await connection.execute(_STRETCHES, parameters)).fetchall()
    return {int(start): str(text) for start, text in rows}


async def find_holders(
    connection: AsyncConnection,
    collection: CollectionNames,
    search_filter: SearchFilter | None,
    terms: Sequence[str],
    named: int,
) -> list[Holder]:
    """Documents one of whose chunks holds all of these terms: those with the most such chunks first, then those that
    name the least named term most often. Of the rarest term's chunks at most MAX_POSTINGS are looked at."""
    rows = await _rows(
        connection,
        _HOLDERS,
        collection,
        search_filter,
        terms=sorted(set(terms)),
        postings=MAX_POSTINGS,
        named=named,
    )
    for row in rows:
        row["places"] = tuple(Place(*place) for place in row["places"])
        row["sentences"] = tuple(zip(row["sentences"][::2], row["sentences"][1::2], strict=True))
    return [Holder(**row) for row in rows]


async def _rows(
    connection: AsyncConnection,
    statement: LiteralString,
    collection: CollectionNames,
    search_filter: SearchFilter | None,
    folder: str | None = None,
    **parameters: Any,
) -> list[dict[str, Any]]:
    compiled = compile_filter(search_filter)
    from_kept = sql.SQL(_KEPT).format(kept=compiled.condition)
    composed = sql.SQL(statement).format(kept=compiled.condition, from_kept=from_kept, lead=sql.SQL(_LEAD))
    given = {
        "collections": names_of(collection),
        "folder": folder,
        "lead": LEAD_CHARS,
        **parameters,
        **compiled.parameters,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(composed, given)
        return await cursor.fetchall()


def _lead(row: Mapping[str, Any]) -> Lead:
    return Lead(
        **{name: row[name] for name in Lead.__dataclass_fields__ if name != "headings"},
        headings=tuple(heading for heading in row["headings"] if heading),
    )
