"""Two scores of a candidate → one; pure.

    score = w · max(0, cosine of the best window) + (1 − w) · BM25 / the question's highest BM25

A weighted sum of normalised scores keeps how sure each leg is. Reciprocal rank fusion forgets that, so a leg that can't
read the text (an English encoder asked in Chinese) drags the other down (ADR 0006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.store.search import Candidate


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate with its fused score in [0, 1]."""

    candidate: Candidate
    score: float


def fuse(candidates: Sequence[Candidate], dense_weight: float) -> list[Fused]:
    """Candidates by fused score, best first; ties by higher BM25, then by the older chunk.

    >>> [f.candidate.chunk_id for f in fuse([Candidate(1, 0.5, 0.0), Candidate(2, 0.4, 8.0)], 0.5)]
    [2, 1]
    """
    highest = max((candidate.lexical for candidate in candidates), default=0.0)
    fused = [
        Fused(
            candidate,
            dense_weight * max(0.0, candidate.dense)
            + (1 - dense_weight) * (candidate.lexical / highest if highest > 0 else 0.0),
        )
        for candidate in candidates
    ]
    return sorted(fused, key=lambda f: (-f.score, -f.candidate.lexical, f.candidate.chunk_id))
