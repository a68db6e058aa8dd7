"""Whose rows a connection sees: the scope of who asks, and the settings that the policies of the tables look at.

The database holds tenants apart (row-level security, migration 0017; ADR 0035): a connection whose scope is NOBODY sees
no row. The scope travels with the request (a context variable) and is set on a connection whenever it leaves the pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from app.errors import ConfigError, NotFoundError, StoreError

DEFAULT_TENANT: Final = 1  # the tenant `default`, made by migration 0009
DEFAULT_NAME: Final = "default"

SET_SCOPE: Final = (
    "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS setting (name, value)"
)
SET_LOCALLY: Final = (  # until the transaction ends
    "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS setting (name, value)"
)

_CONFINED: Final = """
SELECT r.rolname, r.rolsuper OR r.rolbypassrls,
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname IN ('pgask', 'pgask_vectors') AND c.relkind IN ('r', 'p')
                  AND pg_has_role(r.oid, c.relowner, 'MEMBER'))
  FROM pg_roles r WHERE r.rolname = current_user"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows are seen: a tenant's, where `collections` is given only those in collections of these names. Of
    documents that are kept for some groups those that one of `groups` may read; None: all of them, as admins do.
    `presented` is the digest of a key or session: its row alone is seen, before it is known whose it is."""

    tenant: int | None = None
    collections: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = ()
    presented: bytes = b""

    def settings(self) -> Mapping[str, str]:
        """What a session has set."""
        return {
            "pgask.tenant": "" if self.tenant is None else str(self.tenant),
            "pgask.collections": "" if self.collections is None else _array(self.collections),
            "pgask.groups": "*" if self.groups is None else _array(self.groups) if self.groups else "",
            "pgask.presented": self.presented.hex(),
        }


NOBODY: Final = Scope()
DEFAULT: Final = Scope(DEFAULT_TENANT, groups=None)
_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current_scope(otherwise: Scope) -> Scope:
    """The scope of who is worked for here; `otherwise` where nobody said."""
    scope = _scope.get()
    return otherwise if scope is None else scope


@contextmanager
def working_for(scope: Scope) -> Iterator[None]:
    """Until the block ends, connections see what this scope sees."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def open_scope(
    connection: psycopg.Connection[tuple[Any, ...]], tenant: str, *, several: bool = False
) -> Scope:
    """All that the tenant of this name has. Raises NotFoundError, and ConfigError as check_confined does."""
    check_confined(connection, several=several)
    row = connection.execute("SELECT id FROM pgask.tenants WHERE name = %s", [tenant]).fetchone()
    if row is None:
        raise NotFoundError(
            f"There is no tenant {tenant!r}. `pgask tenants list` lists them, `pgask tenants create` makes one."
        )
    return Scope(int(row[0]), groups=None)


def list_tenants(connection: psycopg.Connection[tuple[Any, ...]]) -> list[int]:
    """All tenants, for what is done for each of them."""
    return [row[0] for row in connection.execute("SELECT id FROM pgask.tenants ORDER BY id").fetchall()]


def check_confined(connection: psycopg.Connection[tuple[Any, ...]], *, several: bool) -> None:
    """Raise ConfigError where policies don't hold the role of this connection, and it matters: `several` kinds of
    callers are told apart, or there is more than one tenant."""
    row = connection.execute(_CONFINED).fetchone()
    if row is None:
        raise StoreError("The database's role can't be looked up.")
    name, bypasses, owns = row
    if not bypasses and not owns:
        return
    if not several:
        count = connection.execute("SELECT count(*) FROM pgask.tenants").fetchone()
        if count == (1,):
            return
    why = "is a superuser or has BYPASSRLS" if bypasses else "owns the tables"
    raise ConfigError(
        f"The role {name!r} of PGASK_DATABASE_URL {why}, so PostgreSQL would not keep tenants apart. Name a role "
        "in PGASK_DATABASE_URL that does not, the owner in PGASK_OWNER_DATABASE_URL, and run: pgask migrate",
        code="role_not_confined",
    )


def _array(names: tuple[str, ...]) -> str:
    """The text of a PostgreSQL array."""
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
    return "{" + ",".join(f'"{name}"' for name in quoted) + "}"
