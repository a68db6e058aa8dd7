"""ingest.parsers.scans, and what PDFs and pictures make of a reader of pages: order, places, confidence, limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from PIL import Image

from app.domain import PageLines, TextLine
from app.errors import DocumentError
from ingest.parsers import parse
from ingest.parsers.pdf import parse_pdf
from ingest.parsers.rasters import Picture
from ingest.parsers.scans import MAX_PAGES, MAX_PIXELS, Reading, ReadLine, ScannedPage
from tests.pages import draw_page, picture_bytes
from tests.pdfs import build_pdf, draw_pdf

PROSE = "It is a long line of prose that fills its column well"
PICTURE = picture_bytes(draw_page(["any"]))


def line(text: str, x: float, y: float, *, height: float = 30, confidence: float = 0.99) -> ReadLine:
    width = 14 * len(text)
    return ReadLine(text, confidence, ((x, y), (x + width, y), (x + width, y + height), (x, y + height)))


def turned(one: ReadLine, degrees: float) -> ReadLine:
    """As on a page that lies askew by so much, clockwise."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    a, b, c, d = ((cosine * x - sine * y + 300, sine * x + cosine * y + 300) for x, y in one.corners)
    return one._replace(corners=(a, b, c, d))


def order(lines: Sequence[ReadLine]) -> list[str]:
    page = ScannedPage.of(Reading(lines, 2000, 3000), 0.36)
    return [" ".join(word.text for word in words) for words in page.lines]


@dataclass
class Read:
    """A reader that finds these lines on one page after the other, and says what it was told."""

    pages: Sequence[Sequence[ReadLine]]
    quarter_turns: int = 0
    told: list[tuple[int, int]] = field(default_factory=list)
    looked: bool = True

    def begin(self, page: int, pages: int) -> None:
        self.told.append((page, pages))

    def has_text(self, picture: Picture) -> bool:
        return self.looked

    def read(self, picture: Picture) -> Reading:
        height, width = picture.shape[:2]
        return Reading(self.pages[len(self.told) - 1], width, height, self.quarter_turns)


def code_of(content: bytes, media_type: str, reader: Read) -> str:
    with pytest.raises(DocumentError) as raised:
        parse(content, media_type, "a", reader)
    return raised.value.code


LETTER = [line(f"{PROSE} {number}", 100, 100 + 40 * number) for number in range(5)]
NOISE = [line("i1lI|: ,", 100, 100, confidence=0.6)]


# Reading order


def test_pieces_of_one_line_stand_side_by_side_whatever_order_they_were_found_in() -> None:
    found = [
        line("Total", 100, 300),
        line("12.50", 900, 303),
        line("Name", 100, 200),
        line("Price", 900, 198),
    ]
    assert order(found) == ["Name Price", "Total 12.50"]


@pytest.mark.parametrize("shift", [0, 13, 21])
def test_columns_of_prose_are_read_one_after_the_other_though_their_lines_do_not_meet(shift: int) -> None:
    heading = line("A heading over both of the columns", 500, 100)
    left = [line(f"{PROSE} L{n}", 100, 200 + 42 * n) for n in range(6)]
    right = [line(f"{PROSE} R{n}", 1000, 200 + 42 * n + shift) for n in range(6)]
    after = line("A last line " + 6 * "below both ", 300, 520)
    texts = order([after, *right, *left, heading])
    assert texts == [
        heading.text,
        *(one.text for one in left),
        *(one.text for one in right),
        after.text.strip(),
    ]


def test_three_columns_are_read_in_their_order() -> None:
    columns = [
        [line(f"本页第{c}栏第{n}行文字较长的一行内容", 100 + 600 * c, 200 + 45 * n + 9 * c) for n in range(5)]
        for c in range(3)
    ]
    assert order([one for column in reversed(columns) for one in column]) == [
        one.text for column in columns for one in column
    ]


