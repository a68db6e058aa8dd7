"""Whether files that are not there were deleted, or something else lies where their disk was: an unmounted disk or
share leaves an empty folder behind, or shows what is below it, and forgetting its documents would cost them all.

Two signs: a folder without any file; and folders that have not changed since the files that are missing there were
read. Whoever deletes a file changes its folder's time (st_ctime, which nobody can set), and a link that is led
elsewhere changes its own.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from app.errors import InvalidRequestError
from app.store.sources import KnownDocument
from ingest.roots import is_below, path_text
from ingest.sources import FoundSources, GivenPath

CLOCKS_DIFFER_S: Final = 60.0  # the database's clock and that of the files


def check_pruning(
    gone: Collection[str],
    known: Mapping[str, KnownDocument],
    ours: Mapping[str, GivenPath],
    found: FoundSources,
) -> None:
    """Raise InvalidRequestError where the documents to be forgotten are rather on a disk that is not there now.

    `gone`: sources whose file is missing; `ours`: sources → the given folder that they lie in.
    """
    by_folder: dict[GivenPath, list[KnownDocument]] = defaultdict(list)
    for source in gone:
        if source in ours and known[source].status != "failed":
            by_folder[ours[source]].append(known[source])
    for folder, documents in by_folder.items():
        many = f"{len(documents):,} documents" if len(documents) > 1 else "one document"
        if _is_empty(folder, found):
            raise _refusal(f"{path_text(folder.place)} is empty, and {many} of it would be forgotten.")
        kept = sum(not _may_be_deleted(document, folder) for document in documents)
        if 2 * kept > len(documents):
            raise _refusal(
                f"{many} of {path_text(folder.place)} would be forgotten, although nothing has been deleted there "
                "since they were read: another file system seems to lie in its place."
            )


def _refusal(what: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{what} A disk or share may not be mounted. Nothing was taken in or forgotten. Mount it, or, if the files are "
        "really gone, say --prune-anyway.",
        code="files_away",
    )


def _is_empty(folder: GivenPath, found: FoundSources) -> bool:
    """Whether nothing at all was found in a folder, be it read, failed or skipped; what systems leave anywhere
    (.DS_Store) is nothing."""
    top = path_text(folder.place)
    places = [*(file.place for file in found.files), *(place for _, place in found.failed_at.values())]
    sources = (skipped.source for skipped in found.skipped if skipped.code != "temporary")
    return not any(is_below(path_text(place), top) for place in places) and not any(
        source.startswith(folder.source) for source in sources
    )


def _may_be_deleted(document: KnownDocument, folder: GivenPath) -> bool:
    """Whether the folder that a file lay in, or what is left above it, has changed since the file was read."""
    origin, read_at = document.origin, document.read_at
    if origin is None or read_at is None or not is_below(origin, path_text(folder.place)):
        return True
    below = Path(origin).parent.relative_to(folder.place)
    return any(
        _changed_at(path) > read_at - CLOCKS_DIFFER_S
        for path in (*(folder.place / part for part in (below, *below.parents)), *folder.place.parents)
        if path.is_symlink() or path.is_relative_to(folder.place)
    )


def _changed_at(path: Path) -> float:
    """Seconds since 1970; of a link its own change and that of where it leads. 0 for what is not there."""
    try:
        return max(os.lstat(path).st_ctime, path.stat().st_ctime)
    except (OSError, ValueError):
        return 0.0
