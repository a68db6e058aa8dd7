"""The scores of a candidate → one; pure.

    score = max over the chunk's windows of ( w · r · cosine⁺ + (1 − w) · s · BM25 of the window / the highest )
            + (1 − w) · (1 − s) · BM25 of the chunk / the highest
    r = √((1 − unknown share of the question's tokens) · (1 − unknown share of the document's tokens))

w is PGASK_DENSE_WEIGHT, s PGASK_WINDOW_SHARE, cosine⁺ not below 0, "the highest" the question's among its candidates.
One passage answers a question, so what a window says and which words it holds are added before the best is chosen.
A sum of normalised scores keeps how sure each leg is; reciprocal rank fusion forgets that. r takes the cosine back
where the encoder can't read: unknown tokens all look the same to it. Shares and constants were chosen in eval/LOG.md
(ADR 0006).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.search.candidates import Candidate


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate with its fused score in [0, 1], and what its best window gave.

    `window` is the window's index in its document, `dense` its cosine, `window_lexical` its BM25.
    """

    candidate: Candidate
    score: float
    window: int
    dense: float
    window_lexical: float


def fuse(
    candidates: Sequence[Candidate], dense_weight: float, window_share: float, unknown_share: float = 0.0
) -> list[Fused]:
    """Candidates by fused score, best first; ties by higher BM25, then by the older chunk. The weights are in [0, 1].

    `unknown_share` in [0, 1]: of the question's tokens, those that the embedding model can't read.

    >>> found = [Candidate(1, "d", 0, (0.5,), (0.0,), 0.0), Candidate(2, "d", 1, (0.4,), (8.0,), 8.0)]
    >>> [(f.candidate.chunk_id, round(f.score, 3)) for f in fuse(found, 0.5, 0.7)]
    [(2, 0.7), (1, 0.25)]
    >>> [(f.candidate.chunk_id, round(f.score, 3)) for f in fuse(found, 0.5, 0.7, unknown_share=1.0)]
    [(2, 0.5), (1, 0.0)]
    """
    highest = max((candidate.lexical for candidate in candidates), default=0.0) or 1.0
    highest_window = max((max(candidate.window_lexicals) for candidate in candidates), default=0.0) or 1.0
    by_window, by_chunk = (1 - dense_weight) * window_share, (1 - dense_weight) * (1 - window_share)
    fused = []
    for candidate in candidates:
        by_cosine = dense_weight * readability(unknown_share, candidate.unknown_share)
        sums = [
            by_cosine * max(0.0, cosine) + by_window * (lexical / highest_window)
            for cosine, lexical in zip(candidate.cosines, candidate.window_lexicals, strict=True)
        ]
        best = max(range(len(sums)), key=sums.__getitem__)
        fused.append(
            Fused(
                candidate,
                sums[best] + by_chunk * (candidate.lexical / highest),
                candidate.first_window + best,
                candidate.cosines[best],
                candidate.window_lexicals[best],
            )
        )
    return sorted(fused, key=lambda f: (-f.score, -f.candidate.lexical, f.candidate.chunk_id))


def readability(question: float, document: float) -> float:
    """How far a cosine can be trusted, in [0, 1], by the unknown shares of both texts: the geometric mean of what the
    model can read of each."""
    return math.sqrt((1 - question) * (1 - document))
