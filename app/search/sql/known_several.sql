-- The collections that are asked, as one: each as the plan knows it, and none of those left out as empty filled since.
SELECT sum(k.chunk_count)::bigint AS chunk_count,
       array_agg(coalesce(k.partition_id, k.space_id)) || array_agg(k.leaving_id) AS partitions
  FROM pgask.collections k
  JOIN unnest(%(collection_ids)s::int[], %(background_versions)s::int[]) seen (id, version)
    ON k.id = seen.id AND k.background_version = seen.version
 WHERE k.name = ANY(%(collections)s) AND k.lexicon_version = %(lexicon_version)s AND k.space_id = %(space_id)s
   AND NOT EXISTS (SELECT FROM pgask.collections o
                    WHERE o.name = ANY(%(collections)s) AND o.chunk_count > 0 AND o.id <> ALL(%(collection_ids)s))
HAVING count(*) = cardinality(%(collection_ids)s::int[])
