"""Who asks, and whether they may: a key, the page's session, or a user whom a trusted proxy names (PGASK_AUTH).

Pure ASGI, before the body is read, so that strangers cost a query and no more (and so many a minute: unknown_keys.py).
While a request lasts, its key is looked at again every RECHECK_S: one that was revoked ends open streams as well.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.access import ACCESS, Needed, allows
from app.api.components import Components
from app.api.problems import Fault, FaultError, fault_of, refuse
from app.api.rates import Rates
from app.api.unknown_keys import UnknownKeys
from app.config import Settings
from app.domain import Role
from app.errors import StoreError
from app.store import tenancy
from app.store.accounts import Account, Deed, find_account, note_use
from app.store.connection import AsyncConnection, write
from app.store.tenancy import DEFAULT_NAME, NOBODY, working_for

COOKIE: Final = "pgask_session"
TOKEN_HEADER: Final = "X-CSRF-Token"  # noqa: S105 - a header's name
LOGIN: Final = "/session"
RECHECK_S: Final = 2.0
PAGE: Final = "page"  # the name of routes that serve the page's own files, to everybody
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_UNASKED: Final = ("multipart/form-data", "application/x-www-form-urlencoded", "text/plain")
_ADMINS, _WRITERS = "pgask-admins", "pgask-writers"
_MOST_GROUPS: Final = 100
_LONGEST_USER: Final = 200
_log = structlog.get_logger("app.api")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and whose rows are seen. `token` is what changes have to bring in TOKEN_HEADER; None where no cookie
    speaks for the caller."""

    name: str
    role: Role
    tenant: str = DEFAULT_NAME
    scope: tenancy.Scope = NOBODY
    groups: tuple[str, ...] = ()
    key_id: UUID | None = None
    token: str | None = None

    def conversations_of(self, settings: Settings) -> str | None:
        """Whose conversations are kept for the caller: a key's, or a proxy's user's; None where none are."""
        if settings.auth == "off" or not settings.conversation_days:
            return None
        return f"user {self.name}" if self.key_id is None else f"key {self.key_id}"


LOCAL: Final = Caller("local", "admin")  # with PGASK_AUTH=off: whoever reaches the port

UNAUTHENTICATED: Final = Fault(
    "unauthenticated",
    401,
    "This service asks for a key: send Authorization: Bearer pgask_…, or log in on the page. Whoever runs the service "
    "makes one by `pgask keys create`.",
    detail_zh="本服务需要密钥：请发送 Authorization: Bearer pgask_…，或在页面上登录。"
    "密钥由服务管理员用 pgask keys create 创建。",
    headers={"WWW-Authenticate": "Bearer"},
)
REVOKED: Final = Fault(
    "unauthenticated",
    401,
    "The key has been revoked, has expired, or may read other documents by now. Ask again; if that is refused, ask "
    "whoever runs the service for another key.",
    detail_zh="密钥已被撤销、已过期，或可读的文档已变更。请重试；若仍被拒绝，请向服务管理员索取新的密钥。",
    headers={"WWW-Authenticate": "Bearer"},
)
_NO_TOKEN: Final = Fault(
    "forbidden",
    403,
    f"A change that a session makes has to bring its token: the `token` of GET /session, in {TOKEN_HEADER}.",
    detail_zh=f"用会话进行更改时须在 {TOKEN_HEADER} 中带上 GET /session 返回的 token。",
)
_CROSS_SITE: Final = Fault(
    "forbidden",
    403,
    "A page of another site may not change anything here.",
    detail_zh="其他网站的页面不能在此进行更改。",
)
_NOT_BY_PROXY: Final = Fault(
    "unauthenticated",
    401,
    "This service is reached through its proxy alone (PGASK_AUTH=proxy). The request did not come from one of "
    "PGASK_TRUSTED_PROXIES, or names no user.",
    detail_zh="本服务只能经由其代理访问（PGASK_AUTH=proxy）。"
    "请求并非来自 PGASK_TRUSTED_PROXIES 所列地址，或没有指明用户。",
)


_NOT_OPERATOR: Final = Fault(
    "forbidden",
    403,
    "This is about all tenants' documents: it needs an admin's key of the tenant that runs the service (PGASK_TENANT).",
    detail_zh="此项涉及所有租户，需要运行本服务的租户（PGASK_TENANT）的 admin 密钥。",
)


def _check_role(caller: Caller, needed: Needed | None, operators: tenancy.Scope) -> None:
    """Raise FaultError where the role is not enough; a route without a line in the table is nobody's."""
    if needed is None or not allows(caller.role, needed):
        raise FaultError(_forbidden(caller.role, "admin" if needed in (None, "operator") else needed))
    if needed == "operator" and caller.scope != operators:
        raise FaultError(_NOT_OPERATOR)


def _forbidden(role: Role, needed: Needed) -> Fault:
    return Fault(
        "forbidden",
        403,
        f"This needs the role {needed}; this key's is {role}. Ask whoever runs the service for another key.",
        detail_zh=f"此操作需要 {needed} 角色，而当前密钥的角色是 {role}。请向服务管理员索取其他密钥。",
    )


