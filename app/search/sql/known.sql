-- What the plan was made for, where it still holds; else no row, and the search finds nothing.
SELECT c.chunk_count, sum({partition_count})::bigint AS space_count
  FROM ({asked}) c JOIN pgask.embedding_spaces s ON s.id = ANY(c.partitions)
 GROUP BY c.chunk_count HAVING string_agg({index_state}, ' ' ORDER BY s.id) = %(indexes)s
