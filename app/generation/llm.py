"""A client of one language model server that speaks OpenAI's wire format (vLLM, llama.cpp, OpenAI, …).

Streams completions under four time limits, wraps every failure into LlmUnavailableError or LlmTimeoutError,
and leaves a failing server alone for a while. Treats the server as untrusted: what it sends is checked for
shape, and its words reach an error message only shortened. Knows nothing of chunks, citations or HTTP routes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import openai

from app.addresses import show_server
from app.domain import GenerationParams
from app.errors import GenerationError, LimitExceededError, LlmTimeoutError, LlmUnavailableError
from app.generation.breaker import CircuitBreaker
from app.generation.completion import OpenCompletion
from app.generation.completion_stream import Piece, wire_message
from app.generation.completion_text import CompletionText, LlmDelta, ReasoningHabits
from app.generation.concurrency import ConcurrencyLimiter
from app.generation.counting import PromptCounter
from app.generation.failures import FAILURES, REQUEST_REFUSED, worth_a_retry, wrap_failure
from app.generation.llm_settings import LlmSettings
from app.generation.overlong import Overlong, PromptTooLongError, shorter_budget
from app.generation.parameters import MAX_TOKENS, Parameters
from app.generation.prompt import MESSAGE_TOKENS, REPLY_TOKENS, Prompt, PromptMessage
from app.generation.served_model import DEFAULT_CONTEXT_TOKENS, ServedModel, ask_served_model
from app.generation.together import Together
from app.generation.tokens import estimate_tokens
from app.tracing import ModelCall

__all__ = ["LlmClient", "LlmDelta", "LlmSettings"]

MAX_COMPLETION_CHARS = 200_000  # a server that goes on beyond this does not heed max_tokens
_FITTING_ROUNDS = 4
_SHORTER_TRIES = 2  # with shorter prompts, where the server finds one too long
_DEFAULT_PARAMS = GenerationParams()


class LlmClient:
    """One server's client; make one for the service's life and `aclose` it. `clock` is for the breaker alone."""

    def __init__(self, settings: LlmSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._breaker = CircuitBreaker(clock)
        self._turns = ConcurrencyLimiter(
            concurrency=settings.concurrency, queue=settings.queue, wait_s=settings.queue_timeout_s
        )
        self._served: ServedModel | None = None
        self._looking = Together(self._ask_served_model)
        self._parameters = Parameters()
        self._habits = ReasoningHabits()
        # Waiting for bytes is limited by this class, whose limits differ from byte to byte: read=None.
        timeout = httpx2.Timeout(settings.connect_timeout_s, read=None)
        headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        # No redirects: a prompt goes to the server that was named and to no other.
        self._http = httpx2.AsyncClient(
            timeout=timeout,
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            headers=headers,
        )
        self._openai = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=settings.api_key or "none",
            http_client=self._http,
            max_retries=0,
            timeout=timeout,
        )
        self._counter = PromptCounter(self._http, settings)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._openai.close()

    @property
    def model_name(self) -> str:
        """The model's name as far as it is known: the server's, the setting's, or "llm"."""
        return self._served.name if self._served else self._settings.model or "llm"

    @property
    def breaker(self) -> CircuitBreaker:
        return self._breaker

    @property
    def address(self) -> str:
        """The server's, as it may be shown."""
        return show_server(self._settings.base_url)

    @property
    def has_room(self) -> bool:
        """Whether a turn is free now."""
        return self._turns.has_room

    def waiting(self) -> int:
        """How many wait for their turn now."""
        return self._turns.waiting

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None, None]:
        """Hold one of the server's turns for the block; its wait counts into none of the four time limits.

        Raises LlmBusyError, and LlmUnavailableError at once while the server is left alone.
        """
        if self._breaker.wait_s > 0:
            raise self._left_alone()
        async with self._turns.take():
            if self._breaker.wait_s > 0:
                raise self._left_alone()  # it was given up while this one waited
            yield

    async def served_model(self) -> ServedModel:
        """Return the model and its context length, asked of the server once; who asks meanwhile waits for the same.

        Raises LlmUnavailableError or LlmTimeoutError.
        """
        if self._served is None:
            self._served = await self._looking.get()
        return self._served

    async def look(self) -> ServedModel:
        """Ask the server now whether it is there, whatever it said before. Raises as `served_model` does."""
        return await self._ask_served_model()

    async def _ask_served_model(self) -> ServedModel:
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                return await ask_served_model(
                    self._http,
                    self._settings.base_url,
                    name=self._settings.model,
                    context_tokens=self._settings.context_tokens,
                )
        except TimeoutError as error:
            raise LlmTimeoutError("The language model server did not list its models in time.") from error

    async def fit_prompt(
        self, build: Callable[[int], Prompt], params: GenerationParams = _DEFAULT_PARAMS
    ) -> Prompt:
        """Return the longest prompt of `build` that the model's context holds beside its completion.

        `build(budget)` makes a prompt of at most `budget` tokens by its own estimate. Where the server counts, or
        the tokenizer of PGASK_LLM_MODEL is on this machine, that count decides: one when the first prompt fits and
        had room to spare, else up to four, with the budget corrected by what the count showed. Else, and while the
        breaker is open, the estimate decides.
        Raises what `build` raises, LlmUnavailableError and LlmTimeoutError, and LimitExceededError when no
        prompt fits.
        """
        room = await self._prompt_room(params)
        budget, best, counted = room, None, None
        for _ in range(_FITTING_ROUNDS):
            prompt = await asyncio.to_thread(
                build, budget
            )  # with many chunks it counts for a tenth of a second
            counted = await self._count(prompt.messages)
            if counted is None:
                return prompt
            if counted <= room and (best is None or counted > best.prompt_tokens):
                best = replace(prompt, prompt_tokens=counted)
            spare = prompt.prompt_tokens < 0.8 * budget  # it was not the budget that kept it short
            next_budget = int(prompt.prompt_tokens * room / counted * 0.97)
            if counted <= room and (spare or next_budget < 1.1 * budget):
                break
            budget = next_budget
        if best is None:
            raise LimitExceededError(
                f"The prompt for this question has {counted} tokens even when cut, and the model has room for {room} "
                "(PGASK_LLM_CONTEXT_TOKENS, or what its server says): shorten the question, or use a model with a "
                "longer context.",
                code="prompt_too_large",
                chinese=f"该问题的提示缩短后仍有 {counted} 个词元，模型只容得下 {room}"
                "（PGASK_LLM_CONTEXT_TOKENS，或其服务器给出的值）：请缩短问题，或换用上下文更长的模型。",
            )
        return best

    async def ask(
        self, build: Callable[[int], Prompt], params: GenerationParams = _DEFAULT_PARAMS
    ) -> AsyncGenerator[Prompt | LlmDelta, None]:
        """Yield the prompt that is asked with, as `fit_prompt` makes it, then its completion as `stream` yields it.

        Estimates may be too low: where the server finds the prompt too long, a shorter one follows, at most twice, by
        the counts that the refusal tells; all within the time limit of one completion. Raises as both do.
        """
        prompt = await self.fit_prompt(build, params)
        ends = asyncio.get_running_loop().time() + self._settings.total_timeout_s
        for tries_left in range(_SHORTER_TRIES, -1, -1):
            yield prompt
            has_begun = False
            try:
                async with aclosing(self.stream(prompt.messages, params, ends=ends)) as deltas:
                    async for delta in deltas:
                        has_begun = True
                        yield delta
                return
            except PromptTooLongError as refused:
                if has_begun or not tries_left:
                    raise
                shorter = await self._shorten(prompt, refused.overlong, build, params)
                if shorter is None:
                    raise
                prompt = shorter

    async def _shorten(
        self, prompt: Prompt, overlong: Overlong, build: Callable[[int], Prompt], params: GenerationParams
    ) -> Prompt | None:
        """A shorter prompt than one that was refused; None where there is none. The context's length is remembered."""
        told = overlong.context_tokens
        if self._served is not None and told is not None and told < self._served.context_tokens:
            self._served = replace(self._served, context_tokens=told)
        room = await self._prompt_room(params)
        budget = shorter_budget(_estimate(prompt.messages), room, overlong)
        try:
            return await asyncio.to_thread(build, budget)
        except LimitExceededError:
            return None

    async def stream(
        self,
        messages: Sequence[PromptMessage],
        params: GenerationParams = _DEFAULT_PARAMS,
        *,
        ends: float | None = None,
    ) -> AsyncGenerator[LlmDelta, None]:
        """Yield the completion piece by piece, the last delta with `finish_reason` and `usage`. It is over by `ends`,
        of the event loop's time; unset: the time limit of a completion from now.

        Connection failures and refusals for load are tried once more before the first token, never after it.
        Iterate under `contextlib.aclosing`, so that leaving early closes the server's stream at once; a
        cancelled task does too. Raises LlmUnavailableError (also while the breaker is open, without asking the
        server) and LlmTimeoutError; what was yielded before stays valid.
        """
        if not self._breaker.allow():
            raise self._left_alone()
        call = ModelCall(
            self.model_name,
            self.address,
            {"max_tokens": params.max_tokens, "temperature": params.temperature, "top_p": params.top_p},
        )
        try:
            async with aclosing(self._deltas(messages, params, ends)) as deltas:
                async for delta in deltas:
                    _note(call, delta)
                    yield delta
        except GenerationError as error:
            call.end(error)
            if error.code != REQUEST_REFUSED:
                self._breaker.record_failure()
            raise
        finally:
            call.end()
        self._breaker.record_success()

    def _left_alone(self) -> LlmUnavailableError:
        return LlmUnavailableError(
            f"The language model failed several times in a row; it is tried again in {self._breaker.wait_s:.0f} s."
        )

    async def complete(self, messages: Sequence[PromptMessage], params: GenerationParams) -> str:
        """The whole completion of a short request. Raises as `stream` does."""
        async with aclosing(self.stream(messages, params)) as deltas:
            text = ""
            async for delta in deltas:
                text = "" if delta.stage == "answer" else text + delta.text
            return text

    async def _deltas(
        self, messages: Sequence[PromptMessage], params: GenerationParams, ends: float | None
    ) -> AsyncGenerator[LlmDelta, None]:
        """The deltas of a completion. A model that is found to reason before it has said anything is asked again at
        once, with the tokens for that."""
        if ends is None:
            ends = asyncio.get_running_loop().time() + self._settings.total_timeout_s
        begins_anew = False
        if not self._habits.reasons and self._settings.reasoning_tokens:
            async with aclosing(self._completion(messages, params, ends)) as deltas:
                async for delta in deltas:
                    begins_anew = delta.stage == "reasoning"
                    if begins_anew:
                        break
                    yield delta
            if not begins_anew:
                return
        async with aclosing(self._completion(messages, params, ends)) as deltas:
            async for delta in deltas:
                yield delta

    async def _completion(
        self, messages: Sequence[PromptMessage], params: GenerationParams, ends: float
    ) -> AsyncGenerator[LlmDelta, None]:
        completion, first = await self._begin(messages, params, ends)
        text = CompletionText(self._habits, completion.stops, params.max_tokens)
        piece: Piece | None = first
        length = 0
        try:
            while piece is not None:
                length += len(piece.text)
                if length > MAX_COMPLETION_CHARS:
                    raise LlmUnavailableError("The language model does not stop: its answer is too long.")
                for delta in text.read(piece):
                    yield delta
                if text.is_over:
                    break
                is_finished = text.finish_reason is not None
                try:
                    piece = await completion.next_piece(ends, is_finished=is_finished)
                except GenerationError:
                    if not is_finished:
                        raise
                    break  # the answer is whole, only its count of tokens is missing
        finally:
            await completion.close()
        if text.finish_reason is None:
            raise LlmUnavailableError("The language model server broke off its answer.")
        for delta in text.finish():
            yield delta

    async def _begin(
        self, messages: Sequence[PromptMessage], params: GenerationParams, ends: float
    ) -> tuple[OpenCompletion, Piece]:
        """Open a completion and read up to its first sign of life, with one more try."""
        limit_s = min(self._settings.first_token_timeout_s, self._settings.total_timeout_s)
        try:
            async with asyncio.timeout_at(min(asyncio.get_running_loop().time() + limit_s, ends)):
                try:
                    return await self._open(messages, params)
                except FAILURES as error:
                    if not worth_a_retry(error):
                        raise
                    await asyncio.sleep(self._settings.retry_pause_s)
                    if self._breaker.is_open:
                        raise
                return await self._open(messages, params)
        except TimeoutError as error:
            raise LlmTimeoutError(
                f"The language model did not begin to answer within {limit_s:g} s."
            ) from error
        except GenerationError:
            raise
        except FAILURES as error:
            if isinstance(error, openai.NotFoundError):  # another model is served now: ask again
                self._served = None
                self._counter.forget()
                self._parameters.forget()
                self._habits.forget()
            raise wrap_failure(error, self._settings.secrets) from error

    async def _open(
        self, messages: Sequence[PromptMessage], params: GenerationParams
    ) -> tuple[OpenCompletion, Piece]:
        completion = await self._create(messages, params)
        try:
            return completion, await completion.first_piece()
        except BaseException:
            await completion.close()
            raise

    async def _create(self, messages: Sequence[PromptMessage], params: GenerationParams) -> OpenCompletion:
        """Ask for a completion without what the server refuses by name."""
        was_open = self._breaker.is_open
        served = await self.served_model()
        if self._breaker.is_open and not was_open:
            raise self._left_alone()
        wanted = self._wanted(messages, params, served)
        attempt = self._parameters.attempt()
        while True:
            sent = attempt.choose(wanted)
            try:
                stream = await self._openai.chat.completions.create(
                    model=served.name,
                    messages=[wire_message(message) for message in messages],
                    stream=True,
                    extra_body=sent,
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not attempt.learn(error.body, sent):
                    raise
            else:
                attempt.taken()
                return OpenCompletion(stream, () if "stop" in sent else params.stop, self._settings)

    async def _prompt_room(self, params: GenerationParams) -> int:
        """Tokens that the prompt may take; by the setting alone while the breaker is open."""
        if self._served is None and self._breaker.is_open:
            served = ServedModel(self.model_name, self._settings.context_tokens or DEFAULT_CONTEXT_TOKENS)
        else:
            try:
                served = await self.served_model()
            except GenerationError:
                self._breaker.record_failure()
                raise
        return served.context_tokens - _completion_room(params, served, self._reasoning_tokens())

    def _reasoning_tokens(self) -> int:
        """Tokens for reasoning: none where the model is not known to."""
        return self._settings.reasoning_tokens if self._habits.reasons else 0

    def _wanted(
        self, messages: Sequence[PromptMessage], params: GenerationParams, served: ServedModel
    ) -> dict[str, Any]:
        """The parameters of a completion. Tokens for reasoning are what the prompt leaves: it may have been fitted
        before the model was known to reason."""
        room = _completion_room(params, served, self._reasoning_tokens())
        if self._reasoning_tokens():
            left = served.context_tokens - _estimate(messages)
            room = max(_completion_room(params, served, 0), min(room, left))
        wanted: dict[str, Any] = {
            "temperature": params.temperature,
            "top_p": params.top_p,
            MAX_TOKENS: room,
            "top_k": params.top_k,
            "stream_options": {"include_usage": True},
        }
        return wanted | ({"stop": list(params.stop)} if params.stop else {})

    async def _count(self, messages: Sequence[PromptMessage]) -> int | None:
        if self._served is None or self._breaker.is_open:
            return None
        return await self._counter.count(self._served, messages)


def _note(call: ModelCall, delta: LlmDelta) -> None:
    if delta.text:
        call.note_text()
    if delta.finish_reason is not None:
        usage = delta.usage
        call.note_end(
            delta.finish_reason, usage.prompt_tokens if usage else 0, usage.completion_tokens if usage else 0
        )


def _estimate(messages: Sequence[PromptMessage]) -> int:
    """Tokens of a prompt by our own estimate, with what a chat template adds."""
    return sum(estimate_tokens(message.content) + MESSAGE_TOKENS for message in messages) + REPLY_TOKENS


def _completion_room(params: GenerationParams, served: ServedModel, reasoning_tokens: int) -> int:
    """Tokens that the completion may take: never more than half the context, the rest is the prompt's."""
    return min(params.max_tokens + reasoning_tokens, served.context_tokens // 2)
