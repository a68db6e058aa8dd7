"""PDF bombs and loops end in a reason code in time, or are read, and never take the parent with them (R26)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping

import pytest

from app.errors import DocumentError
from ingest.parsers import pdf, plaintext
from ingest.sandbox import SandboxedParser

FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


@pytest.fixture(scope="module")
def parser() -> Iterator[SandboxedParser]:
    with SandboxedParser() as parser:
        yield parser


def write(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """Write a PDF of these objects."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = {}
    for number, content in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % offsets.get(number, 0)
    out += b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF" % (size, trailer, start)
    return bytes(out)


def stream(data: bytes, filters: bytes) -> bytes:
    return b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(data), filters, data)


def with_content(content: bytes) -> bytes:
    return write({1: CATALOG, 2: PAGES, 3: PAGE, 4: content, 5: FONT})


def flate_bomb() -> bytes:
    packed = zlib.compressobj(9)
    line = b"BT /F 1 Tf (hello world) Tj ET\n" * 10_000
    data = b"".join(packed.compress(line) for _ in range(2_000)) + packed.flush()  # 620 MB
    return with_content(stream(data, b"/FlateDecode"))


def nested_flate_bomb() -> bytes:
    data = zlib.compress(zlib.compress(zlib.compress(bytes(300_000_000), 9), 9), 9)
    return with_content(stream(data, b"[/FlateDecode /FlateDecode /FlateDecode]"))


def lzw_and_run_length() -> bytes:
    return with_content(stream(b"\x80\x00" + b"\x81a" * 500_000, b"[/RunLengthDecode /LZWDecode /LZWDecode]"))


def lzw_bomb() -> bytes:
    """Codes for ever longer runs of one byte (ISO 32000-1, 7.4.4.2): 6 KB for 7 MB, a hundred times."""
    codes = [256, 32, *range(258, 4094)]
    bits = "".join(f"{code:0{_lzw_width(place)}b}" for place, code in enumerate(codes))
    bits += "0" * (-len(bits) % 8)
    block = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return with_content(stream(block * 100, b"/LZWDecode"))


def _lzw_width(place: int) -> int:
    """Bits of the code at a place after the clear code, changed one code early."""
    size = 256 + place  # of the table when this code is read
    return 9 if place == 0 or size < 511 else 10 if size < 1023 else 11 if size < 2047 else 12


def jbig2() -> bytes:
    image = b"<< /Type /XObject /Subtype /Image /Width 60000 /Height 60000 /BitsPerComponent 1 /ColorSpace /DeviceGray"
    data = bytes.fromhex("00000000300001000000130000ea600000ea60000000000000000000000000")
    image += b" /Length %d /Filter /JBIG2Decode >>\nstream\n%s\nendstream" % (len(data), data)
    page = PAGE.replace(b"/Font <<", b"/XObject << /I 6 0 R >> /Font <<")
    show = b"<< /Length 43 >>\nstream\n/I Do BT /F 1 Tf (words beside it) Tj ET      \nendstream"
    return write({1: CATALOG, 2: PAGES, 3: page, 4: show, 5: FONT, 6: image})


def page_tree_loop() -> bytes:
    return write(
        {
            1: CATALOG,
            2: b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 9 >>",
            3: b"<< /Kids [2 0 R] /Count 9 >>",
        }
    )


def million_pages() -> bytes:
    kids = b"3 0 R " * 1_000_000
    return write(
        {1: CATALOG, 2: b"<< /Type /Pages /Kids [%s] /Count 1000000 >>" % kids, 3: PAGE, 4: b"null", 5: FONT}
    )


def claimed_pages() -> bytes:
    return write({1: CATALOG, 2: PAGES.replace(b"/Count 1", b"/Count 2147483647"), 3: PAGE, 4: b"null"})


def nested_arrays() -> bytes:
    deep = b"[" * 10_000 + b"]" * 10_000
    return write({1: CATALOG.replace(b">>", b"/Names %s >>" % deep), 2: PAGES, 3: PAGE, 4: deep, 5: FONT})


def xref_loop() -> bytes:
    content = write({1: CATALOG, 2: PAGES, 3: PAGE, 4: b"null"})
    start = content.rindex(b"xref\n0")
    return content.replace(b"/Root", b"/Prev %d /Root" % start)


def reference_loop() -> bytes:
    return write({1: b"1 0 R", 2: b"3 0 R", 3: b"2 0 R"})


def form_loop() -> bytes:
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /I 6 0 R >> >> /Length 12 >>"
    form += b"\nstream\n/I Do /I Do \nendstream"
    page = PAGE.replace(b"/Font <<", b"/XObject << /I 6 0 R >> /Font <<")
    return write(
        {1: CATALOG, 2: PAGES, 3: page, 4: b"<< /Length 5 >>\nstream\n/I Do\nendstream", 5: FONT, 6: form}
    )


REFUSED = {"parse_failed", "too_large", "no_text_layer", "parser_memory", "parser_timeout", "parser_crashed"}


@pytest.mark.parametrize(
    ("build", "codes"),
    [
        (flate_bomb, {"parser_memory", "parser_timeout", "too_large"}),
        (nested_flate_bomb, REFUSED),
        (lzw_and_run_length, {"no_text_layer", "parse_failed"}),
        (lzw_bomb, REFUSED),
        (jbig2, set[str]()),
        (page_tree_loop, {"parse_failed", "no_text_layer"}),
        (million_pages, {"too_large"}),
        (claimed_pages, {"too_large", "parse_failed", "no_text_layer"}),
        (nested_arrays, {"parse_failed", "no_text_layer"}),
        (xref_loop, {"parse_failed", "no_text_layer"}),
        (reference_loop, {"parse_failed"}),
        (form_loop, {"no_text_layer", "parser_memory"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bombs_and_loops(parser: SandboxedParser, build: Callable[[], bytes], codes: set[str]) -> None:
    content = build()
    try:
        document = parser.parse(content, pdf.MEDIA_TYPE, "a.pdf")
        outcome = document.text
    except DocumentError as error:
        outcome = error.code
    assert outcome in (codes or {"words beside it"}), outcome
    assert parser.parse(b"next", plaintext.MEDIA_TYPE, "b").text == "next"
