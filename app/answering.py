"""The whole RAG on one screen: standalone question → retrieve → enough evidence? → answer → citations.

Two generators: sentences of the hits themselves (extractive), or a language model that is given the hits and has its
markers resolved. Where the model fails, the extractive answer stands in and says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace

import structlog

from app.about import About
from app.config import Settings
from app.domain import AbstentionReason, Answer
from app.embedding import Embedder
from app.errors import GenerationError, LimitExceededError, LlmBusyError
from app.exchange import AnswerEvent, AskRequest, DoneEvent, SourcesEvent, TokenEvent
from app.finding import Finder, Found
from app.generation.again import tell_more, tell_source
from app.generation.concurrency import ConcurrencyLimiter
from app.generation.quoting import in_language, in_other_language, only_quoted
from app.generation.refusing import REASONS, near_misses
from app.generation.reply import Voice
from app.generation.servers import LlmServers
from app.generation.units import read_units
from app.meaning import Meant, MessageReader, closed_up
from app.model_answer import abstention, answer_by_model
from app.question.talk import Talk
from app.retrieval.mending import Mender
from app.retrieval.retriever import Retriever
from app.store.completions import Completions
from app.store.replicas import Reads
from app.tracing import note_answer

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """The part of the settings that answering needs."""

    abstain_threshold: float = 0.5
    rewrite_timeout_s: float = 5.0
    llm_required: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> AnswerSettings:
        """The group from all settings."""
        return cls(settings.abstain_threshold, settings.llm_rewrite_timeout_s, settings.llm_required)


class Answerer:
    """Answers questions from the documents, or says that they hold no answer."""

    def __init__(
        self,
        retriever: Retriever,
        embedder: Embedder,
        llm: LlmServers | None,
        settings: AnswerSettings,
        *,
        mender: Mender | None = None,
        about: About | None = None,
        turns: ConcurrencyLimiter | None = None,
        reads: Reads | None = None,
        completions: Completions | None = None,
    ) -> None:
        """Without a `mender`, misspelt words and acronyms are searched for as they are; without `about`, greetings and
        questions about the collection itself are questions to its documents; without `turns`, all are worked on at
        once; without `reads`, all are read from the retriever's own server; without `completions`, the model is asked
        each time."""
        self._completions = completions
        self._reads = reads or Reads()
        self._turns = turns
        self._retriever = retriever
        self._llm = llm
        self._settings = settings
        self._messages = MessageReader(about, llm, settings.rewrite_timeout_s)
        self._finder = Finder(retriever, embedder, mender, settings.abstain_threshold)

    async def answer(self, request: AskRequest) -> Answer:
        """The whole answer at once."""
        return await self._reads.run(lambda: self._whole(request))

    def stream(self, request: AskRequest) -> AsyncGenerator[AnswerEvent, None]:
        """Sources, tokens, and last the whole answer. Closing the generator cancels the work upstream.

        Raises what retrieval raises, and BusyError and LlmBusyError before the first event. A failing model raises only
        where it is required (`llm_required`): GenerationError, LimitExceededError; else its answer is degraded.
        """
        return self._reads.stream(lambda: self._events(request))

    async def _whole(self, request: AskRequest) -> Answer:
        async with aclosing(self._events(request)) as events:
            async for event in events:
                if isinstance(event, DoneEvent):
                    return event.answer
        raise AssertionError("the stream ended without an answer")

    async def _events(self, request: AskRequest) -> AsyncGenerator[AnswerEvent, None]:
        """As `stream`, read from the server that this is called for."""
        started = time.perf_counter()
        asked = await self._retriever.find_collections(request.collection)
        request = replace(closed_up(request), collection=asked)
        meant = await self._messages.read(request)
        if meant.told is not None:
            told = meant.told
            note_answer(request.question, "told", time.perf_counter() - started, hits=0, answerability=0.0)
            yield SourcesEvent(told.citations)
            yield TokenEvent(told.text)
            total_ms = round((time.perf_counter() - started) * 1000, 2)
            yield DoneEvent(replace(told, timings_ms={"total": total_ms}))
            return
        rewritten = time.perf_counter()
        async with self._turns.take() if self._turns else nullcontext():
            read = await self._finder.look_up(meant, request)
        question, found, evidence = read.standalone.text, read.found, read.evidence
        retrieved = time.perf_counter()

        def finish(answer: Answer) -> DoneEvent:
            now = time.perf_counter()
            timings = {
                "rerank": 0.0,
                **found.timings_ms,
                "generate": (now - retrieved + rewritten - started) * 1000,
            }
            timings["total"] = (now - started) * 1000
            outcome = "degraded" if answer.degraded else "abstained" if answer.abstained else "answered"
            note_answer(
                request.question, outcome, now - started, hits=len(found.hits), answerability=evidence
            )
            return DoneEvent(
                replace(
                    answer,
                    standalone_question=question,
                    searched_for=read.searched_for,
                    answerability=evidence,
                    rerank_failure=found.rerank_failure,
                    explanation=found.explanation
                    and replace(
                        found.explanation,
                        answerability=evidence,
                        abstain_threshold=self._settings.abstain_threshold,
                    ),
                    hits=found.hits,
                    timings_ms={stage: round(ms, 2) for stage, ms in timings.items()},
                )
            )

        if evidence < self._settings.abstain_threshold:
            refused = await self._refuse(request, read, meant.voice)
            yield SourcesEvent(())
            yield TokenEvent(refused.text)
            yield finish(refused)
            return
        degraded_reason = None
        shown = False  # whether the model's sources have been
        if self._llm is not None and not request.quotes_only:
            try:
                async with aclosing(
                    answer_by_model(
                        self._llm, self._retriever, meant, request, read, completions=self._completions
                    )
                ) as events:
                    async for event in events:
                        shown = True
                        yield finish(event.answer) if isinstance(event, DoneEvent) else event
                return
            except LlmBusyError:
                raise  # the answer is not worse for that, only later
            except (GenerationError, LimitExceededError) as error:
                if self._settings.llm_required:
                    raise
                _log.warning("model failed, answering extractively", code=error.code)
                degraded_reason = f"{error.code}: {error}"
        answer = await self._extract(meant, read)
        if degraded_reason is not None:
            answer = replace(answer, degraded=True, degraded_reason=degraded_reason)
        if not shown:
            yield SourcesEvent(answer.citations)
            for piece in _pieces(answer.text):
                yield TokenEvent(piece)
        yield finish(answer)

    async def _refuse(self, request: AskRequest, read: Found, voice: Voice) -> Answer:
        """Why there is no answer, and what comes nearest."""
        reason: AbstentionReason = "no_evidence"
        if not read.found.hits:
            is_empty = read.found.plan.chunk_count == 0
            reason = "empty_collection" if is_empty else "no_evidence"
            if not is_empty and request.filter is not None and read.found.plan.rows == 0:
                reason = "no_document_matches_filter"
        generator = "extractive" if request.quotes_only else self._generator_name()
        answer = abstention(read.standalone.text, generator, voice)
        nearest = await asyncio.to_thread(
            near_misses, read.found.hits, read.all_found, read.standalone, voice
        )
        text = answer.text if reason == "no_evidence" else voice.word(REASONS[reason])
        return replace(answer, text=text, reason=reason, nearest=nearest)

    async def _extract(self, meant: Meant, read: Found) -> Answer:
        """Quotations, and what they are where more was asked for."""
        found, extraction = read.found, read.extraction
        if extraction is None:
            return abstention(read.standalone.text, "extractive", meant.voice)
        answer = Answer(
            extraction.text,
            False,
            "extractive",
            extraction.citations,
            read.standalone.text,
            claims=extraction.claims,
            kind=extraction.kind,
        )
        again = meant.again
        if again is not None and again.talk is Talk.MORE:
            beside = await self._retriever.load_neighbours(found.hits)
            units = [*read.all_found.units, *await asyncio.to_thread(read_units, beside)]
            return await asyncio.to_thread(tell_more, units, answer, again.said, meant.voice)
        if again is not None and again.talk is Talk.OBJECTION:
            return await asyncio.to_thread(tell_source, read.all_found, answer, again.said, meant.voice)
        if again is not None:
            return in_language(answer, meant.voice)
        answer = in_other_language(answer, found.hits, meant.voice)
        return answer if meant.task is None else only_quoted(answer, meant.task, meant.voice)

    def _generator_name(self) -> str:
        return self._llm.model_name if self._llm is not None else "extractive"


def _pieces(text: str) -> list[str]:
    """An extractive answer in the pieces that it is streamed in: one a sentence."""
    return [
        piece for piece in text.replace("] ", "] \x00").replace("\n\n", "\n\n\x00").split("\x00") if piece
    ]
