"""What the routes call: built once by app/main.py and kept in the app's state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import structlog
from fastapi import Depends, Request

from app.answering import Answerer
from app.api.auditing import Record
from app.api.metrics import Metrics
from app.api.rateable import Replies
from app.api.requests import Asked
from app.config import Settings
from app.embedding import Embedder, EmbeddingSpace
from app.exchange import AskRequest
from app.generation.concurrency import ConcurrencyLimiter
from app.generation.servers import LlmServers
from app.retrieval.rerank import Reranker
from app.retrieval.retriever import Retriever
from app.store import tenancy
from app.store.completions import Completions
from app.store.connection import AsyncPool
from app.store.document_counts import DocumentCounts
from app.store.replicas import Reads

if TYPE_CHECKING:
    from app.api.authentication import Caller
    from app.domain import Answer


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of a running service."""

    settings: Settings
    pool: AsyncPool
    embedder: Embedder
    retriever: Retriever
    answerer: Answerer
    llm: LlmServers | None = None
    reranker: Reranker | None = None
    turns: ConcurrencyLimiter | None = None  # at the processors
    replies: Replies | None = None  # that may be rated; None: no feedback is kept
    record: Record | None = None  # of who did what; None: nobody is told apart
    scope: tenancy.Scope = tenancy.DEFAULT  # PGASK_TENANT's
    reads: Reads = field(default_factory=Reads)  # which server a question is read from
    completions: Completions | None = None  # what the model said before
    document_counts: DocumentCounts = field(default_factory=DocumentCounts)

    @property
    def space(self) -> EmbeddingSpace:
        """That of the model in use."""
        return self.embedder.space


# async, for FastAPI calls what is not in another thread: three changes of thread a request
async def _components(request: Request) -> Components:
    components: Components = request.app.state.components
    return components


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


async def _request_id(request: Request) -> str:
    return str(request.state.request_id)


def note_question(parts: Components, body: Asked | AskRequest) -> None:
    """Write a question to the log, where PGASK_LOG_QUESTIONS asks for it."""
    if parts.settings.log_questions:
        asked = body.asked() if isinstance(body, Asked) else body.collection
        structlog.get_logger("app.api").info("question", text=body.question, collection=asked)


def keep_reply(
    parts: Components, caller: Caller, request_id: str, question: AskRequest, answer: Answer
) -> None:
    """Keep a reply for its reader's rating, where feedback is kept."""
    if parts.replies is not None:
        parts.replies.add(caller, request_id, question, answer)


Parts = Annotated[Components, Depends(_components)]
Counts = Annotated[Metrics, Depends(_metrics)]
RequestId = Annotated[str, Depends(_request_id)]
