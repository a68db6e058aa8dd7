"""Folders → the files to ingest, and one file → its bytes.

Knows files and folders, and nothing of parsing or the database. A file that can't be taken in is reported as
a SourceFailure or raises DocumentError; no name, link or permission in a folder stops the others. A file that is
recognised by its stamp is not opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from app.errors import DocumentError, InvalidRequestError
from app.file_limits import FILE_BYTES, too_large
from ingest.file_kinds import is_binary, kind_of_name
from ingest.ignoring import IGNORE_FILES, Rule, Selection, decide, parse_rules
from ingest.parsers.media_types import PICTURE_SUFFIXES, SNIFFED_BYTES, media_type_of
from ingest.reasons import SKIPPED
from ingest.stamps import Stamp

_MAX_IGNORE_BYTES = 1_000_000

# A link must not be swapped in, and a pipe must not block, between listing and reading.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


# Source and stamp of a file → the media type that it was found to have, None for one that has to be looked at
Recognise = Callable[[str, Stamp], str | None]


@dataclass(frozen=True, slots=True)
class GivenPath:
    """A file or folder to look through. `path` is real, `place` is how it was called (links in it stay, so that a link
    may lead to another release of the same documents). `source` is the name of the file, or what the names of the
    folder's files begin with: "" or with a slash at the end. `root` is the folder that it counts to, see FileState."""

    path: Path
    place: Path
    source: str
    root: Path
    is_folder: bool


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to ingest. `path` is real (no links in it), `place` is where it was found (the link); `media_type` is ""
    when the type is not known."""

    path: Path
    source: str  # the document's name in its collection: relative to the ingested folder, forward slashes
    stamp: Stamp
    media_type: str
    root: Path
    place: Path

    @property
    def size_bytes(self) -> int:
        """As it was when the file was found."""
        return self.stamp.size_bytes


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file's bytes, and what it looked like just before they were read; None: it was being written meanwhile."""

    content: bytes
    stamp: Stamp | None


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
    """What the given paths hold, each in the order of its sources (by code point). `failed_at`: root and place of
    each failure by its source; `closed`: folders that can't be read, of whose files nothing is known."""

    files: tuple[SourceFile, ...]
    failures: tuple[SourceFailure, ...]
    skipped: tuple[SkippedSource, ...] = ()
    failed_at: Mapping[str, tuple[Path, Path]] = field(default_factory=dict)
    closed: tuple[Path, ...] = ()

    def narrowed(self, own: Collection[str]) -> FoundSources:
        """The same with files and failures of these sources alone."""
        return replace(
            self,
            files=tuple(file for file in self.files if file.source in own),
            failures=tuple(failure for failure in self.failures if failure.source in own),
            failed_at={source: at for source, at in self.failed_at.items() if source in own},
        )


@dataclass(slots=True)
class _Found:
    recognise: Recognise
    ocr: bool
    files: list[SourceFile] = field(default_factory=list)
    failures: list[SourceFailure] = field(default_factory=list)
    skipped: list[SkippedSource] = field(default_factory=list)
    failed_at: dict[str, tuple[Path, Path]] = field(default_factory=dict)
    closed: list[Path] = field(default_factory=list)

    def fail(self, source: str, code: str, detail: str, root: Path, place: Path) -> None:
        self.failures.append(SourceFailure(printable_name(source), code, detail))
        self.failed_at[printable_name(source)] = root, place

    def skip(self, source: str, code: str) -> None:
        self.skipped.append(SkippedSource(printable_name(source), code, SKIPPED[code].sentence_en))


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to look through: `names` from the root on, and the rules of ignore files from the root down to it,
    each with the depth that they count from."""

    path: Path
    source: str  # of the folder, with a slash at the end; "" for a single root
    names: tuple[str, ...] = ()
    rules: tuple[tuple[int, tuple[Rule, ...]], ...] = ()


def find_sources(
    given: Sequence[GivenPath],
    selection: Selection | None = None,
    recognise: Recognise = lambda _source, _stamp: None,
    *,
    ocr: bool = False,
) -> FoundSources:
    """List the files in the given files and folders (ingest/roots.py names them).

    Names with a leading dot are not looked at inside folders. Skipped are what is no document (ingest/file_kinds.py),
    what a .gitignore or .pgaskignore of the folder or one below names, and what `selection` leaves out; a file that is
    given by itself is taken, whatever an ignore file says. With `ocr` pictures that it reads are files too. Links to
    files inside the folder are read. Links to folders inside it are not: their files are found under their own names.
    Links that lead out are failures. Raises InvalidRequestError for two inputs with the same source.
    """
    found, selection = _Found(recognise, ocr), selection or Selection()
    for one in given:
        if one.is_folder:
            _walk(one, selection, found)
        elif selection.leaves_out([one.path.name], is_folder=False):
            found.skip(one.source, "excluded")
        else:
            _add_file(one.path, one.source, one.root, one.place, found)
    _refuse_duplicates(found.files)
    return FoundSources(
        tuple(sorted(found.files, key=lambda file: file.source)),
        tuple(sorted(found.failures, key=lambda failure: failure.source)),
        tuple(sorted(found.skipped, key=lambda skipped: skipped.source)),
        found.failed_at,
        tuple(found.closed),
    )


def read_source(file: SourceFile, max_bytes: int, setting: str = FILE_BYTES) -> FileContent:
    """Return the file's content. Raises DocumentError `too_large` (over `max_bytes`, which
    `setting` says) or `unreadable`."""
    try:
        found = _read(file.path, max_bytes + 1)
    except OSError as error:
        raise DocumentError(f"The file can't be read: {_why(error)}.", code="unreadable") from error
    if len(found.content) > max_bytes:
        size_bytes = max(found.stamp.size_bytes if found.stamp else 0, len(found.content))
        raise too_large("bytes", size_bytes, max_bytes, setting)
    return found


def skipped_picture(source: str) -> SkippedSource:
    """A picture without text."""
    return SkippedSource(source, "picture", SKIPPED["picture"].sentence_en)


def content_sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def _walk(given: GivenPath, selection: Selection, found: _Found) -> None:
    """Add what lies in a folder. Follows no link to a folder, so there are no loops; needs no recursion."""
    root = given.root
    folders = [_Folder(given.path, given.source)]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder.path))
            rules = (*folder.rules, *_ignore_rules(folder, {entry.name for entry in entries}))
        except OSError as error:
            detail = f"The folder can't be read: {_why(error)}."
            place = given.place.joinpath(*folder.names)
            found.fail(folder.source or f"{given.place.name}/", "unreadable", detail, root, place)
            found.closed.append(place)
            continue
        for entry in entries:
            source, names = folder.source + entry.name, (*folder.names, entry.name)
            path, place = Path(entry.path), given.place.joinpath(*names)
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name.startswith("."):
                if not is_folder and kind_of_name(entry.name):
                    found.skip(source, "temporary")
            elif _is_ignored(names, rules, is_folder) or selection.leaves_out(names, is_folder=is_folder):
                found.skip(f"{source}/" if is_folder else source, "excluded")
            elif not is_folder and (kind := kind_of_name(entry.name, ocr=found.ocr)):
                found.skip(source, kind)  # a link that leads nowhere, or a name in another encoding, too
            elif not _is_utf8(entry.name):
                found.fail(source, "bad_name", "The name is not valid UTF-8; rename it.", root, place)
            elif entry.is_symlink():
                _add_link(given, path, source, place, found)
            elif is_folder:
                folders.append(_Folder(path, f"{source}/", names, rules))
            else:
                _add_file(path, source, root, place, found)


def _ignore_rules(folder: _Folder, there: set[str]) -> Iterator[tuple[int, tuple[Rule, ...]]]:
    """The rules of the folder's own ignore files. Raises OSError for one that can't be read: what it keeps out must
    not go in for that."""
    for name in IGNORE_FILES:
        if name in there:
            content = read_small_file(folder.path / name, _MAX_IGNORE_BYTES)
            yield (
                len(folder.names),
                parse_rules(os.fsdecode(content.removeprefix(b"\xef\xbb\xbf")).splitlines()),
            )


def read_small_file(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file that says something of others; links are followed. Raises OSError, also where there are more
    than that."""
    content = _read(path.resolve(strict=True), max_bytes + 1).content
    if len(content) > max_bytes:
        raise OSError(f"{path.name} is over {max_bytes:,} bytes")
    return content


