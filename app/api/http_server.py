"""The HTTP server: uvicorn with limits on what a connection may send and how slowly, and an end that cuts no answer.

What is refused before there is a request (a head that is too large, too slow or no HTTP/1) is told as a problem
document, as everything else is. Used by `pgask serve`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import uuid
from asyncio.events import TimerHandle
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import httptools
import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api.middleware import SECURITY_HEADERS, bracketed
from app.api.problems import MEDIA_TYPE, Fault, problem_body
from app.api.receiving import Closing, too_slow
from app.config import Settings

MAX_HEAD_BYTES: Final = 65_536  # request line and headers
MAX_HEADERS: Final = 200
STALLED_S: Final = 30.0  # for which a client may take nothing of a reply that waits for it
LINGER_S: Final = 2.0  # for which a refused client may go on sending, so that it comes to read why
_LAST_WORDS_S: Final = 4  # from the end of the answers' time to that of the process
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_log = structlog.get_logger(__name__)

_NOT_HTTP: Final = Fault("bad_request", 400, "This is no request that HTTP/1.1 allows.")
_OTHER_VERSION: Final = Fault("http_version", 505, "This service speaks HTTP/1.1 and HTTP/1.0.")
_TOO_LARGE: Final = Fault(
    "headers_too_large",
    431,
    f"The request's headers are larger than {MAX_HEAD_BYTES:,} bytes, or more than {MAX_HEADERS}. These limits are "
    "fixed: send fewer, or shorter ones.",
    detail_zh=f"请求头超过 {MAX_HEAD_BYTES:,} 字节，或超过 {MAX_HEADERS} 个。上限不可调整，请减少或缩短请求头。",
)


class _RefusedError(Exception):
    """Leaves the parser's callback; the fault stands in the protocol."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection. Its client may send a head of MAX_HEAD_BYTES within `timeout_s`, and has to read its reply."""

    timeout_s: float = 10.0
    stalled_s: float = STALLED_S

    # connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._fault: Fault | None = None
        self._refused = False
        self._in_head = False  # between a request's first byte and its last header
        self._is_whole = True  # no request, or one whose body has come, too
        self._begun = 0  # requests that began in what is being parsed
        self._pending = 0  # bytes of a head that is not complete
        self._deadline: TimerHandle | None = None
        self._stalled: TimerHandle | None = None
        self._start(self.timeout_s, self._be_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._deadline is None and self._is_whole and self._is_answered:
            self._start(self.timeout_s, self._be_late)
        was_between, was_in_head = self._is_whole and not self._in_head, self._in_head
        self._begun = 0
        super().data_received(data)
        if not self._in_head or self._refused:
            self._pending = 0
        elif was_in_head and not self._begun:
            self._pending += len(data)
        elif was_between and self._begun == 1:
            self._pending = len(data)
        if self._pending > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.stalled_s, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        super().resume_writing()

    # parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._is_whole = True, False
        self._begun += 1
        if self._deadline is None and self._is_answered:
            self._start(self.timeout_s, self._be_late)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop()
        self._check_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_whole = True
        if self._is_answered:
            self._stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_head and self._deadline is None:
            self._start(self.timeout_s, self._be_late)
        elif not self._is_whole:  # what still comes of the body is read and forgotten, for a while
            self._start(self.timeout_s, self.transport.close)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        self._refuse(self._fault or _NOT_HTTP)

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: the request is answered as if it had not asked for another protocol (RFC 9110, 7.8)."""

    def _check_head(self) -> None:
        """Refuse another version and too large heads; take the host of an absolute address (RFC 9112, 3.2.2)."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if self.parser.get_http_version() not in _VERSIONS:
            self._fault = _OTHER_VERSION
        elif size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._fault = _TOO_LARGE
        if self._fault is not None:
            raise _RefusedError
        if not self.url.startswith((b"/", b"*")):
            target = httptools.parse_url(self.url)
            host = bracketed(target.host.decode("ascii")) + (f":{target.port}" if target.port else "")
            self.headers[:] = [pair for pair in self.headers if pair[0] != b"host"]
            self.headers.append((b"host", host.encode("ascii")))
            self.url = (target.path or b"/") + (b"?" + target.query if target.query else b"")

    # what is refused

    @property
    def _is_answered(self) -> bool:
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # None before the first request, whatever uvicorn's types say
        return cycle is None or cycle.response_complete

    def _start(self, after_s: float, call: Callable[[], object]) -> None:
        self._stop()
        self._deadline = self.loop.call_later(after_s, call)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _be_late(self) -> None:
        self._deadline = None
        if self._in_head:
            self._refuse(too_slow("head"))
        else:  # nothing has come: there is nobody to tell
            self.transport.close()

    def _refuse(self, fault: Fault) -> None:
        """Say why, and end the connection: at once where an earlier request of it is still being answered."""
        self._refused = True
        self._stop()
        if self.transport.is_closing():
            return
        if not self._is_answered:
            self.transport.close()
            return
        request_id = uuid.uuid4().hex
        _log.info("refused before it was a request", code=fault.code, request_id=request_id)
        self.transport.write(_reply(fault, request_id))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._start(LINGER_S, self.transport.abort)


def _reply(fault: Fault, request_id: str) -> bytes:
    """The bytes of a reply that no app has made."""
    body = json.dumps(problem_body(fault, request_id, chinese=False)).encode()
    headers = {
        **SECURITY_HEADERS,
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Request-ID": request_id,
        "Connection": "close",
    }
    status_line = f"HTTP/1.1 {fault.status} {HTTPStatus(fault.status).phrase}"
    lines = [status_line, *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Server(uvicorn.Server):
    """Serves an app of app/main.py. When it is told to end, answers have `shutdown_timeout_s`; then they are ended with
    an `error` event or 503, and the process some seconds later, whatever hangs."""

    def __init__(self, app: FastAPI, settings: Settings, *, stalled_s: float = STALLED_S) -> None:
        limits = {"timeout_s": settings.request_timeout_s, "stalled_s": stalled_s}
        protocol = type("Protocol", (LimitedProtocol,), limits)
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # who is believed, PGASK_TRUSTED_PROXIES says (app/api/authentication.py)
                timeout_graceful_shutdown=int(settings.shutdown_timeout_s) + _LAST_WORDS_S,
            )
        )
        self._shutdown_timeout_s = settings.shutdown_timeout_s
        self._closing: Closing = app.state.closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        cut = asyncio.get_running_loop().call_later(self._shutdown_timeout_s, self._closing.begin)
        try:
            await super().shutdown(sockets)
        finally:
            cut.cancel()
