-- The lexical leg under a filter that keeps few chunks: no postings but theirs are read.
WITH few AS MATERIALIZED (
    SELECT array_agg(id ORDER BY id) AS ids, array_agg(collection_id ORDER BY id) AS owners
      FROM pgask.chunks WHERE document_id IN (SELECT id FROM eligible)
), found AS MATERIALIZED (
    SELECT m.chunk_id, sum(m.part) AS lexical
      FROM few f CROSS JOIN weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, {bm25} AS part
             FROM pgask.candidate_postings(%(collection_ids)s::int[], w.term, w.df, f.ids, f.owners) p OFFSET 0) m
     GROUP BY m.chunk_id
)
SELECT chunk_id, row_number() OVER (ORDER BY lexical DESC, chunk_id) AS rank
  FROM found ORDER BY lexical DESC, chunk_id LIMIT %(candidates)s
