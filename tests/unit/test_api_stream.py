"""The event stream as ASGI: order, keep-alives, failures before and after the first event, clients that leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.api.stream import EventStream, or_disconnect


class Client:
    """The other end of one request: collects what is sent, leaves on demand, may refuse to read on."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


class Source:
    """Yields what it is given (exceptions are raised, numbers waited for) and knows how it ended."""

    def __init__(self, *steps: bytes | float | Exception) -> None:
        self.steps = steps
        self.taken = 0
        self.closed = False

    async def events(self) -> AsyncGenerator[bytes, None]:
        try:
            for step in self.steps:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, bytes):
                    self.taken += 1
                    yield step
                else:
                    await asyncio.sleep(step)
        finally:
            self.closed = True


async def stream(source: Source, client: Client, keep_alive_s: float = 5.0) -> list[str]:
    """Run a stream to its end; returns what was called."""
    called: list[str] = []

    def describe(error: Exception) -> bytes:
        called.append(str(error))
        return b"event: error\n\n"

    response = EventStream(source.events(), describe, lambda: called.append("abandoned"), keep_alive_s)
    await response({"type": "http"}, client.receive, client.send)
    return called


async def test_events_in_order_then_the_end() -> None:
    source, client = Source(b"a\n\n", 0.01, b"b\n\n"), Client()
    assert await stream(source, client) == []
    assert client.body == b"a\n\nb\n\n"
    assert [message["type"] for message in client.sent] == ["http.response.start"] + [
        "http.response.body"
    ] * 3
    assert [message.get("more_body") for message in client.sent[1:]] == [True, True, False]
    assert (b"content-type", b"text/event-stream; charset=utf-8") in client.sent[0]["headers"]
    assert not any(name == b"content-length" for name, _ in client.sent[0]["headers"])
    assert source.closed


async def test_keep_alives_fill_the_silence_and_lose_nothing() -> None:
    source, client = Source(0.05, b"a\n\n", 0.12, b"b\n\n"), Client()
    await stream(source, client, keep_alive_s=0.02)
    assert client.body.count(b": ping\n\n") >= 4
    assert client.body.replace(b": ping\n\n", b"") == b"a\n\nb\n\n"


async def test_a_failure_before_the_first_event_is_raised() -> None:
    source, client = Source(ValueError("early")), Client()
    with pytest.raises(ValueError, match="early"):
        await stream(source, client)
    assert client.sent == []


async def test_a_later_failure_is_an_event() -> None:
    source, client = Source(b"a\n\n", ValueError("late")), Client()
    assert await stream(source, client) == ["late"]
    assert client.body == b"a\n\nevent: error\n\n"
    assert client.sent[-1]["more_body"] is False


async def test_no_events_at_all_are_an_empty_stream() -> None:
    source, client = Source(), Client()
    await stream(source, client)
    assert [message["type"] for message in client.sent] == ["http.response.start", "http.response.body"]


@pytest.mark.parametrize("steps", [(60.0,), (b"a\n\n", 60.0)])
async def test_when_the_client_leaves_the_source_is_closed_at_once(steps: tuple[Any, ...]) -> None:
    source, client = Source(*steps), Client()
    running = asyncio.create_task(stream(source, client))
    await asyncio.sleep(0.02)
    client.left.set()
    async with asyncio.timeout(5):
        with pytest.raises(ClientDisconnect):
            await running
    assert source.closed


async def test_a_client_that_does_not_read_holds_the_source_back() -> None:
    source, client = Source(*[b"x\n\n"] * 1_000), Client()
    client.reads.clear()
    running = asyncio.create_task(stream(source, client))
    await asyncio.sleep(0.02)
    assert source.taken < 30
    client.reads.set()
    await running
    assert client.body == b"x\n\n" * 1_000


async def test_cancelling_the_response_closes_the_source() -> None:
    source, client = Source(b"a\n\n", 60.0), Client()
    running = asyncio.create_task(stream(source, client))
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert source.closed


@pytest.fixture
async def client() -> Client:
    return Client()


async def test_plain_work_ends_with_its_result(client: Client) -> None:
    async def work() -> int:
        return 7

    assert await or_disconnect(work(), client.receive) == 7


async def test_plain_work_is_cancelled_when_the_client_leaves(client: Client) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    running = asyncio.create_task(or_disconnect(work(), client.receive))
    await asyncio.sleep(0.02)
    client.left.set()
    with pytest.raises(ClientDisconnect):
        await running
    assert ended == ["cancelled"]


async def test_plain_work_s_failure_is_raised(client: Client) -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await or_disconnect(work(), client.receive)
