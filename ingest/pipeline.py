"""Folder → collection: plan, then parse → clean → chunk → embed → write, one transaction a document.

Three threads: one parses and cuts the documents to come, one encodes a group, and the caller's writes the group before
and alone uses the database, the report and the progress bar. One bad document is reported and the rest goes in.
Running again after any interruption finishes the rest, since what is stored is known by the hash of its bytes and by
the settings that made it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from app.domain import Document
from app.embedding import Embedder, FloatVector
from app.errors import DocumentError, PgaskError, StoreError
from app.losses import NOTEWORTHY_SHARE, LossyDocument, lost_share
from app.store.connection import Connection
from app.store.documents import (
    EmbeddedDocument,
    SourceVersion,
    count_unreadable,
    record_failure,
    record_textless,
    replace_document,
    stored_windows,
)
from app.store.duplicates import record_duplicate
from app.store.sources import FileState, give_over, move_root, note_files, remove_documents, rename_document
from app.store.spaces import Collection
from ingest.disk_space import check_room
from ingest.duplicates import Duplicate, DuplicateSearch
from ingest.file_changes import Progress, is_storable, state_of
from ingest.interrupts import interrupt_after
from ingest.options import IngestOptions
from ingest.parsers.media_types import PICTURE_MEDIA_TYPES
from ingest.planning import Plan, Survey, make_plan
from ingest.prefetch import Prefetcher, Worker
from ingest.preparing import Prepared, pooled, prepare, slices
from ingest.renewing import renew_terms
from ingest.sources import (
    SkippedSource,
    SourceFailure,
    SourceFile,
    content_sha256,
    read_source,
    skipped_picture,
)
from ingest.windows import PART_TOKENS, EncodedWindows, encode_windows

# what a caller of a run needs, its options and plan included
__all__ = [
    "GROUP_TOKENS",
    "DuplicateFile",
    "IngestOptions",
    "IngestRun",
    "Parse",
    "Plan",
    "Progress",
    "Report",
]

GROUP_TOKENS: Final = 8192  # small documents are embedded together, so that the encoder's batches are full
_TOKEN_BYTES: Final = 6  # of text, a generous average
_log = structlog.get_logger(__name__)

Parse = Callable[[bytes, str, str], Document]  # content, media type, source → document; raises DocumentError
# the same, and what is told of each page: its number, from 1, and how many there are
ReadScan = Callable[[bytes, str, str, Callable[[int, int], None]], Document]
_WITHOUT_TEXT: Final = frozenset({"no_text_layer", "broken_text_layer"})


@dataclass(frozen=True, slots=True)
class DuplicateFile:
    """A file whose text is that of another document, `of`, or nearly (`similarity` below 1)."""

    source: str
    of: str
    similarity: float


@dataclass(slots=True)
class Report:
    """What a run did: the JSON object of `ingest --json`. `tokens` are those of the documents stored: what the encoder
    read of them, what kept its vector, and what is in no window (none, ever). `unreadable_documents` counts the whole
    collection, `excluded_documents` those stored whose file is skipped by now; of `renewed_terms` documents the terms
    were made anew from the stored text. `dropped_chars` is what was left out of the documents stored, by kind, and
    `lossy_documents` are those that lost much of what was to be read. `not_retried` counts those of `failed` that
    failed before, have not changed and were left alone. `ocr_pages` were read by OCR, in `ocr_seconds`;
    `readers_changed` documents went to other readers as they were."""

    new: int = 0
    changed: int = 0
    renamed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[SourceFailure] = field(default_factory=list)
    skipped: list[SkippedSource] = field(default_factory=list)
    chunks: int = 0
    tokens: int = 0
    seconds: float = 0.0
    duplicates: list[DuplicateFile] = field(default_factory=list)
    embedded_tokens: int = 0
    reused_tokens: int = 0
    dropped_tokens: int = 0
    unreadable_documents: int = 0
    excluded_documents: int = 0
    dropped_chars: dict[str, int] = field(default_factory=dict)
    lossy_documents: list[LossyDocument] = field(default_factory=list)
    renewed_terms: int = 0
    not_retried: int = 0
    ocr_pages: int = 0
    ocr_seconds: float = 0.0
    readers_changed: int = 0


@dataclass(frozen=True, slots=True)
class _Unprepared:
    """A file that could not be read, parsed or cut, and why."""

    version: SourceVersion
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Documents that the encoder was given together, and those to be left out once they are stored."""

    kept: Sequence[Prepared]
    left_out: Sequence[tuple[Prepared, Duplicate]]
    encoded: Future[list[EncodedWindows]]


