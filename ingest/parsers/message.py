"""Messages (EML) and saved web pages (MHTML) → Document, by the standard library's reader of MIME.

A message begins with its subject, the people and the date; of alternatives the plain text is read, else the HTML. What
is attached in a type that is read follows under its name; pictures and the like are named in the metadata.
"""

from __future__ import annotations

import contextlib
import email
import email.errors
import email.policy
from collections.abc import Callable, Iterator
from email.header import decode_header, make_header
from email.message import Message
from typing import Final

from app.domain import Document
from app.errors import DocumentError
from app.file_limits import too_large
from ingest.cleaning import clean_line
from ingest.parsers.blocks import escape_markup
from ingest.parsers.budget import TextBudget
from ingest.parsers.decoding import charset_meant, decode
from ingest.parsers.html import MEDIA_TYPE as HTML_MEDIA_TYPE
from ingest.parsers.html import html_to_markdown, parse_html
from ingest.parsers.media_types import SNIFFED_BYTES, media_type_of
from ingest.parsers.written import add_counts, build_document

MEDIA_TYPE: Final = "message/rfc822"
MHTML_MEDIA_TYPE: Final = "application/x-mimearchive"
MAX_ATTACHMENTS: Final = 50
MAX_PARTS: Final = 1_000
_MAX_HEADER_CHARS: Final = 4_000  # its decoding takes the square of it
MAX_DEPTH: Final = 3  # of messages within messages
_PEOPLE: Final = ("From", "To", "Cc", "Date")
_ERRORS: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError)

Parse = Callable[[bytes, str, str], Document]  # content, media type, source → document; raises DocumentError


def parse_message(content: bytes, source: str, parse: Parse) -> Document:
    """Parse a message; `parse` reads what is attached. Title: the subject, else the file's stem.

    Raises DocumentError `bad_encoding`, `parse_failed`, `too_large` or `empty`.
    """
    return write_document(_read(content), source, MEDIA_TYPE, parse)


def write_document(message: Message, source: str, media_type: str, parse: Parse) -> Document:
    """The document of a message. Raises DocumentError `parse_failed`, `too_large` or `empty`."""
    reader = _Reader(parse)
    reader.write_message(message, 0)
    title = _header(message, "Subject")
    return build_document(
        "\n\n".join(reader.blocks),
        source,
        media_type,
        title=title,
        metadata={
            **{name.lower(): value for name in _PEOPLE if (value := _header(message, name))},
            **({"attachments": ", ".join(reader.attached)[:2000]} if reader.attached else {}),
        },
        dropped=reader.dropped,
    )


def parse_mhtml(content: bytes, source: str) -> Document:
    """Parse a saved web page: its first part of HTML. Raises as parse_html does, and `parse_failed`."""
    for part in _parts(_read(content)):
        if part.get_content_type() == HTML_MEDIA_TYPE:
            return parse_html(_text(part).encode("utf-8", "replace"), source)
    raise DocumentError("There is no page in the file; save it again.", code="parse_failed")


class _Reader:
    """Collects the blocks of a message. `attached`: names of what came with it; `dropped`: kind → characters."""

    def __init__(self, parse: Parse) -> None:
        self.blocks: list[str] = []
        self.attached: list[str] = []
        self.dropped: dict[str, int] = {}
        self._parse = parse
        self._budget = TextBudget()

    def write_message(self, message: Message, depth: int) -> None:
        subject = _header(message, "Subject")
        self._write(f"{'#' * (depth + 1)} {subject}" if subject else "")
        lines = [f"{name}: {value}" for name in _PEOPLE if (value := _header(message, name))]
        self._write("\n".join(map(escape_markup, lines)))
        parts = list(_parts(message))
        bodies = [part for part in parts if not _is_attached(part)]
        plain = [part for part in bodies if part.get_content_type() == "text/plain"]
        self._write_bodies(
            plain or [part for part in bodies if part.get_content_type() == HTML_MEDIA_TYPE], bool(plain)
        )
        for part in parts:
            if part.get_content_type() == MEDIA_TYPE and depth < MAX_DEPTH:
                for inner in _inner(part):
                    self.write_message(inner, depth + 1)
            elif _is_attached(part):
                self._write_attachment(part, depth)

    def _write_bodies(self, parts: list[Message], is_plain: bool) -> None:
        for part in parts:
            text = _text(part)
            if is_plain:
                self._write("\n".join(escape_markup(line.rstrip()) for line in text.strip().splitlines()))
            else:
                page = text.encode("utf-8", "replace")
                self._write(html_to_markdown(page, drop_furniture=False, left_out=self.dropped))

    def _write_attachment(self, part: Message, depth: int) -> None:
        """Write what is attached, by the type that its name says, else by the one that its sender declares."""
        name = clean_line(_filename(part)) or part.get_content_type()
        self.attached.append(name)
        content = _payload(part)
        media_type = media_type_of(name, content[:SNIFFED_BYTES]) or part.get_content_type()
        if media_type.partition("/")[0] in {"image", "audio", "video", "font"}:
            return
        document = None
        if len(self.attached) <= MAX_ATTACHMENTS:
            if media_type == MEDIA_TYPE and depth < MAX_DEPTH:
                self.write_message(_read(content), depth + 1)
                return
            with contextlib.suppress(DocumentError):
                document = self._parse(content, media_type, name) if media_type != MEDIA_TYPE else None
        if document is None:
            self.dropped["attachment"] = self.dropped.get("attachment", 0) + len(content)
            return
        self._write(f"## {name}")
        self._write(document.text)
        self.dropped = add_counts(self.dropped, document.dropped)

    def _write(self, block: str) -> None:
        if block.strip():
            self._budget.take(len(block) + 2)
            self.blocks.append(block)


def _read(content: bytes) -> Message:
    try:
        return email.message_from_bytes(content, policy=email.policy.compat32)
    except _ERRORS as error:
        raise DocumentError(
            f"The message can't be read: {type(error).__name__}.", code="parse_failed"
        ) from error


def _parts(message: Message) -> Iterator[Message]:
    """Parts that hold something, in order; a message within is one. No recursion: nesting has no limit."""
    waiting, seen = [message], 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > MAX_PARTS:
            raise too_large("parts", seen, MAX_PARTS, is_all=False)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += reversed(_inner(part))
        else:
            yield part


def _inner(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def _is_attached(part: Message) -> bool:
    is_body = part.get_content_type() in {"text/plain", HTML_MEDIA_TYPE}
    return part.get_content_disposition() == "attachment" or bool(_filename(part)) or not is_body


def _filename(part: Message) -> str:
    try:
        return _decoded((part.get_filename() or "")[:_MAX_HEADER_CHARS])
    except _ERRORS:
        return ""


def _payload(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except _ERRORS as error:
        raise DocumentError("A part of the message is damaged.", code="parse_failed") from error
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message) -> str:
    charset = part.get_content_charset()
    return decode(_payload(part), charset_meant(charset) if charset else None)


def _header(message: Message, name: str) -> str:
    try:
        return clean_line(_decoded(str(message.get(name, ""))[:_MAX_HEADER_CHARS]))
    except _ERRORS:
        return ""


def _decoded(value: str) -> str:
    """A header's words of RFC 2047 in their letters; as it is where they are damaged."""
    try:
        parts = decode_header(value)
        return str(make_header([(part, charset_meant(name) if name else None) for part, name in parts]))
    except (*_ERRORS, email.errors.MessageError):
        return value
