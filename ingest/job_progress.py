"""How far a job is: what a run tells of itself, on its way into the job's rows.

A thread writes every second, and so notices that the job was cancelled or is another worker's by now: the run then ends
at its next file, and a file that is being read is broken off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg

from app.errors import PgaskError
from app.store import job_runs
from app.store.connection import Connection
from app.store.job_runs import FileEnd, WaitingFile
from app.store.originals import drop_original, give_original
from ingest.movement import Movement
from ingest.pipeline import Report
from ingest.sandbox import SandboxedParser

_TELL_EVERY_S: Final = 1.0


class JobEndedError(Exception):
    """The job was cancelled, or another worker has it: nothing of it is this worker's any more."""


class StoppingError(Exception):
    """This worker is told to end: the job waits for another one."""


class JobProgress:
    """Progress of a run (ingest.file_changes.Progress) over the files of a job. `connection` is used by nobody else
    while `telling` goes on."""

    def __init__(
        self,
        connection: Connection,
        movement: Movement,
        collection_id: int,
        files: Sequence[WaitingFile],
        *,
        keeps_originals: bool,
    ) -> None:
        self._connection, self._movement, self._collection_id = connection, movement, collection_id
        self._attempt = movement.attempt
        self._keeps_originals = keeps_originals
        self._files = {file.source: file for file in files}
        self._by_position = {file.position: file for file in files}
        self._lock = threading.Lock()  # of what is below
        self._stage, self._began = "ingest", time.monotonic()
        self._running: set[int] = set()
        self._waiting: list[FileEnd] = []  # to be written
        self._ended: set[int] = set()
        self._late: list[FileEnd] = []  # failures whose document was not stored yet when they were told
        self._report = Report()
        self._left: dict[str, tuple[str, str, str]] = {}  # source → state, code, detail
        self._read = (0, 0, 0)  # how much of the report's lists is in there
        self._fault: BaseException | None = None

    def watch(self, report: Report) -> None:
        """Read from this report what becomes of files that don't go in."""
        self._report = report

    def stage(self, name: str, total: int) -> None:  # noqa: ARG002 - the protocol's
        """A part of the run begins."""
        self._movement.note()
        with self._lock:
            self._stage = name

    def page(self, source: str, page: int, pages: int) -> None:  # noqa: ARG002 - the protocol's
        """Jobs count files; a page is movement."""
        self._movement.note()

    def begin(self, source: str) -> None:
        """A file is being read. Called in another thread."""
        self._movement.note()
        with self._lock:
            if source in self._files:
                self._running.add(self._files[source].position)
                self._movement.files[self._files[source].position] = None

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None:  # noqa: ARG002 - the protocol's
        """A file is done, or waits for OCR. Raises what ended the job."""
        self._movement.note()
        if self._fault is not None:
            raise self._fault
        file = self._files.get(source)
        if file is None:
            return
        if chunks:
            self.end(FileEnd(file.position, "succeeded"))
            return
        self._read_report()
        if source in self._left:
            self.end(FileEnd(file.position, *self._left[source]))

    def end(self, ended: FileEnd) -> None:
        """A file has ended so."""
        self._movement.note()
        with self._lock:
            self._movement.files.pop(ended.position, None)
            if ended.position not in self._ended:
                self._ended.add(ended.position)
                self._waiting.append(ended)

    def tell(self) -> None:
        """Write what is new. Raises JobEndedError, StoreError."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            running, self._running = sorted(self._running), set()
            stage, eta_s = self._stage, self._eta_s()
        ended = [self._bind(one) for one in waiting]
        if not job_runs.note(
            self._connection, self._attempt, stage=stage, eta_s=eta_s, running=running, ended=ended
        ):
            raise JobEndedError

    def finish(self) -> None:
        """Write the rest. Raises as `tell`."""
        with self._lock:
            self._waiting += self._late
            self._late = []
        self.tell()

    @contextmanager
    def telling(self, stopping: threading.Event, parsers: Sequence[SandboxedParser]) -> Iterator[None]:
        """Write every second until the block ends. Raises what ended the job."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(_TELL_EVERY_S):
                try:
                    if stopping.is_set():
                        raise StoppingError  # noqa: TRY301 - raised in the other thread
                    self.tell()
                except (JobEndedError, StoppingError, PgaskError, psycopg.Error) as fault:
                    self._fault = fault
                    for parser in parsers:
                        parser.close()
                    return

        thread = threading.Thread(target=run, name="job-progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        if self._fault is not None:
            raise self._fault

    def _bind(self, ended: FileEnd) -> FileEnd:
        """Give a file's bytes, and what came with them, to its document."""
        file = self._by_position[ended.position]
        if file.original is None or ended.state == "cancelled":
            return ended
        document = give_original(
            self._connection, file.original, self._collection_id, file.source, file.sha256
        )
        if document is None and ended.state == "failed":
            self._late.append(ended)
            return ended
        metadata = self._attempt.metadata_for(file.source)
        if document is not None and metadata:
            job_runs.add_metadata(self._connection, document, metadata)
        is_of_use = (
            ended.state == "failed"
            or self._attempt.is_again  # it was kept before
            or (self._keeps_originals and document is not None)
        )
        if not is_of_use:
            drop_original(self._connection, file.original)
        return FileEnd(ended.position, ended.state, ended.code, ended.detail, document)

    def _eta_s(self) -> float | None:
        """Seconds left, by the bytes that are done; None while nothing is."""
        total = sum(file.size_bytes for file in self._files.values())
        done = sum(self._by_position[position].size_bytes for position in self._ended)
        return round((time.monotonic() - self._began) * (total - done) / done, 1) if done else None

    def _read_report(self) -> None:
        failed, skipped, duplicates = self._read
        report = self._report
        for failure in report.failed[failed:]:
            self._left[failure.source] = ("failed", failure.code, failure.detail)
        for left_out in report.skipped[skipped:]:
            self._left[left_out.source] = ("skipped", left_out.code, left_out.detail)
        for duplicate in report.duplicates[duplicates:]:
            how = "the same text as" if duplicate.similarity == 1 else f"{duplicate.similarity:.2f} like"
            self._left[duplicate.source] = ("skipped", "duplicate", f"It has {how} {duplicate.of}.")
        self._read = len(report.failed), len(report.skipped), len(report.duplicates)
