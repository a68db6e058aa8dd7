"""How far the retrieved chunks reach towards an answer: one calibrated score; pure.

    answerability = 1 / (1 + exp(−(intercept + a · coverage + b · cosine + c · bm25)))

coverage: the largest share of the question's idf mass that one sentence holds; cosine: of the question and the best
hit's best window; bm25: the highest BM25 as a share of what a chunk full of every term would get. Where the model can't
read the question the cosine says nothing, so a second set of coefficients goes without it. Both were fitted by logistic
regression on half of squad_dev, and of cmrc_dev and xquad_zh_dev, each question with its document and with it withheld,
and moved so that 0.5 refuses few answerable questions; the figures on the other half are in eval/LOG.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from app.domain import ScoredChunk
from app.embedding import Embedder
from app.lexicon import terms

MAX_UNKNOWN_SHARE: Final = 0.1  # of a question's tokens: from here on the model can't read it
_K1: Final = 1.2  # a term's BM25 is at most idf · (k1 + 1)
_READABLE: Final = (-5.76, 4.10, 7.40, 3.48)  # intercept, coverage, cosine, bm25
_UNREADABLE: Final = (-3.12, 4.78, 0.0, 8.02)


def can_read(embedder: Embedder, question: str) -> bool:
    """Whether the embedding model has tokens for the question: an English model turns most of Chinese into unknowns."""
    tokens = embedder.tokenize(question)
    return len(tokens) > 0 and tokens.unknown <= MAX_UNKNOWN_SHARE * len(tokens)


def answerability(hits: Sequence[ScoredChunk], term_weights: Mapping[str, float], *, readable: bool) -> float:
    """A score in [0, 1]; higher means that the hits hold more of an answer. 0 without hits."""
    if not hits:
        return 0.0
    total = sum(term_weights.values())
    covered = max(
        (
            coverage(
                frozenset(terms(hit.text[start - hit.char_start : end - hit.char_start])), term_weights, total
            )
            for hit in hits
            for start, end in hit.sentences
        ),
        default=0.0,
    )
    cosine = hits[0].scores.dense or 0.0
    highest = max(hit.scores.lexical or 0.0 for hit in hits)
    bm25 = highest / ((_K1 + 1) * total) if total > 0 else 0.0
    intercept, a, b, c = _READABLE if readable else _UNREADABLE
    return 1 / (1 + math.exp(-(intercept + a * covered + b * cosine + c * bm25)))


def coverage(found: frozenset[str], term_weights: Mapping[str, float], total: float) -> float:
    """Share in [0, 1] of the question's idf mass `total` whose terms are in `found`."""
    return sum(weight for term, weight in term_weights.items() if term in found) / total if total > 0 else 0.0
