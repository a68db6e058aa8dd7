-- $1 lexicon_version, $2 model, $3 weights_sha256, $4 dimension, $5 query_prefix, $6 passage_prefix, $7 pooling, $8 normalized, $9 collections
SELECT named.name AS asked, c.name, c.id AS collection_id, c.space_id, c.chunk_count, c.lexicon_version,
       c.background_version, s.id AS partition_id, greatest(s.row_count, (SELECT sum(chunk_count) FROM pgask.collections WHERE coalesce(partition_id, space_id) = s.id))::bigint AS partition_count,
       s.index_method, s.index_precision, s.index_build, s.index_lists, s.index_probes, s.index_ef_search,
       s.model, s.weights_sha256, s.dimension, s.query_prefix, s.passage_prefix, s.pooling, s.normalized,
       
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
    ), 'missing') END AS index_fault, concat_ws(':', s.id, CASE 
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
 THEN concat_ws(':', s.index_method, s.index_build, s.index_probes, s.index_ef_search) END) AS index_state
  FROM pgask.collections named
  JOIN pgask.collections c ON c.id = coalesce((
       SELECT t.id FROM pgask.collections t JOIN pgask.embedding_spaces ts ON ts.id = t.space_id
        WHERE t.twin_of = named.id AND t.filled_at IS NOT NULL AND t.lexicon_version = $1
          AND ts.model = $2 AND ts.weights_sha256 = $3 AND ts.dimension = $4
          AND ts.query_prefix = $5 AND ts.passage_prefix = $6
          AND ts.pooling = $7 AND ts.normalized = $8), named.id)
  JOIN pgask.embedding_spaces s ON s.id IN (coalesce(c.partition_id, c.space_id), c.leaving_id)
 WHERE named.name = ANY($9) AND named.twin_of IS NULL
 ORDER BY s.id
