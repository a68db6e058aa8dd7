"""The whole RAG on one screen: standalone question → retrieve → enough evidence? → answer → citations.

Two generators: sentences of the hits themselves (extractive), or a language model that is given the hits and has its
markers resolved. Where the model fails, the extractive answer stands in and says so.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, nullcontext
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
    ScoredChunk,
    SearchFilter,
    Usage,
)
from app.embedding import Embedder
from app.errors import GenerationError, LimitExceededError, LlmBusyError, LlmUnavailableError
from app.generation.again import tell_more, tell_source
from app.generation.candidates import Material
from app.generation.citations import resolve_citations
from app.generation.completion_text import Stage
from app.generation.concurrency import ConcurrencyLimiter
from app.generation.evidence import answerability, can_read, weigh_question
from app.generation.extractive import Extraction, extract
from app.generation.llm import LlmClient
from app.generation.markers import MarkerStream
from app.generation.narrowing import narrow
from app.generation.prompt import ECHOES, Prompt, build_messages, has_words, is_refusal, refusal
from app.generation.quoting import in_language, in_other_language, only_quoted
from app.generation.refusing import REASONS, near_misses
from app.generation.reply import Voice
from app.generation.rewrite import rewrite_question
from app.generation.rows import with_ranges
from app.generation.standing import read_standing
from app.generation.stopping import RoundFinder, StopCutter
from app.generation.sufficiency import sufficiency
from app.generation.tokens import estimate_tokens
from app.generation.units import Surroundings, begins_in_table, find_header, read_units
from app.letterspacing import close_up
from app.lexicon import is_chinese
from app.question.acronyms import find_acronyms
from app.question.content import content_terms
from app.question.courtesy import bare_question
from app.question.kinds import Wanted, operation_terms, read_wanted
from app.question.standalone import Standalone, alone, join, standalone_question
from app.question.talk import Again, Talk, asked_language, earlier_questions, is_traditional, read_again
from app.question.tasks import Task, read_task
from app.retrieval.mending import Mended, Mender
from app.retrieval.retriever import Retrieved, Retriever
from app.search.standard import standard_of
from app.split_blocks import join_split_blocks
from app.threads import Threads, thread_of
from app.valid_versions import add_valid_versions

OPERATION: Final = 0.3  # what "cheapest" or "less than" weighs beside what it is said of
MOST_LEANING_TERMS: Final = 2  # of a question that is joined to the one before because it found nothing

NO_ANSWER: Final = "The language model gave an empty answer."
NO_TOKENS_LEFT: Final = (
    "The language model gave no answer behind its reasoning: raise PGASK_LLM_REASONING_TOKENS, or switch its "
    "reasoning off."
)

_READ_CHARS: Final = 500  # of a hit, to see whether the model can read it

_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")

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


@dataclass(frozen=True, slots=True)
class StageEvent:
    """What a model that reasons does from here on. "answer" takes back all tokens before it: they were reasoning."""

    stage: Stage


AnswerEvent = SourcesEvent | StageEvent | TokenEvent | DoneEvent


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a message asks for.

    `told` is the reply where it asks nothing of the documents; else `standalone` is searched for. `asked` has the
    question of that and what was said before it: the message's own, or that of the answer that the message comes back
    to (`again`).
    """

    voice: Voice
    told: Answer | None = None
    standalone: Standalone = field(default_factory=lambda: alone(""))
    asked: AskRequest | None = None
    again: Again | None = None
    task: Task | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """What was found for a question, and how far it reaches. `material` is what may answer it of `all_found`.
    `searched_for`: its words where they were mended."""

    standalone: Standalone
    found: Retrieved
    material: Material
    all_found: Material
    extraction: Extraction | None
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
        turns: ConcurrencyLimiter | None = None,
    ) -> None:
        """Without a `mender`, misspelt words and acronyms are searched for as they are; without `about`, greetings and
        questions about the collection itself are questions to its documents; without `turns`, all are worked on at
        once."""
        self._turns = turns
        self._mender = mender
        self._about = about
        self._retriever = retriever
        self._embedder = embedder
        self._llm = llm
        self._settings = settings
        self._judging = Threads("judge", os.cpu_count() or 1)  # these wait for the embedder's thread

    async def answer(self, request: AskRequest) -> Answer:
        """The whole answer at once."""
        async with aclosing(self.stream(request)) as events:
            async for event in events:
                if isinstance(event, DoneEvent):
                    return event.answer
        raise AssertionError("the stream ended without an answer")

    async def stream(self, request: AskRequest) -> AsyncGenerator[AnswerEvent, None]:
        """Sources, tokens, and last the whole answer. Closing the generator cancels the work upstream.

        Raises what retrieval raises, and BusyError and LlmBusyError before the first event. A failing model raises only
        where it is required (`llm_required`): GenerationError, LimitExceededError; else its answer is degraded.
        """
        started = time.perf_counter()
        request = _closed_up(request)
        meant = await self._read_request(request)
        if meant.told is not None:
            told = meant.told
            yield SourcesEvent(told.citations)
            yield TokenEvent(told.text)
            total_ms = round((time.perf_counter() - started) * 1000, 2)
            yield DoneEvent(replace(told, timings_ms={"total": total_ms}))
            return
        rewritten = time.perf_counter()
        async with self._turns.take() if self._turns else nullcontext():
            read = await self._look_up(meant, request)
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
            return DoneEvent(
                replace(
                    answer,
                    standalone_question=question,
                    searched_for=read.searched_for,
                    answerability=evidence,
                    rerank_failure=found.rerank_failure,
                    explanation=found.explanation,
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
        if self._llm is not None:
            try:
                async with aclosing(self._generate(self._llm, meant, request, read)) as events:
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

    async def _read_request(self, request: AskRequest) -> _Meant:
        """What a message asks for: of the collection, of the answer before it, or of the documents."""
        bare = bare_question(request.question)
        again = read_again(bare, request.history) or read_again(request.question, request.history)
        voice = _voice(request)
        if again is not None:
            asked = replace(request, question=again.question, history=again.before)
            told = await self._tell(asked, voice)
            if told is None:
                standalone, task = await self._stand_alone(asked)
                return _Meant(voice, None, standalone, asked, again, task)
            if again.talk is Talk.LANGUAGE:
                return _Meant(voice, told)
        told = await self._tell(request, voice)
        if told is not None:
            return _Meant(voice, told)
        standalone, task = await self._stand_alone(request)
        return _Meant(voice, None, standalone, request, None, task)

    async def _stand_alone(self, request: AskRequest) -> tuple[Standalone, Task | None]:
        """The question without need of the conversation, and the task in it: by the model where there is one and it
        does well; of a task, what it is about."""
        task = read_task(bare_question(request.question))
        if task is not None and task.about:
            return standalone_question(task.about, request.history), task.task
        earlier = earlier_questions(request.history)
        if task is not None and earlier:
            before = [ChatTurn("user", asked) for asked in earlier[:-1]]
            return standalone_question(earlier[-1], before), task.task
        by_rule = standalone_question(request.question, request.history)
        llm = self._llm
        if llm is None or llm.breaker.is_open or not any(turn.role == "user" for turn in request.history):
            return by_rule, None
        try:
            async with llm.turn():
                by_model = await rewrite_question(
                    llm, request.question, request.history, timeout_s=self._settings.rewrite_timeout_s
                )
        except LlmUnavailableError:  # it was given up while this question waited for its turn
            return by_rule, None
        return (alone(by_model) if by_model else by_rule), None

    async def _tell(self, request: AskRequest, voice: Voice) -> Answer | None:
        """The reply to small talk and to questions about the collection itself; None for one to its documents."""
        if self._about is None:
            return None
        bare = bare_question(request.question)
        return await self._about.answer(bare, request.collection, request.filter, request.history, voice)

    async def _look_up(self, meant: _Meant, request: AskRequest) -> _Read:
        """What the documents hold of what is meant. An objection that names a year asks for that year's first."""
        standalone = meant.standalone
        years = _YEAR.findall(meant.again.reason) if meant.again is not None else []
        if years:
            read = await self._find(replace(standalone, text=" ".join((standalone.text, *years))), request)
            if read.evidence >= self._settings.abstain_threshold:
                return read
        read = await self._find(standalone, request)
        asked = meant.asked
        if asked is None or read.evidence >= self._settings.abstain_threshold:
            return read
        if standalone.text == asked.question:
            return await self._find_joined(asked, read)
        return await self._find_alone(asked, read)

    async def _find(
        self, standalone: Standalone, request: AskRequest, *, mended: Mended | None = None
    ) -> _Read:
        """What the hits for a question hold; for the question as it was meant where the collection lacks its words."""
        asked = standalone.text
        if mended is not None:
            asked = " ".join((mended.question, *(f"({form})" for form in mended.added)))
        found = await self._retriever.retrieve(
            asked, request.collection, request.top_k, request.filter, explain=request.explain
        )
        if mended is not None and mended.added:
            found = replace(
                found, asked=replace(found.asked, codes=())
            )  # an acronym may stand in its long form
        readable = can_read(self._embedder, found.asked.text)
        across = readable and self._is_across(found)  # then its words are missing, and not misspelt
        if mended is None and self._mender is not None and not across and _may_be_mended(found):
            better = await self._mender.mend(found.asked.text, request.collection)
            if better is not None:
                return await self._find(standalone, request, mended=better)
        all_found = await self._read(found, standalone, _voice(request))
        beside = await add_valid_versions(
            self._retriever,
            found,
            all_found.standings,
            all_found.wanted.years,
            question=asked,
            collection=request.collection,
            search_filter=request.filter,
        )
        if beside is not found:
            found, all_found = beside, await self._read(beside, standalone, _voice(request))

        def standards(texts: Sequence[str]) -> list[float]:
            vectors = thread_of(self._embedder).call(self._embedder.embed_passages, texts)
            return [
                standard_of(found.standards, "zh" if is_chinese(text) else "en").score(float(cosine))
                for text, cosine in zip(texts, vectors @ found.vector, strict=True)
            ]

        def judge() -> tuple[Material, Extraction | None, float]:
            """What may answer, what would be said, and how far both reach. Takes long: for a thread."""
            material = narrow(all_found, standalone, found.unknown_terms, mended=mended is not None)
            evidence = answerability(
                found.hits,
                material.units if standalone.about or not material.units else all_found.units,
                found.asked,
                material.weights,
                readable=readable,
                across=across,
                unknown=found.unknown_terms,
            )
            if evidence <= 0:
                return material, None, evidence
            extraction = extract(material, standards if readable else None)
            said = extraction.said if extraction is not None else ()
            evidence = sufficiency(evidence, material, said, found.unknown_terms, across=across)
            return material, extraction, evidence

        material, extraction, evidence = await self._judging.run(judge)
        searched_for = asked if mended is not None else None
        return _Read(standalone, found, material, all_found, extraction, evidence, searched_for)

    def _is_across(self, found: Retrieved) -> bool:
        """Whether the best hit is in another language than the question, and the model reads it."""
        best = found.hits[0].text if found.hits else ""
        is_other = is_chinese(best) != is_chinese(found.asked.text)
        return is_other and can_read(self._embedder, best[:_READ_CHARS])

    async def _find_joined(self, request: AskRequest, alone: _Read) -> _Read:
        """A short question that finds nothing alone, put behind the one before it; alone where that helps nothing."""
        joined = join(request.question, request.history)
        content = [term for term in alone.material.weights if term not in alone.found.unknown_terms]
        if joined.text == request.question or len(content) > MOST_LEANING_TERMS:
            return alone
        together = await self._find(joined, request)
        return together if together.evidence >= self._settings.abstain_threshold else alone

    async def _find_alone(self, request: AskRequest, joined: _Read) -> _Read:
        """A question that looked as if it leaned on the one before it, alone, where it says enough for that; not one
        that names another thing, or asks why: without what was said before it would ask for something else."""
        standalone = joined.standalone
        says_enough = len(content_terms(request.question)) >= MOST_LEANING_TERMS
        if standalone.about or standalone.wants_reason or not says_enough:
            return joined
        by_itself = await self._find(alone(request.question), request)
        return by_itself if by_itself.evidence >= self._settings.abstain_threshold else joined

    async def _refuse(self, request: AskRequest, read: _Read, voice: Voice) -> Answer:
        """Why there is no answer, and what comes nearest."""
        reason: AbstentionReason = "no_evidence"
        if not read.found.hits:
            is_empty = read.found.plan.chunk_count == 0
            reason = "empty_collection" if is_empty else "no_evidence"
            if not is_empty and request.filter is not None and read.found.plan.rows == 0:
                reason = "no_document_matches_filter"
        answer = _abstention(read.standalone.text, self._generator_name(), voice)
        nearest = await asyncio.to_thread(
            near_misses, read.found.hits, read.all_found, read.standalone, voice
        )
        text = answer.text if reason == "no_evidence" else voice.word(REASONS[reason])
        return replace(answer, text=text, reason=reason, nearest=nearest)

    async def _read(self, found: Retrieved, standalone: Standalone, voice: Voice) -> Material:
        """The units of the hits, with what stands around them, and how their documents stand."""
        is_joined = standalone.form != standalone.text
        wanted = read_wanted(bare_question(standalone.form) if is_joined else found.asked.text)
        hits: Sequence[ScoredChunk] = found.hits
        is_whole = True
        if wanted.whole:
            hits, is_whole = await join_split_blocks(self._retriever, found.hits)
        in_table = [hit for hit in hits if begins_in_table(hit.text)]
        known = await self._retriever.load_heads(hits, in_table)
        surroundings = {
            chunk_id: Surroundings(head, find_header(before, before_start))
            for chunk_id, (head, before_start, before) in known.items()
        }
        return await asyncio.to_thread(_material, found, hits, surroundings, wanted, voice, is_whole=is_whole)

    async def _extract(self, meant: _Meant, read: _Read) -> Answer:
        """Quotations, and what they are where more was asked for."""
        found, extraction = read.found, read.extraction
        if extraction is None:
            return _abstention(read.standalone.text, "extractive", meant.voice)
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
            return await asyncio.to_thread(_tell_more, read, beside, answer, again, meant.voice)
        if again is not None and again.talk is Talk.OBJECTION:
            return await asyncio.to_thread(tell_source, read.all_found, answer, again.said, meant.voice)
        if again is not None:
            return in_language(answer, meant.voice)
        answer = in_other_language(answer, found.hits, meant.voice)
        return answer if meant.task is None else only_quoted(answer, meant.task, meant.voice)

    async def _generate(
        self, llm: LlmClient, meant: _Meant, request: AskRequest, read: _Read
    ) -> AsyncGenerator[AnswerEvent, None]:
        """The model's answer: its tokens as they come, its markers resolved at the end. Raises GenerationError.

        It is asked what is searched for; the message itself where that is a task, or comes back to its last answer.
        """
        question, found = read.standalone.text, read.found
        comes_back = meant.again is not None and meant.again.talk is not Talk.LANGUAGE
        asked = request.question if comes_back or meant.task is not None else question
        language: Literal["en", "zh"] = "zh" if meant.voice.chinese else "en"
        nonce = secrets.token_hex(8)

        beside = () if llm.breaker.is_open else await self._retriever.load_neighbours(found.hits)

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

        raw, usage, finish_reason, reasoned = "", Usage(0, 0), None, False
        prompt = Prompt((), (), 0)
        stream, cutter, rounds = MarkerStream(0), StopCutter(ECHOES), RoundFinder()
        async with llm.turn(), aclosing(llm.ask(build, request.generation)) as parts:
            async for part in parts:
                if isinstance(part, Prompt):  # before all else; a second one stands in place of the first
                    prompt, stream = part, MarkerStream(len(part.used))
                    whole = enumerate(part.used, 1)  # which part of each counts, the answer has yet to say
                    yield SourcesEvent(
                        tuple(chunk.cite(n, chunk.char_start, chunk.char_end) for n, chunk in whole)
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
        if await asyncio.to_thread(is_refusal, raw):
            yield DoneEvent(replace(_abstention(question, llm.model_name, meant.voice), usage=usage))
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

    def _generator_name(self) -> str:
        return self._llm.model_name if self._llm is not None else "extractive"


def _material(
    found: Retrieved,
    hits: Sequence[ScoredChunk],
    surroundings: Mapping[str, Surroundings],
    wanted: Wanted,
    voice: Voice,
    *,
    is_whole: bool,
) -> Material:
    """What the hits hold, in units. Takes long where there are many: for a thread."""
    units = with_ranges(read_units(hits, surroundings), found.asked.text)
    standings = {
        hit.document_id: read_standing(
            hit.title, hit.source, surroundings.get(hit.chunk_id, Surroundings()).head
        )
        for hit in found.hits
    }
    weights = weigh_question(found.asked, found.term_weights, found.unknown_terms)
    if wanted.superlative or wanted.bound:
        done = operation_terms(found.asked.text)
        weights = {term: OPERATION * weight if term in done else weight for term, weight in weights.items()}
    return Material(found.asked, wanted, units, weights, standings, is_whole, voice)


def _tell_more(
    read: _Read, beside: Sequence[ScoredChunk], answer: Answer, again: Again, voice: Voice
) -> Answer:
    return tell_more([*read.all_found.units, *read_units(beside)], answer, again.said, voice)


def _may_be_mended(found: Retrieved) -> bool:
    """Whether the collection lacks a word of the question, or an acronym in it may stand for one that it holds."""
    return bool(found.unknown_terms - found.asked.parts) or bool(find_acronyms(found.asked.text))


def _closed_up(request: AskRequest) -> AskRequest:
    """What people say, with Chinese words closed up: 姓 名 is asked as 姓名, which is what rules and models read."""
    said = (
        replace(turn, content=close_up(turn.content)) if turn.role == "user" else turn
        for turn in request.history
    )
    return replace(request, question=close_up(request.question), history=tuple(said))


def _voice(request: AskRequest) -> Voice:
    """The language of the reply: what the message asks for, else its own; its script also by what was said before."""
    said = [turn.content for turn in request.history if turn.role == "user"]
    message = request.question
    wanted = asked_language(bare_question(message))
    chinese = is_chinese(message) if wanted is None else wanted == "zh"
    if wanted is None and said and not re.search(r"(?<![\w-])[A-Za-z]{2,}(?![\w-])", message):
        chinese = is_chinese(f"{said[-1]} {message}")  # "GW-7?", GW-7呢, an emoji: no language of its own
    return Voice(chinese, chinese and is_traditional(" ".join((*said, message))))


def _abstention(question: str, generator: str, voice: Voice) -> Answer:
    text = voice.write(refusal("zh" if voice.chinese else "en"))
    return Answer(text, True, generator, (), question)


def _pieces(text: str) -> list[str]:
    """An extractive answer in the pieces that it is streamed in: one a sentence."""
    return [
        piece for piece in text.replace("] ", "] \x00").replace("\n\n", "\n\n\x00").split("\x00") if piece
    ]
