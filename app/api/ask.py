"""POST /ask: a question answered with evidence, as JSON or as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Request, Response
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.types import Receive

from app.answering import Answerer
from app.api.answers import AskReply, WireCitation, ask_reply
from app.api.components import Components, Counts, Parts, RequestId, keep_reply, note_question
from app.api.documentation import EXAMPLES, problems
from app.api.metrics import Metrics
from app.api.problems import fault_of, prefers_chinese, problem_body
from app.api.requests import Ask
from app.api.stream import EventStream, or_disconnect
from app.domain import Answer
from app.exchange import AskRequest, DoneEvent, SourcesEvent, StageEvent, TokenEvent

router = APIRouter(tags=["questions"])


class _Sources(BaseModel):
    citations: tuple[WireCitation, ...]


class _Stage(BaseModel):
    stage: Literal["reasoning", "answer"]


class _Token(BaseModel):
    text: str


@router.post(
    "/ask",
    response_model=AskReply,
    summary="Answer a question from the documents",
    responses={
        200: {
            "content": {
                "application/json": {"example": EXAMPLES["ask reply"]},
                "text/event-stream": {"example": EXAMPLES["ask stream"]},
            }
        },
        **problems(404, 409, 415, 422, 429),
    },
)
async def ask(
    body: Annotated[Ask, Body(openapi_examples=EXAMPLES["ask requests"])],
    request: Request,
    parts: Parts,
    metrics: Counts,
    request_id: RequestId,
) -> Any:
    """With `"stream": true` the reply is a stream of the events `sources`, `token`, and last `done` or `error`. A
    model that reasons sends `stage` too: "reasoning", then "answer", which takes back the tokens before it."""
    note_question(parts, body)
    question = body.to_domain()
    if body.stream:
        return _stream(parts, question, metrics, request, request_id)
    answer = await whole_answer(parts.answerer, question, metrics, request.receive)
    keep_reply(parts, request.state.caller, request_id, question, answer)
    return Response(ask_reply(answer, request_id).model_dump_json(), media_type="application/json")


async def whole_answer(
    answerer: Answerer, question: AskRequest, metrics: Metrics, receive: Receive
) -> Answer:
    """The answer at once, counted; the work ends when the client leaves."""
    return await or_disconnect(counted_answer(answerer, question, metrics), receive)


async def counted_answer(answerer: Answerer, question: AskRequest, metrics: Metrics) -> Answer:
    """The answer at once, counted, whoever asks."""
    try:
        answer = await answerer.answer(question)
    except asyncio.CancelledError:
        metrics.count_outcome("cancelled")
        raise
    except Exception:
        metrics.count_outcome("failed")
        raise
    metrics.count_answer(answer)
    return answer


def _stream(
    parts: Components, question: AskRequest, metrics: Metrics, request: Request, request_id: str
) -> EventStream:
    chinese = prefers_chinese(request.headers.get("accept-language", ""))

    def describe(error: Exception) -> bytes:
        return _event("error", json.dumps(problem_body(fault_of(error), request_id, chinese=chinese)))

    def keep(answer: Answer) -> None:
        keep_reply(parts, request.state.caller, request_id, question, answer)

    return EventStream(
        _events(parts.answerer, question, metrics, request_id, keep),
        describe,
        abandoned=lambda: metrics.count_outcome("cancelled"),
    )


async def _events(
    answerer: Answerer,
    question: AskRequest,
    metrics: Metrics,
    request_id: str,
    keep: Callable[[Answer], None],
) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(answerer.stream(question)) as events:
            async for event in events:
                match event:
                    case SourcesEvent(citations):
                        yield _event("sources", _Sources(citations=citations).model_dump_json())
                    case StageEvent(stage):
                        yield _event("stage", _Stage(stage=stage).model_dump_json())
                    case TokenEvent(text):
                        yield _event("token", _Token(text=text).model_dump_json())
                    case DoneEvent(answer):
                        metrics.count_answer(answer)
                        keep(answer)
                        yield _event("done", ask_reply(answer, request_id).model_dump_json())
    except Exception:
        metrics.count_outcome("failed")
        raise


def _event(name: str, data: str) -> bytes:
    return format_sse_event(event=name, data_str=data)
