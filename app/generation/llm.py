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
from dataclasses import dataclass, field, replace

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk

from app.config import Settings
from app.domain import GenerationParams, Usage
from app.errors import GenerationError, LimitExceededError, LlmTimeoutError, LlmUnavailableError
from app.generation.breaker import CircuitBreaker
from app.generation.failures import FAILURES, REQUEST_REFUSED, worth_a_retry, wrap_failure
from app.generation.prompt import MESSAGE_TOKENS, REPLY_TOKENS, Prompt, PromptMessage
from app.generation.served_model import (
    DEFAULT_CONTEXT_TOKENS,
    ServedModel,
    ask_served_model,
    count_tokens,
)
from app.generation.tokens import local_tokenizer
from app.generation.turns import Turns
from app.generation.wire import NotACompletionError, Piece, read_chunk, wire_message

MAX_COMPLETION_CHARS = 200_000  # a server that goes on beyond this does not heed max_tokens
# Fields beyond the oldest OpenAI wire: sent first, left out for good once a server refuses them by name.
OPTIONAL_FIELDS = ("top_k", "stream_options")
_FITTING_ROUNDS = 4
_USAGE_WAIT_S = 1.0  # after the finish reason, for the count of tokens
_DEFAULT_PARAMS = GenerationParams()


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """Where the server is and how long it may take, in seconds. See PGASK_LLM_* in app/config.py."""

    base_url: str
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int | None = None
    connect_timeout_s: float = 3.0
    first_token_timeout_s: float = 15.0
    idle_timeout_s: float = 10.0
    total_timeout_s: float = 120.0
    concurrency: int = 8
    queue: int = 32
    queue_timeout_s: float = 10.0
    retry_pause_s: float = 0.2

    @classmethod
    def from_settings(cls, settings: Settings) -> LlmSettings | None:
        """The group from all settings; None where no server is configured."""
        if settings.llm_base_url is None:
            return None
        return cls(
            base_url=settings.llm_base_url.rstrip("/"),
            model=settings.llm_model,
            api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
            context_tokens=settings.llm_context_tokens,
            connect_timeout_s=settings.llm_connect_timeout_s,
            first_token_timeout_s=settings.llm_first_token_timeout_s,
            idle_timeout_s=settings.llm_idle_timeout_s,
            total_timeout_s=settings.llm_total_timeout_s,
            concurrency=settings.llm_concurrency,
            queue=settings.llm_queue,
            queue_timeout_s=settings.llm_queue_timeout_s,
        )


@dataclass(frozen=True, slots=True)
class LlmDelta:
    """A piece of a completion. The last one has no text, a `finish_reason` ("stop", "length", …) and `usage`,
    which is zero where the server does not count."""

    text: str
    finish_reason: str | None = None
    usage: Usage | None = None


