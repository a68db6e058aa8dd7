"""Postings in blocks: of a term some 128 chunks a row (ADR 0040), merged from `postings` by upkeep.

Revision: 0024. New tables and functions alone: what is stored answers as before, row by row, and upkeep merges it while
all goes on. `downgrade` makes rows of all blocks again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0024"
down_revision = "0028"
branch_labels = None
depends_on = None
KIND = "pre"

# A number of `packed` is a posting: chunk - first_chunk (31 bits), term frequency (15), terms of the chunk (17). So
# they stand in the order of the chunks, and width_bucket finds one of them by halving. `windows` has the frequencies by
# window of each, of as many bytes as the longest needs. Blocks of a term do not overlap: the one with the greatest
# first_chunk up to a chunk's number holds that chunk, if any does.
# Chunks that are deleted mostly stand side by side, and a cut takes them out; else the block is put together again.
# Who changes blocks holds the row of their collection: upkeep that merges, and who deletes or moves a document.
# The first four are put into the statement that asks them (they are one SELECT each, and set nothing), so that their
# indexes are chosen there, and policies come first as ever; each OFFSET 0 keeps an expression from being made twice.
_FUNCTIONS = """
CREATE FUNCTION pgask.document_frequency(collections integer[], asked text) RETURNS TABLE (df bigint)
LANGUAGE sql STABLE AS $$
SELECT (SELECT count(*) FROM pgask.postings p WHERE p.collection_id = ANY(collections) AND p.term = asked)
     + (SELECT coalesce(sum(b.df), 0)::bigint FROM pgask.posting_blocks b
         WHERE b.collection_id = ANY(collections) AND b.term = asked) OFFSET 0 $$;

CREATE FUNCTION pgask.term_postings(collections integer[], asked text)
RETURNS TABLE (chunk_id bigint, collection_id integer, term_frequency bigint, chunk_terms bigint)
LANGUAGE sql STABLE AS $$
SELECT p.chunk_id, p.collection_id, p.term_frequency::bigint, p.chunk_terms::bigint FROM pgask.postings p
 WHERE p.collection_id = ANY(collections) AND p.term = asked
 UNION ALL
SELECT b.first_chunk + (b.packed >> 32), b.collection_id, b.packed >> 17 & 32767, b.packed & 131071
  FROM (SELECT o.first_chunk, o.collection_id, unnest(o.packed) AS packed FROM pgask.posting_blocks o
         WHERE o.collection_id = ANY(collections) AND o.term = asked OFFSET 0) b $$;

CREATE FUNCTION pgask.block_posting(collection integer, asked text, chunk bigint)
RETURNS TABLE (term_frequency bigint, chunk_terms bigint, window_frequencies bytea) LANGUAGE sql STABLE AS $$
SELECT v.packed >> 17 & 32767, v.packed & 131071, substring(b.windows FROM (v.place - 1) * b.stride + 1 FOR b.stride)
  FROM (SELECT o.first_chunk, o.packed, o.windows, length(o.windows) / o.df AS stride FROM pgask.posting_blocks o
         WHERE o.collection_id = collection AND o.term = asked AND o.first_chunk <= chunk
         ORDER BY o.first_chunk DESC LIMIT 1) b
 CROSS JOIN LATERAL (
       SELECT p.place, b.packed[p.place] AS packed
         FROM (SELECT width_bucket((chunk - b.first_chunk) << 32 | 4294967295, b.packed) AS place OFFSET 0) p
       OFFSET 0) v
 WHERE v.packed >> 32 = chunk - b.first_chunk $$;

-- Of the chunks, each with its own collection. Rows by one scan of the index, not one a chunk: .78 of the time.
CREATE FUNCTION pgask.held_postings(collections integer[], asked text, chunks bigint[], owners integer[])
RETURNS TABLE (chunk_id bigint, term_frequency bigint, chunk_terms bigint, window_frequencies bytea)
LANGUAGE sql STABLE AS $$
SELECT p.chunk_id, p.term_frequency::bigint, p.chunk_terms::bigint, p.window_frequencies FROM pgask.postings p
 WHERE p.collection_id = ANY(collections) AND p.term = asked AND p.chunk_id = ANY(chunks)
 UNION ALL
