-- What a filter keeps. Nothing is searched where that is more than the plan is for.
matching AS MATERIALIZED (
{matching}
), kept AS MATERIALIZED (
    SELECT coalesce(sum(chunk_count), 0)::bigint AS rows FROM matching
), eligible AS MATERIALIZED (
    SELECT id FROM matching WHERE (SELECT rows FROM kept) <= %(most_rows)s
),
