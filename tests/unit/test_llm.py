"""The real client against a scripted server: what it sends, every way a server can fail, leaving early."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from app.config import load_settings
from app.domain import GenerationParams, Usage
from app.errors import LimitExceededError, LlmTimeoutError, LlmUnavailableError
from app.generation.failures import MAX_EXCERPT_CHARS, REQUEST_REFUSED
from app.generation.llm import LlmClient, LlmDelta, LlmSettings
from app.generation.prompt import MESSAGE_TOKENS, REPLY_TOKENS, Prompt, PromptMessage
from app.generation.tokens import estimate_tokens, local_tokenizer
from tests.fakes import Body, Mode, ScriptedLlm

ANSWER = "Lists: rows / 1000 [1]. 列表数约为行数的千分之一【2】。"
MESSAGES = [PromptMessage("system", "Rules."), PromptMessage("user", "How many lists?")]


Refusal = Callable[[Body], Body | None]


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[ScriptedLlm]:
    with ScriptedLlm(ANSWER) as scripted:
        yield scripted


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def quick(server: ScriptedLlm, **changes: object) -> LlmSettings:
    limits = {
        "base_url": server.base_url,
        "connect_timeout_s": 5.0,
        "first_token_timeout_s": 0.5,
        "idle_timeout_s": 0.3,
        "total_timeout_s": 2.0,
        "retry_pause_s": 0.01,
    }
    return LlmSettings(**{**limits, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def client(server: ScriptedLlm, clock: FakeClock) -> AsyncIterator[LlmClient]:
    made = LlmClient(quick(server), clock=clock)
    yield made
    await made.aclose()


async def deltas(client: LlmClient, params: GenerationParams = GenerationParams()) -> list[LlmDelta]:  # noqa: B008
    async with aclosing(client.stream(MESSAGES, params)) as stream:
        return [delta async for delta in stream]


async def test_streams_text_then_finish_reason_and_usage(server: ScriptedLlm, client: LlmClient) -> None:
    got = await deltas(client)
    assert "".join(delta.text for delta in got) == ANSWER
    assert len(got) > 5
    assert all(delta.text and delta.finish_reason is None for delta in got[:-1])
    assert got[-1] == LlmDelta("", "stop", Usage(6, 10))
    assert client.model_name == "scripted-llama"


async def test_sends_the_parameters_and_asks_for_the_model_once(
    server: ScriptedLlm, client: LlmClient
) -> None:
    params = GenerationParams(temperature=0.7, top_p=0.5, top_k=3, max_tokens=9, stop=("\n\n", "问题"))
    await deltas(client, params)
    await deltas(client)
    sent = server.completions[0].body
    expected = {"model": "scripted-llama", "temperature": 0.7, "top_p": 0.5, "top_k": 3, "max_tokens": 9}
    assert expected.items() <= sent.items()
    assert sent["stop"] == ["\n\n", "问题"]
    assert sent["messages"] == [{"role": m.role, "content": m.content} for m in MESSAGES]
    assert "stop" not in server.completions[1].body
    assert [r.path for r in server.requests].count("/v1/models") == 1


async def test_what_a_server_says_is_shown_without_any_secret_of_the_settings(server: ScriptedLlm) -> None:
    """It is told the key and the password of its address, and may know others."""
    address = server.base_url.replace("://", "://me:can%40ary@")
    sent = base64.b64encode(b"me:can@ary").decode()
    secrets = ["sk-secret", "can%40ary", "can@ary", sent, "of-the-database", "of-its-owner"]
    (settings,) = LlmSettings.each_from_settings(
        load_settings(
            llm_base_url=f"{address}",
            llm_api_key="sk-secret",
            database_url="postgresql://app:of-the-database@db/docs",
            owner_database_url="host=db user=owner password=of-its-owner",
        )
    )
    client = LlmClient(settings)
    server.refusal = lambda _: {"error": {"message": f"not for {', '.join(secrets)}"}}
    with pytest.raises(LlmUnavailableError, match=r"not for \*\*\*, \*\*\*") as refused:
        await deltas(client)
    server.refusal = None
    server.next_modes.append("wrong_json")
    server.wrong_json = json.dumps({"error": {"message": f"broken for {', '.join(secrets)}"}})
    with pytest.raises(LlmUnavailableError, match=r"broken for \*\*\*, \*\*\*") as broken:
        await deltas(client)
    await client.aclose()
    shown = f"{refused.value}{broken.value}{settings!r}"
    assert [secret for secret in secrets if secret in shown] == []


async def test_the_key_goes_to_every_path_and_into_no_text(server: ScriptedLlm) -> None:
    client = LlmClient(quick(server, api_key="sk-secret"))
    await client.fit_prompt(_builder("short"))
    server.mode = "unauthorized_401"
    with pytest.raises(LlmUnavailableError) as caught:
        await deltas(client)
    await client.aclose()
    assert {r.headers["authorization"] for r in server.requests} == {"Bearer sk-secret"}
    assert {r.path for r in server.requests} == {"/v1/models", "/tokenize", "/v1/chat/completions"}
    assert "sk-secret" not in f"{caught.value}{quick(server, api_key='sk-secret')!r}"


async def test_a_server_that_counts_no_usage_gives_zero(server: ScriptedLlm, client: LlmClient) -> None:
    server.sends_usage = False
    assert (await deltas(client))[-1].usage == Usage(0, 0)


async def test_fields_that_a_server_refuses_are_left_out_from_then_on(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.refused_fields = frozenset({"top_k", "stream_options"})
    for _ in range(2):
        assert "".join(delta.text for delta in await deltas(client)) == ANSWER
    assert ["top_k" in r.body for r in server.completions].count(True) <= 2
    assert "top_k" not in server.completions[-1].body
    assert len(server.completions) == 4  # each field is refused once, then two good requests


def _refusing(*names: str, message: str, by_param: bool = True, code: str | None = None) -> Refusal:
    """A server that refuses the first of some parameters that a request has, in the words of `message`."""

    def refusal(body: Body) -> Body | None:
        name = next((name for name in names if name in body), None)
        if name is None:
            return None
        fault = {"message": message.format(name=name), "param": name if by_param else None, "code": code}
        return {"error": fault}

    return refusal


@pytest.mark.parametrize("by_param", [True, False])
async def test_f_501_a_renamed_parameter_and_a_refused_one_are_remembered(
    server: ScriptedLlm, client: LlmClient, by_param: bool
) -> None:
    """OpenAI's present models take neither max_tokens nor a temperature of ours."""
    renamed = _refusing(
        "max_tokens",
        message="Unsupported parameter: '{name}' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        by_param=by_param,
        code="unsupported_parameter" if by_param else None,
    )
    refused = _refusing(
        "temperature",
        "top_k",
        message="Unsupported value: '{name}' does not support 0.2 with this model. Only the default (1) value is "
        "supported.",
        by_param=by_param,
    )
    server.refusal = lambda body: renamed(body) or refused(body)
    for _ in range(2):
        assert "".join(delta.text for delta in await deltas(client)) == ANSWER
    assert len(server.completions) == 5  # each parameter is refused once, then two good requests
    body = server.completions[-1].body
    assert body["max_completion_tokens"] == 512
    assert not {"max_tokens", "temperature", "top_k"} & body.keys()
    assert {"top_p", "stream_options"} <= body.keys()


