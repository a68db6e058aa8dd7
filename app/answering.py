"""The whole RAG on one screen: standalone question → retrieve → enough evidence? → answer → citations.

Two generators: sentences of the hits themselves (extractive), or a language model that is given the hits and has its
markers resolved. Where the model fails, the extractive answer stands in and says so.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import structlog

from app.about import About
from app.config import Settings
from app.domain import (
    AbstentionReason,
    Answer,
    ChatTurn,
    Citation,
    GenerationParams,
    SearchFilter,
    Usage,
)
from app.embedding import Embedder
from app.errors import GenerationError, LimitExceededError, LlmBusyError, LlmUnavailableError
from app.generation.citations import resolve_citations
from app.generation.evidence import answerability, can_read, weigh_question
from app.generation.extractive import Material, extract
from app.generation.llm import LlmClient
from app.generation.markers import MarkerStream
from app.generation.prompt import Prompt, build_messages, is_refusal, refusal
from app.generation.refusing import REASONS, near_misses
from app.generation.rewrite import rewrite_question
from app.generation.standing import read_standing
from app.generation.tokens import estimate_tokens
from app.generation.units import Surroundings, begins_in_table, find_header, read_units
from app.lexicon import is_chinese
from app.question.acronyms import find_acronyms
from app.question.courtesy import bare_question
from app.question.kinds import read_wanted
from app.question.standalone import joined_question, standalone_question
from app.retrieval.mending import Mended, Mender
from app.retrieval.retriever import Retrieved, Retriever

MOST_LEANING_TERMS: Final = 2  # of a question that is joined to the one before because it found nothing

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


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question and how to answer it."""

    question: str
    collection: str = "default"
    top_k: int = 6
    filter: SearchFilter | None = None
    history: tuple[ChatTurn, ...] = ()
    generation: GenerationParams = field(default_factory=GenerationParams)
    explain: bool = False


@dataclass(frozen=True, slots=True)
class SourcesEvent:
    """The evidence so far, before the first token."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The whole answer; it stands in place of all tokens before it."""

    answer: Answer


AnswerEvent = SourcesEvent | TokenEvent | DoneEvent


@dataclass(frozen=True, slots=True)
class _Read:
    """What was found for a question, and how far it reaches. `searched_for`: its words where they were mended."""

    question: str
    found: Retrieved
    material: Material
    readable: bool
    evidence: float
    searched_for: str | None


