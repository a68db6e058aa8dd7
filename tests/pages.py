"""Pages of text as pictures, and as the scans that a scanner makes of them, for the tests of OCR.

English is drawn by Pillow's own font. Chinese has none there: tests/fixtures/letter_zh.png was drawn once. What is
installed reads HEIC and does not write it: page.heic, the page of test_ocr.py, was written once by pillow-heif 1.8.1.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ingest.ocr import is_installed

NEEDS_OCR = pytest.mark.skipif(not is_installed(), reason="the extra ocr is not installed")
LETTER_ZH = Path(__file__).parent / "fixtures/letter_zh.png"
PAGE_HEIC = Path(__file__).parent / "fixtures/page.heic"


def draw_page(lines: Sequence[str], *, size: int = 30, width: int = 1000, height: int = 640) -> Image.Image:
    """A page with a line every 1.6 heights of a letter."""
    page = Image.new("L", (width, height), 255)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    for number, line in enumerate(lines):
        draw.text((60, 60 + number * 1.6 * size), line, font=font, fill=0)
    return page


def scan_pdf(pages: Sequence[Image.Image]) -> bytes:
    """A PDF of pictures, as a scanner makes it."""
    held = io.BytesIO()
    pages[0].save(held, "PDF", save_all=True, append_images=pages[1:], resolution=150)
    return held.getvalue()


def picture_bytes(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file."""
    held = io.BytesIO()
    picture.save(held, kind, **options)
    return held.getvalue()
