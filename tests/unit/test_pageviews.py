"""ingest.parsers.pageviews and the child that it runs in: pictures, and boxes that are right or not there."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest

from app.errors import DocumentError
from ingest.page_views import SandboxedPages
from ingest.parsers import pageviews
from ingest.parsers.pageviews import (
    MAX_SIDE,
    DrawnLine,
    PageBox,
    draw_page,
    find_boxes,
    page_sizes,
    read_lines,
)
from ingest.parsers.pdf import parse_pdf
from ingest.sandbox.wire import WireError, decode_lines
from tests.pdfs import Drawn, build_pdf, draw_pdf

# Left end of the baseline from the page's lower left, which is 1,200 by 1,600 points; a letter is 6 wide, the font 12.
LINES: list[Drawn] = [
    (100, 1400, "The valve opens at 7 bar and"),
    (100, 1380, "closes at 5 bar, which is tested"),
    (100, 1360, "every year. 阀门每年检验一次。"),
    (100, 1300, "The valve is red."),
]


def boxes_of(content: bytes, quote: str, *, page: int = 1) -> list[PageBox]:
    """The boxes of a quote, which stands once in the page's stored text."""
    document = parse_pdf(content, "a.pdf")
    span = document.pages[page - 1]
    text = document.text[span.char_start : span.char_end]
    assert text.count(quote) == 1, text
    start = text.index(quote)
    return find_boxes(content, page, text, start, start + len(quote))


def covers(box: PageBox, x: float, baseline: float, letters: int, *, height: float = 1600) -> bool:
    """Whether a box is that of so many letters on a baseline, both from the lower left, of a page so high."""
    from_top = height - baseline
    return (
        (box.x, box.width) == (x, 6 * letters)
        and from_top - 12 <= box.y <= from_top - 8
        and from_top <= box.y + box.height <= from_top + 4
    )


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_boxes_lie_where_the_words_were_drawn(rotate: int) -> None:
    content = draw_pdf([LINES], rotate=rotate)
    lying = rotate in (90, 270)  # the upper 100 points of what is drawn are not on the page then
    height = 1500 if lying else 1600
    assert page_sizes(content) == [(1600, 1200) if lying else (1200, 1600)]
    (box,) = boxes_of(content, "closes at 5 bar")
    assert covers(box, 100, 1380, 15, height=height)
    first, second = boxes_of(
        content, "tested every year"
    )  # over a line's end, which the stored text has closed
    assert covers(first, 100 + 26 * 6, 1380, 6, height=height)
    assert covers(second, 100, 1360, 10, height=height)
    (chinese,) = boxes_of(content, "阀门每年检验一次。")
    assert covers(chinese, 100 + 12 * 6, 1360, 9, height=height)


def test_the_same_words_twice_are_told_apart_by_their_order() -> None:
    content = draw_pdf([LINES])
    document = parse_pdf(content, "a.pdf")
    places = [at for at in range(len(document.text)) if document.text.startswith("The valve", at)]
    found = [find_boxes(content, 1, document.text, at, at + 9) for at in places]
    assert [covers(box, 100, baseline, 9) for (box,), baseline in zip(found, (1400, 1300), strict=True)] == [
        True,
        True,
    ]


def test_what_is_not_certain_has_no_box() -> None:
    content = draw_pdf([LINES])
    text = "The valve opens at 7 bar and closes at 5 bar, which is tested every year."
    assert find_boxes(content, 1, text, 0, 9) == []  # there twice, and once in what is said to be stored
    assert find_boxes(content, 1, "Another page altogether", 0, 7) == []
    other = text.replace("7 bar", "8 bar")
    assert find_boxes(content, 1, other, 10, 28) == []
    assert find_boxes(build_pdf([None]), 1, "scanned", 0, 7) == []


def test_cells_of_a_table_have_a_box_each() -> None:
    rows = [("Part", "Price"), ("Valve", "12 EUR"), ("Hose", "3 EUR"), ("Pump", "450 EUR")]
    drawn: list[Drawn] = [
        (100 + 300 * column, 1400 - 30 * number, cell)
        for number, row in enumerate(rows)
        for column, cell in enumerate(row)
    ]
    drawn += [(90.0, 1420.0 - 30 * n, 600.0, 1420.0 - 30 * n) for n in range(5)]
    drawn += [(x, 1420.0, x, 1300.0) for x in (90.0, 390.0, 600.0)]
    content = draw_pdf([drawn])
    document = parse_pdf(content, "a.pdf")
    assert "| Valve | 12 EUR |" in document.text
    start = document.text.index("| Valve")
    found = find_boxes(content, 1, document.text, start, start + len("| Valve | 12 EUR |"))
    assert any(covers(box, 100, 1370, 5) for box in found)
    assert any(covers(box, 400, 1370, 6) for box in found)
    assert all(abs(box.y - (1600 - 1370 - 10)) < 12 for box in found)


def lines_of(content: bytes, *, page: int = 1) -> tuple[str, list[DrawnLine]]:
    """A page's stored text and its lines."""
    document = parse_pdf(content, "a.pdf")
    span = document.pages[page - 1]
    text = document.text[span.char_start : span.char_end]
    return text, read_lines(content, page, text)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_lines_are_the_stored_text_where_it_was_drawn(rotate: int) -> None:
    text, lines = lines_of(draw_pdf([LINES], rotate=rotate))
    assert [line.text for line in lines] == [drawn[2] for drawn in LINES]
    assert all(text[line.start : line.end] == line.text for line in lines)
    height = 1500 if rotate in (90, 270) else 1600
    for line, drawn in zip(lines[:2], LINES, strict=False):
        assert (line.x, line.width) == (drawn[0], 6 * len(str(drawn[2])))
        assert line.y < height - drawn[1] < line.y + line.height


