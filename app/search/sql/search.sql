-- A search: one statement, one snapshot, one round trip. The last part is one of three projections of what is ranked.
WITH known AS MATERIALIZED (
{known}
), {eligible}{weights}, dense AS MATERIALIZED (
{dense}
), {scored}, ranked AS MATERIALIZED (
    SELECT s.*, row_number() OVER (ORDER BY s.score DESC, s.lexical DESC, s.id) AS fused_rank FROM scored s
), seen AS (
    SELECT chunk_count, space_count, {rows} AS rows FROM known
)
{projection}
