"""PDF as Word, LibreOffice, Chrome and LaTeX lay pages out: headings by size, columns, hyphens, tables, numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from eval.fidelity.pdf_writer import HEIGHT, WIDTH, Font, Line, Paper, Rule, width_of, write
from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    ARCHIVE,
    BAKERY,
    FERRY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MUSEUM,
    POLICY,
    PRODUCT,
    Story,
    headings_of,
    parts_of,
    words_of,
)


@dataclass(slots=True)
class Program:
    """How a program sets a page. `head`, `foot`: running lines, in which {n} is the page; `outline`: bookmarks."""

    name: str
    font: Font = "subset"
    size: float = 11
    head: str = ""
    foot: str = ""
    outline: bool = False
    gaps: bool = False
    hyphens: bool = False
    ruled: bool = False  # tables
    tells_title: bool = False
    margin: float = 72
    column: float = WIDTH - 144
    columns: int = 1
    producer: str = ""
    heading_font: Font | None = None
    page_lines: int = 60
    more: tuple[str, ...] = field(default=())


WORD = Program(
    "word", foot="Page {n}", ruled=True, producer="Microsoft Word for Microsoft 365", page_lines=24
)
WORD_SANS = Program(
    "word-sans",
    font="sans",
    heading_font="bold",
    head="Handbook of the works",
    foot="{n} / 3",
    tells_title=True,
    page_lines=18,
)
CHROME = Program(
    "chrome",
    head="3/1/26, 9:00 AM",
    foot="https://docs.example/page {n}/2",
    producer="Skia/PDF m120",
    page_lines=30,
)
LATEX = Program(
    "latex",
    font="sans",
    heading_font="bold",
    foot="{n}",
    gaps=True,
    hyphens=True,
    columns=2,
    column=215,
    margin=72,
    size=10,
)
LATEX_ONE = Program(
    "latex-one",
    font="sans",
    heading_font="bold",
    foot="{n}",
    gaps=True,
    hyphens=True,
    outline=True,
    tells_title=True,
    column=330,
    margin=130,
)
LIBREOFFICE = Program(
    "libreoffice", ruled=True, outline=True, producer="LibreOffice 24.2", foot="{n}", page_lines=26
)


def make_pdf() -> Iterator[Sample]:
    """Yield PDF."""
    pairs = (
        (WORD, (GUIDE, POLICY, LIBRARY, ARCHIVE)),
        (WORD_SANS, (GUIDE, BAKERY, FERRY)),
        (CHROME, (PRODUCT, POLICY, FREEZER)),
        (LATEX, (GUIDE, PRODUCT, FERRY)),
        (LATEX_ONE, (BAKERY, PRODUCT)),
        (LIBREOFFICE, (GUIDE, MUSEUM, FREEZER)),
    )
    for program, stories in pairs:
        for story in stories:
            yield _sample(program, story)


def _sample(program: Program, story: Story) -> Sample:
    paper = _Setter(program, story).set()
    title = story.title
    return Sample(
        f"pdf/{program.name}-{story.name}.pdf",
        write(paper),
        words_of(story, title=True),
        (),
        title,
        headings_of(story),
    )


class _Setter:
    """Lays a story out, top to bottom, column by column."""

    def __init__(self, program: Program, story: Story) -> None:
        self._program, self._story = program, story
        self._paper = Paper(story.title if program.tells_title else "", program.producer or "pdfTeX-1.40.25")
        self._y, self._column, self._lines = HEIGHT - 90.0, 0, 0

    def set(self) -> Paper:
        self._furniture()
        program = self._program
        self._write(self._story.title, program.size * 2, self._heading_font(), after=16, is_wide=True)
        for kind, items in parts_of(self._story):
            first = items[0]
            if kind in {"h2", "h3"}:
                self._heading(first[0], kind)
            elif kind in {"li", "ol"}:
                for number, (text,) in enumerate(items, start=1):
                    self._write(f"{'•' if kind == 'li' else f'{number}.'} {text}", after=3)
                self._y -= 6
            elif kind == "row":
                self._table(items)
            elif kind == "code":
                for line in first[1].split("\n"):
                    self._write(line, program.size - 1, "mono", after=1)
                self._y -= 8
            else:
                for text in first:
                    self._write(text)
        return self._paper

    def _heading_font(self) -> Font:
        return self._program.heading_font or self._program.font

    def _heading(self, text: str, kind: str) -> None:
        size = self._program.size * (1.5 if kind == "h2" else 1.25)
        self._y -= 8
        self._room(size * 3)
        if self._program.outline:
            self._paper.outline.append((text, len(self._paper.pages) - 1, self._y + size))
        self._write(text, size, self._heading_font(), after=6)

    def _furniture(self) -> None:
        number = len(self._paper.pages)
        font = self._program.font
        for text, y in ((self._program.head, HEIGHT - 40), (self._program.foot, 36)):
            if text:
                self._paper.draw(Line(WIDTH / 2 - 20, y, text.format(n=number), 8, font))

    def _room(self, height: float) -> None:
        """Go on in the next column or on the next page where there is not so much room."""
        if self._y - height > 70 and self._lines < self._program.page_lines:
            return
        self._lines = 0
        self._column += 1
        if self._column >= self._program.columns:
            self._column = 0
            self._paper.pages.append([])
            self._furniture()
        self._y = HEIGHT - 90.0

    def _write(
        self, text: str, size: float = 0, font: Font | None = None, *, after: float = 8, is_wide: bool = False
    ) -> None:
        size, font = size or self._program.size, font or self._program.font
        room = WIDTH - 2 * self._program.margin if is_wide else self._program.column
        for line in broken_lines(
            text, room, size, font, hyphens=self._program.hyphens and font == self._program.font
        ):
            self._room(size)
            x = self._program.margin + self._column * (self._program.column + 20)
            self._paper.draw(Line(x, self._y, line, size, font, gaps=self._program.gaps and font != "mono"))
            self._y -= size * 1.3
            self._lines += 1
        self._y -= after

    def _table(self, rows: Sequence[Sequence[str]]) -> None:
        program = self._program
        step = program.column / len(rows[0])
        height = program.size + 8
        self._room(height * len(rows) + 10)
        left = program.margin + self._column * (program.column + 20)
        top = self._y + program.size + 3
        for row in rows:
            for at, cell in enumerate(row):
                self._paper.draw(Line(left + at * step + 4, self._y, cell, program.size - 1, program.font))
            self._y -= height
            self._lines += 1
        if program.ruled:
            bottom = top - height * len(rows)
            for number in range(len(rows) + 1):
                self._paper.draw(
                    Rule(left, top - number * height, left + program.column, top - number * height)
                )
            for number in range(len(rows[0]) + 1):
                self._paper.draw(Rule(left + number * step, bottom, left + number * step, top))
        self._y -= 10


def broken_lines(text: str, room: float, size: float, font: Font, *, hyphens: bool) -> Iterator[str]:
    """The lines of a paragraph; Chinese breaks anywhere, a long word with a hyphen in its middle."""
    line = ""
    words = text.split(" ") if text.isascii() or " " in text else list(text)
    gap = " " if " " in text or text.isascii() else ""
    for word in words:
        longer = f"{line}{gap}{word}" if line else word
        if width_of(longer, size, font) <= room:
            line = longer
            continue
        half = len(word) // 2
        if (
            hyphens
            and len(word) >= 8
            and word.isalpha()
            and width_of(f"{line} {word[:half]}-", size, font) <= room
        ):
            yield f"{line} {word[:half]}-"
            line = word[half:]
        else:
            yield line
            line = word
    yield line