@pytest.mark.parametrize(
    "message",
    [
        "Bad request, the prompt was: 'How do I choose top_k and temperature?'",
        "The prompt is too long: … set `top_k` to 40. What is 'temperature'? …",
        "'max_tokens' or 'max_completion_tokens' is too large: 5000",
        "Unknown parameter: 'top_k'",  # the words of a refusal, but leaving it out does not help
    ],
)
async def test_f_502_a_refusal_that_repeats_a_name_drops_nothing_for_good(
    server: ScriptedLlm, client: LlmClient, message: str
) -> None:
    server.refusal = lambda _: {"error": {"message": message, "type": "invalid_request_error"}}
    with pytest.raises(LlmUnavailableError):
        await deltas(client)
    server.refusal = None
    await deltas(client)
    body = server.completions[-1].body
    assert {"top_k", "temperature", "max_tokens", "stream_options"} <= body.keys()


async def test_a_value_out_of_range_is_left_out_of_its_request_alone(
    server: ScriptedLlm, client: LlmClient
) -> None:
    def refusal(body: Body) -> Body | None:
        if body.get("temperature", 0) <= 1:
            return None
        return {"error": {"message": "temperature must be at most 1", "param": "temperature"}}

    server.refusal = refusal
    await deltas(client, GenerationParams(temperature=1.5))
    assert "temperature" not in server.completions[-1].body
    await deltas(client, GenerationParams(temperature=0.5))
    assert server.completions[-1].body["temperature"] == 0.5


