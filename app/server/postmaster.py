"""The server process of the embedded PostgreSQL: find it, launch it, wait until it accepts, stop it.

Callers hold the start lock (embedded.py). Knows nothing of roles, databases or who uses the server.
"""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import structlog
from psycopg import conninfo, pq

from app.errors import StoreError, StoreUnavailableError
from app.server.account import Account, open_way
from app.server.cluster import APP_ROLE, DATABASE, Layout

_log = structlog.get_logger(__name__)

PORT = 5432  # names the socket file only: there is no TCP listener

# sun_path holds 108 bytes with the final NUL on Linux and 104 on macOS
_LONGEST_SOCKET_PATH = 103
_LARGEST_LOG_BYTES = 10 << 20
_POLL_S = 0.03
_LONGEST_POLL_S = 0.5
_NOTICE_AFTER_S = 5.0
_RELAUNCH_S = 10.0
_FAST_STOP_S = 60.0
_IMMEDIATE_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A live server process and the folder of its socket."""

    pid: int
    socket_dir: Path


def socket_directory(layout: Layout, account: Account) -> Path:
    """Folder for the socket: `run`, or where that path is too long a private one under the temporary folder.

    Raises StoreError where somebody else made the folder first.
    """
    # libpq splits a host at commas
    if _fits(layout.run) and "," not in str(layout.run):
        return layout.run
    name = f"pgask-{account.uid}-{hashlib.sha256(os.fsencode(layout.root)).hexdigest()[:16]}"
    parents = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - the folder is made 0700 and checked
    folder = next(parent / name for parent in parents if _fits(parent / name) or parent is parents[-1])
    try:
        folder.mkdir(mode=0o700)
        account.own(folder)
    except FileExistsError:
        _check_private(folder, account)
    return folder


def find_postmaster(layout: Layout, account: Account) -> Postmaster | None:
    """The running server of this cluster, also one that a killed process left behind; None if there is none.

    A postmaster.pid that names a dead process or somebody else's is removed. That is safe: PostgreSQL also
    guards the folder by its shared memory segment, whose key it derives from the folder itself.
    """
    pid_file = layout.data / "postmaster.pid"
    try:
        lines = pid_file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return None
    if lines and lines[0].isdigit() and _is_postmaster(int(lines[0]), layout.data):
        # line 5 is the socket's folder; a server that is just starting has not written it yet
        named = Path(lines[4]) if len(lines) > 4 and lines[4] else socket_directory(layout, account)
        return Postmaster(int(lines[0]), named)
    _log.info("stale postmaster.pid removed", path=str(pid_file))
    pid_file.unlink()
    return None


def launch(layout: Layout, binaries: Path, account: Account) -> Postmaster:
    """Start the server process and return at once; `wait_until_ready` says whether it came up.

    The caller knows that no server of this cluster runs.
    """
    if layout.log_file.exists() and layout.log_file.stat().st_size > _LARGEST_LOG_BYTES:
        layout.log_file.replace(layout.log_file.with_suffix(".log.1"))
    folder = socket_directory(layout, account)
    open_way(folder, account)
    # PostgreSQL would believe a dead server's lock if its number is now another process's, or a zombie's.
    for leftover in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (folder / leftover).unlink(missing_ok=True)
    quoted = str(folder).replace('"', '""')
    server = [str(binaries / "postgres"), "-D", str(layout.data)]
    for setting in (
        "listen_addresses=",
        f"port={PORT}",
        f'unix_socket_directories="{quoted}"',
        "unix_socket_permissions=0700",
    ):
        server += ["-c", setting]
    # The shell leaves at once, so the server is nobody's child: it outlives this process, needs no reaping
    # by it, and (in the new session) no Ctrl-C reaches it. Arguments are passed, not pasted into the script.
    script = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    done = account.run(["/bin/sh", "-c", script, "sh", str(layout.log_file), *server])
    if done.returncode != 0 or not done.stdout.strip().isdigit():
        raise StoreError(
            f"PostgreSQL can't be launched: {done.stderr.strip() or done.returncode}.", code="start_failed"
        )
    return Postmaster(int(done.stdout), folder)


def start_postmaster(layout: Layout, binaries: Path, account: Account, deadline: float) -> Postmaster:
    """Launch the server and wait until it accepts connections, until `deadline` (time.monotonic()).

    Raises StoreError with the log's last lines where it does not come up.
    """
    retry_until = min(deadline, time.monotonic() + _RELAUNCH_S)
    while True:
        offset = layout.log_file.stat().st_size if layout.log_file.exists() else 0
        postmaster = launch(layout, binaries, account)
        if wait_until_ready(postmaster, layout, deadline):
            return postmaster
        said = _log_since(layout, offset)
        # After a SIGKILL of the server alone its children need a moment to notice and to leave.
        if "shared memory block" not in said or time.monotonic() > retry_until:
            raise _start_failure(layout, said)
        time.sleep(0.2)


def wait_until_ready(postmaster: Postmaster, layout: Layout, deadline: float) -> bool:
    """Poll until the server accepts connections (True) or its process ends (False).

    Raises StoreUnavailableError at `deadline`; the server is left to finish its recovery.
    """
    began, told, pause_s = time.monotonic(), False, _POLL_S
    while not _accepts(postmaster):
        if not is_alive(postmaster.pid):
            return False
        now = time.monotonic()
        if now > deadline:
            raise StoreUnavailableError(
                f"PostgreSQL is still starting after {now - began:.0f} s (it may be replaying its log after a "
                f"crash). It goes on; try again in a while, and see {layout.log_file}.",
                code="start_timeout",
            )
        if not told and now - began > _NOTICE_AFTER_S:
            told = True
            _log.warning("PostgreSQL is recovering; waiting until it accepts connections")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, _LONGEST_POLL_S)  # each refusal is two lines in the server's log
    return True


def stop_postmaster(postmaster: Postmaster) -> None:
    """Fast shutdown: ends sessions, writes a checkpoint. After 60 s an immediate one, which loses no commit; at once
    where the server is recovering from a crash, since then the fast one may never end."""
    fast = [(signal.SIGINT, _FAST_STOP_S)] if _accepts(postmaster) else []
    for number, patience_s in (*fast, (signal.SIGQUIT, _IMMEDIATE_STOP_S)):
        try:
            os.kill(postmaster.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not is_alive(postmaster.pid):
                return
            time.sleep(_POLL_S)
        _log.warning("PostgreSQL did not stop in time", pid=postmaster.pid, waited_s=patience_s)


def _accepts(postmaster: Postmaster) -> bool:
    target = conninfo.make_conninfo(
        host=str(postmaster.socket_dir), port=PORT, dbname=DATABASE, user=APP_ROLE, connect_timeout=2
    )
    return pq.PGconn.ping(target.encode()) == pq.Ping.OK


def is_alive(pid: int) -> bool:
    """Whether the process exists and is no zombie (in containers nobody may collect those)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # no /proc on macOS; elsewhere it has just ended
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def _is_postmaster(pid: int, data: Path) -> bool:
    """Whether `pid` is a server that works in `data`: after a reboot the number may be anybody's."""
    if not is_alive(pid):
        return False
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except PermissionError:
        return False  # another user's process
    except FileNotFoundError:
        command = ["/bin/ps", "-p", str(pid), "-o", "command="]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a number
        return str(data) in shown.stdout


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}.lock")) <= _LONGEST_SOCKET_PATH