@dataclass(frozen=True, slots=True)
class _Scan:
    """A file that has to be read by OCR."""

    file: SourceFile


_Made = Prepared | _Unprepared | _Scan
_Documents = Prefetcher[SourceFile, _Made]


class IngestRun:
    """One run over some paths into one collection."""

    def __init__(
        self,
        connection: Connection,
        collection: Collection | None,
        embedder: Embedder,
        options: IngestOptions,
        progress: Progress,
        *,
        parse: Parse,
        read_scan: ReadScan | None = None,
        home: Path | None = None,
        group_tokens: Callable[[], int] = lambda: GROUP_TOKENS,
        sender_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """`collection` None: one that is not made yet, for a plan alone. `parse` meets untrusted bytes: outside of
        tests it is that of ingest.sandbox; it is called in another thread. `home` is the embedded server's, whose disk
        must not get full. `group_tokens` is asked, where there is work, how many tokens to embed together; `sender_of`
        says which account sent the file of a source."""
        self._connection = connection
        self._collection = collection
        self._embedder = embedder
        self._options = options
        self._progress = progress
        self._parse = parse
        self._read_scan = read_scan
        self._scans: list[SourceFile] = []
        self._home = home
        self._group_tokens = group_tokens
        self._sender_of = sender_of
        self._settled: set[str] = set()  # sources whose end is known: stored, failed or left out
        self.report = Report()

    def plan(self, paths: Sequence[Path], surveyed: Survey | None = None) -> Plan:
        """Compare the files with the collection. Raises InvalidRequestError for paths that do not exist."""
        return make_plan(
            self._connection, self._collection, paths, self._options, self._progress, surveyed=surveyed
        )

    def renew_terms(self) -> None:
        """Make the terms of the collection's documents anew where an earlier lexicon made them; before any plan."""
        assert self._collection is not None
        self._collection, self.report.renewed_terms = renew_terms(
            self._connection, self._collection, self._embedder, self._options, self._progress
        )

    def execute(self, plan: Plan) -> Report:
        """Carry out a plan; `report` is right at any moment, so an interrupted run can still be told."""
        assert self._collection is not None, (
            "a plan for a collection that does not exist can't be carried out"
        )
        started = time.monotonic()
        report = self.report
        try:
            report.unchanged = len(plan.unchanged)
            report.skipped, report.excluded_documents = list(plan.skipped), plan.excluded_documents
            report.failed += plan.still_failed
            report.not_retried = len(plan.still_failed)
            give_over(self._connection, self._collection, plan.taken_over)
            for old, new in plan.moved_roots:
                move_root(self._connection, self._collection, old, new)
            for (old, new), file in zip(plan.renamed, plan.moved, strict=True):
                place = state_of(file, None)
                report.renamed += rename_document(self._connection, self._collection, old, new, place)
            for failure in plan.failed:
                place = plan.failed_at[failure.source]
                self._fail(
                    SourceVersion(failure.source, "", 0, self._options.fingerprint(""), place),
                    failure.code,
                    failure.detail,
                )
            note_files(self._connection, self._collection, plan.seen)
            if plan.forgotten:
                remove_documents(self._connection, self._collection, plan.forgotten)
            if plan.removed:
                report.removed = remove_documents(self._connection, self._collection, plan.removed)
            self._progress.stage("ingest", len(plan.work))
            duplicates = DuplicateSearch(
                self._connection,
                self._collection,
                threshold=self._options.duplicate_similarity,
                outdated=plan.replaced,
            )
            try:
                self._take_in(plan, plan.work, self._prepare_file, duplicates)
                if self._scans:
                    self._progress.stage("ocr", len(self._scans))
                    self._take_in(plan, self._scans, self._prepare_scan, duplicates)
            except (DocumentError, StoreError) as error:
                if error.code != "disk_full":
                    raise
                self._fail_rest(plan, error)
            if not self._connection.closed:  # a server whose disk is full may have stopped itself
                report.unreadable_documents = count_unreadable(self._connection, self._collection)
        finally:
            report.seconds = round(time.monotonic() - started, 3)
        return report

    def _take_in(
        self,
        plan: Plan,
        files: Sequence[SourceFile],
        prepare_file: Callable[[Plan, SourceFile], _Made],
        duplicates: DuplicateSearch,
    ) -> None:
        """Everything from reading the files to the last commit."""
        if not files:
            return
        group_tokens = self._group_tokens()
        ahead = Prefetcher(
            files,
            partial(prepare_file, plan),
            weigh=lambda file: file.size_bytes,
            weigh_made=_weight,
            slack=_TOKEN_BYTES * group_tokens,  # a group that is not full never keeps a file from being read
        )
        with ahead as documents, Worker() as encoder:
            encoding: _Group | None = None
            group: list[Prepared] = []
            tokens = 0
            while True:
                if encoding is not None and not documents.is_ready_before(encoding.encoded):
                    self._finish(encoding, duplicates, documents)
                    encoding = None
                made = documents.take()
                if isinstance(made, _Unprepared | _Scan):
                    self._put_aside(made)
                    documents.release(made)
                    continue
                if made is not None:
                    group.append(made)
                    tokens += len(made.tokens)
                    if (
                        tokens < group_tokens
                    ):  # never less, or what moved from one file to the next is encoded anew
                        continue
                started = self._start(group, duplicates, encoder, group_tokens) if group else None
                if encoding is not None:
                    self._finish(encoding, duplicates, documents)
                encoding, group, tokens = started, [], 0
                if made is None:
                    break
            if encoding is not None:
                self._finish(encoding, duplicates, documents)

    def _put_aside(self, made: _Unprepared | _Scan) -> None:
        if isinstance(made, _Scan):
            self._scans.append(made.file)
            self._progress.advance(made.file.source)
        elif made.code == "picture":
            self._skip(made.version, made.detail)
        else:
            self._fail(made.version, made.code, made.detail)

    def _prepare_file(self, plan: Plan, file: SourceFile) -> _Made:
        """Read, parse and cut a file; in the thread that works ahead."""
        if self._read_scan is not None and file.media_type in PICTURE_MEDIA_TYPES:
            return _Scan(file)
        return self._prepare(plan, file, self._parse_first)

    def _prepare_scan(self, plan: Plan, file: SourceFile) -> _Made:
        """The same with OCR."""
        return self._prepare(plan, file, self._parse_scan)

    def _parse_first(self, content: bytes, file: SourceFile) -> Document | _Scan:
        try:
            document = self._parse(content, file.media_type, file.source)
        except DocumentError as error:
            if self._read_scan is None or error.code not in _WITHOUT_TEXT:
                raise
            return _Scan(file)
        return _Scan(file) if self._read_scan is not None and document.unread_pages else document

    def _parse_scan(self, content: bytes, file: SourceFile) -> Document:
        """Read by OCR. Where that fails, what a file has of text is better than nothing, and says that pages are
        missing."""
        assert self._read_scan is not None
        started = time.monotonic()
        try:
            document = self._read_scan(
                content, file.media_type, file.source, partial(self._progress.page, file.source)
            )
        except DocumentError:
            if file.media_type not in PICTURE_MEDIA_TYPES:
                with contextlib.suppress(DocumentError):
                    return self._parse(content, file.media_type, file.source)
            raise
        finally:
            self.report.ocr_seconds = round(self.report.ocr_seconds + time.monotonic() - started, 3)
        self.report.ocr_pages += sum(page.ocr_confidence is not None for page in document.pages)
        return document

    def _prepare(
        self, plan: Plan, file: SourceFile, parse: Callable[[bytes, SourceFile], Document | _Scan]
    ) -> _Made:
        version = self._unread(file)
        try:
            read = read_source(file, self._options.max_file_bytes, self._options.bytes_setting)
            content = read.content
            version = self._version(file, content_sha256(content), len(content), state_of(file, read.stamp))
            document = parse(content, file)
            if isinstance(document, _Scan):
                return document
            return prepare(
                version,
                document,
                self._embedder,
                self._options,
                is_new=file.source not in plan.replaced,
            )
        except DocumentError as error:
            return _Unprepared(version, error.code, str(error))
        except Exception as error:  # one bad document never stops a run
            _log.exception("document failed", source=file.source)
            return _Unprepared(version, "parse_failed", f"{type(error).__name__} while reading the file.")

    def _version(self, file: SourceFile, sha256: str, size_bytes: int, state: FileState) -> SourceVersion:
        pipeline = self._options.fingerprint(file.media_type)
        sender = self._sender_of(file.source)
        return SourceVersion(file.source, sha256, size_bytes, pipeline, state, file.media_type, sender)

    def _unread(self, file: SourceFile) -> SourceVersion:
        """The version of a file whose bytes are not known."""
        return self._version(file, "", file.size_bytes, state_of(file, None))

    def _start(
        self, group: Sequence[Prepared], duplicates: DuplicateSearch, encoder: Worker, group_tokens: int
    ) -> _Group:
        """Give documents to the encoder, but those whose text is stored already, which are left out or, by the options,
        reported."""
        kept: list[Prepared] = []
        left_out: list[tuple[Prepared, Duplicate]] = []
        for prepared in group:
            source = prepared.version.source
            duplicate = duplicates.find(source, prepared.signature, prepared.document.text)
            if duplicate is not None and self._options.duplicates == "keep_once":
                left_out.append((prepared, duplicate))
                continue
            if duplicate is not None:
                self.report.duplicates.append(DuplicateFile(source, duplicate.of, duplicate.similarity))
            duplicates.expect(source, prepared.signature, prepared.document.text)
            kept.append(prepared)
        encode = partial(
            encode_windows,
            self._embedder,
            [slices(prepared) for prepared in kept],
            [self._stored_windows(prepared) for prepared in kept],
            part_tokens=max(PART_TOKENS, group_tokens),
            is_stopped=encoder.is_stopped,
        )
        return _Group(kept, left_out, encoder.submit(encode))

    def _finish(self, group: _Group, duplicates: DuplicateSearch, documents: _Documents) -> None:
        """Wait for the encoder and store the documents."""
        for prepared, windows in zip(group.kept, group.encoded.result(), strict=True):
            with interrupt_after():
                self._store(prepared, windows)
            documents.release(prepared)
        for prepared, duplicate in group.left_out:
            with interrupt_after():
                self._leave_out(prepared, duplicate)
            documents.release(prepared)
        duplicates.settle(prepared.version.source for prepared in group.kept)

    def _leave_out(self, prepared: Prepared, duplicate: Duplicate) -> None:
        assert self._collection is not None
        is_recorded = record_duplicate(
            self._connection,
            self._collection,
            prepared.version,
            prepared.document,
            kept=duplicate.of,
            text_sha256=prepared.signature.text_sha256,
            detail=duplicate.detail,
        )
        if not is_recorded:  # the other one could not be stored, or is gone by now
            older = self._stored_windows(prepared)
            (windows,) = encode_windows(self._embedder, [slices(prepared)], [older])
            self._store(prepared, windows)
            return
        self.report.duplicates.append(
            DuplicateFile(prepared.version.source, duplicate.of, duplicate.similarity)
        )
        self._settle(prepared.version.source)

    def _stored_windows(self, prepared: Prepared) -> Mapping[bytes, FloatVector]:
        assert self._collection is not None
        if prepared.is_new:
            return {}
        return stored_windows(self._connection, self._collection, prepared.version.source)

    def _store(self, prepared: Prepared, windows: EncodedWindows) -> None:
        assert self._collection is not None
        try:
            embedded = pooled(prepared, windows)
            check_room(self._home, _size_bytes(embedded))
            stored = replace_document(self._connection, self._collection, prepared.version, embedded)
        except DocumentError as error:
            if error.code == "disk_full":
                raise
            self._fail(prepared.version, error.code, str(error))
            return
        except PgaskError:
            raise  # says something of the database or the collection: the next document would meet it too
        except Exception as error:  # one bad document never stops a run
            _log.exception("document failed", source=prepared.version.source)
            self._fail(
                prepared.version, "parse_failed", f"{type(error).__name__} while storing the document."
            )
            return
        report = self.report
        chunks, tokens = len(prepared.cut.chunks), prepared.read_tokens
        if stored:
            report.new += prepared.is_new
            report.changed += not prepared.is_new
            report.chunks += chunks
            report.tokens += tokens
            report.embedded_tokens += windows.embedded_tokens
            report.reused_tokens += windows.reused_tokens
            report.dropped_tokens += tokens - windows.embedded_tokens - windows.reused_tokens
            self._count_losses(prepared.document, prepared.version.source)
        else:
            report.unchanged += 1
        self._settle(prepared.version.source, chunks, tokens)

    def _count_losses(self, document: Document, source: str) -> None:
        report = self.report
        for kind, count in document.dropped.items():
            report.dropped_chars[kind] = report.dropped_chars.get(kind, 0) + count
        share = lost_share(document.dropped, len(document.text))
        if share > NOTEWORTHY_SHARE:
            report.lossy_documents.append(LossyDocument(source, round(share, 3)))

    def _settle(self, source: str, chunks: int = 0, tokens: int = 0) -> None:
        self._settled.add(source)
        self._progress.advance(source, chunks=chunks, tokens=tokens)

    def _fail(self, version: SourceVersion, code: str, detail: str) -> None:
        self.report.failed.append(SourceFailure(version.source, code, detail))
        self._settle(version.source)
        self._record(version, code, detail)

    def _skip(self, version: SourceVersion, detail: str) -> None:
        """A picture without text is no document, and noted so that it is not looked at again."""
        assert self._collection is not None
        self.report.skipped.append(skipped_picture(version.source))
        self._settle(version.source)
        record_textless(self._connection, self._collection, version, detail)

    def _fail_rest(self, plan: Plan, error: PgaskError) -> None:
        """The disk is full: what has not gone in yet would meet the same, so it is told and not embedded."""
        is_recorded = True
        for file in plan.work:
            if file.source in self._settled:
                continue
            self.report.failed.append(SourceFailure(file.source, "disk_full", str(error)))
            self._settle(file.source)
            is_recorded = is_recorded and self._record(self._unread(file), "disk_full", str(error))

    def _record(self, version: SourceVersion, code: str, detail: str) -> bool:
        """Note a failure in the database; False where that fails too."""
        if not is_storable(version.source):
            return True
        assert self._collection is not None
        try:
            record_failure(self._connection, self._collection, version, code, detail)
        except DocumentError:  # others may read the document of this name: it stays what it is
            return True
        except StoreError:
            _log.warning(
                "failure not recorded; the next run tries the file again", source=version.source, code=code
            )
            return False
        return True


def _size_bytes(embedded: EmbeddedDocument) -> int:
    """Text and vectors as they are stored: characters of up to 4 bytes, windows at half precision."""
    vectors = embedded.chunk_vectors.nbytes + embedded.window_vectors.nbytes // 2
    return 4 * len(embedded.document.text) + vectors


def _weight(made: _Made) -> int:
    """Bytes of room that a document takes until it is stored; by its tokens, as groups are counted."""
    return _TOKEN_BYTES * len(made.tokens) if isinstance(made, Prepared) else 0
