"""A page of a PDF → its words and ruled lines with their places, as pdfium finds them.

Calls pdfium, under the lock of `pdf`; knows nothing of what words and lines mean. Places are in points as the page is
shown, x from left to right, y from top to bottom; lines and words are in drawing order.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium_c

MAX_WORDS = 50_000  # of a page; one that has more is a list of lines without places
_MAX_OBJECTS = 20_000  # of a page in which ruled lines are looked for
_MAX_SEGMENTS = 20_000  # of a page's paths
_MAX_FORM_DEPTH = 3
_THIN = 3.0  # points; a filled stripe as thin as this is a line

HYPHENS = (
    "\x02\ufffe"  # pdfium writes one of these for a hyphen at a line's end and leaves the line's end out
)
_MARKS = frozenset(HYPHENS)
_MARK = re.compile(f"[{HYPHENS}]")


class Word(NamedTuple):
    """Letters without a blank, and the box of their line's height around them, about 1.2 times the font's size.

    `seq` counts lines as drawn.
    """

    text: str
    x0: float
    x1: float
    y0: float
    y1: float
    seq: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line along an axis: at `at` across it, from `start` to `end` along it."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The ruled lines of a page."""

    across: tuple[Rule, ...] = ()  # `at` is y
    down: tuple[Rule, ...] = ()  # `at` is x


Matrix = tuple[float, float, float, float, float, float]
_UNCHANGED: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
Turn = Callable[[float, float], tuple[float, float]]

# (x, y) of the page's space as it is shown, for /Rotate by quarters clockwise
_TURNS: tuple[Turn, ...] = (
    lambda x, y: (x, -y),
    lambda x, y: (y, x),
    lambda x, y: (-x, y),
    lambda x, y: (-y, -x),
)


def read_words(page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage) -> list[list[Word]]:
    """Return the lines of a page, each with its words; words that stand outside the page are left out."""
    text = text_page.get_text_range()
    if len(text) != text_page.count_chars():  # places could not be told by index
        return _without_places(text_page.get_text_bounded())
    handle, box = text_page.raw, pdfium_c.FS_RECTF()
    pointer, read = ctypes.byref(box), pdfium_c.FPDFText_GetLooseCharBox
    lines: list[list[Word]] = []
    place = 0  # of the word in the text of pdfium, which has no line's end behind a mark
    for line in _MARK.sub("\\g<0>\n", text.replace("\r", " ")).split("\n"):
        words: list[Word] = []
        ends_in_mark = line[-1:] in _MARKS
        for piece in line.split(" "):
            if piece:
                last = place + len(piece) - 1
                read(handle, place, pointer)
                x0, x1, y0, y1 = box.left, box.right, box.bottom, box.top
                if last > place:
                    # a mark has the box of nothing
                    read(handle, last - 1 if ends_in_mark and piece[-1] in _MARKS else last, pointer)
                    if box.bottom == y0 and box.right > x1:
                        x1 = box.right
                    else:  # turned, or with letters of another size
                        x0, x1 = min(x0, box.left), max(x1, box.right)
                        y0, y1 = min(y0, box.bottom), max(y1, box.top)
                words.append(Word(piece, x0, x1, -y1, -y0, len(lines)))
                place = last + 1
            place += 1
        place -= ends_in_mark
        if words:
            lines.append(words)
    if sum(map(len, lines)) > MAX_WORDS:
        return _without_places(text_page.get_text_bounded())
    return as_shown(lines, page)


