"""Messages of Outlook (F-1122): what they say, and limits of what a made one may cost."""

from __future__ import annotations

import random
import struct

import pytest

from app.domain import Document
from app.errors import DocumentError
from eval.fidelity.outlook_files import Message, compound, make_outlook, message_file, pack_rtf
from eval.fidelity.sample import Sample, judge
from ingest.parsers import parse
from ingest.parsers.media_types import media_type_of
from ingest.parsers.outlook import MEDIA_TYPE, unpack_rtf
from ingest.reasons import REASONS

SAMPLES = list(make_outlook())


def read(content: bytes) -> Document:
    return parse(content, MEDIA_TYPE, "mail.msg")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_message_comes_to_what_it_shows(sample: Sample) -> None:
    assert media_type_of(sample.name, b"") == MEDIA_TYPE
    finding = judge(sample, read(sample.content), "")
    assert finding.is_right, finding


def test_what_is_attached_and_not_read_is_named_and_counted() -> None:
    document = read(message_file(Message({0x1000: "Hello."}, (("plan.dwg", bytes(5_000)), ("a.png", b"x")))))
    assert document.dropped == {"attachment": 5_000}
    assert document.metadata["attachments"] == "plan.dwg, a.png"


def test_a_message_deeper_than_is_read_is_counted() -> None:
    message = Message({0x1000: "innermost"})
    for depth in range(5):
        message = Message({0x1000: f"level {depth}"}, (message,))
    document = read(message_file(message))
    assert "level 1" in document.text
    assert "level 0" not in document.text
    assert document.dropped["attachment"] > 0


def test_an_address_of_exchange_is_no_address() -> None:
    properties = {0x1000: "Hello.", 0x0C1A: "Ada Holm", 0x0C1F: "/O=KILN/OU=X/CN=ADA"}
    assert read(message_file(Message(properties))).metadata["from"] == "Ada Holm"


@pytest.mark.parametrize("text", [b"", b"{\\rtf1 a}", b"ab" * 5_000, bytes(range(256)) * 40])
def test_packed_rich_text_comes_back(text: bytes) -> None:
    assert unpack_rtf(pack_rtf(text)) == text


def test_rich_text_as_it_is() -> None:
    assert unpack_rtf(struct.pack("<IIII", 20, 8, 0x414C454D, 0) + b"{\\rtf1 }") == b"{\\rtf1 }"


@pytest.mark.parametrize("content", [b"", b"not a compound file" * 100, compound({})])
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        read(content)
    assert caught.value.code in {"parse_failed", "empty"}


def test_streams_that_share_their_bytes_are_refused() -> None:
    """A file of 60 KB whose 40 attachments are all the same 20 KB would be read as 800 KB; larger ones as gigabytes."""
    attached = tuple(
        (f"{number}.txt", b"x" * 20_000 if number == 0 else b"y" * 4_096) for number in range(40)
    )
    content = bytearray(message_file(Message({0x1000: "Hello."}, attached)))
    name = "__substg1.0_37010102".encode("utf-16-le")
    first, entry = None, content.find(name)
    while entry >= 0:
        start, size = struct.unpack_from("<IQ", content, entry + 116)
        first = (start, size) if size == 20_000 else first
        entry = content.find(name, entry + 1)
    assert first is not None
    entry = content.find(name)
    while entry >= 0:
        struct.pack_into("<IQ", content, entry + 116, *first)
        entry = content.find(name, entry + 1)
    with pytest.raises(DocumentError) as caught:
        read(bytes(content))
    assert caught.value.code == "parse_failed"


def code_of(content: bytes) -> str:
    """The code that a message is refused with; "" for one that is read."""
    try:
        read(content)
    except DocumentError as error:
        return error.code
    return ""


def test_damaged_messages_end_in_a_document_or_a_reason() -> None:
    chance = random.Random(7)
    for _ in range(300):
        content = bytearray(chance.choice(SAMPLES).content)
        for _ in range(chance.randrange(1, 30)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        assert code_of(bytes(content[: chance.randrange(512, len(content) + 1)])) in {*REASONS, ""}
