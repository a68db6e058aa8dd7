"""A PDF's pages as they are seen: their sizes, pictures of them, their lines, and where a stretch of the stored text
stands on them.

Runs in the confined child alone (ingest/sandbox), under the lock of `pdf`. Places are in points of the page as it is
shown, x from the left, y from the top.

The stored text is not what pdfium reads: lines are joined, hyphens closed up, tables written as Markdown. So both are
compared without what that changes (blanks, hyphens, marks of tables), and a place is told only where it is certain.
"""

from __future__ import annotations

import ctypes
import struct
import unicodedata
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium_c

from app.errors import DocumentError
from app.file_limits import too_large
from ingest.parsers.boxfont import use_box_font
from ingest.parsers.pdf import MAX_PAGES, PDFIUM

MAX_SIDE: Final = 4_000  # pixels of a picture
MAX_LINE_CHARS: Final = 40_000  # of a page whose lines are told
_MAX_BOXES: Final = 2_000
_FINE: Final = 64  # device units a point, in which pdfium turns places
_LEFT_OUT: Final = frozenset("|\\-\u00ad\u2010\u2011\x02\ufffe")


class PageSize(NamedTuple):
    """In points."""

    width: float
    height: float


class PageBox(NamedTuple):
    """A rectangle on a page: its upper left corner, width and height."""

    x: float
    y: float
    width: float
    height: float


class DrawnLine(NamedTuple):
    """Words that stand side by side on a page, and their box. `text` is page_text[start:end]; where it is not certain
    which stretch of the stored text they are, start and end are -1 and `text` is what is drawn."""

    text: str
    start: int
    end: int
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class _Run:
    """Characters that are drawn side by side, the first and the last, and the box around them."""

    first: int
    last: int
    x0: float
    y0: float
    x1: float
    y1: float
    text: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Squeezed:
    """A text without what the stored form changes, and where each character of it stood."""

    text: str
    places: Sequence[int]


def page_sizes(content: bytes) -> list[PageSize]:
    """The size of each page. Raises DocumentError."""
    with _opened(content) as document:
        return [
            PageSize(*(round(side, 2) for side in document.get_page_size(n))) for n in range(len(document))
        ]


def draw_page(content: bytes, number: int, scale: float) -> bytes:
    """A page, counted from 1, as PNG; `scale`: pixels a point, less where it would get larger than MAX_SIDE. Raises
    DocumentError."""
    with _opened(content) as document:
        document.init_forms()
        page = _page(document, number)
        try:
            fitting = min(scale, MAX_SIDE / max(*page.get_size(), 1.0))
            bitmap = page.render(scale=fitting, may_draw_forms=True, rev_byteorder=True)
            return _png(bitmap)
        finally:
            page.close()


def find_boxes(content: bytes, number: int, page_text: str, start: int, end: int) -> list[PageBox]:
    """Where page_text[start:end] stands on a page whose stored text is `page_text`: a box a line. Empty where that is
    not certain. Raises DocumentError."""
    with _opened(content) as document:
        page = _page(document, number)
        text_page = page.get_textpage()
        try:
            drawn = text_page.get_text_range()
            if len(drawn) != text_page.count_chars():
                return []
            found = _match(_squeeze(drawn), page_text, start, end)
            return [box for first, last in found for box in _boxes(page, text_page, first, last)][:_MAX_BOXES]
        finally:
            text_page.close()
            page.close()


def read_lines(content: bytes, number: int, page_text: str) -> list[DrawnLine]:
    """The lines of a page whose stored text is `page_text`, in its order as far as that is known; empty for a page of
    more than MAX_LINE_CHARS characters. Raises DocumentError."""
    with _opened(content) as document:
        page = _page(document, number)
        text_page = page.get_textpage()
        try:
            text = text_page.get_text_range() if text_page.count_chars() <= MAX_LINE_CHARS else ""
            if len(text) != text_page.count_chars():
                return []
            return _in_order(_placed(_runs(page, text_page, text), text, page_text))
        finally:
            text_page.close()
            page.close()


