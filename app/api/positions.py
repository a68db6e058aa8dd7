"""Whoever has changed something, or has been shown what the primary holds, is not answered from less.

With replicas (PGASK_READ_DATABASE_URL) each reply about documents, collections and jobs tells in HEADER, and in a
cookie, where the primary stood then. A question that brings one, or both, is read from a server that is as far
(app/store/replicas.py). What a caller was told is also kept here for those that bring nothing back; a service beside
this one knows of it by what is brought alone.

A position is no secret and no right. One beyond the primary's own is ignored: nobody was told it, or the primary that
told it is lost.
"""

from __future__ import annotations

from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.components import Components
from app.store.replicas import need_position, read_position, show_position

HEADER: Final = "Pgask-Position"
COOKIE: Final = "pgask_position"
_KEPT_S: Final = (
    300  # by browsers; no replica that is asked is further behind than PGASK_READ_MAX_LAG_S allows
)
_CALLERS: Final = 10_000
_TELLING: Final = ("/documents", "/collections", "/jobs")
_ASKING: Final = ("/ask", "/search", "/v1/", "/mcp")
_LONGEST_COOKIE: Final = 8_192


class Positions:
    """Tells positions, and asks for those that callers were told. Inside of Authentication, which knows the caller."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._told: OrderedDict[str, int] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(_ASKING):
            need_position(max(brought(Headers(scope=scope)), self._told.get(_name(scope), 0)))
        elif scope["type"] == "http" and path.startswith(_TELLING):
            send = self._telling(scope, send)
        await self._app(scope, receive, send)

    def _telling(self, scope: Scope, send: Send) -> Send:
        parts: Components = scope["app"].state.components
        is_stream = False

        async def tell(message: Message) -> None:
            nonlocal is_stream
            if message["type"] == "http.response.start" and message["status"] < 400:
                headers = MutableHeaders(raw=message["headers"])
                is_stream = headers.get("content-type", "").startswith("text/event-stream")
                position = await parts.reads.position()
                if position is not None:
                    self._note(scope, position)
                    told = show_position(position)
                    headers[HEADER] = told
                    headers.append(
                        "Set-Cookie",
                        f"{COOKIE}={told}; HttpOnly; Max-Age={_KEPT_S}; Path=/; SameSite=strict",
                    )
            elif is_stream and message.get("body"):  # a job's end: its documents are there
                position = await parts.reads.position()
                if position is not None:
                    self._note(scope, position)
            await send(message)

        return tell

    def _note(self, scope: Scope, position: int) -> None:
        name = _name(scope)
        self._told[name] = max(position, self._told.pop(name, 0))
        while len(self._told) > _CALLERS:
            self._told.popitem(last=False)


def brought(headers: Headers) -> int:
    """The position that a request brings; 0 for none."""
    told = [headers.get(HEADER, "")]
    try:
        cookie = SimpleCookie("; ".join(headers.getlist("cookie"))[:_LONGEST_COOKIE]).get(COOKIE)
    except CookieError:
        cookie = None
    if cookie is not None:
        told.append(cookie.value)
    return max(read_position(one) for one in told)


def _name(scope: Scope) -> str:
    caller = scope["state"].get("caller")
    return "" if caller is None else f"{caller.tenant} {caller.key_id or caller.name}"
