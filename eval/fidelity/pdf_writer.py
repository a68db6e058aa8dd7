# ruff: noqa: E501 (lines of PDF)
"""A small PDF writer: text in places, in Helvetica or in a subset font with a ToUnicode map, lines, an outline, titles.

Pure. Places are in points from the lower left of an A4 page. The subset font has codes of UTF-16: Latin letters are half
as wide as they are high, all others as wide.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Font = Literal["sans", "bold", "mono", "subset"]
WIDTH, HEIGHT = 595, 842
_CODES: Final[dict[Font, str]] = {"sans": "F1", "bold": "F2", "mono": "F3", "subset": "F4"}
_NAMES: Final = {"F1": "Helvetica", "F2": "Helvetica-Bold", "F3": "Courier"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. `gaps`: words are set apart by moving on, without a character for the space, as TeX does."""

    x: float
    y: float
    text: str
    size: float = 11
    font: Font = "sans"
    gaps: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that is drawn."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(slots=True)
class Paper:
    """Pages under way. `outline`: title, page from 0, height."""

    title: str = ""
    producer: str = "pdfTeX-1.40.25"
    pages: list[list[Line | Rule]] = field(default_factory=lambda: [[]])
    outline: list[tuple[str, int, float]] = field(default_factory=list)

    def draw(self, item: Line | Rule) -> None:
        self.pages[-1].append(item)


def width_of(text: str, size: float, font: Font) -> float:
    """The width of a line in points: about, for Helvetica."""
    if font == "mono":
        return 0.6 * size * len(text)
    return size * sum(0.5 if char.isascii() or ord(char) < 0x2E80 else 1.0 for char in text)


def write(paper: Paper) -> bytes:
    """Return the file; its page contents are compressed, as all programs do."""
    count = len(paper.pages)
    page_ids = [10 + 2 * at for at in range(count)]
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Outlines 5000 0 R >>"
        if paper.outline
        else b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{' '.join(f'{page} 0 R' for page in page_ids)}] /Count {count} >>".encode(),
        6: b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Body /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 8 0 R >>",
        7: b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Body /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity)"
        b" /Supplement 0 >> /DW 1000 /W [0 11903 500] >>",
        8: _stream(_to_unicode()),
        9: b"<< /Title %s /Producer (%s) >>" % (_hex(paper.title), paper.producer.encode()),
    }
    for number, (code, name) in enumerate(_NAMES.items(), start=3):
        objects[number] = (
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding /Name /{code} >>".encode()
        )
    fonts = "/F1 3 0 R /F2 4 0 R /F3 5 0 R /F4 6 0 R"
    for page, items in zip(page_ids, paper.pages, strict=True):
        objects[page] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {page + 1} 0 R /Resources << /Font << {fonts} >> >> >>"
        ).encode()
        objects[page + 1] = _stream("\n".join(map(_draw, items)).encode("latin-1"))
    objects |= _outline(paper, page_ids)
    return _file(objects)


def _draw(item: Line | Rule) -> str:
    if isinstance(item, Rule):
        return f"0.5 w {item.x0} {item.y0} m {item.x1} {item.y1} l S"
    shown = _with_gaps(item) if item.gaps else f"{_string(item.text, item.font)} Tj"
    return f"BT /{_CODES[item.font]} {item.size:g} Tf {item.x:g} {item.y:g} Td {shown} ET"


def _with_gaps(line: Line) -> str:
    """Words and the room between them in thousandths of the size; the first letter is moved closer, as kerning does."""
    words = [_string(word, line.font) for word in line.text.split(" ")]
    return f"[{' -333 '.join(words)}] TJ"


def _string(text: str, font: Font) -> str:
    if font == "subset":
        return f"<{text.encode('utf-16-be').hex()}>"
    encoded = text.encode("cp1252")
    return (
        "("
        + "".join(f"\\{byte:03o}" if byte > 126 or byte in b"()\\" else chr(byte) for byte in encoded)
        + ")"
    )


def _to_unicode() -> bytes:
    ranges = b"\n".join(b"<%02X00> <%02XFF> <%02X00>" % (high, high, high) for high in range(256))
    head = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
    return (
        head
        + b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n100 beginbfrange\n"
        + ranges
        + b"\nendbfrange endcmap end end"
    )


def _outline(paper: Paper, pages: Sequence[int]) -> dict[int, bytes]:
    if not paper.outline:
        return {}
    last = 5000 + len(paper.outline)
    objects = {
        5000: f"<< /Type /Outlines /First 5001 0 R /Last {last} 0 R /Count {len(paper.outline)} >>".encode()
    }
    for number, (title, page, height) in enumerate(paper.outline, start=5001):
        links = (f" /Prev {number - 1} 0 R" if number > 5001 else "") + (
            f" /Next {number + 1} 0 R" if number < last else ""
        )
        objects[number] = b"<< /Title %s /Parent 5000 0 R%s /Dest [%d 0 R /XYZ 0 %d null] >>" % (
            _hex(title),
            links.encode(),
            pages[page],
            height,
        )
    return objects


def _hex(text: str) -> bytes:
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"


def _stream(content: bytes) -> bytes:
    packed = zlib.compress(content, 6)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)


def _file(objects: dict[int, bytes]) -> bytes:
    out, offsets = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n", {}
    for number, body in sorted(objects.items()):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(
        b"%d 1\n%010d 00000 n \n" % (number, offset) for number, offset in sorted(offsets.items())
    )
    start = len(out)
    trailer = f"trailer\n<< /Size {max(objects) + 1} /Root 1 0 R /Info 9 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return out + b"xref\n0 1\n0000000000 65535 f \n" + table + trailer.encode()