@contextmanager
def _opened(content: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """The document, while pdfium's lock is held."""
    with PDFIUM:
        use_box_font()
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            raise DocumentError("The PDF is damaged and can't be drawn.", code="parse_failed") from error
        try:
            _check_length(document)
            yield document
        except pypdfium2.PdfiumError as error:
            raise DocumentError("A page of the PDF can't be drawn.", code="parse_failed") from error
        finally:
            document.close()


def _check_length(document: pypdfium2.PdfDocument) -> None:
    if len(document) > MAX_PAGES:
        raise too_large("pages", len(document), MAX_PAGES)


def _page(document: pypdfium2.PdfDocument, number: int) -> pypdfium2.PdfPage:
    if not 1 <= number <= len(document):
        raise DocumentError(f"The PDF has {len(document):,} pages.", code="parse_failed")
    return document[number - 1]


def _squeeze(text: str) -> _Squeezed:
    kept, places = [], []
    for place, char in enumerate(text):
        if char.isspace() or char in _LEFT_OUT:
            continue
        for part in unicodedata.normalize("NFKC", char):
            if not part.isspace():
                kept.append(part)
                places.append(place)
    return _Squeezed("".join(kept), places)


def _match(drawn: _Squeezed, page_text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Stretches (first, last) of the drawn characters that are those of the span; empty where any of it is not to be
    found, or may be in another place."""
    stored = _squeeze(page_text)
    whole = _stretch(drawn, stored, page_text, start, end)
    if whole is not None:
        return [whole]
    # cells of a table, or lines that stand in another order
    found = []
    for first, last in _pieces(page_text, start, end):
        stretch = _stretch(drawn, stored, page_text, first, last)
        if stretch is None:
            return []
        found.append(stretch)
    return found


def _stretch(
    drawn: _Squeezed, stored: _Squeezed, page_text: str, start: int, end: int
) -> tuple[int, int] | None:
    """Where a piece was drawn: it must be as often among what was drawn as in the stored text, and is the same one of
    these."""
    wanted = _squeeze(page_text[start:end]).text
    if not wanted:
        return None
    there = _count(drawn.text, wanted)
    if len(there) != len(_count(stored.text, wanted)) or not there:
        return None
    before = len(_squeeze(page_text[:start]).text)
    own = [at for at in _count(stored.text, wanted) if at < before]
    at = there[len(own)]
    return drawn.places[at], drawn.places[at + len(wanted) - 1]


def _count(text: str, wanted: str) -> list[int]:
    """Where a text begins in another, overlapping or not."""
    places, at = [], text.find(wanted)
    while at >= 0:
        places.append(at)
        at = text.find(wanted, at + 1)
    return places


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The lines and cells of a span."""
    first = start
    for place in range(start, end + 1):
        if place == end or text[place] in "\n|":
            if text[first:place].strip(" -:|\n"):
                yield first, place
            first = place + 1


def _runs(page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, text: str) -> list[_Run]:
    """The characters of a page, cut where a line ends, a column does, or the next cell is far away."""
    seen = _Seen(page)
    runs: list[_Run | None] = []  # None: the end of a line
    for at, char in enumerate(text):
        if char in "\r\n":
            runs.append(None)
            continue
        run = runs[-1] if runs else None
        if char.isspace() or unicodedata.category(char) == "Cc":
            if run is not None:
                run.text.append(" ")
            continue
        x0, y0, x1, y1 = seen.box(*text_page.get_charbox(at, loose=True))
        if run is None or not _is_beside(run, x0, y0, x1, y1):
            runs.append(_Run(at, at, x0, y0, x1, y1, [char]))
            continue
        run.last = at
        run.x0, run.y0, run.x1, run.y1 = min(run.x0, x0), min(run.y0, y0), max(run.x1, x1), max(run.y1, y1)
        run.text.append(char)
    return [run for run in runs if run is not None]


def _is_beside(run: _Run, x0: float, y0: float, x1: float, y1: float) -> bool:
    height = run.y1 - run.y0
    return run.y0 <= (y0 + y1) / 2 <= run.y1 and -height <= x0 - run.x1 <= 1.5 * height and x1 > run.x0


def _placed(runs: Sequence[_Run], drawn_text: str, page_text: str) -> list[DrawnLine]:
    """Each run with the stretch of the stored text that it is."""
    drawn, stored = _squeeze(drawn_text), _squeeze(page_text)
    return [_line(run, _stored_stretch(run, drawn, stored), page_text) for run in runs]


def _stored_stretch(run: _Run, drawn: _Squeezed, stored: _Squeezed) -> tuple[int, int] | None:
    """As _stretch, the other way round."""
    first, after = bisect_left(drawn.places, run.first), bisect_right(drawn.places, run.last)
    if first < after and not drawn.text[first].isalnum() and drawn.text[first] not in stored.text:
        first += 1  # what marks an item of a list is stored as a hyphen
    wanted = drawn.text[first:after]
    if not wanted:
        return None
    at = first
    if drawn.text != stored.text:
        there, drawn_at = _count(stored.text, wanted), _count(drawn.text, wanted)
        if len(there) != len(drawn_at):
            return None
        at = there[drawn_at.index(first)]
    return stored.places[at], stored.places[at + len(wanted) - 1] + 1


def _line(run: _Run, stretch: tuple[int, int] | None, page_text: str) -> DrawnLine:
    start, end = stretch or (-1, -1)
    text = page_text[start:end] if stretch else "".join(run.text).strip()
    sides = (run.x0, run.y0, run.x1 - run.x0, run.y1 - run.y0)
    return DrawnLine(text, start, end, *(round(side, 2) for side in sides))


def _in_order(lines: Sequence[DrawnLine]) -> list[DrawnLine]:
    """In the order of the stored text, which is that of reading; a line of which it isn't known stays behind the one
    that was drawn before it."""
    places, last = [], -1
    for line in lines:
        last = line.start if line.start >= 0 else last
        places.append(last)
    return [line for _, line in sorted(zip(places, lines, strict=True), key=lambda placed: placed[0])]


class _Seen:
    """Turns places of a PDF page into places on the page as it is seen."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        width, height = page.get_size()
        self._page, self._across, self._down = page, round(width * _FINE), round(height * _FINE)
        self._x, self._y = ctypes.c_int(), ctypes.c_int()

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """The left, upper, right and lower side."""
        (xa, ya), (xb, yb) = self._point(left, bottom), self._point(right, top)
        return min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)

    def _point(self, x: float, y: float) -> tuple[float, float]:
        pdfium_c.FPDF_PageToDevice(
            *(self._page.raw, 0, 0, self._across, self._down, 0, x, y),
            *(ctypes.byref(self._x), ctypes.byref(self._y)),
        )
        return self._x.value / _FINE, self._y.value / _FINE


def _boxes(
    page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, first: int, last: int
) -> Iterator[PageBox]:
    seen = _Seen(page)
    for number in range(min(text_page.count_rects(first, last - first + 1), _MAX_BOXES)):
        x0, y0, x1, y1 = seen.box(*text_page.get_rect(number))
        if x1 > x0 and y1 > y0:
            yield PageBox(round(x0, 2), round(y0, 2), round(x1 - x0, 2), round(y1 - y0, 2))


def _png(bitmap: pypdfium2.PdfBitmap) -> bytes:
    """A bitmap of three or four bytes a pixel (red first) as PNG; without numpy, which the child can't load."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    width, height, channels = bitmap.width, bitmap.height, bitmap.n_channels
    pixels, row = memoryview(bitmap.buffer).cast("B"), channels * width
    packer = zlib.compressobj(6)
    packed = [
        packer.compress(b"\0" + pixels[at : at + row])
        for at in range(0, bitmap.stride * height, bitmap.stride)
    ]
    head = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", b"".join([*packed, packer.flush()]))
        + chunk(b"IEND", b"")
    )
