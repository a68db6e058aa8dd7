"""The ranking by the book, in numpy: what app/search has the database compute, and nothing of the product's.

`fuse` is the formula alone; `rank` is the whole search of a collection held in memory: both legs, their candidates, the
scores of each, fusion. tests/integration/test_oracle.py holds the database's results equal to it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A chunk with the cosine and the BM25 of each of its own windows, from the document's window `first_window` on,
    and the BM25 of all of it. Ranks start at 1, None where that leg did not propose it. `language` is its document's.
    """

    chunk_id: int
    first_window: int
    cosines: tuple[float, ...]
    window_lexicals: tuple[float, ...]
    lexical: float
    unknown_share: float = 0.0
    dense_rank: int | None = None
    lexical_rank: int | None = None
    language: str = "und"


@dataclass(frozen=True)
class Fused:
    """A candidate with its score, and what its best window gave: `window` is its index in the document, `margin` how
    much more it gave than the next best."""

    candidate: Candidate
    score: float
    window: int
    dense: float
    window_lexical: float
    readability: float
    standard: float
    margin: float


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
    from `first_window` on, all its terms, and which share of its document, written in `language`, the model can't read.
    """

    chunk_id: int
    pooled: NDArray[np.float32]
    first_window: int
    windows: NDArray[np.float32]
    window_terms: Sequence[Counter[str]]
    terms: Counter[str] = field(default_factory=Counter)
    unknown_share: float = 0.0
    language: str = "und"


Standards = Mapping[
    str, tuple[float, float]
]  # mean and deviation of a question's cosines, by the text's language
AS_THEY_ARE: Standards = {"und": (0.0, 0.1)}  # ten deviations are a cosine of 1


def standards(
    question: NDArray[np.float32],
    texts: Mapping[str, NDArray[np.float32]],
    windows: Mapping[str, NDArray[np.float32]],
) -> Standards:
    """By cosines with texts (n, dimension) of a language, of all where there are none in it, and with windows."""
    found = {}
    for language in ("en", "zh", "und"):
        general = texts.get(language, np.concatenate(list(texts.values()))).astype(np.float64) @ question
        mean, variance = general.mean(), general.var()
        if language in windows:
            own = windows[language].astype(np.float64) @ question
            share = min(0.5, len(own) / (len(own) + 48))
            mean = mean + share * (own.mean() - mean)
            variance = variance + share * (own.var() - variance)
        found[language] = (float(mean), math.sqrt(variance))
    return found


def fuse(
    candidates: Sequence[Candidate],
    weights: Weights,
    unknown_share: float = 0.0,
    *,
    measured_by: Standards = AS_THEY_ARE,
    idf: float = 0.0,
) -> list[Fused]:
    """Candidates by score, best first; ties by higher BM25, then by the older chunk. Of equal windows the nearest, then
    the first. `idf` is that of all terms of the question together: 0.4 of what a text full of them would get is the
    least that BM25 is divided by."""
    highest = max([one.lexical for one in candidates] + [0.4 * idf * (weights.k1 + 1)]) or 1.0
    highest_window = (
        max([max(one.window_lexicals) for one in candidates] + [0.4 * idf * (weights.window_k1 + 1)]) or 1.0
    )
    dense, words = weights.dense_weight, 1 - weights.dense_weight
    fused = []
    for one in candidates:
        trust = readability(unknown_share, one.unknown_share)
        mean, deviation = measured_by.get(one.language) or measured_by["und"]
        scores = (np.array(one.cosines) - mean) / deviation
        sums = dense * (trust * np.clip(scores / 10, 0, 1)) + words * weights.window_share * (
            np.array(one.window_lexicals) / highest_window
        )
        best = max(range(len(sums)), key=lambda at: (sums[at], one.cosines[at], -at))
        score = float(sums[best]) + words * (1 - weights.window_share) * (one.lexical / highest)
        window = one.first_window + best
        margin = float(sums[best] - np.partition(sums, -2)[-2]) if len(sums) > 1 else math.inf
        at_best = one.cosines[best], one.window_lexicals[best], trust, float(scores[best]), margin
        fused.append(Fused(one, score, window, *at_best))
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
    measured_by: Standards,
    unknown_share: float = 0.0,
    kept: Collection[int] | None = None,
    mixed: bool = False,
) -> list[Fused]:
    """The search of a collection that holds `chunks`, of which a filter keeps the ids `kept`; term weights and mean
    lengths are those of the whole collection. Where the dense weight is 1, no chunk is looked for by terms. `mixed`:
    its sample is of several languages, so the nearest are those of the highest standard scores."""
    terms = set(terms) if weights.dense_weight < 1 else set()
    idf = idfs(chunks, terms)
    lexical = dict(zip((chunk.chunk_id for chunk in chunks), bm25(chunks, terms, weights), strict=True))
    eligible = [chunk for chunk in chunks if kept is None or chunk.chunk_id in kept]
    distances = {chunk.chunk_id: _distance(chunk.pooled, vector) for chunk in eligible}
    order = distances
    if mixed:
        measures = {
            chunk.chunk_id: measured_by.get(chunk.language) or measured_by["und"] for chunk in eligible
        }
        order = {one: -(1 - distances[one] - mean) / deviation for one, (mean, deviation) in measures.items()}
    nearest = sorted(order, key=lambda one: (order[one], one))[:candidates]
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
            chunk.language,
        )
        for chunk in eligible
        if chunk.chunk_id in dense_ranks or chunk.chunk_id in lexical_ranks
    ]
    return fuse(found, weights, unknown_share, measured_by=measured_by, idf=sum(idf.values()))


def _held(counts: Counter[str], terms: Collection[str]) -> list[tuple[str, int]]:
    return [(term, counts[term]) for term in terms if counts[term]]


def _distance(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """The cosine distance; the same for the same vectors, wherever they stand."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    return 1 - float((a * b).sum() / math.sqrt(float((a * a).sum()) * float((b * b).sum())))