class Authentication:
    """Finds out who asks, refuses who may not, and records it. What each route needs is app/api/access.py's."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._mode = settings.auth
        self._rates = Rates(settings.requests_per_minute)
        self._trusted = [
            ipaddress.ip_network(name, strict=False) for name in settings.trusted_proxies.split(",") if name
        ]
        self._origins = settings.origins
        self._tenant = settings.tenant
        self._local = replace(LOCAL, tenant=self._tenant)
        self._user_header, self._groups_header = settings.proxy_user_header, settings.proxy_groups_header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"]
        route = _find_route(scope)
        needed = _needed(scope["method"], route)
        state["address"] = self._client_address(scope)
        if self._mode != "keys" and _comes_unasked(scope) and not self._is_own_page(scope):
            await refuse(_CROSS_SITE, scope, receive, send)
            return
        if self._mode == "off" or needed == "anyone":
            state["caller"] = self._local if self._mode == "off" else None
            try:
                if needed != "anyone":
                    self._rates.take(f"address {state['address']}")
            except FaultError as error:
                _record(scope, route, state["caller"], error.fault.status)
                await refuse(error.fault, scope, receive, send)
                return
            with nullcontext() if self._mode == "off" else working_for(NOBODY):
                await self._app(scope, receive, send)
            return
        status = 0

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        caller: Caller | None = None
        try:
            caller, look = await self._identify(scope)
            self._rates.take(f"{caller.tenant} {caller.key_id or caller.name}")
            components: Components = scope["app"].state.components
            _check_role(caller, needed, components.scope)
            state["caller"] = caller
            with working_for(caller.scope):
                await self._app(scope, _Watched(receive, look).receive if look else receive, send_noting)
        except FaultError as error:
            if status:
                raise
            await refuse(error.fault, scope, receive, send_noting)
        except StoreError as error:
            if caller is not None or status:
                raise
            await refuse(fault_of(error), scope, receive, send_noting)
        finally:
            _record(scope, route, caller, status)

    async def _identify(self, scope: Scope) -> tuple[Caller, Callable[[], Awaitable[bool]] | None]:
        """Who asks, and how to see whether they still may. Raises FaultError, StoreError."""
        headers = Headers(scope=scope)
        if self._mode == "proxy":
            return self._named_by_proxy(scope, headers), None
        given = headers.getlist("authorization")
        if given:
            scheme, _, key = given[0].partition(" ")
            if len(given) > 1 or scheme.lower() != "bearer":
                raise FaultError(UNAUTHENTICATED)
            return await _by_secret(scope, key=key.strip())
        session = read_cookie(headers)
        if session is None:
            raise FaultError(UNAUTHENTICATED)
        caller, look = await _by_secret(scope, session=session)
        if scope["method"] not in _SAFE:
            brought = headers.get(TOKEN_HEADER, "")
            if not hmac.compare_digest(brought.encode("latin-1", "replace"), token_of(session).encode()):
                raise FaultError(_NO_TOKEN)
        return caller, look

    def _named_by_proxy(self, scope: Scope, headers: Headers) -> Caller:
        users, groups_lines = headers.getlist(self._user_header), headers.getlist(self._groups_header)
        # Of two lines one may be the client's own, which a proxy added to instead of dropping it
        is_named_once = len(users) == 1 and len(groups_lines) <= 1
        if not self._is_trusted((scope.get("client") or ("",))[0]) or not is_named_once:
            raise FaultError(_NOT_BY_PROXY)
        user = _as_written(users[0]).strip()
        if not user or len(user) > _LONGEST_USER or not user.isprintable():
            raise FaultError(_NOT_BY_PROXY)
        if scope["method"] not in _SAFE and headers.get("sec-fetch-site", "none") not in (
            "none",
            "same-origin",
        ):
            raise FaultError(_CROSS_SITE)
        named = _as_written("".join(groups_lines)).split(",")
        groups = tuple(dict.fromkeys(name.strip() for name in named if name.strip()))[:_MOST_GROUPS]
        role: Role = "admin" if _ADMINS in groups else "writer" if _WRITERS in groups else "reader"
        components: Components = scope["app"].state.components
        seen = replace(components.scope, groups=None if role == "admin" else tuple(sorted(groups)))
        return Caller(user, role, self._tenant, seen, groups=groups)

    def _is_own_page(self, scope: Scope) -> bool:
        """Whether a request comes from the service's own page, one that PGASK_CORS_ORIGINS names, or from no page."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None:
            return origin in self._origins or is_own_origin(origin, headers.get("host", ""))
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")

    def _client_address(self, scope: Scope) -> str | None:
        """Where a request came from: the last address before the proxies that are trusted."""
        address: str | None = (scope.get("client") or (None,))[0]
        hops = [
            hop.strip() for line in Headers(scope=scope).getlist("x-forwarded-for") for hop in line.split(",")
        ]
        while address and hops and self._is_trusted(address):
            address = hops.pop()
        return address[:64] if address and _as_address(address) is not None else None

    def _is_trusted(self, address: str) -> bool:
        found = _as_address(address)
        return found is not None and any(found in network for network in self._trusted)


