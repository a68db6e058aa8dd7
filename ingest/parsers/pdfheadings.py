"""Lines of a PDF in larger letters than its text → headings, for files without an outline.

Pure. What is read is the height of letters alone, never a weight or a colour. A page's lines prove nothing where larger
letters are not few, where a line is a number, a sign or a sentence, or where it comes again on other pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Final, NamedTuple

from ingest.parsers.headings import MAX_HEADING_CHARS
from ingest.parsers.pdfoutline import Entry
from ingest.parsers.pdfwords import Word

_LARGER: Final = 1.12  # times the height of the text
_TITLE: Final = 1.3
_ALIKE: Final = 1.04  # two heights whose ratio is less are one
_MOST: Final = 0.35  # of a document's letters that are larger: slides have more headings than reports
_LEAST_ADVANCE: Final = (
    0.22  # of the height: fonts for formulas claim boxes many times as high as their letters
)
_MAX_LINES: Final = 3
_MAX_WORDS: Final = 30
_REPEATED: Final = 3  # times that a line comes on pages and is furniture
_MAX_HEADINGS: Final = 5_000
_MAX_LEVEL: Final = 6
_SENTENCE: Final = re.compile(r"[.;,:。；，：、]$")
_LONG: Final = 60  # characters of a line that ends as a sentence does and is one
_LETTER: Final = re.compile(r"[^\W\d_]")


class _Line(NamedTuple):
    text: str
    height: float
    y0: float
    y1: float
    page: int


@dataclass(slots=True)
class LetterHeights:
    """Collects the heights of a document's letters, page by page, and its lines in larger ones."""

    _letters: Counter[float] = field(default_factory=Counter)  # height, to a tenth of a point → letters
    _lines: list[_Line] = field(default_factory=list)

    def add_page(self, page: int, lines: Sequence[Sequence[Word]]) -> None:
        """Look at a page's lines; `page` is its index."""
        counts: Counter[float] = Counter()
        found: list[_Line] = []
        for words in lines:
            height = min([word.y1 - word.y0 for word in words])
            chars = sum([len(word.text) for word in words])
            counts[round(height, 1)] += chars
            advance = words[-1].x1 - words[0].x0
            if chars <= MAX_HEADING_CHARS and advance >= _LEAST_ADVANCE * height * chars:
                text = " ".join([word.text for word in words])
                found.append(_Line(text, height, words[0].y0, words[0].y1, page))
        self._letters.update(counts)
        usual = max(counts, key=lambda height: counts[height], default=0.0)
        is_short = len(found) < 10  # slides and title pages have no usual height of their own
        self._lines += [line for line in found if is_short or line.height >= _LARGER * usual]

    def entries(self) -> list[Entry]:
        """The headings in their order, the largest at level 1; none where larger letters are not few."""
        return [
            Entry(level, text, page, begins_page=False)
            for level, text, page in islice(self._headings(), _MAX_HEADINGS)
        ]

    def title(self) -> str:
        """The words in the largest letters of the first page that has any; "" where they are hardly larger."""
        body = self._usual()
        found = [line for line in self._lines if line.page == self._lines[0].page] if self._lines else []
        largest = max((line.height for line in found), default=0.0)
        if not body or largest < _TITLE * body:
            return ""
        lines = next((run for run in _runs(found) if run[0].height * _ALIKE >= largest), [])
        return " ".join(line.text for line in lines) if _is_heading(lines) else ""

    def _headings(self) -> Iterator[tuple[int, str, int]]:
        body = self._usual()
        larger = [line for line in self._lines if line.height >= _LARGER * body]
        if not body or not larger:
            return
        runs = [run for run in _runs(larger) if _is_heading(run)]
        times = Counter(" ".join(line.text for line in run) for run in runs)
        levels = _levels([run[0].height for run in runs])
        for run in runs:
            text = " ".join(line.text for line in run)
            if times[text] < _REPEATED:
                yield levels[run[0].height], text[:MAX_HEADING_CHARS], run[0].page

    def _usual(self) -> float:
        """The height of most letters; 0 where there is none, or too much is larger."""
        usual = max(self._letters, key=lambda height: self._letters[height], default=0.0)
        larger = sum(count for height, count in self._letters.items() if height >= _LARGER * usual)
        if larger > _MOST * self._letters.total():
            heights = sorted(
                self._letters
            )  # slides: the smaller letters are the text, though they may be fewer
            usual = next((height for height in heights if self._share_above(height) <= _MOST), 0.0)
            smaller = sum(count for height, count in self._letters.items() if height < usual / _LARGER)
            return usual if smaller <= _MOST * self._letters.total() else 0.0
        return usual

    def _share_above(self, height: float) -> float:
        larger = sum(count for other, count in self._letters.items() if other >= _LARGER * height)
        return larger / max(1, self._letters.total())


def _runs(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Lines of one height below each other: a heading may go over several."""
    run: list[_Line] = []
    for line in lines:
        if run and not _goes_on(run[-1], line):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _goes_on(above: _Line, line: _Line) -> bool:
    is_alike = max(above.height, line.height) <= _ALIKE * min(above.height, line.height)
    return above.page == line.page and is_alike and 0 < line.y0 - above.y0 <= 1.5 * line.height


def _is_heading(run: Sequence[_Line]) -> bool:
    text = " ".join(line.text for line in run)
    if not run or len(run) > _MAX_LINES or len(text.split()) > _MAX_WORDS or len(text) > MAX_HEADING_CHARS:
        return False
    letters = len(_LETTER.findall(text))
    is_sentence = len(text) > _LONG and bool(_SENTENCE.search(text))
    return letters >= 2 and 3 * letters >= len(text.replace(" ", "")) and not is_sentence


def _levels(heights: Sequence[float]) -> dict[float, int]:
    """Height → level from 1; heights that are about the same have the same level."""
    levels: dict[float, int] = {}
    level, last = 0, 0.0
    for height, _ in groupby(sorted(heights, reverse=True)):
        if not level or height * _ALIKE < last:
            level, last = min(_MAX_LEVEL, level + 1), height
        levels[height] = level
    return levels