def test_columns_are_lines_of_their_own_in_the_order_of_reading() -> None:
    left = [
        (100.0, 1400.0 - 20 * n, f"left {word} reads on") for n, word in enumerate(("one", "two", "three"))
    ]
    right = [
        (700.0, 1400.0 - 20 * n, f"right {word} reads on") for n, word in enumerate(("one", "two", "three"))
    ]
    by_row: list[Drawn] = [line for pair in zip(left, right, strict=True) for line in pair]
    stored = " ".join(words for _, _, words in left + right)
    lines = read_lines(draw_pdf([by_row]), 1, stored)
    assert [line.text for line in lines] == [words for _, _, words in left + right]


def test_a_word_that_was_cut_and_a_list_keep_their_places() -> None:
    drawn: list[Drawn] = [
        (100, 1400, "Before you open it the exam-"),
        (100, 1380, "ination of the valve is done."),
        (100, 1300, "\u2022 Close the tap."),
    ]
    text, lines = lines_of(draw_pdf([drawn]))
    assert "examination" in text
    first, second, item = lines
    assert (text[first.start : second.end], item.text.endswith("Close the tap.")) == (
        "Before you open it the examination of the valve is done.",
        True,
    )
    assert text[item.start : item.end] == item.text


def test_a_line_whose_place_is_not_certain_has_none_and_is_what_is_drawn() -> None:
    content = draw_pdf([LINES])
    other = "The valve opens at 8 bar and closes at 5 bar, which is tested. The valve is red."
    lines = read_lines(content, 1, other)
    assert [(line.text, line.start) for line in lines if line.start < 0] == [
        ("The valve opens at 7 bar and", -1),
        ("every year. 阀门每年检验一次。", -1),
    ]
    assert {line.text for line in lines if line.start >= 0} == {
        "closes at 5 bar, which is tested",
        "The valve is red.",
    }


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"lines": 1},
        {"lines": [["a", 0, 1, 0, 0, 1]]},
        {"lines": [[1, 0, 1, 0, 0, 1, 1]]},
        {"lines": [["a", 1, 1, 0, 0, 1, 1]]},
        {"lines": [["a", -1, 1, 0, 0, 1, 1]]},
        {"lines": [["a", 0, 1, 0, 0, 1, "x"]]},
        {"lines": [["a", 0, 1, 0, 0, 1, float("inf")]]},
    ],
)
def test_a_reply_that_holds_no_lines_is_refused(reply: dict[str, object]) -> None:
    with pytest.raises(WireError):
        decode_lines(json.dumps(reply).encode(), b"")


def test_lines_of_a_page_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    content = draw_pdf([LINES])
    monkeypatch.setattr(pageviews, "MAX_LINE_CHARS", 10)
    assert read_lines(content, 1, parse_pdf(content, "a.pdf").text) == []


def pixels(png: bytes) -> np.ndarray:
    """Our own PNG's pixels: no filters, three bytes each."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    at, packed = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    return np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(height, 1 + 3 * width)[:, 1:]


def test_pictures_show_the_page_and_have_a_limit() -> None:
    content = draw_pdf([[(0.0, 800.0, 1200.0, 800.0)], []])  # a line across the middle
    shown = pixels(draw_page(content, 1, 0.5))
    assert shown.shape == (800, 1800)
    assert shown[395:405].min() < 128 < shown[:390].min()
    assert pixels(draw_page(content, 2, 0.1)).min() == 255
    assert max(pixels(draw_page(content, 1, 400.0)).shape) <= 3 * MAX_SIDE
    assert page_sizes(content) == [(1200, 1600), (1200, 1600)]
    for number in (0, 3):
        with pytest.raises(DocumentError):
            draw_page(content, number, 1.0)


@pytest.fixture(scope="module")
def child() -> Iterator[SandboxedPages]:
    pages = SandboxedPages()
    yield pages
    pages.close()


def test_the_confined_child_sees_the_same(child: SandboxedPages) -> None:
    content = draw_pdf([LINES])
    text = parse_pdf(content, "a.pdf").text
    assert child.sizes(content) == page_sizes(content)
    assert child.picture(content, 1, 0.5) == draw_page(content, 1, 0.5)
    assert child.lines(content, 1, text) == [tuple(line) for line in read_lines(content, 1, text)]
    assert child.boxes(content, 1, text, 0, 20) == [tuple(box) for box in find_boxes(content, 1, text, 0, 20)]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"\0" * 1000, build_pdf([["x"]], user_password="p")])
def test_files_that_cant_be_drawn_are_an_error_and_the_child_goes_on(
    child: SandboxedPages, content: bytes
) -> None:
    for look in (
        lambda: child.sizes(content),
        lambda: child.picture(content, 1, 1.0),
        lambda: child.boxes(content, 1, "text", 0, 4),
        lambda: child.lines(content, 1, "text"),
    ):
        with pytest.raises(DocumentError):
            look()
    assert child.sizes(draw_pdf([LINES])) == [(1200, 1600)]
