-- What a search is planned by: each collection, its space, and the space's vector index as the manifest has it.
SELECT c.name, c.id AS collection_id, c.space_id, c.chunk_count, c.lexicon_version, c.background_version,
       greatest(s.row_count, (SELECT sum(chunk_count) FROM pgask.collections WHERE space_id = s.id))::bigint AS space_count,
       s.index_method, s.index_precision, s.index_build, s.index_lists, s.index_probes, s.index_ef_search,
       s.model, s.weights_sha256, s.dimension, s.query_prefix, s.passage_prefix, s.pooling, s.normalized,
       {index_fault} AS index_fault
  FROM pgask.collections c JOIN pgask.embedding_spaces s ON s.id = c.space_id
 WHERE c.name = ANY(%(collections)s)
