"""`pgask tenants`: who keeps documents here, held apart by the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import open_checked, read_settings
from app.cli.output import AsJson, print_json, print_table, printable

if TYPE_CHECKING:
    from app.store.connection import Connection

_tenants = typer.Typer(help="Make, list and delete tenants.", invoke_without_command=True)
Name = Annotated[str, typer.Argument(help="1 to 64 letters, digits, _, -, . or inner spaces.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_tenants, name="tenants", epilog="Example: pgask tenants create acme")


@_tenants.callback()
def _alone(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_tenants(as_json)


@_tenants.command("create", epilog="Example: pgask tenants create acme")
def create_tenant(name: Name, as_json: AsJson = False) -> None:
    """Make a tenant. Needs a service role that policies hold: not the tables' owner, no superuser."""
    from app.store import tenant_list

    with _as_owner(several=True) as owner:
        tenant_list.create_tenant(owner, name)
    if as_json:
        print_json({"name": name})
    else:
        print(f"made {name}: pgask keys create --tenant {name} --name NAME makes a key for it")


@_tenants.command("list", epilog="Example: pgask tenants list --json")
def list_tenants(as_json: AsJson = False) -> None:
    """List the tenants with what they have."""
    from app.store import tenant_list

    with _as_owner() as owner:
        found = tenant_list.list_tenants(owner)
    if as_json:
        print_json({"tenants": [asdict(tenant) for tenant in found]})
        return
    print_table(
        ("NAME", "COLLECTIONS", "CHUNKS", "KEYS", "CREATED"),
        ((t.name, t.collections, t.chunks, t.keys, f"{t.created_at:%Y-%m-%d}") for t in found),
    )


@_tenants.command("delete", epilog="Example: pgask tenants delete acme --yes")
def delete_tenant(
    name: Annotated[str, typer.Argument(help="The tenant.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a tenant with its collections, documents, keys, sessions and record."""
    from app.store import tenant_list

    if not yes:
        typer.confirm(
            printable(f"Delete the tenant {name} with all its documents and keys?"), abort=True, err=True
        )
    with _as_owner() as owner:
        documents = tenant_list.delete_tenant(owner, name)
    if as_json:
        print_json({"deleted": name, "documents": documents})
    else:
        print(f"deleted {printable(name)} with {documents} documents")


@contextmanager
def _as_owner(*, several: bool = False) -> Iterator[Connection]:
    """A connection as the schema's owner. Raises ConfigError where policies don't hold the service's role and it
    matters, StoreError."""
    from app.store.connection import connect
    from app.store.tenancy import check_confined

    with open_checked(read_settings(tenant="default")) as database:
        if several:
            with connect(database.app) as connection:
                check_confined(connection, several=True)
        with connect(database.owner) as owner:
            yield owner