SELECT c.id, b.term_frequency, b.chunk_terms, b.window_frequencies
  FROM unnest(chunks, owners) c (id, owner) CROSS JOIN LATERAL pgask.block_posting(c.owner, asked, c.id) b $$;

CREATE FUNCTION pgask.merged_postings(asked bigint[])
RETURNS TABLE (chunk_id bigint, collection_id integer, term_frequency smallint, chunk_terms integer, term text,
               window_frequencies bytea) LANGUAGE sql STABLE AS $$
SELECT m.chunk_id, m.collection_id, b.term_frequency::smallint, b.chunk_terms::integer, t.term,
       rtrim(b.window_frequencies, '\\x00'::bytea)
  FROM pgask.merged_chunks m CROSS JOIN LATERAL unnest(m.terms) t (term)
 CROSS JOIN LATERAL pgask.block_posting(m.collection_id, t.term, m.chunk_id) b
 WHERE m.chunk_id = ANY(asked) $$;

CREATE FUNCTION pgask.chunk_postings(asked bigint[])
RETURNS TABLE (chunk_id bigint, collection_id integer, term_frequency smallint, chunk_terms integer, term text,
               window_frequencies bytea) LANGUAGE sql STABLE AS $$
SELECT p.chunk_id, p.collection_id, p.term_frequency, p.chunk_terms, p.term, p.window_frequencies
  FROM pgask.postings p WHERE p.chunk_id = ANY(asked)
 UNION ALL
SELECT * FROM pgask.merged_postings(asked) $$;

CREATE FUNCTION pgask.forget_merged(asked bigint[]) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    UPDATE pgask.collections c SET merged_count = c.merged_count - n.chunks
      FROM (SELECT collection_id, count(*) AS chunks FROM pgask.merged_chunks WHERE chunk_id = ANY(asked)
             GROUP BY collection_id) n
     WHERE c.id = n.collection_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM pgask.posting_blocks WHERE collection_id IN (
           SELECT c.id FROM pgask.collections c JOIN pgask.merged_chunks m ON m.collection_id = c.id
            WHERE m.chunk_id = ANY(asked) AND c.merged_count = 0);
    WITH gone AS (
        DELETE FROM pgask.merged_chunks m WHERE m.chunk_id = ANY(asked)
        RETURNING m.chunk_id, m.collection_id, m.terms
    ), hit AS (
        SELECT g.collection_id, t.term, b.first_chunk, array_agg(g.chunk_id) AS chunks,
               min(g.chunk_id) AS first, max(g.chunk_id) AS last
          FROM gone g JOIN pgask.collections c ON c.id = g.collection_id AND c.merged_count > 0
         CROSS JOIN LATERAL unnest(g.terms) t (term)
         CROSS JOIN LATERAL (
               SELECT o.first_chunk FROM pgask.posting_blocks o
                WHERE o.collection_id = g.collection_id AND o.term = t.term AND o.first_chunk <= g.chunk_id
                ORDER BY o.first_chunk DESC LIMIT 1) b
         GROUP BY g.collection_id, t.term, b.first_chunk
    ), placed AS (
        SELECT b.ctid AS at, b.df, b.first_chunk, b.packed, b.windows, length(b.windows) / b.df AS stride, h.chunks,
               width_bucket((h.first - b.first_chunk) << 32 | 4294967295, b.packed) AS first,
               width_bucket((h.last - b.first_chunk) << 32 | 4294967295, b.packed) AS last
          FROM hit h JOIN pgask.posting_blocks b USING (collection_id, term, first_chunk)
    ), kept AS (
        SELECT at, df - cardinality(chunks) AS df, packed[1:first - 1] || packed[last + 1:] AS packed,
               substring(windows FROM 1 FOR (first - 1) * stride)
               || substring(windows FROM last * stride + 1) AS windows
          FROM placed WHERE last - first + 1 = cardinality(chunks)
         UNION ALL
        SELECT p.at, left_over.*
          FROM placed p CROSS JOIN LATERAL (
               SELECT count(*)::integer, array_agg(n.packed ORDER BY n.place),
                      string_agg(substring(p.windows FROM (n.place::integer - 1) * p.stride + 1 FOR p.stride), ''
                                 ORDER BY n.place)
                 FROM unnest(p.packed) WITH ORDINALITY n (packed, place)
                WHERE p.first_chunk + (n.packed >> 32) <> ALL (p.chunks)) left_over
         WHERE p.last - p.first + 1 > cardinality(p.chunks)
    ), emptied AS (
        DELETE FROM pgask.posting_blocks b USING kept k WHERE b.ctid = k.at AND k.df = 0
    )
    UPDATE pgask.posting_blocks b SET df = k.df, packed = k.packed, windows = k.windows
      FROM kept k WHERE b.ctid = k.at AND k.df > 0;
