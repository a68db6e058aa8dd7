-- The dense leg, by the vector index. The inner limit makes an iterative scan go on, past the first rows that a filter
-- keeps, to nearer ones in lists further on. Its order is relaxed, which the planner doesn't know: + 0 makes it sort.
-- CASE and not a bare condition: of hundreds of shelves the planner would expect ten's rows, and read and sort all.
SELECT chunk_id, row_number() OVER (ORDER BY distance + 0, chunk_id) AS rank FROM (
    SELECT v.chunk_id, v.embedding <=> %(vector)s AS distance FROM {chunks} v
     WHERE {build} AND CASE WHEN v.collection_id = %(collection_id)s THEN true END IS NOT NULL{kept}
     ORDER BY {distance} LIMIT {visited}) nearest
 ORDER BY distance + 0, chunk_id LIMIT {candidates}
