"""Keys, the page's sessions, and the record of what was done with them. Async, in the caller's transaction.

A key is `pgask_` and 43 characters that hold 256 random bits, so its SHA-256 is all that has to be kept: nobody finds
a key from its digest, and looking a digest up tells nothing of those that are near it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.domain import Role
from app.errors import InvalidRequestError, NotFoundError
from app.store.connection import AsyncConnection, AsyncPool, PooledConnection, run_alone
from app.store.shelves import read_groups
from app.store.spaces import check_name
from app.store.tenancy import DEFAULT_TENANT, Scope, working_for

KEY_PREFIX: Final = "pgask_"
SHOWN_CHARS: Final = (
    12  # of a key: pgask_ and six more, 36 bits, which find one among all of a service's keys
)
SESSION_DAYS: Final = 7
MOST_NAME_CHARS: Final = 100
_SECRET_BYTES: Final = 32
_LONGEST: Final = 200  # characters of anything that a client sends as a key or session


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks by a key: what a request is allowed follows from `role`, what it sees from `scope`. An admin reads all
    of the tenant's, whatever its `groups`."""

    key_id: UUID
    name: str
    role: Role
    tenant: str
    scope: Scope
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as it is listed; `state` is active, expired or revoked. `collections`: those that it may see, None: all of
    its tenant's; `groups`: whose documents it reads beside those that all read."""

    id: UUID
    prefix: str
    name: str
    role: Role
    tenant: str
    collections: list[str] | None
    groups: list[str]
    state: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Deed:
    """A line of the record. `status` is HTTP's; `detail` holds no words of questions, answers or documents."""

    at: datetime
    actor: str
    action: str
    target: str
    status: int
    role: str | None = None
    key_id: UUID | None = None
    address: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    tenant: int = (
        DEFAULT_TENANT  # whose record the line is in; of strangers, and of the service itself, `default`
    )


_IS_GOOD: Final = "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())"

_ACCOUNT: Final = """
SELECT k.id, k.name, k.role, t.name, t.id, k.collections, k.groups,
       k.last_used_at IS NULL OR k.last_used_at < date_trunc('hour', now())"""

_BY_KEY: Final = f"""{_ACCOUNT}, k.digest
  FROM pgask.api_keys k JOIN pgask.tenants t ON t.id = k.tenant_id
 WHERE k.digest = %(digest)s AND {_IS_GOOD}"""

_BY_SESSION: Final = f"""{_ACCOUNT}, s.digest
  FROM pgask.sessions s JOIN pgask.api_keys k ON k.id = s.key_id JOIN pgask.tenants t ON t.id = k.tenant_id
 WHERE s.digest = %(digest)s AND s.expires_at > now() AND {_IS_GOOD}"""

_USED: Final = """
UPDATE pgask.api_keys SET last_used_at = date_trunc('hour', now())
 WHERE id = %s AND last_used_at IS DISTINCT FROM date_trunc('hour', now())"""

_LIST: Final = f"""
SELECT k.id, k.prefix, k.name, k.role, t.name AS tenant, k.collections, k.groups, k.created_at,
       k.expires_at, k.last_used_at,
       CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN {_IS_GOOD} THEN 'active' ELSE 'expired' END AS state
  FROM pgask.api_keys k JOIN pgask.tenants t ON t.id = k.tenant_id
 ORDER BY k.created_at, k.id"""  # noqa: S608 - constants only


async def create_key(
    connection: AsyncConnection,
    name: str,
    role: Role,
    *,
    lasts: timedelta | None = None,
    collections: Sequence[str] | None = None,
    groups: Sequence[str] = (),
) -> tuple[str, KeyRow]:
    """Make a key of the tenant that is worked for; it is returned here and nowhere else. With `collections` it sees
    those alone, be they there yet or not. Raises InvalidRequestError for a bad name, and `bad_readers` for a group's.
    """
    if not name.strip() or len(name) > MOST_NAME_CHARS or not name.isprintable():
        raise InvalidRequestError(f"A key's name has 1 to {MOST_NAME_CHARS} printable characters.")
    for named in collections or ():
        check_name(named)
    key = KEY_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    row = await (
        await connection.execute(
            "INSERT INTO pgask.api_keys (name, role, prefix, digest, expires_at, collections, groups) VALUES (%(name)s,"
            " %(role)s, %(prefix)s, %(digest)s, now() + %(lasts)s::interval, %(collections)s, %(groups)s) RETURNING id",
            {
                "name": name.strip(),
                "role": role,
                "prefix": key[:SHOWN_CHARS],
                "digest": digest_of(key),
                "lasts": lasts,
                "collections": list(collections) if collections else None,
                "groups": list(read_groups(groups)),
            },
        )
    ).fetchone()
    assert row is not None
    return key, next(made for made in await list_keys(connection) if made.id == row[0])


async def list_keys(connection: AsyncConnection) -> Sequence[KeyRow]:
    """All keys of the tenant, the oldest first, revoked ones too."""
    async with connection.cursor(row_factory=class_row(KeyRow)) as cursor:
        await cursor.execute(_LIST.encode())
        return await cursor.fetchall()


