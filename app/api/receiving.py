"""What a request brings: its body whole, in size and time, before anybody works on it; and word that the service ends.

Pure ASGI, as app/api/middleware.py. The head's limits are app/api/http_server.py's, which sees the connection itself.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import Fault, FaultError, fault_of, refuse

STREAMED: Final = frozenset(
    {("POST", "/documents")}
)  # their routes read the body, within limits of their own
SLOWEST_BODY: Final = 10_000  # bytes a second that a body's deadline is put off by

SHUTTING_DOWN: Final = Fault(
    "shutting_down",
    503,
    "The service ends or is started anew. Try again in a few seconds.",
    retry_after_s=5,
    headers={"Connection": "close"},
)


class Closing:
    """Word to all requests that the service ends: they end then with SHUTTING_DOWN. Lives on one event loop."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Task[Any]] = set()
        self.begun = False

    def begin(self) -> None:
        """End every request that still waits for its client; called when those in work have had their time."""
        self.begun = True
        for task in self._waiting:
            task.cancel()

    async def receive(self, receive: Receive) -> Message:
        """The request's next message. Raises FaultError when the service ends before there is one."""
        task = asyncio.current_task()
        assert task is not None
        if self.begun:
            raise FaultError(SHUTTING_DOWN)
        self._waiting.add(task)
        try:
            return await receive()
        except asyncio.CancelledError:
            if self.begun and task.uncancel() == 0:
                raise FaultError(SHUTTING_DOWN) from None
            raise
        finally:
            self._waiting.discard(task)


class WholeBody:
    """Reads a body of at most `max_bytes` to its end before the app is called, within `timeout_s` and a second for
    every SLOWEST_BODY bytes: else 413 or 408. Whoever sends slowly so holds nothing but a connection."""

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_s: float, closing: Closing) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (scope["method"], scope["path"]) in STREAMED:

            async def receive_on() -> Message:
                return await self._closing.receive(receive)

            await self._app(scope, receive_on, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except FaultError as error:
            await refuse(error.fault, scope, receive, send)
            return
        delivered = False

        async def receive_rest() -> Message:
            nonlocal delivered
            if not delivered:
                delivered = True
                return {"type": "http.request", "body": body, "more_body": False}
            return await self._closing.receive(receive)

        await self._app(scope, receive_rest, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        """Raises FaultError (408, 413, 503) and ClientDisconnect."""
        length = headers.get("content-length", "").lstrip("0") or "0"
        if not length.isdecimal():
            raise FaultError(fault_of(HTTPException(413)))
        if int(length[:20]) > self._max_bytes:
            raise FaultError(body_too_large(int(length[:20]), self._max_bytes))
        if "transfer-encoding" not in headers and length == "0":
            return b""
        body = bytearray()
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                while True:
                    message = await self._closing.receive(receive)
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    body += message.get("body", b"")
                    if len(body) > self._max_bytes:
                        raise FaultError(body_too_large(len(body), self._max_bytes, is_all=False))
                    if not message.get("more_body", False):
                        return bytes(body)
                    deadline.reschedule(began + self._timeout_s + len(body) / SLOWEST_BODY)
        except TimeoutError as error:
            raise FaultError(too_slow("body")) from error


def body_too_large(found: int, most: int, *, is_all: bool = True) -> Fault:
    """413 for a request whose body is too large. `is_all`: `found` is all of it, not where reading ended."""
    return Fault(
        "body_too_large",
        413,
        f"The request's body has {'' if is_all else 'at least '}{found:,} bytes, and the limit is {most:,} "
        "(PGASK_MAX_BODY_BYTES). Send less at once, or have the limit raised.",
        detail_zh=f"请求内容有{'' if is_all else '至少'} {found:,} 字节，上限为 {most:,}（PGASK_MAX_BODY_BYTES）。"
        "请减少一次发送的内容，或调高该上限。",
    )


def too_slow(part: str) -> Fault:
    """408 for a request whose head or body did not come in time."""
    parts = {"head": "请求头", "body": "请求内容"}
    return Fault(
        "request_timeout",
        408,
        f"The request's {part} did not come in time (PGASK_REQUEST_TIMEOUT_S). Send it at once, or on a better line.",
        detail_zh=f"{parts[part]}未在时限内送达（PGASK_REQUEST_TIMEOUT_S）。请一次发送完整请求，或检查网络。",
        headers={"Connection": "close"},
    )
