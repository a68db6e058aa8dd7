"""PDF bytes → Document with pages.

The stored text is the text layer, pages joined by a blank line, tables as Markdown, values of form fields beside their
labels. Pages without text, and all of them where the text is not what they show, are drawn and read by OCR where there
is a reader.

pdfium is not thread-safe: a lock lets one call at a time into it in this process; run several processes to read
several files at once. Scans that are not read are refused by name, not stored empty.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from pathlib import PurePosixPath

import pypdfium2
import pypdfium2.raw as pdfium_c

from app.domain import Document, Page
from app.errors import DocumentError
from app.file_limits import too_large
from app.letters import detect_language
from ingest.cleaning import clean_line, find_repeated_lines, normalise_text
from ingest.parsers.boxfont import use_box_font
from ingest.parsers.budget import MAX_TEXT_CHARS, TextBudget
from ingest.parsers.flat import FlatWriter
from ingest.parsers.grid import write_grid
from ingest.parsers.headings import build_sections
from ingest.parsers.lines import LineJoiner
from ingest.parsers.numbering import BULLET
from ingest.parsers.pdfforms import add_values
from ingest.parsers.pdfheadings import LetterHeights
from ingest.parsers.pdflayout import Block, Line, TableBlock, find_blocks
from ingest.parsers.pdfoutline import Entry, find_outline, read_outline
from ingest.parsers.pdfwords import Rules, Word, read_rules, read_words
from ingest.parsers.scans import (
    POINTS_AN_INCH,
    PageReader,
    Reading,
    ScannedPage,
    check_pages,
    units,
)
from ingest.parsers.textlayer import is_broken
from ingest.parsers.titles import first_line_title, usable_title

MEDIA_TYPE = "application/pdf"
MAX_PAGES = 20_000

PDFIUM = threading.Lock()
_PAGE_SEPARATOR = "\n\n"
_ENCRYPTED_ERRORS = frozenset({pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY})
_MAX_NAMED_PAGES = 50
_LEAST_SCANNED = 0.5  # of a page's area, that a scan of it covers
_MAX_PICTURES = 1_000
_LITTLE_TEXT = (
    60  # units on a page that is a scan all the same: a stamp, a number, the name of the scanner's program
)
_MORE_TEXT = 2  # times as much must OCR read on a page that has some
_DPI = 200  # that pages are drawn at to be read
_MAX_SIDE = 5_000  # pixels; larger pages are drawn smaller
_MAX_BEFORE_TITLE = 10_000  # characters in which a line that can be a title is looked for
# A number, a page's number or a moment, as they stand at the ends of a page.
_NO_TITLE = re.compile(
    r"(?:\W*+(?:(?:page|seite|página|pagina|p\.|第)?\s*+\d++(?:\s*+(?:/|of|von|de)\s*+\d++)?(?:\s*+[页頁])?"
    r"|[\d/.:, -]++(?:[AP]M)?)\W*|(?=[^\w/.:, -]*+[/.:, -])\W++)$",
    re.I,
)
_CREATED = re.compile(r"(?:D:)?(\d{4})(\d{2})(\d{2})")


@dataclass(slots=True)
class Extracted:
    """What a file says of itself, the lines and tables of each page, its larger letters, the numbers of pages that are
    a picture without text, and by index the pages that OCR read. `unread`: how many pages it might read;
    `doubtful`: how many it read and are not kept."""

    properties: Mapping[str, str]
    outline: list[Entry]
    pages: list[list[Block]] = field(default_factory=list)
    heights: LetterHeights = field(default_factory=LetterHeights)
    pictured: list[int] = field(default_factory=list)
    scanned: dict[int, ScannedPage] = field(default_factory=dict)
    unread: int = 0
    doubtful: int = 0


def parse_pdf(content: bytes, source: str, reader: PageReader | None = None) -> Document:
    """Parse a PDF. Title: the metadata's if it looks like one, else what the first page has in the largest letters,
    else the first line, else the file's stem.

    Sections are those of its outline, else of its lines in larger letters. A file that an empty password opens is read.
    Raises DocumentError `encrypted`, `no_text_layer`, `broken_text_layer`, `low_confidence`, `empty` (a scan without
    text), `too_large` (pages or text) or `parse_failed`.
    """
    found = _extract(content, reader)
    if is_broken("\n".join(_texts(found.pages))):
        if reader is None:
            raise DocumentError(
                "The PDF's text layer is not what its pages show: its fonts name their characters wrongly or not at "
                "all. OCR, which is off or not installed, could read it.",
                code="broken_text_layer",
            )
        found = _extract(content, reader, everything=True)
    return document_of(found, source, MEDIA_TYPE, is_read=reader is not None)


def document_of(found: Extracted, source: str, media_type: str, *, is_read: bool) -> Document:
    """Write what was found on pages. `is_read`: OCR had its say. Raises DocumentError where there is no text."""
    pages, dropped = _drop_furniture(found.pages)
    texts = list(_texts(pages))
    joiner = LineJoiner(texts)
    cleaned = [normalise_text(page) for page in _write_pages(pages, joiner)]
    text = _PAGE_SEPARATOR.join(page.text for page in cleaned)
    if not text.strip():
        raise _without_text(found, is_read=is_read)
    for page in cleaned:
        for kind, count in page.dropped.items():
            dropped[kind] = dropped.get(kind, 0) + count
    if found.pictured:
        # Nobody knows how much stands on them: as much as on the others.
        with_text = [len(page.text) for page in cleaned if page.text]
        dropped["scanned_page"] = len(found.pictured) * (sum(with_text) // len(with_text))
    spans = _page_spans([page.text for page in cleaned], found.scanned)
    headings = find_outline(found.outline, spans, text) or find_outline(
        found.heights.entries(), spans, text, alone=True
    )
    return Document(
        text=text,
        title=_title(found.properties, found.heights, text) or PurePosixPath(source).stem,
        media_type=media_type,
        language=detect_language(text),
        sections=build_sections(headings, len(text)),
        pages=spans,
        metadata=_metadata(found.properties) | _scanned(found.pictured),
        dropped=dropped,
        page_lines=tuple(
            scan.placed(index + 1, text, spans[index].char_start, spans[index].char_end)
            for index, scan in found.scanned.items()
        ),
        unread_pages=0 if is_read else found.unread,
    )


def _without_text(found: Extracted, *, is_read: bool) -> DocumentError:
    if found.doubtful:
        return DocumentError(
            f"OCR reads {found.doubtful:,} of its pages with too little confidence to be kept; scan it again, straight "
            "and at 300 dpi.",
            code="low_confidence",
        )
    if is_read:
        return DocumentError("OCR finds no text on its pages.", code="empty")
    return DocumentError(
        "The PDF has no text layer (it is probably scanned). OCR, which is off or not installed, could read it.",
        code="no_text_layer",
    )


def _scanned(pictured: list[int]) -> dict[str, str]:
    """The numbers of pages that are a picture and no text, as `scanned_pages`."""
    named = [*map(str, pictured[:_MAX_NAMED_PAGES]), *(["…"] if len(pictured) > _MAX_NAMED_PAGES else [])]
    return {"scanned_pages": ", ".join(named)} if named else {}


def _drop_furniture(pages: list[list[Block]]) -> tuple[list[list[Block]], dict[str, int]]:
    """Return the pages without running headers and footers, and how many characters these had."""
    lines = [[block.text if isinstance(block, Line) else "" for block in page] for page in pages]
    repeated = find_repeated_lines(lines)
    chars = sum(len(lines[number][index]) for number, gone in enumerate(repeated) for index in gone)
    kept = [
        [block for index, block in enumerate(page) if index not in gone]
        for page, gone in zip(pages, repeated, strict=True)
    ]
    return kept, {"page_furniture": chars} if chars else {}


def _texts(pages: list[list[Block]]) -> Iterator[str]:
    for page in pages:
        yield "\n".join(block.text for block in page if isinstance(block, Line))
        for block in page:
            if isinstance(block, TableBlock):
                yield from ("\n".join(lines) for row in block.rows for lines in row.values())


def _write_pages(pages: list[list[Block]], joiner: LineJoiner) -> Iterator[str]:
    """Yield the text of each page. A table that goes on from the page before gets that one's names of columns."""
    before: TableBlock | None = None  # what ends the page before
    budget = TextBudget()
    for page in pages:
        written: list[str] = []
        for is_line, blocks in groupby(page, key=lambda block: isinstance(block, Line)):
            if is_line:
                written.append(
                    joiner.paragraphs("\n".join(block.text for block in blocks if isinstance(block, Line)))
                )
                before = None
            else:
                for block in blocks:
                    assert isinstance(block, TableBlock)
                    table = block.continued(before) if before else block
                    written.append(_write_table(table, joiner, budget))
                    before = table
        yield "\n\n".join(written)


