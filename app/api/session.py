"""POST, GET and DELETE /session: the page logs in with a key; its browser keeps a cookie that no script can read."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Body, Request, Response
from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict, Field

from app.api.authentication import (
    COOKIE,
    LOGIN,
    UNAUTHENTICATED,
    Caller,
    find_caller,
    read_cookie,
    record_deed,
    token_of,
)
from app.api.components import Parts
from app.api.documentation import example, problems
from app.api.problems import Fault, FaultError
from app.api.unknown_keys import UnknownKeys
from app.domain import Role
from app.store.accounts import SESSION_DAYS, close_session, open_session
from app.store.connection import write
from app.store.tenancy import working_for

router = APIRouter(tags=["accounts"])

_NO_KEYS = Fault(
    "not_found",
    404,
    "This service asks for no keys (PGASK_AUTH), so there is no session to open.",
    detail_zh="本服务不使用密钥（PGASK_AUTH），无需登录。",
)


_EXAMPLES: Final[dict[str, Example]] = {"key": {"value": {"key": "pgask_…"}}}


class NewSession(BaseModel):
    """A key, given once for a cookie."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=1, max_length=200, description="pgask_…")]


class SessionReply(BaseModel):
    """Who one is. `token` goes into X-CSRF-Token of every change that the cookie makes; null where none is needed.
    `conversations_of` tells apart whose conversations are kept: of two keys with one name each has its own; null where
    the service keeps none."""

    auth: Literal["off", "keys", "proxy"]
    name: str
    role: Role
    tenant: str
    groups: list[str]
    token: str | None
    conversations_of: str | None


def _reply(parts: Parts, caller: Caller) -> SessionReply:
    return SessionReply(
        auth=parts.settings.auth,
        name=caller.name,
        role=caller.role,
        tenant=caller.tenant,
        groups=list(caller.groups),
        token=caller.token,
        conversations_of=caller.conversations_of(parts.settings),
    )


@router.post(
    "/session",
    summary="Log in with a key",
    responses=example("session") | problems(401, 404, 415, 422, 429),
)
async def create_session(
    body: Annotated[NewSession, Body(openapi_examples={"key": {"value": {"key": "pgask_…"}}})],
    request: Request,
    response: Response,
    parts: Parts,
) -> SessionReply:
    """Sets the cookie, for seven days, or until the key is revoked or expires."""
    if parts.settings.auth != "keys":
        raise FaultError(_NO_KEYS)
    action = f"POST {LOGIN}"
    unknown_keys: UnknownKeys = request.app.state.unknown_keys
    try:
        caller = await unknown_keys.look(
            request.state.address, body.key, lambda: find_caller(parts, key=body.key), is_login=True
        )
    except FaultError as error:
        record_deed(request.scope, action=action, caller=None, status=error.fault.status)
        raise
    if caller is None or caller.key_id is None:
        record_deed(request.scope, action=action, caller=None, status=401)
        raise FaultError(UNAUTHENTICATED)
    key_id = caller.key_id
    with working_for(caller.scope):
        session = await write(parts.pool, lambda connection: open_session(connection, key_id))
    unknown_keys.let_in(session)
    record_deed(request.scope, action=action, caller=caller, status=200)
    response.set_cookie(
        COOKIE,
        session,
        max_age=SESSION_DAYS * 86_400,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https",
    )
    response.headers["Cache-Control"] = "no-store"
    opened = _reply(parts, caller)
    return opened.model_copy(update={"token": token_of(session)})


@router.get(
    "/session",
    summary="Tell who one is",
    responses=example("session") | problems(401),
)
async def get_session(request: Request, response: Response, parts: Parts) -> SessionReply:
    """Name, role, tenant and groups, and the token for changes."""
    response.headers["Cache-Control"] = "no-store"
    return _reply(parts, request.state.caller)


@router.delete(
    "/session",
    status_code=204,
    response_class=Response,
    summary="Log out",
    responses=problems(401, 403),
)
async def delete_session(request: Request, parts: Parts) -> Response:
    """Ends the session and takes the cookie back."""
    session = read_cookie(request.headers)
    if session is not None:
        await write(parts.pool, lambda connection: close_session(connection, session))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response
