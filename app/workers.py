"""Worker processes beside this one: started, and started again when they die. They are ingest's (ingest/worker.py), of
which nothing is imported here: what they share with the service is the database.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

_MODULE: Final = "ingest.worker"
_LOOK_EVERY_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0  # before one that dies again and again is started again
_GOOD_S: Final = 60.0  # one that has lived so long starts with a clean slate
_END_S: Final = 15.0
_log = structlog.get_logger(__name__)


class WorkerProcesses:
    """A context manager: `count` workers run while it is open."""

    def __init__(self, count: int) -> None:
        self._places = [_Place() for _ in range(count)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="workers", daemon=True)

    def __enter__(self) -> Self:
        if self._places:
            for place in self._places:
                place.start()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        for place in self._places:
            place.tell_to_end()
        ends = time.monotonic() + _END_S
        for place in self._places:
            place.wait(max(0.1, ends - time.monotonic()))

    def pids(self) -> list[int]:
        """The processes that run now."""
        return [pid for place in self._places if (pid := place.pid) is not None]

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            for place in self._places:
                place.look()


class _Place:
    """Where one worker runs, or another in its stead."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0
        self._wait_s = 1.0

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        root = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        try:
            # -P: the working directory may be anybody's folder, and no module is to come from there. The pipe closes
            # with this process, however that ends, and the worker ends with it.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C is for this process, which then ends the worker
            )
        except OSError as error:
            _log.error("a worker can't be started", error=str(error))
            self._process = None
        self._started = time.monotonic()

    def look(self) -> None:
        """Start another one where it has died."""
        now = time.monotonic()
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return
            self._close()
            if now - self._started > _GOOD_S:
                self._wait_s = 1.0
            _log.warning("a worker has ended and is started again", status=status, wait_s=self._wait_s)
            self._due, self._wait_s = now + self._wait_s, min(2 * self._wait_s, _LONGEST_WAIT_S)
        if now >= self._due:
            self.start()

    def tell_to_end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._close_input()

    def wait(self, seconds: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close_input(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _close(self) -> None:
        self._close_input()
        self._process = None
