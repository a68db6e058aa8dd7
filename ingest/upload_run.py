"""A job's files → its collection, by the pipeline of `ingest`: the same parsers, the same reasons, the same locks.

Files lie in a temporary folder under numbers while they are taken in. Done again after a kill at any moment, a job ends
the same: zips are unpacked in one transaction, documents stored in one each, and what is stored is known again.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from app.config import Settings
from app.domain import Document
from app.embedding import Embedder, SentenceTransformerEmbedder
from app.errors import DocumentError, PgaskError, StoreError
from app.file_limits import UPLOAD_BYTES
from app.index import maintenance
from app.index.manifest import IndexSettings
from app.store import job_runs
from app.store.backgrounds import ensure_texts
from app.store.connection import Connection, Database, connect, see
from app.store.job_runs import Attempt, FileEnd, WaitingFile
from app.store.originals import cut_bytes, drop_original, read_original, store_original
from app.store.queue import MAX_ATTEMPTS
from app.store.shelves import ensure_shelf
from app.store.sources import UPLOADED, KnownDocument, known_documents
from app.store.spaces import ensure_collection, ensure_space
from app.store.tenancy import DEFAULT, current_scope, working_for
from app.tracing import traced
from ingest.file_changes import check_source
from ingest.job_progress import JobEndedError, JobProgress, StoppingError
from ingest.movement import Movement, NotedEmbedder
from ingest.options import IngestOptions
from ingest.pipeline import GROUP_TOKENS, IngestRun, Parse, ReadScan
from ingest.planning import Plan
from ingest.sandbox import OnPage, SandboxedParser
from ingest.sources import FoundSources, GivenPath, SourceFile, content_sha256, find_sources
from ingest.unpacking import PackedFile, is_zip, unpack

# Chunks of a space up to which the index is built and measured between two jobs, a minute at most: more is left to the
# service, whose look takes nobody's turn
INDEXED_BETWEEN_JOBS: Final = 200_000
_SHOWN: Final = 200  # characters of a name that can't be kept
_GONE: Final = "The file's bytes are gone; send it again."
_log = structlog.get_logger(__name__)


class UploadRunner:
    """Takes in job after job. `open_embedder` is called with each: it keeps the model, which takes long to load, until
    another one is chosen."""

    def __init__(self, database: Database, settings: Settings, open_embedder: Callable[[], Embedder]) -> None:
        self._database, self._settings, self._open_embedder = database, settings, open_embedder
        self._embedder: Embedder | None = None
        self._stopping = threading.Event()
        self.job: UUID | None = None  # in hand now; this and the next are read by other threads
        self.in_work: Movement | None = None  # the same while its files are taken in

    def stop(self) -> None:
        """End the job in work at its next file, and let it wait for another worker."""
        self._stopping.set()

    def run(self, job: UUID) -> None:
        """Do a job, or what is left of it. Raises StoreError where it has to be tried again, and StoppingError."""
        self.job = job
        scope = replace(current_scope(DEFAULT), groups=None)  # of the job itself all is seen
        try:
            with working_for(scope):
                self._run(job)
        finally:
            self.job = None

    def _run(self, job: UUID) -> None:
        with connect(self._database.app, vectors=False) as connection:
            attempt = job_runs.begin(connection, job)
            if attempt is None:
                return
            named = {} if attempt.request_id is None else {"request_id": attempt.request_id}
            with (
                structlog.contextvars.bound_contextvars(job_id=str(job), attempt=attempt.number, **named),
                traced(
                    "job",
                    "CONSUMER",
                    attempt.traceparent,
                    pgask__job_id=str(job),
                    pgask__attempt=attempt.number,
                ),
            ):
                self.in_work = Movement(attempt, current_scope(DEFAULT))
                try:
                    space_id = self._attempt(connection, self.in_work)
                finally:
                    self.in_work = None
        if space_id is not None:
            self._maintain(space_id)

    def _attempt(self, connection: Connection, movement: Movement) -> int | None:
        """Take the files in and end the job. Returns the id of the space that they are in, None where none is."""
        space_id, attempt = None, movement.attempt
        try:
            self._unpack(connection, attempt)
            movement.note()
            waiting = job_runs.waiting_files(connection, attempt)
            if (
                waiting or attempt.number > 1
            ):  # one that died after its last file has not looked after the index
                with tempfile.TemporaryDirectory(prefix="pgask-") as folder:
                    space_id = self._take_in(connection, movement, waiting, Path(folder).resolve())
            went_in, failed = job_runs.count_ends(connection, attempt)
            state = "failed" if failed and not went_in else "succeeded"
            job_runs.end(connection, attempt, state)
            _log.info("job", state=state, went_in=went_in, failed=failed)
        except JobEndedError:
            _log.info("the job was cancelled, or another worker has it")
        except StoppingError:
            job_runs.put_back(connection, attempt)
            raise
        except StoreError as error:
            if attempt.number < MAX_ATTEMPTS:
                job_runs.put_back(connection, attempt)
                raise
            job_runs.end(connection, attempt, "failed", error.code, str(error))
        except PgaskError as error:
            _log.warning("job failed", code=error.code, detail=str(error))
            job_runs.end(connection, attempt, "failed", error.code, str(error))
        return space_id

    def _unpack(self, connection: Connection, attempt: Attempt) -> None:
        """Put the files of zips in the place of these. Raises JobEndedError."""
        for file in job_runs.waiting_files(connection, attempt):
            if not is_zip(file.source) or file.original is None:
                continue
            content = b"".join(read_original(connection, file.original))
            ended = FileEnd(file.position, "succeeded")
            with connection.transaction():
                try:
                    packed = unpack(
                        content,
                        max_files=self._settings.max_upload_files,
                        max_file_bytes=self._settings.max_upload_bytes,
                    )
                    folder = file.source[: -len(".zip")]
                    taken = job_runs.sources_of(connection, attempt)
                    added = [_add(connection, folder, one, taken) for one in packed]
                    job_runs.add_files(connection, attempt, added)
                    drop_original(connection, file.original)
                except DocumentError as error:
                    ended = FileEnd(file.position, "failed", error.code, str(error))
                if not job_runs.note(connection, attempt, stage="unpack", eta_s=None, ended=[ended]):
                    raise JobEndedError

    def _take_in(
        self, status: Connection, movement: Movement, waiting: Sequence[WaitingFile], folder: Path
    ) -> int:
        self._embedder = self._open_embedder()
        movement.note()
        embedder, settings = self._embedder, self._settings
        options = replace(
            IngestOptions.from_settings(settings, prune=False),
            max_file_bytes=settings.max_upload_bytes,
            bytes_setting=UPLOAD_BYTES,
        )
        with connect(self._database.owner) as owner:
            space_id = ensure_space(owner, embedder.space)
        with (
            connect(self._database.app) as connection,
            SandboxedParser() as parser,
            SandboxedParser.with_ocr() as scans,
        ):
            attempt = movement.attempt
            see(connection, replace(current_scope(DEFAULT), groups=attempt.groups))
            collection = ensure_collection(connection, attempt.collection, space_id)
            if attempt.readers:
                collection = ensure_shelf(connection, attempt.collection, space_id, attempt.readers)
            progress = JobProgress(
                status,
                movement,
                collection.id,
                waiting,
                keeps_originals=settings.keep_originals != "off",
            )
            senders: dict[str, str | None] = {}
            run = IngestRun(
                connection,
                collection,
                NotedEmbedder(embedder, movement),
                options,
                progress,
                parse=_noting(progress, parser),
                read_scan=_noting_scan(progress, scans) if options.ocr else None,
                home=self._database.home,
                group_tokens=lambda: 1 if movement.attempt.is_careful else _group_tokens(embedder),
                sender_of=senders.get,
            )
            progress.watch(run.report)
            with progress.telling(self._stopping, [parser, scans]):
                run.renew_terms()
                there = {
                    file.source: (file, path)
                    for file in waiting
                    if (path := _spool(connection, file, folder, progress)) is not None
                }
                found = find_sources(
                    [_given(source, path) for source, (_, path) in there.items()], ocr=options.ocr
                )
                known = known_documents(connection, collection, list(there))
                senders.update((source, _sender(attempt, known.get(source))) for source in there)
                files = {source: file for source, (file, _) in there.items()}
                run.execute(_plan(found, files, known, options, progress))
            progress.finish()
        return space_id

    def _maintain(self, space_id: int) -> None:
        """As at the end of `ingest`; the service does it as well, where there is one."""
        assert self._embedder is not None
        try:
            with connect(self._database.owner) as owner:
                ensure_texts(owner, space_id, self._embedder)
                maintenance.maintain(
                    owner,
                    space_id,
                    IndexSettings.from_settings(self._settings),
                    wait=False,
                    most_rows=INDEXED_BETWEEN_JOBS,
                )
        except PgaskError as error:  # the files are in, and the next look may do better
            _log.warning("the index could not be looked after", code=error.code, detail=str(error))


def _group_tokens(embedder: Embedder) -> int:
    return embedder.group_tokens if isinstance(embedder, SentenceTransformerEmbedder) else GROUP_TOKENS


def _add(
    connection: Connection, folder: str, packed: PackedFile, taken: set[str]
) -> tuple[str, UUID | None, int, str | None, str | None]:
    """Store a file of a zip; what job_runs.add_files takes. `taken` are the names of the job's other files."""
    source = f"{folder}/{packed.name or '?'}"
    fault = packed.fault
    if not packed.name:
        fault = DocumentError("The file's name has no letter in it that can be kept.", code="bad_name")
    try:
        check_source(source)
    except DocumentError as error:
        fault = error
    if source in taken:
        fault = DocumentError("Another file of this upload has the same name.", code="bad_name")
    taken.add(source)
    if fault is not None:
        shown = source if len(source) <= _SHOWN else f"{source[:_SHOWN].rstrip('/')}…"
        return shown, None, 0, fault.code, str(fault)
    content = packed.content
    name = source.rpartition("/")[2]
    original = store_original(connection, name, content_sha256(content), len(content), cut_bytes(content))
    return source, original, len(content), None, None