class LlmClient:
    """One server's client; make one for the service's life and `aclose` it. `clock` is for the breaker alone."""

    def __init__(self, settings: LlmSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._breaker = CircuitBreaker(clock)
        self._turns = Turns(
            concurrency=settings.concurrency, queue=settings.queue, wait_s=settings.queue_timeout_s
        )
        self._served: ServedModel | None = None
        self._asking = asyncio.Lock()
        self._server_counts = True
        self._tokenizer: Callable[[str], int] | None = None
        self._looked_for_tokenizer = False
        self._refused_fields: set[str] = set()
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
            yield

    async def served_model(self) -> ServedModel:
        """Return the model and its context length, asked of the server once.

        Raises LlmUnavailableError or LlmTimeoutError.
        """
        async with self._asking:
            if self._served is None:
                try:
                    async with asyncio.timeout(self._settings.connect_timeout_s):
                        self._served = await ask_served_model(
                            self._http,
                            self._settings.base_url,
                            name=self._settings.model,
                            context_tokens=self._settings.context_tokens,
                        )
                except TimeoutError as error:
                    raise LlmTimeoutError(
                        "The language model server did not list its models in time."
                    ) from error
            return self._served

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
        budget, best = room, None
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
                "No prompt for this question fits the model's context: shorten the question, or use a model with "
                "a longer context.",
                code="prompt_too_large",
            )
        return best

    async def stream(
        self, messages: Sequence[PromptMessage], params: GenerationParams = _DEFAULT_PARAMS
    ) -> AsyncGenerator[LlmDelta, None]:
        """Yield the completion piece by piece, the last delta with `finish_reason` and `usage`.

        Connection failures and refusals for load are tried once more before the first token, never after it.
        Iterate under `contextlib.aclosing`, so that leaving early closes the server's stream at once; a
        cancelled task does too. Raises LlmUnavailableError (also while the breaker is open, without asking the
        server) and LlmTimeoutError; what was yielded before stays valid.
        """
        if not self._breaker.allow():
            raise self._left_alone()
        try:
            async with aclosing(self._deltas(messages, params)) as deltas:
                async for delta in deltas:
                    yield delta
        except GenerationError as error:
            if error.code != REQUEST_REFUSED:
                self._breaker.record_failure()
            raise
        self._breaker.record_success()

    def _left_alone(self) -> LlmUnavailableError:
        return LlmUnavailableError(
            f"The language model failed several times in a row; it is tried again in {self._breaker.wait_s:.0f} s."
        )

    async def complete(self, messages: Sequence[PromptMessage], params: GenerationParams) -> str:
        """The whole completion of a short request. Raises as `stream` does."""
        async with aclosing(self.stream(messages, params)) as deltas:
            return "".join([delta.text async for delta in deltas])

    async def _deltas(
        self, messages: Sequence[PromptMessage], params: GenerationParams
    ) -> AsyncGenerator[LlmDelta, None]:
        started = asyncio.get_running_loop().time()
        ends = started + self._settings.total_timeout_s
        completion, first = await self._first_piece(messages, params, started, ends)
        piece: Piece | None = first
        finish_reason: str | None = None
        usage, length = Usage(), 0
        try:
            while piece is not None:
                finish_reason, usage = piece.finish_reason or finish_reason, piece.usage or usage
                length += len(piece.text)
                if length > MAX_COMPLETION_CHARS:
                    raise LlmUnavailableError("The language model does not stop: its answer is too long.")
                if piece.text:
                    yield LlmDelta(piece.text)
                try:
                    piece = await self._next_piece(completion, ends, is_finished=finish_reason is not None)
                except GenerationError:
                    if finish_reason is None:
                        raise
                    break  # the answer is whole, only its count of tokens is missing
        finally:
            await completion.close()
        if finish_reason is None:
            raise LlmUnavailableError("The language model server broke off its answer.")
        yield LlmDelta("", finish_reason, usage)

    async def _first_piece(
        self, messages: Sequence[PromptMessage], params: GenerationParams, started: float, ends: float
    ) -> tuple[openai.AsyncStream[ChatCompletionChunk], Piece]:
        """Open a completion and read up to its first sign of life, with one more try."""
        limit_s = min(self._settings.first_token_timeout_s, self._settings.total_timeout_s)
        try:
            async with asyncio.timeout_at(min(started + limit_s, ends)):
                try:
                    return await self._open(messages, params)
                except (GenerationError, *FAILURES) as error:
                    if not worth_a_retry(error):
                        raise
                await asyncio.sleep(self._settings.retry_pause_s)
                return await self._open(messages, params)
        except TimeoutError as error:
            raise LlmTimeoutError(
                f"The language model did not begin to answer within {limit_s:g} s."
            ) from error
        except FAILURES as error:
            if isinstance(error, openai.NotFoundError):
                self._served, self._server_counts = None, True  # another model is served now: ask again
            raise wrap_failure(error, self._settings.api_key) from error

    async def _open(
        self, messages: Sequence[PromptMessage], params: GenerationParams
    ) -> tuple[openai.AsyncStream[ChatCompletionChunk], Piece]:
        completion = await self._create(messages, params)
        try:
            # Not `async for`: it would leave a second generator behind, which can't be resumed.
            while (chunk := await anext(completion, None)) is not None:
                piece = read_chunk(chunk)
                if piece.is_alive:
                    return completion, piece
        except BaseException:
            await completion.close()
            raise
        await completion.close()
        raise NotACompletionError("The language model server sent no completion.")

    async def _next_piece(
        self, completion: openai.AsyncStream[ChatCompletionChunk], ends: float, *, is_finished: bool
    ) -> Piece | None:
        wait_s = self._settings.idle_timeout_s
        if is_finished:
            wait_s = min(wait_s, _USAGE_WAIT_S)
        idle_ends = asyncio.get_running_loop().time() + wait_s
        try:
            async with asyncio.timeout_at(min(idle_ends, ends)):
                chunk = await anext(completion, None)
                return None if chunk is None else read_chunk(chunk)
        except TimeoutError as error:
            if idle_ends < ends:
                limit = f"stopped in the middle of its answer for {self._settings.idle_timeout_s:g} s"
            else:
                limit = f"did not finish its answer within {self._settings.total_timeout_s:g} s"
            raise LlmTimeoutError(f"The language model {limit}.") from error
        except FAILURES as error:
            raise wrap_failure(error, self._settings.api_key) from error

    async def _create(
        self, messages: Sequence[PromptMessage], params: GenerationParams
    ) -> openai.AsyncStream[ChatCompletionChunk]:
        """Ask for a completion; fields that the server refuses by name are left out from then on."""
        served = await self.served_model()
        while True:
            optional = {"top_k": params.top_k, "stream_options": {"include_usage": True}}
            sent = {name: value for name, value in optional.items() if name not in self._refused_fields}
            try:
                return await self._openai.chat.completions.create(
                    model=served.name,
                    messages=[wire_message(message) for message in messages],
                    temperature=params.temperature,
                    top_p=params.top_p,
                    max_tokens=_completion_room(params, served),
                    stop=list(params.stop) or openai.omit,
                    stream=True,
                    extra_body=sent,
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                refused = {name for name in sent if name in str(error)}
                if not refused:
                    raise
                self._refused_fields |= refused

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
        return served.context_tokens - _completion_room(params, served)

    async def _count(self, messages: Sequence[PromptMessage]) -> int | None:
        if self._served is None or self._breaker.is_open:
            return None
        counted = await self._count_by_server(messages)
        return counted if counted is not None else await self._count_here(messages)

    async def _count_here(self, messages: Sequence[PromptMessage]) -> int | None:
        """By the model's own tokenizer, with what a chat template adds at most."""
        if self._settings.model is None:
            return None
        if not self._looked_for_tokenizer:
            self._tokenizer = await asyncio.to_thread(local_tokenizer, self._settings.model)
            self._looked_for_tokenizer = True
        if self._tokenizer is None:
            return None
        counts = await asyncio.to_thread(
            list, map(self._tokenizer, [message.content for message in messages])
        )
        return sum(counts) + MESSAGE_TOKENS * len(messages) + REPLY_TOKENS

    async def _count_by_server(self, messages: Sequence[PromptMessage]) -> int | None:
        if not self._server_counts or self._served is None:
            return None
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                counted = await count_tokens(self._http, self._settings.base_url, self._served.name, messages)
        except (TimeoutError, httpx2.HTTPError):
            return None  # it may count next time
        self._server_counts = counted is not None
        return counted


def _completion_room(params: GenerationParams, served: ServedModel) -> int:
    """Tokens that the completion may take: never more than half the context, the rest is the prompt's."""
    return min(params.max_tokens, served.context_tokens // 2)