def as_shown(lines: list[list[Word]], page: pypdfium2.PdfPage) -> list[list[Word]]:
    """Leave out what stands outside the page, and turn the places as the page is turned."""
    left, bottom, right, top = page.get_bbox()

    def is_inside(word: Word) -> bool:
        return bool(word.x1 >= left and word.x0 <= right and word.y1 >= -top and word.y0 <= -bottom)

    kept = [
        line if is_inside(line[0]) and is_inside(line[-1]) else [word for word in line if is_inside(word)]
        for line in lines
        if line
    ]
    turn = _TURNS[page.get_rotation() // 90 % 4]
    if turn is not _TURNS[0]:
        kept = [[_turned(word, turn) for word in line] for line in kept]
    return [line for line in kept if line]


def _turned(word: Word, turn: Turn) -> Word:
    (xa, ya), (xb, yb) = turn(word.x0, -word.y1), turn(word.x1, -word.y0)
    return Word(word.text, min(xa, xb), max(xa, xb), min(ya, yb), max(ya, yb), word.seq)


def read_rules(page: pypdfium2.PdfPage) -> Rules:
    """Return the straight lines of a page, thin stripes and the sides of boxes among them."""
    turn = _TURNS[page.get_rotation() // 90 % 4]
    across: list[Rule] = []
    down: list[Rule] = []
    for (xa, ya), (xb, yb) in _strokes(page):
        (x0, y0), (x1, y1) = turn(xa, ya), turn(xb, yb)
        width, height = abs(x1 - x0), abs(y1 - y0)
        if height <= _THIN and width > height:
            across.append(Rule((y0 + y1) / 2, min(x0, x1), max(x0, x1)))
        elif width <= _THIN and height > width:
            down.append(Rule((x0 + x1) / 2, min(y0, y1), max(y0, y1)))
    return Rules(tuple(across), tuple(down))


def _without_places(text: str) -> list[list[Word]]:
    lines = re.sub(f"([{HYPHENS}])\n?", r"\1\n", text.replace("\r\n", "\n")).split("\n")
    return [[Word(line, 0, 0, 0, 0, seq)] for seq, line in enumerate(lines) if line.strip()]


Point = tuple[float, float]


def _strokes(page: pypdfium2.PdfPage) -> Iterator[tuple[Point, Point]]:
    """Yield the lines of a page's paths, and thin filled boxes as the line from corner to corner."""
    left = _MAX_SEGMENTS
    for handle, outer in _paths(page):
        left -= pdfium_c.FPDFPath_CountSegments(handle)
        if left < 0:
            return
        fill, stroked = ctypes.c_int(), ctypes.c_int()
        pdfium_c.FPDFPath_GetDrawMode(handle, fill, stroked)
        if not (fill.value or stroked.value):
            continue
        matrix = _times(_matrix_of(handle), outer)
        for points in _subpaths(handle, matrix):
            xs, ys = [x for x, _ in points], [y for _, y in points]
            corners = (min(xs), min(ys)), (max(xs), max(ys))
            if min(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1]) <= _THIN:
                yield corners
            elif stroked.value:
                yield from pairwise(points)


def _paths(page: pypdfium2.PdfPage) -> Iterator[tuple[pdfium_c.FPDF_PAGEOBJECT, Matrix]]:
    """Yield a page's paths, those in forms too, with the matrix of the form around them."""
    left = _MAX_OBJECTS
    pending = [
        (pdfium_c.FPDFPage_CountObjects(page.raw), pdfium_c.FPDFPage_GetObject, page.raw, _UNCHANGED, 0),
    ]
    while pending:
        count, get, parent, matrix, depth = pending.pop()
        for index in range(min(count, left)):
            handle = get(parent, index)
            kind = pdfium_c.FPDFPageObj_GetType(handle)
            if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
                yield handle, matrix
            elif kind == pdfium_c.FPDF_PAGEOBJ_FORM and depth < _MAX_FORM_DEPTH:
                inner = pdfium_c.FPDFFormObj_CountObjects(handle)
                pending.append(
                    (
                        inner,
                        pdfium_c.FPDFFormObj_GetObject,
                        handle,
                        _times(_matrix_of(handle), matrix),
                        depth + 1,
                    )
                )
        left -= count
        if left <= 0:
            return


def _matrix_of(handle: pdfium_c.FPDF_PAGEOBJECT) -> Matrix:
    found = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(handle, found):
        return _UNCHANGED
    return (found.a, found.b, found.c, found.d, found.e, found.f)


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    """The matrix that applies `inner` and then `outer` (ISO 32000-1, 8.3.4)."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _subpaths(handle: pdfium_c.FPDF_PAGEOBJECT, matrix: Matrix) -> Iterator[list[Point]]:
    """Yield the corners of each part of a path that is made of straight lines, closed ones back to the start."""
    a, b, c, d, e, f = matrix
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[Point] = []
    for index in range(pdfium_c.FPDFPath_CountSegments(handle)):
        segment = pdfium_c.FPDFPath_GetPathSegment(handle, index)
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            if len(points) > 1:
                yield points
            points = [point]
        elif kind == pdfium_c.FPDF_SEGMENT_LINETO and points:
            points.append(point)
        else:  # a curve: its part is no ruled line
            points = []
        if points and pdfium_c.FPDFPathSegment_GetClose(segment):
            points.append(points[0])
    if len(points) > 1:
        yield points