def _spool(connection: Connection, file: WaitingFile, folder: Path, progress: JobProgress) -> Path | None:
    """Write a file into the temporary folder; None where its bytes are gone."""
    if file.original is None:
        progress.end(FileEnd(file.position, "failed", "unreadable", _GONE))
        return None
    path = folder / str(file.position)
    try:
        with path.open("wb") as spooled:
            for part in read_original(connection, file.original):
                spooled.write(part)
    except OSError as error:
        raise StoreError(
            f"The worker's temporary folder takes no more: {error.strerror}. Give TMPDIR more room.",
            code="disk_full",
        ) from error
    return path


def _given(source: str, path: Path) -> GivenPath:
    return GivenPath(path, Path(UPLOADED) / source, source, Path(UPLOADED), is_folder=False)


def _plan(
    found: FoundSources,
    files: Mapping[str, WaitingFile],
    known: Mapping[str, KnownDocument],
    options: IngestOptions,
    progress: JobProgress,
) -> Plan:
    """What is to be read: not what is no document, what another folder's document has the name of, and what is stored
    already."""
    for failure in found.failures:
        progress.end(FileEnd(files[failure.source].position, "failed", failure.code, failure.detail))
    for skipped in found.skipped:
        progress.end(FileEnd(files[skipped.source].position, "skipped", skipped.code, skipped.detail))
    work = []
    for file in found.files:
        waiting, document = files[file.source], known.get(file.source)
        if document is not None and document.root not in (None, UPLOADED):
            progress.end(FileEnd(waiting.position, "failed", "name_taken", _name_taken(document)))
        elif document is not None and _is_stored(document, waiting, file, options):
            progress.end(
                FileEnd(waiting.position, "succeeded")
                if document.status == "ready"
                else FileEnd(waiting.position, "skipped", document.reason, document.reason_detail)
            )
        else:
            work.append(file)
    replaced = {
        file.source
        for file in work
        if (document := known.get(file.source)) is not None and document.status in {"ready", "stale"}
    }
    return Plan(
        new=tuple(file.source for file in work if file.source not in replaced),
        changed=tuple(sorted(replaced)),
        renamed=(),
        unchanged=(),
        removed=(),
        failed=(),
        retried=(),
        duplicates=(),
        work=tuple(work),
        replaced=frozenset(replaced),
        moved=(),
    )


