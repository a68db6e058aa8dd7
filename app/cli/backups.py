"""`pgask backup` and `pgask restore`: everything in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.opening import read_settings
from app.cli.output import AsJson, print_json, printable


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: pgask backup /backups/pgask-$(date +%F).dump")(backup)
    app.command(epilog="Example: PGASK_HOME=/srv/pgask pgask restore /backups/pgask-2026-11-29.dump")(restore)


def backup(
    file: Annotated[
        Path, typer.Argument(help="Where to; readable by you alone. It holds all texts and keys' hashes.")
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file where it is there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write everything (documents, vectors, keys, settings of indexes) to one file, while questions go on."""
    from app.store.backup import back_up
    from app.store.connection import open_database

    with open_database(read_settings()) as database:
        size = back_up(database, file, overwrite=overwrite)
    if as_json:
        print_json({"file": str(file), "size_bytes": size})
    else:
        print(printable(f"{file}: {size:,} bytes. pgask restore reads it into an empty database."))


def restore(
    file: Annotated[Path, typer.Argument(help="What pgask backup wrote.")], as_json: AsJson = False
) -> None:
    """Read a backup into an empty database, all of it or nothing, and bring it to this version."""
    from app.cli.opening import bring_to_head
    from app.store.backup import restore as read_backup
    from app.store.connection import open_database

    with open_database(read_settings()) as database:
        read_backup(database, file)
        before, after = bring_to_head(database)
    if as_json:
        print_json({"file": str(file), "before": before, "after": after})
    else:
        print(printable(f"{file} is restored; the schema is at {after}."))
