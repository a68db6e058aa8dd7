"""app.api.multipart: what only a broken machine or a hostile sender shows; the rest is in test_api_uploads.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from app.api.multipart import Form, UploadLimits, open_form, read_form
from app.api.problems import FaultError

LIMITS = UploadLimits(max_files=10, max_file_bytes=1_000, max_request_bytes=5_000, timeout_s=5)
HEAD = b'--b\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n'


def sent(blocks: Sequence[bytes], *, whole: bool = True) -> Request:
    """A request whose body comes in these blocks; without `whole` its sender leaves after them."""
    messages: list[Message] = [
        {"type": "http.request", "body": block, "more_body": not whole or place < len(blocks) - 1}
        for place, block in enumerate(blocks)
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def test_a_body_is_the_same_however_it_is_cut() -> None:
    body = b"".join(
        HEAD % name + content + b"\r\n"
        for name, content in (
            (b"a.md", b"--b not a border\r\n--"),
            ("\u6587.md".encode(), b""),
            (b"c", b"\0" * 700),
        )
    )
    body += b'--b\r\nContent-Disposition: form-data; name="folder"\r\n\r\nx/y\r\n--b--\r\n'
    for size in (1, 2, 7, 64, len(body)):
        with open_form() as form:
            await read_form(sent([body[at : at + size] for at in range(0, len(body), size)]), form, LIMITS)
            assert form.fields == {"folder": ["x/y"]}
            assert [(file.name, b"".join(form.parts_of(file))) for file in form.files] == [
                ("a.md", b"--b not a border\r\n--"),
                ("文.md", b""),
                ("c", b"\0" * 700),
            ]


async def test_a_sender_that_leaves_and_a_body_that_ends_early_are_no_upload() -> None:
    for whole, kind in ((False, ClientDisconnect), (True, FaultError)):
        with open_form() as form, pytest.raises(kind):
            await read_form(sent([HEAD % b"a.md", b"half"], whole=whole), form, LIMITS)


@pytest.fixture
def full() -> Iterator[BinaryIO]:
    """A file on a disk that is full."""
    stream = Path("/dev/full").open("wb")  # noqa: SIM115 - closing it would try to write again
    yield stream
    stream.raw.close()


async def test_no_room_for_the_files_is_told(full: BinaryIO) -> None:
    with pytest.raises(FaultError) as raised:
        await read_form(sent([HEAD % b"a.md" + b"text\r\n--b--\r\n"]), Form(full), LIMITS)
    assert (raised.value.fault.code, raised.value.fault.status) == ("no_space", 503)


async def test_parts_that_hold_nothing_are_counted_too() -> None:
    body = (HEAD % b"" + b"\r\n") * (LIMITS.max_files + 1) + b"--b--\r\n"
    with open_form() as form, pytest.raises(FaultError) as raised:
        await read_form(sent([body]), form, LIMITS)
    assert raised.value.fault.code == "limit_exceeded"
