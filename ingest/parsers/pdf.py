"""PDF bytes → Document with pages. The stored text is the text layer, pages joined by a blank line.

pdfium is not thread-safe: a lock lets one call at a time into it in this process; run several processes to read
several files at once. Scans have no text layer and are refused by name, not stored empty.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import PurePosixPath

import pypdfium2
import pypdfium2.raw as pdfium_c

from app.domain import Document, Page
from app.errors import DocumentError
from ingest.cleaning import clean_line, detect_language, drop_repeated_lines, normalise_text
from ingest.parsers.budget import MAX_TEXT_CHARS
from ingest.parsers.lines import join_pages
from ingest.parsers.titles import usable_title

MEDIA_TYPE = "application/pdf"
MAX_PAGES = 20_000

_PDFIUM = threading.Lock()
_PAGE_SEPARATOR = "\n\n"
_ENCRYPTED_ERRORS = frozenset({pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY})
_MAX_TITLE_CHARS = 120
_CREATED = re.compile(r"(?:D:)?(\d{4})(\d{2})(\d{2})")


def parse_pdf(content: bytes, source: str) -> Document:
    """Parse a PDF. Title: the metadata's if it looks like one, else the first line, else the file's stem.

    A file that an empty password opens is read. Raises DocumentError `encrypted`, `no_text_layer`,
    `too_large` (pages or text) or `parse_failed`.
    """
    raw_pages, properties = _extract(content)
    without_furniture = drop_repeated_lines([page.replace("\r\n", "\n") for page in raw_pages])
    cleaned = [normalise_text(page) for page in join_pages(without_furniture.pages)]
    text = _PAGE_SEPARATOR.join(page.text for page in cleaned)
    if not text.strip():
        raise DocumentError(
            "The PDF has no text layer (it is probably scanned); run OCR on it, for example with ocrmypdf.",
            code="no_text_layer",
        )
    dropped = {"page_furniture": without_furniture.dropped_chars} if without_furniture.dropped_chars else {}
    for page in cleaned:
        for kind, count in page.dropped.items():
            dropped[kind] = dropped.get(kind, 0) + count
    return Document(
        text=text,
        title=_title(properties, text) or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(text),
        pages=_page_spans([page.text for page in cleaned]),
        metadata=_metadata(properties),
        dropped=dropped,
    )


def _extract(content: bytes) -> tuple[list[str], Mapping[str, str]]:
    """Return the text of each page as pdfium gives it, and the document's properties."""
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            if error.err_code in _ENCRYPTED_ERRORS:
                raise DocumentError(
                    "The PDF is protected by a password; save it without one.", code="encrypted"
                ) from error
            raise DocumentError(
                f"The PDF is damaged and can't be read: {error}.", code="parse_failed"
            ) from error
        try:
            return _extract_pages(document), document.get_metadata_dict(skip_empty=True)
        except pypdfium2.PdfiumError as error:
            raise DocumentError(f"A page of the PDF can't be read: {error}.", code="parse_failed") from error
        finally:
            document.close()


def _extract_pages(document: pypdfium2.PdfDocument) -> list[str]:
    if len(document) > MAX_PAGES:
        raise DocumentError(f"The PDF has more than {MAX_PAGES:,} pages; split it.", code="too_large")
    pages: list[str] = []
    total_chars = 0
    for index in range(len(document)):
        page = document[index]
        try:
            text_page = page.get_textpage()
            try:
                pages.append(text_page.get_text_bounded())
            finally:
                text_page.close()
        finally:
            page.close()
        total_chars += len(pages[-1])
        if total_chars > MAX_TEXT_CHARS:
            raise DocumentError(
                f"The PDF has more than {MAX_TEXT_CHARS:,} characters; split it.", code="too_large"
            )
    return pages


def _page_spans(texts: list[str]) -> tuple[Page, ...]:
    spans: list[Page] = []
    start = 0
    for number, text in enumerate(texts, start=1):
        spans.append(Page(number, start, start + len(text)))
        start += len(text) + len(_PAGE_SEPARATOR)
    return tuple(spans)


def _title(properties: Mapping[str, str], text: str) -> str:
    if title := usable_title(properties.get("Title", "")):
        return title
    first_line = text.lstrip().partition("\n")[0]
    return clean_line(first_line) if len(first_line) <= _MAX_TITLE_CHARS else ""


def _metadata(properties: Mapping[str, str]) -> dict[str, str]:
    """Return author, subject, keywords and the ISO date of creation, where the file has them."""
    metadata = {
        key.lower(): clean_line(properties.get(key, ""))[:2000] for key in ("Author", "Subject", "Keywords")
    }
    if created := _CREATED.match(properties.get("CreationDate", "")):
        metadata["created"] = "-".join(created.groups())
    return {key: value for key, value in metadata.items() if value}
