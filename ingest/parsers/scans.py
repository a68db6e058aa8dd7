"""What OCR read on a page → its words in reading order, and where each line came to stand in the stored text.

Pure. Knows no engine: whoever reads pictures (ingest/ocr.py) is handed to the parsers as a PageReader. A page is taken
whole or not at all: one that is read with little confidence is worth less than none, since nobody sees it fail.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from app.domain import PageLines, TextLine
from app.file_limits import too_large
from ingest.cleaning import normalise_text
from ingest.parsers.pdfwords import Word

if TYPE_CHECKING:
    from ingest.parsers.rasters import Picture  # numpy is for those who read pictures

Point = tuple[float, float]

MAX_PAGES: Final = 500  # of a document, that are read by OCR
MAX_PIXELS: Final = 60_000_000  # of a picture: an A3 page at 400 dpi has 31 million
# Measured on pages made worse step by step: above it at least 95 % of what was read was right, in both languages.
LEAST_PAGE_CONFIDENCE: Final = 0.9
LEAST_LINE_CONFIDENCE: Final = 0.5  # what is read worse is specks, lines and drawings
POINTS_AN_INCH: Final = 72

_MAX_LINES: Final = 2_000  # of a page
_SKEWED: Final = math.radians(0.3)
# In heights of a line.
_SAME_LINE: Final = 0.45  # middles of what stands in one line
_GUTTER: Final = 0.8  # between two columns of prose
_ALIKE: Final = 0.25  # heights of boxes differ by the letters in them; so near to the usual one they are it
_COLUMN_LINES: Final = 4
_PROSE_UNITS: Final = 20  # of the lines in a column of prose; a Chinese character counts two
_PROSE_FILL: Final = 0.6  # of the column's width


class ReadLine(NamedTuple):
    """A line as OCR found it: its corners from the upper left one clockwise, in pixels of the upright picture."""

    text: str
    confidence: float
    corners: tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Reading:
    """The lines of a picture, in no order. `width` and `height` are those of the upright picture in pixels;
    `quarter_turns`, clockwise, made it upright."""

    lines: Sequence[ReadLine]
    width: int
    height: int
    quarter_turns: int = 0

    @property
    def confidence(self) -> float:
        """The mean of its characters, in [0, 1]; 0 where there are none."""
        chars = sum(len(line.text) for line in self.lines)
        return sum(line.confidence * len(line.text) for line in self.lines) / max(1, chars)

    @property
    def is_confident(self) -> bool:
        """Whether it is worth keeping."""
        return self.confidence >= LEAST_PAGE_CONFIDENCE


class PageReader(Protocol):
    """Reads pictures of pages."""

    def begin(self, page: int, pages: int) -> None:
        """Told before the page-th of so many pages, counted from 1, is drawn and read."""

    def has_text(self, picture: Picture) -> bool:
        """Whether there may be enough to read; far quicker than reading."""

    def read(self, picture: Picture) -> Reading:
        """Find the lines of a picture, whichever way it is turned."""


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """A page as it was read. `scale`: points a pixel of the picture. `lines` hold its words in reading order."""

    reading: Reading
    scale: float
    lines: list[list[Word]]
    boxes: list[
        tuple[str, tuple[float, float, float, float]]
    ]  # text, x0, y0, x1, y1 of each line, in that order

    @classmethod
    def of(cls, reading: Reading, scale: float) -> ScannedPage:
        """Put the lines of a page in order."""
        kept = [line for line in reading.lines if line.confidence >= LEAST_LINE_CONFIDENCE][:_MAX_LINES]
        lines = _ordered(_upright_words(kept, scale))
        boxes = [
            (kept[word.seq].text, _on_page(kept[word.seq], reading, scale)) for line in lines for word in line
        ]
        return cls(
            reading,
            scale,
            [[word._replace(seq=seq) for word in line] for seq, line in enumerate(lines)],
            boxes,
        )

    def placed(self, number: int, text: str, start: int, end: int) -> PageLines:
        """Where the lines stand on the page, as it is seen, of those that are found in its stored text as they are."""
        letters = [at for at in range(start, end) if not text[at].isspace()]
        page = "".join([text[at] for at in letters])
        found: list[TextLine] = []
        after = 0
        for line, box in self.boxes:
            wanted = "".join(normalise_text(line).text.split())
            at = page.find(wanted, after)
            if at < 0 and wanted.endswith("-"):  # the joined word has no hyphen
                wanted = wanted[:-1]
                at = page.find(wanted, after)
            if at < 0 and page.count(wanted) == 1:  # a table's cells are written in another order
                at = page.find(wanted)
            if at < 0 or not wanted:
                continue
            after = at + len(wanted)
            found.append(TextLine(letters[at], letters[after - 1] + 1, *map(round, box)))
        sides = (self.reading.width, self.reading.height)
        width, height = sides[::-1] if self.reading.quarter_turns % 2 else sides
        return PageLines(number, round(width * self.scale), round(height * self.scale), tuple(found))


def check_pages(pages: int) -> None:
    """Raises DocumentError `too_large` where a document has more pages to read than is allowed."""
    if pages > MAX_PAGES:
        raise too_large("scans", pages, MAX_PAGES)


def units(text: str) -> int:
    """The length of a text in Latin letters: a Chinese character counts two, a blank none."""
    return sum(1 + (char >= "\u2e80") for char in text if not char.isspace())


def _on_page(line: ReadLine, reading: Reading, scale: float) -> tuple[float, float, float, float]:
    """The box around a line on the page as it is seen, before it was turned; in points."""
    corners = list(line.corners)
    width, height = reading.width, reading.height
    for _ in range(reading.quarter_turns % 4):  # one turn back each: counterclockwise
        corners = [(y, width - x) for x, y in corners]
        width, height = height, width
    xs, ys = [x * scale for x, _ in corners], [y * scale for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _upright_words(lines: Sequence[ReadLine], scale: float) -> list[Word]:
    """Each line as one word in points, the page turned by the slant that most of it has; `seq` is its index."""
    angles = sorted(_angle(line.corners) for line in lines if _length(line.corners) > 0)
    angle = angles[len(angles) // 2] if angles else 0.0
    sine, cosine = (math.sin(-angle), math.cos(-angle)) if abs(angle) > _SKEWED else (0.0, 1.0)
    usual = median([_height(line.corners) for line in lines]) if lines else 0.0
    words = []
    for index, line in enumerate(lines):
        x, y = sum(x for x, _ in line.corners) / 4, sum(y for _, y in line.corners) / 4
        x, y = cosine * x - sine * y, sine * x + cosine * y
        width, height = _length(line.corners), _height(line.corners)
        if abs(height - usual) <= _ALIKE * usual:
            height = usual
        x0, x1, y0, y1 = x - width / 2, x + width / 2, y - height / 2, y + height / 2
        text = " ".join(line.text.split())
        if text:
            words.append(Word(text, x0 * scale, x1 * scale, y0 * scale, y1 * scale, index))
    return words


def _angle(corners: Sequence[Point]) -> float:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    return math.atan2(y1 + y2 - y0 - y3, x1 + x2 - x0 - x3)


def _length(corners: Sequence[Point]) -> float:
    return (math.dist(corners[0], corners[1]) + math.dist(corners[3], corners[2])) / 2


def _height(corners: Sequence[Point]) -> float:
    return (math.dist(corners[0], corners[3]) + math.dist(corners[1], corners[2])) / 2


# Reading order


def _ordered(words: Sequence[Word]) -> list[list[Word]]:
    """Lines from top to bottom, columns of prose one after the other."""
    if not words:
        return []
    height = median([word.y1 - word.y0 for word in words])
    return _in_columns(_rows(words, height), height)


def _rows(words: Sequence[Word], height: float) -> list[list[Word]]:
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.y0 + word.y1):
        last = rows[-1] if rows else []
        middle = (word.y0 + word.y1) / 2
        if last and middle - sum(one.y0 + one.y1 for one in last) / (2 * len(last)) < _SAME_LINE * height:
            last.append(word)
        else:
            rows.append([word])
    return [sorted(row, key=lambda word: word.x0) for row in rows]


def _in_columns(rows: Sequence[list[Word]], height: float) -> list[list[Word]]:
    ordered: list[list[Word]] = []
    at = 0
    while at < len(rows):
        end, border = _columns_from(rows, at, height)
        if border is None:
            ordered.append(rows[at])
            at += 1
            continue
        words = [word for row in rows[at:end] for word in row]
        for side in ([w for w in words if w.x1 <= border], [w for w in words if w.x0 >= border]):
            ordered += _in_columns(_rows(side, height), height)
        at = end
    return ordered


def _columns_from(rows: Sequence[list[Word]], start: int, height: float) -> tuple[int, float | None]:
    """Where a stretch of lines that begins at `start` and leaves a stripe blank between prose ends, and the middle of
    the stripe; None where there is none."""
    stripes = [(min(w.x0 for row in rows for w in row), max(w.x1 for row in rows for w in row))]
    end = start
    while end < len(rows):
        narrowed = [
            (left, right)
            for stripe in stripes
            for left, right in _blank(stripe, rows[end])
            if right - left >= _GUTTER * height
        ]
        if not narrowed:
            break
        stripes = narrowed
        end += 1
    if end - start < _COLUMN_LINES:
        return start + 1, None
    return end, _prose_border(stripes, [word for row in rows[start:end] for word in row])


def _blank(stripe: tuple[float, float], row: Sequence[Word]) -> list[tuple[float, float]]:
    left, right = stripe
    edges = [left, *(edge for word in row for edge in (word.x0, word.x1)), right]
    gaps = [(edges[at], edges[at + 1]) for at in range(0, len(edges), 2)]
    return [(max(left, x0), min(right, x1)) for x0, x1 in gaps if min(right, x1) > max(left, x0)]


def _prose_border(stripes: Sequence[tuple[float, float]], words: Sequence[Word]) -> float | None:
    borders = [(left + right) / 2 for left, right in stripes]
    columns: list[list[Word]] = [[] for _ in range(len(borders) + 1)]
    for word in words:
        columns[bisect(borders, word.x0)].append(word)
    is_prose = [_is_prose(column) for column in columns]
    return next((at for at, pair in zip(borders, pairwise(is_prose), strict=True) if all(pair)), None)


def _is_prose(words: Sequence[Word]) -> bool:
    if len(words) < _COLUMN_LINES:
        return False
    width = max(word.x1 for word in words) - min(word.x0 for word in words)
    fill = median([word.x1 - word.x0 for word in words])
    return median([units(word.text) for word in words]) >= _PROSE_UNITS and fill >= _PROSE_FILL * width
