"""One sender's uploads leave places to others; pure. Why so, and what it was measured by: ADR 0048."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from app.search.ranking import RankedChunk

OTHERS_SHARE: Final = 3  # one place in so many, rounded down, at least one where there are two
# What another sender's chunk must have for a place: so many standard deviations of the cosine above texts that don't
# answer, or such a share of the highest BM25. Answers have one or the other, what has nothing to do with a question
# has neither in nine cases of ten (eval/LOG.md).
LEAST_STANDARD: Final = 4.0
LEAST_BM25: Final = 0.15


def exchanged(
    chosen: Sequence[RankedChunk], beyond: Sequence[RankedChunk], max_per_document: int, highest_bm25: float
) -> list[tuple[RankedChunk, RankedChunk]]:
    """Which of the chosen, that are as many as there are places, give theirs to which of those beyond, best first:
    where others have less than their share beside one sender's uploads, its last ones to the best of the others."""
    if len(chosen) < 2:
        return []
    places = max(1, len(chosen) // OTHERS_SHARE)
    sender, count = Counter(one.sender for one in chosen).most_common(1)[0]
    excess = 0 if sender is None else max(0, count - (len(chosen) - places))
    last = [one for one in reversed(chosen) if one.sender == sender][:excess]
    given = Counter(one.document_id for one in chosen)
    best = []
    for one in _by_score_and_words([one for one in beyond if one.sender != sender]):
        is_full = bool(max_per_document) and given[one.document_id] >= max_per_document
        if not is_full and _bears_on_it(one, highest_bm25):
            best.append(one)
            given[one.document_id] += 1
    return list(zip(last, best, strict=False))


def _bears_on_it(one: RankedChunk, highest_bm25: float) -> bool:
    """Whether a chunk has to do with the question, judged by itself: a score beside others' would be the lower the more
    the others were written for the question."""
    lexical = one.scores.lexical or 0.0
    return one.standard >= LEAST_STANDARD or lexical >= LEAST_BM25 * highest_bm25 > 0


def _by_score_and_words(others: Sequence[RankedChunk]) -> list[RankedChunk]:
    """The best by score, then the one with most of the question's words, and so on: texts that were written for a
    question raise the highest BM25, and what words count in all other scores is less by that."""
    by_words = sorted(others, key=lambda one: -(one.scores.lexical or 0.0))
    by_turns = [one for pair in zip(others, by_words, strict=True) for one in pair]
    return list({one.chunk_id: one for one in by_turns}.values())
