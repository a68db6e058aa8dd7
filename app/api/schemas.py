"""What goes over the wire: requests with their limits, replies, and how the domain's values become replies.

Limits are counted in code points. A request with an unknown field is refused: a misspelt limit must not pass silently.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.answering import AskRequest
from app.api.bodies import NUMBER, WHOLE, Flag, NullIsDefault, Request, Text, refusal
from app.api.explain import ExplainReply, explain_reply
from app.api.filters import AnyFilter
from app.domain import (
    AbstentionReason,
    Answer,
    AnswerKind,
    ChatTurn,
    Citation,
    GenerationParams,
    NearMiss,
    ScoredChunk,
    SearchFilter,
)
from app.retrieval.retriever import Retrieved
from app.store.catalog import CollectionSummary, DocumentDetail, DocumentSummary

MAX_QUESTION_CHARS: Final = 8_000
MAX_TURNS: Final = 50
MAX_TOP_K: Final = 50


def not_blank(text: str) -> str:
    """Refuse text of nothing but white space and invisible characters."""
    if all(character.isspace() or unicodedata.category(character) in ("Cc", "Cf") for character in text):
        raise refusal("empty_question", "The question is empty.", "问题是空的。")
    return text


# COLLECTION_NAME of app/store/spaces.py in the words of JSON Schema, whose \w is ASCII: some of what is allowed
_NAME_PATTERN: Final = r"^[A-Za-z0-9](?:[\w .\-]{0,62}[A-Za-z0-9])?$"
CollectionName = Annotated[Text, Field(min_length=1, max_length=64, examples=["default"])]
Question = Annotated[
    Text,
    Field(
        max_length=MAX_QUESTION_CHARS,
        examples=["How do I choose the number of lists?"],
        # not checked so, that it is told in the words of not_blank; \S is all that a pattern can say of it
        json_schema_extra={"minLength": 1, "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"},
    ),
    AfterValidator(not_blank),
]


class Turn(Request):
    """An earlier turn of the conversation."""

    role: Literal["user", "assistant"]
    content: Annotated[Text, Field(max_length=MAX_QUESTION_CHARS)]


class Generation(NullIsDefault, Request):
    """Sampling settings for the language model; without one they have no effect. null stands for a default."""

    temperature: Annotated[float, Field(ge=0, le=2), NUMBER] = 0.2
    top_p: Annotated[float, Field(gt=0, le=1), NUMBER] = 0.9
    top_k: Annotated[int, Field(ge=1, le=1_000), WHOLE] = 40
    max_tokens: Annotated[int, Field(ge=1, le=4_096), WHOLE] = 512
    stop: list[Annotated[Text, Field(min_length=1, max_length=64)]] = Field(
        default_factory=list, max_length=8
    )


class Asked(NullIsDefault, Request):
    """What a search and a question to be answered have in common. null stands for a field's default."""

    question: Question
    collection: CollectionName = "default"
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K), WHOLE] = 6
    filter: AnyFilter | None = None
    explain: Annotated[
        Flag, Field(description="Show what each stage of the search thought of each candidate")
    ] = False

    def search_filter(self) -> SearchFilter | None:
        """The filter, None where there is none or it keeps everything."""
        return self.filter.to_domain() if self.filter else None


class Search(Asked):
    """A question to the retriever; null stands for a field's default."""

    neighbors: Annotated[
        int, Field(ge=0, le=2, description="Chunks before and after each hit that are added to it"), WHOLE
    ] = 0


class Ask(Asked):
    """A question to be answered; null stands for a field's default."""

    history: list[Turn] = Field(default_factory=list, max_length=MAX_TURNS)
    stream: Flag = False
    generation: Generation = Generation()

    def to_domain(self) -> AskRequest:
        sampling = self.generation.model_dump() | {"stop": tuple(self.generation.stop)}
        return AskRequest(
            question=self.question,
            collection=self.collection,
            top_k=self.top_k,
            filter=self.search_filter(),
            history=tuple(ChatTurn(turn.role, turn.content) for turn in self.history),
            generation=GenerationParams(**sampling),
            explain=self.explain,
        )


class NewCollection(Request):
    """A collection to be made."""

    name: Annotated[CollectionName, Field(json_schema_extra={"pattern": _NAME_PATTERN})]


class Reply(BaseModel):
    """Base of all replies; they are made from the domain's values by name."""

    model_config = ConfigDict(from_attributes=True)


def _is_none(value: object) -> bool:
    return value is None


# There if there is anything to say.
RerankFailure = Annotated[
    str | None, Field(exclude_if=_is_none, description="Why the configured reranking model had no say")
]
Explained = Annotated[
    ExplainReply | None, Field(exclude_if=_is_none, description="How the search went; there if asked for")
]


class SpanReply(Reply):
    """`quote` equals the document's text[char_start:char_end] exactly (code points, half-open)."""

    char_start: int
    char_end: int
    quote: str