async def change_groups(connection: AsyncConnection, named: str, groups: Sequence[str]) -> KeyRow:
    """Give a key other groups in place of those that it has; nothing of any document is written. Raises as _find_key
    does, and InvalidRequestError (`bad_readers`)."""
    found = await _find_key(connection, named)
    await connection.execute(
        "UPDATE pgask.api_keys SET groups = %s WHERE id = %s", [list(read_groups(groups)), found.id]
    )
    return next(key for key in await list_keys(connection) if key.id == found.id)


async def revoke_key(connection: AsyncConnection, named: str) -> KeyRow:
    """Revoke a key and its sessions. Raises as _find_key does."""
    found = await _find_key(connection, named)
    await connection.execute("UPDATE pgask.api_keys SET revoked_at = now() WHERE id = %s", [found.id])
    await connection.execute("DELETE FROM pgask.sessions WHERE key_id = %s", [found.id])
    return next(key for key in await list_keys(connection) if key.id == found.id)


async def _find_key(connection: AsyncConnection, named: str) -> KeyRow:
    """The one key that `named` (its id, the characters of it that are shown, or its name) means. Raises NotFoundError
    for none, InvalidRequestError for several."""
    found = [
        key
        for key in await list_keys(connection)
        if key.state != "revoked" and named in (str(key.id), key.prefix, key.name)
    ]
    if not found:
        raise NotFoundError(f"There is no key {named!r} that is not revoked. `pgask keys list` lists them.")
    if len(found) > 1:
        raise InvalidRequestError(
            f"{len(found)} keys are called {named!r}. Name one by its first characters: "
            f"{', '.join(key.prefix for key in found)}"
        )
    return found[0]


async def find_account(
    pool: AsyncPool, *, key: str | None = None, session: str | None = None
) -> tuple[Account, bool] | None:
    """Whose key or session this is, and whether note_use is due; None where it is unknown, expired or revoked. Raises
    StoreError."""
    secret = key if key is not None else session
    if not secret or len(secret) > _LONGEST:
        return None
    digest = digest_of(secret)
    statement = _BY_KEY if key is not None else _BY_SESSION

    async def look(connection: PooledConnection) -> tuple[Any, ...] | None:
        return await (await connection.execute(statement.encode(), {"digest": digest})).fetchone()

    with working_for(
        Scope(presented=digest)
    ):  # whose it is, nobody knows yet: the policies show this one row
        row = await run_alone(pool, look)
    if row is None or not hmac.compare_digest(digest, bytes(row[8])):
        return None
    key_id, name, role, tenant, number, collections, given, is_due, _ = row
    groups = tuple(given)
    scope = Scope(
        number, None if collections is None else tuple(collections), None if role == "admin" else groups
    )
    return Account(key_id, name, role, tenant, scope, groups), bool(is_due)


async def note_use(connection: AsyncConnection, key_id: UUID) -> None:
    """Note that a key is used, to the hour."""
    await connection.execute(_USED, [key_id])


async def open_session(connection: AsyncConnection, key_id: UUID) -> str:
    """A session for who gave this key; what the cookie is to hold. Forgets those that have ended."""
    token = secrets.token_urlsafe(_SECRET_BYTES)
    await connection.execute("DELETE FROM pgask.sessions WHERE expires_at < now()")
    await connection.execute(
        "INSERT INTO pgask.sessions (digest, key_id, expires_at) VALUES (%s, %s, now() + %s)",
        [digest_of(token), key_id, timedelta(days=SESSION_DAYS)],
    )
    return token


async def close_session(connection: AsyncConnection, token: str) -> None:
    """End a session; nothing happens where there is none."""
    await connection.execute("DELETE FROM pgask.sessions WHERE digest = %s", [digest_of(token)])


async def record(connection: AsyncConnection, deeds: Sequence[Deed]) -> None:
    """Add lines to the record of the tenant that is worked for."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO pgask.audit (at, actor, role, key_id, action, target, address, status, detail)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (d.at, d.actor, d.role, d.key_id, d.action, d.target, d.address, d.status, Jsonb(d.detail))
                for d in deeds
            ],
        )


async def forget_record(connection: AsyncConnection, *, days: int) -> None:
    """Delete the lines of the tenant that are older than `days`."""
    await connection.execute("DELETE FROM pgask.audit WHERE at < now() - %s", [timedelta(days=days)])


async def read_record(
    connection: AsyncConnection, *, most: int, actor: str | None = None, since: timedelta | None = None
) -> Sequence[Deed]:
    """The newest `most` lines, the newest first; only those of one actor, or not older than `since`."""
    async with connection.cursor(row_factory=class_row(Deed)) as cursor:
        await cursor.execute(
            "SELECT at, actor, role, key_id, action, target, address, status, detail, tenant_id AS tenant"
            " FROM pgask.audit WHERE (%(actor)s::text IS NULL OR actor = %(actor)s)"
            "   AND (%(since)s::interval IS NULL OR at > now() - %(since)s)"
            " ORDER BY at DESC, id DESC LIMIT %(most)s",
            {"actor": actor, "since": since, "most": most},
        )
        return await cursor.fetchall()


async def read_tenant_ids(pool: AsyncPool) -> Sequence[int]:
    """All tenants, for what the service does for each of them. Raises StoreError."""

    async def look(connection: PooledConnection) -> list[int]:
        return [
            row[0]
            for row in await (await connection.execute("SELECT id FROM pgask.tenants ORDER BY id")).fetchall()
        ]

    return await run_alone(pool, look)


def digest_of(secret: str) -> bytes:
    """SHA-256 of a key or of what a cookie holds."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
