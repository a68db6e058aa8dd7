"""The embedded PostgreSQL's life: who starts it, who shares it, who stops it.

Every process that uses the server holds a shared flock on `lease`; starting and stopping happen under an
exclusive flock on `start.lock`. The last process to give up its lease stops the server. The kernel drops a
killed process's locks, so nothing stale is left; a server that killed processes left running is found through
postmaster.pid and used again. Files are in cluster.py, the server process in postmaster.py.

Roles: a superuser that only this module uses, `pgask_owner` (owns the database and its schemas) and `pgask_app`
(everything else). Passwords are random, in `credentials.json` (0600); nobody connects without one.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql

from app.errors import ConfigError, PgaskError, StoreError, StoreUnavailableError
from app.sqlstates import all_errors, refusal_at_connect

if sys.platform != "win32":
    import fcntl

    from app.server.account import Account, open_way, server_account
    from app.server.cluster import (
        APP_ROLE,
        DATABASE,
        OWNER_ROLE,
        SUPERUSER,
        Layout,
        check_version,
        create_cluster,
        database_grants,
        load_credentials,
        locate_binaries,
        write_configuration,
    )
    from app.server.postmaster import (
        PORT,
        Postmaster,
        disk_full,
        find_postmaster,
        is_alive,
        start_postmaster,
        stop_postmaster,
        wait_until_ready,
    )

_log = structlog.get_logger(__name__)

_LOCK_POLL_S = 0.03
_LOOK_EVERY_S = 2.0
_STOP_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where to connect, as libpq URLs. They hold passwords: never log them."""

    owner: str
    """Role pgask_owner: owns the database and its schemas; migrations, vector tables, index builds."""
    app: str
    """Role pgask_app: LOGIN and nothing more, owner of nothing; everything else."""


