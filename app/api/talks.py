"""GET and DELETE /conversations, GET, PUT and DELETE /conversations/{id}: for those who log in; others' browsers keep
theirs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import AfterValidator, Field

from app.api.authentication import Caller
from app.api.bodies import UNSTORABLE, NullIsDefault, Text
from app.api.bodies import Request as RequestBody
from app.api.components import Components, Parts
from app.api.documentation import DELETED, example, problems
from app.api.problems import Fault, FaultError
from app.api.schemas import Reply
from app.store import conversations
from app.store.connection import transaction, write

router = APIRouter(tags=["conversations"])

_OFF: Final = Fault(
    "conversations_off",
    404,
    "This service keeps no conversations: nobody logs in here (PGASK_AUTH=off), or PGASK_CONVERSATION_DAYS is 0. They "
    "stay in the browser.",
    detail_zh="本服务不保存会话：无需登录（PGASK_AUTH=off），或 PGASK_CONVERSATION_DAYS 为 0。会话保留在浏览器中。",
)
ConversationId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["b6b0f3a2-6f0e-4f7e-9d4b-2f8f6f3a1c55"])
]


_WIDEST: Final = (
    1e40  # PostgreSQL writes 1e300 out in 301 digits: a megabyte of such numbers comes back as fifty
)


def _has_wide_number(content: dict[str, Any]) -> bool:
    waiting: list[Any] = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
        elif isinstance(one, float) and one and not 1 / _WIDEST <= abs(one) <= _WIDEST:
            return True
    return False


def _storable(content: dict[str, Any]) -> dict[str, Any]:
    """Refuse what PostgreSQL's jsonb can't hold."""
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise ValueError("must not be nested so deeply") from None
    if UNSTORABLE.search(text) or "\\u0000" in text:
        raise ValueError("must not contain NUL or lone surrogates")
    if _has_wide_number(content):
        raise ValueError("must not contain numbers of more than 40 digits before or after the point, 0 apart")
    return content


class NewConversation(NullIsDefault, RequestBody):
    """A conversation as its client keeps it. null stands for a field's default."""

    name: Annotated[Text, Field(max_length=200)] | None = None
    version: Annotated[
        int | None, Field(ge=1, le=2**31 - 1, description="That which was read; null for a new one")
    ] = None
    content: Annotated[
        dict[str, Any],
        Field(description="Whatever the client keeps, at most 1 MB"),
        AfterValidator(_storable),
    ]


class ConversationSummary(Reply):
    """A conversation. `version` goes up with each change; `content` is there if asked for."""

    id: str
    name: str | None
    version: int
    size_bytes: int
    updated_at: datetime
    content: Annotated[dict[str, Any] | None, Field(exclude_if=lambda value: value is None)] = None


class ConversationList(Reply):
    """A page of one's conversations by id; `next_after` is null on the last one."""

    conversations: list[ConversationSummary]
    next_after: str | None


class StoredVersion(Reply):
    """What to send with the next change."""

    version: int


def _owner(request: Request, parts: Components) -> str:
    """Whose conversations these are. Raises FaultError where nobody is told apart."""
    caller: Caller = request.state.caller
    owner = caller.conversations_of(parts.settings)
    if owner is None:
        raise FaultError(_OFF)
    return owner


@router.get(
    "/conversations",
    summary="List one's conversations",
    responses=example("conversations") | problems(404, 422),
)
async def list_conversations(
    request: Request,
    parts: Parts,
    content: Annotated[bool, Query(description="With all that is in them, ten a page: an export")] = False,
    after: Annotated[Text | None, Query(max_length=64, description="`next_after` of the page before")] = None,
) -> ConversationList:
    """Follow `next_after` until it is null to see them all."""
    owner, most = _owner(request, parts), 10 if content else conversations.MAX_PAGE
    async with transaction(parts.pool) as connection:
        found = await conversations.list_conversations(
            connection, owner, after=after, most=most + 1, whole=content
        )
    shown = [_summary(one, content=content) for one in found[:most]]
    return ConversationList(conversations=shown, next_after=shown[-1].id if len(found) > most else None)


@router.get(
    "/conversations/{conversation_id}",
    summary="Get one of one's conversations",
    responses=example("conversation") | problems(404, 422),
)
async def get_conversation(
    conversation_id: ConversationId, request: Request, parts: Parts
) -> ConversationSummary:
    """Another's is not found."""
    owner = _owner(request, parts)
    async with transaction(parts.pool) as connection:
        found = await conversations.get_conversation(connection, owner, conversation_id)
    return _summary(found, content=True)


@router.put(
    "/conversations/{conversation_id}",
    summary="Keep a conversation",
    responses=example("stored conversation") | problems(404, 409, 415, 422),
)
async def put_conversation(
    conversation_id: ConversationId,
    body: Annotated[
        NewConversation,
        Body(openapi_examples={"new": {"value": {"name": "Filters", "content": {"turns": []}}}}),
    ],
    request: Request,
    parts: Parts,
) -> StoredVersion:
    """Kept for PGASK_CONVERSATION_DAYS after its last change. With another `version` than the stored one it is a 409:
    another tab or machine was first."""
    owner = _owner(request, parts)
    size_bytes = len(json.dumps(body.content, ensure_ascii=False).encode())
    version = await write(
        parts.pool,
        lambda connection: conversations.put_conversation(
            connection,
            owner,
            conversation_id,
            body.name,
            content=body.content,
            size_bytes=size_bytes,
            version=body.version,
            days=parts.settings.conversation_days,
        ),
    )
    return StoredVersion(version=version)


@router.delete(
    "/conversations/{conversation_id}",
    status_code=204,
    response_class=Response,
    summary="Delete one of one's conversations",
    responses=DELETED | problems(404, 422),
)
async def delete_conversation(conversation_id: ConversationId, request: Request, parts: Parts) -> None:
    """It is gone at once."""
    owner = _owner(request, parts)
    await write(
        parts.pool,
        lambda connection: conversations.delete_conversation(connection, owner, conversation_id),
    )


@router.delete(
    "/conversations",
    status_code=204,
    response_class=Response,
    summary="Delete all of one's conversations",
    responses=DELETED | problems(404),
)
async def delete_conversations(request: Request, parts: Parts) -> None:
    """They are gone at once."""
    owner = _owner(request, parts)
    await write(parts.pool, lambda connection: conversations.delete_conversations(connection, owner))


def _summary(found: conversations.WholeConversation, *, content: bool) -> ConversationSummary:
    return ConversationSummary(
        id=found.id,
        name=found.name,
        version=found.version,
        size_bytes=found.size_bytes,
        updated_at=found.updated_at,
        content=found.content if content else None,
    )
