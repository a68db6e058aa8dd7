-- The lexical leg under a filter that keeps much: all postings of all terms are added up (the budget is endless, for
-- the filter may keep none of the chunks that hold the rarer terms), and then the filter asked.
SELECT a.chunk_id, row_number() OVER (ORDER BY a.lexical DESC, a.chunk_id) AS rank
  FROM (SELECT m.chunk_id, sum(m.part) AS lexical
          FROM weights w CROSS JOIN LATERAL (
               SELECT p.chunk_id, {bm25} AS part
                 FROM pgask.term_postings(%(collection_ids)s::int[], w.term) p OFFSET 0) m
         WHERE w.added GROUP BY m.chunk_id) a
  JOIN pgask.chunks k ON k.id = a.chunk_id
 WHERE k.document_id IN (SELECT id FROM eligible)
 ORDER BY a.lexical DESC, a.chunk_id LIMIT %(candidates)s
