"""Paths → the files to ingest, and one file → its bytes.

Knows files and folders, and nothing of parsing or the database. A file that can't be taken in is reported as
a SourceFailure or raises DocumentError; no name, link or permission in a folder stops the others.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import DocumentError, InvalidRequestError
from ingest.ignoring import IGNORE_FILES, Rule, Selection, decide, parse_rules
from ingest.kinds import is_binary, kind_of_name
from ingest.parsers.code import MEDIA_TYPES as CODE_MEDIA_TYPES
from ingest.reasons import SKIPPED

_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
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
    ".dotm": _OOXML + "wordprocessingml.document",
    ".pptx": _OOXML + "presentationml.presentation",
    ".pptm": _OOXML + "presentationml.presentation",
    ".ppsx": _OOXML + "presentationml.presentation",
    ".ppsm": _OOXML + "presentationml.presentation",
    ".potx": _OOXML + "presentationml.presentation",
    ".potm": _OOXML + "presentationml.presentation",
    ".xlsx": _OOXML + "spreadsheetml.sheet",
    ".xlsm": _OOXML + "spreadsheetml.sheet",
    ".xltx": _OOXML + "spreadsheetml.sheet",
    ".xltm": _OOXML + "spreadsheetml.sheet",
    ".odt": _ODF + "text",
    ".ott": _ODF + "text",
    ".ods": _ODF + "spreadsheet",
    ".ots": _ODF + "spreadsheet",
    ".odp": _ODF + "presentation",
    ".otp": _ODF + "presentation",
    ".rtf": "application/rtf",
    ".eml": "message/rfc822",
    ".mht": "application/x-mimearchive",
    ".mhtml": "application/x-mimearchive",
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
_MAX_IGNORE_BYTES = 1_000_000

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
class SkippedSource:
    """A path that is no document or is not wanted; `code` is one of reasons.SKIPPED. A folder ends in a slash and
    stands for all that is in it."""

    source: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class FoundSources:
    """What the given paths hold, each in the order of its sources (by code point)."""

    files: tuple[SourceFile, ...]
    failures: tuple[SourceFailure, ...]
    skipped: tuple[SkippedSource, ...] = ()


@dataclass(slots=True)
class _Found:
    files: list[SourceFile] = field(default_factory=list)
    failures: list[SourceFailure] = field(default_factory=list)
    skipped: list[SkippedSource] = field(default_factory=list)

    def fail(self, source: str, code: str, detail: str) -> None:
        self.failures.append(SourceFailure(_printable(source), code, detail))

    def skip(self, source: str, code: str) -> None:
        self.skipped.append(SkippedSource(_printable(source), code, SKIPPED[code].sentence_en))


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to look through: `names` from the root on, and the rules of ignore files from the root down to it,
    each with the depth that they count from."""

    path: Path
    source: str  # of the folder, with a slash at the end; "" for a single root
    names: tuple[str, ...] = ()
    rules: tuple[tuple[int, tuple[Rule, ...]], ...] = ()


def find_sources(paths: Sequence[Path], selection: Selection | None = None) -> FoundSources:
    """List the files in `paths` (files or folders) with the source that each is stored under.

    A file's source is relative to the one given folder; when several paths are given, it starts with the
    folder's name; a file given by itself has its name. Names with a leading dot are not looked at inside folders.
    What is no document (ingest/kinds.py), what a .gitignore or .pgaskignore of the folder or one below names, and
    what `selection` leaves out is skipped; a file given by itself is asked for, whatever an ignore file says.
    Links to files inside the folder are read, links to folders inside it are not (their files are found under
    their own names), and links that lead out are failures. Raises InvalidRequestError for a path that does
    not exist and for two inputs with the same source.
    """
    roots = list(dict.fromkeys(_existing(path) for path in paths))
    found, selection = _Found(), selection or Selection()
    for root in roots:
        if root.is_dir():
            _walk(root, f"{root.name}/" if len(roots) > 1 and root.name else "", selection, found)
        elif selection.leaves_out([root.name], is_folder=False):
            found.skip(root.name, "excluded")
        else:
            _add_file(root, root.name, found)
    _refuse_duplicates(found.files)
    return FoundSources(
        tuple(sorted(found.files, key=lambda file: file.source)),
        tuple(sorted(found.failures, key=lambda failure: failure.source)),
        tuple(sorted(found.skipped, key=lambda skipped: skipped.source)),
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


def _walk(root: Path, prefix: str, selection: Selection, found: _Found) -> None:
    """Add what lies under `root`. Follows no link to a folder, so there are no loops; needs no recursion."""
    folders = [_Folder(root, prefix)]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder.path))
            rules = (*folder.rules, *_ignore_rules(folder, {entry.name for entry in entries}))
        except OSError as error:
            found.fail(
                folder.source or f"{root.name}/", "unreadable", f"The folder can't be read: {_why(error)}."
            )
            continue
        for entry in entries:
            source, names = folder.source + entry.name, (*folder.names, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name.startswith("."):
                if not is_folder and kind_of_name(entry.name):
                    found.skip(source, "temporary")
            elif _is_ignored(names, rules, is_folder) or selection.leaves_out(names, is_folder=is_folder):
                found.skip(f"{source}/" if is_folder else source, "excluded")
            elif not is_folder and (kind := kind_of_name(entry.name)):
                found.skip(source, kind)  # a link that leads nowhere, or a name in another encoding, too
            elif not _is_utf8(entry.name):
                found.fail(source, "bad_name", "The name is not valid UTF-8; rename it.")
            elif entry.is_symlink():
                _add_link(root, Path(entry.path), source, found)
            elif is_folder:
                folders.append(_Folder(Path(entry.path), f"{source}/", names, rules))
            else:
                _add_file(Path(entry.path), source, found)


def _ignore_rules(folder: _Folder, there: set[str]) -> Iterator[tuple[int, tuple[Rule, ...]]]:
    """The rules of the folder's own ignore files. Raises OSError for one that can't be read: what it keeps out must
    not go in for that."""
    for name in IGNORE_FILES:
        if name in there:
            content = _read((folder.path / name).resolve(strict=True), _MAX_IGNORE_BYTES + 1)
            if len(content) > _MAX_IGNORE_BYTES:
                raise OSError(f"{name} is over {_MAX_IGNORE_BYTES:,} bytes")
            yield (
                len(folder.names),
                parse_rules(os.fsdecode(content.removeprefix(b"\xef\xbb\xbf")).splitlines()),
            )


def _is_ignored(names: Sequence[str], rules: Sequence[tuple[int, tuple[Rule, ...]]], is_folder: bool) -> bool:
    for depth, own in reversed(rules):
        decided = decide(own, names[depth:], is_folder=is_folder)
        if decided is not None:
            return decided
    return False


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
    if kind := kind_of_name(source):
        found.skip(source, kind)
        return
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
    media_type = media_type_of(source, head)
    if not media_type and is_binary(source, head):
        found.skip(source, "binary")
        return
    found.files.append(SourceFile(path, source, size_bytes, media_type))


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
