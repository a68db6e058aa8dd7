-- The same with all that is known of each candidate, of those too that become no hits.
SELECT seen.*,
       CASE WHEN coalesce(r.fused_rank, 1) = 1 THEN (SELECT jsonb_object_agg(term, idf) FROM weights) END AS term_weights,
       r.id, r.document_id::text AS document, r.score, r.dense, r.standard, r.lexical, r.sender,
{chunk},
       p.passage_start, p.passage_end,
       r.dense_rank, r.lexical_rank, r.window_lexical, r.readability, r.fused_rank
  FROM seen LEFT JOIN ranked r ON true
  LEFT JOIN pgask.chunks k ON k.id = CASE WHEN r.fused_rank <= {texts} THEN r.id END
  LEFT JOIN pgask.documents d ON d.id = r.document_id
 CROSS JOIN LATERAL (
       SELECT min(w.char_start) AS passage_start, max(w.char_end) AS passage_end FROM {windows} w
        WHERE w.document_id = k.document_id
          AND w.window_index BETWEEN greatest(k.window_start, r.window_index - 1)
                                 AND least(k.window_end - 1, r.window_index + 1)) p
 ORDER BY r.fused_rank
