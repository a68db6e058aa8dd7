"""Processes that use an embedded PostgreSQL, and looks at its server from outside (the tests in this folder)."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from app.store.connection import see
from app.store.tenancy import DEFAULT

ROOT = Path(__file__).parents[2]

# A process of its own that uses the server until it is told to leave, or killed.
PARTICIPANT = """
import sys
from pathlib import Path
from app.logs import configure_logs
from app.server.embedded import EmbeddedPostgres
configure_logs("warning")
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start().app, flush=True)
sys.stdin.readline()
server.stop()
"""

# Starts and stops again and again, and uses the server in between.
RACER = """
import random, sys, time
from pathlib import Path
import psycopg
from app.server.embedded import EmbeddedPostgres
pause = random.Random(int(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    with EmbeddedPostgres(Path(sys.argv[1])) as server:
        with psycopg.connect(server.start().app) as connection:
            time.sleep(pause.uniform(0, 0.05))
            assert connection.execute("SELECT 1").fetchone() == (1,)
    time.sleep(pause.uniform(0, 0.05))
"""

# Nothing is read-only for root, so the process becomes nobody before it tries.
UNPRIVILEGED = """
import os, sys
from pathlib import Path
from app.errors import PgaskError
from app.logs import configure_logs
from app.server.embedded import EmbeddedPostgres
configure_logs("warning")
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    EmbeddedPostgres(Path(sys.argv[1])).start()
except PgaskError as error:
    print(type(error).__name__, error.code, error)
"""

Participant = subprocess.Popen[str]


def spawn(script: str, *arguments: str, stdin: int = subprocess.DEVNULL) -> Participant:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, text=True)


def leave(process: Participant) -> None:
    """Tell a participant to stop, and wait until it has."""
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def read_pid(home: Path) -> int:
    """The postmaster's process id."""
    return int((home / "postgres/data/postmaster.pid").read_text().splitlines()[0])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in task.read_text().split()]


def kill_server(home: Path) -> None:
    """SIGKILL to the postmaster and to all its processes, as the out-of-memory killer or a power cut does. Does nothing
    where it has ended: its number may be another process's by now."""
    pid = read_pid(home)
    try:
        if Path(f"/proc/{pid}/cwd").readlink() != (home / "postgres/data").resolve():
            return
    except FileNotFoundError:
        return
    for victim in (pid, *children(pid)):
        with suppress(ProcessLookupError):  # it ended by itself meanwhile, as a worker of autovacuum does
            os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not runs(pid))


def wait_until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        see(connection, DEFAULT)
        return connection.execute(query.encode()).fetchall()
