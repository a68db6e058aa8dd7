-- $1 collection_id, $2 collection, $3 lexicon_version, $4 background_version, $5 indexes, $6 filter_0, $7 filter_1, $8 filter_2, $9 filter_3, $10 filter_4, $11 filter_5, $12 filter_6, $13 filter_7, $14 most_rows, $15 k1, $16 b, $17 collection_ids, $18 budget, $19 terms, $20 vector, $21 candidates, $22 half, $23 window_k1, $24 unknown_share, $25 mean_en, $26 mean_zh, $27 mean_und, $28 deviation_en, $29 deviation_zh, $30 deviation_und, $31 dense_weight, $32 window_share
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
), matching AS MATERIALIZED (
SELECT d.id, d.chunk_count FROM pgask.documents d
 WHERE d.collection_id = $1 AND (starts_with(d.source, $6::text) AND d.source >= $7::text AND d.source < $8::text) AND d.metadata @> $9::jsonb AND (d.collection_id, d.id) IN (SELECT f.collection_id, f.document_id FROM pgask.document_facts f WHERE f.fact = ANY (ARRAY(SELECT pgask.facts(wanted) FROM unnest($10::jsonb[]) wanted))) AND ((d.metadata @> $11::jsonb OR d.metadata @> $12::jsonb) OR starts_with(normalize(d.title, NFC), $13::text))
UNION
SELECT kept.id, kept.chunk_count FROM pgask.documents d JOIN pgask.documents kept ON kept.id = d.duplicate_of
 WHERE d.collection_id = $1 AND d.duplicate_of IS NOT NULL AND (starts_with(d.source, $6::text) AND d.source >= $7::text AND d.source < $8::text) AND d.metadata @> $9::jsonb AND (d.collection_id, d.id) IN (SELECT f.collection_id, f.document_id FROM pgask.document_facts f WHERE f.fact = ANY (ARRAY(SELECT pgask.facts(wanted) FROM unnest($10::jsonb[]) wanted))) AND ((d.metadata @> $11::jsonb OR d.metadata @> $12::jsonb) OR starts_with(normalize(d.title, NFC), $13::text))
), kept AS MATERIALIZED (
    SELECT coalesce(sum(chunk_count), 0)::bigint AS rows FROM matching
), eligible AS MATERIALIZED (
    SELECT id FROM matching WHERE (SELECT rows FROM kept) <= $14
), statistics AS MATERIALIZED (
    SELECT sum(chunk_count)::float8 AS chunks, $15::float8 * (1 - $16::float8) AS flat,
           $15::float8 * $16::float8 * greatest(sum(chunk_count), 1)::float8 / greatest(sum(term_count), 1)::float8
           AS steep
      FROM pgask.collections
     WHERE id = ANY($17::int[])
), weights AS MATERIALIZED (
    SELECT asked.term, ln(1 + (s.chunks - c.df + 0.5) / (c.df + 0.5)) AS idf, c.df, s.flat, s.steep,
           sum(c.df) OVER rarest <= $18::float8
           OR row_number() OVER (PARTITION BY c.df > 0 ORDER BY c.df, asked.term) = 1 AS added
      FROM statistics s CROSS JOIN unnest($19::text[]) AS asked (term)
     CROSS JOIN LATERAL pgask.document_frequency($17::int[], asked.term) c
    WINDOW rarest AS (ORDER BY c.df, asked.term)
), dense AS MATERIALIZED (
SELECT chunk_id, row_number() OVER (ORDER BY distance, chunk_id) AS rank FROM (
    SELECT v.chunk_id, v.embedding <=> $20 AS distance FROM "pgask_vectors"."chunk_vectors_7" v
     WHERE v.collection_id = $1 AND v.document_id IN (SELECT id FROM eligible) OFFSET 0) nearest
 ORDER BY distance, chunk_id LIMIT 50
), lexical AS MATERIALIZED (
WITH first AS MATERIALIZED (
    SELECT a.* FROM (
           SELECT m.chunk_id, min(m.collection_id) AS collection_id, sum(m.part) AS lexical
             FROM weights w CROSS JOIN LATERAL (
                  SELECT p.chunk_id, p.collection_id, w.idf * ($15::float8 + 1) * p.term_frequency / (p.term_frequency + w.flat + w.steep * p.chunk_terms) AS part
                    FROM pgask.term_postings($17::int[], w.term) p OFFSET 0) m
            WHERE w.added GROUP BY m.chunk_id ORDER BY lexical DESC, m.chunk_id OFFSET 0) a
     CROSS JOIN LATERAL (
           SELECT FROM pgask.chunks k
            WHERE k.id = a.chunk_id AND (k.document_id IN (SELECT id FROM eligible)) IS TRUE OFFSET 0) k
     ORDER BY a.lexical DESC, a.chunk_id
     LIMIT $21 * (SELECT CASE WHEN bool_and(added) THEN 1 ELSE 20 END FROM weights)
), short AS MATERIALIZED (
    SELECT NOT bool_and(added) AND (SELECT count(*) FROM first) < $21 AS is_short FROM weights
), more AS (
    SELECT m.chunk_id, sum(m.part) AS lexical
      FROM (SELECT array_agg(chunk_id ORDER BY chunk_id) AS ids,
                   array_agg(collection_id ORDER BY chunk_id) AS owners FROM first) f
     CROSS JOIN weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, w.idf * ($15::float8 + 1) * p.term_frequency / (p.term_frequency + w.flat + w.steep * p.chunk_terms) AS part
             FROM pgask.candidate_postings($17::int[], w.term, w.df, f.ids, f.owners) p OFFSET 0) m
     WHERE NOT w.added AND NOT (SELECT is_short FROM short) GROUP BY m.chunk_id
), every AS (
    SELECT m.chunk_id, sum(m.part) AS lexical
      FROM weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, w.idf * ($15::float8 + 1) * p.term_frequency / (p.term_frequency + w.flat + w.steep * p.chunk_terms) AS part
             FROM pgask.term_postings($17::int[], w.term) p OFFSET 0) m
     WHERE (SELECT is_short FROM short) GROUP BY m.chunk_id ORDER BY lexical DESC, m.chunk_id OFFSET 0
), summed AS (
    SELECT chunk_id, first.lexical + coalesce(more.lexical, 0) AS lexical FROM first FULL JOIN more USING (chunk_id)
     WHERE NOT (SELECT is_short FROM short)
     UNION ALL
    (SELECT a.* FROM every a CROSS JOIN LATERAL (
            SELECT FROM pgask.chunks k
             WHERE k.id = a.chunk_id AND (k.document_id IN (SELECT id FROM eligible)) IS TRUE OFFSET 0) k
      ORDER BY a.lexical DESC, a.chunk_id LIMIT $21)
)
SELECT chunk_id, row_number() OVER (ORDER BY lexical DESC, chunk_id) AS rank
  FROM summed ORDER BY lexical DESC, chunk_id LIMIT $21
), candidates AS MATERIALIZED (
    SELECT c.id, c.collection_id, c.document_id, c.language, c.window_start, c.window_end,
           c.window_start + c.windows_shared AS own_start, d.rank AS dense_rank, l.rank AS lexical_rank
      FROM dense d FULL JOIN lexical l USING (chunk_id)
      JOIN pgask.chunks c ON c.id = CASE WHEN d.chunk_id IS NULL THEN l.chunk_id ELSE d.chunk_id END
), terms AS MATERIALIZED (
    SELECT m.chunk_id AS id, w.idf, m.part, m.windows
      FROM (SELECT array_agg(id ORDER BY id) AS ids, array_agg(collection_id ORDER BY id) AS owners FROM candidates) f
     CROSS JOIN weights w CROSS JOIN LATERAL (
           SELECT p.chunk_id, w.idf * ($15::float8 + 1) * p.term_frequency / (p.term_frequency + w.flat + w.steep * p.chunk_terms) AS part, p.window_frequencies AS windows
             FROM pgask.candidate_postings($17::int[], w.term, w.df, f.ids, f.owners) p OFFSET 0) m
), own AS MATERIALIZED (
    SELECT c.id, w.window_index, w.window_index - c.window_start AS place, 1 - (w.embedding <=> $22) AS cosine
      FROM candidates c CROSS JOIN LATERAL (
           SELECT o.window_index, o.embedding FROM "pgask_vectors"."window_vectors_7" o
            WHERE o.document_id = c.document_id AND o.window_index >= c.own_start AND o.window_index < c.window_end
           OFFSET 0) w
), held AS MATERIALIZED (
    SELECT o.id, o.place, sum(t.idf * f.tf * ($23 + 1) / (f.tf + $23)) AS lexical
      FROM own o JOIN terms t ON t.id = o.id AND length(t.windows) > o.place
     CROSS JOIN LATERAL (SELECT get_byte(t.windows, o.place)::float8 AS tf) f
     GROUP BY o.id, o.place
), ideal AS MATERIALIZED (
    SELECT 0.4 * coalesce(sum(idf), 0) AS idf FROM weights
), highest AS MATERIALIZED (
    SELECT coalesce(nullif(greatest((SELECT max(lexical) FROM held), i.idf * ($23::float8 + 1)), 0), 1)
           AS lexical FROM ideal i
), chunked AS MATERIALIZED (
    SELECT c.id, c.document_id, c.dense_rank, c.lexical_rank, coalesce(s.lexical, 0) AS lexical,
           sqrt((1::float8 - $24) * (1 - coalesce(d.unknown_tokens::float8 / nullif(d.token_count, 0), 0))) AS readability, CASE coalesce(c.language, d.language) WHEN 'en' THEN $25::float8 WHEN 'zh' THEN $26::float8 ELSE $27::float8 END AS mean, CASE coalesce(c.language, d.language) WHEN 'en' THEN $28::float8 WHEN 'zh' THEN $29::float8 ELSE $30::float8 END AS deviation, d.sender
      FROM (SELECT id, sum(part) AS lexical FROM terms GROUP BY id) s
      FULL JOIN candidates c USING (id) JOIN pgask.documents d ON d.id = c.document_id
), best AS (
    SELECT DISTINCT ON (o.id) o.id, o.window_index, o.cosine, (o.cosine - c.mean) / c.deviation AS standard,
           coalesce(h.lexical, 0) AS lexical,
           $31::float8 * c.readability * least(greatest((o.cosine - c.mean) / c.deviation / 10.0, 0), 1)
           + (1 - $31::float8) * $32::float8
             * (coalesce(h.lexical, 0) / (SELECT lexical FROM highest)) AS window_score
      FROM own o JOIN chunked c USING (id) LEFT JOIN held h USING (id, place)
     ORDER BY o.id, window_score DESC, o.cosine DESC, o.place
), scored AS (
    SELECT c.*, b.window_index, b.cosine AS dense, b.standard, b.lexical AS window_lexical,
           b.window_score + (1 - $31::float8) * (1 - $32::float8)
           * (c.lexical / coalesce(nullif(greatest(max(c.lexical) OVER (),
                                                   (SELECT idf FROM ideal) * ($15::float8 + 1)), 0), 1)) AS score
      FROM chunked c JOIN best b USING (id)
), ranked AS MATERIALIZED (
    SELECT s.*, row_number() OVER (ORDER BY s.score DESC, s.lexical DESC, s.id) AS fused_rank FROM scored s
), seen AS (
    SELECT chunk_count, space_count, (SELECT rows FROM kept) AS rows FROM known
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
