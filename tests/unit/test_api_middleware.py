"""Admission gives its places back, whatever happens; hosts and origins are told apart; HEAD is GET."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.addresses import is_loopback
from app.api.admission import Places
from app.api.metrics import Metrics
from app.api.middleware import Admission, CrossOrigin, HeadAsGet, bracketed


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

    app = Admission(failing, Places(1, Metrics()))
    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            await status_of(app)


async def test_a_cancelled_question_gives_its_place_back() -> None:
    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    app = Admission(endless, Places(1, Metrics()))
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

    app = Admission(answering, Places(0, Metrics()))
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


async def exchange(app: ASGIApp, method: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the reply to a request."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await app(dict(scope("/v1/models"), method=method, headers=raw), nothing, send)
    reply = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], reply, b"".join(message.get("body", b"") for message in sent)


async def models(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that takes GET alone."""
    if scope["method"] != "GET":
        await Response(status_code=405)(scope, receive, send)
        return
    scope["route"] = "the route"
    await Response(b"[1, 2]", headers={"x-request-id": "r"})(scope, receive, send)


async def test_f_909_head_is_get_without_the_body() -> None:
    """F-909: HEAD /v1/models was a 405."""
    status, headers, body = await exchange(HeadAsGet(models), "HEAD")
    assert (status, headers["content-length"], body) == (200, "6", b"")
    assert (await exchange(HeadAsGet(models), "GET"))[2] == b"[1, 2]"
    assert (await exchange(HeadAsGet(models), "PUT"))[0] == 405


ORIGIN = "https://chat.example"


async def test_f_908_a_preflight_of_a_named_origin_is_answered() -> None:
    """F-908: it was a 405, so no client in a browser could ask."""
    app = CrossOrigin(models, frozenset({ORIGIN}))
    asked = {
        "origin": ORIGIN,
        "access_control_request_method": "POST",
        "access_control_request_headers": "authorization, x-stainless-os, bad\nname",
    }
    status, headers, _ = await exchange(app, "OPTIONS", **asked)
    assert (status, headers["access-control-allow-origin"], headers["vary"]) == (204, ORIGIN, "Origin")
    assert "POST" in headers["access-control-allow-methods"]
    assert headers["access-control-allow-headers"] == "authorization, x-stainless-os"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://chat.example", "null", "", ORIGIN + ".evil.example"]
)
async def test_f_908_other_origins_get_no_header(origin: str) -> None:
    """F-908: origins match exactly, and caches are told that the reply depends on them."""
    app = CrossOrigin(models, frozenset({ORIGIN}))
    for method, status in (("GET", 200), ("OPTIONS", 405)):
        got, headers, _ = await exchange(app, method, origin=origin, access_control_request_method="GET")
        assert (got, headers["vary"]) == (status, "Origin")
        assert not [name for name in headers if name.startswith("access-control")]


async def test_f_908_without_the_setting_nothing_changes() -> None:
    """F-908: empty by default."""
    status, headers, _ = await exchange(CrossOrigin(models, frozenset()), "GET", origin=ORIGIN)
    assert (status, "vary" in headers, "access-control-allow-origin" in headers) == (200, False, False)


async def test_f_908_a_named_origin_reads_the_reply() -> None:
    """F-908: and its request id."""
    _, headers, body = await exchange(CrossOrigin(models, frozenset({ORIGIN})), "GET", origin=ORIGIN)
    assert (headers["access-control-allow-origin"], body) == (ORIGIN, b"[1, 2]")
    assert "X-Request-ID" in headers["access-control-expose-headers"]
