-- $1 collection_id, $2 collection, $3 lexicon_version, $4 background_version, $5 indexes, $6 vector, $7 unknown_share, $8 mean_en, $9 mean_zh, $10 mean_und, $11 deviation_en, $12 deviation_zh, $13 deviation_und, $14 half
WITH known AS MATERIALIZED (
SELECT c.chunk_count, sum(greatest(s.row_count, (SELECT sum(chunk_count) FROM pgask.collections WHERE coalesce(partition_id, space_id) = s.id))::bigint)::bigint AS space_count
  FROM (SELECT chunk_count, ARRAY[coalesce(partition_id, space_id), leaving_id] AS partitions FROM pgask.collections
 WHERE id = $1 AND name = $2 AND lexicon_version = $3
   AND background_version = $4
   AND NOT EXISTS (SELECT FROM pgask.collections o
                    WHERE o.name = $2 AND o.chunk_count > 0 AND o.id <> $1)) c JOIN pgask.embedding_spaces s ON s.id = ANY(c.partitions)
 GROUP BY c.chunk_count HAVING string_agg(concat_ws(':', s.id, CASE 
CASE WHEN s.index_method IS NOT NULL THEN coalesce((
    SELECT CASE WHEN NOT i.indisvalid THEN 'invalid'
                WHEN a.amname = s.index_method
                 AND t.relname = 'chunk_vectors_' || s.id
                 AND o.opcname = CASE s.index_precision WHEN 'half' THEN 'halfvec' ELSE 'vector' END || '_cosine_ops'
                 AND (s.index_lists IS NULL OR 'lists=' || s.index_lists = ANY (c.reloptions))
                 AND coalesce(substring(pg_get_expr(i.indpred, i.indrelid) FROM '-(\d+)'), '0') = s.index_build::text
                THEN '' ELSE 'other_options' END
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_am a ON a.oid = c.relam
      JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
      JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0]
     WHERE n.nspname = 'pgask_vectors'
       AND c.relname = CASE s.index_build
                       WHEN 0 THEN 'ivfflat_' || s.id ELSE 'vectors_' || s.id || '_' || s.index_build END
    ), 'missing') END WHEN ''
 THEN concat_ws(':', s.index_method, s.index_build, s.index_probes, s.index_ef_search) END), ' ' ORDER BY s.id) = $5
), weights AS MATERIALIZED (
    SELECT NULL::text AS term, 0::float8 AS idf WHERE false
), dense AS MATERIALIZED (
SELECT chunk_id, row_number() OVER (ORDER BY distance, chunk_id) AS rank FROM (
    SELECT v.chunk_id, v.embedding <=> $6 AS distance FROM "pgask_vectors"."chunk_vectors_7" v
     WHERE v.collection_id = $1 OFFSET 0) nearest
 ORDER BY distance, chunk_id LIMIT 50
), scored AS (
    SELECT c.id, c.document_id, c.dense_rank, NULL::bigint AS lexical_rank, 0::float8 AS lexical, c.readability,
           o.window_index, o.cosine AS dense, (o.cosine - c.mean) / c.deviation AS standard,
           0::float8 AS window_lexical, c.readability * least(greatest((o.cosine - c.mean) / c.deviation / 10.0, 0), 1) AS score, c.sender
      FROM (SELECT c.id, c.document_id, c.window_end, c.window_start + c.windows_shared AS own_start,
                   dense.rank AS dense_rank, sqrt((1::float8 - $7) * (1 - coalesce(d.unknown_tokens::float8 / nullif(d.token_count, 0), 0))) AS readability,
                   CASE coalesce(c.language, d.language) WHEN 'en' THEN $8::float8 WHEN 'zh' THEN $9::float8 ELSE $10::float8 END AS mean, CASE coalesce(c.language, d.language) WHEN 'en' THEN $11::float8 WHEN 'zh' THEN $12::float8 ELSE $13::float8 END AS deviation, d.sender
              FROM dense JOIN pgask.chunks c ON c.id = dense.chunk_id
              JOIN pgask.documents d ON d.id = c.document_id) c
     CROSS JOIN LATERAL (
           SELECT w.window_index, 1 - (w.embedding <=> $14) AS cosine FROM "pgask_vectors"."window_vectors_7" w
            WHERE w.document_id = c.document_id AND w.window_index >= c.own_start AND w.window_index < c.window_end
            ORDER BY cosine DESC, w.window_index LIMIT 1) o
), ranked AS MATERIALIZED (
    SELECT s.*, row_number() OVER (ORDER BY s.score DESC, s.lexical DESC, s.id) AS fused_rank FROM scored s
), seen AS (
    SELECT chunk_count, space_count, chunk_count AS rows FROM known
)
SELECT seen.*,
       CASE WHEN coalesce(r.fused_rank, 1) = 1 THEN (SELECT jsonb_object_agg(term, idf) FROM weights) END AS term_weights,
       r.id, r.document_id::text AS document, r.score, r.dense, r.standard, r.lexical, r.sender,
       k.id AS chunk_id, k.document_id, (SELECT regexp_replace(name, '^@[0-9]+:', '') FROM pgask.collections WHERE id = k.collection_id) AS collection,
       d.source, d.title, k.page, k.heading, k.places, k.sentences,
       k.char_start AS char_start, k.char_end AS char_end, coalesce((SELECT substring(string_agg(part.text, '' ORDER BY part.part) FROM mod(k.char_start, 2000) + 1 FOR (k.char_end) - (k.char_start)) FROM pgask.document_texts part WHERE part.document_id = k.document_id AND part.part >= (k.char_start) / 2000 AND part.part <= ((k.char_end) - 1) / 2000), '') AS text
  FROM seen LEFT JOIN ranked r ON true
  LEFT JOIN pgask.chunks k ON k.id = CASE WHEN r.fused_rank <= 8 THEN r.id END
  LEFT JOIN pgask.documents d ON d.id = k.document_id
 ORDER BY r.fused_rank
