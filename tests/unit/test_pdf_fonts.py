"""PDFs whose fonts are not in them are read whole, on every machine and in the confined child."""

from __future__ import annotations

import pytest

from ingest.parsers import parse, pdf
from ingest.parsers.boxfont import build_font
from ingest.sandbox import SandboxedParser
from tests.pdfs import Drawn, draw_pdf

SONG = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [ << /Type /Font"
    b" /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000"
    b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >> >> ] >>"
)
CLAUSE = "第3条租赁期自2024年5月1日起"


@pytest.mark.parametrize("font", [b"", SONG], ids=["no charset", "GB1"])
def test_glyphs_by_themselves_are_read_without_their_font(font: bytes) -> None:
    """F-1112: pdfium left out each text object of one glyph whose font it did not find."""
    letters: list[Drawn] = [(50 + 12 * index, 1000, letter) for index, letter in enumerate(CLAUSE)]
    content = draw_pdf([[*letters, (50, 900, "押金为3个月租金"), (50, 800, "。")]], font=font)
    document = parse(content, pdf.MEDIA_TYPE, "a.pdf")
    assert "".join(document.text.split()) == CLAUSE + "押金为3个月租金。"
    with SandboxedParser() as parser:
        assert parser.parse(content, pdf.MEDIA_TYPE, "a.pdf") == document


@pytest.mark.parametrize("word", ["Яблоко", "한국", "ひらが", "ไทย", "ελληνικά"])
def test_other_scripts_are_read_without_their_font(word: str) -> None:
    content = draw_pdf([[(50 + 12 * index, 1000, letter) for index, letter in enumerate(word)]])
    assert "".join(parse(content, pdf.MEDIA_TYPE, "a.pdf").text.split()) == word


def test_the_box_font_is_whole() -> None:
    font = build_font()
    tables = {font[at : at + 4]: font[at + 4 : at + 16] for at in range(12, 12 + 16 * 7, 16)}
    assert sorted(tables) == list(tables)  # as the format wants them
    for entry in tables.values():
        start, length = int.from_bytes(entry[4:8], "big"), int.from_bytes(entry[8:12], "big")
        assert start % 4 == 0
        assert start + length <= len(font)
