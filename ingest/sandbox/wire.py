"""What passes between the two sides of the pipe: frames with their length in front, JSON for all but text and bytes.

Pure but for the pipes that it is given. The parent trusts nothing that comes back: a reply that is not exactly a
document or a reason is a WireError.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

from app.domain import Document, Page, PageLines, Section, TextLine
from app.errors import DocumentError
from app.letters import LANGUAGES
from ingest.parsers.budget import MAX_TEXT_CHARS
from ingest.reasons import REASONS, SKIPPED

LENGTH = struct.Struct(">Q")
OUT_OF_MEMORY_STATUS = 77  # the child's exit status when it has no memory left even to say so
MAX_FRAME_BYTES = 4 * MAX_TEXT_CHARS  # of UTF-8

_PNG_MARK = b"\x89PNG\r\n\x1a\n"
_MAX_MESSAGE_CHARS = 1_000


class WireError(Exception):
    """A frame does not hold what it should."""


def frame(payload: bytes) -> bytes:
    """Put the length of a payload in front of it."""
    return LENGTH.pack(len(payload)) + payload


def read_frame(stream: BinaryIO) -> bytes | None:
    """Read one frame from a blocking stream; None at its end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    payload = stream.read(length)
    return payload if len(payload) == length else None


def encode_json(value: Mapping[str, Any]) -> bytes:
    """Encode a small object."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def encode_document(document: Document) -> tuple[bytes, bytes]:
    """Return a document as JSON without its text, and the text in UTF-8."""
    values = {
        "title": document.title,
        "media_type": document.media_type,
        "language": document.language,
        "sections": [[s.char_start, s.char_end, s.heading_path] for s in document.sections],
        "pages": [[p.number, p.char_start, p.char_end, p.ocr_confidence] for p in document.pages],
        "metadata": dict(document.metadata),
        "dropped": dict(document.dropped),
        "page_lines": [[page.number, page.width, page.height, page.lines] for page in document.page_lines],
        "unread_pages": document.unread_pages,
    }
    return encode_json({"document": values}), document.text.encode("utf-8")


def encode_progress(page: int, pages: int) -> bytes:
    """Return which page of how many is being read, from 1; comes before the reply."""
    return encode_json({"page": page, "pages": pages})


def decode_progress(head: bytes) -> tuple[int, int] | None:
    """Return page and pages of a frame, None for one that is none. Raises WireError for one that can't be."""
    if not head.startswith(b'{"page":'):
        return None
    try:
        values = json.loads(head)
        page, pages = values["page"], values["pages"]
    except (ValueError, TypeError, KeyError, RecursionError) as unfit:
        raise WireError("a page is told wrongly") from unfit
    if not (_is_count(page) and _is_count(pages) and 0 < page <= pages):
        raise WireError("a page is told wrongly")
    return page, pages


def encode_error(error: DocumentError) -> tuple[bytes, bytes]:
    """Return a reason as JSON, and no text."""
    return encode_json({"error": {"code": error.code, "message": str(error)}}), b""


def decode_reply(head: bytes, text: bytes) -> Document:
    """Return the document of a reply, or raise the DocumentError in it. Raises WireError if it is neither."""
    try:
        reply = json.loads(head)
        if "error" in reply:
            error = _error(reply["error"])
        else:
            return _document(reply["document"], text.decode("utf-8"))
    except (ValueError, TypeError, KeyError, RecursionError) as unfit:
        raise WireError(f"The reply is not one: {type(unfit).__name__}.") from unfit
    raise error


def decode_sizes(head: bytes, _body: bytes) -> list[tuple[float, float]]:
    """Return the sizes of pages. Raises DocumentError, WireError."""
    return [(width, height) for width, height in _rows(head, "sizes", 2)]


def decode_boxes(head: bytes, _body: bytes) -> list[tuple[float, float, float, float]]:
    """Return boxes on a page. Raises DocumentError, WireError."""
    return [(x, y, width, height) for x, y, width, height in _rows(head, "boxes", 4)]


def decode_lines(head: bytes, _body: bytes) -> list[tuple[str, int, int, float, float, float, float]]:
    """Return lines of a page: text, start, end (-1 where not known) and box. Raises DocumentError, WireError."""
    rows = _reply(head).get("lines")
    if not isinstance(rows, list):
        raise WireError("The reply has no lines.")
    return [_drawn_line(row) for row in rows]


