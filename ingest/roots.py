"""Given paths → the folders that a run looks through, and the name of each in the collection.

A folder keeps the name that it has there: given alone, beside others or as a part of itself, its documents are called
the same. A document belongs to its root; another folder's file of the same name never replaces it.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import InvalidRequestError
from app.store.sources import UPLOADED, FileState, KnownDocument
from ingest.sources import GivenPath, printable_name


def name_paths(
    paths: Sequence[Path], known: Collection[KnownDocument] = (), names: Sequence[str] = ()
) -> tuple[GivenPath, ...]:
    """The given paths with what their documents are called: by `names` (of --as: one for all or one for each), else as
    the collection calls them already, else relative to the folder, after its name where several paths are given.

    Raises InvalidRequestError for a path that does not exist, and for names that are none.
    """
    prefixes = [_prefix(name) for name in names]
    if len(prefixes) > 1 and len(prefixes) != len(paths):
        raise InvalidRequestError(
            f"--as was given {len(prefixes)} times for {len(paths)} paths; give it once for all, or once for each path."
        )
    real = {_existing(path): path for path in paths}
    own = dict(zip(map(_existing, paths), prefixes, strict=True)) if len(prefixes) == len(paths) else {}
    before = prefixes[0] if prefixes else ""
    stored = {} if prefixes else _roots_in(known)
    links = {os.path.realpath(root): root for root in stored}
    given = []
    for path, called in real.items():
        is_folder = path.is_dir()
        found = None if prefixes else _as_stored(path, is_folder, stored, links)
        if found is None and not prefixes:
            found = _as_stored_before(path, is_folder, known)
        if found is not None:
            given.append(found)
            continue
        place = _place_of(path, called) if is_folder else path
        several = f"{place.name}/" if is_folder and len(real) > 1 and place.name else ""
        prefix = own.get(path, before + several)
        given.append(GivenPath(path, place, prefix if is_folder else prefix + path.name, place, is_folder))
    return tuple(given)


def _place_of(path: Path, called: Path) -> Path:
    """The absolute path by which a folder was called, links in it and all."""
    place = Path(os.path.abspath(called))  # noqa: PTH100 - Path.resolve would follow the links
    try:
        return place if place.samefile(path) else path
    except OSError:
        return path


def path_text(path: Path) -> str:
    """A path as it is stored and shown; bytes that are not UTF-8 are written out."""
    return printable_name(str(path))


def is_below(path: str, folder: str) -> bool:
    """Whether a stored path lies in a folder, at any depth."""
    return path.startswith(f"{folder.rstrip('/')}/")


def is_gone(path: str | None) -> bool:
    """Whether there is no file at a stored path, and that is certain."""
    return path is not None and (is_missing(path) or os.path.isdir(path))  # noqa: PTH112 - a stored path is text


def is_missing(path: str) -> bool:
    """Whether there is nothing at a stored path, and that is certain: a folder that can't be looked into tells nothing,
    nor does a name whose bytes are not known exactly."""
    if "\\x" in path or path.startswith(UPLOADED):
        return False
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def is_removed(root: str) -> bool:
    """Whether a root was removed or moved away: one that is missing with all that was around it may be on a drive or
    share that is not mounted."""
    try:
        with os.scandir(_folder_of(root)) as around:
            return is_missing(root) and any(True for _ in around)
    except OSError:
        return False


def given_for(document: KnownDocument, given: Iterable[GivenPath]) -> GivenPath | None:
    """The given folder that a document lies in, None for one of another place. Of a document that tells no place
    (stored by an earlier version), its name decides."""
    for one in given:
        if not one.is_folder:
            continue
        if document.origin is not None:
            if is_below(document.origin, path_text(one.place)):
                return one
        elif document.source.startswith(one.source) and document.root in {None, path_text(one.root)}:
            return one
    return None


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is to be stored under a name; `content_sha256` is None where its bytes are not known."""

    source: str
    file: FileState
    content_sha256: str | None


def claim_names(
    claims: Iterable[Claim], known: Mapping[str, KnownDocument], given: Sequence[GivenPath]
) -> tuple[Claim, ...]:
    """The claims to names that another root has: it is gone, the file has moved here, or it is the same file over a
    link. Raises InvalidRequestError where another root's document has the name: it is never replaced."""
    foreign: dict[str | None, list[Claim]] = defaultdict(list)
    for claim in claims:
        document = known.get(claim.source)
        if document is not None and not _is_same_place(document, claim.file):
            foreign[_root_of(document)].append(claim)
    if not foreign:
        return ()
    held = Counter(_root_of(document) for document in known.values() if document.status == "ready")
    taken_over, refused = [], []
    for root, theirs in foreign.items():
        same = sum(is_same(claim, known) for claim in theirs)
        is_free = root is not None and (is_removed(root) or (2 * same > held[root] and is_missing(root)))
        for claim in theirs:
            document = known[claim.source]
            is_ours = is_same(claim, known) or given_for(document, given) is not None
            if is_free or (is_ours and is_gone(document.origin)) or _is_one_file(document, claim.file):
                taken_over.append(claim)
            else:
                refused.append((claim, root))
    if refused:
        raise _refusal(refused, known)
    return tuple(taken_over)


def is_same(claim: Claim, known: Mapping[str, KnownDocument]) -> bool:
    """Whether a file has the bytes that are stored under its name."""
    sha256 = claim.content_sha256
    return sha256 is not None and sha256 == known[claim.source].content_sha256