async def test_stop_strings_that_a_server_does_not_take_are_cut_here(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.refusal = _refusing("stop", message="Unsupported parameter: '{name}'")
    got = await deltas(client, GenerationParams(stop=("列表数",)))
    assert "".join(delta.text for delta in got) == "Lists: rows / 1000 [1]. "
    assert got[-1].finish_reason == "stop"


async def test_f_503_a_hung_list_of_models_fails_all_questions_at_once(server: ScriptedLlm) -> None:
    server.lists_models = False
    client = LlmClient(quick(server, connect_timeout_s=0.3, concurrency=8, queue=32))

    async def ask() -> None:
        with pytest.raises((LlmTimeoutError, LlmUnavailableError)):
            async with client.turn():
                await client.fit_prompt(_builder("text"))

    await asyncio.gather(*(ask() for _ in range(24)))  # three times as many as may ask at once
    assert len(server.requests) == 1  # all of them wait for one time-out
    assert client.breaker.is_open
    await client.aclose()


async def test_a_look_at_the_models_ends_when_all_have_left(server: ScriptedLlm) -> None:
    server.lists_models = False
    client = LlmClient(quick(server))
    asking = [asyncio.create_task(client.served_model()) for _ in range(3)]
    await asyncio.sleep(0.2)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert await asyncio.to_thread(server.requests[0].disconnected.wait, 1)
    server.lists_models = True
    assert (await client.served_model()).name == "scripted-llama"
    await client.aclose()


@pytest.mark.parametrize(
    "listed",
    [
        "[" * 50_000,
        '{"data": [{"id": "' + "x" * 400 + '"}]}',
        '{"data": [{"id": "\\u001b[31mred"}]}',
        '{"data": 5}',
    ],
)
async def test_a_list_of_models_that_makes_no_sense_is_an_error_of_ours(
    server: ScriptedLlm, client: LlmClient, listed: str
) -> None:
    server.models_json = listed
    with pytest.raises(LlmUnavailableError, match="PGASK_LLM_MODEL"):
        await client.fit_prompt(_builder("text"))


async def test_a_context_length_that_makes_no_sense_is_not_taken(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.models_json = '{"data": [{"id": "scripted-llama", "max_model_len": ' + "9" * 400 + "}]}"
    assert (await client.served_model()).context_tokens == 4096


@pytest.mark.parametrize("count", [int("9" * 400), -5, True, "7", 1.5, None])
async def test_f_1217_a_count_of_tokens_that_can_not_be_is_none(
    server: ScriptedLlm, client: LlmClient, count: object
) -> None:
    server.usage = {"prompt_tokens": count, "completion_tokens": count}
    assert (await deltas(client))[-1].usage == Usage(0, 0)
    server.usage = {"prompt_tokens": 12, "completion_tokens": count}
    assert (await deltas(client))[-1].usage == Usage(12, 0)


async def test_f_1204_what_the_library_can_not_read_counts_as_a_failure(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.mode = "deep_json"
    for _ in range(5):
        with pytest.raises(LlmUnavailableError, match="no completion"):
            await deltas(client)
    assert client.breaker.is_open


@pytest.mark.parametrize(
    ("mode", "error", "words"),
    [
        ("slow_first_token", LlmTimeoutError, "did not begin to answer within 0.5 s"),
        ("hang_mid_stream", LlmTimeoutError, "in the middle of its answer"),
        ("disconnect_before", LlmUnavailableError, "can't be reached, or broke off"),
        ("disconnect_mid_stream", LlmUnavailableError, "broke off"),
        ("end_mid_stream", LlmUnavailableError, "broke off its answer"),
        ("error_mid_stream", LlmUnavailableError, "scripted crash"),
        ("error_500", LlmUnavailableError, "answered 500"),
        ("busy_429", LlmUnavailableError, "answered 429"),
        ("refuse_400", LlmUnavailableError, "no request for me"),
        ("unauthorized_401", LlmUnavailableError, "PGASK_LLM_API_KEY"),
        ("garbage", LlmUnavailableError, "no completion"),
        ("wrong_json", LlmUnavailableError, "no completion"),
        ("deep_json", LlmUnavailableError, "no completion"),  # F-1204
    ],
)
async def test_every_failure_is_an_error_of_ours_in_time(
    server: ScriptedLlm, client: LlmClient, mode: Mode, error: type[Exception], words: str
) -> None:
    server.mode = mode
    with pytest.raises(error, match=words) as caught:
        await deltas(client)
    if mode in {"slow_first_token", "hang_mid_stream"}:  # the client does not wait for the server's end
        assert server.requests[-1].disconnected.wait(10)
    assert caught.value.__cause__ is not caught.value
    assert len(str(caught.value)) < MAX_EXCERPT_CHARS + 100


@pytest.mark.parametrize(
    "event",
    [
        "not json",
        "[]",
        "1",
        "null",
        '"text"',
        '{"choices": "x"}',
        '{"choices": [1]}',
        '{"choices": [{"delta": "x"}]}',
        '{"choices": [{"delta": {"content": 5}}]}',
        '{"choices": [{"delta": {"content": "x"}, "finish_reason": 5}]}',
        '{"choices": [{}]}',
        '{"error": "x"}',
        '{"choices": null}',
        '{"choices": [{"delta": {"content": ' + "9" * 5_000 + "}}]}",
        '{"choices": ' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "}",
    ],
)
async def test_wrong_json_of_any_shape_is_an_error_of_ours(
    server: ScriptedLlm, client: LlmClient, event: str
) -> None:
    server.mode, server.wrong_json = "wrong_json", event
    with pytest.raises(LlmUnavailableError):
        await deltas(client)


async def test_text_that_can_not_be_stored_is_made_sendable(server: ScriptedLlm, client: LlmClient) -> None:
    server.answer = "a\ud800b\x00c"
    text = "".join(delta.text for delta in await deltas(client))
    assert text == "a�bc"


@pytest.mark.parametrize("mode", ["disconnect_before", "error_500", "busy_429"])
async def test_one_more_try_before_the_first_token(
    server: ScriptedLlm, client: LlmClient, mode: Mode
) -> None:
    server.next_modes.append(mode)
    assert "".join(delta.text for delta in await deltas(client)) == ANSWER
    assert len(server.completions) == 2


@pytest.mark.parametrize("mode", ["disconnect_mid_stream", "refuse_400", "slow_first_token", "garbage"])
async def test_no_further_try_after_a_token_or_where_it_would_not_help(
    server: ScriptedLlm, client: LlmClient, mode: Mode
) -> None:
    server.next_modes.append(mode)
    with pytest.raises((LlmUnavailableError, LlmTimeoutError)):
        await deltas(client)
    assert len(server.completions) == 1


async def test_text_before_a_failure_has_been_yielded(server: ScriptedLlm, client: LlmClient) -> None:
    server.mode = "hang_mid_stream"
    got: list[str] = []

    async def collect() -> None:
        async with aclosing(client.stream(MESSAGES)) as stream:
            async for delta in stream:
                got.append(delta.text)

    with pytest.raises(LlmTimeoutError):
        await collect()
    assert len(got) > 2
    assert ANSWER.startswith("".join(got))


async def test_an_answer_is_whole_at_its_finish_reason(server: ScriptedLlm, client: LlmClient) -> None:
    server.mode = "no_done"
    got = await deltas(client)
    assert "".join(delta.text for delta in got) == ANSWER
    assert got[-1] == LlmDelta("", "stop", Usage(0, 0))


async def test_no_stream_is_longer_than_the_total(server: ScriptedLlm) -> None:
    client = LlmClient(quick(server, total_timeout_s=0.3))
    server.answer, server.token_delay_s = "x" * 4000, 0.02
    with pytest.raises(LlmTimeoutError, match=r"did not finish its answer within 0\.3 s"):
        await deltas(client)
    assert server.requests[-1].disconnected.wait(10)  # the answer takes the server 20 s
    await client.aclose()


async def test_leaving_the_stream_closes_it_upstream(server: ScriptedLlm, client: LlmClient) -> None:
    server.answer, server.token_delay_s = "x" * 4000, 0.02
    async with aclosing(client.stream(MESSAGES)) as stream:
        await anext(stream)
    assert await asyncio.to_thread(server.completions[0].disconnected.wait, 1)


@pytest.mark.parametrize("mode", ["slow_first_token", "hang_mid_stream"])
async def test_a_cancelled_task_closes_the_stream_upstream(server: ScriptedLlm, mode: Mode) -> None:
    client = LlmClient(quick(server, first_token_timeout_s=20, idle_timeout_s=20, total_timeout_s=60))
    server.mode = mode
    task = asyncio.create_task(deltas(client))
    assert await asyncio.to_thread(server.arrived.acquire, timeout=2)
    await asyncio.sleep(0.05)  # let the first half of the answer come, where one does
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.completions[0].disconnected.wait, 1)
    assert not client.breaker.is_open
    await client.aclose()


async def test_a_hundred_clients_that_leave_leave_nothing_behind(server: ScriptedLlm) -> None:
    client = LlmClient(quick(server, first_token_timeout_s=10, idle_timeout_s=10, total_timeout_s=20))
    server.answer, server.token_delay_s = "x" * 4000, 0.05

    async def leave() -> None:
        async with aclosing(client.stream(MESSAGES)) as stream:
            await anext(stream)

    before = asyncio.all_tasks()
    await asyncio.gather(*(leave() for _ in range(100)))
    for request in server.completions:
        assert await asyncio.to_thread(request.disconnected.wait, 1)
    await client.aclose()
    if closing := asyncio.all_tasks() - before:  # the SDK's generators are closed in tasks of their own
        await asyncio.wait(closing, timeout=2)
    assert asyncio.all_tasks() == before
    assert len(server.completions) == 100


async def test_five_failures_in_a_row_open_the_breaker(
    server: ScriptedLlm, client: LlmClient, clock: FakeClock
) -> None:
    server.mode = "garbage"
    for _ in range(5):
        with pytest.raises(LlmUnavailableError, match="no completion"):
            await deltas(client)
    asked = len(server.requests)
    with pytest.raises(LlmUnavailableError, match=r"tried again in 10 s"):
        await deltas(client)
    prompt = await client.fit_prompt(_builder("text " * 100))
    assert prompt.prompt_tokens == estimate_tokens(prompt.messages[0].content)
    assert len(server.requests) == asked  # it is left alone, for counting too

    clock.now += 10
    with pytest.raises(LlmUnavailableError, match="no completion"):
        await deltas(client)  # the probe
    with pytest.raises(LlmUnavailableError, match="tried again"):
        await deltas(client)

    clock.now += 10
    server.mode = "answer"
    await deltas(client)
    await deltas(client)
    assert not client.breaker.is_open


async def test_a_request_that_is_refused_says_nothing_about_the_server(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.mode = "refuse_400"
    for _ in range(6):
        with pytest.raises(LlmUnavailableError) as caught:
            await deltas(client)
        assert caught.value.code == REQUEST_REFUSED
    assert not client.breaker.is_open


async def test_a_server_that_is_not_there() -> None:
    with ScriptedLlm() as gone:
        settings = quick(gone)
    client = LlmClient(settings)
    with pytest.raises(LlmUnavailableError, match="can't be reached"):
        await deltas(client)
    with pytest.raises(LlmUnavailableError, match="can't be reached"):
        await client.fit_prompt(_builder("text"))
    await client.aclose()


async def test_another_model_is_found_after_the_first_is_gone(server: ScriptedLlm, client: LlmClient) -> None:
    await deltas(client)
    server.model, server.max_model_len = "another-llama", 2048
    with pytest.raises(LlmUnavailableError, match=r"answered 404: .*scripted-llama"):
        await deltas(client)
    assert "".join(delta.text for delta in await deltas(client)) == ANSWER
    assert (await client.served_model()).context_tokens == 2048
    assert client.model_name == "another-llama"


async def test_a_model_that_is_named_is_asked_for_though_not_listed(server: ScriptedLlm) -> None:
    client = LlmClient(quick(server, model="mine"))
    with pytest.raises(LlmUnavailableError, match="answered 404"):
        await deltas(client)
    assert server.completions[0].body["model"] == client.model_name == "mine"
    await client.aclose()


@pytest.mark.parametrize(
    ("listed", "setting", "expected"),
    [(8192, None, 8192), (8192, 1000, 1000), (900, 1000, 900), (None, None, 4096)],
)
async def test_the_shorter_known_context_counts(
    server: ScriptedLlm, listed: int | None, setting: int | None, expected: int
) -> None:
    server.max_model_len = listed
    client = LlmClient(quick(server, context_tokens=setting))
    assert (await client.served_model()).context_tokens == expected
    await client.aclose()


def _builder(text: str, *, tokens_per_char: float = 1 / 3) -> _Builder:
    return _Builder(text, tokens_per_char)


class _Builder:
    """Builds prompts from the start of a text, as long as its estimate allows, and keeps the budgets asked for."""

    def __init__(self, text: str, tokens_per_char: float) -> None:
        self.text, self.tokens_per_char, self.budgets = text, tokens_per_char, list[int]()

    def __call__(self, budget: int) -> Prompt:
        self.budgets.append(budget)
        text = self.text[: int(budget / self.tokens_per_char)]
        return Prompt((PromptMessage("user", text),), (), int(len(text) * self.tokens_per_char) + 1)


async def test_a_prompt_with_room_to_spare_is_counted_once(server: ScriptedLlm, client: LlmClient) -> None:
    build = _builder("word " * 100)
    prompt = await client.fit_prompt(build)
    assert prompt.prompt_tokens == 500 // 4 + 1  # the server's count
    assert build.budgets == [4096 - 512]


@pytest.mark.parametrize("tokens_per_char", [0.05, 1 / 3, 2.0])
async def test_the_server_s_count_decides_whatever_the_estimate(
    server: ScriptedLlm, client: LlmClient, tokens_per_char: float
) -> None:
    build = _builder("word " * 20_000, tokens_per_char=tokens_per_char)
    prompt = await client.fit_prompt(build, GenerationParams(max_tokens=512))
    assert 0.9 * (4096 - 512) < prompt.prompt_tokens <= 4096 - 512
    assert prompt.prompt_tokens == len(prompt.messages[0].content) // 4 + 1
    assert len(build.budgets) <= 4


async def test_where_the_server_does_not_count_the_estimate_decides(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.counts_tokens = False
    for _ in range(2):
        prompt = await client.fit_prompt(_builder("word " * 20_000))
        assert prompt.prompt_tokens in {3584, 3585}
    assert [r.path for r in server.requests].count("/tokenize") == 1  # it is not asked again


def _write_tokenizer(folder: Path) -> Path:
    """A tokenizer of one token a character, as no estimate would have it."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split

    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split(Regex("[\\s\\S]"), "isolated")
    tokenizer.enable_truncation(5)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


async def test_where_the_server_does_not_count_the_model_s_tokenizer_decides(
    server: ScriptedLlm, tmp_path: Path
) -> None:
    folder = _write_tokenizer(tmp_path / "model")
    server.counts_tokens, server.model = False, str(folder)
    client = LlmClient(quick(server, model=str(folder)))
    prompt = await client.fit_prompt(_builder("word " * 20_000))
    await client.aclose()
    content = prompt.messages[0].content
    assert prompt.prompt_tokens == len(content) + MESSAGE_TOKENS + REPLY_TOKENS
    assert 0.9 * (4096 - 512) < prompt.prompt_tokens <= 4096 - 512


@pytest.mark.parametrize("model", ["nobody/has-this", "not a name!", "/nowhere", "../.."])
def test_a_tokenizer_that_is_not_here_is_not_fetched(model: str) -> None:
    assert local_tokenizer(model) is None


def test_a_broken_tokenizer_is_none(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    assert local_tokenizer(str(tmp_path)) is None


async def test_a_completion_takes_at_most_half_the_context(server: ScriptedLlm, client: LlmClient) -> None:
    server.max_model_len = 600
    build = _builder("word " * 20_000)
    params = GenerationParams(max_tokens=5000)
    prompt = await client.fit_prompt(build, params)
    await deltas(client, params)
    assert prompt.prompt_tokens <= 300
    assert server.completions[-1].body["max_tokens"] == 300


async def test_a_prompt_that_never_fits_is_refused(server: ScriptedLlm, client: LlmClient) -> None:
    def build(budget: int) -> Prompt:
        return Prompt((PromptMessage("user", "word " * 20_000),), (), budget)

    with pytest.raises(
        LimitExceededError,
        match=r"has 25001 tokens even when cut, and the model has room for \d+ \(PGASK_LLM_CONTEXT_TOKENS",
    ):
        await client.fit_prompt(build)


def test_the_settings_group_is_read_from_all_settings() -> None:
    assert LlmSettings.each_from_settings(load_settings(llm_base_url="")) == []
    (group,) = LlmSettings.each_from_settings(
        load_settings(llm_base_url="http://llm:8001/v1/", llm_model="m", llm_idle_timeout_s=7)
    )
    assert (group.base_url, group.model, group.idle_timeout_s) == ("http://llm:8001/v1", "m", 7)
