-- The lexical leg under a filter that keeps much: as without one, but of the best chunks by the added (rarer) terms those
-- that the filter keeps, looked at from the best on until there are enough. Where it keeps too few of them, all postings
-- of all terms are added up. IS TRUE: the kept documents are hashed once, and not joined with for each chunk.
WITH first AS MATERIALIZED (
    SELECT a.* FROM (
           SELECT m.chunk_id, min(m.collection_id) AS collection_id, sum(m.part) AS lexical
             FROM weights w CROSS JOIN LATERAL (
                  SELECT p.chunk_id, p.collection_id, {bm25} AS part
                    FROM pgask.term_postings(%(collection_ids)s::int[], w.term) p OFFSET 0) m
            WHERE w.added GROUP BY m.chunk_id ORDER BY lexical DESC, m.chunk_id OFFSET 0) a
     CROSS JOIN LATERAL (
           SELECT FROM pgask.chunks k
            WHERE k.id = a.chunk_id AND (k.document_id IN (SELECT id FROM eligible)) IS TRUE OFFSET 0) k
     ORDER BY a.lexical DESC, a.chunk_id
     LIMIT %(candidates)s * (SELECT CASE WHEN bool_and(added) THEN 1 ELSE {more} END FROM weights)
), short AS MATERIALIZED (
    SELECT NOT bool_and(added) AND (SELECT count(*) FROM first) < %(candidates)s AS is_short FROM weights
), more AS (
    SELECT m.chunk_id, sum(m.part) AS lexical
      FROM (SELECT array_agg(chunk_id ORDER BY chunk_id) AS ids,
                   array_agg(collection_id ORDER BY chunk_id) AS owners FROM first) f
     CROSS JOIN weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, {bm25} AS part
             FROM pgask.candidate_postings(%(collection_ids)s::int[], w.term, w.df, f.ids, f.owners) p OFFSET 0) m
     WHERE NOT w.added AND NOT (SELECT is_short FROM short) GROUP BY m.chunk_id
), every AS (
    SELECT m.chunk_id, sum(m.part) AS lexical
      FROM weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, {bm25} AS part
             FROM pgask.term_postings(%(collection_ids)s::int[], w.term) p OFFSET 0) m
     WHERE (SELECT is_short FROM short) GROUP BY m.chunk_id ORDER BY lexical DESC, m.chunk_id OFFSET 0
), summed AS (
    SELECT chunk_id, first.lexical + coalesce(more.lexical, 0) AS lexical FROM first FULL JOIN more USING (chunk_id)
     WHERE NOT (SELECT is_short FROM short)
     UNION ALL
    (SELECT a.* FROM every a CROSS JOIN LATERAL (
            SELECT FROM pgask.chunks k
             WHERE k.id = a.chunk_id AND (k.document_id IN (SELECT id FROM eligible)) IS TRUE OFFSET 0) k
      ORDER BY a.lexical DESC, a.chunk_id LIMIT %(candidates)s)
)
SELECT chunk_id, row_number() OVER (ORDER BY lexical DESC, chunk_id) AS rank
  FROM summed ORDER BY lexical DESC, chunk_id LIMIT %(candidates)s
