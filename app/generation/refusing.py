"""A refusal that helps: the nearest passages, and why they do not suffice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain import AbstentionReason, NearMiss, ScoredChunk
from app.generation.evidence import coverage
from app.generation.extractive import Material

MOST_NEAREST: Final = 3
LEAST_COVERED: Final = 0.01  # of the question: a passage that holds none of it is not near

# In English and in Chinese.
REASONS: Final[dict[AbstentionReason, tuple[str, str]]] = {
    "no_document_matches_filter": (
        "No document matches the filter, so nothing was searched. Check its spelling: letters count.",
        "没有文档符合筛选条件，因此没有可检索的内容。请检查写法，大小写有区别。",
    ),
    "empty_collection": (
        "This collection holds no documents yet. `ingest` puts some in.",
        "这个集合里还没有文档。用 `ingest` 导入。",
    ),
}


def near_misses(hits: Sequence[ScoredChunk], material: Material, *, chinese: bool) -> tuple[NearMiss, ...]:
    """Up to three hits that hold something of the question, best first, each with the reason why it is no answer."""
    held: dict[str, frozenset[str]] = {}
    for unit in material.units:
        held[unit.chunk.chunk_id] = held.get(unit.chunk.chunk_id, frozenset()) | unit.own | unit.around
    missing = [code for code in material.asked.codes if not any(code in terms for terms in held.values())]
    near: list[NearMiss] = []
    for hit in hits:
        found = held.get(hit.chunk_id, frozenset())
        if len(near) == MOST_NEAREST or coverage(found, material.weights, material.total) < LEAST_COVERED:
            continue
        lacking = [code for code in material.asked.codes if code not in found]
        if missing:
            code, english, han = (
                "name_not_found",
                f"No document names {missing[0]}.",
                f"没有文档提到 {missing[0]}。",
            )
        elif lacking:
            code, english, han = (
                "other_subject",
                f"It does not name {lacking[0]}.",
                f"其中没有提到 {lacking[0]}。",
            )
        else:
            code, english, han = (
                "too_little",
                "It holds only a part of what you ask.",
                "其中只有问题的一部分内容。",
            )
        near.append(NearMiss(hit, code, han if chinese else english))
    return tuple(near)