def _write_table(table: TableBlock, joiner: LineJoiner, budget: TextBudget) -> str:
    """Return a table's Markdown. Without names of columns each row is an item, of a pair "key: value"."""
    rows = [{column: joiner.cell(lines) for column, lines in row.items()} for row in table.rows]
    if table.has_head:
        return write_grid(rows, budget)
    writer = FlatWriter(budget)
    for row in rows:
        is_pair = len(table.columns) == 1 and len(row) == 2
        text = f"{row[0].rstrip(' :：')}: {row[1]}" if is_pair else " | ".join(row.values())
        writer.item(0, BULLET, text)
    return writer.text()


def _extract(content: bytes, reader: PageReader | None, *, everything: bool = False) -> Extracted:
    """Get what is on the pages; those without text by `reader`, with `everything` all."""
    with PDFIUM:
        use_box_font()
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            if error.err_code in _ENCRYPTED_ERRORS:
                raise DocumentError(
                    "The PDF is protected by a password; save it without one.", code="encrypted"
                ) from error
            raise DocumentError(
                f"The PDF is damaged and can't be read: {str(error).rstrip('.')}.", code="parse_failed"
            ) from error
        try:
            found = Extracted(document.get_metadata_dict(skip_empty=True), read_outline(document))
            document.init_forms()
            if len(document) > MAX_PAGES:
                raise too_large("pages", len(document), MAX_PAGES)
            unread = _extract_pages(document, found, everything=everything)
            if reader is not None:
                _read_pages(document, found, unread, reader)
            return found
        except pypdfium2.PdfiumError as error:
            raise DocumentError(
                f"A page of the PDF can't be read: {str(error).rstrip('.')}.", code="parse_failed"
            ) from error
        finally:
            document.close()


