"""A backup of everything in one file, and back: PostgreSQL's own pg_dump and pg_restore, out of the embedded server's
package, so that they are there wherever pgask is.

The file is PostgreSQL's custom format: any pg_restore of that version or newer reads it, too. Passwords go to the
programs by their environment, never by the command line. Knows nothing of the rows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.errors import InvalidRequestError, StoreError
from app.server.cluster import memory_bytes, packaged_programs
from app.store.connection import Database, connect
from app.store.migrate import current_revision
from app.store.schema_names import SCHEMA

_SCHEMAS: Final = f"{SCHEMA}*"  # what the program owns; the extension is the server's
_OF_OWNER: Final = re.compile(r"^\d+; .* POLICY \S+ \S+ owner ")
_MAGIC: Final = b"PGDMP"
_DISK_FULL: Final = re.compile("No space left on device|could not write|disk full", re.IGNORECASE)


def back_up(database: Database, file: Path, *, overwrite: bool = False) -> int:
    """Write all documents, vectors, keys and manifests of the database to `file` (mode 0600); returns its bytes.
    Questions and ingests go on: it is one snapshot. The file appears when it is whole.

    Raises InvalidRequestError `file_exists`, or StoreError: `unsupported_postgresql` (a server newer than pg_dump),
    `disk_full`, `backup_failed`.
    """
    if file.exists() and not overwrite:
        raise InvalidRequestError(
            f"{file} is there already. Name another file, or replace it with --overwrite.", code="file_exists"
        )
    with connect(database.owner, vectors=False) as owner:
        if current_revision(owner) is None:
            raise InvalidRequestError(
                "The database holds nothing of pgask yet: nothing to back up.", code="no_schema"
            )
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600)
        _run(
            "pg_dump",
            database.owner,
            ["--format=custom", f"--schema={_SCHEMAS}", "--no-owner", "--no-privileges", "--enable-row-security",
             f"--file={unfinished}"],
        )  # fmt: skip
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise StoreError(
            f"{file} can't be written: {error.strerror}. Name a file in another folder.", code="backup_failed"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def restore(database: Database, file: Path) -> None:
    """Read a backup into a database without pgask's schema, all of it or nothing. Its schema is that of the pgask which
    wrote it, and the app's role has no rights yet: `migrate` comes next.

    Raises InvalidRequestError `not_a_backup`, `database_not_empty`, or StoreError `restore_failed`, `disk_full`.
    """
    try:
        with file.open("rb") as given:
            is_backup = given.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise InvalidRequestError(f"{file} can't be read: {error.strerror}.", code="not_a_backup") from error
    if not is_backup:
        raise InvalidRequestError(f"{file} was not written by pgask backup.", code="not_a_backup")
    with connect(database.owner, vectors=False) as owner:
        if current_revision(owner) is not None:
            raise InvalidRequestError(
                "The database is pgask's already. Restore into an empty one: name it in PGASK_DATABASE_URL, "
                "or another PGASK_HOME.",
                code="database_not_empty",
            )
    # Policies of the role that owned the tables, which may be another one here: `migrate` makes those of this one
    entries = _run("pg_restore", database.owner, ["--list", str(file)], connects=False)
    megabytes = min(max(memory_bytes() // 8, 2**28), 2**30) // 2**20  # indexes of vectors are built again
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="pgask-restore-") as chosen:
        chosen.write("".join(f"{line}\n" for line in entries.splitlines() if not _OF_OWNER.search(line)))
        chosen.flush()
        _run(
            "pg_restore",
            database.owner,
            ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
             f"--use-list={chosen.name}", str(file)],
            options=f"-c maintenance_work_mem={megabytes}MB",
        )  # fmt: skip


def _run(
    program: str, url: str, arguments: Sequence[str], *, options: str = "", connects: bool = True
) -> str:
    """What the program says on its standard output. Raises StoreError."""
    given = {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
    environment = dict(os.environ)
    for name, variable in (("password", "PGPASSWORD"), ("passfile", "PGPASSFILE")):
        if name in given:
            environment[variable] = str(given.pop(name))
    if options:
        environment["PGOPTIONS"] = options
    done = subprocess.run(  # noqa: S603 - a program of ours, no shell
        [
            *(_program(program), *arguments),
            *(("--no-password", f"--dbname={make_conninfo('', **given)}") if connects else ()),
        ],
        env=environment | {"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise _failure(program, done.stderr)
    return done.stdout


def _program(name: str) -> str:
    """The one of the embedded server's package, else of the system."""
    packaged = packaged_programs()
    found = str(packaged / name) if packaged is not None else shutil.which(name)
    if found is None:
        raise StoreError(
            f"{name} is not installed. Install PostgreSQL's client programs.", code="backup_failed"
        )
    return found


def _failure(program: str, said: str) -> StoreError:
    lines = [line.partition("error: ")[2] for line in said.splitlines() if "error: " in line]
    why = (lines or said.strip().splitlines() or ["it ended without a word"])[0].strip()
    if "server version mismatch" in said:
        return StoreError(
            "The server is newer than the pg_dump that pgask brings. Use the pg_dump of the server's version.",
            code="unsupported_postgresql",
        )
    if _DISK_FULL.search(said):
        return StoreError(f"There is no space left: {why}. Make room and run it again.", code="disk_full")
    if program == "pg_dump":
        return StoreError(f"The backup was not written: {why}.", code="backup_failed")
    return StoreError(f"Nothing was restored: {why}.", code="restore_failed")
