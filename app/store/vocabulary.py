"""What words a collection holds: how often, which stand near each other, and how they are written. Async, read only.

Every statement is bounded by its arguments, so that a vocabulary of millions of terms costs no more than a small one.
A collection that does not exist holds nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from app.domain import CollectionNames, names_of
from app.store.connection import AsyncConnection
from app.store.texts import text_between

_COUNT: Final = """
SELECT asked.term, least(sum(held.chunks), %(most)s)
  FROM pgask.collections c CROSS JOIN unnest(%(terms)s::text[]) AS asked (term)
 CROSS JOIN LATERAL (
       SELECT df AS chunks FROM pgask.document_frequency(ARRAY[c.id], asked.term)) held
 WHERE c.name = ANY(%(collections)s) AND held.chunks > 0 GROUP BY asked.term"""

# A loose index scan: from each term straight to the next one, however many chunks hold it. All ranges go forward
# together, so that a full one does not use up what another needs.
_WALK: Final = """
WITH RECURSIVE walk (collection_id, upto, term) AS (
    SELECT c.id, r.upto COLLATE "C", least((
           SELECT p.term FROM pgask.postings p
            WHERE p.collection_id = c.id AND p.term >= r.start COLLATE "C" AND p.term < r.upto COLLATE "C"
            ORDER BY p.term LIMIT 1), (
           SELECT b.term FROM pgask.posting_blocks b
            WHERE b.collection_id = c.id AND b.term >= r.start COLLATE "C" AND b.term < r.upto COLLATE "C"
            ORDER BY b.term LIMIT 1))
      FROM pgask.collections c CROSS JOIN unnest(%(starts)s::text[], %(ends)s::text[]) AS r (start, upto)
     WHERE c.name = ANY(%(collections)s)
    UNION ALL
    SELECT w.collection_id, w.upto, least((
           SELECT p.term FROM pgask.postings p
            WHERE p.collection_id = w.collection_id AND p.term > w.term AND p.term < w.upto
            ORDER BY p.term LIMIT 1), (
           SELECT b.term FROM pgask.posting_blocks b
            WHERE b.collection_id = w.collection_id AND b.term > w.term AND b.term < w.upto
            ORDER BY b.term LIMIT 1))
      FROM walk w WHERE w.term IS NOT NULL
), bounded AS (SELECT term FROM walk LIMIT %(most)s)
SELECT DISTINCT term FROM bounded WHERE char_length(term) BETWEEN %(shortest)s AND %(longest)s"""

# The oldest chunks of the collection c that hold a term: of those that are merged a block's at a time.
_FIRST: Final = """SELECT o.chunk_id FROM (
              (SELECT p.chunk_id FROM pgask.postings p
                WHERE p.collection_id = c.id AND p.term = {0} ORDER BY p.chunk_id LIMIT %({1})s)
               UNION ALL
              (SELECT b.first_chunk + (b.packed >> 32) FROM (
                      SELECT i.first_chunk, unnest(i.packed) AS packed FROM (
                             SELECT first_chunk, packed FROM pgask.posting_blocks
                              WHERE collection_id = c.id AND term = {0} ORDER BY first_chunk LIMIT %({1})s) i) b
                LIMIT %({1})s)) o
        ORDER BY o.chunk_id LIMIT %({1})s"""

_TEXTS: Final = f"""
SELECT asked.term, {text_between("k.document_id", "k.char_start", "k.char_end")}
  FROM pgask.collections c CROSS JOIN unnest(%(terms)s::text[]) AS asked (term)
 CROSS JOIN LATERAL (
       {_FIRST.format("asked.term", "most")}) held
  JOIN pgask.chunks k ON k.id = held.chunk_id
 WHERE c.name = ANY(%(collections)s)
 ORDER BY asked.term, k.id"""  # noqa: S608 - constants only

# The chunks of the first term are looked through, at most `looked_through` of them: put the rarest first.
_TOGETHER: Final = f"""
SELECT asked.place::int, {text_between("k.document_id", "k.char_start", "k.char_end")}
  FROM pgask.collections c
 CROSS JOIN unnest(%(firsts)s::text[], %(rests)s::text[]) WITH ORDINALITY AS asked (first, rest, place)
 CROSS JOIN LATERAL (
       SELECT seen.chunk_id FROM (
              {_FIRST.format("asked.first", "looked_through")}) seen
        WHERE NOT EXISTS (
              SELECT FROM unnest(string_to_array(asked.rest, ' ')) AS other (term)
               WHERE NOT EXISTS (
                     SELECT FROM pgask.held_postings(ARRAY[c.id], other.term, ARRAY[seen.chunk_id], ARRAY[c.id])))
        LIMIT %(most)s) held
  JOIN pgask.chunks k ON k.id = held.chunk_id
 WHERE c.name = ANY(%(collections)s)
 ORDER BY asked.place, k.id"""  # noqa: S608 - constants only

_HEADINGS: Final = """
WITH titled AS MATERIALIZED (
    SELECT d.id, d.title FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id
     WHERE c.name = ANY(%(collections)s) LIMIT %(looked_through)s
), lines AS (
    SELECT title AS line FROM titled
    UNION ALL
    (SELECT k.heading FROM titled t JOIN pgask.chunks k ON k.document_id = t.id LIMIT %(looked_through)s)
)
SELECT DISTINCT line FROM lines WHERE line ~* %(pattern)s ORDER BY line LIMIT %(most)s"""


async def count_chunks(
    connection: AsyncConnection, collection: CollectionNames, terms: Collection[str], *, most: int = 1
) -> dict[str, int]:
    """How many chunks hold each term, counted up to `most`; terms that none holds are left out."""
    asked = {"collections": names_of(collection), "terms": list(dict.fromkeys(terms)), "most": most}
    rows = await _fetch(connection, _COUNT, asked) if asked["terms"] else []
    return {str(term): int(chunks) for term, chunks in rows}


async def walk_terms(
    connection: AsyncConnection,
    collection: CollectionNames,
    prefixes: Collection[str],
    *,
    lengths: tuple[int, int],
    most: int,
) -> list[str]:
    """Terms that begin with one of `prefixes` and are of `lengths` (from, to) characters, in no order.

    At most `most` terms are read, the first of each prefix in turn: of a fuller vocabulary the others are not seen.
    """
    starts = sorted(set(prefixes) - {""})
    asked = {
        "collections": names_of(collection),
        "starts": starts,
        "ends": [start[:-1] + chr(ord(start[-1]) + 1) for start in starts],
        "shortest": lengths[0],
        "longest": lengths[1],
        "most": most,
    }
    return [str(row[0]) for row in await _fetch(connection, _WALK, asked)] if starts else []


async def load_texts(
    connection: AsyncConnection, collection: CollectionNames, terms: Collection[str], *, most: int
) -> dict[str, list[str]]:
    """The texts of up to `most` chunks that hold each term; a term that none holds is left out."""
    asked = {"collections": names_of(collection), "terms": list(dict.fromkeys(terms)), "most": most}
    texts: dict[str, list[str]] = {}
    for term, text in await _fetch(connection, _TEXTS, asked) if asked["terms"] else []:
        texts.setdefault(term, []).append(text)
    return texts


async def load_texts_of_all(
    connection: AsyncConnection,
    collection: CollectionNames,
    groups: Sequence[Sequence[str]],
    *,
    most: int,
    looked_through: int = 1_000,
) -> list[list[str]]:
    """For each group of terms the texts of up to `most` chunks that hold all of its terms.

    Of the chunks that hold a group's first term `looked_through` are looked at, so the rarest term is best put first.
    An empty group is held nowhere.
    """
    numbered = [(place, group) for place, group in enumerate(groups) if group]
    asked = {
        "collections": names_of(collection),
        "firsts": [group[0] for _, group in numbered],
        "rests": [" ".join(group[1:]) for _, group in numbered],  # no term has a space in it
        "most": most,
        "looked_through": looked_through,
    }
    texts: list[list[str]] = [[] for _ in groups]
    for place, text in await _fetch(connection, _TOGETHER, asked) if numbered else []:
        texts[numbered[place - 1][0]].append(text)
    return texts


async def find_headings(
    connection: AsyncConnection,
    collection: CollectionNames,
    pattern: str,
    *,
    most: int,
    looked_through: int = 5_000,
) -> list[str]:
    """Distinct titles of documents and headings of chunks that match `pattern` (PostgreSQL's regular expressions, case
    ignored), in alphabetical order. `looked_through` titles and as many headings are looked at."""
    asked = {
        "collections": names_of(collection),
        "pattern": pattern,
        "most": most,
        "looked_through": looked_through,
    }
    return [str(row[0]) for row in await _fetch(connection, _HEADINGS, asked)]


async def _fetch(
    connection: AsyncConnection, statement: str, parameters: dict[str, object]
) -> list[tuple[Any, ...]]:
    async with connection.cursor() as cursor:
        await cursor.execute(statement.encode(), parameters)
        return await cursor.fetchall()
