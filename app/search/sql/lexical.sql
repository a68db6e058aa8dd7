-- The lexical leg without a filter: the best chunks by the added (rarer) terms, those again by all terms. OFFSET 0: a
-- scan of the index for each term, or a look into it for each term and chunk, and never a join of all. FULL JOIN, though
-- those with more are among the first: where few rows are expected, 500 of each would be compared one by one.
WITH first AS MATERIALIZED (
    SELECT m.chunk_id, min(m.collection_id) AS collection_id, sum(m.part) AS lexical
      FROM weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, p.collection_id, {bm25} AS part
             FROM pgask.term_postings(%(collection_ids)s::int[], w.term) p OFFSET 0) m
     WHERE w.added GROUP BY m.chunk_id
     ORDER BY lexical DESC, m.chunk_id
     LIMIT %(candidates)s * (SELECT CASE WHEN bool_and(added) THEN 1 ELSE {more} END FROM weights)
), more AS (
    SELECT m.chunk_id, sum(m.part) AS lexical
      FROM (SELECT array_agg(chunk_id ORDER BY chunk_id) AS ids, array_agg(collection_id ORDER BY chunk_id) AS owners FROM first) f
     CROSS JOIN weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, {bm25} AS part
             FROM pgask.candidate_postings(%(collection_ids)s::int[], w.term, w.df, f.ids, f.owners) p OFFSET 0) m
     WHERE NOT w.added GROUP BY m.chunk_id
), summed AS (
    SELECT chunk_id, first.lexical + coalesce(more.lexical, 0) AS lexical FROM first FULL JOIN more USING (chunk_id)
)
SELECT chunk_id, row_number() OVER (ORDER BY lexical DESC, chunk_id) AS rank
  FROM summed ORDER BY lexical DESC, chunk_id LIMIT %(candidates)s