def _drawn_line(row: object) -> tuple[str, int, int, float, float, float, float]:
    if not isinstance(row, list) or len(row) != 7:
        raise WireError("The reply has a line that is none.")
    text, start, end, *box = row
    is_placed = _is_count(start) and _is_count(end) and start < end
    if (
        not isinstance(text, str)
        or not (is_placed or (start, end) == (-1, -1))
        or not all(_is_number(side) for side in box)
    ):
        raise WireError("The reply has a line that is none.")
    x, y, width, height = box
    return text, start, end, x, y, width, height


def decode_picture(head: bytes, body: bytes) -> bytes:
    """Return a PNG. Raises DocumentError, WireError."""
    _reply(head)
    if not body.startswith(_PNG_MARK):
        raise WireError("The reply is no picture.")
    return body


def _rows(head: bytes, name: str, length: int) -> list[list[float]]:
    rows = _reply(head).get(name)
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == length and all(_is_number(number) for number in row)
        for row in rows
    ):
        raise WireError("The reply has no such rows.")
    return rows


def _reply(head: bytes) -> dict[str, Any]:
    """A reply's head. Raises the DocumentError in it, WireError."""
    try:
        reply = json.loads(head)
        error = _error(reply["error"]) if "error" in reply else None
    except (ValueError, TypeError, KeyError, RecursionError) as unfit:
        raise WireError(f"The reply is not one: {type(unfit).__name__}.") from unfit
    if error is not None:
        raise error
    if not isinstance(reply, dict):
        raise WireError("The reply is no object.")
    return reply


def _error(values: Mapping[str, str]) -> DocumentError:
    code, message = values["code"], values["message"]
    if (code not in REASONS and code not in SKIPPED) or not isinstance(message, str):
        raise ValueError("no reason")
    return DocumentError(message[:_MAX_MESSAGE_CHARS], code=code)


def _document(values: Mapping[str, Any], text: str) -> Document:
    sections = tuple(Section(start, end, tuple(path)) for start, end, path in values["sections"])
    pages = tuple(Page(number, start, end, known) for number, start, end, known in values["pages"])
    page_lines = tuple(
        PageLines(number, width, height, tuple(TextLine(*line) for line in lines))
        for number, width, height, lines in values["page_lines"]
    )
    document = Document(
        text=text,
        title=values["title"],
        media_type=values["media_type"],
        language=values["language"],
        sections=sections,
        pages=pages,
        metadata=values["metadata"],
        dropped=values["dropped"],
        page_lines=page_lines,
        unread_pages=values["unread_pages"],
    )
    _check(document)
    return document


def _check(document: Document) -> None:
    """Raise ValueError unless every field has its type and every span lies in the text, in order."""
    for spans in (document.sections, document.pages):
        last = 0
        for span in spans:
            if not (_is_count(span.char_start) and last <= span.char_start <= span.char_end):
                raise ValueError("a span is out of order")
            last = span.char_end
        if last > len(document.text):
            raise ValueError("a span is outside the text")
    strings = [document.title, document.media_type]
    strings += [word for section in document.sections for word in section.heading_path]
    strings += [*document.metadata, *document.dropped]
    if (
        not all(isinstance(string, str) for string in strings)
        or document.language not in LANGUAGES
        or not all(_is_count(page.number) for page in document.pages)
        or not all(_is_share(page.ocr_confidence) for page in document.pages)
        or not all(map(_is_sound, document.page_lines))
        or len({page.number for page in document.page_lines}) < len(document.page_lines)
        or not all(line.char_end <= len(document.text) for page in document.page_lines for line in page.lines)
        or not _is_count(document.unread_pages)
        or not all(_is_count(count) for count in document.dropped.values())
        or not all(isinstance(value, str | int | float) for value in document.metadata.values())
    ):
        raise ValueError("a field has another type")


def _is_share(value: object) -> bool:
    return value is None or (isinstance(value, float | int) and 0 <= value <= 1)


def _is_sound(page: PageLines) -> bool:
    numbers = [page.number, page.width, page.height, *(number for line in page.lines for number in line)]
    return all(_is_count(number) and number <= MAX_FRAME_BYTES for number in numbers) and all(
        line.char_start < line.char_end and line.x0 <= line.x1 and line.y0 <= line.y1 for line in page.lines
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
