-- The lexical leg, the candidates of both with all their scores, and the one formula that fuses them (app/search/ranking.py).
-- A window that two chunks share counts for the first of them: the other one repeats it as its overlap. A window's BM25
-- has a k1 of its own and no length in it, since windows are about as long as each other. OFFSET 0: a look into the index
-- for each candidate, never a join with all windows. FULL JOIN, though all terms are of candidates: what is expected to
-- be few rows would be compared one by one. Of equally good windows the nearest is the best, then
-- the first.
-- CASE and not the join's own coalesce: before a policy nothing is asked that PostgreSQL does not know to tell nothing of
-- hidden rows, and it knows that of CASE alone. With coalesce each question read every chunk there is.
-- Of a term all candidates at once, in ascending order (migration 0029).
lexical AS MATERIALIZED (
{lexical}
), candidates AS MATERIALIZED (
    SELECT c.id, c.collection_id, c.document_id, c.language, c.window_start, c.window_end,
           c.window_start + c.windows_shared AS own_start, d.rank AS dense_rank, l.rank AS lexical_rank
      FROM dense d FULL JOIN lexical l USING (chunk_id)
      JOIN pgask.chunks c ON c.id = CASE WHEN d.chunk_id IS NULL THEN l.chunk_id ELSE d.chunk_id END
), terms AS MATERIALIZED (
    SELECT m.chunk_id AS id, w.idf, m.part, m.windows
      FROM (SELECT array_agg(id ORDER BY id) AS ids, array_agg(collection_id ORDER BY id) AS owners FROM candidates) f
     CROSS JOIN weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, {bm25} AS part, p.window_frequencies AS windows
             FROM pgask.candidate_postings(%(collection_ids)s::int[], w.term, w.df, f.ids, f.owners) p OFFSET 0) m
), own AS MATERIALIZED (
    SELECT c.id, w.window_index, w.window_index - c.window_start AS place, 1 - (w.embedding <=> %(half)s) AS cosine
      FROM candidates c CROSS JOIN LATERAL (
           SELECT o.window_index, o.embedding FROM {windows} o
            WHERE o.document_id = c.document_id AND o.window_index >= c.own_start AND o.window_index < c.window_end
           OFFSET 0) w
), held AS MATERIALIZED (
    SELECT o.id, o.place, sum(t.idf * f.tf * (%(window_k1)s + 1) / (f.tf + %(window_k1)s)) AS lexical
      FROM own o JOIN terms t ON t.id = o.id AND length(t.windows) > o.place
     CROSS JOIN LATERAL (SELECT get_byte(t.windows, o.place)::float8 AS tf) f
     GROUP BY o.id, o.place
), ideal AS MATERIALIZED (
    SELECT {ideal_share} * coalesce(sum(idf), 0) AS idf FROM weights
), highest AS MATERIALIZED (
    SELECT coalesce(nullif(greatest((SELECT max(lexical) FROM held), i.idf * (%(window_k1)s::float8 + 1)), 0), 1)
           AS lexical FROM ideal i
), chunked AS MATERIALIZED (
    SELECT c.id, c.document_id, c.dense_rank, c.lexical_rank, coalesce(s.lexical, 0) AS lexical,
           {readability} AS readability, {mean} AS mean, {deviation} AS deviation, d.sender
      FROM (SELECT id, sum(part) AS lexical FROM terms GROUP BY id) s
      FULL JOIN candidates c USING (id) JOIN pgask.documents d ON d.id = c.document_id
), best AS (
    SELECT DISTINCT ON (o.id) o.id, o.window_index, o.cosine, (o.cosine - c.mean) / c.deviation AS standard,
           coalesce(h.lexical, 0) AS lexical,
           %(dense_weight)s::float8 * {dense_term}
           + (1 - %(dense_weight)s::float8) * %(window_share)s::float8
             * (coalesce(h.lexical, 0) / (SELECT lexical FROM highest)) AS window_score
      FROM own o JOIN chunked c USING (id) LEFT JOIN held h USING (id, place)
     ORDER BY o.id, window_score DESC, o.cosine DESC, o.place
), scored AS (
    SELECT c.*, b.window_index, b.cosine AS dense, b.standard, b.lexical AS window_lexical,
           b.window_score + (1 - %(dense_weight)s::float8) * (1 - %(window_share)s::float8)
           * (c.lexical / coalesce(nullif(greatest(max(c.lexical) OVER (),
                                                   (SELECT idf FROM ideal) * (%(k1)s::float8 + 1)), 0), 1)) AS score
      FROM chunked c JOIN best b USING (id)
)