END $$;

CREATE FUNCTION pgask.unmerge(asked bigint[]) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    INSERT INTO pgask.postings (chunk_id, collection_id, term_frequency, chunk_terms, term, window_frequencies)
    SELECT * FROM pgask.merged_postings(asked);
    PERFORM pgask.forget_merged(asked);
END $$;
"""

_FORGET_OF_0001 = """
CREATE OR REPLACE FUNCTION pgask.forget_deleted_chunks() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    DELETE FROM pgask.postings p USING deleted d WHERE p.chunk_id = d.id;
    UPDATE pgask.collections c
       SET chunk_count = c.chunk_count - n.chunks, term_count = c.term_count - n.terms
      FROM (SELECT collection_id, count(*) AS chunks, sum(term_count) AS terms
              FROM deleted GROUP BY collection_id) n
     WHERE c.id = n.collection_id;
    RETURN NULL;
END $$;
"""
# The collection's row is taken first: what is merged meanwhile is seen as blocks then, and nothing is missed.
_FORGET = """
CREATE OR REPLACE FUNCTION pgask.forget_deleted_chunks() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    UPDATE pgask.collections c
       SET chunk_count = c.chunk_count - n.chunks, term_count = c.term_count - n.terms
      FROM (SELECT collection_id, count(*) AS chunks, sum(term_count) AS terms
              FROM deleted GROUP BY collection_id) n
     WHERE c.id = n.collection_id;
    DELETE FROM pgask.postings p USING deleted d WHERE p.chunk_id = d.id;
    PERFORM pgask.forget_merged(ARRAY(SELECT id FROM deleted));
    RETURN NULL;
END $$;
"""
_MOVE = """
CREATE OR REPLACE FUNCTION pgask.move_document(moved uuid, target integer) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    source integer;
    space integer;
    counted record;
