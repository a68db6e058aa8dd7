"""The model's answer: its tokens as they come, its markers resolved at the end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Literal

from app.answer_cache import Before
from app.domain import Answer, Usage
from app.errors import LlmUnavailableError
from app.exchange import AnswerEvent, AskRequest, DoneEvent, SourcesEvent, StageEvent, TokenEvent
from app.finding import Found
from app.generation.citations import resolve_citations
from app.generation.markers import MarkerStream
from app.generation.prompt import ECHOES, Prompt, build_messages, has_words, is_refusal, refusal
from app.generation.reply import Voice
from app.generation.servers import LlmServers
from app.generation.stopping import RoundFinder, StopCutter
from app.generation.tokens import estimate_tokens
from app.meaning import Meant
from app.question.talk import Talk
from app.retrieval.retriever import Retriever
from app.store.completions import Completions

NO_ANSWER: Final = "The language model gave an empty answer."
NO_TOKENS_LEFT: Final = (
    "The language model gave no answer behind its reasoning: raise PGASK_LLM_REASONING_TOKENS, or switch its "
    "reasoning off."
)


async def answer_by_model(
    llm: LlmServers,
    retriever: Retriever,
    meant: Meant,
    request: AskRequest,
    read: Found,
    *,
    completions: Completions | None = None,
) -> AsyncGenerator[AnswerEvent, None]:
    """The model's answer: its tokens as they come, its markers resolved at the end; the one of `completions` where it
    was asked the same before. Raises GenerationError.

    It is asked what is searched for; the message itself where that is a task, or comes back to its last answer.
    """
    question, found = read.standalone.text, read.found
    comes_back = meant.again is not None and meant.again.talk is not Talk.LANGUAGE
    asked = request.question if comes_back or meant.task is not None else question
    language: Literal["en", "zh"] = "zh" if meant.voice.chinese else "en"
    nonce = secrets.token_hex(8)

    beside = () if llm.is_away and completions is None else await retriever.load_neighbours(found.hits)

    def build(budget_tokens: int) -> Prompt:
        return build_messages(
            asked,
            found.hits,
            request.history,
            budget_tokens=budget_tokens,
            count_tokens=estimate_tokens,
            nonce=nonce,
            language=language,
            neighbours=beside,
        )

    before = await Before.look(completions, build, nonce, llm.model_name, repr(request.generation))
    raw, usage, finish_reason, reasoned = "", Usage(0, 0), None, False
    prompt = Prompt((), (), 0)
    stream, cutter, rounds = MarkerStream(0), StopCutter(ECHOES), RoundFinder()
    asking = before.again() or llm.ask(build, request.conversation, request.generation)
    async with aclosing(asking) as parts:
        async for part in parts:
            if isinstance(part, Prompt):  # before all else; a second one stands in place of the first
                prompt, stream = part, MarkerStream(len(part.used))
                used = enumerate(part.used, 1)  # which part of each counts, the answer has yet to say
                yield SourcesEvent(
                    tuple(chunk.cite(n, chunk.char_start, chunk.char_end) for n, chunk in used)
                )
                continue
            if part.stage is not None:
                yield StageEvent(part.stage)
                raw, reasoned = "", True
                stream = MarkerStream(len(prompt.used))
                cutter, rounds = StopCutter(ECHOES), RoundFinder()
            text = cutter.feed(part.text)
            raw += text
            usage, finish_reason = part.usage or usage, part.finish_reason or finish_reason
            if shown := stream.feed(text):
                yield TokenEvent(shown)
            if cutter.stopped:
                break
            if rounds.feed(text):
                raise LlmUnavailableError("The language model repeated itself.")
    text = cutter.finish()
    raw += text
    if cutter.stopped and usage == Usage(0, 0):  # the server tells at the end, which was not waited for
        usage = Usage(prompt.prompt_tokens, estimate_tokens(raw))
    if rest := stream.feed(text) + stream.finish():
        yield TokenEvent(rest)
    if not await asyncio.to_thread(has_words, raw):
        raise LlmUnavailableError(NO_TOKENS_LEFT if reasoned else NO_ANSWER)
    await before.keep(prompt, llm.model_name, raw, None if reasoned else finish_reason)
    if await asyncio.to_thread(is_refusal, raw):
        yield DoneEvent(replace(abstention(question, llm.model_name, meant.voice), usage=usage))
        return
    resolved = await asyncio.to_thread(resolve_citations, raw, prompt.used, [*found.hits, *beside])
    answer = Answer(
        resolved.text,
        False,
        llm.model_name,
        resolved.citations,
        question,
        usage=usage,
        claims=resolved.claims,
    )
    yield DoneEvent(replace(answer, truncated=finish_reason == "length"))


def abstention(question: str, generator: str, voice: Voice) -> Answer:
    text = voice.write(refusal("zh" if voice.chinese else "en"))
    return Answer(text, True, generator, (), question)
