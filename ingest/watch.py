"""Follows files and folders: says when something below them has changed. Knows nothing of parsing or the database.

By the system's notices where there are any (inotify, FSEvents); else, or when asked for, by looking every second:
network shares and some containers give no notices. What happens while the caller works is kept until it asks again.
"""

from __future__ import annotations

import logging
import stat
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog
import watchfiles
from watchfiles import Change

from ingest.ignoring import IGNORE_FILES
from ingest.readers_files import READERS_FILE

_QUIET_MS: Final = 500  # a burst ends when nothing has changed for so long …
_LONGEST_BURST_MS: Final = 10_000  # … or after this
_CHECK_MS: Final = 500  # how often it is looked whether the paths themselves are still what they were
_POLL_MS: Final = 1_000
_TELLING: Final = (*IGNORE_FILES, READERS_FILE)  # files that say something of others

_Changes = set[tuple[Change, str]]

_log = structlog.get_logger(__name__)
logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of every burst


def watch_paths(
    paths: Sequence[Path], *, poll: bool, watch: Callable[..., Generator[_Changes]] = watchfiles.watch
) -> Iterator[bool]:
    """Yield True after a burst of changes below `paths`, and False about twice a second in between.

    After the first yield the watching has begun: what changes from then on is told. A path that is gone, or is another
    file or folder than before, has changed too, and is watched anew once it is there. Names with a leading dot don't
    count, as they don't for ingest, but for those of _TELLING. `watch` tells of changes as watchfiles' does. Raises
    KeyboardInterrupt on Ctrl-C.
    """
    is_anew = False  # watched again: what happened before it was is not known
    while True:
        before = [_identity(path) for path in paths]
        there = [found for path in paths if (found := _resolved(path)) is not None]
        # A Ctrl-C that comes while a generator is closed is lost, unless it is closed here.
        with closing(_notices(there, poll=poll, watch=watch)) as notices:
            for is_burst in notices:
                is_other = [_identity(path) for path in paths] != before
                yield is_burst or is_other or is_anew
                is_anew = False
                if is_other:
                    break  # what is watched is what was there before
        is_anew = True


def devices(paths: Sequence[Path]) -> list[int | None]:
    """The file system that each path is on; None where there is nothing. An unmounted share leaves an empty folder
    behind, on another file system: not to be taken for a folder whose files were deleted."""
    return [None if (found := _identity(path)) is None else found[0] for path in paths]


def _notices(
    roots: Sequence[Path], *, poll: bool, watch: Callable[..., Generator[_Changes]]
) -> Generator[bool]:
    """Whether something has changed, until a root is deleted: a new one in its place would not be watched."""
    if not roots:
        time.sleep(_CHECK_MS / 1000)
        yield False
        return
    bursts = watch(
        *roots,
        watch_filter=lambda _, changed: _is_visible(Path(changed), roots),
        debounce=_LONGEST_BURST_MS,
        step=_QUIET_MS,
        rust_timeout=_CHECK_MS,
        yield_on_timeout=True,
        force_polling=True if poll else None,  # None: as WATCHFILES_FORCE_POLLING says
        poll_delay_ms=_POLL_MS,
        ignore_permission_denied=True,
    )
    try:
        with closing(bursts):
            for changes in bursts:
                yield bool(changes)
                if any(kind is Change.deleted and Path(changed) in roots for kind, changed in changes):
                    return
    except FileNotFoundError:  # gone since it was looked at
        yield True
    except (OSError, RuntimeError) as error:  # no more watches to be had, or none at all
        if poll:
            raise
        _log.warning("no notices from the system, looking at the files every second", error=str(error))
        yield from _notices(roots, poll=True, watch=watch)


def _is_visible(changed: Path, roots: Sequence[Path]) -> bool:
    """Whether ingest would look at it: no name below its root begins with a dot, but one of _TELLING."""
    return any(
        not any(
            part.startswith(".") and (part not in _TELLING or changed.name != part)
            for part in changed.relative_to(root).parts
        )
        for root in roots
        if changed.is_relative_to(root)
    )


def _resolved(path: Path) -> Path | None:
    """Where a path leads; None where there is nothing, or a link that goes away while it is followed."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return None


def _identity(path: Path) -> tuple[int, ...] | None:
    """What tells a file or folder from another one in its place, and a file from its older content; None: nothing."""
    try:
        found = path.stat()
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return (found.st_dev, found.st_ino)
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
