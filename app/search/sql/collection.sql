-- What a search is planned by: each collection, or its twin in the space of who asks (app/store/twins.py), and each
-- partition that its vectors lie in (mostly one, app/store/partitions.py), with its vector index as the manifest has it.
SELECT named.name AS asked, c.name, c.id AS collection_id, c.space_id, c.chunk_count, c.lexicon_version,
       c.background_version, s.id AS partition_id, {partition_count} AS partition_count,
       s.index_method, s.index_precision, s.index_build, s.index_lists, s.index_probes, s.index_ef_search,
       s.model, s.weights_sha256, s.dimension, s.query_prefix, s.passage_prefix, s.pooling, s.normalized,
       {index_fault} AS index_fault, {index_state} AS index_state
  FROM pgask.collections named
  JOIN pgask.collections c ON c.id = coalesce((
       SELECT t.id FROM pgask.collections t JOIN pgask.embedding_spaces ts ON ts.id = t.space_id
        WHERE t.twin_of = named.id AND t.filled_at IS NOT NULL AND t.lexicon_version = %(lexicon_version)s
          AND ts.model = %(model)s AND ts.weights_sha256 = %(weights_sha256)s AND ts.dimension = %(dimension)s
          AND ts.query_prefix = %(query_prefix)s AND ts.passage_prefix = %(passage_prefix)s
          AND ts.pooling = %(pooling)s AND ts.normalized = %(normalized)s), named.id)
  JOIN pgask.embedding_spaces s ON s.id IN (coalesce(c.partition_id, c.space_id), c.leaving_id)
 WHERE named.name = ANY(%(collections)s) AND named.twin_of IS NULL
 ORDER BY s.id
