"""A multipart request as it comes: files to one temporary file, fields to memory, within limits of each and of all.

Nothing is held whole but the fields, which are small. What goes over a limit is refused at once, with the rest unread.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Self

import structlog
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.api.problems import Fault, FaultError
from app.api.receiving import SLOWEST_BODY, too_slow
from app.config import Settings
from app.store.originals import PART_BYTES

_log = structlog.get_logger("app.api")
_MOST_FIELDS: Final = 100
_MOST_FIELD_BYTES: Final = 100_000  # of all fields together
_MOST_HEADER_BYTES: Final = 20_000  # of a part: a name may be long, if only to be refused
_EXTRA_BYTES: Final = 1_000_000  # for borders, headers and fields, beside the files


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much a request may bring."""

    max_files: int
    max_file_bytes: int
    max_request_bytes: int
    timeout_s: float

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The group."""
        return cls(
            settings.max_upload_files,
            settings.max_upload_bytes,
            settings.max_upload_request_bytes,
            settings.request_timeout_s,
        )


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file: the name that came with it, and where it lies in the temporary file."""

    name: str
    sha256: str
    start: int
    size_bytes: int


@dataclass(slots=True)
class Form:
    """What came: `fields` by name in order, and the files. Open until its block ends."""

    spool: BinaryIO
    fields: dict[str, list[str]] = field(default_factory=dict)
    files: list[ReceivedFile] = field(default_factory=list)

    def parts_of(self, file: ReceivedFile) -> Iterator[bytes]:
        """A file's bytes, PART_BYTES at a time."""
        end = file.start + file.size_bytes
        for at in range(file.start, end, PART_BYTES):
            yield os.pread(self.spool.fileno(), min(PART_BYTES, end - at), at)


@contextmanager
def open_form() -> Iterator[Form]:
    """A form that is still empty, with its temporary file."""
    with tempfile.TemporaryFile() as spool:
        yield Form(spool)


