-- The dense leg of a collection in several languages, exactly: by standard scores, as chunks are scored. By distance the
-- language that is nearer to the question would take all places.
SELECT chunk_id, row_number() OVER (ORDER BY standard DESC, chunk_id) AS rank FROM (
    SELECT v.chunk_id, (1 - (v.embedding <=> %(vector)s) - {mean}) / {deviation} AS standard
      FROM {chunks} v JOIN pgask.chunks c ON c.id = v.chunk_id JOIN pgask.documents d ON d.id = v.document_id
     WHERE v.collection_id = %(collection_id)s{kept} OFFSET 0) nearest
 ORDER BY standard DESC, chunk_id LIMIT {candidates}
