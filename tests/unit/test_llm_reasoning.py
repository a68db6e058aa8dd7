"""F-504: models that reason, against a scripted server: stages, tokens, and what is remembered of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from app.domain import GenerationParams
from app.generation.llm import LlmClient, LlmDelta, LlmSettings
from app.generation.prompt import Prompt, PromptMessage
from app.generation.tokens import estimate_tokens
from tests.fakes import ScriptedLlm

ANSWER = "Lists: rows / 1000 [1]. 列表数约为行数的千分之一【2】。"
MESSAGES = [PromptMessage("user", "How many lists?")]
PARAMS = GenerationParams()


@pytest.fixture
def server() -> Iterator[ScriptedLlm]:
    with ScriptedLlm(ANSWER) as scripted:
        yield scripted


@pytest.fixture
async def client(server: ScriptedLlm) -> AsyncIterator[LlmClient]:
    made = LlmClient(LlmSettings(server.base_url, connect_timeout_s=5.0))
    yield made
    await made.aclose()


async def deltas(client: LlmClient, params: GenerationParams = PARAMS) -> list[LlmDelta]:
    async with aclosing(client.stream(MESSAGES, params)) as stream:
        return [delta async for delta in stream]


async def staged(client: LlmClient) -> list[str]:
    """The stages and the texts between them, in order."""
    found: list[str] = []
    for delta in await deltas(client):
        if delta.stage is not None:
            found += [delta.stage, ""]
        elif delta.text:
            found = found or [""]
            found[-1] += delta.text
    return found


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", None])
async def test_reasoning_is_a_stage_and_has_tokens_of_its_own(
    server: ScriptedLlm, client: LlmClient, field: str | None
) -> None:
    """In a field of its own or in the text; for the first answer too, since the model is asked again at once."""
    if field is None:
        server.answer = f"<think>Hm, rows [7].</think>\n\n{ANSWER}"
    else:
        server.reasoning, server.reasoning_field = "Hm, rows [7].", field
    for _ in range(2):
        assert await staged(client) == ["reasoning", "", "answer", ANSWER]
    assert [request.body["max_tokens"] for request in server.completions] == [
        512,
        2048,
        2048,
    ]  # half the context

    def build(budget: int) -> Prompt:
        content = "word " * (budget // 2)
        return Prompt((PromptMessage("user", content),), (), estimate_tokens(content))

    assert (await client.fit_prompt(build)).prompt_tokens <= 4096 - 2048


async def test_an_answer_behind_reasoning_keeps_to_its_tokens(server: ScriptedLlm, client: LlmClient) -> None:
    server.answer = "<think>Hm.</think>  " + "word" * 50
    found = await deltas(client, GenerationParams(max_tokens=10))
    assert "".join(delta.text for delta in found) == "word" * 10
    assert found[-1].finish_reason == "length"


async def test_reasoning_that_a_template_begins_is_held_back_from_the_second_time_on(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.answer = f"They ask for rows. Hm.</think>\n\n{ANSWER}"
    first = await staged(client)
    assert (first[0][:8], first[1:]) == ("They ask", ["answer", ANSWER])
    assert await staged(client) == ["reasoning", "", "answer", ANSWER]
    assert await client.complete(MESSAGES, PARAMS) == ANSWER
    server.answer = ANSWER  # without reasoning, this time: nothing is lost
    assert (await staged(client))[-1] == ANSWER
    assert await staged(client) == [ANSWER]


async def test_tags_of_reasoning_inside_an_answer_take_nothing_back(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.answer = "It is <think>hm</think>5, and `<think>` is a tag."
    assert await staged(client) == ["It is 5, and `<think>` is a tag."]


async def test_reasoning_that_takes_all_tokens_leaves_no_answer(
    server: ScriptedLlm, client: LlmClient
) -> None:
    server.answer, server.finish_reason = "<think>Hm, and hm, and", "length"
    assert await staged(client) == ["reasoning", ""]


async def test_without_tokens_for_reasoning_the_model_is_asked_once(server: ScriptedLlm) -> None:
    client = LlmClient(LlmSettings(server.base_url, connect_timeout_s=5.0, reasoning_tokens=0))
    server.answer = f"<think>Hm.</think>{ANSWER}"
    assert await staged(client) == ["reasoning", "", "answer", ANSWER]
    assert [request.body["max_tokens"] for request in server.completions] == [512]
    await client.aclose()


async def test_another_model_may_not_reason(server: ScriptedLlm, client: LlmClient) -> None:
    server.reasoning = "Hm."
    await deltas(client)
    server.model, server.reasoning = "another-llama", ""
    with pytest.raises(Exception, match="404"):
        await deltas(client)
    await deltas(client)
    assert server.completions[-1].body["max_tokens"] == 512
