"""Messages that Outlook saves (MSG) → Document: properties of [MS-OXMSG] as a message of MIME, which message.py reads.

The file is a compound file, read by olefile. A message is a storage: each property of variable length a stream, named
by its number and type; those of fixed length in one stream together. What is attached is a storage of its own.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from typing import Final

import olefile

from app.domain import Document
from app.errors import DocumentError
from app.file_limits import too_large
from ingest.parsers.archives import MAX_TOTAL_BYTES
from ingest.parsers.decoding import decode
from ingest.parsers.message import MAX_ATTACHMENTS, MAX_DEPTH, write_document
from ingest.parsers.message import MEDIA_TYPE as MIME_MEDIA_TYPE

MEDIA_TYPE: Final = "application/vnd.ms-outlook"
# Numbers of properties: [MS-OXPROPS].
_SUBJECT, _BODY, _RTF, _HTML = 0x0037, 0x1000, 0x1009, 0x1013
_TO, _CC, _SENDER, _SENDER_SMTP, _SENDER_ADDRESS = 0x0E04, 0x0E03, 0x0C1A, 0x5D01, 0x0C1F
_SENT, _DELIVERED, _CODE_PAGE, _INTERNET_CODE_PAGE = 0x0039, 0x0E06, 0x3FFD, 0x3FDE
_DATA, _SHORT_NAME, _LONG_NAME = 0x3701, 0x3704, 0x3707
_UNICODE, _EIGHT_BIT, _BINARY, _OBJECT = 0x001F, 0x001E, 0x0102, 0x000D
_FIXED: Final = "__properties_version1.0"
_ATTACHMENT: Final = "__attach_version1.0_#"
_CODEPAGES: Final = {65001: "utf-8", 936: "gb18030", 950: "big5hkscs", 20866: "koi8_r", 28591: "cp1252"}
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
# [MS-OXRTFCP] 2.1.2.1: what the dictionary holds before the first byte.
_RTF_START: Final = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)

_PICTURES: Final = (
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".webp",
    ".emf",
    ".wmf",
    ".svg",
    ".ico",
)

Path = tuple[str, ...]


def parse_outlook(content: bytes, source: str, parse: Callable[[bytes, str, str], Document]) -> Document:
    """Parse a message of Outlook; `parse` reads what is attached. Title: the subject, else the file's stem.

    Raises DocumentError `parse_failed`, `too_large` or `empty`.
    """
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as file:
            message = _Storage(file, len(content), parse).message((), 0)
    except (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error) as error:
        # olefile raises these on damaged files
        raise DocumentError(
            "The Outlook message is damaged; open it and save it again, or as .eml.", code="parse_failed"
        ) from error
    return write_document(message, source, MEDIA_TYPE, parse)


class _Storage:
    """The message in a compound file. Reads no more bytes than the file has: streams may share theirs only in a file
    that is made to grow."""

    def __init__(
        self, file: olefile.OleFileIO, size_bytes: int, parse: Callable[[bytes, str, str], Document]
    ) -> None:
        self._file, self._left, self._parse = file, size_bytes, parse
        self._entries = {tuple(entry) for entry in file.listdir(streams=True, storages=True)}

    def message(self, at: Path, depth: int) -> Message:
        """The message in a storage, with what is attached to it."""
        fixed = self._fixed(at, 24 if depth else 32)
        page = next((fixed[name] for name in (_CODE_PAGE, _INTERNET_CODE_PAGE) if fixed.get(name)), 0)
        charset = _charset(page)
        message = Message()
        message["Content-Type"] = "multipart/mixed"
        message.set_payload([])
        address = self._text(at, _SENDER_SMTP, charset) or self._text(at, _SENDER_ADDRESS, charset)
        sender = self._text(at, _SENDER, charset)
        is_address = "@" in address and address != sender
        sent = fixed.get(_SENT) or fixed.get(_DELIVERED)
        for name, value in (
            ("Subject", self._text(at, _SUBJECT, charset)),
            ("From", f"{sender} <{address}>".strip() if is_address else sender),
            ("To", self._text(at, _TO, charset)),
            ("Cc", self._text(at, _CC, charset)),
            ("Date", _date(sent) if sent else ""),
        ):
            if line := " ".join(value.split("\0")[0].split()):
                message[name] = line
        message.attach(self._body(at, charset, _charset(fixed.get(_INTERNET_CODE_PAGE, page))))
        found = sorted({path[: len(at) + 1] for path in self._entries if _is_attachment(path, at)})
        for path in found:
            message.attach(self._attachment(path, charset, depth, is_read=len(found) <= MAX_ATTACHMENTS))
        return message

    def _body(self, at: Path, charset: str, html_charset: str) -> Message:
        if plain := self._text(at, _BODY, charset).strip("\0"):
            return _part("text/plain", plain.encode("utf-8", "replace"))
        if html := self._bytes(at, _HTML, _BINARY):
            return _part("text/html", decode(html, html_charset or None).encode("utf-8", "replace"))
        if html_text := self._text(at, _HTML, charset):
            return _part("text/html", html_text.encode("utf-8", "replace"))
        packed = self._bytes(at, _RTF, _BINARY)
        try:
            text = self._parse(unpack_rtf(packed), "application/rtf", "").text if packed else ""
        except DocumentError as error:
            if error.code != "empty":
                raise
            text = ""
        return _part("text/plain", text.encode("utf-8", "replace"))

    def _attachment(self, at: Path, charset: str, depth: int, *, is_read: bool) -> Message:
        name = self._text(at, _LONG_NAME, charset) or self._text(at, _SHORT_NAME, charset)
        inner = (*at, f"__substg1.0_{_DATA:04X}{_OBJECT:04X}")
        if inner in self._entries and (*inner, _FIXED) in self._entries and depth < MAX_DEPTH and is_read:
            message = Message()
            message["Content-Type"] = MIME_MEDIA_TYPE
            message.set_payload([self.message(inner, depth + 1)])
            return message
        # of a message too deep within others, its text is counted as left out
        content = self._bytes(at, _DATA, _BINARY) or self._bytes(inner, _BODY, _UNICODE)
        name = " ".join(name.strip("\0").split())
        kind = "image" if name.lower().endswith(_PICTURES) else "application"
        part = _part(f"{kind}/octet-stream", content)
        part.add_header("Content-Disposition", "attachment", filename=name)
        return part

    def _fixed(self, at: Path, header_bytes: int) -> dict[int, int]:
        """Properties of fixed length: number → value as an unsigned number."""
        content = self._stream((*at, _FIXED))[header_bytes:]
        return {
            tag >> 16: value & 0xFFFFFFFF if tag & 0xFFFF == 3 else value
            for tag, _, value in struct.iter_unpack("<IIQ", content[: len(content) // 16 * 16])
        }

    def _text(self, at: Path, number: int, charset: str) -> str:
        wide = self._bytes(at, number, _UNICODE)
        if wide:
            return wide.decode("utf-16-le", "replace")
        narrow = self._bytes(at, number, _EIGHT_BIT)
        return decode(narrow, charset or None) if narrow else ""

    def _bytes(self, at: Path, number: int, kind: int) -> bytes:
        return self._stream((*at, f"__substg1.0_{number:04X}{kind:04X}"))

    def _stream(self, path: Path) -> bytes:
        if path not in self._entries:
            return b""
        content: bytes = self._file.openstream(list(path)).read()
        self._left -= len(content)
        if self._left < 0:
            raise DocumentError("The message holds more than its file can.", code="parse_failed")
        return content


def unpack_rtf(packed: bytes) -> bytes:
    """Rich Text as [MS-OXRTFCP] packs it. Raises DocumentError `parse_failed` or `too_large`."""
    if len(packed) < 16:
        raise DocumentError("The message's text is damaged.", code="parse_failed")
    _, raw_bytes, kind, _ = struct.unpack_from("<IIII", packed)
    if kind == 0x414C454D:  # "MELA": as it is
        return packed[16 : 16 + raw_bytes]
    ring = bytearray(_RTF_START.ljust(4096, b"\0"))
    write, at, out = len(_RTF_START), 16, bytearray()
    while at < len(packed):
        control, at = packed[at], at + 1
        for bit in range(8):
            if at >= len(packed):
                break
            if not control >> bit & 1:
                run, at = packed[at : at + 1], at + 1
            else:
                reference, at = int.from_bytes(packed[at : at + 2]), at + 2
                read, length = reference >> 4, (reference & 15) + 2
                if read == write:
                    return bytes(out)
                run = b""
                for step in range(length):  # may read what it writes
                    byte = ring[(read + step) % 4096]
                    ring[(write + step) % 4096] = byte
                    run += bytes((byte,))
            for step, byte in enumerate(run):
                ring[(write + step) % 4096] = byte
            write = (write + len(run)) % 4096
            out += run
            if len(out) > MAX_TOTAL_BYTES:
                raise too_large("unpacked", len(out), MAX_TOTAL_BYTES, is_all=False)
    return bytes(out)


def _is_attachment(path: Sequence[str], at: Path) -> bool:
    return len(path) > len(at) and path[len(at)].startswith(_ATTACHMENT) and tuple(path[: len(at)]) == at


def _part(media_type: str, content: bytes) -> Message:
    part = Message()
    part["Content-Type"] = f'{media_type}; charset="utf-8"' if media_type.startswith("text/") else media_type
    part["Content-Transfer-Encoding"] = "8bit"
    part.set_payload(content.decode("ascii", "surrogateescape"))
    return part


def _charset(page: int) -> str:
    return _CODEPAGES.get(page, f"cp{page}" if page else "")


def _date(filetime: int) -> str:
    """A date as messages write it; "" for one that no calendar has."""
    try:
        return format_datetime(_EPOCH + timedelta(microseconds=filetime // 10))
    except OverflowError:
        return ""