def _is_stored(
    document: KnownDocument, waiting: WaitingFile, file: SourceFile, options: IngestOptions
) -> bool:
    """Whether nothing would change: these bytes are stored, or left out in favour of another that still is."""
    return (
        document.content_sha256 == waiting.sha256
        and options.is_made_so(document.pipeline, file.media_type)
        and (
            document.status == "ready"
            or (document.status == "duplicate" and document.duplicate_of is not None)
        )
    )


def _sender(attempt: Attempt, document: KnownDocument | None) -> str | None:
    """Whose a file is: who has a document taken in again did not send it."""
    return document.sender if attempt.is_again and document is not None else attempt.sender


def _name_taken(document: KnownDocument) -> str:
    return (
        f"{document.source} came into this collection from a folder, and an upload never replaces such a document. "
        "Send the file into another folder, or change it where it lies and ingest that."
    )


def _noting(progress: JobProgress, parser: SandboxedParser) -> Parse:
    def parse(content: bytes, media_type: str, source: str) -> Document:
        progress.begin(source)
        return parser.parse(content, media_type, source)

    return parse


def _noting_scan(progress: JobProgress, scans: SandboxedParser) -> ReadScan:
    def read(content: bytes, media_type: str, source: str, on_page: OnPage) -> Document:
        progress.begin(source)
        return scans.parse(content, media_type, source, on_page)

    return read
