"""Paths → the files to ingest, and one file → its bytes.

Knows files and folders, and nothing of parsing or the database. A file that can't be taken in is reported as
a SourceFailure or raises DocumentError; no name, link or permission in a folder stops the others.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import DocumentError, InvalidRequestError
from ingest.parsers.code import MEDIA_TYPES as CODE_MEDIA_TYPES

_OOXML = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES: Mapping[str, str] = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".mdown": "text/markdown",
    ".mdx": "text/mdx",
    ".qmd": "text/x-rmarkdown",
    ".rmd": "text/x-rmarkdown",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".pdf": "application/pdf",
    ".docx": _OOXML + "wordprocessingml.document",
    ".docm": _OOXML + "wordprocessingml.document",
    ".dotx": _OOXML + "wordprocessingml.document",
    ".pptx": _OOXML + "presentationml.presentation",
    ".pptm": _OOXML + "presentationml.presentation",
    ".ppsx": _OOXML + "presentationml.presentation",
    ".xlsx": _OOXML + "spreadsheetml.sheet",
    ".xlsm": _OOXML + "spreadsheetml.sheet",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".tab": "text/tab-separated-values",
    ".json": "application/json",
    ".jsonc": "application/json",
    ".jsonl": "application/jsonl",
    ".ndjson": "application/jsonl",
    ".ipynb": "application/x-ipynb+json",
    ".epub": "application/epub+zip",
    ".rst": "text/x-rst",
    ".adoc": "text/asciidoc",
    ".asciidoc": "text/asciidoc",
    ".org": "text/org",
    ".tex": "text/x-tex",
    ".log": "text/plain",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    **CODE_MEDIA_TYPES,
}
# Texts that by custom have no suffix.
_BARE_NAMES = frozenset(
    {
        "readme",
        "license",
        "licence",
        "copying",
        "notice",
        "changelog",
        "changes",
        "history",
        "news",
        "authors",
    }
    | {"contributors", "contributing", "maintainers", "install", "todo", "security", "code_of_conduct"}
)
_SNIFFED = frozenset({"text/markdown", "text/plain", "text/html"})  # suffixes that people put on anything
SNIFFED_BYTES = 1024

# A link must not be swapped in, and a pipe must not block, between listing and reading.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to ingest. `path` is real (no links in it); `media_type` is "" when the type is not known."""

    path: Path
    source: str  # the document's name in its collection: relative to the ingested folder, forward slashes
    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class SourceFailure:
    """A path that can't be ingested; `code` is a reason code, `source` is safe to print and store."""

    source: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class FoundSources:
    """What the given paths hold, both in the order of their sources (by code point)."""

    files: tuple[SourceFile, ...]
    failures: tuple[SourceFailure, ...]


@dataclass(slots=True)
class _Found:
    files: list[SourceFile] = field(default_factory=list)
    failures: list[SourceFailure] = field(default_factory=list)

    def fail(self, source: str, code: str, detail: str) -> None:
        self.failures.append(SourceFailure(_printable(source), code, detail))


def find_sources(paths: Sequence[Path]) -> FoundSources:
    """List the files in `paths` (files or folders) with the source that each is stored under.

    A file's source is relative to the one given folder; when several paths are given, it starts with the
    folder's name; a file given by itself has its name. Names with a leading dot are skipped inside folders.
    Links to files inside the folder are read, links to folders inside it are not (their files are found under
    their own names), and links that lead out are failures. Raises InvalidRequestError for a path that does
    not exist and for two inputs with the same source.
    """
    roots = list(dict.fromkeys(_existing(path) for path in paths))
    found = _Found()
    for root in roots:
        if root.is_dir():
            _walk(root, f"{root.name}/" if len(roots) > 1 and root.name else "", found)
        else:
            _add_file(root, root.name, found)
    _refuse_duplicates(found.files)
    return FoundSources(
        tuple(sorted(found.files, key=lambda file: file.source)),
        tuple(sorted(found.failures, key=lambda failure: failure.source)),
    )


def read_source(file: SourceFile, max_bytes: int) -> bytes:
    """Return the file's content. Raises DocumentError `too_large` (over `max_bytes`) or `unreadable`."""
    try:
        content = _read(file.path, max_bytes + 1)
    except OSError as error:
        raise DocumentError(f"The file can't be read: {_why(error)}.", code="unreadable") from error
    if len(content) > max_bytes:
        raise DocumentError(f"The file is larger than the limit of {max_bytes:,} bytes.", code="too_large")
    return content


