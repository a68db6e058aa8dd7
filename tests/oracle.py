"""The ranking by the book, in numpy: what app/search has the database compute, and nothing of the product's.

`fuse` is the formula alone; `rank` is the whole search of a collection held in memory: both legs, their candidates, the
scores of each, fusion. tests/integration/test_oracle.py holds the database's results equal to it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A chunk with the cosine and the BM25 of each of its own windows, from the document's window `first_window` on,
    and the BM25 of all of it. Ranks start at 1, None where that leg did not propose it."""

    chunk_id: int
    first_window: int
    cosines: tuple[float, ...]
    window_lexicals: tuple[float, ...]
    lexical: float
    unknown_share: float = 0.0
    dense_rank: int | None = None
    lexical_rank: int | None = None


@dataclass(frozen=True)
class Fused:
    """A candidate with its score, and what its best window gave: `window` is its index in the document."""

    candidate: Candidate
    score: float
    window: int
    dense: float
    window_lexical: float
    readability: float


@dataclass(frozen=True)
class Weights:
    """The settings of the ranking, at their defaults."""

    dense_weight: float = 0.6
    window_share: float = 0.67
    k1: float = 1.2
    b: float = 0.75
    window_k1: float = 0.6


@dataclass(frozen=True)
class Chunk:
    """A stored chunk: its pooled unit vector (dimension,), the vectors (n, dimension) and the terms of its own windows
    from `first_window` on, all its terms, and which share of its document the model can't read."""

    chunk_id: int
    pooled: NDArray[np.float32]
    first_window: int
    windows: NDArray[np.float32]
    window_terms: Sequence[Counter[str]]
    terms: Counter[str] = field(default_factory=Counter)
    unknown_share: float = 0.0


def fuse(candidates: Sequence[Candidate], weights: Weights, unknown_share: float = 0.0) -> list[Fused]:
    """Candidates by score, best first; ties by higher BM25, then by the older chunk. Of equal windows the first."""
    highest = max((one.lexical for one in candidates), default=0.0) or 1.0
    highest_window = max((max(one.window_lexicals) for one in candidates), default=0.0) or 1.0
    dense, words = weights.dense_weight, 1 - weights.dense_weight
    fused = []
    for one in candidates:
        trust = readability(unknown_share, one.unknown_share)
        sums = dense * (trust * np.maximum(0.0, one.cosines)) + words * weights.window_share * (
            np.array(one.window_lexicals) / highest_window
        )
        best = int(np.argmax(sums))
        score = float(sums[best]) + words * (1 - weights.window_share) * (one.lexical / highest)
        window = one.first_window + best
        fused.append(Fused(one, score, window, one.cosines[best], one.window_lexicals[best], trust))
    return sorted(fused, key=lambda one: (-one.score, -one.candidate.lexical, one.candidate.chunk_id))


def readability(question: float, document: float) -> float:
    """The geometric mean of what can be read of both."""
    return math.sqrt((1 - question) * (1 - document))


def idfs(chunks: Sequence[Chunk], terms: Collection[str]) -> dict[str, float]:
    """The idf of Lucene of each term among these chunks."""
    found = {}
    for term in terms:
        holding = sum(term in chunk.terms for chunk in chunks)
        found[term] = math.log(1 + (len(chunks) - holding + 0.5) / (holding + 0.5))
    return found


def bm25(chunks: Sequence[Chunk], terms: Collection[str], weights: Weights) -> list[float]:
    """BM25 of each chunk by the textbook."""
    idf = idfs(chunks, set(terms))
    mean = sum(chunk.terms.total() for chunk in chunks) / max(len(chunks), 1) or 1.0
    scores = []
    for chunk in chunks:
        norm = weights.k1 * (1 - weights.b + weights.b * chunk.terms.total() / mean)
        scores.append(
            sum(idf[term] * tf * (weights.k1 + 1) / (tf + norm) for term, tf in _held(chunk.terms, idf))
        )
    return scores


def rank(
    chunks: Sequence[Chunk],
    vector: NDArray[np.float32],
    terms: Collection[str],
    *,
    candidates: int,
    weights: Weights,
    unknown_share: float = 0.0,
    kept: Collection[int] | None = None,
) -> list[Fused]:
    """The search of a collection that holds `chunks`, of which a filter keeps the ids `kept`; term weights and mean
    lengths are those of the whole collection. Where the dense weight is 1, no chunk is looked for by terms."""
    terms = set(terms) if weights.dense_weight < 1 else set()
    idf = idfs(chunks, terms)
    lexical = dict(zip((chunk.chunk_id for chunk in chunks), bm25(chunks, terms, weights), strict=True))
    eligible = [chunk for chunk in chunks if kept is None or chunk.chunk_id in kept]
    distances = {chunk.chunk_id: _distance(chunk.pooled, vector) for chunk in eligible}
    nearest = sorted(distances, key=lambda one: (distances[one], one))[:candidates]
    holding = [chunk.chunk_id for chunk in eligible if lexical[chunk.chunk_id] > 0]
    best = sorted(holding, key=lambda one: (-lexical[one], one))[:candidates]
    dense_ranks = {chunk_id: place for place, chunk_id in enumerate(nearest, 1)}
    lexical_ranks = {chunk_id: place for place, chunk_id in enumerate(best, 1)}
    half = vector.astype(np.float16)
    found = [
        Candidate(
            chunk.chunk_id,
            chunk.first_window,
            tuple(1 - _distance(window.astype(np.float16), half) for window in chunk.windows),
            tuple(
                sum(
                    idf[term] * tf * (weights.window_k1 + 1) / (tf + weights.window_k1)
                    for term, tf in _held(counts, idf)
                )
                for counts in chunk.window_terms
            ),
            lexical[chunk.chunk_id],
            chunk.unknown_share,
            dense_ranks.get(chunk.chunk_id),
            lexical_ranks.get(chunk.chunk_id),
        )
        for chunk in eligible
        if chunk.chunk_id in dense_ranks or chunk.chunk_id in lexical_ranks
    ]
    return fuse(found, weights, unknown_share)


def _held(counts: Counter[str], terms: Collection[str]) -> list[tuple[str, int]]:
    return [(term, counts[term]) for term in terms if counts[term]]


def _distance(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """The cosine distance; the same for the same vectors, wherever they stand."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    return 1 - float((a * b).sum() / math.sqrt(float((a * a).sum()) * float((b * b).sum())))
