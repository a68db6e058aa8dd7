"""Who may read a folder's documents: its `.pgask.toml`, or the nearest one above.

    readers = ["hr", "board"]

One that says something else, or can't be read, keeps what lies below for admins alone: who meant to hold something back
must not show it for a slip of the pen. Knows files, and nothing of the database.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Final

from app.errors import DocumentError, InvalidRequestError
from app.store.shelves import ADMINS, Readers, read_groups
from ingest.sources import SourceFailure, printable_name, read_small_file

READERS_FILE: Final = ".pgask.toml"
_MOST_BYTES: Final = 100_000


class ReadersFiles:
    """Reads each file once. `failures` are those that say nothing that holds."""

    def __init__(self) -> None:
        self.failures: list[SourceFailure] = []
        self._known: dict[Path, Readers | None] = {}

    def of(self, path: Path) -> Readers | None:
        """The readers of what lies at an absolute path, by the nearest file upwards; None: there is none."""
        folder = path.parent
        if folder not in self._known:
            own = self._read(folder)
            self._known[folder] = own if own is not None or folder.parent == folder else self.of(folder)
        return self._known[folder]

    def _read(self, folder: Path) -> Readers | None:
        path = folder / READERS_FILE
        if not os.path.lexists(path):
            return None
        try:
            return _readers_in(path)
        except (InvalidRequestError, DocumentError, OSError, ValueError) as error:
            name = printable_name(str(path))
            why = error.strerror if isinstance(error, OSError) else str(error)
            self.failures.append(
                SourceFailure(name, "bad_readers", f"Admins alone read what lies below: {why}")
            )
            return (ADMINS,)


def _readers_in(path: Path) -> Readers:
    """Raises OSError, ValueError (no UTF-8, no TOML), InvalidRequestError."""
    try:
        told = tomllib.loads(read_small_file(path, _MOST_BYTES).decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("its brackets are nested too deeply.") from error
    readers = told.get("readers")
    if told.keys() != {"readers"} or not isinstance(readers, list):
        raise ValueError('it has to hold one list, such as readers = ["hr", "board"], and nothing else.')
    if not all(isinstance(name, str) and name.strip() for name in readers):
        raise ValueError("each of the readers is the name of a group, in quotes.")
    return read_groups(readers)
