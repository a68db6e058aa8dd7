"""The form of a collection in a file (docs/export.md): JSON objects, one a line, packed by gzip.

Lines are small whatever the documents are, so writing and reading one needs little memory. Each document ends with the
SHA-256 of its lines, the file with that of all lines: what was damaged, cut off or changed on the way is refused.
Nothing in a file is believed: lines have a longest length, and who reads them checks their values.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final, NamedTuple

from app.errors import InvalidRequestError

FORMAT: Final = "pgask-collection"
VERSION: Final = 2  # 1: without readers
MAX_LINE_BYTES: Final = 32 * 1024 * 1024
_LEVEL: Final = 1  # vectors don't get smaller, and the rest does well enough


class Line(NamedTuple):
    """A line as it was read: its value, and its bytes as JSON text."""

    value: dict[str, Any]
    text: bytes


class LineWriter:
    """Writes lines to a binary stream, and the sums that go with them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._packed = gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._all = hashlib.sha256()
        self._document = hashlib.sha256()
        self._documents = 0

    def write(self, line: dict[str, Any] | str) -> None:
        """A line: an object, or JSON as the database wrote it."""
        text = line if isinstance(line, str) else json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        data = text.encode() + b"\n"
        self._packed.write(data)
        self._all.update(data)
        self._document.update(data)

    def begin_document(self) -> None:
        """The next line is the first of a document."""
        self._document = hashlib.sha256()

    def end_document(self) -> None:
        """The line before was the last of a document."""
        self._documents += 1
        self.write({"kind": "stored", "sha256": self._document.hexdigest()})

    def close(self) -> None:
        """The last line, with the number of documents and the sum of all."""
        self.write({"kind": "end", "documents": self._documents, "sha256": self._all.hexdigest()})
        self._packed.close()


class LineReader:
    """Reads lines one at a time, and holds them against the sums. Raises InvalidRequestError."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._packed = io.BufferedReader(gzip.GzipFile(fileobj=stream, mode="rb"))
        self._all = hashlib.sha256()
        self._document = hashlib.sha256()
        self._documents = 0
        self._number = 0

    def header(self) -> dict[str, Any]:
        """The first line. Raises InvalidRequestError where it is none of ours, or a newer version's."""
        try:
            value = self._next().value
        except InvalidRequestError as error:
            raise InvalidRequestError(
                "The file is no collection that `pgask export` wrote. Give one that it wrote, whole.",
                code="import_not_ours",
            ) from error
        version = value.get("version")
        if value.get("format") != FORMAT or not isinstance(version, int):
            raise InvalidRequestError(
                "The file is no collection that `pgask export` wrote.", code="import_not_ours"
            )
        if version > VERSION:
            raise InvalidRequestError(
                f"The file was written by a newer pgask (its form is {version}, this one reads {VERSION}). "
                "Upgrade pgask.",
                code="import_newer",
            )
        return value

    @property
    def read_sum(self) -> str:
        """The sum of all lines that were read so far."""
        return self._all.hexdigest()

    def lines(self) -> Iterator[Line]:
        """The lines of documents, each document's sum checked at its `stored` line; ends after the last one's, with
        the sum of all checked. Whoever reads keeps a document only when its `stored` line has come."""
        while True:
            document, whole = self._document.hexdigest(), self._all.hexdigest()
            line = self._next()
            match line.value.get("kind"):
                case "document":
                    self._document = hashlib.sha256(line.text)
                case "stored":
                    if line.value.get("sha256") != document:
                        raise corrupt(f"line {self._number:,}: a document is not what its sum says")
                    self._documents += 1
                case "end":
                    if line.value.get("sha256") != whole or line.value.get("documents") != self._documents:
                        raise corrupt("the file is not what its sum says")
                    if self._read():
                        raise corrupt("something follows the end")
                    return
            yield line

    def _next(self) -> Line:
        self._number += 1
        text = self._read()
        if not text.endswith(b"\n"):
            if len(text) > MAX_LINE_BYTES:
                raise corrupt(f"line {self._number:,} is longer than {MAX_LINE_BYTES:,} bytes")
            raise truncated()
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise corrupt(f"line {self._number:,} is no JSON") from error
        if not isinstance(value, dict):
            raise corrupt(f"line {self._number:,} is no object")
        self._all.update(text)
        self._document.update(text)
        return Line(value, text)

    def _read(self) -> bytes:
        try:
            return self._packed.readline(MAX_LINE_BYTES + 1)
        except EOFError as error:
            raise truncated() from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise corrupt("it can't be unpacked") from error


def corrupt(why: str) -> InvalidRequestError:
    """The refusal of a file that is not as it was written."""
    return InvalidRequestError(
        f"The file is damaged: {why}. Copy it again, or export the collection again; nothing of it is shown.",
        code="import_corrupt",
    )


def truncated() -> InvalidRequestError:
    """The refusal of a file whose end is missing."""
    return InvalidRequestError(
        "The file ends too early: it was cut off on the way, or its export did not end. Copy it again, or export the "
        "collection again; nothing of it is shown.",
        code="import_truncated",
    )
