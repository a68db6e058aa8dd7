"""Parsing in a child process that has little to lose: what a hostile file breaks is thrown away and replaced.

The child (`__main__`) is started once and reads file after file: bytes in, a document out, over pipes. It has limits of
memory and time, writes no file, opens no connection and starts no process (`confine`). When it crashes, hangs or is
killed, the file fails with a reason code and the next one gets a new child. POSIX only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from app.domain import Document
from app.errors import ConfigError, DocumentError
from app.file_limits import over_reading
from ingest.sandbox.confine import CPU_S, MEMORY_BYTES
from ingest.sandbox.wire import (
    LENGTH,
    MAX_FRAME_BYTES,
    OUT_OF_MEMORY_STATUS,
    WireError,
    decode_progress,
    decode_reply,
    encode_json,
)

WALL_S: Final = 60.0  # of one file
FILES_A_CHILD: Final = 1_000  # then it is replaced, so that nothing a library leaks can add up
# Of one that reads pictures: for a page, above what its models take, and for a document.
OCR_MEMORY_BYTES: Final = 4 * 2**30  # of address space; half of it is used
OCR_PAGE_S: Final = 120
OCR_DOCUMENT_S: Final = 3_600
Seen = TypeVar("Seen")
OnPage = Callable[[int, int], None]  # the page that is read, from 1, and how many there are

_START_S: Final = 60.0
_KEPT_VARIABLES: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")  # no secret is among them
_PIPE_BYTES: Final = 1 << 20
_ABORTS: Final = frozenset(
    {signal.SIGKILL, signal.SIGABRT}
)  # the kernel's answer to too much memory, and C++'s


class _ChildGoneError(Exception):
    """The pipe to the child has closed."""


class _TooSlowError(Exception):
    """The child has not answered in time."""


class SandboxedParser:
    """Parses files one at a time in a child of its own; threads may share one, but wait for each other.

    `memory_bytes` is what a file may take above what the child has when it starts; `cpu_s` and `wall_s` are for
    one file. With `ocr` the child reads pictures as well: `cpu_s` and `page_s` are for a page then.
    """

    def __init__(
        self,
        *,
        memory_bytes: int = MEMORY_BYTES,
        cpu_s: int = CPU_S,
        wall_s: float = WALL_S,
        page_s: float | None = None,
        ocr: bool = False,
    ) -> None:
        self._memory_bytes, self._cpu_s, self._wall_s, self._ocr = memory_bytes, cpu_s, wall_s, ocr
        self._page_s = wall_s if page_s is None else page_s
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self.starts = 0  # how many children there have been

    @classmethod
    def with_ocr(cls) -> SandboxedParser:
        """One that reads pictures, with the limits for that."""
        return cls(
            memory_bytes=OCR_MEMORY_BYTES,
            cpu_s=OCR_PAGE_S * (os.cpu_count() or 1),
            wall_s=OCR_DOCUMENT_S,
            page_s=OCR_PAGE_S,
            ocr=True,
        )

    def parse(
        self, content: bytes, media_type: str, source: str, on_page: OnPage = lambda _page, _pages: None
    ) -> Document:
        """Parse a file as ingest.parsers.parse does, with the same errors and three more.

        Raises DocumentError `parser_crashed`, `parser_timeout` or `parser_memory` when the child could not finish, and
        ConfigError when none can be started.
        """
        head = encode_json({"media_type": media_type, "source": source})
        return self._ask(head, content, on_page, decode_reply)

    def look(self, content: bytes, wanted: Mapping[str, Any], decode: Callable[[bytes, bytes], Seen]) -> Seen:
        """What is to be seen of a PDF's pages (ingest/page_views.py), with the same errors. `decode` raises WireError
        for a reply that is none."""
        return self._ask(encode_json(wanted), content, lambda _page, _pages: None, decode)

    def _ask(
        self, head: bytes, content: bytes, on_page: OnPage, decode: Callable[[bytes, bytes], Seen]
    ) -> Seen:
        with self._lock:
            child = self._living() or self._start()
            try:
                reply, body, spent = child.ask((head, content), self._wall_s, self._page_s, on_page)
            except _TooSlowError as error:
                self._drop(kill=True)
                raise self._too_slow() from error
            except _ChildGoneError as error:
                raise self._explain(self._drop(kill=False)) from error
            except WireError as error:
                self._drop(kill=True)
                raise _crashed() from error
            if spent or child.answered >= FILES_A_CHILD:
                self._drop(kill=False)
            try:
                return decode(reply, body)
            except WireError as error:
                self._drop(kill=True)
                raise _crashed() from error

    @property
    def confinement(self) -> bytes:
        """What limits hold in the child, as the JSON that it sent; starts one if there is none."""
        with self._lock:
            return (self._living() or self._start()).confinement

    def close(self) -> None:
        """End the child, if there is one, also in the middle of a file, which then fails in the thread that parses it.
        The parser can be used again after."""
        child = self._child
        if self._lock.locked() and child is not None:
            child.kill()
        with self._lock:
            self._drop(kill=False)

    def __enter__(self) -> SandboxedParser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def child_pid(self) -> int | None:
        """The process id of the child, if there is one."""
        child = self._child
        return child.pid if child is not None else None

    def _living(self) -> _Child | None:
        """Return the child; one that died while it had nothing to do is no fault of the next file."""
        if self._child is not None and not self._child.is_alive():
            self._drop(kill=True)
        return self._child

    def _start(self) -> _Child:
        self._child = _Child(self._memory_bytes, self._cpu_s, ocr=self._ocr)
        self.starts += 1
        return self._child

    def _drop(self, *, kill: bool) -> int:
        """End the child and return its exit status; negative for a signal."""
        child, self._child = self._child, None
        return child.end(kill=kill) if child is not None else 0

    def _too_slow(self) -> DocumentError:
        if self._ocr:
            return DocumentError(
                over_reading("scan seconds", self._wall_s, self._page_s), code="parser_timeout"
            )
        return DocumentError(over_reading("seconds", self._wall_s), code="parser_timeout")

    def _explain(self, status: int) -> DocumentError:
        if status == -signal.SIGXCPU:
            return self._too_slow()
        if status == OUT_OF_MEMORY_STATUS or -status in _ABORTS:
            return DocumentError(over_reading("memory", self._memory_bytes // 2**20), code="parser_memory")
        return _crashed()


class _Child:
    """A running child and the pipes to it."""

    def __init__(self, memory_bytes: int, cpu_s: int, *, ocr: bool) -> None:
        root = Path(__file__).resolve().parents[2]
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # -P: the working directory may be the user's folder of documents, and no module is to come from there
        command = [sys.executable, "-P", "-m", "ingest.sandbox", str(memory_bytes), str(cpu_s)]
        command += ["ocr"] if ocr else []
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env={**environment, "PYTHONPATH": str(root)},
                start_new_session=True,  # Ctrl-C is for the parent, which then ends the child
            )
        except OSError as error:
            raise ConfigError(f"The parsing process can't be started: {error}.") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        self.answered = 0
        self.pid = self._process.pid
        for descriptor in (self._to, self._from):
            os.set_blocking(descriptor, False)
            _widen(descriptor)
        try:
            self.confinement = self._read_frame(time.monotonic() + _START_S)
        except (_ChildGoneError, _TooSlowError, WireError) as error:
            status = self.end(kill=True)
            raise ConfigError(f"The parsing process does not start (exit status {status}).") from error

    def is_alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process at once; whoever waits for its reply is told that it is gone."""
        self._process.kill()

    def ask(
        self, parts: Sequence[bytes], wall_s: float, page_s: float, on_page: OnPage
    ) -> tuple[bytes, bytes, bool]:
        """Send a request and return the reply's head and text, and whether the child wants to be replaced. It has
        `page_s` for each page that it tells of, and before, and `wall_s` in all."""
        last = time.monotonic() + wall_s
        deadline = min(last, time.monotonic() + page_s)
        for part in parts:
            self._write(LENGTH.pack(len(part)), deadline)
            self._write(part, deadline)
        head = self._read_frame(deadline)
        while (told := decode_progress(head)) is not None:
            on_page(*told)
            deadline = min(last, time.monotonic() + page_s)
            head = self._read_frame(deadline)
        text = self._read_frame(deadline)
        spent = bool(self._read_frame(deadline))
        self.answered += 1
        return head, text, spent

    def end(self, *, kill: bool) -> int:
        """Close the pipes, end the process and return its exit status."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if kill:
            self._process.kill()
        try:
            return self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _write(self, payload: bytes, deadline: float) -> None:
        view = memoryview(payload)
        while view:
            _wait(self._to, select.POLLOUT, deadline)
            try:
                view = view[os.write(self._to, view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _ChildGoneError from error

    def _read_frame(self, deadline: float) -> bytes:
        (length,) = LENGTH.unpack(self._read(LENGTH.size, deadline))
        if length > MAX_FRAME_BYTES:
            raise WireError("a frame is too long")
        return self._read(length, deadline)

    def _read(self, length: int, deadline: float) -> bytes:
        pieces: list[bytes] = []
        left = length
        while left:
            _wait(self._from, select.POLLIN, deadline)
            try:
                piece = os.read(self._from, min(left, _PIPE_BYTES))
            except BlockingIOError:
                continue
            if not piece:
                raise _ChildGoneError
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Wait until a pipe can be used or is closed. Raises _TooSlowError at the deadline."""
    poll = select.poll()
    poll.register(descriptor, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise _TooSlowError


def _widen(descriptor: int) -> None:
    """Let a pipe hold a whole small file, so that sending one takes no waiting; only Linux can."""
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _crashed() -> DocumentError:
    return DocumentError("The file makes its parser crash; it is not read.", code="parser_crashed")
