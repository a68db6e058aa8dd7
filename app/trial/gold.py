"""What counts as found: the gold passage of a question, where it stands in the stored text, and how good a ranking is.

Pure: knows nothing of how questions are asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain import ScoredChunk
from app.trial.question_file import Question, locate_context

DEPTH: Final = 10  # chunks of a ranking that are looked at


@dataclass(frozen=True, slots=True)
class Gold:
    """What counts as a hit. `span` None: any chunk of one of `sources` does."""

    sources: tuple[str, ...]
    span: tuple[int, int] | None  # of the gold passage in the stored text
    missing: bool = False  # the passage or its document is not in the collection: nothing can hit


@dataclass(frozen=True, slots=True)
class Case:
    """A question whose answer's place is known; `group` says where it comes from."""

    group: str
    question: str
    gold: Gold


def place_gold(question: Question, source: str, text: str | None) -> Gold:
    """Find the gold passage in the stored text of its document (None: the document is not stored)."""
    if text is None:
        return Gold((source,), None, missing=True)
    if question.context is not None:
        span = locate_context(text, question.context, near=question.context_start or 0)
    elif question.context_start is None or (question.context_end or 0) > len(text):
        span = None
    else:
        span = (question.context_start, question.context_end or 0)
    return Gold((source,), span, missing=span is None)


def hits(chunk: ScoredChunk, gold: Gold) -> bool:
    """Whether a retrieved chunk hits: it comes from a gold document and covers the gold passage, if any."""
    if gold.missing or chunk.source not in gold.sources:
        return False
    return gold.span is None or is_hit((chunk.char_start, chunk.char_end), gold.span)


def is_hit(chunk: tuple[int, int], gold: tuple[int, int]) -> bool:
    """Whether a chunk of the gold document covers the gold passage: their overlap is at least half of the
    shorter of the two. Source: the project's contract, "Evaluation".

    >>> is_hit((0, 100), (50, 150)), is_hit((0, 100), (51, 151)), is_hit((0, 1000), (900, 1100))
    (True, False, True)
    """
    overlap = min(chunk[1], gold[1]) - max(chunk[0], gold[0])
    shorter = min(chunk[1] - chunk[0], gold[1] - gold[0])
    return overlap > 0 and 2 * overlap >= shorter


def first_hit_rank(hits: Sequence[bool]) -> int | None:
    """Rank of the first hit, from 1; None without one.

    >>> first_hit_rank([False, True, True]), first_hit_rank([False])
    (2, None)
    """
    return next((rank for rank, hit in enumerate(hits, start=1) if hit), None)


def rank_values(hits: Sequence[bool]) -> tuple[float, float]:
    """nDCG@10 and recall@10 of a ranking with one relevant item, found at the rank of the first hit: 1/log2(1+rank) and
    1, or 0. Source: Järvelin and Kekäläinen 2002; the ideal DCG is 1. `rag-eval` gets the same by ir-measures.

    >>> rank_values([False, True, True]), rank_values([])
    ((0.6309297535714575, 1.0), (0.0, 0.0))
    """
    rank = first_hit_rank(hits[:DEPTH])
    return (0.0, 0.0) if rank is None else (1 / math.log2(1 + rank), 1.0)
