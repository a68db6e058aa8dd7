-- How many chunks lie in the partition `s`: as upkeep noted it, or as the collections tell that are seen.
greatest(s.row_count, (SELECT sum(chunk_count) FROM pgask.collections WHERE coalesce(partition_id, space_id) = s.id))::bigint
