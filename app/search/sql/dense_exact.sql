-- The dense leg, exactly: every chunk is compared. The limit is part of the text: a kept plan has to know it is low.
SELECT chunk_id, row_number() OVER (ORDER BY distance, chunk_id) AS rank FROM (
    SELECT v.chunk_id, v.embedding <=> %(vector)s AS distance FROM {chunks} v
     WHERE v.collection_id = %(collection_id)s{kept} OFFSET 0) nearest
 ORDER BY distance, chunk_id LIMIT {candidates}