class _Watched:
    """A request's messages, for as long as `look` says that its caller is still let in; then FaultError."""

    def __init__(self, receive: Receive, look: Callable[[], Awaitable[bool]]) -> None:
        self._receive, self._look = receive, look

    async def receive(self) -> Message:
        """The next message. Raises FaultError(REVOKED)."""
        task = asyncio.ensure_future(self._receive())
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=RECHECK_S)
                if done:
                    return task.result()
                if not await self._look():
                    raise FaultError(REVOKED)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _by_secret(
    scope: Scope, *, key: str | None = None, session: str | None = None
) -> tuple[Caller, Callable[[], Awaitable[bool]]]:
    components: Components = scope["app"].state.components
    unknown_keys: UnknownKeys = scope["app"].state.unknown_keys

    async def find() -> Caller | None:
        return await find_caller(components, key=key, session=session)

    secret = key if key is not None else session or ""
    found = await unknown_keys.look(scope["state"]["address"], secret, find, is_session=key is None)
    if found is None:
        raise FaultError(UNAUTHENTICATED)

    async def look() -> bool:
        try:
            now = await find()
            return now is not None and (now.role, now.scope) == (found.role, found.scope)
        except StoreError:  # nobody can have revoked it there
            return True

    return found, look


async def find_caller(
    components: Components, *, key: str | None = None, session: str | None = None
) -> Caller | None:
    """Who has this key or session; None for nobody. Raises StoreError."""
    found = await find_account(components.pool, key=key, session=session)
    if found is None:
        return None
    account, is_due = found
    if is_due:
        await _note_use(components, account)
    token = token_of(session) if session is not None else None
    return Caller(
        account.name,
        account.role,
        account.tenant,
        account.scope,
        groups=account.groups,
        key_id=account.key_id,
        token=token,
    )


async def _note_use(components: Components, account: Account) -> None:
    async def note(connection: AsyncConnection) -> None:
        await note_use(connection, account.key_id)

    try:
        with working_for(account.scope):
            await write(components.pool, note)
    except StoreError as error:  # a database that takes no writes still answers
        _log.warning("the use of a key could not be noted", code=error.code)


def _comes_unasked(scope: Scope) -> bool:
    """Whether a browser sends such a change for any page without asking the service before (CORS-safelisted)."""
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    return scope["method"] == "POST" and kind in ("", *_UNASKED)


def is_own_origin(origin: str, host: str) -> bool:
    """Whether an Origin is the service's own page, as far as the request's Host says where that is."""
    try:
        return bool(host) and urlsplit(origin).netloc == host
    except ValueError:  # brackets without an address in them
        return False


def _as_written(value: str) -> str:
    """A header's text: proxies send names as UTF-8, which ASGI shows as Latin-1."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def read_cookie(headers: Headers) -> str | None:
    """What the session's cookie holds."""
    try:
        cookie = SimpleCookie("; ".join(headers.getlist("cookie"))[:8_192]).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie is not None and cookie.value else None


def token_of(session: str) -> str:
    """What changes have to bring that this session makes: another site can't read it, nor the cookie it is made of."""
    digest = hmac.new(session.encode(), b"pgask changes", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _find_route(scope: Scope) -> BaseRoute | None:
    """The route that will answer; None where the answer is 404 or 405."""
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    routes: Iterable[BaseRoute] = scope["app"].state.routes
    asked = dict(scope, method=method)
    return next((route for route in routes if route.matches(asked)[0] is Match.FULL), None)


def _needed(method: str, route: BaseRoute | None) -> Needed | None:
    """What a route asks for; None: it has no line in the table, and nobody may."""
    if route is None or getattr(route, "name", None) == PAGE:
        return "anyone"
    return ACCESS.get(("GET" if method == "HEAD" else method, getattr(route, "path", "")))


def _record(scope: Scope, route: BaseRoute | None, caller: Caller | None, status: int) -> None:
    """Changes, questions and refusals; reading is not recorded."""
    if scope["method"] in _SAFE and status not in (401, 403):
        return
    record_deed(
        scope,
        action=scope["state"].get("action") or f"{scope['method']} {getattr(route, 'path', '')}",
        caller=caller,
        status=status or 499,  # the client left
    )


def record_deed(scope: Scope, *, action: str, caller: Caller | None, status: int) -> None:
    """Add a line to the record."""
    components: Components = scope["app"].state.components
    if components.record is None:
        return
    path = "".join(c if c.isprintable() else "�" for c in scope["path"])
    components.record.add(
        Deed(
            at=datetime.now(UTC),
            actor=caller.name if caller else "unknown",
            role=caller.role if caller else None,
            key_id=caller.key_id if caller else None,
            action=action,
            target=path[:500],
            address=scope["state"].get("address"),
            status=status,
            detail={"request_id": scope["state"]["request_id"]},
            tenant=(caller and caller.scope.tenant) or tenancy.DEFAULT_TENANT,
        )
    )


def _as_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
