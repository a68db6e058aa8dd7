"""Postings of many chunks at once, read block by block where a term has no more blocks than there are chunks.

Revision: 0029. A function alone. It comes before what takes away, and 0030 gives it to schemas that were past it.
"""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0025"
branch_labels = None
depends_on = None
KIND = "pre"

# Of the chunks, which come in ascending order, each with its own collection; `df` is how many hold the term. A look
# into the index for each chunk (pgask.block_posting) takes two to three times as long as to read a block and find
# which of the chunks it may hold: so a term of up to 256 postings a chunk, two blocks, is read as a whole. Each
# OFFSET 0 keeps an expression from being made twice, or a block without any of the chunks from being unpacked.
CREATE = """
CREATE OR REPLACE FUNCTION pgask.candidate_postings(
    collections integer[], asked text, df bigint, chunks bigint[], owners integer[])
RETURNS TABLE (chunk_id bigint, term_frequency bigint, chunk_terms bigint, window_frequencies bytea)
LANGUAGE sql STABLE AS $$
SELECT p.chunk_id, p.term_frequency::bigint, p.chunk_terms::bigint, p.window_frequencies FROM pgask.postings p
 WHERE p.collection_id = ANY(collections) AND p.term = asked AND p.chunk_id = ANY(chunks)
 UNION ALL
SELECT v.id, v.packed >> 17 & 32767, v.packed & 131071,
       substring(v.windows FROM (v.place - 1) * v.stride + 1 FOR v.stride)
  FROM (SELECT f.id, f.first_chunk, f.windows, f.stride, f.place, f.packed[f.place] AS packed
          FROM (SELECT h.id, h.first_chunk, h.packed, h.windows, h.stride,
                       width_bucket((h.id - h.first_chunk) << 32 | 4294967295, h.packed) AS place
                  FROM (SELECT s.first_chunk, s.packed, s.windows, s.stride,
                               unnest(chunks[s.before + 1 : s.until]) AS id
                          FROM (SELECT o.first_chunk, o.packed, o.windows, length(o.windows) / o.df AS stride,
                                       width_bucket(o.first_chunk - 1, chunks) AS before,
                                       width_bucket(o.first_chunk + (o.packed[o.df] >> 32), chunks) AS until
                                  FROM pgask.posting_blocks o
                                 WHERE o.collection_id = ANY(collections) AND o.term = asked
                                   AND candidate_postings.df <= 256::bigint * cardinality(chunks) OFFSET 0) s
                         WHERE s.until > s.before OFFSET 0) h OFFSET 0) f OFFSET 0) v
 WHERE v.packed >> 32 = v.id - v.first_chunk
 UNION ALL
SELECT c.id, b.term_frequency, b.chunk_terms, b.window_frequencies
  FROM unnest(chunks, owners) c (id, owner) CROSS JOIN LATERAL pgask.block_posting(c.owner, asked, c.id) b
 WHERE candidate_postings.df > 256::bigint * cardinality(chunks) $$
"""


def upgrade() -> None:
    op.execute(CREATE)


def downgrade() -> None:
    op.execute("DROP FUNCTION pgask.candidate_postings(integer[], text, bigint, bigint[], integer[])")
