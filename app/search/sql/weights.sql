-- The question's terms: the idf of each, of those too that no chunk holds, and whether all its postings are added up.
-- Functions of postings stand in the statement when it is planned, and read rows and blocks (migration 0024, ADR 0040).
statistics AS MATERIALIZED (
    SELECT sum(chunk_count)::float8 AS chunks, %(k1)s::float8 * (1 - %(b)s::float8) AS flat,
           %(k1)s::float8 * %(b)s::float8 * greatest(sum(chunk_count), 1)::float8 / greatest(sum(term_count), 1)::float8
           AS steep
      FROM pgask.collections
     WHERE id = ANY(%(collection_ids)s::int[])
), weights AS MATERIALIZED (
    SELECT asked.term, ln(1 + (s.chunks - c.df + 0.5) / (c.df + 0.5)) AS idf, c.df, s.flat, s.steep,
           sum(c.df) OVER rarest <= %(budget)s::float8
           OR row_number() OVER (PARTITION BY c.df > 0 ORDER BY c.df, asked.term) = 1 AS added
      FROM statistics s CROSS JOIN unnest(%(terms)s::text[]) AS asked (term)
     CROSS JOIN LATERAL pgask.document_frequency(%(collection_ids)s::int[], asked.term) c
    WINDOW rarest AS (ORDER BY c.df, asked.term)
)
