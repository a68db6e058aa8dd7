"""Whether the embedded PostgreSQL's disk has room for one more document. Knows the folder, and nothing of the database.

A server that can't extend its log stops itself, and so would answer nobody; so a document is refused before that. A
server elsewhere is left to say it itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from app.errors import DocumentError

LEAST_FREE_BYTES: Final = (
    64 * 2**20
)  # two more files of the log (16 MB), a checkpoint's files, what others write


def check_room(home: Path | None, document_bytes: int) -> None:
    """Raise DocumentError `disk_full` where writing `document_bytes` (text and vectors, without indexes) could fill the
    disk that holds `home`. None: the server is not ours."""
    # The rows, their indexes, and both once more in the log.
    if home is not None and shutil.disk_usage(home).free < LEAST_FREE_BYTES + 6 * document_bytes:
        raise DocumentError(
            f"The disk that holds the database ({home}) is full. Free some space and run ingest again.",
            code="disk_full",
        )
