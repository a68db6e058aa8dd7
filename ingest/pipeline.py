"""Folder → collection: plan by hash, then parse → clean → chunk → embed → write, one transaction a document.

One bad document is reported and the rest goes in. Running again after any interruption finishes the rest, since what
is stored is known by the hash of its bytes and of the settings that made it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import structlog

from app.config import Settings
from app.domain import Document
from app.embedding import Embedder, FloatMatrix, Tokens
from app.errors import DocumentError, PgaskError, StoreError
from app.lexicon import LEXICON_VERSION, terms
from app.store.documents import (
    MAX_SOURCE_BYTES,
    EmbeddedDocument,
    KnownDocument,
    SourceVersion,
    known_documents,
    record_failure,
    remove_documents,
    rename_document,
    replace_document,
)
from app.store.engine import Connection
from app.store.spaces import Collection
from ingest.chunking import CHUNKER_VERSION, ChunkedDocument, chunk
from ingest.parsers import PARSER_VERSION
from ingest.pooling import pool, window_weights
from ingest.sources import FoundSources, SourceFailure, SourceFile, content_sha256, find_sources, read_source

_GROUP_TOKENS: Final = 8192  # small documents are embedded together, so that the encoder's batches are full
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How a run cuts and what it may remove. `window_tokens` is lowered to what the encoder reads."""

    chunk_tokens: int = 512
    overlap: int = 64
    window_tokens: int = 128
    max_file_bytes: int = 200_000_000
    prune: bool = False

    @classmethod
    def from_settings(cls, settings: Settings, *, prune: bool) -> IngestOptions:
        """The group from all settings; the overlap is at most half a chunk."""
        return cls(
            chunk_tokens=settings.chunk_tokens,
            overlap=min(settings.overlap, settings.chunk_tokens // 2),
            window_tokens=settings.window_tokens,
            max_file_bytes=settings.max_file_bytes,
            prune=prune,
        )

    def fingerprint(self) -> str:
        """Names everything but the model that the stored chunks depend on; a document with another one is made anew."""
        versions = f"p{PARSER_VERSION}-c{CHUNKER_VERSION}-l{LEXICON_VERSION}"
        return f"{versions}-{self.chunk_tokens}/{self.overlap}/{self.window_tokens}"


Parse = Callable[[bytes, str, str], Document]  # content, media type, source → document; raises DocumentError


class Progress(Protocol):
    """Told how a run goes on. Stages are "scan" and "ingest", both counted in files."""

    def stage(self, name: str, total: int) -> None: ...

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Sources in order; `renamed` is (old, new); `work` are the files of `new` and `changed`."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[SourceFailure, ...]
    work: tuple[SourceFile, ...]


@dataclass(slots=True)
class Report:
    """What a run did: the JSON object of `ingest --json`."""

    new: int = 0
    changed: int = 0
    renamed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[SourceFailure] = field(default_factory=list)
    chunks: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A document cut into windows, waiting for its vectors."""

    version: SourceVersion
    document: Document
    tokens: Tokens
    cut: ChunkedDocument
    is_new: bool


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
    ) -> None:
        """`collection` None: one that is not made yet, for a plan alone. `parse` meets untrusted bytes: outside of
        tests it is that of ingest.sandbox."""
        self._connection = connection
        self._collection = collection
        self._embedder = embedder
        self._options = options
        self._progress = progress
        self._parse = parse
        self.report = Report()

    def plan(self, paths: Sequence[Path]) -> Plan:
        """Compare the files with the collection. Raises InvalidRequestError for paths that do not exist."""
        known = known_documents(self._connection, self._collection) if self._collection else {}
        found = find_sources(paths)
        failed = list(found.failures)
        hashes: dict[str, str] = {}
        self._progress.stage("scan", len(found.files))
        for file in found.files:
            try:
                _check_source(file.source)
                hashes[file.source] = content_sha256(read_source(file, self._options.max_file_bytes))
            except DocumentError as error:
                failed.append(SourceFailure(file.source, error.code, str(error)))
            self._progress.advance(file.source)
        files = [file for file in found.files if file.source in hashes]
        gone = _gone(known, found, paths) if self._options.prune else []
        renamed = self._renames(files, hashes, known, gone)
        moved_to = {new for _, new in renamed}
        pipeline = self._options.fingerprint()
        work, unchanged = [], []
        for file in files:
            if _is_current(known.get(file.source), hashes[file.source], pipeline):
                unchanged.append(file.source)
            elif file.source not in moved_to:
                work.append(file)
        return Plan(
            new=tuple(file.source for file in work if not _has_content(known.get(file.source))),
            changed=tuple(file.source for file in work if _has_content(known.get(file.source))),
            renamed=tuple(renamed),
            unchanged=tuple(unchanged),
            removed=tuple(sorted(set(gone) - {old for old, _ in renamed})),
            failed=tuple(failed),
            work=tuple(work),
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
            for failure in plan.failed:
                self._fail(
                    SourceVersion(failure.source, "", 0, self._options.fingerprint()),
                    failure.code,
                    failure.detail,
                )
            for old, new in plan.renamed:
                report.renamed += rename_document(self._connection, self._collection, old, new)
            if plan.removed:
                report.removed = remove_documents(self._connection, self._collection, plan.removed)
            self._progress.stage("ingest", len(plan.work))
            for group in _groups(self._prepared(plan), _GROUP_TOKENS):
                self._embed_and_store(group)
        finally:
            report.seconds = round(time.monotonic() - started, 3)
        return report

    def _renames(
        self,
        files: Sequence[SourceFile],
        hashes: Mapping[str, str],
        known: Mapping[str, KnownDocument],
        gone: Sequence[str],
    ) -> list[tuple[str, str]]:
        """Pairs (old, new) of a source that is gone and a new one with the same bytes, read in the same way."""
        pipeline = self._options.fingerprint()
        by_content = {
            (known[source].content_sha256, known[source].media_type): source
            for source in sorted(gone, reverse=True)
            if known[source].status == "ready" and known[source].pipeline == pipeline
        }
        renames = []
        for file in files:
            content = (hashes[file.source], file.media_type)
            old = by_content.pop(content, None) if file.source not in known else None
            if old is not None:
                renames.append((old, file.source))
        return renames

    def _prepared(self, plan: Plan) -> Iterator[_Prepared]:
        """Read, parse and cut the files of a plan; those that fail are reported and left out."""
        new = set(plan.new)
        for file in plan.work:
            version = SourceVersion(file.source, "", file.size_bytes, self._options.fingerprint())
            try:
                content = read_source(file, self._options.max_file_bytes)
                version = SourceVersion(file.source, content_sha256(content), len(content), version.pipeline)
                document = self._parse(content, file.media_type, file.source)
                yield self._cut(version, document, file.source in new)
            except DocumentError as error:
                self._fail(version, error.code, str(error))
            except Exception as error:  # noqa: BLE001 - one bad document never stops a run
                _log.exception("document failed", source=file.source)
                self._fail(version, "parse_failed", f"{type(error).__name__} while reading the file.")

    def _cut(self, version: SourceVersion, document: Document, is_new: bool) -> _Prepared:
        tokens = self._embedder.tokenize(document.text)
        cut = chunk(
            document,
            tokens,
            chunk_tokens=self._options.chunk_tokens,
            overlap=self._options.overlap,
            window_tokens=min(self._options.window_tokens, self._embedder.window_tokens),
        )
        if not cut.chunks:
            raise DocumentError(
                "The file holds no text that the embedding model has tokens for.", code="empty"
            )
        return _Prepared(version, document, tokens, cut, is_new)

    def _embed_and_store(self, group: Sequence[_Prepared]) -> None:
        slices = [
            prepared.tokens.ids[window.token_start : window.token_end]
            for prepared in group
            for window in prepared.cut.windows
        ]
        vectors = self._embedder.embed_windows(slices)
        offset = 0
        for prepared in group:
            count = len(prepared.cut.windows)
            self._store(prepared, vectors[offset : offset + count])
            offset += count

    def _store(self, prepared: _Prepared, vectors: FloatMatrix) -> None:
        assert self._collection is not None
        try:
            embedded = _pooled(prepared, vectors)
            stored = replace_document(self._connection, self._collection, prepared.version, embedded)
        except DocumentError as error:
            self._fail(prepared.version, error.code, str(error))
            return
        except PgaskError:
            raise  # says something of the database or the collection: the next document would meet it too
        except Exception as error:  # noqa: BLE001 - one bad document never stops a run
            _log.exception("document failed", source=prepared.version.source)
            self._fail(
                prepared.version, "parse_failed", f"{type(error).__name__} while storing the document."
            )
            return
        report = self.report
        chunks, tokens = len(prepared.cut.chunks), len(prepared.tokens)
        if stored:
            report.new += prepared.is_new
            report.changed += not prepared.is_new
            report.chunks += chunks
            report.tokens += tokens
        else:
            report.unchanged += 1
        self._progress.advance(prepared.version.source, chunks=chunks, tokens=tokens)

    def _fail(self, version: SourceVersion, code: str, detail: str) -> None:
        self.report.failed.append(SourceFailure(version.source, code, detail))
        self._progress.advance(version.source)
        if not _is_storable(version.source):
            return
        assert self._collection is not None
        try:
            record_failure(self._connection, self._collection, version, code, detail)
        except StoreError:
            _log.warning("failure not recorded", source=version.source, code=code)


def _pooled(prepared: _Prepared, window_vectors: FloatMatrix) -> EmbeddedDocument:
    """Pool the window vectors of a document into its chunks' vectors and count its terms."""
    cut, text = prepared.cut, prepared.document.text
    window_terms = [Counter(terms(text[window.char_start : window.char_end])) for window in cut.windows]
    sizes = [window.token_end - window.token_start for window in cut.windows]
    vectors, chunk_terms = [], []
    for first, after in cut.chunk_windows:
        weights = window_weights([len(found) for found in window_terms[first:after]], sizes[first:after])
        vectors.append(pool(window_vectors[first:after], weights))
        total: Counter[str] = Counter()
        for found in window_terms[first:after]:
            total.update(found)
        chunk_terms.append(total)
    return EmbeddedDocument(
        document=prepared.document,
        chunks=cut.chunks,
        chunk_vectors=np.stack(vectors),
        chunk_windows=cut.chunk_windows,
        chunk_terms=chunk_terms,
        windows=[(window.char_start, window.char_end) for window in cut.windows],
        window_vectors=window_vectors,
        unknown_tokens=prepared.tokens.unknown,
        token_count=len(prepared.tokens),
    )


def _is_current(known: KnownDocument | None, sha256: str, pipeline: str) -> bool:
    return (
        known is not None
        and known.status == "ready"
        and known.content_sha256 == sha256
        and known.pipeline == pipeline
    )


def _has_content(known: KnownDocument | None) -> bool:
    """Whether some version of the source can be found; one that only ever failed is new when it gets in."""
    return known is not None and known.status != "failed"


def _gone(known: Mapping[str, KnownDocument], found: FoundSources, paths: Sequence[Path]) -> list[str]:
    """Known sources whose file is not there any more; what lies in a folder that can't be read now is not gone."""
    present = {file.source for file in found.files} | {failure.source for failure in found.failures}
    closed = tuple(failure.source for failure in found.failures if failure.source.endswith("/"))
    if any(f"{path.resolve().name}/" in closed for path in paths):
        return []
    return [source for source in known if source not in present and not source.startswith(closed)]


def _check_source(source: str) -> None:
    if not _is_storable(source):
        raise DocumentError(
            f"The path has more than {MAX_SOURCE_BYTES:,} bytes; shorten the names.", code="bad_name"
        )


def _is_storable(source: str) -> bool:
    """Whether a document can have this source: not a folder that could not be read, not a path without end."""
    return not source.endswith("/") and len(source.encode("utf-8", "replace")) <= MAX_SOURCE_BYTES


def _groups(prepared: Iterator[_Prepared], tokens: int) -> Iterator[list[_Prepared]]:
    """Consecutive documents with about `tokens` tokens together."""
    group: list[_Prepared] = []
    size = 0
    for document in prepared:
        group.append(document)
        size += len(document.tokens)
        if size >= tokens:
            yield group
            group, size = [], 0
    if group:
        yield group
