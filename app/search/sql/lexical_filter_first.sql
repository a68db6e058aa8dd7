-- The lexical leg under a filter that keeps few chunks: no postings but theirs are read.
WITH few AS MATERIALIZED (
    SELECT id FROM pgask.chunks WHERE document_id IN (SELECT id FROM eligible)
), found AS MATERIALIZED (
    SELECT m.chunk_id, sum(m.part) AS lexical
      FROM weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, {bm25} AS part FROM pgask.postings p
            WHERE p.collection_id = %(collection_id)s AND p.term = w.term
              AND p.chunk_id = ANY((SELECT array_agg(id) FROM few)::bigint[]) OFFSET 0) m
     GROUP BY m.chunk_id
)
SELECT chunk_id, row_number() OVER (ORDER BY lexical DESC, chunk_id) AS rank
  FROM found ORDER BY lexical DESC, chunk_id LIMIT %(candidates)s
