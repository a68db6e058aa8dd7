"""What repeats or counts on the pages of a PDF: furniture or content."""

from __future__ import annotations

import pytest

from ingest.cleaning import find_repeated_lines
from ingest.parsers import parse, pdf
from tests.pdfs import build_pdf

BODIES = ("Close the inlet valve.", "Drain the tank.", "Rinse the filter.", "Label the barrel.")


@pytest.mark.parametrize(
    "heading",
    ["Procedure {}", "Step {}", "第{}条", "Exhibit {}", "Week {}", "Question {}:", "{}月", "Document: {}"],
)
def test_a_heading_that_counts_with_the_pages_stays(heading: str) -> None:
    """F-1111: one step, exhibit, week or article a page."""
    pages = [[heading.format(number), body] for number, body in enumerate(BODIES, 1)]
    document = parse(build_pdf(pages), pdf.MEDIA_TYPE, "a.pdf")
    assert [heading.format(number) in document.text for number in range(1, 5)] == [True] * 4
    assert document.dropped == {}
    with_header = [
        ["Works manual", *page, f"and {page[1]}", f"{number}"] for number, page in enumerate(pages, 7)
    ]
    assert find_repeated_lines(with_header) == [{4}, *[{0, 4}] * 3]


def test_counted_lines_that_are_all_there_is_stay() -> None:
    """F-1111: slides with nothing but their number in words are no scan."""
    assert find_repeated_lines([[f"Document 1: Page {number}"] for number in range(1, 4)]) == [set()] * 3


NUMBERED = (
    "{};- {} -;Page {} of 9;Seite {};第{}页 共9页;Manual\t{};{}\tManual;Manual\t{} / 9;Manual | {};{} Manual"
    ";Manual, p. {};[{}];{} / 9;{}页;第 {} 頁"
)


@pytest.mark.parametrize("line", NUMBERED.split(";"))
def test_page_numbers_go_wherever_they_stand(line: str) -> None:
    for place in (0, 2):
        pages = []
        for number, body in enumerate(BODIES, 5):
            lines = [body, f"and {body}"]
            lines.insert(place, line.format(number))
            pages.append(lines)
        assert find_repeated_lines(pages) == [{place}] * 4
