-- How far a cosine can be trusted: the geometric mean of what the model can read of the question and of the document d.
sqrt((1::float8 - %(unknown_share)s) * (1 - coalesce(d.unknown_tokens::float8 / nullif(d.token_count, 0), 0)))
