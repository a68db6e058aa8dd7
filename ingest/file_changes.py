"""Files compared with what a collection knows of them: by their stamps, and by hash where these differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.errors import DocumentError
from app.file_limits import too_large
from app.store.sources import MAX_SOURCE_BYTES, FileState, KnownDocument, SeenFile
from ingest.roots import path_text
from ingest.sources import (
    FoundSources,
    Recognise,
    SourceFailure,
    SourceFile,
    content_sha256,
    read_source,
)
from ingest.stamps import Stamp


class Progress(Protocol):
    """Told how a run goes on. Stages are "scan", "ingest" and "ocr", all counted in files."""

    def stage(self, name: str, total: int) -> None: ...

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None: ...

    def page(self, source: str, page: int, pages: int) -> None:
        """OCR begins with a page, counted from 1, of so many. Called in another thread."""


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """A file, the hash of its bytes, and what is to be noted of it if they are stored already."""

    file: SourceFile
    content_sha256: str
    size_bytes: int
    state: FileState

    @property
    def source(self) -> str:
        """The file's."""
        return self.file.source

    def seen(self, known: KnownDocument) -> SeenFile | None:
        """What to note of an unchanged file, None where it is known: a stamp that tells nothing yet is not news."""
        state, old = self.state, known.file
        if state.mtime_ns is None and (state.root, state.origin) == (old.root, old.origin):
            return None
        if (state, self.size_bytes) == (old, known.size_bytes):
            return None
        return SeenFile(self.source, self.content_sha256, self.size_bytes, state)


def recognising(known: Mapping[str, KnownDocument], *, rehash: bool) -> Recognise:
    """What tells the media type of a file that looks as it did when it was read; with `rehash` nothing does."""

    def recognise(source: str, stamp: Stamp) -> str | None:
        document = known.get(source)
        if rehash or document is None or not _looks_the_same(document, stamp):
            return None
        if not document.media_type and document.reason != "unsupported_type":
            return None  # an earlier version did not note the type of what failed
        return document.media_type

    return recognise


def compare(
    found: FoundSources,
    known: Mapping[str, KnownDocument],
    progress: Progress,
    *,
    max_file_bytes: int,
    bytes_setting: str,
    rehash: bool,
) -> tuple[list[ComparedFile], list[SourceFailure]]:
    """The files with their hashes, and those that can't be read or stored. Only files that don't look as they did are
    read, with `rehash` all."""
    compared: list[ComparedFile] = []
    failures: list[SourceFailure] = []
    progress.stage("scan", len(found.files))
    for file in found.files:
        document = None if rehash else known.get(file.source)
        try:
            check_source(file.source)
            if document and document.content_sha256 and _looks_the_same(document, file.stamp):
                state = state_of(file, file.stamp)
                compared.append(ComparedFile(file, document.content_sha256, file.size_bytes, state))
            elif file.size_bytes > max_file_bytes:
                raise too_large("bytes", file.size_bytes, max_file_bytes, bytes_setting)
            else:
                read = read_source(file, max_file_bytes, bytes_setting)
                sha256, size_bytes = content_sha256(read.content), len(read.content)
                compared.append(ComparedFile(file, sha256, size_bytes, state_of(file, read.stamp)))
        except DocumentError as error:
            failures.append(SourceFailure(file.source, error.code, str(error)))
        progress.advance(file.source)
    return compared, failures


def state_of(file: SourceFile, stamp: Stamp | None) -> FileState:
    """What is stored of a file that had this stamp before it was read (None: it changed meanwhile)."""
    root, origin = path_text(file.root), path_text(file.place)
    if stamp is None or not stamp.is_telling():
        return FileState(root, origin)
    return FileState(root, origin, stamp.mtime_ns, stamp.inode)


def is_storable(source: str) -> bool:
    """Whether a document can have this source: not a folder that could not be read, not a path without end."""
    return not source.endswith("/") and len(source.encode("utf-8", "replace")) <= MAX_SOURCE_BYTES


def check_source(source: str) -> None:
    """Raises DocumentError `bad_name` for a source that no document can have."""
    if not is_storable(source):
        raise DocumentError(
            f"The path has more than {MAX_SOURCE_BYTES:,} bytes; shorten the names.", code="bad_name"
        )


def _looks_the_same(known: KnownDocument, stamp: Stamp) -> bool:
    """Whether a file is as it was when its bytes were read; those of a failure that was not read are not known."""
    return known.content_sha256 is not None and (known.size_bytes, known.mtime_ns, known.inode) == (
        stamp.size_bytes,
        stamp.mtime_ns,
        stamp.inode,
    )
