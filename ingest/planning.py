"""What a run would do: the files of some paths compared, by hash, with what a collection holds. Writes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, Protocol

from app.config import Settings
from app.errors import DocumentError
from app.lexicon import LEXICON_VERSION
from app.store.documents import MAX_SOURCE_BYTES, KnownDocument, known_documents, origins
from app.store.engine import Connection
from app.store.spaces import Collection
from ingest.chunking import CHUNKER_VERSION
from ingest.ignoring import Selection
from ingest.parsers import PARSER_VERSION
from ingest.sources import (
    FoundSources,
    SkippedSource,
    SourceFailure,
    SourceFile,
    content_sha256,
    find_sources,
    read_source,
)


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How a run cuts, and what it leaves out or removes. `window_tokens` is lowered to what the encoder reads."""

    chunk_tokens: int = 512
    overlap: int = 64
    window_tokens: int = 128
    max_file_bytes: int = 200_000_000
    prune: bool = False
    duplicates: Literal["keep_once", "keep_all"] = "keep_once"
    duplicate_similarity: float = 0.9
    selection: Selection = field(default_factory=Selection)

    @classmethod
    def from_settings(
        cls, settings: Settings, *, prune: bool, selection: Selection | None = None
    ) -> IngestOptions:
        """The group from all settings; the overlap is at most half a chunk."""
        return cls(
            chunk_tokens=settings.chunk_tokens,
            overlap=min(settings.overlap, settings.chunk_tokens // 2),
            window_tokens=settings.window_tokens,
            max_file_bytes=settings.max_file_bytes,
            prune=prune,
            duplicates=settings.duplicates,
            duplicate_similarity=settings.duplicate_similarity,
            selection=selection or Selection(),
        )

    def fingerprint(self) -> str:
        """Names everything but the model that the stored chunks depend on; a document with another one is made anew."""
        versions = f"p{PARSER_VERSION}-c{CHUNKER_VERSION}-l{LEXICON_VERSION}"
        return f"{versions}-{self.chunk_tokens}/{self.overlap}/{self.window_tokens}"


_PIPELINE: Final = re.compile(
    r"(?P<parser>p\d+)-c\d+-l\d+-(?P<chunk_tokens>\d+)/(?P<overlap>\d+)/(?P<window_tokens>\d+)"
)


def renewed_pipeline(pipeline: str) -> str:
    """The fingerprint of a document once its chunks and terms are made anew from its text (ingest/renewing.py): its
    parser and settings are what they were.

    >>> renewed_pipeline("p1-c1-l1-512/64/128").split("-")[0]
    'p1'
    """
    found = _PIPELINE.fullmatch(pipeline)
    if found is None:
        return pipeline
    settings = "/".join(found.group("chunk_tokens", "overlap", "window_tokens"))
    return f"{found['parser']}-c{CHUNKER_VERSION}-l{LEXICON_VERSION}-{settings}"


def options_of(pipeline: str, options: IngestOptions) -> IngestOptions:
    """`options` with the settings that a document was cut by."""
    found = _PIPELINE.fullmatch(pipeline)
    if found is None:
        return options
    chunk_tokens, overlap, window_tokens = map(int, found.group("chunk_tokens", "overlap", "window_tokens"))
    return replace(options, chunk_tokens=chunk_tokens, overlap=overlap, window_tokens=window_tokens)


class Progress(Protocol):
    """Told how a run goes on. Stages are "scan" and "ingest", both counted in files."""

    def stage(self, name: str, total: int) -> None: ...

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Sources in order; `renamed` is (old, new), `duplicates` is (source, the one kept) for files
    whose very bytes the collection or the run has already: near duplicates show once they are read."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[SourceFailure, ...]
    retried: tuple[SourceFailure, ...]  # files that failed before, are as they were, and are tried again
    duplicates: tuple[tuple[str, str], ...]
    work: tuple[
        SourceFile, ...
    ]  # the files to read, those last that were left out in favour of one that changes
    replaced: frozenset[str]  # sources in `work` of which an older version is stored
    moved: tuple[SourceFile, ...]  # the files that `renamed` leads to, in its order
    skipped: tuple[SkippedSource, ...] = ()
    forgotten: tuple[
        str, ...
    ] = ()  # skipped sources that an earlier run noted as failed: no documents either
    excluded_documents: int = (
        0  # stored ones whose file is there and is skipped by now: they stay as they are
    )


def make_plan(
    connection: Connection,
    collection: Collection | None,
    paths: Sequence[Path],
    options: IngestOptions,
    progress: Progress,
) -> Plan:
    """Compare the files with the collection; None stands for one that is not made yet. Raises InvalidRequestError for
    paths that do not exist."""
    known = known_documents(connection, collection) if collection else {}
    if collection and collection.lexicon_version != LEXICON_VERSION:  # what the run does before it plans
        known = {
            source: replace(one, pipeline=renewed_pipeline(one.pipeline)) if one.pipeline else one
            for source, one in known.items()
        }
    found = find_sources(paths, options.selection)
    hashes, failures = _hash_files(found, options, progress)
    files = [file for file in found.files if file.source in hashes]
    hidden = _left_out(connection, collection, known, found) if collection else set()
    gone = [source for source in _gone(known, found, paths) if source not in hidden]
    forgotten = tuple(source for source in sorted(hidden) if known[source].status == "failed")
    movable = gone if options.prune or not collection else _vanished(connection, collection, gone)
    renamed = _renames(files, hashes, known, movable, options.fingerprint())
    moved_from, moved_to = {old for old, _ in renamed}, {new for _, new in renamed}
    removed = sorted(set(gone) - moved_from) if options.prune else []

    pipeline = options.fingerprint()
    stale = [
        file
        for file in files
        if file.source not in moved_to
        and not _is_current(known.get(file.source), hashes[file.source], pipeline)
    ]
    outdated = {file.source for file in stale} | set(removed)
    settled = outdated | moved_to
    released = [
        file
        for file in files
        if file.source not in settled and _is_released(known[file.source], known, outdated, options)
    ]
    work = [*stale, *released]
    read = {file.source for file in work}
    settled |= read
    unchanged = [file for file in files if file.source not in settled]
    replaced = frozenset(source for source in read if _has_content(known.get(source)))
    by_source = {file.source: file for file in files}
    moved = [by_source[new] for _, new in renamed]
    duplicates = _copies([*unchanged, *moved], work, hashes, options)
    retried = [
        SourceFailure(file.source, document.reason or "", document.reason_detail or "")
        for file in work
        if (document := known.get(file.source)) and _has_failed(document, hashes[file.source], pipeline)
    ]
    aside = {source for source, _ in duplicates} | {failure.source for failure in retried}
    return Plan(
        new=tuple(sorted(read - replaced - aside)),
        changed=tuple(sorted(replaced - aside)),
        renamed=tuple(renamed),
        unchanged=tuple(file.source for file in unchanged),
        removed=tuple(removed),
        failed=(*found.failures, *failures),
        retried=tuple(retried),
        duplicates=tuple(duplicates),
        work=tuple(work),
        replaced=replaced,
        moved=tuple(moved),
        skipped=found.skipped,
        forgotten=forgotten,
        excluded_documents=len(hidden) - len(forgotten),
    )


def is_storable(source: str) -> bool:
    """Whether a document can have this source: not a folder that could not be read, not a path without end."""
    return not source.endswith("/") and len(source.encode("utf-8", "replace")) <= MAX_SOURCE_BYTES


def _check_source(source: str) -> None:
    if not is_storable(source):
        raise DocumentError(
            f"The path has more than {MAX_SOURCE_BYTES:,} bytes; shorten the names.", code="bad_name"
        )


def origin_of(file: SourceFile) -> str | None:
    """Where a file lies, for telling a move from a second copy; None where a folder's name is not UTF-8."""
    path = str(file.path)
    return path if path.encode("utf-8", "ignore").decode() == path else None


def _hash_files(
    found: FoundSources, options: IngestOptions, progress: Progress
) -> tuple[dict[str, str], list[SourceFailure]]:
    """The sha256 of each file's bytes by source, and the files that can't be read or stored."""
    hashes: dict[str, str] = {}
    failures = []
    progress.stage("scan", len(found.files))
    for file in found.files:
        try:
            _check_source(file.source)
            hashes[file.source] = content_sha256(read_source(file, options.max_file_bytes))
        except DocumentError as error:
            failures.append(SourceFailure(file.source, error.code, str(error)))
        progress.advance(file.source)
    return hashes, failures


def _gone(known: Mapping[str, KnownDocument], found: FoundSources, paths: Sequence[Path]) -> list[str]:
    """Known sources whose file is not there any more; what lies in a folder that can't be read now is not gone."""
    present = {file.source for file in found.files} | {failure.source for failure in found.failures}
    closed = tuple(failure.source for failure in found.failures if failure.source.endswith("/"))
    if any(f"{path.resolve().name}/" in closed for path in paths):
        return []
    return [source for source in known if source not in present and not source.startswith(closed)]


def _left_out(
    connection: Connection, collection: Collection, known: Mapping[str, KnownDocument], found: FoundSources
) -> set[str]:
    """Known sources whose file is there and is skipped now, by itself or with its folder."""
    skipped = {skipped.source for skipped in found.skipped}
    folders = tuple(source for source in skipped if source.endswith("/"))
    inside = {source for source in known if source.startswith(folders)}
    return (skipped & set(known)) | (inside - set(_vanished(connection, collection, list(inside))))


def _vanished(connection: Connection, collection: Collection, gone: Sequence[str]) -> list[str]:
    """Those whose file is nowhere: a collection may hold other folders than the ones that are looked at now."""
    return [
        source
        for source, origin in origins(connection, collection, gone).items()
        if not os.path.lexists(origin)
    ]


def _renames(
    files: Sequence[SourceFile],
    hashes: Mapping[str, str],
    known: Mapping[str, KnownDocument],
    gone: Sequence[str],
    pipeline: str,
) -> list[tuple[str, str]]:
    """Pairs (old, new) of a source that is gone and another with the same bytes, read in the same way, that is new or
    was left out in favour of the old one."""
    by_content = {
        (known[source].content_sha256, known[source].media_type): source
        for source in sorted(gone, reverse=True)
        if known[source].status == "ready" and known[source].pipeline == pipeline
    }
    renames = []
    for file in files:
        content = (hashes[file.source], file.media_type)
        old = by_content.get(content)
        document = known.get(file.source)
        if old is not None and (document is None or document.duplicate_of == old):
            del by_content[content]
            renames.append((old, file.source))
    return renames


def _is_current(known: KnownDocument | None, sha256: str, pipeline: str) -> bool:
    return (
        known is not None
        and known.status in {"ready", "duplicate"}
        and known.content_sha256 == sha256
        and known.pipeline == pipeline
    )


def _has_failed(known: KnownDocument, sha256: str, pipeline: str) -> bool:
    """Whether these very bytes could not be taken in by these settings."""
    return (
        known.status in {"failed", "stale"} and known.content_sha256 == sha256 and known.pipeline == pipeline
    )


def _is_released(
    document: KnownDocument,
    known: Mapping[str, KnownDocument],
    outdated: set[str],
    options: IngestOptions,
) -> bool:
    """Whether a document that was left out as a duplicate has to be looked at again."""
    if document.status != "duplicate":
        return False
    kept = document.duplicate_of
    return (
        options.duplicates == "keep_all" or kept is None or kept in outdated or not _has_content(known[kept])
    )


def _has_content(known: KnownDocument | None) -> bool:
    """Whether some version of the source can be found; one that only ever failed is new when it gets in."""
    return known is not None and known.status in {"ready", "stale"}


def _copies(
    stored: Iterable[SourceFile],
    work: Iterable[SourceFile],
    hashes: Mapping[str, str],
    options: IngestOptions,
) -> list[tuple[str, str]]:
    """Pairs (source, the one kept) of files with the same bytes, read in the same way; empty files fail instead."""
    if options.duplicates == "keep_all":
        return []
    first: dict[tuple[str, str], str] = {}
    for file in stored:
        first.setdefault((hashes[file.source], file.media_type), file.source)
    copies = []
    for file in work:
        kept = first.setdefault((hashes[file.source], file.media_type), file.source)
        if kept != file.source and file.size_bytes and file.media_type:
            copies.append((file.source, kept))
    return sorted(copies)