def _extract_pages(document: pypdfium2.PdfDocument, found: Extracted, *, everything: bool) -> list[int]:
    """Get the text layer; returns the indexes of the pages that have none, or hardly any over a picture."""
    left = MAX_TEXT_CHARS
    unread: list[int] = []
    for index in range(len(document)):
        page = document[index]
        try:
            text_page = page.get_textpage()
            try:
                left -= text_page.count_chars()
                if left < 0:
                    raise too_large("chars", MAX_TEXT_CHARS - left, MAX_TEXT_CHARS, is_all=False)
                words = [] if everything else read_words(page, text_page)
                found.heights.add_page(index, words)
                lines = add_values(page, words)
                found.pages.append(find_blocks(lines, partial(read_rules, page)))
            finally:
                text_page.close()
            is_picture = _has_little(lines) and _is_picture(page)
            if is_picture and not found.pages[-1]:
                found.pictured.append(index + 1)
            found.unread += is_picture
            is_drawn = not found.pages[-1] and next(page.get_objects(), None) is not None  # as paths, perhaps
            if everything or is_picture or is_drawn:
                unread.append(index)
        finally:
            page.close()
    return unread


def _has_little(lines: Sequence[Sequence[Word]]) -> bool:
    return _units(lines) < _LITTLE_TEXT


def _units(lines: Sequence[Sequence[Word]]) -> int:
    return sum(units(word.text) for line in lines for word in line)


def _read_pages(
    document: pypdfium2.PdfDocument, found: Extracted, indexes: Sequence[int], reader: PageReader
) -> None:
    """Draw and read pages; what is read with confidence takes the place of what little text they have."""
    from ingest.parsers.rasters import as_picture, is_blank  # numpy is for those who read pictures

    check_pages(len(indexes))
    for count, index in enumerate(indexes, start=1):
        reader.begin(count, len(indexes))
        page = document[index]
        try:
            scale = min(_DPI / POINTS_AN_INCH, _MAX_SIDE / max(*page.get_size(), 1.0))
            picture = as_picture(page.render(scale=scale, may_draw_forms=True).to_numpy())
        finally:
            page.close()
        reading = reader.read(picture)
        if reading.lines:
            add_reading(found, index, reading, 1 / scale)
        elif is_blank(picture):
            found.pictured = [number for number in found.pictured if number != index + 1]


def add_reading(found: Extracted, index: int, reading: Reading, scale: float) -> None:
    """Put what was read of a page in its place, where it is kept: with confidence, and more than its own text. `scale`:
    points a pixel."""
    if not reading.is_confident:
        found.doubtful += 1
        return
    scan = ScannedPage.of(reading, scale)
    if _units(scan.lines) < _MORE_TEXT * sum(map(units, _texts([found.pages[index]]))):
        return
    found.heights.add_page(index, scan.lines)
    found.pages[index] = find_blocks(scan.lines, Rules)
    found.scanned[index] = scan
    found.pictured = [number for number in found.pictured if number != index + 1]


def _is_picture(page: pypdfium2.PdfPage) -> bool:
    """Whether a picture covers most of a page."""
    width, height = page.get_size()
    for picture in islice(page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=2), _MAX_PICTURES):
        left, bottom, right, top = picture.get_bounds()
        if (right - left) * (top - bottom) >= _LEAST_SCANNED * width * height:
            return True
    return False


def _page_spans(texts: list[str], scanned: Mapping[int, ScannedPage]) -> tuple[Page, ...]:
    spans: list[Page] = []
    start = 0
    for index, text in enumerate(texts):
        confidence = round(scanned[index].reading.confidence, 3) if index in scanned else None
        spans.append(Page(index + 1, start, start + len(text), confidence))
        start += len(text) + len(_PAGE_SEPARATOR)
    return tuple(spans)


def _title(properties: Mapping[str, str], heights: LetterHeights, text: str) -> str:
    lines = (
        line
        for line in text[:_MAX_BEFORE_TITLE].split("\n")
        if not line.startswith(("| ", "- ")) and not _NO_TITLE.match(line)
    )
    return (
        usable_title(properties.get("Title", ""))
        or usable_title(heights.title())
        or first_line_title("\n".join(lines))
    )


def _metadata(properties: Mapping[str, str]) -> dict[str, str]:
    """Return author, subject, keywords and the ISO date of creation, where the file has them."""
    metadata = {
        key.lower(): clean_line(properties.get(key, ""))[:2000] for key in ("Author", "Subject", "Keywords")
    }
    if created := _CREATED.match(properties.get("CreationDate", "")):
        metadata["created"] = "-".join(created.groups())
    return {key: value for key, value in metadata.items() if value}