def _is_ignored(names: Sequence[str], rules: Sequence[tuple[int, tuple[Rule, ...]]], is_folder: bool) -> bool:
    for depth, own in reversed(rules):
        decided = decide(own, names[depth:], is_folder=is_folder)
        if decided is not None:
            return decided
    return False


def _add_link(given: GivenPath, link: Path, source: str, place: Path, found: _Found) -> None:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        why = _why(error) if isinstance(error, OSError) else "a loop of links"
        found.fail(source, "unreadable", f"The link leads nowhere: {why}.", given.root, place)
        return
    if not target.is_relative_to(given.path):
        detail = "The link leads out of the ingested folder; links out are not followed."
        found.fail(source, "outside_root", detail, given.root, place)
    elif not target.is_dir():
        _add_file(target, source, given.root, place, found)


def _add_file(path: Path, source: str, root: Path, place: Path, found: _Found) -> None:
    if kind := kind_of_name(source, ocr=found.ocr):
        found.skip(source, kind)
        return
    if not _is_utf8(source):
        found.fail(source, "bad_name", "The name is not valid UTF-8; rename it.", root, place)
        return
    try:
        status = path.stat()
        stamp = Stamp.of(status)
        media_type = found.recognise(source, stamp) if stat.S_ISREG(status.st_mode) else None
        if media_type is None:
            head = _read(path, SNIFFED_BYTES).content
            # The suffix of the name that the user sees counts, not that of a link's target.
            media_type = media_type_of(source, head)
            if found.ocr and not media_type:
                media_type = PICTURE_SUFFIXES.get(PurePosixPath(source).suffix.lower(), "")
            if not media_type and is_binary(source, head):
                found.skip(source, "binary")
                return
    except OSError as error:
        found.fail(source, "unreadable", f"The file can't be read: {_why(error)}.", root, place)
        return
    found.files.append(SourceFile(path, source, stamp, media_type, root, place))


def _read(path: Path, max_bytes: int) -> FileContent:
    """Return the first `max_bytes` of a regular file. Raises OSError for anything else."""
    with os.fdopen(os.open(path, _OPEN_FLAGS), "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        if not _is_at(stream.fileno(), path):
            raise OSError("a link leads elsewhere")
        before = Stamp.of(status)
        content = stream.read(max_bytes)
        return FileContent(content, before if Stamp.of(os.fstat(stream.fileno())) == before else None)


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
        other = seen.setdefault(file.source, file.place)
        if other is not file.place:
            raise InvalidRequestError(
                f"{other} and {file.place} would both be stored as {file.source}; give each folder a name of its own "
                "(--as NAME once for each path, in their order), or ingest their common parent folder.",
                code="duplicate_source",
            )


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable_name(name: str) -> str:
    """Replace bytes that are not UTF-8 (held as lone surrogates) so that the name can be shown and stored."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _why(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