def _check_private(folder: Path, account: Account) -> None:
    status = folder.lstat()
    if (
        not stat.S_ISDIR(status.st_mode)
        or status.st_uid != account.uid
        or stat.S_IMODE(status.st_mode) & 0o077
    ):
        raise StoreError(
            f"{folder} is not a private folder of user {account.name}, so PostgreSQL's socket can't be put "
            "there. Remove it, or choose a PGASK_HOME with a shorter path.",
            code="unsafe_socket_directory",
        )


def _log_since(layout: Layout, offset: int) -> str:
    try:
        with layout.log_file.open("rb") as file:
            file.seek(offset)
            return file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def disk_full(layout: Layout) -> StoreError:
    """What to say where PostgreSQL could not even start."""
    return StoreError(
        f"The disk that holds {layout.root} is full, so PostgreSQL can't start. Free some space and start "
        "again; nothing that was committed is lost.",
        code="disk_full",
    )


def _start_failure(layout: Layout, said: str) -> StoreError:
    if "No space left on device" in said:
        return disk_full(layout)
    last = " | ".join(said.strip().splitlines()[-5:]) or "(nothing)"
    return StoreError(
        f"PostgreSQL did not start. Its log says: {last}. Correct that and start again; the whole log is "
        f"{layout.log_file}.",
        code="start_failed",
    )
