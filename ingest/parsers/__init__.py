"""Parsers: bytes → Document, one format a module, found by media type.

A parser is a pure function of bytes: no files, no network, no database, so that it can run in a process of its own; so
is the reader of pictures that PDFs and pictures may be given. What a parser gets is untrusted: whatever the bytes, it
returns a Document or raises DocumentError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.domain import Document
from app.errors import DocumentError
from app.file_limits import too_large
from ingest.parsers import (
    adoc,
    code,
    csvfile,
    docx,
    epub,
    html,
    ipynb,
    jsonfile,
    latex,
    markdown,
    mdx,
    message,
    odf,
    org,
    outlook,
    pdf,
    plaintext,
    pptx,
    rmarkdown,
    rst,
    rtf,
    subtitles,
    xlsx,
)
from ingest.parsers.budget import MAX_TEXT_CHARS
from ingest.parsers.media_types import PICTURE_MEDIA_TYPES
from ingest.parsers.scans import PageReader

# Raise it when a parser or the cleaning gives other text for the same bytes: stored documents are then renewed.
PARSER_VERSION = 5

Parser = Callable[[bytes, str], Document]

PARSERS: Mapping[str, Parser] = {
    markdown.MEDIA_TYPE: markdown.parse_markdown,
    plaintext.MEDIA_TYPE: plaintext.parse_plaintext,
    mdx.MEDIA_TYPE: mdx.parse_mdx,
    rmarkdown.MEDIA_TYPE: rmarkdown.parse_rmarkdown,
    subtitles.SRT_MEDIA_TYPE: subtitles.parse_subtitles,
    subtitles.VTT_MEDIA_TYPE: subtitles.parse_vtt,
    rst.MEDIA_TYPE: rst.parse_rst,
    adoc.MEDIA_TYPE: adoc.parse_adoc,
    org.MEDIA_TYPE: org.parse_org,
    latex.MEDIA_TYPE: latex.parse_latex,
    html.MEDIA_TYPE: html.parse_html,
    pdf.MEDIA_TYPE: pdf.parse_pdf,
    docx.MEDIA_TYPE: docx.parse_docx,
    pptx.MEDIA_TYPE: pptx.parse_pptx,
    xlsx.MEDIA_TYPE: xlsx.parse_xlsx,
    csvfile.CSV_MEDIA_TYPE: csvfile.parse_csv,
    csvfile.TSV_MEDIA_TYPE: csvfile.parse_tsv,
    jsonfile.JSON_MEDIA_TYPE: jsonfile.parse_json,
    jsonfile.JSON_LINES_MEDIA_TYPE: jsonfile.parse_json_lines,
    ipynb.MEDIA_TYPE: ipynb.parse_ipynb,
    epub.MEDIA_TYPE: epub.parse_epub,
    odf.TEXT_MEDIA_TYPE: odf.parse_odt,
    odf.SHEET_MEDIA_TYPE: odf.parse_ods,
    odf.SLIDES_MEDIA_TYPE: odf.parse_odp,
    rtf.MEDIA_TYPE: rtf.parse_rtf,
    message.MEDIA_TYPE: lambda content, source: message.parse_message(content, source, parse),
    outlook.MEDIA_TYPE: lambda content, source: outlook.parse_outlook(content, source, parse),
    message.MHTML_MEDIA_TYPE: message.parse_mhtml,
    **code.PARSERS,
}


# Raise it when OCR gives other text: what it may have read is read anew.
OCR_VERSION = 1


def parse(content: bytes, media_type: str, source: str, reader: PageReader | None = None) -> Document:
    """Parse a file by its media type. `source` gives the title where the content has none; `reader` reads pictures.

    Raises DocumentError with a code of docs/reason-codes.md: `unsupported_type`, `empty`, or the parser's own.
    """
    parser = PARSERS.get(media_type)
    if media_type == pdf.MEDIA_TYPE:
        document = pdf.parse_pdf(content, source, reader)
    elif media_type in PICTURE_MEDIA_TYPES and reader is not None:
        from ingest.parsers.pictures import parse_picture  # Pillow comes with the extra

        document = parse_picture(content, media_type, source, reader)
    elif parser is not None:
        document = parser(content, source)
    else:
        raise DocumentError(
            f"Files of this type can't be read; save it as PDF, DOCX or text. ({media_type or source})",
            code="unsupported_type",
        )
    if not document.text.strip():
        raise DocumentError("The document has no text in it; there is nothing to search.", code="empty")
    if len(document.text) > MAX_TEXT_CHARS:
        raise too_large("chars", len(document.text), MAX_TEXT_CHARS)
    return document
