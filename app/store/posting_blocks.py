"""Merges postings into blocks (ADR 0040): a row a chunk and term becomes a row a term and up to BLOCK_CHUNKS chunks.

Sync, as the schema's owner; app/index/maintenance.py says when. A search reads both, so that nothing is found otherwise
meanwhile: `postings` has what was written since, `posting_blocks` the rest, `merged_chunks` the terms of each chunk
whose postings are in blocks. How a block is packed is said where its functions are, in migration 0024.
"""

from __future__ import annotations

from typing import Final

from app.sqlstates import store_errors
from app.store.connection import Connection

BLOCK_CHUNKS: Final = 128
# Fewer chunks of a collection stay rows: merging a few at a time would write the last blocks of their terms each time.
LEAST_CHUNKS: Final = 1_000
# In one transaction, which those wait for who write to the collection: some 2 ms of processor time a chunk.
STEP_CHUNKS: Final = 1_000
MOST_CHUNK_TERMS: Final = 2**17 - 1  # a block has 17 bits for them; chunks of more stay rows

_DUE: Final = """
SELECT id FROM pgask.collections WHERE space_id = %s AND chunk_count - merged_count >= %s ORDER BY id"""

# Under the lock a chunk of the list is neither deleted nor moved. A loose scan of the index: from each chunk that has
# rows to the next one.
_LOCK: Final = "SELECT FROM pgask.collections WHERE id = %s FOR NO KEY UPDATE"
_NEXT: Final = """
WITH RECURSIVE walk (chunk_id) AS (
    (SELECT chunk_id FROM pgask.postings WHERE chunk_id > %(after)s ORDER BY chunk_id LIMIT 1)
    UNION ALL
    SELECT (SELECT p.chunk_id FROM pgask.postings p WHERE p.chunk_id > w.chunk_id ORDER BY p.chunk_id LIMIT 1)
      FROM walk w WHERE w.chunk_id IS NOT NULL
)
SELECT k.id FROM walk w JOIN pgask.chunks k ON k.id = w.chunk_id
 WHERE k.collection_id = %(collection)s AND k.term_count <= %(most_terms)s LIMIT %(step)s"""

# Blocks that were written anew leave as much room behind, for the next ones.
_BLOATED: Final = """
SELECT n_dead_tup > 20000 + n_live_tup / 5 FROM pg_stat_all_tables WHERE relid = 'pgask.posting_blocks'::regclass"""

# Of each term the block that holds its first new chunk or ends before it with room left, and all blocks behind it, are
# cut anew with what is new; mostly that is its last block alone, since new chunks have the highest numbers.
_MERGE: Final = """
WITH taken AS MATERIALIZED (
    DELETE FROM pgask.postings WHERE chunk_id = ANY(%(chunks)s)
    RETURNING term, chunk_id, term_frequency::bigint, chunk_terms::bigint, window_frequencies
), noted AS (
    INSERT INTO pgask.merged_chunks (chunk_id, collection_id, terms)
    SELECT chunk_id, %(collection)s, array_agg(term ORDER BY term) FROM taken GROUP BY chunk_id
    RETURNING 1
), counted AS (
    UPDATE pgask.collections SET merged_count = merged_count + (SELECT count(*) FROM noted) WHERE id = %(collection)s
), opened AS (
    DELETE FROM pgask.posting_blocks b USING (
           SELECT o.at FROM (SELECT term, min(chunk_id) AS least FROM taken GROUP BY term) f CROSS JOIN LATERAL (
                  SELECT p.at FROM (
                         SELECT ctid AS at, df, first_chunk + (packed[df] >> 32) AS last_chunk
                           FROM pgask.posting_blocks
                          WHERE collection_id = %(collection)s AND term = f.term AND first_chunk <= f.least
                          ORDER BY first_chunk DESC LIMIT 1) p
                   WHERE p.df < %(size)s OR p.last_chunk > f.least
                   UNION ALL
                  SELECT ctid FROM pgask.posting_blocks
                   WHERE collection_id = %(collection)s AND term = f.term AND first_chunk > f.least) o) cut
     WHERE b.ctid = cut.at
    RETURNING b.term, b.first_chunk, b.df, b.packed, b.windows
), every AS (
    SELECT term, chunk_id, term_frequency, chunk_terms, window_frequencies FROM taken
     UNION ALL
    SELECT o.term, o.first_chunk + (n.packed >> 32), n.packed >> 17 & 32767, n.packed & 131071,
           substring(o.windows FROM (n.place::integer - 1) * (length(o.windows) / o.df) + 1
                               FOR length(o.windows) / o.df)
      FROM opened o CROSS JOIN LATERAL unnest(o.packed) WITH ORDINALITY n (packed, place)
), numbered AS (
    SELECT *, chunk_id >> 31 AS reach,
           (row_number() OVER (PARTITION BY term, chunk_id >> 31 ORDER BY chunk_id) - 1) / %(size)s AS number
      FROM every
), placed AS (
    SELECT *, min(chunk_id) OVER block AS first_chunk, max(length(window_frequencies)) OVER block AS stride
      FROM numbered WINDOW block AS (PARTITION BY term, reach, number)
)
INSERT INTO pgask.posting_blocks (collection_id, term, first_chunk, df, packed, windows)
SELECT %(collection)s, term, first_chunk, count(*),
       array_agg(((chunk_id - first_chunk) << 32) | (term_frequency << 17) | chunk_terms ORDER BY chunk_id),
       string_agg(window_frequencies || decode(repeat('00', stride - length(window_frequencies)), 'hex'), ''
                  ORDER BY chunk_id)
  FROM placed GROUP BY term, reach, number, first_chunk"""


def merge_postings(
    owner: Connection,
    space_id: int,
    *,
    least: int,
    step: int = STEP_CHUNKS,
    size: int = BLOCK_CHUNKS,
) -> int:
    """Merge the postings of each collection of the space that has `least` chunks whose postings are rows; how many
    chunks were merged. A step that fails leaves all as it was. Raises StoreError."""
    with store_errors():
        due = [row[0] for row in owner.execute(_DUE, [space_id, least]).fetchall()]
        return sum(_merge(owner, collection, step, size) for collection in due)


def _merge(owner: Connection, collection: int, step: int, size: int) -> int:
    merged, after = 0, 0
    while True:
        with owner.transaction():
            owner.execute(_LOCK, [collection])
            asked = {
                "collection": collection,
                "after": after,
                "step": step,
                "most_terms": MOST_CHUNK_TERMS,
                "size": size,
            }
            chunks = [row[0] for row in owner.execute(_NEXT, asked).fetchall()]
            if not chunks:
                return merged
            owner.execute(_MERGE, asked | {"chunks": chunks})
        if owner.execute(_BLOATED).fetchone() == (True,):
            owner.execute("VACUUM (SKIP_LOCKED) pgask.posting_blocks")
        merged, after = merged + len(chunks), chunks[-1]