BEGIN
    SELECT d.collection_id, c.space_id INTO source, space
      FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id WHERE d.id = moved FOR UPDATE OF d;
    IF source IS NULL OR source = target THEN
        RETURN;
    END IF;
    PERFORM FROM pgask.collections WHERE id IN (source, target) ORDER BY id FOR NO KEY UPDATE;
    SELECT count(*) AS chunks, coalesce(sum(term_count), 0) AS terms INTO counted
      FROM pgask.chunks WHERE document_id = moved;
    DELETE FROM pgask.background_windows WHERE document_id = moved;
    DELETE FROM pgask.documents WHERE copy_of = moved;
    UPDATE pgask.job_files SET detail = NULL WHERE code = 'duplicate'
       AND document_id IN (SELECT id FROM pgask.documents WHERE duplicate_of = moved);
    UPDATE pgask.documents SET duplicate_of = NULL, reason_detail = NULL WHERE duplicate_of = moved;
{unmerge}    UPDATE pgask.postings SET collection_id = target
     WHERE chunk_id IN (SELECT id FROM pgask.chunks WHERE document_id = moved);
    UPDATE pgask.chunks SET collection_id = target WHERE document_id = moved;
    EXECUTE format('UPDATE pgask_vectors.chunk_vectors_%s SET collection_id = $1 WHERE document_id = $2', space)
      USING target, moved;
    EXECUTE format('UPDATE pgask_vectors.window_vectors_%s SET collection_id = $1 WHERE document_id = $2', space)
      USING target, moved;
    UPDATE pgask.document_texts SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.page_lines SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.signature_bands SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.document_facts SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.former_documents SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.job_files SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.documents SET collection_id = target WHERE id = moved;
    UPDATE pgask.collections SET chunk_count = chunk_count - counted.chunks, term_count = term_count - counted.terms
     WHERE id = source;
    UPDATE pgask.collections SET chunk_count = chunk_count + counted.chunks, term_count = term_count + counted.terms
     WHERE id = target;
END $$;
"""
_UNMERGE = """    PERFORM pgask.unmerge(ARRAY(SELECT id FROM pgask.chunks WHERE document_id = moved));
"""


def upgrade() -> None:
    op.create_table(
        "posting_blocks",
        sa.Column("first_chunk", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("df", sa.Integer(), nullable=False),
        sa.Column("term", sa.Text(collation="C"), nullable=False),
        sa.Column("packed", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("windows", sa.LargeBinary(), nullable=False),
        schema="pgask",
    )
    op.create_index(
        "ix_posting_blocks_term",
        "posting_blocks",
        ["collection_id", "term", "first_chunk"],
        unique=True,
        schema="pgask",
        postgresql_include=["df"],
    )
    op.create_table(
        "merged_chunks",
        sa.Column("chunk_id", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("terms", ARRAY(sa.Text(collation="C")), nullable=False),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("pk_merged_chunks")),
        schema="pgask",
    )
    # Neither is to be fetched from elsewhere or unpacked for each look into a block; the lists of terms are read to
    # delete, move and export, and packed whatever their size.
    op.execute(
        "ALTER TABLE pgask.posting_blocks ALTER packed SET STORAGE MAIN, ALTER windows SET STORAGE MAIN,"
        " SET (toast_tuple_target = 8160)"
    )
    op.execute("ALTER TABLE pgask.merged_chunks ALTER terms SET STORAGE MAIN, SET (toast_tuple_target = 256)")
    op.add_column(
        "collections",
        sa.Column("merged_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        schema="pgask",
    )
    for table in ("posting_blocks", "merged_chunks"):
        op.execute(f"SELECT pgask.protect('pgask.{table}')")
    op.execute(_FUNCTIONS)
    op.execute(_FORGET)
    op.execute(_MOVE.replace("{unmerge}", _UNMERGE))


def downgrade() -> None:
    op.execute(_MOVE.replace("{unmerge}", ""))
    op.execute(_FORGET_OF_0001)
    op.execute(
        "INSERT INTO pgask.postings (chunk_id, collection_id, term_frequency, chunk_terms, term, window_frequencies)"
        " SELECT * FROM pgask.merged_postings(ARRAY(SELECT chunk_id FROM pgask.merged_chunks))"
    )
    op.execute(
        "DROP FUNCTION pgask.unmerge(bigint[]), pgask.forget_merged(bigint[]), pgask.chunk_postings(bigint[]),"
        " pgask.merged_postings(bigint[]), pgask.held_postings(integer[], text, bigint[], integer[]),"
        " pgask.block_posting(integer, text, bigint), pgask.term_postings(integer[], text),"
        " pgask.document_frequency(integer[], text)"
    )
    op.drop_column("collections", "merged_count", schema="pgask")
    op.drop_table("merged_chunks", schema="pgask")
    op.drop_table("posting_blocks", schema="pgask")
