"""A refusal that helps: the nearest passages, and why they do not suffice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain import AbstentionReason, NearMiss, ScoredChunk
from app.generation.candidates import Material
from app.generation.evidence import coverage
from app.generation.reply import Voice, Wording
from app.lexicon import token_terms, tokens
from app.question.content import content_terms
from app.question.standalone import Standalone

MOST_NEAREST: Final = 3
LEAST_COVERED: Final = 0.01  # of the question: a passage that holds none of it is not near

REASONS: Final[dict[AbstentionReason, Wording]] = {
    "no_document_matches_filter": (
        "No document matches the filter, so nothing was searched. Check its spelling: letters count.",
        "没有文档符合筛选条件，因此没有可检索的内容。请检查写法，大小写有区别。",
    ),
    "empty_collection": (
        "This collection holds no documents yet. `ingest` puts some in.",
        "这个集合里还没有文档。用 `ingest` 导入。",
    ),
}
_NAMED_NOWHERE: Final[Wording] = ("No document names {name}.", "没有文档提到 {name}。")
_NAMES_OTHERS: Final[Wording] = ("It does not name {name}.", "其中没有提到 {name}。")
_NO_REASON: Final[Wording] = ("It gives no reason for that.", "其中没有说明原因。")
_TOO_LITTLE: Final[Wording] = ("It holds only a part of what you ask.", "其中只有问题的一部分内容。")


def near_misses(
    hits: Sequence[ScoredChunk], material: Material, standalone: Standalone, voice: Voice
) -> tuple[NearMiss, ...]:
    """Up to three hits that hold something of the question, best first, each with the reason why it is no answer: a
    name that no hit has, or not this one, the reason that a follow-up asks for, or too little of the question."""
    held: dict[str, frozenset[str]] = {}
    for unit in material.units:
        held[unit.chunk.chunk_id] = held.get(unit.chunk.chunk_id, frozenset()) | unit.own | unit.around
    names = [*material.asked.codes]
    if standalone.is_name and not names:
        names += sorted(content_terms(standalone.about))
    missing = [name for name in names if not any(name in terms for terms in held.values())]
    near: list[NearMiss] = []
    for hit in hits:
        found = held.get(hit.chunk_id, frozenset())
        if len(near) == MOST_NEAREST or coverage(found, material.weights, material.total) < LEAST_COVERED:
            continue
        lacking = [name for name in names if name not in found]
        if missing:
            code, why = "name_not_found", voice.word(_NAMED_NOWHERE, name=_as_asked(missing[0], standalone))
        elif lacking:
            code, why = "other_subject", voice.word(_NAMES_OTHERS, name=_as_asked(lacking[0], standalone))
        elif standalone.wants_reason:
            code, why = "no_reason", voice.word(_NO_REASON)
        else:
            code, why = "too_little", voice.word(_TOO_LITTLE)
        near.append(NearMiss(hit, code, why))
    return tuple(near)


def _as_asked(term: str, standalone: Standalone) -> str:
    """A term as the question writes it: stems are no words."""
    for word in tokens(standalone.text):
        if term in token_terms(word):
            return word.strip("?？!！.。,，")
    return term