def _is_empty(value: object) -> bool:
    return not value


class CitationReply(Reply):
    """Evidence. `quote` equals the document's text[char_start:char_end] exactly (code points, half-open)."""

    marker: int
    document_id: str
    chunk_id: str
    source: str
    title: str
    page: int | None
    heading: str | None
    char_start: int
    char_end: int
    quote: str
    score: float
    supported: bool
    spans: Annotated[
        list[SpanReply],
        Field(
            exclude_if=_is_empty, description="All its stretches where it has more than one, the first first"
        ),
    ] = []


class ClaimReply(Reply):
    """A statement of the answer: half-open code points in `answer`, of its mark too (null where it has none).
    `citations` are indexes into the reply's; `supported` is null where nothing was cited."""

    start: int
    end: int
    mark_start: int | None
    mark_end: int | None
    citations: list[int]
    supported: bool | None


class UsageReply(Reply):
    """Tokens that the language model counted."""

    prompt_tokens: int
    completion_tokens: int


class AskTimings(Reply):
    """Milliseconds by stage."""

    embed: float = 0.0
    retrieve: float = 0.0
    rerank: float = 0.0
    generate: float = 0.0
    total: float = 0.0


class SearchTimings(Reply):
    """Milliseconds by stage."""

    embed: float = 0.0
    retrieve: float = 0.0
    rerank: float = 0.0
    total: float = 0.0


class LegScores(Reply):
    """What each retriever thought; higher is better, null: it did not score this chunk."""

    dense: float | None
    lexical: float | None
    rerank: float | None


class Neighbor(Reply):
    """What stands `steps` chunks after a hit (before it: negative), cut where it meets the chunk next to it."""

    steps: int
    chunk_id: str
    page: int | None
    heading: str | None
    char_start: int
    char_end: int
    text: str


class Hit(Reply):
    """A retrieved chunk; `text` equals the document's text[char_start:char_end]."""

    chunk_id: str
    document_id: str
    source: str
    title: str
    page: int | None
    heading: str | None
    char_start: int
    char_end: int
    text: str
    score: float
    scores: LegScores
    rank: int
    neighbors: Annotated[
        list[Neighbor] | None,
        Field(exclude_if=_is_none, description="In the document's order; there if asked for"),
    ] = None


class WhyReply(Reply):
    """Why a hit does not answer: a code, and a sentence in the question's language."""

    code: str
    sentence: str


class NearMissReply(Hit):
    """A hit that does not answer, and why not."""

    why: WhyReply


class AskReply(Reply):
    """An answer and its evidence."""

    answer: str
    abstained: bool
    generator: str
    degraded: bool
    degraded_reason: str | None
    standalone_question: str
    citations: list[CitationReply]
    claims: list[ClaimReply]
    kind: AnswerKind
    searched_for: str | None
    reason: AbstentionReason | None
    nearest: list[NearMissReply]
    usage: UsageReply
    rerank_failure: RerankFailure = None
    explain: Explained = None
    timings_ms: AskTimings
    request_id: str


class SearchReply(Reply):
    """Retrieved chunks, best first."""

    hits: list[Hit]
    rerank_failure: RerankFailure = None
    explain: Explained = None
    timings_ms: SearchTimings
    request_id: str


class DocumentItem(Reply):
    """A document in a list. `status`: ready, failed (nothing stored), stale (an older version answers) or duplicate
    (left out, since another document holds the same text)."""

    id: str
    source: str
    title: str
    media_type: str
    language: str
    status: str
    reason: str | None
    pages: int | None
    chars: int
    chunks: int
    tokens: int
    updated_at: datetime


class DocumentList(Reply):
    """A page of documents by source; `next_cursor` is null on the last one."""

    documents: list[DocumentItem]
    next_cursor: str | None


class PageSpan(Reply):
    """Where a page stands in the text."""

    number: int
    char_start: int
    char_end: int


class SectionSpan(Reply):
    """Where a section stands in the text; headings from the outermost to the innermost."""

    char_start: int
    char_end: int
    heading_path: list[str]


class DocumentReply(DocumentItem):
    """Everything about a document but its text."""

    collection: str
    reason_detail: str | None
    duplicate_of: str | None = Field(description="Source of the document that holds the same text")
    size_bytes: int
    unknown_tokens: int
    unknown_share: float | None = Field(
        description="Share of its tokens that the embedding model can't read, 0 to 1; null without tokens"
    )
    is_unreadable: bool = Field(
        description="The model can't read more than a tenth: words find it, meaning does not"
    )
    page_spans: list[PageSpan]
    sections: list[SectionSpan]
    metadata: dict[str, Any]
    dropped: dict[str, int] = Field(description="What was left out when it was read: kind to characters")
    lost_share: float = Field(description="Share of its visible text that was left out, 0 to 1")
    is_lossy: bool = Field(description="More than a tenth of its visible text was left out")
    created_at: datetime


