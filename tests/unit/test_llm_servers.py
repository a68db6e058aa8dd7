"""Several servers of one model, on real sockets: who is asked, who takes over, and what each is known for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing

import pytest

from app.config import load_settings
from app.errors import ConfigError, LlmBusyError, LlmTimeoutError, LlmUnavailableError
from app.generation.breaker import FAILURES_TO_OPEN
from app.generation.failures import REQUEST_REFUSED
from app.generation.llm import LlmClient, LlmDelta, LlmSettings
from app.generation.prompt import Prompt, PromptMessage
from app.generation.servers import LlmServers
from tests.fakes import Mode, ScriptedLlm
from tests.unit.test_llm import FakeClock, quick

KEYS = [f"Question {number}?" for number in range(60)]


@pytest.fixture
def three() -> Iterator[list[ScriptedLlm]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ScriptedLlm(f"Of server {number} [1].")) for number in range(3)]


@pytest.fixture
async def servers(three: list[ScriptedLlm]) -> AsyncIterator[LlmServers]:
    clock = FakeClock()
    made = LlmServers([LlmClient(quick(one), clock=clock) for one in three])
    yield made
    await made.aclose()


def build(budget: int) -> Prompt:
    return Prompt((PromptMessage("user", "Why?"),), (), 10)


async def ask(servers: LlmServers, key: str) -> str:
    """The whole answer, with "|" for each prompt."""
    said = ""
    async with aclosing(servers.ask(build, key)) as parts:
        async for part in parts:
            said += part.text if isinstance(part, LlmDelta) else "|"
    return said


def asked(three: list[ScriptedLlm]) -> list[int]:
    return [len(one.completions) for one in three]


async def test_a_conversation_keeps_to_its_server_and_all_have_some(
    servers: LlmServers, three: list[ScriptedLlm]
) -> None:
    first = [await ask(servers, key) for key in KEYS]
    assert [await ask(servers, key) for key in KEYS[:20]] == first[:20]
    assert all(count > 80 / 3 / 2 for count in asked(three)), asked(three)


async def test_a_server_that_goes_moves_its_own_conversations_alone(three: list[ScriptedLlm]) -> None:
    """And one that comes takes its share, whatever the order in the setting."""

    async def places(*given: ScriptedLlm) -> dict[str, str]:
        made = LlmServers([LlmClient(quick(one)) for one in given])
        try:
            return {key: await ask(made, key) for key in KEYS}
        finally:
            await made.aclose()

    of_three, of_two = await places(*three), await places(three[2], three[0])
    stayed = [key for key in KEYS if of_three[key] != "|Of server 1 [1]."]
    assert all(of_two[key] == of_three[key] for key in stayed)
    assert len(stayed) < len(KEYS)


@pytest.mark.parametrize(
    "mode", ["error_500", "disconnect_before", "slow_first_token", "garbage", "unauthorized_401"]
)
async def test_another_one_takes_over_before_the_first_token(
    servers: LlmServers, three: list[ScriptedLlm], mode: Mode
) -> None:
    said = await ask(servers, KEYS[0])
    mine = next(number for number, one in enumerate(three) if one.completions)
    three[mine].mode = mode
    other = await ask(servers, KEYS[0])
    assert other.startswith("||")  # a second prompt in place of the first
    assert other.strip("|") != said.strip("|")
    counts = servers.counts[three[mine].base_url]
    assert (counts.answered, counts.failed, counts.taken_over) == (1, 1, 1)


@pytest.mark.parametrize("mode", ["hang_mid_stream", "disconnect_mid_stream", "error_mid_stream"])
async def test_none_takes_over_after_it(servers: LlmServers, three: list[ScriptedLlm], mode: Mode) -> None:
    for one in three:
        one.mode = mode
    with pytest.raises((LlmUnavailableError, LlmTimeoutError)):
        await ask(servers, KEYS[0])
    assert sorted(asked(three)) == [0, 0, 1]
    assert [counts.taken_over for counts in servers.counts.values()] == [0, 0, 0]


async def test_a_request_that_is_refused_is_asked_of_no_other(
    servers: LlmServers, three: list[ScriptedLlm]
) -> None:
    for one in three:
        one.mode = "refuse_400"
    with pytest.raises(LlmUnavailableError) as refused:
        await ask(servers, KEYS[0])
    assert refused.value.code == REQUEST_REFUSED
    assert sum(map(bool, asked(three))) == 1


async def test_a_broken_one_is_left_alone_until_its_time_and_all_being_broken_is_told(
    three: list[ScriptedLlm],
) -> None:
    clock = FakeClock()
    servers = LlmServers([LlmClient(quick(one), clock=clock) for one in three])
    three[0].mode = "error_500"
    of_first = [
        key for key in (f"Key {number}" for number in range(400)) if await _would_ask(servers, key, three[0])
    ]
    for key in of_first[:FAILURES_TO_OPEN]:
        await ask(servers, key)
    assert [client.breaker.is_open for client in servers.clients] == [True, False, False]
    before = len(three[0].completions)
    for key in of_first[:10]:
        assert "server 0" not in await ask(servers, key)
    assert len(three[0].completions) == before
    assert not servers.is_away
    three[0].mode = "answer"
    clock.now += 11
    assert await ask(servers, of_first[0]) == "|Of server 0 [1]."
    for one in three:
        one.mode = "error_500"
    for key in KEYS[: 3 * FAILURES_TO_OPEN]:
        with pytest.raises(LlmUnavailableError):
            await ask(servers, key)
    assert servers.is_away
    await servers.aclose()


def _any_arrived(three: list[ScriptedLlm]) -> None:
    while not any(one.arrived.acquire(timeout=0.01) for one in three):
        pass


async def _would_ask(servers: LlmServers, key: str, wanted: ScriptedLlm) -> bool:
    async with servers.turn(key) as client:
        return client.address == wanted.base_url


async def test_one_without_a_free_turn_is_passed_over_and_where_none_has_one_the_queue_is_kept(
    three: list[ScriptedLlm],
) -> None:
    limits = {"concurrency": 1, "queue": 0, "first_token_timeout_s": 20.0, "total_timeout_s": 20.0}
    servers = LlmServers([LlmClient(quick(one, **limits)) for one in three])
    async with AsyncExitStack() as stack:
        taken = [await stack.enter_async_context(servers.turn(KEYS[0])) for _ in three]
        assert len({client.address for client in taken}) == 3
        with pytest.raises(LlmBusyError):
            await ask(servers, KEYS[0])
    assert await ask(servers, KEYS[0])
    await servers.aclose()


async def test_leaving_early_frees_the_turn(servers: LlmServers, three: list[ScriptedLlm]) -> None:
    for one in three:
        one.mode = "slow_first_token"
    task = asyncio.create_task(ask(servers, KEYS[0]))
    async with asyncio.timeout(10):
        await asyncio.to_thread(_any_arrived, three)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all(client.has_room for client in servers.clients)
    assert [counts.failed for counts in servers.counts.values()] == [0, 0, 0]


def test_the_setting_names_several_each_once() -> None:
    settings = load_settings(llm_base_url="http://a:8001/v1, http://me:secret@b:8001/v1/")
    first, second = LlmSettings.each_from_settings(settings)
    assert (first.base_url, second.base_url) == ("http://a:8001/v1", "http://me:secret@b:8001/v1")
    assert "secret" in first.secrets  # of the other server, too
    for wrong in (
        "http://a/v1,http://a/v1/",
        "http://a/v1,",
        "http://a/v1,ftp://b/v1",
        ",".join(f"http://a{number}/v1" for number in range(17)),
    ):
        with pytest.raises(ConfigError, match="PGASK_LLM_BASE_URL"):
            load_settings(llm_base_url=wrong)
