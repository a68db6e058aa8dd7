-- The best chunks in their order, the first of them with their texts: what a search returns.
SELECT seen.*,
       CASE WHEN coalesce(r.fused_rank, 1) = 1 THEN (SELECT jsonb_object_agg(term, idf) FROM weights) END AS term_weights,
       r.id, r.document_id::text AS document, r.score, r.dense, r.standard, r.lexical, r.sender,
{chunk}
  FROM seen LEFT JOIN ranked r ON true
  LEFT JOIN pgask.chunks k ON k.id = CASE WHEN r.fused_rank <= {texts} THEN r.id END
  LEFT JOIN pgask.documents d ON d.id = k.document_id
 ORDER BY r.fused_rank
