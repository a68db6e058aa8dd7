"""Replies to questions: what /ask sends, and /v1 within its own form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import TypeAdapter, WrapSerializer

from app.api.found import Explained, RerankFailure, fields_of
from app.api.schemas import Reply
from app.domain import (
    AbstentionReason,
    Answer,
    AnswerKind,
    Citation,
    Claim,
    Hit,
    Usage,
)

# `spans` is there where it has more than one, `ocr_confidence` where OCR read the page. A lambda, for what a function
# says it returns would be the schema.
WireCitation = Annotated[
    Citation,
    WrapSerializer(
        lambda citation, write: {
            k: v for k, v in write(citation).items() if v or k not in {"spans", "ocr_confidence"}
        }
    ),
]

CITATIONS: Final = TypeAdapter(tuple[WireCitation, ...])


class AskTimings(Reply):
    """Milliseconds by stage."""

    embed: float = 0.0
    retrieve: float = 0.0
    rerank: float = 0.0
    generate: float = 0.0
    total: float = 0.0


class Why(Reply):
    """Why a hit does not answer: a code, and a sentence in the question's language."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class NearestHit(Hit):
    """A hit that does not answer, and why not."""

    why: Why


class AskReply(Reply):
    """An answer and its evidence."""

    answer: str
    abstained: bool
    generator: str
    degraded: bool
    degraded_reason: str | None
    standalone_question: str
    citations: tuple[WireCitation, ...]
    claims: tuple[Claim, ...]
    kind: AnswerKind
    searched_for: str | None
    reason: AbstentionReason | None
    nearest: list[NearestHit]
    usage: Usage
    rerank_failure: RerankFailure = None
    explain: Explained = None
    timings_ms: AskTimings
    request_id: str


def ask_reply(answer: Answer, request_id: str) -> AskReply:
    """An answer as it goes over the wire."""
    return AskReply(
        answer=answer.text,
        abstained=answer.abstained,
        generator=answer.generator,
        degraded=answer.degraded,
        degraded_reason=answer.degraded_reason,
        standalone_question=answer.standalone_question,
        citations=answer.citations,
        claims=answer.claims,
        kind=answer.kind,
        searched_for=answer.searched_for,
        reason=answer.reason,
        nearest=nearest_hits(answer),
        usage=answer.usage,
        rerank_failure=answer.rerank_failure,
        explain=answer.explanation,
        timings_ms=AskTimings.model_validate(dict(answer.timings_ms)),
        request_id=request_id,
    )


def nearest_hits(answer: Answer) -> list[NearestHit]:
    """What came nearest to a question that was not answered."""
    return [
        NearestHit(**fields_of(miss.hit), why=Why(code=miss.code, sentence=miss.why))
        for miss in answer.nearest
    ]
