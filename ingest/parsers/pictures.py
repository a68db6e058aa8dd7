"""Pictures of text (PNG, JPEG, TIFF, HEIC) → Document, one page a frame, by OCR alone.

A photograph has no text, or some words on a sign: what holds little is no document (`picture`), and is told so after a
look that is far shorter than reading.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from app.domain import Document
from app.errors import DocumentError
from app.file_limits import too_large
from ingest.parsers.pdf import Extracted, add_reading, document_of
from ingest.parsers.rasters import Picture, as_picture
from ingest.parsers.scans import MAX_PIXELS, PageReader, check_pages, units

_FORMATS: Final = {
    "image/png": ("PNG",),
    "image/jpeg": ("JPEG", "MPO"),
    "image/tiff": ("TIFF",),
    "image/heic": ("HEIF",),
}
LEAST_UNITS: Final = 100  # of text that makes a picture a document; a Chinese character counts two

_LEAST_SIDE: Final = 100  # pixels; icons are smaller
_MAX_SIDE: Final = 5_000


def parse_picture(content: bytes, media_type: str, source: str, reader: PageReader) -> Document:
    """Read a picture. Title: its largest letters, else its first line, else the file's stem.

    Raises DocumentError `picture` (hardly any text, or damaged: a folder's pictures fail no run), `low_confidence` or
    `too_large` (pixels, frames).
    """
    found = Extracted({}, [])
    try:
        with _open(content, media_type) as image:
            frames = getattr(image, "n_frames", 1)
            check_pages(frames)
            for index, picture in enumerate(_frames(image)):
                reader.begin(index + 1, frames)
                found.pages.append([])
                if min(picture.shape[:2]) >= _LEAST_SIDE and reader.has_text(picture):
                    reading = reader.read(picture)
                    if reading.lines:
                        add_reading(found, index, reading, 1.0)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise DocumentError(f"The picture can't be read: {type(error).__name__}.", code="picture") from error
    written = sum(units(word.text) for scan in found.scanned.values() for line in scan.lines for word in line)
    if written < LEAST_UNITS:
        if not found.doubtful:
            raise DocumentError("The picture holds hardly any text.", code="picture")
        found.pages = [[] for _ in found.pages]
    return document_of(found, source, media_type, is_read=True)


def _open(content: bytes, media_type: str) -> Image.Image:
    if media_type == "image/heic":
        from pi_heif import register_heif_opener  # only with the extra `ocr`

        register_heif_opener(thumbnails=False)
    return Image.open(io.BytesIO(content), formats=_FORMATS[media_type])


def _frames(image: Image.Image) -> Iterator[Picture]:
    """Each frame upright, as its camera says. Raises DocumentError `too_large` before a frame is unpacked."""
    for frame in ImageSequence.Iterator(image):
        width, height = frame.size
        if width * height > MAX_PIXELS:
            raise too_large("pixels", width * height, MAX_PIXELS)
        if image.format == "JPEG":
            frame.draft("RGB", (_MAX_SIDE, _MAX_SIDE))  # unpacks large ones at half their size
        shown = ImageOps.exif_transpose(frame)
        if shown.has_transparency_data:
            paper = Image.new("RGBA", shown.size, "white")
            shown = Image.alpha_composite(paper, shown.convert("RGBA"))
        shown = shown.convert("RGB")
        shown.thumbnail((_MAX_SIDE, _MAX_SIDE))
        yield as_picture(np.asarray(shown)[:, :, ::-1])
