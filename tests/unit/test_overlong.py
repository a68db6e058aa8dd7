"""A prompt that a model server finds too long: how it says so, and that a shorter one follows in time."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing

import pytest

from app.domain import GenerationParams
from app.errors import LlmTimeoutError, LlmUnavailableError
from app.generation.failures import REQUEST_REFUSED
from app.generation.llm import LlmClient, LlmDelta, LlmSettings
from app.generation.overlong import Overlong, read_overlong
from app.generation.prompt import Prompt, PromptMessage, build_messages
from app.generation.tokens import estimate_tokens
from tests.fakes import Body, ScriptedLlm

PARAMS = GenerationParams(max_tokens=96)
TEXT = "服务器每晚备份数据库，并把副本保存三十天。" * 400

# As the servers of 2024 to 2026 write them: OpenAI, vLLM in three versions, llama.cpp in two, SGLang, TGI.
REFUSALS: list[tuple[object, Overlong]] = [
    (
        {
            "message": "This model's maximum context length is 4096 tokens. However, your messages resulted in 4532 "
            "tokens. Please reduce the length of the messages.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        },
        Overlong(4532, 4096),
    ),
    (
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 4628 tokens (4532 "
            "in the messages, 96 in the completion). Please reduce the length of the messages or completion.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        Overlong(4532, 4096),
    ),
    (
        {
            "message": "'max_tokens' or 'max_completion_tokens' is too large: 96. This model's maximum context length "
            "is 4096 tokens and your request has 4532 input tokens (96 > 4096 - 4532).",
            "type": "BadRequestError",
            "param": "max_tokens",
            "code": 400,
        },
        Overlong(4532, 4096),
    ),
    (
        {
            "message": "You passed 4532 input tokens and requested 96 output tokens. However, the model's context "
            "length is only 4096 tokens, resulting in a maximum input length of 4000 tokens.",
            "type": "BadRequestError",
            "param": "input_tokens",
            "code": 400,
        },
        Overlong(4532, 4096),
    ),
    (
        {
            "message": "The decoder prompt (length 4532) is longer than the maximum model length of 4096. Make sure "
            "that `max_model_len` is no smaller than the number of text tokens.",
            "type": "BadRequestError",
            "code": 400,
        },
        Overlong(4532, 4096),
    ),
    (
        {
            "code": 400,
            "message": "the request exceeds the available context size, try increasing it",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 4532,
            "n_ctx": 4096,
        },
        Overlong(4532, 4096),
    ),
    (
        {
            "code": 400,
            "message": "request (4532 tokens) exceeds the available context size (4096 tokens), try increasing it",
            "type": "invalid_request_error",
        },
        Overlong(4532, 4096),
    ),
    (
        {
            "message": "Requested token count exceeds the model's maximum context length of 4096 tokens. You "
            "requested a total of 4628 tokens: 4532 tokens from the input messages and 96 tokens for the completion.",
            "code": 400,
        },
        Overlong(4532, 4096),
    ),
    (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4532 `inputs` tokens and "
        "96 `max_new_tokens`",
        Overlong(4532, 4096),
    ),
    ({"message": "Your input exceeds the context window of this model.", "code": 400}, Overlong()),
    ({"message": "too much", "code": "context_length_exceeded"}, Overlong()),
]


@pytest.fixture
def server() -> Iterator[ScriptedLlm]:
    with ScriptedLlm("好。") as scripted:
        scripted.counts_tokens = False
        yield scripted


@pytest.fixture
async def client(server: ScriptedLlm) -> AsyncIterator[LlmClient]:
    made = LlmClient(_settings(server))
    yield made
    await made.aclose()


def _settings(server: ScriptedLlm, **changes: float) -> LlmSettings:
    return LlmSettings(server.base_url, connect_timeout_s=5.0, retry_pause_s=0.01, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("body", "told"), REFUSALS)
def test_each_server_s_refusal_is_read(body: object, told: Overlong) -> None:
    assert read_overlong(body, 400) == told


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"message": "Unsupported parameter: 'top_k'", "param": "top_k", "code": "unsupported_parameter"},
        {"message": "max_tokens must be at least 1", "code": 400},
        {"message": ["context", "length"], "code": {}, "type": []},
        {"message": "no such model", "n_prompt_tokens": 4532, "n_ctx": 4096},
    ],
)
def test_other_refusals_are_none(body: object) -> None:
    assert read_overlong(body, 400) is None


@pytest.mark.parametrize("counts", [(True, "4096"), (-1, 0), (10**30, 1.5)])
def test_counts_that_can_not_be_are_none(counts: tuple[object, object]) -> None:
    body = {"type": "exceed_context_size_error", "n_prompt_tokens": counts[0], "n_ctx": counts[1]}
    assert read_overlong(body, 400) == Overlong()
    assert read_overlong({}, 413) == Overlong()


def _tokens(body: Body, per_character: float) -> int:
    return int(sum(len(message["content"]) for message in body["messages"]) * per_character)


def _llama_cpp(per_character: float, context: int = 4096) -> Callable[[Body], Body | None]:
    def refuse(body: Body) -> Body | None:
        tokens = _tokens(body, per_character)
        if tokens < context:
            return None
        kind = "exceed_context_size_error"
        words = "the request exceeds the available context size, try increasing it"
        counts = {"n_prompt_tokens": tokens, "n_ctx": context}
        return {"error": {"code": 400, "message": words, "type": kind, **counts}}

    return refuse


def _vllm(per_character: float) -> Callable[[Body], Body | None]:
    def refuse(body: Body) -> Body | None:
        tokens, wanted = _tokens(body, per_character), body["max_tokens"]
        if tokens + wanted <= 4096:
            return None
        words = (
            f"This model's maximum context length is 4096 tokens. However, you requested {tokens + wanted} tokens "
            f"({tokens} in the messages, {wanted} in the completion)."
        )
        return {"object": "error", "message": words, "type": "BadRequestError", "param": None, "code": 400}

    return refuse


def _without_counts(per_character: float) -> Callable[[Body], Body | None]:
    def refuse(body: Body) -> Body | None:
        too_long = _tokens(body, per_character) > 4000
        words = {"message": "The prompt is too long.", "code": "context_length_exceeded"}
        return {"error": words} if too_long else None

    return refuse


def _build(budget: int) -> Prompt:
    text = TEXT[: int((budget - 16) / 1.5)]
    return Prompt((PromptMessage("user", text),), (), estimate_tokens(text) + 16)


async def _ask(client: LlmClient) -> tuple[list[Prompt], str]:
    prompts, text = list[Prompt](), ""
    async with aclosing(client.ask(_build, PARAMS)) as parts:
        async for part in parts:
            if isinstance(part, LlmDelta):
                text += part.text
            else:
                prompts.append(part)
    return prompts, text


@pytest.mark.parametrize(
    ("refuse", "asked"),
    [
        (_llama_cpp(1.7), 2),  # 4,532 tokens where 4,096 fit
        (_llama_cpp(3), 2),
        (_vllm(1.7), 2),
        (_vllm(3), 2),
        (_without_counts(1.7), 2),
        (_without_counts(3.5), 3),
        (_llama_cpp(1.0), 1),
    ],
)
async def test_a_shorter_prompt_follows_and_is_answered(
    server: ScriptedLlm, client: LlmClient, refuse: Callable[[Body], Body | None], asked: int
) -> None:
    server.refusal = refuse
    prompts, text = await _ask(client)
    assert text == "好。"
    assert len(server.completions) == len(prompts) == asked
    lengths = [len(prompt.messages[0].content) for prompt in prompts]
    assert lengths == sorted(lengths, reverse=True)
    sent = server.completions[-1].body["messages"][0]["content"]
    assert sent == prompts[-1].messages[0].content
    assert len(sent) > 500  # much of the documents is left


async def test_where_the_server_counts_no_more_is_cut_than_must_be(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.refusal = _vllm(1.7)
    prompts, _ = await _ask(client)
    assert 0.9 * 4000 < len(prompts[-1].messages[0].content) * 1.7 <= 4000


async def test_the_context_that_a_refusal_tells_is_remembered(server: ScriptedLlm, client: LlmClient) -> None:
    server.refusal = _llama_cpp(1.0, context=2048)
    await _ask(client)
    assert (await client.served_model()).context_tokens == 2048
    prompts, _ = await _ask(client)
    assert len(prompts) == 1


async def test_after_two_shorter_prompts_it_is_refused(server: ScriptedLlm, client: LlmClient) -> None:
    server.refusal = _llama_cpp(1000)
    with pytest.raises(LlmUnavailableError, match="exceeds the available context size") as caught:
        await _ask(client)
    assert caught.value.code == REQUEST_REFUSED
    assert len(server.completions) == 3
    assert not client.breaker.is_open


async def test_a_question_that_can_not_be_shortened_is_refused_in_the_server_s_words(
    server: ScriptedLlm, client: LlmClient
) -> None:
    def build(budget: int) -> Prompt:
        return build_messages(
            TEXT[:2000],
            (),
            (),
            budget_tokens=budget,
            count_tokens=estimate_tokens,
            nonce="0",
            language="zh",
        )

    server.refusal = _llama_cpp(3)
    with pytest.raises(LlmUnavailableError, match="exceeds the available context size"):
        async with aclosing(client.ask(build, PARAMS)) as parts:
            assert [part async for part in parts]
    assert len(server.completions) == 1


async def test_all_prompts_together_take_no_longer_than_one(server: ScriptedLlm) -> None:
    """Each refusal takes .3 s of the .5 s that a completion may take."""

    def refuse(body: Body) -> Body | None:
        time.sleep(0.3)
        return _llama_cpp(1000)(body)

    server.refusal = refuse
    client = LlmClient(_settings(server, total_timeout_s=0.5))
    with pytest.raises(LlmTimeoutError):
        await _ask(client)
    await client.aclose()
    assert len(server.completions) < 3


async def test_a_refusal_within_the_stream_is_one_too(server: ScriptedLlm, client: LlmClient) -> None:
    """llama.cpp began its stream before it had read the prompt."""
    refused = {"code": 400, "message": "too long", "type": "exceed_context_size_error"}
    server.next_modes.append("wrong_json")
    server.wrong_json = json.dumps({"error": refused})
    prompts, text = await _ask(client)
    assert (len(prompts), text) == (2, "好。")
