"""BM25 from stored postings: which chunks hold the rarer terms of a question, ranked. Fragments of SQL, no Python.

Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework", 3.15, with the idf of Lucene, which is never
negative: sum over terms of ln(1 + (N − df + ½)/(df + ½)) · tf·(k1 + 1)/(tf + k1·(1 − b + b·terms/mean terms)).
`flat` is k1·(1 − b), `steep` k1·b/mean terms.

Adding up every posting of every term is what takes time: about 0.4 µs each. Terms are added up from the rarest on while
their postings are at most BUDGET, or BUDGET_SHARE of the chunks; a question that needs no more is answered exactly. Of
another one the common terms, which say little, are looked up for the best MORE times as many chunks as are asked for.
What that changes is measured in eval/LOG.md (BM25 at 100,000 chunks): nothing in nDCG@10.
"""

from __future__ import annotations

import math
from typing import Final

BUDGET: Final = 20_000
BUDGET_SHARE: Final = 0.2
MORE: Final = 10

_PART: Final = """w.idf * (%(k1)s::float8 + 1) * p.term_frequency
                   / (p.term_frequency + w.flat + w.steep * p.chunk_terms)"""

# The terms: their idf, those included that no chunk holds, and whether all their postings are added up.
WEIGHTS: Final = """
statistics AS MATERIALIZED (
    SELECT chunk_count::float8 AS chunks, %(k1)s::float8 * (1 - %(b)s::float8) AS flat,
           %(k1)s::float8 * %(b)s::float8 * greatest(chunk_count, 1) / greatest(term_count, 1) AS steep
      FROM pgask.collections WHERE id = %(collection_id)s
), weights AS MATERIALIZED (
    SELECT asked.term, ln(1 + (s.chunks - c.df + 0.5) / (c.df + 0.5)) AS idf, s.flat, s.steep,
           sum(c.df) OVER rarest <= greatest(%(budget)s::float8, %(budget_share)s::float8 * s.chunks)
           OR row_number() OVER (PARTITION BY c.df > 0 ORDER BY c.df, asked.term) = 1 AS added
      FROM statistics s CROSS JOIN unnest(%(terms)s::text[]) AS asked (term)
     CROSS JOIN LATERAL (SELECT count(*) AS df FROM pgask.postings p
                          WHERE p.collection_id = %(collection_id)s AND p.term = asked.term) c
    WINDOW rarest AS (ORDER BY c.df, asked.term)
)"""

# OFFSET 0: a scan of the index for each term, or a look into it for each term and chunk, and never a join of all.
_ADDED: Final = f"""
SELECT m.chunk_id, sum(m.part) AS lexical
  FROM weights w CROSS JOIN LATERAL (
       SELECT p.chunk_id, {_PART} AS part FROM pgask.postings p
        WHERE p.collection_id = %(collection_id)s AND p.term = w.term{{chunks}} OFFSET 0) m
 WHERE {{terms}} GROUP BY m.chunk_id"""  # noqa: S608 - constants only

_OF_CHUNKS: Final = " AND p.chunk_id = ANY((SELECT array_agg({id}) FROM {chunks})::bigint[])"

# The best chunks of all: by the added terms, then by all. FULL JOIN, though those with more are among the first: where
# few rows are expected, 500 of each would be compared one by one.
LEXICAL: Final = f"""
WITH first AS MATERIALIZED ({_ADDED.format(chunks="", terms="w.added")} ORDER BY lexical DESC, m.chunk_id
    LIMIT %(candidates)s * (SELECT CASE WHEN bool_and(added) THEN 1 ELSE {MORE} END FROM weights)
), more AS ({_ADDED.format(chunks=_OF_CHUNKS.format(id="chunk_id", chunks="first"), terms="NOT w.added")}
), summed AS (
    SELECT chunk_id, first.lexical + coalesce(more.lexical, 0) AS lexical FROM first FULL JOIN more USING (chunk_id)
)
SELECT chunk_id, row_number() OVER (ORDER BY lexical DESC, chunk_id) AS rank
  FROM summed ORDER BY lexical DESC, chunk_id LIMIT %(candidates)s"""  # noqa: S608

# The best of those that a filter keeps (`eligible`); the budget has to be endless, for the filter may keep none of
# the chunks that hold the rarer terms. Where it keeps few, no postings but theirs are read.
LEXICAL_OF_MANY: Final = f"""
SELECT a.chunk_id, row_number() OVER (ORDER BY a.lexical DESC, a.chunk_id) AS rank
  FROM ({_ADDED.format(chunks="", terms="w.added")}) a JOIN pgask.chunks k ON k.id = a.chunk_id
 WHERE k.document_id IN (SELECT id FROM eligible)
 ORDER BY a.lexical DESC, a.chunk_id LIMIT %(candidates)s"""  # noqa: S608

LEXICAL_OF_FEW: Final = f"""
WITH few AS MATERIALIZED (
    SELECT id FROM pgask.chunks WHERE document_id IN (SELECT id FROM eligible)
), found AS MATERIALIZED ({_ADDED.format(chunks=_OF_CHUNKS.format(id="id", chunks="few"), terms="true")})
SELECT chunk_id, row_number() OVER (ORDER BY lexical DESC, chunk_id) AS rank
  FROM found ORDER BY lexical DESC, chunk_id LIMIT %(candidates)s"""  # noqa: S608

# Each term that stands in a candidate: its share of the chunk's BM25, and how often it stands in each window. One scan
# of the index a term with all candidates, not one a term and candidate: .78 of the statement's CPU time at 325 chunks.
HELD_TERMS: Final = f"""
SELECT m.chunk_id AS id, w.term, w.idf, m.part, m.windows
  FROM weights w CROSS JOIN LATERAL (
       SELECT p.chunk_id, {_PART} AS part, p.window_frequencies AS windows FROM pgask.postings p
        WHERE p.collection_id = %(collection_id)s AND p.term = w.term
             {_OF_CHUNKS.format(id="id", chunks="candidates")} OFFSET 0) m"""  # noqa: S608


def unknown_weight(chunk_count: int) -> float:
    """The idf of a term that no chunk of the collection holds: the highest that there is."""
    return math.log(2 * chunk_count + 2)


def budget_parameters(*, filtered: bool) -> dict[str, float]:
    """The parameters `budget` and `budget_share`."""
    return {"budget": float("inf") if filtered else float(BUDGET), "budget_share": BUDGET_SHARE}
