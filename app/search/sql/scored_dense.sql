-- The same where the dense weight is 1: without the lexical leg, and all that then has no weight.
scored AS (
    SELECT c.id, c.document_id, c.dense_rank, NULL::bigint AS lexical_rank, 0::float8 AS lexical, c.readability,
           o.window_index, o.cosine AS dense, (o.cosine - c.mean) / c.deviation AS standard,
           0::float8 AS window_lexical, {dense_term} AS score, c.sender
      FROM (SELECT c.id, c.document_id, c.window_end, c.window_start + c.windows_shared AS own_start,
                   dense.rank AS dense_rank, {readability} AS readability,
                   {mean} AS mean, {deviation} AS deviation, d.sender
              FROM dense JOIN pgask.chunks c ON c.id = dense.chunk_id
              JOIN pgask.documents d ON d.id = c.document_id) c
     CROSS JOIN LATERAL (
           SELECT w.window_index, 1 - (w.embedding <=> %(half)s) AS cosine FROM {windows} w
            WHERE w.document_id = c.document_id AND w.window_index >= c.own_start AND w.window_index < c.window_end
            ORDER BY cosine DESC, w.window_index LIMIT 1) o
)