def _is_same_place(document: KnownDocument, file: FileState) -> bool:
    if document.origin == file.origin or document.root == file.root:
        return True
    return document.root is None and (
        document.origin is None or (file.root is not None and is_below(document.origin, file.root))
    )


def _is_one_file(document: KnownDocument, file: FileState) -> bool:
    """Whether both paths lead to the same file: one over a link to the other's folder."""
    if document.origin is None or file.origin is None:
        return False
    try:
        return os.path.realpath(document.origin, strict=True) == os.path.realpath(file.origin, strict=True)
    except OSError:
        return False


def _root_of(document: KnownDocument) -> str | None:
    """The root of a document, or what it must have been."""
    if document.root is not None or document.origin is None:
        return document.root
    below = f"/{document.source}"
    if document.origin.endswith(below):
        return document.origin.removesuffix(below) or "/"
    return _folder_of(document.origin)


def _refusal(
    refused: Sequence[tuple[Claim, str | None]], known: Mapping[str, KnownDocument]
) -> InvalidRequestError:
    claim, root = refused[0]
    ours, theirs = claim.file.root or "", root or ""
    here = ours if ours != claim.file.origin else _folder_of(ours)
    there = theirs if theirs != known[claim.source].origin else _folder_of(theirs)
    more = f" (and {len(refused) - 1:,} more names)" if len(refused) > 1 else ""
    name = _free_name(here, known)
    if root == UPLOADED:
        return InvalidRequestError(
            f"{claim.source} is in this collection already: it was uploaded{more}. Nothing was taken in. Give this "
            f"folder a name of its own: --as {name} (its documents are called {name}/…), or choose another "
            "--collection. If the uploaded one is no longer wanted: pgask documents delete.",
            code="duplicate_source",
        )
    away = "" if os.path.lexists(there) else ", which can't be reached now"
    return InvalidRequestError(
        f"{claim.source} is in this collection already, from {there}{away}; {here} has another file of that name"
        f"{more}. Nothing was taken in. Give this folder a name of its own: --as {name} (its documents are called "
        f"{name}/…), or choose another --collection. If the stored one is no longer wanted: pgask documents delete.",
        code="duplicate_source",
    )


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _free_name(folder: str, known: Mapping[str, KnownDocument]) -> str:
    """A name for a folder that no document's begins with."""
    parts = [part for part in folder.split("/") if part] or ["files"]
    beginnings = {source.split("/", 1)[0] for source in known}
    for depth in range(1, len(parts) + 1):
        name = "-".join(parts[-depth:])
        if name not in beginnings:
            return name
    return next(
        name for number in range(2, len(known) + 3) if (name := f"{parts[-1]}-{number}") not in beginnings
    )


def _roots_in(known: Iterable[KnownDocument]) -> Mapping[str, str]:
    """Root → what the names of its documents begin with; for a file given by itself, its name."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for document in known:
        root, origin, source = document.root, document.origin, document.source
        if root is None or origin is None:
            continue
        if origin == root:
            votes[root][source] += 1
        elif is_below(origin, root) and (prefix := _prefix_of(source, origin, root)) is not None:
            votes[root][prefix] += 1
    return {root: counted.most_common(1)[0][0] for root, counted in votes.items()}


def _prefix_of(source: str, origin: str, folder: str) -> str | None:
    below = origin[len(folder.rstrip("/")) + 1 :]
    prefix = source.removesuffix(below)
    return prefix if prefix != source and (not prefix or prefix.endswith("/")) else None


def _as_stored(
    path: Path, is_folder: bool, stored: Mapping[str, str], links: Mapping[str, str]
) -> GivenPath | None:
    """A path with the name that it has in the collection: its own, or as a part of the nearest root above it. `links`:
    real path → root."""
    for real in (path, *path.parents):
        root = links.get(str(real))
        if root is None:
            continue
        name, is_file = stored[root], stored[root] != "" and not stored[root].endswith("/")
        if real == path and is_file != is_folder:
            return GivenPath(path, Path(root), name, Path(root), is_folder)
        if real != path and not is_file:
            below = path.relative_to(real)
            source = f"{name}{below.as_posix()}{'/' if is_folder else ''}"
            return GivenPath(path, root / below, source, Path(root), is_folder)
    return None


def _as_stored_before(path: Path, is_folder: bool, known: Iterable[KnownDocument]) -> GivenPath | None:
    """The same by what an earlier version stored, which noted no root."""
    text, votes = path_text(path), Counter[str]()
    for document in known:
        if document.root is not None or document.origin is None:
            continue
        if not is_folder and document.origin == text:
            return GivenPath(path, path, document.source, path, is_folder)
        if is_folder and is_below(document.origin, text):
            prefix = _prefix_of(document.source, document.origin, text)
            if prefix is not None:
                votes[prefix] += 1
    return GivenPath(path, path, votes.most_common(1)[0][0], path, is_folder) if votes else None


def _prefix(name: str) -> str:
    """What --as puts before the names of documents: "" for a dot alone."""
    parts = name.removesuffix("/").split("/")
    if parts == ["."]:
        return ""
    if not all(part and part not in {".", ".."} and part.isprintable() for part in parts):
        raise InvalidRequestError(
            f"--as takes a name like handbook or team/handbook, or a dot for none; {printable_name(name)!r} is none."
        )
    return "/".join(parts) + "/"


def _existing(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a loop of links; ValueError: NUL
        raise InvalidRequestError(
            f"{printable_name(str(path))} does not exist or can't be reached; check the path.",
            code="path_not_found",
        ) from error
