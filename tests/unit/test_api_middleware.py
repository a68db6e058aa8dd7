"""Admission gives its places back, whatever happens; hosts are told apart."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.api.metrics import Metrics
from app.api.middleware import Admission, bracketed, is_loopback


def scope(path: str = "/ask") -> Scope:
    return {"type": "http", "path": path, "headers": [], "state": {"request_id": "r"}}


async def nothing() -> Message:
    raise AssertionError("nobody reads")


async def status_of(app: Admission, path: str = "/ask") -> int | None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope(path), nothing, send)
    return sent[0]["status"] if sent else None


async def test_a_failing_question_gives_its_place_back() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("no")

    app = Admission(failing, limit=1, metrics=Metrics())
    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            await status_of(app)


async def test_a_cancelled_question_gives_its_place_back() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    app = Admission(endless, limit=1, metrics=Metrics())
    first = asyncio.create_task(status_of(app))
    await asyncio.sleep(0)
    assert await status_of(app) == 429
    assert await status_of(app, "/search") == 429
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(status_of(app))
    await asyncio.sleep(0)
    assert not second.done()
    second.cancel()


async def test_other_addresses_are_not_counted() -> None:
    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    app = Admission(answering, limit=0, metrics=Metrics())
    assert await status_of(app, "/documents") == 200
    assert await status_of(app, "/ask") == 429


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


def test_brackets() -> None:
    assert [bracketed(host) for host in ("::1", "[::1]", "a.b", "127.0.0.1")] == [
        "[::1]",
        "[::1]",
        "a.b",
        "127.0.0.1",
    ]
