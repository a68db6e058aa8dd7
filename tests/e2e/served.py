"""`pgask serve` as a process of its own, and all processes that work in a PGASK_HOME, seen from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import httpx2

ROOT = Path(__file__).parents[2]
_BIN = Path(sys.executable).parent
_START_S = 120.0  # most of it is loading the model, on a busy machine
_END_S = 30.0


class Served:
    """The service on a port that it keeps over restarts. `settings` are PGASK_ names without the prefix."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the service was not started"
        return self._process

    def start(self) -> None:
        """Start without waiting; see `wait_until_ready`."""
        command = [str(_BIN / "pgask"), "serve", "--port", str(self.port), "--json"]
        with (self.home.parent / f"serve-{self.port}.log").open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=self.home.parent, env=environment(self.home, **self._settings),
                stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
            )  # fmt: skip

    def wait_until_ready(self) -> None:
        """Return once the service has said that it is ready."""
        assert self.process.stdout is not None
        line = _read_line(self.process.stdout, _START_S)
        assert line, f"did not start: {self.log()}"
        assert json.loads(line) == {"url": self.url}

    def interrupt(self) -> None:
        """Ctrl-C, without waiting for what it does; see `end`."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Wait until an interrupted service has ended; returns its exit status."""
        status = self.process.wait(timeout=_END_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def close(self) -> None:
        """End it, whatever its state is."""
        if self._process is None:
            return
        self.interrupt()  # does nothing to one that has ended
        try:
            self.end()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.end()

    def log(self) -> str:
        """What it has written to standard error."""
        return (self.home.parent / f"serve-{self.port}.log").read_text()

    def get(self, path: str, **params: str | int) -> dict[str, object]:
        """The JSON that a GET answers."""
        reply = httpx2.get(self.url + path, params=params, timeout=30).raise_for_status().json()
        assert isinstance(reply, dict)
        return reply

    def ask(self, question: str, collection: str = "default") -> dict[str, object]:
        """The whole reply of POST /ask."""
        body = {"question": question, "collection": collection}
        reply = httpx2.post(f"{self.url}/ask", json=body, timeout=30).raise_for_status().json()
        assert isinstance(reply, dict)
        return reply


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a command: nothing of ours but PATH and what `settings` say, and no proxy."""
    kept = {name: value for name, value in os.environ.items() if not _is_foreign(name)}
    ours = {"home": str(home), "log_level": "warning", "shutdown_timeout_s": "2", **settings}
    return kept | {f"PGASK_{name.upper()}": value for name, value in ours.items()}


def run(home: Path, *command: str, expect: int = 0) -> str:
    """Run one of our commands to its end; returns its standard output."""
    done = subprocess.run(
        [str(_BIN / command[0]), *command[1:]],
        cwd=home.parent, env=environment(home), capture_output=True, text=True, timeout=_START_S, check=False,
    )  # fmt: skip
    assert done.returncode == expect, f"{command[0]} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def processes_of(home: Path) -> set[int]:
    """Every living process that was started for `home`, by its environment, its arguments or its folder."""
    folder = str(home)
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _belongs(entry, folder):
            found.add(int(entry.name))
    return found


def kill_all(home: Path) -> None:
    """SIGKILL to every process of `home`, as a power cut would."""
    for pid in processes_of(home):
        with suppress(ProcessLookupError):  # the death of another has ended it
            os.kill(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Return once the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def _belongs(entry: Path, folder: str) -> bool:
    try:
        if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        arguments = (entry / "cmdline").read_bytes().decode(errors="replace")
        names = (entry / "environ").read_bytes().decode(errors="replace")
        return f"PGASK_HOME={folder}\0" in f"{names}\0" or any(
            _is_below(path, folder) for path in (*arguments.split("\0"), str((entry / "cwd").readlink()))
        )
    except OSError:  # it has ended, or is none of ours
        return False


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _is_foreign(name: str) -> bool:
    return name.startswith("PGASK_") or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


def _read_line(stream: IO[str], timeout_s: float) -> str:
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.append(stream.readline()), daemon=True)
    reader.start()
    reader.join(timeout_s)
    return lines[0] if lines else ""
