"""GET /v1/models and POST /v1/chat/completions: the documents as a model of an OpenAI-compatible server."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request
from fastapi.sse import format_sse_event
from starlette.responses import JSONResponse

from app.api.ask import whole_answer
from app.api.components import Components, Counts, Parts, RequestId, keep_reply, note_question
from app.api.documentation import EXAMPLES, example, openai_errors
from app.api.metrics import Metrics
from app.api.openai_wire import (
    DEFAULT_COLLECTION,
    MAX_MODEL_CHARS,
    MODEL,
    Completion,
    Envelope,
    collections_of,
    model_object,
)
from app.api.problems import Fault, FaultError, fault_of, openai_body, prefers_chinese
from app.api.rateable import CHAT
from app.api.rendering import InertText, inert_stream, source_list
from app.api.stream import EventStream
from app.domain import ALL, Answer, CollectionNames, names_of
from app.errors import NotFoundError
from app.exchange import AnswerEvent, AskRequest, DoneEvent, StageEvent, TokenEvent
from app.lexicon import is_chinese
from app.store import catalog
from app.store.connection import transaction

router = APIRouter(prefix="/v1", tags=["OpenAI"])

_DONE: Final = format_sse_event(data_str="[DONE]")
_MOST_MODELS: Final = 20  # that the message on an unknown one names
_RULE: Final = "extractive"  # no model's words, as /ask says it
# Tokens that were sent can't be taken back in this format: the extractive answer follows under one of these.
_INSTEAD: Final = {
    False: "\n\n(The language model broke off. From the documents instead:)\n\n",
    True: "\n\n（语言模型中断了回答。以下直接摘自文档：）\n\n",
}
# The same for reasoning that a model's chat template began: it is known as such at its end.
_WAS_REASONING: Final = {
    False: "\n\n(The text above is the model's reasoning. Its answer:)\n\n",
    True: "\n\n（以上为模型的推理过程。回答如下：）\n\n",
}
# After a refusal, where the client sent a file's or a page's text with the question.
_NOT_READ: Final = {
    False: "The text that came with the question was not read: only stored documents are searched. `ingest` stores it.",
    True: "随问题附带的文字不会被读取，只检索已收入的文档；可用 ingest 将其收入。",
}


@router.get("/models/", include_in_schema=False)  # with a slash, a model without a name would be asked for
@router.get(
    "/models", summary="List the models: one a collection", responses=example("models") | openai_errors(503)
)
async def list_models(parts: Parts) -> JSONResponse:
    """`pgask/NAME` is the collection NAME; `pgask` is the collection `default`, where there is one. `pgask/A,B` asks
    two at once, `pgask/*` all."""
    created = await _created(parts)
    models = [model_object(name, at) for name, at in _models(created).items()]
    return JSONResponse({"object": "list", "data": models})


@router.get("/models/{model:path}", summary="One model", responses=example("model") | openai_errors(404, 503))
async def get_model(model: str, parts: Parts) -> JSONResponse:
    """A collection, or several, as a model."""
    asked = await _collections(parts, model)
    created = await _created(parts)
    return JSONResponse(model_object(model, max(created.get(name, 0) for name in names_of(asked))))


@router.post("/chat/completions/", include_in_schema=False)
@router.post(
    "/chat/completions",
    summary="Answer the last user message from the documents",
    responses={
        200: {
            "content": {
                "application/json": {"example": EXAMPLES["chat reply"]},
                "text/event-stream": {"example": EXAMPLES["chat stream"]},
            }
        },
        **openai_errors(400, 404, 409, 413, 429, 503),
    },
)
async def complete(
    body: Annotated[Completion, Body(openapi_examples=EXAMPLES["chat requests"])],
    request: Request,
    parts: Parts,
    metrics: Counts,
    request_id: RequestId,
) -> Any:
    """System and tool messages are not followed and not searched. See docs/openai.md for what is ignored or refused."""
    collection = await parts.reads.run(lambda: _collections(parts, body.model))
    envelope = Envelope(f"{CHAT}{request_id}", int(time.time()), body.model)
    include_usage = bool(body.stream_options and body.stream_options.include_usage)
    if (done := body.chore()) is not None:  # no question: not searched, not counted as one, not noted
        answer = Answer(
            done, abstained=False, generator=_RULE, citations=(), standalone_question="", kind="chat"
        )
        if not body.stream:
            return JSONResponse(envelope.completion(answer, done))
        return _stream(_whole(envelope, answer, usage=include_usage), metrics, request)
    question = body.to_domain(collection)
    note_question(parts, question)
    wanted = body.pgask.source_list if body.pgask else None
    with_list = parts.settings.openai_source_list if wanted is None else wanted
    brings_text = body.brings_text()

    def ending(answer: Answer) -> str:
        """What follows a whole answer, which may be rated from now on."""
        keep_reply(parts, request.state.caller, request_id, question, answer)
        return _ending(answer, with_list=with_list, brings_text=brings_text)

    if body.stream:
        return _stream(
            _chunks(parts, question, metrics, envelope, ending, usage=include_usage), metrics, request
        )
    answer = await whole_answer(parts.answerer, question, metrics, request.receive)
    return JSONResponse(envelope.completion(answer, InertText(answer.text).text + ending(answer)))


def _stream(chunks: AsyncGenerator[bytes, None], metrics: Metrics, request: Request) -> EventStream:
    chinese = prefers_chinese(request.headers.get("accept-language", ""))

    def describe(error: Exception) -> bytes:
        return _event(openai_body(fault_of(error), chinese=chinese))

    return EventStream(chunks, describe, abandoned=lambda: metrics.count_outcome("cancelled"))


async def _whole(envelope: Envelope, answer: Answer, *, usage: bool) -> AsyncGenerator[bytes, None]:
    """A stream of a text that is there at once, in the form of `_chunks`."""
    no_usage = {"usage": None} if usage else {}
    yield _event(envelope.delta({"role": "assistant", "content": ""}) | no_usage)
    if answer.text:
        yield _event(envelope.delta({"content": answer.text}) | no_usage)
    yield _event(envelope.last(answer, answer.text) | no_usage)
    if usage:
        yield _event(envelope.counted(answer.usage))
    yield _DONE


async def _chunks(
    parts: Components,
    question: AskRequest,
    metrics: Metrics,
    envelope: Envelope,
    ending: Callable[[Answer], str],
    *,
    usage: bool,
) -> AsyncGenerator[bytes, None]:
    """The role, the text piece by piece, the end with the evidence, the count of tokens if `usage`, [DONE]."""
    no_usage = {"usage": None} if usage else {}
    guard = inert_stream()
    chinese = is_chinese(question.question)
    begun, written = False, ""  # what the answer has said so far
    sent = ""  # the same as the client has it

    def text(piece: str) -> bytes:
        return _event(envelope.delta({"content": piece}) | no_usage)

    try:
        async with aclosing(parts.answerer.stream(question)) as events:
            async for event in events:
                if not begun:  # only now: what fails before has a status of its own
                    begun = True
                    yield _event(envelope.delta({"role": "assistant", "content": ""}) | no_usage)
                if isinstance(event, DoneEvent):
                    metrics.count_answer(event.answer)
                said = _said(event, written, chinese=chinese)
                piece = ""
                if said and not isinstance(event, TokenEvent):  # what was said before may end in open code
                    piece, guard = guard.finish(), inert_stream()
                written += said
                piece += guard.feed(said)
                if isinstance(event, DoneEvent):
                    piece += guard.finish() + ending(event.answer)
                sent += piece
                if piece:
                    yield text(piece)
                if isinstance(event, DoneEvent):
                    yield _event(envelope.last(event.answer, sent) | no_usage)
                    if usage:
                        yield _event(envelope.counted(event.answer.usage))
                    yield _DONE
    except Exception:
        metrics.count_outcome("failed")
        raise


def _said(event: AnswerEvent, written: str, *, chinese: bool) -> str:
    """What an event adds to the text. The whole answer adds itself where something else or nothing has been written."""
    match event:
        case TokenEvent(text):
            return text
        case StageEvent("answer") if written:
            return _WAS_REASONING[chinese]
        case DoneEvent(answer) if not written:
            return answer.text
        case DoneEvent(answer) if answer.degraded and written != answer.text:
            return _INSTEAD[is_chinese(answer.standalone_question)] + answer.text
    return ""


def _ending(answer: Answer, *, with_list: bool, brings_text: bool) -> str:
    """What follows the answer: its sources, or after a refusal that the text sent along was not searched."""
    chinese = is_chinese(answer.standalone_question)
    if answer.abstained and brings_text:
        return "\n\n" + _NOT_READ[chinese]
    return source_list(answer.citations, chinese=chinese) if with_list else ""


async def _collections(parts: Parts, model: str) -> CollectionNames:
    """The collections that a model stands for. Raises 404 where there is none, for chat and chores, too."""
    asked = collections_of(model)
    try:
        if asked is not None:
            asked = await parts.retriever.find_collections(asked)
            async with transaction(parts.pool) as connection:
                await catalog.require_collections(connection, asked)
            return asked
    except NotFoundError:
        pass
    raise _no_model(model, _models(await _created(parts)))


async def _created(parts: Parts) -> dict[str, int]:
    """When each collection was made, in seconds since 1970, by name."""
    async with transaction(parts.pool) as connection:
        found = await catalog.read_creation_times(connection)
    return {name: int(created_at.timestamp()) for name, created_at in found.items()}


def _models(created: Mapping[str, int]) -> dict[str, int]:
    """The models that answer, and when each was made, from the collections and when each was made."""
    default = {MODEL: created[DEFAULT_COLLECTION]} if DEFAULT_COLLECTION in created else {}
    every = {f"{MODEL}/{ALL}": max(created.values())} if len(created) > 1 else {}
    return default | every | {f"{MODEL}/{name}": at for name, at in created.items()}


def _no_model(model: str, models: Collection[str]) -> FaultError:
    """404 that names what there is instead."""
    shown = ", ".join(sorted(models)[:_MOST_MODELS])
    more = len(models) - _MOST_MODELS
    if not models:
        there, there_zh = (
            "There is no collection yet: `ingest PATH` makes one.",
            "目前没有集合：请先运行 ingest 路径。",
        )
    elif more > 0:
        there, there_zh = f"There are: {shown} and {more} more.", f"现有模型：{shown}，另有 {more} 个。"
    else:
        there, there_zh = f"There are: {shown}.", f"现有模型：{shown}。"
    named = repr(model[:MAX_MODEL_CHARS])
    return FaultError(
        Fault(
            "model_not_found",
            404,
            f"The model {named} does not exist. {there}",
            detail_zh=f"模型 {named} 不存在。{there_zh}",
        )
    )


def _event(value: dict[str, Any]) -> bytes:
    return format_sse_event(data_str=json.dumps(value, ensure_ascii=False))
