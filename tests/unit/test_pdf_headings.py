"""Headings of PDFs by the size of their letters, and what is none."""

from __future__ import annotations

from eval.fidelity.pdf_writer import Font, Line, Paper, write
from ingest.parsers import parse
from ingest.parsers.pdfheadings import LetterHeights
from ingest.parsers.pdfwords import Word

BODY = "The reserve tank is rinsed twice a year and painted every fifth spring by the crew."


def page(*lines: tuple[str, float], font: Font = "sans") -> list[Line]:
    """Lines of these sizes, one below the other."""
    drawn, y = [], 780.0
    for text, size in lines:
        drawn.append(Line(60, y, text, size, font))
        y -= 1.4 * size
    return drawn


def read(*pages: list[Line], title: str = "") -> tuple[str, list[tuple[str, ...]]]:
    """The title and the headings of a PDF of these pages."""
    document = parse(
        write(Paper(title, pages=[list(lines) for lines in pages])), "application/pdf", "stem.pdf"
    )
    return document.title, [section.heading_path for section in document.sections]


def body(count: int = 6) -> list[tuple[str, float]]:
    return [(BODY, 11)] * count


def test_larger_lines_are_headings_under_each_other() -> None:
    title, paths = read(
        page(("Tank manual", 24), *body(), ("Rinsing", 16), *body(), ("By hand", 13), *body()),
        page(("Painting", 16), *body(12)),
    )
    assert title == "Tank manual"
    assert paths == [
        ("Tank manual",),
        ("Tank manual", "Rinsing"),
        ("Tank manual", "Rinsing", "By hand"),
        ("Tank manual", "Painting"),
    ]


def test_a_heading_may_go_over_two_lines() -> None:
    title, paths = read(page(("How the reserve tank is", 20), ("rinsed and painted", 20), *body(12)))
    assert title == "How the reserve tank is rinsed and painted"
    assert paths == [(title,)]


def test_letters_of_one_size_have_no_headings() -> None:
    title, paths = read(page(("Tank manual", 11), *body(12)))
    assert title == "Tank manual"
    assert paths == []


def test_what_is_said_in_larger_letters_is_no_heading() -> None:
    """A number, a sentence, a line that comes on every page, and a text most of which is larger."""
    quote = "We never had to paint the tank again, and that was thirty years ago in spring."
    assert read(page(*body(), (quote, 16), *body()))[1] == []
    assert read(page(*body(), ("2,400", 30), *body()))[1] == []
    assert read(*[page(*body(), ("Works of Moss", 16), *body()) for _ in range(3)])[1] == []
    assert read(page(*[(BODY[:40], 16)] * 9, (BODY, 11)))[1] == []


def test_a_page_number_or_a_moment_is_no_title() -> None:
    assert read(page(("Page 1 of 3", 11), ("Tank manual", 11), *body()))[0] == "Tank manual"
    assert read(page(("3/1/26, 9:00 AM", 11), ("Tank manual", 11), *body()))[0] == "Tank manual"
    assert read(page(("第 1 页", 11), ("储罐手册", 11), font="subset"))[0] == "储罐手册"


def test_a_title_of_the_properties_comes_first() -> None:
    assert read(page(("Tank manual", 24), *body()), title="Care of tanks")[0] == "Care of tanks"


def test_fonts_that_claim_high_boxes_prove_nothing() -> None:
    """Fonts for formulas have boxes of several times the height of their letters."""
    heights = LetterHeights()
    text = [[Word(word, 6 * at, 6 * at + 30, 0, 13, 0) for at, word in enumerate(BODY.split())]] * 20
    formula = [[Word("lim", 0, 16, 40, 120, 21), Word("sup", 18, 34, 40, 120, 21)]]
    heights.add_page(0, [*text, *formula])
    assert heights.entries() == []
    assert heights.title() == ""
