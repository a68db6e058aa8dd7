"""BM25 in memory, by bm25s, over terms that the caller made: what PostgreSQL's is compared with.

bm25s is in the dev group only; the product does not need it. Its `lucene` variant is the product's formula without the
constant factor k1 + 1 (app/search/candidates.py), so that both order alike: eval/bench/lexical_agreement.py measures
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bm25s
import numpy as np
import numpy.typing as npt

from app.config import Settings

K1: float = Settings.model_fields["bm25_k1"].default
B: float = Settings.model_fields["bm25_b"].default


def score_terms(
    documents: Sequence[Mapping[str, int]],
    questions: Sequence[Sequence[str]],
    *,
    k1: float = K1,
    b: float = B,
) -> npt.NDArray[np.float64]:
    """BM25 of every document for every question: float64 (questions, documents), 0 where they share no term.

    `documents` are term → frequency; a term that stands twice in a question counts once, as in the product.
    """
    index = bm25s.BM25(method="lucene", k1=k1, b=b, dtype="float64")
    tokens = [[term for term, count in found.items() for _ in range(count)] for found in documents]
    index.index(tokens, show_progress=False)
    known = {term for found in documents for term in found}
    scores = np.zeros((len(questions), len(documents)))
    for row, question in enumerate(questions):
        asked = [term for term in dict.fromkeys(question) if term in known]
        if asked:
            scores[row] = (k1 + 1) * index.get_scores(asked)
    return scores
