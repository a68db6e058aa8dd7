-- Terms are not weighed: nothing is searched by words, and nobody asks what they weigh.
weights AS MATERIALIZED (
    SELECT NULL::text AS term, 0::float8 AS idf WHERE false
)