class TextReply(Reply):
    """text[start:end] of a document, at most 100,000 characters; `end` says how far it goes."""

    text: str
    start: int
    end: int
    total_chars: int


class CollectionItem(Reply):
    """A collection and what is in it."""

    name: str
    documents: int
    chunks: int
    model: str
    created_at: datetime


class CollectionList(Reply):
    """All collections by name."""

    collections: list[CollectionItem]


class Health(Reply):
    """The process lives."""

    status: Literal["ok"] = "ok"
    version: str


class Check(Reply):
    """One thing that must hold before questions can be answered."""

    ok: bool
    detail: str


class Readiness(Reply):
    """All checks hold."""

    status: Literal["ready"] = "ready"
    checks: dict[str, Check]


def citations_reply(citations: tuple[Citation, ...]) -> list[CitationReply]:
    """Citations as they go over the wire."""
    return [CitationReply.model_validate(citation) for citation in citations]


def ask_reply(answer: Answer, request_id: str) -> AskReply:
    """An answer as it goes over the wire."""
    return AskReply(
        answer=answer.text,
        abstained=answer.abstained,
        generator=answer.generator,
        degraded=answer.degraded,
        degraded_reason=answer.degraded_reason,
        standalone_question=answer.standalone_question,
        citations=citations_reply(answer.citations),
        claims=[ClaimReply.model_validate(claim) for claim in answer.claims],
        kind=answer.kind,
        searched_for=answer.searched_for,
        reason=answer.reason,
        nearest=[near_miss_reply(miss) for miss in answer.nearest],
        usage=UsageReply.model_validate(answer.usage),
        rerank_failure=answer.rerank_failure,
        explain=explain_reply(answer.explanation, answer.answerability),
        timings_ms=AskTimings.model_validate(dict(answer.timings_ms)),
        request_id=request_id,
    )


def near_miss_reply(miss: NearMiss) -> NearMissReply:
    """A near miss as it goes over the wire."""
    return NearMissReply(
        **Hit.model_validate(miss.hit).model_dump(), why=WhyReply(code=miss.code, sentence=miss.why)
    )


def search_reply(
    found: Retrieved,
    surroundings: Mapping[str, Sequence[tuple[int, ScoredChunk]]] | None,
    timings_ms: Mapping[str, float],
    request_id: str,
) -> SearchReply:
    """What a search found as it goes over the wire. `surroundings` has the neighbours of hits by the hit's id, None
    where they were not asked for."""
    return SearchReply(
        hits=[
            Hit.model_validate(hit)
            if surroundings is None
            else _with_neighbors(hit, surroundings[hit.chunk_id])
            for hit in found.hits
        ],
        rerank_failure=found.rerank_failure,
        explain=explain_reply(found.explanation),
        timings_ms=SearchTimings.model_validate({stage: round(ms, 2) for stage, ms in timings_ms.items()}),
        request_id=request_id,
    )


def _with_neighbors(hit: ScoredChunk, surroundings: Sequence[tuple[int, ScoredChunk]]) -> Hit:
    neighbors = [
        Neighbor(
            steps=steps,
            chunk_id=chunk.chunk_id,
            page=chunk.page,
            heading=chunk.heading,
            char_start=chunk.char_start,
            char_end=chunk.char_end,
            text=chunk.text,
        )
        for steps, chunk in surroundings
    ]
    return Hit.model_validate(hit).model_copy(update={"neighbors": neighbors})


def document_item(summary: DocumentSummary) -> DocumentItem:
    """A document in a list as it goes over the wire."""
    return DocumentItem.model_validate(summary)


def document_reply(detail: DocumentDetail) -> DocumentReply:
    """A document as it goes over the wire."""
    return DocumentReply(
        **document_item(detail.summary).model_dump(),
        collection=detail.collection,
        reason_detail=detail.reason_detail,
        size_bytes=detail.size_bytes,
        duplicate_of=detail.duplicate_of,
        unknown_tokens=detail.unknown_tokens,
        unknown_share=detail.unknown_share,
        is_unreadable=detail.is_unreadable,
        page_spans=[
            PageSpan(number=number, char_start=start, char_end=end)
            for number, start, end in detail.page_spans
        ],
        sections=[
            SectionSpan(char_start=start, char_end=end, heading_path=list(path))
            for start, end, path in detail.sections
        ],
        metadata=dict(detail.metadata),
        dropped=dict(detail.dropped),
        lost_share=detail.lost_share,
        is_lossy=detail.is_lossy,
        created_at=detail.created_at,
    )


def collection_item(summary: CollectionSummary) -> CollectionItem:
    """A collection as it goes over the wire."""
    return CollectionItem.model_validate(summary)