def test_a_table_is_read_row_by_row() -> None:
    cells = [
        line(f"{name}{n}", x, 200 + 45 * n) for n in range(8) for name, x in (("Item", 100), ("7.", 900))
    ]
    assert order(cells) == [f"Item{n} 7.{n}" for n in range(8)]


@pytest.mark.parametrize("degrees", [-6, 4])
def test_a_page_that_lies_askew_keeps_its_lines(degrees: float) -> None:
    found = [line(f"{PROSE} {n}", 100, 200 + 45 * n) for n in range(12)]
    found += [line(f"p. {n}", 1300, 200 + 45 * n) for n in range(12)]
    assert order([turned(one, degrees) for one in found]) == [f"{PROSE} {n} p. {n}" for n in range(12)]


def test_thousands_of_boxes_are_put_in_order_quickly_enough() -> None:
    found = [line("ab", 50 * (n % 40), 12 * (n // 40), height=11) for n in range(4_000)]
    assert sum(len(text.split()) for text in order(found)) == 2_000


# PDF


def test_pages_without_text_are_read_and_the_others_are_not() -> None:
    reader = Read([LETTER])
    document = parse_pdf(build_pdf([["First page with its own text."], None, ["Third."]]), "a.pdf", reader)
    assert reader.told == [(1, 1)]
    assert [page.ocr_confidence for page in document.pages] == [None, 0.99, None]
    assert PROSE in document.text[document.pages[1].char_start : document.pages[1].char_end]
    assert "scanned_pages" not in document.metadata
    assert document.dropped == {}
    assert document.unread_pages == 0


def test_without_a_reader_a_pdf_says_how_many_pages_one_could_read() -> None:
    assert parse_pdf(build_pdf([["Text."], None, None]), "a.pdf").unread_pages == 2
    assert parse_pdf(build_pdf([["Text."]]), "a.pdf").unread_pages == 0


def test_each_line_has_its_place_in_the_text_and_on_the_page() -> None:
    document = parse_pdf(build_pdf([None]), "a.pdf", Read([LETTER]))
    (page,) = document.page_lines
    assert (page.number, page.width, page.height) == (1, 1200, 1600)
    assert [document.text[one.char_start : one.char_end] for one in page.lines] == [
        one.text for one in LETTER
    ]
    scale = 72 / 200  # points a pixel
    assert page.lines[1][2:] == (
        round(100 * scale), round(140 * scale), round((100 + 14 * len(LETTER[1].text)) * scale), round(170 * scale),
    )  # fmt: skip


def test_a_hyphen_at_a_line_end_is_gone_from_the_text_and_the_line_is_found() -> None:
    page = [line("The word is divi-", 100, 100), line("ded and goes on here.", 100, 140)]
    document = parse_pdf(build_pdf([None]), "a.pdf", Read([page]))
    assert "divided" in document.text
    spans = [document.text[one.char_start : one.char_end] for one in document.page_lines[0].lines]
    assert spans == ["The word is divi", "ded and goes on here."]


@pytest.mark.parametrize(
    ("turns", "box"),
    [(0, (10, 20, 150, 50)), (1, (20, 450, 50, 590)), (2, (850, 550, 990, 580)), (3, (950, 10, 980, 150))],
)
def test_boxes_are_those_of_the_page_as_it_is_seen(turns: int, box: tuple[int, int, int, int]) -> None:
    """The page is 1,000 wide and 600 high; turned upright by so many quarters, its line is at the upper left."""
    width, height = (600, 1000) if turns % 2 else (1000, 600)
    page = ScannedPage.of(Reading([line("ten  chars", 10, 20)], width, height, turns), 1.0)
    placed = page.placed(1, "ten chars", 0, 9)
    assert placed == PageLines(1, 1000, 600, (TextLine(0, 9, *box),))


def test_a_page_with_a_stamp_over_a_scan_is_read_and_one_with_text_is_not() -> None:
    stamped = build_pdf([["Scanned by X"]]).replace(
        b"BT /F 12", b"q 1200 0 0 1600 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q BT /F 12"
    )
    assert PROSE in parse_pdf(stamped, "a.pdf", Read([LETTER])).text
    reader = Read([])
    parse_pdf(draw_pdf([[(50, 1500, PROSE)]]), "a.pdf", reader)
    assert reader.told == []


def test_what_is_read_with_little_confidence_is_refused_and_never_stored() -> None:
    assert code_of(build_pdf([None]), "application/pdf", Read([NOISE])) == "low_confidence"
    document = parse_pdf(build_pdf([["Text."], None]), "a.pdf", Read([NOISE]))
    assert document.metadata["scanned_pages"] == "2"
    assert "i1lI" not in document.text


def test_specks_among_good_lines_are_left_out() -> None:
    specks = line("~;", 900, 500, confidence=0.3)
    assert "~" not in parse_pdf(build_pdf([None]), "a.pdf", Read([[*LETTER, specks]])).text


def test_blank_pages_are_no_failure_and_nothing_at_all_is_empty() -> None:
    assert code_of(build_pdf([None]), "application/pdf", Read([[]])) == "empty"


def test_a_broken_text_layer_is_read_from_the_pages() -> None:
    broken = build_pdf([["\ue000\ue001\ue002" * 30]])
    document = parse_pdf(broken, "a.pdf", Read([LETTER]))
    assert PROSE in document.text
    assert "\ue000" not in document.text


def test_more_pages_than_ocr_reads_are_too_large() -> None:
    assert code_of(build_pdf([None] * (MAX_PAGES + 1)), "application/pdf", Read([])) == "too_large"


# Pictures


def test_a_picture_of_text_is_a_document_of_one_page() -> None:
    document = parse(PICTURE, "image/png", "docs/letter.png", Read([LETTER]))
    assert (document.media_type, document.language, len(document.pages)) == ("image/png", "en", 1)
    assert document.text.count(PROSE) == 5
    assert document.page_lines[0].lines[0][2:4] == (100, 100)  # in pixels


def test_each_frame_of_a_tiff_is_a_page() -> None:
    frames = [draw_page([str(number)], width=400, height=500) for number in range(2)]
    content = picture_bytes(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    document = parse(content, "image/tiff", "a.tiff", Read([LETTER, LETTER]))
    assert [page.number for page in document.pages] == [1, 2]


@pytest.mark.parametrize(
    "reader",
    [Read([[line("EXIT", 100, 100)]]), Read([], looked=False), Read([[]])],
    ids=["sign", "photo", "none"],
)
def test_a_picture_with_hardly_any_text_is_no_document(reader: Read) -> None:
    assert code_of(PICTURE, "image/png", reader) == "picture"


def test_a_picture_full_of_what_cannot_be_read_is_told() -> None:
    assert code_of(PICTURE, "image/png", Read([NOISE])) == "low_confidence"


def test_an_icon_is_not_even_looked_at() -> None:
    icon = picture_bytes(Image.new("RGB", (99, 400), "white"))
    assert code_of(icon, "image/png", Read([LETTER])) == "picture"


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked() -> None:
    side = math.isqrt(MAX_PIXELS) + 1
    assert code_of(picture_bytes(Image.new("1", (side, side))), "image/png", Read([LETTER])) == "too_large"


def test_too_many_frames_are_refused() -> None:
    frames = [Image.new("1", (8, 8)) for _ in range(MAX_PAGES + 1)]
    content = picture_bytes(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert code_of(content, "image/tiff", Read([])) == "too_large"


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", PICTURE[: len(PICTURE) // 2], b"GIF89a" + bytes(99)]
)
def test_a_damaged_picture_or_one_of_another_kind_is_no_document(content: bytes) -> None:
    assert code_of(content, "image/png", Read([LETTER])) == "picture"
