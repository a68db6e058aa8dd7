"""Conversations of those who log in: what the page keeps of one, as it is. Async, in the caller's transaction.

Rows belong to their owner: every statement names it. What is in a conversation is its client's business; its size and
number are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.errors import InvalidRequestError, NotFoundError
from app.store.connection import AsyncConnection

MAX_BYTES: Final = 1_000_000
MAX_NUMBER: Final = 500
MAX_ALL_BYTES: Final = 100_000_000  # of an owner's together
MAX_PAGE: Final = 100

_COLUMNS: Final = "id, name, version, size_bytes, updated_at"


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in a list. `version` goes up by one with each change."""

    id: str
    name: str | None
    version: int
    size_bytes: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class WholeConversation(ConversationRow):
    """The same with what its client keeps of it."""

    content: dict[str, Any]


async def list_conversations(
    connection: AsyncConnection, owner: str, *, after: str | None, most: int, whole: bool = True
) -> Sequence[WholeConversation]:
    """An owner's conversations by id, those after one. Unless they are to be `whole`, nothing of what is in them is
    read: a page of a hundred may hold a hundred megabytes."""
    content = "content" if whole else "'{}'::jsonb AS content"
    async with connection.cursor(row_factory=class_row(WholeConversation)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS}, {content} FROM pgask.conversations WHERE owner = %(owner)s"  # noqa: S608 - constants
            " AND (%(after)s::text IS NULL OR id > %(after)s) ORDER BY id LIMIT %(most)s",
            {"owner": owner, "after": after, "most": most},
        )
        return await cursor.fetchall()


async def get_conversation(
    connection: AsyncConnection, owner: str, conversation_id: str
) -> WholeConversation:
    """Raises NotFoundError, also where it is another owner's."""
    async with connection.cursor(row_factory=class_row(WholeConversation)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS}, content FROM pgask.conversations WHERE owner = %s AND id = %s",  # noqa: S608
            [owner, conversation_id],
        )
        found = await cursor.fetchone()
    if found is None:
        raise _not_there(conversation_id)
    return found


async def put_conversation(
    connection: AsyncConnection,
    owner: str,
    conversation_id: str,
    name: str | None,
    *,
    content: dict[str, Any],
    size_bytes: int,
    version: int | None,
    days: int,
) -> int:
    """Store a conversation; its new version. `version` is that which was read, None: it was not there. Forgets those of
    everybody that nobody has changed for `days`.

    Raises InvalidRequestError: too large, too many, or changed meanwhile (`conversation_changed`).
    """
    if size_bytes > MAX_BYTES:
        raise InvalidRequestError(
            f"The conversation has {size_bytes:,} bytes; the limit is {MAX_BYTES:,} (fixed). Begin a new one.",
            code="limit_exceeded",
            chinese=f"会话有 {size_bytes:,} 字节，上限为 {MAX_BYTES:,}（不可调整）。请开始新的会话。",
        )
    await connection.execute(
        "DELETE FROM pgask.conversations WHERE updated_at < now() - %s", [timedelta(days=days)]
    )
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtext('pgask.conversations'), hashtext(%s))", [owner]
    )
    row = await (
        await connection.execute(
            "SELECT count(*), max(version) FILTER (WHERE id = %(id)s),"
            " coalesce(sum(size_bytes) FILTER (WHERE id <> %(id)s), 0)"
            " FROM pgask.conversations WHERE owner = %(owner)s",
            {"id": conversation_id, "owner": owner},
        )
    ).fetchone()
    assert row is not None
    number, stored, others_bytes = row
    if stored != version:
        raise InvalidRequestError(
            "The conversation was changed meanwhile, or is not there any more. Get it again, and put both together.",
            code="conversation_changed",
        )
    if stored is None and number >= MAX_NUMBER:
        raise InvalidRequestError(
            f"There are {number:,} conversations; the limit is {MAX_NUMBER:,} (fixed). Delete some first.",
            code="limit_exceeded",
            chinese=f"已有 {number:,} 个会话，上限为 {MAX_NUMBER:,}（不可调整）。请先删除一些。",
        )
    if others_bytes + size_bytes > MAX_ALL_BYTES:
        raise InvalidRequestError(
            f"With this one the conversations have {others_bytes + size_bytes:,} bytes; the limit is "
            f"{MAX_ALL_BYTES:,} (fixed). Delete some first.",
            code="limit_exceeded",
            chinese=f"加上本会话共有 {others_bytes + size_bytes:,} 字节，上限为 {MAX_ALL_BYTES:,}（不可调整）。"
            "请先删除一些会话。",
        )
    await connection.execute(
        "INSERT INTO pgask.conversations (owner, id, name, content, size_bytes) VALUES (%(owner)s, %(id)s, %(name)s,"
        " %(content)s, %(size)s) ON CONFLICT (tenant_id, owner, id) DO UPDATE SET name = excluded.name,"
        " content = excluded.content, size_bytes = excluded.size_bytes, version = conversations.version + 1,"
        " updated_at = now()",
        {"owner": owner, "id": conversation_id, "name": name, "content": Jsonb(content), "size": size_bytes},
    )
    return 1 if stored is None else stored + 1


async def delete_conversation(connection: AsyncConnection, owner: str, conversation_id: str) -> None:
    """Raises NotFoundError."""
    deleted = await connection.execute(
        "DELETE FROM pgask.conversations WHERE owner = %s AND id = %s", [owner, conversation_id]
    )
    if deleted.rowcount == 0:
        raise _not_there(conversation_id)


async def delete_conversations(connection: AsyncConnection, owner: str) -> None:
    """Delete all of an owner's."""
    await connection.execute("DELETE FROM pgask.conversations WHERE owner = %s", [owner])


def _not_there(conversation_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no conversation {conversation_id[:64]!r} of yours. GET /conversations lists them."
    )
