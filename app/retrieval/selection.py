"""Which of the ranked candidates become hits; pure.

From the best on: a chunk whose text is nearly that of a better one in another document is left out, and so is one whose
document has given as many as it may. One sender's uploads leave a third of the places to others whose chunks bear on
the question (ADR 0048). Each that is left out says why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final

from app.domain import DropReason
from app.retrieval.senders import exchanged
from app.search.ranking import RankedChunk

SHINGLE_WORDS: Final = 4
NEAR_IDENTICAL: Final = 0.8  # least Jaccard similarity of two texts' shingles (Broder 1997)
SCORES_ALIKE: Final = (
    0.1  # texts that are nearly identical have fused scores no further apart: others aren't compared
)
_PROBES, _PROBE_CHARS = 12, 16  # stretches of one text looked for in the other before shingles are made

_WORD: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|[^\W\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why a candidate is no hit: beyond `top_k`, nearly the text of the better chunk `of`, beyond what its document may
    give, or deleted while the search went on."""

    reason: DropReason
    of: int | None = None


def select(
    ranked: Sequence[RankedChunk],
    top_k: int,
    max_per_document: int,
    left_out: Mapping[int, Dropped],
    *,
    highest_bm25: float = 0.0,
) -> tuple[list[int], dict[int, Dropped]]:
    """The chunks that become hits, best first, and why each other one does not.

    `left_out` are those that can't be hits. `max_per_document` 0: no limit. `highest_bm25` is what a chunk full of
    every term of the question would get, 0 where it has none.
    """
    chosen: list[RankedChunk] = []
    dropped: dict[int, Dropped] = {}
    given: Counter[str] = Counter()
    for candidate in ranked:
        if candidate.chunk_id in left_out:
            dropped[candidate.chunk_id] = left_out[candidate.chunk_id]
        elif len(chosen) == top_k:
            dropped[candidate.chunk_id] = Dropped("top_k")
        elif max_per_document and given[candidate.document_id] >= max_per_document:
            dropped[candidate.chunk_id] = Dropped("document_cap")
        else:
            chosen.append(candidate)
            given[candidate.document_id] += 1
    hits = {one.chunk_id for one in chosen}
    if len(chosen) == top_k and any(one.sender for one in chosen):
        beyond = [one for one in ranked if dropped.get(one.chunk_id) == Dropped("top_k")]
        for one, other in exchanged(chosen, beyond, max_per_document, highest_bm25):
            hits.symmetric_difference_update((one.chunk_id, other.chunk_id))
            dropped[one.chunk_id] = Dropped("sender_cap")
            del dropped[other.chunk_id]
    return [one.chunk_id for one in ranked if one.chunk_id in hits], dropped


def find_near_identical(
    texts: Iterable[tuple[RankedChunk, str]],
) -> dict[int, Dropped]:
    """Those of `texts`, best first, that nearly repeat a better one of another document. Beside one sender's upload
    another's text is left out only where it is the same to the letter: what differs may be the very number."""
    found: dict[int, Dropped] = {}
    for (better, text), (worse, other) in combinations([(one, _Text(text)) for one, text in texts], 2):
        if better.chunk_id in found or worse.chunk_id in found or better.document_id == worse.document_id:
            continue
        if abs(better.score - worse.score) > SCORES_ALIKE:
            continue
        is_trusted = better.sender in (None, worse.sender)
        if text.is_nearly(other) if is_trusted else text.is_same(other):
            found[worse.chunk_id] = Dropped("near_identical", of=better.chunk_id)
    return found


class _Text:
    """A text that is compared with several others: its shingles are made once."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _shingles(self) -> frozenset[tuple[str, ...]]:
        return _shingles(self._text)

    def is_same(self, other: _Text) -> bool:
        return self._text == other._text

    def is_nearly(self, other: _Text) -> bool:
        shorter, longer = self._text, other._text
        if len(shorter) > len(longer):
            shorter, longer = longer, shorter
        if len(shorter) < NEAR_IDENTICAL * len(longer):
            return False
        if shorter == longer:
            return True
        if not _shares_stretches(shorter, longer):
            return False
        shared = len(self._shingles & other._shingles)
        return shared >= NEAR_IDENTICAL * (len(self._shingles) + len(other._shingles) - shared)


def _shares_stretches(shorter: str, longer: str) -> bool:
    """Whether some of evenly spread stretches of one text stand in the other: cheap, and true of all that is nearly
    identical, since changes to a fifth of the shingles leave most stretches whole."""
    step = len(shorter) // _PROBES
    if step < _PROBE_CHARS:  # shingles of so short a text cost no more
        return True
    probes = [shorter[at : at + _PROBE_CHARS] for at in range(0, len(shorter), step)]
    return sum(probe in longer for probe in probes) * 4 >= len(probes)


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    if len(words) <= SHINGLE_WORDS:
        return frozenset({tuple(words)})
    return frozenset(zip(*(words[at:] for at in range(SHINGLE_WORDS)), strict=False))
