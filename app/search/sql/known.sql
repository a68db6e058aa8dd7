-- What the plan was made for, where it still holds; else no row, and the search finds nothing.
SELECT c.chunk_count, greatest(s.row_count, (SELECT sum(chunk_count) FROM pgask.collections WHERE space_id = s.id))::bigint AS space_count
  FROM ({asked}) c JOIN pgask.embedding_spaces s ON s.id = c.space_id
 WHERE s.id = %(space_id)s AND CASE {index_fault} WHEN '' THEN s.index_method ELSE '' END = %(method)s
   AND (%(method)s = '' OR (s.index_build = %(build)s AND coalesce(s.index_probes, s.index_ef_search) = %(effort)s))