class Answerer:
    """Answers questions from the documents, or says that they hold no answer."""

    def __init__(
        self,
        retriever: Retriever,
        embedder: Embedder,
        llm: LlmClient | None,
        settings: AnswerSettings,
        *,
        mender: Mender | None = None,
        about: About | None = None,
    ) -> None:
        """Without a `mender`, misspelt words and acronyms are searched for as they are; without `about`, greetings and
        questions about the collection itself are questions to its documents."""
        self._mender = mender
        self._about = about
        self._retriever = retriever
        self._embedder = embedder
        self._llm = llm
        self._settings = settings

    async def answer(self, request: AskRequest) -> Answer:
        """The whole answer at once."""
        async with aclosing(self.stream(request)) as events:
            async for event in events:
                if isinstance(event, DoneEvent):
                    return event.answer
        raise AssertionError("the stream ended without an answer")

    async def stream(self, request: AskRequest) -> AsyncGenerator[AnswerEvent, None]:
        """Sources, tokens, and last the whole answer. Closing the generator cancels the work upstream.

        Raises what retrieval raises, and LlmBusyError before the first event. A failing model raises only where it is
        required (`llm_required`): GenerationError, LimitExceededError; else its answer is degraded.
        """
        started = time.perf_counter()
        if (told := await self._tell(request)) is not None:
            yield SourcesEvent(told.citations)
            yield TokenEvent(told.text)
            total_ms = round((time.perf_counter() - started) * 1000, 2)
            yield DoneEvent(replace(told, timings_ms={"total": total_ms}))
            return
        question = await self._stand_alone(request)
        rewritten = time.perf_counter()
        read = await self._find(question, request)
        if read.evidence < self._settings.abstain_threshold and question == request.question:
            question, read = await self._find_joined(request, read)
        found, evidence = read.found, read.evidence
        retrieved = time.perf_counter()

        def finish(answer: Answer) -> DoneEvent:
            now = time.perf_counter()
            timings = {
                "rerank": 0.0,
                **found.timings_ms,
                "generate": (now - retrieved + rewritten - started) * 1000,
            }
            timings["total"] = (now - started) * 1000
            return DoneEvent(
                replace(
                    answer,
                    standalone_question=question,
                    searched_for=read.searched_for,
                    answerability=evidence,
                    rerank_failure=found.rerank_failure,
                    explanation=found.explanation,
                    timings_ms={stage: round(ms, 2) for stage, ms in timings.items()},
                )
            )

        if evidence < self._settings.abstain_threshold:
            refused = await self._refuse(question, request, read)
            yield SourcesEvent(())
            yield TokenEvent(refused.text)
            yield finish(refused)
            return
        degraded_reason = None
        shown = False  # whether the model's sources have been
        if self._llm is not None:
            try:
                async with aclosing(self._generate(self._llm, question, request, found)) as events:
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
        answer = await self._extract(question, read)
        if degraded_reason is not None:
            answer = replace(answer, degraded=True, degraded_reason=degraded_reason)
        if not shown:
            yield SourcesEvent(answer.citations)
            for piece in _pieces(answer.text):
                yield TokenEvent(piece)
        yield finish(answer)

    async def _stand_alone(self, request: AskRequest) -> str:
        """The question without need of the conversation: by the model where there is one and it does well."""
        by_rule = standalone_question(request.question, request.history)
        llm = self._llm
        if llm is None or llm.breaker.is_open or not any(turn.role == "user" for turn in request.history):
            return by_rule
        async with llm.turn():
            by_model = await rewrite_question(
                llm, request.question, request.history, timeout_s=self._settings.rewrite_timeout_s
            )
        return by_model or by_rule

    async def _tell(self, request: AskRequest) -> Answer | None:
        """The reply to small talk and to questions about the collection itself; None for one to its documents."""
        if self._about is None:
            return None
        bare = bare_question(request.question)
        return await self._about.answer(bare, request.collection, request.filter, request.history)

    async def _find(self, question: str, request: AskRequest, *, mended: Mended | None = None) -> _Read:
        """What the hits for a question hold; for the question as it was meant where the collection lacks its words."""
        asked = question
        if mended is not None:
            asked = " ".join((mended.question, *(f"({form})" for form in mended.added)))
        found = await self._retriever.retrieve(
            asked, request.collection, request.top_k, request.filter, explain=request.explain
        )
        if mended is not None and mended.added:
            found = replace(
                found, asked=replace(found.asked, codes=())
            )  # an acronym may stand in its long form
        elif mended is None and self._mender is not None and _may_be_mended(found):
            better = await self._mender.mend(found.asked.text, request.collection)
            if better is not None:
                return await self._find(question, request, mended=better)
        readable = can_read(self._embedder, found.asked.text)
        material = await self._read(found)
        evidence = answerability(
            found.hits,
            material.units,
            found.asked,
            material.weights,
            readable=readable,
            unknown=found.unknown_terms,
        )
        return _Read(question, found, material, readable, evidence, asked if mended is not None else None)

    async def _find_joined(self, request: AskRequest, alone: _Read) -> tuple[str, _Read]:
        """A short question that finds nothing alone, put behind the one before it; alone where that helps nothing."""
        joined = joined_question(request.question, request.history)
        content = [term for term in alone.material.weights if term not in alone.found.unknown_terms]
        if joined == request.question or len(content) > MOST_LEANING_TERMS:
            return request.question, alone
        together = await self._find(joined, request)
        better = together.evidence >= self._settings.abstain_threshold
        return (joined, together) if better else (request.question, alone)

    async def _refuse(self, question: str, request: AskRequest, read: _Read) -> Answer:
        """Why there is no answer, and what comes nearest."""
        chinese = is_chinese(question)
        reason: AbstentionReason = "no_evidence"
        if not read.found.hits:
            is_empty = read.found.plan.chunk_count == 0
            reason = "empty_collection" if is_empty else "no_evidence"
            if not is_empty and request.filter is not None and read.found.plan.rows == 0:
                reason = "no_document_matches_filter"
        answer = _abstention(question, self._generator_name())
        nearest = near_misses(read.found.hits, read.material, chinese=chinese)
        text = answer.text if reason == "no_evidence" else REASONS[reason][chinese]
        return replace(answer, text=text, reason=reason, nearest=nearest)

    async def _read(self, found: Retrieved) -> Material:
        """The units of the hits, with what stands around them, and how their documents stand."""
        in_table = [hit for hit in found.hits if begins_in_table(hit.text)]
        known = await self._retriever.load_heads(found.hits, in_table)
        surroundings = {
            chunk_id: Surroundings(head, find_header(before, before_start))
            for chunk_id, (head, before_start, before) in known.items()
        }
        units = read_units(found.hits, surroundings)
        standings = {
            hit.document_id: read_standing(
                hit.title, hit.source, surroundings.get(hit.chunk_id, Surroundings()).head
            )
            for hit in found.hits
        }
        weights = weigh_question(found.asked, found.term_weights, found.unknown_terms)
        return Material(found.asked, read_wanted(found.asked.text), units, weights, standings)

    async def _extract(self, question: str, read: _Read) -> Answer:
        found = read.found

        def cosines(texts: Sequence[str]) -> list[float]:
            return [float(cosine) for cosine in self._embedder.embed_passages(texts) @ found.vector]

        extraction = await asyncio.to_thread(extract, read.material, cosines if read.readable else None)
        if extraction is None:
            return _abstention(question, "extractive")
        return Answer(
            extraction.text,
            False,
            "extractive",
            extraction.citations,
            question,
            claims=extraction.claims,
            kind=extraction.kind,
        )

    async def _generate(
        self, llm: LlmClient, question: str, request: AskRequest, found: Retrieved
    ) -> AsyncGenerator[AnswerEvent, None]:
        """The model's answer: its tokens as they come, its markers resolved at the end. Raises GenerationError."""
        language: Literal["en", "zh"] = "zh" if is_chinese(question) else "en"
        nonce = secrets.token_hex(8)

        beside = () if llm.breaker.is_open else await self._retriever.load_neighbours(found.hits)

        def build(budget_tokens: int) -> Prompt:
            return build_messages(
                question,
                found.hits,
                request.history,
                budget_tokens=budget_tokens,
                count_tokens=estimate_tokens,
                nonce=nonce,
                language=language,
                neighbours=beside,
            )

        raw, usage, finish_reason = "", Usage(), None
        async with llm.turn():
            prompt = await llm.fit_prompt(build, request.generation)
            whole = enumerate(prompt.used, 1)  # which part of each counts, the answer has yet to say
            yield SourcesEvent(tuple(chunk.cite(n, chunk.char_start, chunk.char_end) for n, chunk in whole))
            stream = MarkerStream(len(prompt.used))
            async with aclosing(llm.stream(prompt.messages, request.generation)) as deltas:
                async for delta in deltas:
                    raw += delta.text
                    usage, finish_reason = delta.usage or usage, delta.finish_reason or finish_reason
                    if shown := stream.feed(delta.text):
                        yield TokenEvent(shown)
        if rest := stream.finish():
            yield TokenEvent(rest)
        if not raw.strip():
            raise LlmUnavailableError("The language model gave an empty answer.")
        if is_refusal(raw):
            yield DoneEvent(replace(_abstention(question, llm.model_name), usage=usage))
            return
        resolved = resolve_citations(raw, prompt.used, [*found.hits, *beside])
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

    def _generator_name(self) -> str:
        return self._llm.model_name if self._llm is not None else "extractive"


def _may_be_mended(found: Retrieved) -> bool:
    """Whether the collection lacks a word of the question, or an acronym in it may stand for one that it holds."""
    return bool(found.unknown_terms - found.asked.parts) or bool(find_acronyms(found.asked.text))


def _abstention(question: str, generator: str) -> Answer:
    return Answer(refusal("zh" if is_chinese(question) else "en"), True, generator, (), question)


def _pieces(text: str) -> list[str]:
    """An extractive answer in the pieces that it is streamed in: one a sentence."""
    return [
        piece for piece in text.replace("] ", "] \x00").replace("\n\n", "\n\n\x00").split("\x00") if piece
    ]
