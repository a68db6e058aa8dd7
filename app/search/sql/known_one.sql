-- The collection that is asked, as the plan knows it.
SELECT chunk_count, ARRAY[coalesce(partition_id, space_id), leaving_id] AS partitions FROM pgask.collections
 WHERE id = %(collection_id)s AND name = %(collection)s AND lexicon_version = %(lexicon_version)s
   AND background_version = %(background_version)s
   AND NOT EXISTS (SELECT FROM pgask.collections o
                    WHERE o.name = %(collection)s AND o.chunk_count > 0 AND o.id <> %(collection_id)s)
