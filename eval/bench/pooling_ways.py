"""Ways from a chunk's window vectors to its dense score for a question; pure.

Each way is a function of an encoded set and gives scores (questions, chunks), higher is better. Those of `POOLED` make
one vector a chunk, which an index can hold; those of `LATE` look at every window of every chunk, which only rescoring
can afford.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from app.embedding import FloatMatrix
from eval.bench.encoded import EncodedSet
from ingest.pooling import DENSITY_STRENGTH, POSITION_STRENGTH, pool, window_weights

Floats = npt.NDArray[np.float64]
Weigh = Callable[[EncodedSet, int, int], Floats]  # set, first and after-last window of a chunk → weights (n,)
Scores = npt.NDArray[np.floating]
Way = Callable[[EncodedSet], Scores]

STRENGTHS: Final = (0.0, 0.25, 0.5, 1.0, 2.0)
DIMENSIONS: Final = (256, 192, 128, 96, 64, 32)
SOFTNESS: Final = 0.05  # of the soft maximum; the cosines of a chunk's windows lie about .1 apart


def name_weights(position: float, density: float) -> str:
    """The name of the product's formula with these strengths."""
    return f"weighted, position {position:g}, density {density:g}"


DEFAULT_WAY: Final = name_weights(POSITION_STRENGTH, DENSITY_STRENGTH)
BEST_WINDOW: Final = "best window"


def pool_chunks(encoded: EncodedSet, weigh: Weigh) -> FloatMatrix:
    """One unit vector a chunk by weighted means of its windows: float32 (chunks, dimension)."""
    return np.stack(
        [
            pool(encoded.windows[first:after], weigh(encoded, first, after))
            for first, after in encoded.ranges.tolist()
        ]
    )


def weigh_by(position: float, density: float, idf: Mapping[str, float] | None = None) -> Weigh:
    """The product's weights at other strengths; with `idf`, a keyword counts as much as it is rare."""

    def weigh(encoded: EncodedSet, first: int, after: int) -> Floats:
        counts = [
            float(len(found)) if idf is None else sum(idf[term] for term in found)
            for found in encoded.window_terms[first:after]
        ]
        tokens = encoded.window_tokens[first:after]
        return window_weights(counts, tokens, position_strength=position, density_strength=density)

    return weigh


def term_rarity(encoded: EncodedSet) -> dict[str, float]:
    """idf of every term over the windows: ln(1 + (N − df + ½)/(df + ½)), as in BM25."""
    frequency = Counter(term for found in encoded.window_terms for term in found)
    count = len(encoded.window_terms)
    return {term: math.log(1 + (count - df + 0.5) / (df + 0.5)) for term, df in frequency.items()}


def pooled_ways(encoded: EncodedSet) -> dict[str, Way]:
    """Ways that keep one vector a chunk, by name."""
    rarity = term_rarity(encoded)
    default = _pooled_way(weigh_by(POSITION_STRENGTH, DENSITY_STRENGTH))
    corpus_mean = _unit(encoded.windows.mean(axis=0, keepdims=True))[0]
    weighings: dict[str, Weigh] = {
        "mean of windows": lambda _, first, after: np.full(after - first, 1 / (after - first)),
        **{name_weights(p, d): weigh_by(p, d) for p in STRENGTHS for d in STRENGTHS},
        **{
            f"weighted, position {p:g}, idf density {d:g}": weigh_by(p, d, rarity)
            for p in (0.0, POSITION_STRENGTH)
            for d in (0.5, 1.0, 2.0)
        },
        "near the chunk's centre": _weigh_central,
        "far from the corpus' centre": lambda e, first, after: _weigh_distinct(e, first, after, corpus_mean),
    }
    ways: dict[str, Way] = {
        "first window": lambda e: e.questions @ e.windows[e.ranges[:, 0]].T,
        "truncated: what the encoder reads of the chunk at once": lambda e: e.questions @ e.heads.T,
        **{name: _pooled_way(weigh) for name, weigh in weighings.items()},
        "maximum by element": lambda e: e.questions @ _maximum(e).T,
        "window nearest to the chunk's centre": lambda e: e.questions @ _medoids(e).T,
        "mean of windows less the corpus' mean": _score_centred,
        **{f"{DEFAULT_WAY}, first {size} numbers": _cut_way(default, size) for size in DIMENSIONS},
    }
    return ways


def late_ways() -> dict[str, Way]:
    """Ways that look at every window, by name."""
    default = _pooled_way(weigh_by(POSITION_STRENGTH, DENSITY_STRENGTH))
    return {
        BEST_WINDOW: _score_best,
        "mean of the two best windows": lambda e: _reduce_windows(e, _mean_of_two),
        "soft maximum of windows": lambda e: _reduce_windows(e, _soft_maximum),
        "best window and pooled, half and half": lambda e: (_score_best(e) + default(e)) / 2,
        "better of two vectors, one for each half": _score_halves,
        **{f"best window, first {size} numbers": _cut_way(_score_best, size) for size in DIMENSIONS},
    }


def _pooled_way(weigh: Weigh) -> Way:
    return lambda encoded: encoded.questions @ pool_chunks(encoded, weigh).T