class EmbeddedPostgres:
    """This process's share in the server below `home`. A context manager: enters by `start`, leaves by `stop`.

    `home` is made with mode 0700 where it is missing, and kept so while it holds nothing but `postgres`, which
    is 0700 always.
    """

    def __init__(self, home: Path, *, start_timeout_s: float = 300.0) -> None:
        self._home = home.absolute()
        self._start_timeout_s = start_timeout_s
        self._mutex = threading.RLock()
        self._lease: int | None = None  # descriptor that holds the shared flock
        self._lease_pid = 0
        self._connection: tuple[Postmaster, dict[str, str]] | None = None

    def start(self) -> DatabaseUrls:
        """Take a lease, and start the server where it does not run (making the cluster the first time).

        Again in the same process: makes sure that the server still runs and returns the same URLs. Takes
        about 4 s the first time, 0.3 s later; after a crash up to `start_timeout_s` for the recovery.
        Raises ConfigError (platform, home) or StoreError; then no lease is held.
        """
        if sys.platform == "win32":
            raise ConfigError(
                "The embedded PostgreSQL does not run on Windows. Set PGASK_DATABASE_URL to a PostgreSQL 15 to 18 "
                "with pgvector, or run pgask in WSL.",
                code="unsupported_platform",
            )
        deadline = time.monotonic() + self._start_timeout_s
        with self._mutex, _clear_os_errors(self._home):
            layout = _make_folders(self._home)
            with _exclusive(layout.root / "start.lock", deadline):
                account = server_account(layout.data)
                _hand_over(layout, account)
                self._take_lease(layout)
                try:
                    self._connection = _bring_up(layout, account, deadline)
                except StoreUnavailableError:  # still recovering, and left to it
                    self._drop_lease()
                    raise
                except BaseException:
                    self._leave(layout, account)
                    raise
            return self._urls(DATABASE)

    def stop(self) -> None:
        """Give up this process's lease; the last one stops the server. Without a lease, nothing happens."""
        with self._mutex:
            if self._lease is None:
                return
            # A forked child shares its parent's lease: closing leaves it to the parent, unlocking would not.
            if self._lease_pid != os.getpid():
                self._drop_lease()
                return
            layout = Layout(self._home / "postgres")
            try:
                # We hold a lease, so whoever holds start.lock for long is starting: it shares the server and will
                # see to its end. (One that stops it would hold the lease alone.)
                with _exclusive(layout.root / "start.lock", time.monotonic() + _STOP_PATIENCE_S):
                    self._leave(layout, server_account(layout.data))
            except (StoreUnavailableError, FileNotFoundError):
                pass  # or somebody removed the folder; a server whose folder is gone ends by itself
            finally:
                self._drop_lease()

    @contextlib.contextmanager
    def kept(self, every_s: float = _LOOK_EVERY_S) -> Iterator[None]:
        """Start the server again whenever it dies while this is open: killed for its memory, or stopped by a full disk.

        Looks every `every_s`; where it can't start, it says so once and tries on, so that it comes back when there is
        space.
        """
        ended = threading.Event()
        watch = threading.Thread(target=self._keep, args=(ended, every_s), name="postgres-watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            ended.set()
            watch.join()

    def _keep(self, ended: threading.Event, every_s: float) -> None:
        is_lost = False  # a start that failed leaves no connection behind, and is tried again all the same
        while not ended.wait(every_s):
            connection = self._connection
            if not is_lost and (connection is None or is_alive(connection[0].pid)):
                continue
            try:
                self.start()
            except PgaskError as error:
                if not is_lost:
                    _log.warning("PostgreSQL has ended and can't be started", detail=str(error))
                is_lost = True
            else:
                _log.warning("PostgreSQL had ended; started again")
                is_lost = False

    def create_database(self, name: str, *, template: str | None = None) -> DatabaseUrls:
        """Make a database for a test (`name` ends in `_test`) with pgvector, as a copy of `template` if given.

        Raises StoreError: bad name, exists already, or somebody is connected to the template.
        """
        source = _test_name(template) if template is not None else "template1"
        # copied as files: a third of the time of a copy through the log, which is for large templates on a busy server
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(_test_name(name)), sql.Identifier(OWNER_ROLE), sql.Identifier(source)
        )
        self._execute([statement, *database_grants(name)])
        return self._urls(name)

    def drop_database(self, name: str) -> None:
        """Drop a test's database, ending its sessions; nothing happens where there is none."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._execute([statement.format(sql.Identifier(_test_name(name)))])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _take_lease(self, layout: Layout) -> None:
        if self._lease is not None and self._lease_pid == os.getpid():
            return
        self._drop_lease()
        self._lease = _open_lock_file(layout.root / "lease")
        self._lease_pid = os.getpid()
        # Does not wait: an exclusive lock on the lease is taken only under start.lock, which we hold.
        fcntl.flock(self._lease, fcntl.LOCK_SH)
        atexit.register(self.stop)

    def _leave(self, layout: Layout, account: Account) -> None:
        """Drop the lease; stop the server if nobody else has one. The caller holds start.lock."""
        if self._lease is not None and _try_lock(self._lease):
            postmaster = find_postmaster(layout, account)
            if postmaster is not None:
                stop_postmaster(postmaster)
        self._drop_lease()

    def _drop_lease(self) -> None:
        if self._lease is not None:
            os.close(self._lease)
        self._lease = None
        self._connection = None
        atexit.unregister(self.stop)

    def _urls(self, database: str) -> DatabaseUrls:
        return DatabaseUrls(owner=self._url(OWNER_ROLE, database), app=self._url(APP_ROLE, database))

    def _url(self, role: str, database: str) -> str:
        if self._connection is None:
            raise StoreError("The embedded PostgreSQL is not started: call start() first.")
        postmaster, passwords = self._connection
        return _url(postmaster, role, passwords[role], database)

    def _execute(self, statements: list[sql.Composed]) -> None:
        try:
            connection = psycopg.connect(self._url(SUPERUSER, "postgres"), autocommit=True)
        except psycopg.OperationalError as error:
            raise refusal_at_connect(error) from error
        with all_errors(), connection:
            for statement in statements:
                connection.execute(statement)


def _bring_up(layout: Layout, account: Account, deadline: float) -> tuple[Postmaster, dict[str, str]]:
    """Cluster, server, a real login. The caller holds start.lock."""
    passwords = load_credentials(layout, account)
    binaries = locate_binaries(layout, account)
    if not layout.data.exists():
        create_cluster(layout, binaries, account, passwords)
    check_version(layout)
    postmaster = find_postmaster(layout, account)
    if postmaster is None or not wait_until_ready(postmaster, layout, deadline):
        write_configuration(layout.data, account)
        find_postmaster(layout, account)  # clears the pid file of one that ended while we waited
        postmaster = start_postmaster(layout, binaries, account, deadline)
    _check_login(postmaster, layout, passwords[OWNER_ROLE])
    return postmaster, passwords


def _check_login(postmaster: Postmaster, layout: Layout, password: str) -> None:
    try:
        psycopg.connect(_url(postmaster, OWNER_ROLE, password, DATABASE), connect_timeout=30).close()
    except psycopg.OperationalError as error:
        if "No space left on device" in str(error):
            raise disk_full(layout) from error
        refusal = refusal_at_connect(error)
        if not isinstance(refusal, StoreUnavailableError):
            raise refusal from error
        if "password authentication failed" not in str(error):
            raise StoreUnavailableError(
                f"PostgreSQL runs but refuses a connection: {_one_line(error)}. See {layout.log_file}."
            ) from error
        raise StoreError(
            f"The passwords in {layout.credentials} do not fit {layout.data}. Restore the file that was made "
            f"with it, or move {layout.root} away and ingest again.",
            code="credentials_mismatch",
        ) from None  # libpq's message names the socket, and nothing that helps


def _make_folders(home: Path) -> Layout:
    layout = Layout(home / "postgres")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (layout.root, layout.run, layout.log_file.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    return layout


def _hand_over(layout: Layout, account: Account) -> None:
    """Give what is below `home/postgres` (not the cluster, made by the account itself) to the account."""
    home = layout.root.parent
    ours = [home] if list(home.iterdir()) == [layout.root] else []
    for path in (*ours, layout.root, layout.run, layout.log_file.parent):
        account.own(path)
        path.chmod(0o700)
    for path in (layout.root / "start.lock", layout.root / "lease", layout.credentials):
        if path.exists():
            account.own(path)
    open_way(layout.data, account)


@contextlib.contextmanager
def _exclusive(path: Path, deadline: float) -> Iterator[None]:
    """Hold an exclusive flock on `path`; waits until `deadline` (time.monotonic()) for whoever has it."""
    descriptor = _open_lock_file(path)
    try:
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise StoreUnavailableError(
                    f"Another process holds {path} and does not finish starting or stopping PostgreSQL. Try again "
                    "in a while, or end that process.",
                    code="start_timeout",
                )
            time.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _open_lock_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _url(postmaster: Postmaster, role: str, password: str, database: str) -> str:
    host = quote(str(postmaster.socket_dir), safe="")
    return f"postgresql://{role}:{quote(password, safe='')}@/{database}?host={host}&port={PORT}"


def _one_line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())


def _test_name(name: str) -> str:
    if re.fullmatch(r"[a-z_][a-z0-9_]{0,57}_test", name) is None:
        raise StoreError(
            f"{name!r} is no name for a test's database: lower-case letters, digits and _, ending in _test."
        )
    return name


@contextlib.contextmanager
def _clear_os_errors(home: Path) -> Iterator[None]:
    """Turn an operating system's refusal into one line with a way out."""
    try:
        yield
    except PgaskError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"The disk that holds {home} is full. Free some space, or point PGASK_HOME to a folder on another "
                "disk.",
                code="disk_full",
            ) from error
        where = error.filename or home
        raise ConfigError(
            f"PGASK_HOME ({home}) can't be used: {where}: {error.strerror}. Make it writable for this user, or "
            "set PGASK_HOME to a folder that is.",
            code="home_not_writable",
        ) from error
