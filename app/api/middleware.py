"""What every request passes: security headers, other origins, identity and log, host check, who
asks, body limit, admission.

Pure ASGI. Starlette's BaseHTTPMiddleware is not used: it copies every chunk of a stream and hides that a client left.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.addresses import is_loopback
from app.api.admission import Places
from app.api.authentication import Authentication
from app.api.metrics import Metrics
from app.api.positions import HEADER as POSITION
from app.api.positions import Positions
from app.api.problems import Fault, FaultError, error_response, fault_of, refuse
from app.api.receiving import SHUTTING_DOWN, Closing, WholeBody
from app.config import Settings
from app.tracing import PARENT, Current, traced

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._\-]{8,64}")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, 5.1
_PREFLIGHT_S: Final = 600  # for how long a browser need not ask again
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})  # asked every few seconds by machines
_COSTLY: Final = frozenset({"/ask", "/search", "/v1/chat/completions", "/v1/chat/completions/"})
CLIENT_CLOSED: Final = 499  # never sent: how the log and the metrics call a client that left
_log = structlog.get_logger("app.api")


class RequestContext:
    """Gives each request an id, answers what nobody else caught, logs and counts the end."""

    def __init__(self, app: ASGIApp, metrics: Metrics, closing: Closing) -> None:
        self._app = app
        self._metrics = metrics
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(raw=message["headers"])["X-Request-ID"] = request_id
            await send(message)

        async def answer(fault: Fault) -> None:
            if status == 0:
                reply = error_response(fault, scope["path"], request_id, headers)
                await reply(scope, receive, send_with_id)
            # else the reply has begun: ending without its last chunk tells the client that it is broken

        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            traced(_method(scope), "SERVER", headers.get(PARENT), pgask__request_id=request_id) as span,
        ):
            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                status = CLIENT_CLOSED
            except asyncio.CancelledError:
                if not self._closing.begun:
                    raise
                await answer(SHUTTING_DOWN)  # the server ends, and cuts what hangs
            except Exception as error:  # the API boundary: the client gets a problem, the log the rest
                # What ends a reply that has begun reaches here as the cause of an error of Starlette's
                ends = error.__cause__ if status and isinstance(error.__cause__, FaultError) else error
                await answer(fault_of(ends))
            finally:
                self._end(scope, status or CLIENT_CLOSED, time.perf_counter() - started, span)

    def _end(self, scope: Scope, status: int, seconds: float, span: Current) -> None:
        route = getattr(scope.get("route"), "path", None) or "unmatched"
        method = _method(scope)
        span.ends_as(
            f"{method} {route}",
            http__request__method=method,
            http__route=route,
            http__response__status_code=status,
        )
        self._metrics.count_request(method, route, status, seconds)
        log = _log.debug if scope["path"] in _QUIET else _log.info
        log("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _method(scope: Scope) -> str:
    """A method that is one of HTTP's: others make no names of their own."""
    return scope["method"] if scope["method"] in _METHODS else "OTHER"


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class SecurityHeaders:
    """Outermost: headers that keep the page to itself on every reply, unexpected errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class HeadAsGet:
    """Answers HEAD as GET without the body, at every address that takes GET (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        inner = dict(scope, method="GET")

        async def send_without_body(message: Message) -> None:
            await send(dict(message, body=b"") if message["type"] == "http.response.body" else message)

        try:
            await self._app(inner, receive, send_without_body)
        finally:
            scope["route"] = inner.get("route")  # for the log and the metrics


class HostCheck:
    """Only requests that name one of `allowed` (comma-separated), or without any, on a loopback address, a loopback
    host: a web page elsewhere whose name was rebound to 127.0.0.1 can't read the documents through its visitor's
    browser."""

    def __init__(self, app: ASGIApp, host: str, allowed: str = "") -> None:
        self._app = app
        self._allowed: frozenset[str] | None = None
        if allowed.strip(", "):
            self._allowed = frozenset(
                bracketed(name.strip().lower()) for name in allowed.split(",") if name.strip()
            )
        elif is_loopback(host):
            self._allowed = frozenset({"localhost", "127.0.0.1", "[::1]", bracketed(host).lower()})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) > 1 or (not hosts and scope.get("http_version") == "1.1"):
                await refuse(_NOT_ONE_HOST, scope, receive, send)
                return
            name = re.sub(r":\d*$", "", "".join(hosts)).lower()
            if self._allowed is not None and name not in self._allowed:
                await refuse(_wrong_host(sorted(self._allowed)), scope, receive, send)
                return
        await self._app(scope, receive, send)


