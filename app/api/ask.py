"""POST /ask: a question answered with evidence, as JSON or as server-sent events; GET and DELETE /ask/{id}: a stream
that is taken up again, or ended.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Header, Path, Request, Response
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.types import Receive

from app.answering import Answerer
from app.api.answers import AskReply, WireCitation, ask_reply
from app.api.bodies import Text
from app.api.components import Components, Counts, Parts, RequestId, keep_reply, note_question
from app.api.documentation import DELETED, EXAMPLES, problems
from app.api.metrics import Metrics
from app.api.problems import fault_of, prefers_chinese, problem_body
from app.api.requests import Ask
from app.api.resumable import ResumableAnswers
from app.api.stream import EventStream, or_disconnect
from app.domain import Answer
from app.errors import NotFoundError
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
    model that reasons sends `stage` too: "reasoning", then "answer", which takes back the tokens before it. A client
    that leaves ends the work; with a `stream_id` it goes on for 20 seconds, for GET /ask/{stream_id}."""
    note_question(parts, body)
    question = body.to_domain()
    if body.stream:
        return _stream(parts, question, metrics, request, body.stream_id)
    answer = await whole_answer(parts.answerer, question, metrics, request.receive)
    keep_reply(parts, request.state.caller, request_id, question, answer)
    return Response(ask_reply(answer, request_id).model_dump_json(), media_type="application/json")


StreamId = Annotated[
    Text, Path(max_length=64, examples=["6f1d2c9e8b7a4f30"], description="The stream's name")
]
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"example": EXAMPLES["ask stream"]}}}
}


@router.get(
    "/ask/{stream_id}",
    summary="Take up a stream again",
    response_class=Response,
    responses=_EVENTS | problems(404, 422),
)
async def resume_stream(
    stream_id: StreamId,
    request: Request,
    request_id: RequestId,
    last_event_id: Annotated[
        int, Header(ge=0, le=10_000_000, description="The last event's id that has arrived")
    ] = 0,
) -> EventStream:
    """The events after `Last-Event-ID`, from the first without it, as they come. For whoever asked alone, for some
    seconds after the connection broke or the answer ended."""
    live: ResumableAnswers = request.app.state.resumable
    answer = live.find(_owner(request), stream_id)
    if answer is None:
        raise _no_stream(stream_id)
    return EventStream(answer.read(last_event_id), _describe(request, request_id), lambda: None)


@router.delete(
    "/ask/{stream_id}",
    status_code=204,
    response_class=Response,
    summary="End a stream",
    responses=DELETED | problems(404, 422),
)
async def end_stream(stream_id: StreamId, request: Request) -> None:
    """What is left of the work is cancelled at once."""
    live: ResumableAnswers = request.app.state.resumable
    if not live.forget(_owner(request), stream_id):
        raise _no_stream(stream_id)


def _owner(request: Request) -> tuple[object, ...]:
    """Who asks, and what they may see: an answer is taken up by who might have got it."""
    caller = request.state.caller
    return caller.tenant, caller.name, caller.key_id, caller.scope


def _no_stream(stream_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no stream {stream_id!r} any more, or another process answers it. Ask again."
    )


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
    parts: Components,
    question: AskRequest,
    metrics: Metrics,
    request: Request,
    stream_id: str | None,
) -> EventStream:
    request_id = str(request.state.request_id)

    def keep(answer: Answer) -> None:
        keep_reply(parts, request.state.caller, request_id, question, answer)

    def cancelled() -> None:
        metrics.count_outcome("cancelled")

    describe = _describe(request, request_id)
    events = _events(parts.answerer, question, metrics, request_id, keep)
    if stream_id is not None:
        live: ResumableAnswers = request.app.state.resumable
        answer = live.begin(_owner(request), stream_id, events, cancelled)
        if answer is not None:
            return EventStream(answer.read(0), describe, lambda: None)
    return EventStream(events, describe, cancelled)


def _describe(request: Request, request_id: str) -> Callable[[Exception], bytes]:
    chinese = prefers_chinese(request.headers.get("accept-language", ""))

    def describe(error: Exception) -> bytes:
        return _event("error", json.dumps(problem_body(fault_of(error), request_id, chinese=chinese)))

    return describe


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
