"""`pgask keys` and `pgask audit`: who may use the service, and what they did."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.output import AsJson, print_json, print_table, printable
from app.cli.transactions import in_transaction
from app.domain import Role
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.store.accounts import Deed, KeyRow
    from app.store.connection import AsyncConnection

_keys = typer.Typer(help="Make, list and revoke the keys of PGASK_AUTH=keys.", invoke_without_command=True)
_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOST_LINES: Final = 10_000
Tenant = Annotated[str | None, typer.Option(help="Whose; PGASK_TENANT where it is left out.")]


def register(app: typer.Typer) -> None:
    """Add the group and the command."""
    app.add_typer(
        _keys, name="keys", epilog="Example: pgask keys create --name Ada --role writer --expires 90d"
    )
    app.command(epilog="Example: pgask audit --since 7d --actor Ada")(audit)


@_keys.callback()
def _keys_alone(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_keys(as_json=as_json)


@_keys.command("create", epilog="Example: pgask keys create --name Ada --role writer --expires 90d")
def create_key(
    name: Annotated[str, typer.Option(help="Whose key it is; stands in the record.")],
    role: Annotated[
        Role, typer.Option(help="reader asks and reads; writer changes documents, too; admin all.")
    ] = "reader",
    *,
    tenant: Tenant = None,
    collection: Annotated[
        list[str] | None,
        typer.Option(help="Sees this collection alone, there yet or not; may be given again."),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="Reads what is kept for this group, too; may be given again. An admin reads all."),
    ] = None,
    expires: Annotated[str | None, typer.Option(help="12h, 90d, 52w; never where it is left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown this once: only its SHA-256 is kept."""
    from app.store import accounts

    lasts = None if expires is None else _span(expires, "--expires")
    by_cli = f"key {name}"

    async def make(connection: AsyncConnection) -> tuple[str, KeyRow]:
        made = await accounts.create_key(
            connection, name, role, lasts=lasts, collections=collection, groups=group or ()
        )
        await accounts.record(connection, [_deed("keys create", by_cli, {"role": role})])
        return made

    key, row = in_transaction(make, tenant)
    if as_json:
        print_json({"key": key} | _shown(row))
    else:
        print(key)
        typer.echo("Keep it now: it is not shown again, and is kept nowhere.", err=True)


@_keys.command("list", epilog="Example: pgask keys list --json")
def list_keys(tenant: Tenant = None, as_json: AsJson = False) -> None:
    """List a tenant's keys, revoked ones too."""
    from app.store import accounts

    found: Sequence[KeyRow] = in_transaction(accounts.list_keys, tenant)
    if as_json:
        print_json({"keys": [_shown(key) for key in found]})
        return
    print_table(
        ("KEY", "NAME", "ROLE", "COLLECTIONS", "GROUPS", "STATE", "CREATED", "EXPIRES", "LAST USED"),
        (
            (
                f"{key.prefix}…",
                key.name,
                key.role,
                "all" if key.collections is None else ", ".join(key.collections),
                ", ".join(key.groups),
                key.state,
                f"{key.created_at:%Y-%m-%d}",
                f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never",
                f"{key.last_used_at:%Y-%m-%d %H:00}" if key.last_used_at else "never",
            )
            for key in found
        ),
    )
    if not found:
        print("There is none yet: pgask keys create --name NAME --role reader|writer|admin makes one.")


@_keys.command("groups", epilog="Example: pgask keys groups Ada --group hr --group board")
def change_groups(
    key: Annotated[str, typer.Argument(help="The key's first characters as listed, its name, or its id.")],
    group: Annotated[
        list[str] | None, typer.Option(help="A group that it is in from now on; may be given again.")
    ] = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Give a key other groups, in place of those that it has; none without --group. It holds within five seconds."""
    from app.store import accounts

    async def change(connection: AsyncConnection) -> KeyRow:
        changed = await accounts.change_groups(connection, key.removesuffix("…"), group or ())
        detail = {"groups": ",".join(changed.groups)}
        await accounts.record(connection, [_deed("keys groups", f"key {changed.name}", detail)])
        return changed

    row = in_transaction(change, tenant)
    if as_json:
        print_json(_shown(row))
    else:
        print(f"{printable(row.name)} ({row.prefix}…): {printable(', '.join(row.groups)) or 'no group'}")


@_keys.command("revoke", epilog="Example: pgask keys revoke pgask_Ab12Cd")
def revoke_key(
    key: Annotated[str, typer.Argument(help="The key's first characters as listed, its name, or its id.")],
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key: whoever uses it, on open streams and in browsers too, is out within five seconds."""
    from app.store import accounts

    async def revoke(connection: AsyncConnection) -> KeyRow:
        revoked = await accounts.revoke_key(connection, key.removesuffix("…"))
        await accounts.record(connection, [_deed("keys revoke", f"key {revoked.name}", {})])
        return revoked

    row = in_transaction(revoke, tenant)
    if as_json:
        print_json(_shown(row))
    else:
        print(f"revoked {printable(row.name)} ({row.prefix}…)")


def audit(
    since: Annotated[str, typer.Option(help="How far back: 12h, 7d, 4w.")] = "7d",
    actor: Annotated[str | None, typer.Option(help="Only what this key's name or user did.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST_LINES, help="Most lines, the newest.")] = 100,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what, when, from where, and how it ended: changes, questions (no words), logins, refusals."""
    from app.store import accounts

    ago = _span(since, "--since")
    deeds: Sequence[Deed] = in_transaction(
        lambda connection: accounts.read_record(connection, most=limit, actor=actor, since=ago), tenant
    )
    if as_json:
        print_json({"audit": [asdict(deed) for deed in deeds]})
        return
    print_table(
        ("WHEN", "WHO", "ROLE", "WHAT", "ON", "FROM", "RESULT"),
        (
            (f"{d.at:%Y-%m-%d %H:%M:%S}", d.actor, d.role, d.action, d.target, d.address, _result(d))
            for d in deeds
        ),
    )


def _result(deed: Deed) -> str:
    """The status, and how many requests had it where the line counts several."""
    count = deed.detail.get("requests")
    return str(deed.status) if count is None else f"{deed.status} (x{count})"


def _deed(action: str, target: str, detail: dict[str, str]) -> Deed:
    from datetime import UTC, datetime

    from app.store.accounts import Deed

    return Deed(datetime.now(UTC), "cli", action, target, 200, role="admin", detail=detail)


def _shown(key: KeyRow) -> dict[str, object]:
    return asdict(key)


def _span(text: str, option: str) -> timedelta:
    """A time such as 90d. Raises InvalidRequestError."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InvalidRequestError(f"{option} {text!r} is no time: write 30m, 12h, 90d or 52w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