_NOT_ONE_HOST: Final = Fault(
    "bad_request",
    400,
    "A request names one host, in one Host header.",
    detail_zh="请求须有且仅有一个 Host 头。",
)


def _wrong_host(names: Sequence[str]) -> Fault:
    """421 with both ways out: the address for who asks, the setting for who runs the service (behind a proxy)."""
    return Fault(
        "bad_host",
        421,
        f"This service answers to {', '.join(names)}. Use one of these in the address, or set PGASK_ALLOWED_HOSTS to "
        "the names that it is to answer to (comma-separated, as behind a proxy) and start it again.",
        detail_zh=f"本服务只应答以下主机名：{'、'.join(names)}。请用其中之一访问；"
        "如经由代理或其他域名访问，请在 PGASK_ALLOWED_HOSTS 中列出应答的主机名（以逗号分隔）并重启服务。",
    )


class CrossOrigin:
    """Lets pages of the given origins read replies in a browser (CORS, as the Fetch standard has it).

    Origins match exactly. Cookies never come along (no Access-Control-Allow-Credentials). Other origins get no header,
    and their browsers refuse.
    """

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._origins:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        allowed = origin in self._origins

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                reply = MutableHeaders(raw=message["headers"])
                reply.add_vary_header("Origin")
                if allowed:
                    reply["Access-Control-Allow-Origin"] = origin
                    reply["Access-Control-Expose-Headers"] = f"X-Request-ID, Retry-After, {POSITION}"
            await send(message)

        if allowed and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers)(scope, receive, send_with_origin)
        else:
            await self._app(scope, receive, send_with_origin)


def _preflight(headers: Headers) -> Response:
    """The reply to a browser that asks before it sends: any header may come, since none of them is trusted."""
    wanted = [name.strip() for name in headers.get("access-control-request-headers", "").split(",")]
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": ", ".join(
                name for name in wanted if _HEADER_NAME.fullmatch(name)
            ),
            "Access-Control-Max-Age": str(_PREFLIGHT_S),
        },
    )


class Admission:
    """Takes a place for each question and search, or refuses it (app/api/admission.py)."""

    def __init__(self, app: ASGIApp, places: Places) -> None:
        self._app = app
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in _COSTLY:
            await self._app(scope, receive, send)
            return
        with ExitStack() as stack:
            try:
                stack.enter_context(self._places.take())
            except FaultError as error:
                await refuse(error.fault, scope, receive, send)
                return
            await self._app(scope, receive, send)


def install(
    add: Callable[..., None], settings: Settings, metrics: Metrics, closing: Closing, places: Places
) -> None:
    """Put all of them around an app; `add` is its add_middleware, whose last call is the outermost."""
    add(HeadAsGet)
    add(Admission, places=places)
    add(
        WholeBody,
        max_bytes=settings.max_body_bytes,
        timeout_s=settings.request_timeout_s,
        closing=closing,
    )
    if settings.read_database_url is not None:
        add(Positions)
    add(Authentication, settings=settings)
    add(HostCheck, host=settings.host, allowed=settings.allowed_hosts)
    add(RequestContext, metrics=metrics, closing=closing)
    add(CrossOrigin, origins=settings.origins)  # around the one before, so that a browser can read errors too
    add(SecurityHeaders)


def bracketed(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