def _cut_way(way: Way, size: int) -> Way:
    """The way on the first numbers of each vector, scaled to unit length again: what is left of a model that was not
    trained for it (Kusupati et al. 2022, "Matryoshka representation learning", is how one is)."""

    def score(encoded: EncodedSet) -> Scores:
        cut = replace(
            encoded,
            windows=_unit(encoded.windows[:, :size]),
            questions=_unit(encoded.questions[:, :size]),
        )
        return way(cut)

    return score


def _unit(vectors: FloatMatrix) -> FloatMatrix:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def _maximum(encoded: EncodedSet) -> FloatMatrix:
    return _unit(np.stack([encoded.windows[a:b].max(axis=0) for a, b in encoded.ranges.tolist()]))


def _medoids(encoded: EncodedSet) -> FloatMatrix:
    found = []
    for first, after in encoded.ranges.tolist():
        windows = encoded.windows[first:after]
        found.append(windows[int((windows @ windows.sum(axis=0)).argmax())])
    return np.stack(found)


def _weigh_central(encoded: EncodedSet, first: int, after: int) -> Floats:
    """Weights by the cosine to the chunk's mean, squared: windows off the subject count less."""
    windows = encoded.windows[first:after].astype(np.float64)
    cosines = np.clip(windows @ windows.mean(axis=0), 1e-3, None)
    weights = np.asarray(encoded.window_tokens[first:after]) * cosines**2
    return np.asarray(weights / weights.sum())


def _weigh_distinct(encoded: EncodedSet, first: int, after: int, corpus_mean: FloatMatrix) -> Floats:
    """Weights by the distance from the corpus' mean: windows that say what every text says count less."""
    distances = np.clip(1 - encoded.windows[first:after].astype(np.float64) @ corpus_mean, 1e-3, None)
    weights = np.asarray(encoded.window_tokens[first:after]) * distances**2
    return np.asarray(weights / weights.sum())


def _score_centred(encoded: EncodedSet) -> FloatMatrix:
    """The corpus' mean is taken off windows and questions before pooling. Source: Mu and Viswanath 2018,
    "All-but-the-top", without its removal of principal components."""
    mean = encoded.windows.mean(axis=0)
    windows = _unit(encoded.windows - mean)
    pooled = np.stack([windows[first:after].mean(axis=0) for first, after in encoded.ranges.tolist()])
    return np.asarray(_unit(encoded.questions - mean) @ _unit(pooled).T)


def _score_best(encoded: EncodedSet) -> Scores:
    return _reduce_windows(encoded, lambda cosines: cosines.max(axis=-1))


def _score_halves(encoded: EncodedSet) -> FloatMatrix:
    """Two vectors a chunk: the means of the first half of its windows and of the rest, where there is a rest."""
    scores = (
        encoded.questions @ _unit(np.stack([_mean(encoded, a, _middle(a, b)) for a, b in encoded.ranges])).T
    )
    split = np.flatnonzero(encoded.ranges[:, 1] - encoded.ranges[:, 0] > 1)
    if not split.size:
        return scores
    rest = np.stack([_mean(encoded, _middle(a, b), b) for a, b in encoded.ranges[split]])
    scores[:, split] = np.maximum(scores[:, split], encoded.questions @ _unit(rest).T)
    return scores


def _middle(first: int, after: int) -> int:
    return first + (after - first + 1) // 2


def _mean(encoded: EncodedSet, first: int, after: int) -> FloatMatrix:
    return np.asarray(encoded.windows[first:after].mean(axis=0))


def _reduce_windows(encoded: EncodedSet, reduce: Callable[[FloatMatrix], FloatMatrix]) -> FloatMatrix:
    """The cosines of each chunk's windows, those it has not −inf, reduced along the last axis."""
    cosines = encoded.questions @ encoded.windows.T
    width = int((encoded.ranges[:, 1] - encoded.ranges[:, 0]).max())
    places = encoded.ranges[:, :1] + np.arange(width)
    absent = places >= encoded.ranges[:, 1:]
    places[absent] = 0
    rows = []
    for of_question in cosines:
        own = of_question[places]
        own[absent] = -np.inf
        rows.append(reduce(own))
    return np.stack(rows)


def _mean_of_two(cosines: FloatMatrix) -> FloatMatrix:
    best = -np.sort(-cosines, axis=-1)[..., :2]
    found = np.isfinite(best)
    return np.asarray(np.where(found, best, 0).sum(axis=-1) / found.sum(axis=-1), dtype=np.float32)


def _soft_maximum(cosines: FloatMatrix) -> FloatMatrix:
    """The mean of the windows' cosines, each weighted by exp(cosine / SOFTNESS)."""
    weights = np.exp((cosines - cosines.max(axis=-1, keepdims=True)) / SOFTNESS)
    finite = np.where(np.isfinite(cosines), cosines, 0)
    return np.asarray((weights * finite).sum(axis=-1) / weights.sum(axis=-1), dtype=np.float32)


def rank(scores: Scores, ties: Scores | None = None) -> Sequence[int]:
    """Indices by score, best first; equal ones by `ties`, then by their place."""
    order = np.arange(len(scores))
    keys = (order, -scores) if ties is None else (order, -ties, -scores)
    return [int(at) for at in np.lexsort(keys) if np.isfinite(scores[at])]