async def read_form(request: Request, form: Form, limits: UploadLimits) -> None:
    """Read a request's body into a form. Raises FaultError and ClientDisconnect."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise FaultError(NOT_MULTIPART)
    most = limits.max_request_bytes + _EXTRA_BYTES
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > most:
        raise FaultError(too_large(limits, int(length[:20])))
    reader = _Reader(form, limits)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": reader.begin_part,
            "on_header_field": reader.add_header_name,
            "on_header_value": reader.add_header_value,
            "on_header_end": reader.end_header,
            "on_headers_finished": reader.end_headers,
            "on_part_data": reader.add_data,
            "on_part_end": reader.end_part,
            "on_end": reader.end,
        },
        max_header_size=_MOST_HEADER_BYTES,
    )
    began, received = asyncio.get_running_loop().time(), 0
    try:
        async with asyncio.timeout(limits.timeout_s) as deadline:
            async for block in request.stream():
                received += len(block)
                if received > most:
                    raise FaultError(too_large(limits, received))
                parser.write(block)
                deadline.reschedule(began + limits.timeout_s + received / SLOWEST_BODY)
        form.spool.flush()
    except TimeoutError as error:
        raise FaultError(too_slow("body")) from error
    except (MultipartParseError, UnicodeDecodeError) as error:
        raise FaultError(_DAMAGED) from error
    except OSError as error:
        _log.warning("an upload could not be received", error=str(error))
        raise FaultError(_NO_SPACE) from error
    if not reader.is_complete:
        raise FaultError(_DAMAGED)


class _Reader:
    """What the parser calls, in order."""

    def __init__(self, form: Form, limits: UploadLimits) -> None:
        self._form, self._limits = form, limits
        self._at = self._files_bytes = self._field_bytes = 0
        self._fields = self._file_parts = 0
        self.is_complete = False

    def begin_part(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._header_name = self._header_value = b""

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def end_header(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = b"filename" in options
        self._digest, self._size, self._value = hashlib.sha256(), 0, b""
        if not self._is_file:
            self._fields += 1
            if self._fields > _MOST_FIELDS:
                raise FaultError(_TOO_MANY_FIELDS)
            return
        if self._name != "files":
            raise FaultError(_OTHER_FIELD)
        self._file_parts += 1  # those without a name and a byte, too: each takes its time
        if self._file_parts > self._limits.max_files:
            raise FaultError(_too_many_files(self._limits, self._file_parts))
        self._filename = options[b"filename"].decode("utf-8", "replace")

    def add_data(self, data: bytes, start: int, end: int) -> None:
        size = end - start
        if not self._is_file:
            self._field_bytes += size
            if self._field_bytes > _MOST_FIELD_BYTES:
                raise FaultError(_TOO_MANY_FIELDS)
            self._value += data[start:end]
            return
        self._size += size
        self._files_bytes += size
        if self._size > self._limits.max_file_bytes:
            raise FaultError(_file_too_large(self._filename, self._limits, self._size))
        if self._files_bytes > self._limits.max_request_bytes:
            raise FaultError(too_large(self._limits, self._files_bytes))
        block = memoryview(data)[start:end]
        self._digest.update(block)
        self._form.spool.write(block)

    def end_part(self) -> None:
        if not self._is_file:
            self._form.fields.setdefault(self._name, []).append(self._value.decode("utf-8"))
        elif (
            self._filename or self._size
        ):  # browsers send an empty part for a field that nothing was chosen in
            self._form.files.append(
                ReceivedFile(self._filename, self._digest.hexdigest(), self._at, self._size)
            )
            self._at += self._size

    def end(self) -> None:
        self.is_complete = True


NOT_MULTIPART: Final = Fault(
    "unsupported_media_type",
    415,
    "Send files as multipart/form-data, each in a part of its own named files.",
    detail_zh="请以 multipart/form-data 发送文件，每个文件作为名为 files 的一个部分。",
)
_DAMAGED: Final = Fault(
    "bad_request",
    400,
    "The multipart body is cut short or damaged. Send it again.",
    detail_zh="multipart 请求内容不完整或已损坏，请重新发送。",
)
_NO_SPACE: Final = Fault(
    "no_space",
    503,
    "The service has no room for the files now: its temporary folder is full. Send fewer at once, or try again later.",
    detail_zh="服务暂时没有空间接收文件：其临时文件夹已满。请一次少发送一些，或稍后重试。",
    retry_after_s=30,
)
_TOO_MANY_FIELDS: Final = Fault(
    "limit_exceeded",
    422,
    f"The request has more than {_MOST_FIELDS} fields, or more than {_MOST_FIELD_BYTES:,} bytes in them, beside its "
    "files. These limits are fixed: send fewer.",
    detail_zh=f"除文件外，请求的字段超过 {_MOST_FIELDS} 个，或合计超过 {_MOST_FIELD_BYTES:,} 字节。"
    "上限不可调整，请减少。",
)
_OTHER_FIELD: Final = Fault(
    "invalid_request",
    422,
    "A file belongs into a part named files.",
    detail_zh="文件应放在名为 files 的部分中。",
)


def _file_too_large(name: str, limits: UploadLimits, found: int) -> Fault:
    shown = "".join(c if c.isprintable() else "�" for c in name[-80:])
    return Fault(
        "file_too_large",
        413,
        f"{shown} has at least {found:,} bytes, and the limit is {limits.max_file_bytes:,} (PGASK_MAX_UPLOAD_BYTES). "
        "Nothing was taken in: split the file, or leave it out.",
        detail_zh=f"{shown} 至少有 {found:,} 字节，上限为 {limits.max_file_bytes:,}（PGASK_MAX_UPLOAD_BYTES）。"
        "所有文件均未导入：请拆分该文件，或不要包含它。",
    )


def too_large(limits: UploadLimits, found: int) -> Fault:
    """413 for a request whose files are too much together: at least `found` bytes."""
    return Fault(
        "body_too_large",
        413,
        f"The request's files have about {found:,} bytes or more, and the limit is {limits.max_request_bytes:,} "
        "(PGASK_MAX_UPLOAD_REQUEST_BYTES). Send them in several requests.",
        detail_zh=f"请求中的文件合计约 {found:,} 字节或更多，上限为 {limits.max_request_bytes:,}"
        "（PGASK_MAX_UPLOAD_REQUEST_BYTES）。请分多次发送。",
    )


def _too_many_files(limits: UploadLimits, found: int) -> Fault:
    return Fault(
        "limit_exceeded",
        422,
        f"The request brings {found:,} files or more, and the limit is {limits.max_files:,} (PGASK_MAX_UPLOAD_FILES). "
        "Send them in several requests.",
        detail_zh=f"请求包含 {found:,} 个或更多文件，上限为 {limits.max_files:,}（PGASK_MAX_UPLOAD_FILES）。"
        "请分多次发送。",
    )
