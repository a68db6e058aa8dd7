"""The newest replies, for their askers to rate (app/api/feedback.py). Async, in the caller's transaction.

A tenant's newest MOST of the last KEPT: what nobody has rated by then is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from app.store.connection import AsyncConnection

MOST: Final = 2_000  # of a tenant
KEPT: Final = timedelta(days=1)

_INSERT: Final = """
INSERT INTO pgask.replies (asker, request_id, at, reply) VALUES (%s, %s, clock_timestamp(), %s)
ON CONFLICT (tenant_id, asker, request_id) DO UPDATE SET at = excluded.at, reply = excluded.reply"""

_FORGET: Final = """
DELETE FROM pgask.replies WHERE at <= greatest(
       now() - %(kept)s, (SELECT at FROM pgask.replies ORDER BY at DESC OFFSET %(most)s LIMIT 1))"""


async def keep_replies(
    connection: AsyncConnection, replies: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    """Keep these by asker and id, each in the place of an older one of the same id, and forget all but the newest."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _INSERT, [(*key, Jsonb(dict(reply))) for key, reply in sorted(replies.items())]
        )
    await forget_replies(connection)


async def forget_replies(connection: AsyncConnection, *, most: int | None = None) -> None:
    """Forget a tenant's replies but the newest `most` (MOST)."""
    await connection.execute(_FORGET, {"kept": KEPT, "most": MOST if most is None else most})


async def find_reply(connection: AsyncConnection, asker: str, request_id: str) -> dict[str, Any] | None:
    """What is kept of a reply; None where there is none any more, or somebody else asked."""
    row = await (
        await connection.execute(
            "SELECT reply FROM pgask.replies WHERE asker = %s AND request_id = %s AND at > now() - %s",
            [asker, request_id, KEPT],
        )
    ).fetchone()
    return None if row is None else row[0]
