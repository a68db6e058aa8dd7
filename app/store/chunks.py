"""What stands in chunks: their texts and places, what stands around and beside them. Async."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from psycopg.rows import dict_row

from app.domain import NOT_SEARCHED, Hit, Place, ScoredChunk
from app.store.connection import AsyncConnection
from app.store.texts import text_between

# A twin's name is that of what it is a twin of, to whoever is answered from it (hidden_name in app/store/twins.py).
COLLECTION_OF: Final = (
    "(SELECT regexp_replace(name, '^@[0-9]+:', '') FROM pgask.collections WHERE id = {}.collection_id)"
)


def chunk_columns(start: str = "k.char_start", end: str = "k.char_end") -> str:
    """SQL of what `hit_from_row` reads, of the chunk k and its document d, or of a part of it."""
    return f"""\
       k.id AS chunk_id, k.document_id, {COLLECTION_OF.format("k")} AS collection,
       d.source, d.title, k.page, k.heading, k.places, k.sentences,
       {start} AS char_start, {end} AS char_end, {text_between("k.document_id", start, end)} AS text"""


_CHUNKS: Final = f"""
SELECT {chunk_columns()} FROM pgask.chunks k JOIN pgask.documents d ON d.id = k.document_id
 WHERE k.id = ANY(%(ids)s)"""  # noqa: S608 - constants only

# The chunks before and after, each cut where it meets the next one towards the hit: stretches that touch and repeat
# nothing.
_NEIGHBOURS: Final = f"""
SELECT h.id AS beside, k.chunk_index - h.chunk_index AS steps,
{chunk_columns("s.char_start", "s.char_end")}
  FROM pgask.chunks h
  JOIN pgask.chunks k ON k.document_id = h.document_id AND k.chunk_index <> h.chunk_index
   AND k.chunk_index BETWEEN h.chunk_index - %(steps)s AND h.chunk_index + %(steps)s
  JOIN pgask.chunks n ON n.document_id = h.document_id
   AND n.chunk_index = k.chunk_index + CASE WHEN k.chunk_index > h.chunk_index THEN -1 ELSE 1 END
  JOIN pgask.documents d ON d.id = h.document_id
 CROSS JOIN LATERAL (SELECT CASE WHEN k.chunk_index > h.chunk_index THEN n.char_end ELSE k.char_start END AS char_start,
                            CASE WHEN k.chunk_index > h.chunk_index THEN k.char_end ELSE n.char_start END AS char_end) s
 WHERE h.id = ANY(%(ids)s) AND s.char_start < s.char_end
 ORDER BY array_position(%(ids)s::bigint[], h.id), abs(k.chunk_index - h.chunk_index), k.chunk_index DESC"""  # noqa: S608

# What stands around chunks: the beginning of their documents, and what stands before those that begin in a table.
_SURROUNDINGS: Final = f"""
SELECT k.id, {text_between("k.document_id", "0", "%(head)s::int")}, k.char_start - length(b.text), b.text
  FROM pgask.chunks k
 CROSS JOIN LATERAL (SELECT CASE WHEN k.id = ANY(%(in_table)s) THEN
           {text_between("k.document_id", "greatest(0, k.char_start - %(before)s::int)", "k.char_start")} ELSE '' END
           AS text OFFSET 0) b
 WHERE k.id = ANY(%(ids)s)"""  # noqa: S608 - constants only

HEAD_CHARS: Final = 1_000  # of a document: where it says what it is
MAX_TABLE_CHARS: Final = 60_000  # before a chunk: so far back its table's header is looked for


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What stands `steps` chunks after the chunk `beside` (before it: negative)."""

    beside: int
    steps: int
    chunk: ScoredChunk


async def load_chunks(connection: AsyncConnection, chunk_ids: Sequence[int]) -> dict[int, ScoredChunk]:
    """Chunks with their texts, by id; one that was deleted meanwhile is missing."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_CHUNKS, {"ids": list(chunk_ids)})
        return {row["chunk_id"]: hit_from_row(row) for row in await cursor.fetchall()}


async def load_neighbours(
    connection: AsyncConnection, chunk_ids: Sequence[int], steps: int = 1
) -> list[Neighbour]:
    """What stands beside these chunks, at most `steps` away, in one round trip: for each in turn, the nearest first, of
    two equally near the one after it.

    A neighbour is cut where it meets the next one towards its chunk, so that they touch and share nothing; text between
    them goes with it. One that is itself asked for comes too: the caller knows those.
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_NEIGHBOURS, {"ids": list(chunk_ids), "steps": steps})
        return [Neighbour(row["beside"], row["steps"], hit_from_row(row)) for row in await cursor.fetchall()]


async def load_surroundings(
    connection: AsyncConnection, chunk_ids: Collection[int], in_table: Collection[int]
) -> dict[int, tuple[str, int, str]]:
    """By chunk id: the first HEAD_CHARS of its document, and of those `in_table` what stands before it, at most
    MAX_TABLE_CHARS, after the offset where that begins."""
    parameters = {
        "ids": list(chunk_ids),
        "in_table": list(in_table),
        "head": HEAD_CHARS,
        "before": MAX_TABLE_CHARS,
    }
    async with connection.cursor() as cursor:
        await cursor.execute(_SURROUNDINGS, parameters)
        return {row[0]: (row[1], row[2], row[3]) for row in await cursor.fetchall()}


def hit_from_row(row: Mapping[str, Any]) -> ScoredChunk:
    """A row of `chunk_columns` as a hit that was not searched for: score 0, no scores, rank 0."""
    offsets = row["sentences"]
    return ScoredChunk(
        **{name: row[name] for name in _PLAIN},
        chunk_id=str(row["chunk_id"]),
        document_id=str(row["document_id"]),
        score=0.0,
        scores=NOT_SEARCHED,
        rank=0,
        places=tuple(Place(*place) for place in row["places"]),
        sentences=tuple(zip(offsets[::2], offsets[1::2], strict=True)),
    )


# Fields of a hit that a row has as they are.
_PLAIN: Final = {field.name for field in fields(Hit)} - {"chunk_id", "document_id", "score", "scores", "rank"}
