"""BM25 over stored postings: its constants. The statements are sql/weights.sql and sql/lexical*.sql.

Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework", 3.15, with the idf of Lucene, which is never
negative: sum over terms of ln(1 + (N − df + ½)/(df + ½)) · tf·(k1 + 1)/(tf + k1·(1 − b + b·terms/mean terms)).
In the statements `flat` is k1·(1 − b), `steep` k1·b/mean terms.

Adding up every posting of every term is what takes time, about 0.4 µs each; how many there are is known (ADR 0040).
Terms are added up from the rarest on while their postings are at most BUDGET, the rarest in any case; a question that
needs no more is answered exactly.
Otherwise the remaining (common) terms are scored only for the best MORE × candidates chunks. What that changes is
measured in eval/LOG.md: nothing in nDCG@10 at 100,000 chunks; at 1,000,000 nine of BM25's ten best are the same.
"""

from __future__ import annotations

import math
from typing import Final

BUDGET: Final = 20_000
MORE: Final = 20

# Of a window: that a term is in it counts for most, how often for little. Chosen in eval/LOG.md.
WINDOW_K1: Final = 0.6


def unknown_weight(chunk_count: int) -> float:
    """The idf of a term that no chunk of the collection holds: the highest that there is."""
    return math.log(2 * chunk_count + 2)