def content_sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def media_type_of(name: str, head: bytes) -> str:
    """Name the type by the file's suffix and, for text, by its first bytes; "" when it is not known.

    >>> media_type_of("a.MD", b"# Title"), media_type_of("a.txt", b"%PDF-1.7"), media_type_of("a.zip", b"PK")
    ('text/markdown', 'application/pdf', '')
    >>> media_type_of("docs/LICENSE", b"Apache License"), media_type_of("docs/data", b"x")
    ('text/plain', '')
    """
    path = Path(name)
    media_type = MEDIA_TYPES.get(path.suffix.lower(), "")
    if path.name.lower() in _BARE_NAMES and b"\0" not in head:
        media_type = "text/plain"
    if media_type in _SNIFFED:
        start = head[:SNIFFED_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        if start.startswith(b"%pdf-"):
            return "application/pdf"
        if start.startswith((b"<!doctype html", b"<html")):
            return "text/html"
    return media_type


def _existing(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a loop of links; ValueError: NUL
        raise InvalidRequestError(
            f"{_printable(str(path))} does not exist or can't be reached; check the path.",
            code="path_not_found",
        ) from error


def _walk(root: Path, prefix: str, found: _Found) -> None:
    """Add what lies under `root`. Follows no link to a folder, so there are no loops; needs no recursion."""
    folders = [(root, prefix)]
    while folders:
        folder, at = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            found.fail(at or f"{root.name}/", "unreadable", f"The folder can't be read: {_why(error)}.")
            continue
        for entry in entries:
            source = at + entry.name
            if entry.name.startswith("."):
                continue
            if not _is_utf8(entry.name):
                found.fail(source, "bad_name", "The name is not valid UTF-8; rename it.")
            elif entry.is_symlink():
                _add_link(root, Path(entry.path), source, found)
            elif entry.is_dir(follow_symlinks=False):
                folders.append((Path(entry.path), f"{source}/"))
            else:
                _add_file(Path(entry.path), source, found)


def _add_link(root: Path, link: Path, source: str, found: _Found) -> None:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        why = _why(error) if isinstance(error, OSError) else "a loop of links"
        found.fail(source, "unreadable", f"The link leads nowhere: {why}.")
        return
    if not target.is_relative_to(root):
        found.fail(
            source, "outside_root", "The link leads out of the ingested folder; links out are not followed."
        )
    elif not target.is_dir():
        _add_file(target, source, found)


def _add_file(path: Path, source: str, found: _Found) -> None:
    if not _is_utf8(source):
        found.fail(source, "bad_name", "The name is not valid UTF-8; rename it.")
        return
    try:
        head = _read(path, SNIFFED_BYTES)
        size_bytes = path.stat().st_size
    except OSError as error:
        found.fail(source, "unreadable", f"The file can't be read: {_why(error)}.")
        return
    # The suffix of the name that the user sees counts, not that of a link's target.
    found.files.append(SourceFile(path, source, size_bytes, media_type_of(source, head)))


def _read(path: Path, max_bytes: int) -> bytes:
    """Return the first `max_bytes` of a regular file. Raises OSError for anything else."""
    with os.fdopen(os.open(path, _OPEN_FLAGS), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError("not a regular file")
        if not _is_at(stream.fileno(), path):
            raise OSError("a link leads elsewhere")
        return stream.read(max_bytes)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is where its path says: a folder above it may have become a link since it was listed."""
    try:
        where = Path(f"/proc/self/fd/{descriptor}").readlink()
    except OSError:  # no /proc: not Linux
        where = Path()
    # A mount that this process can't see from its root is told as "(unreachable)".
    return (where if where.is_absolute() else path.resolve(strict=True)) == path


def _refuse_duplicates(files: Sequence[SourceFile]) -> None:
    seen: dict[str, Path] = {}
    for file in files:
        other = seen.setdefault(file.source, file.path)
        if other is not file.path:
            raise InvalidRequestError(
                f"{other} and {file.path} would both be stored as {file.source}; ingest them separately, "
                "into two collections, or from their common parent folder.",
                code="duplicate_source",
            )


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(name: str) -> str:
    """Replace bytes that are not UTF-8 (held as lone surrogates) so that the name can be shown and stored."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _why(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
