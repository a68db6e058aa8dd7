"""Rich Text Format bytes → Document, by striprtf; cells of a table are separated by bars. Knows nothing of layout."""

from __future__ import annotations

import re
from typing import Final

from striprtf.striprtf import rtf_to_text

from app.domain import Document
from app.errors import DocumentError
from ingest.cleaning import clean_line
from ingest.parsers.blocks import escape_markup
from ingest.parsers.titles import usable_title
from ingest.parsers.written import build_document

MEDIA_TYPE: Final = "application/rtf"
_TITLE: Final = re.compile(r"\{\\title\s+([^{}]{1,2000})\}")
_ERRORS: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)


def parse_rtf(content: bytes, source: str) -> Document:
    """Parse a Rich Text file. Title: the property, else the file's stem. Raises DocumentError `parse_failed` or
    `empty`."""
    if not content.lstrip().startswith(b"{\\rtf"):
        raise DocumentError("The file is no Rich Text; open it and save it again.", code="parse_failed")
    written = content.decode(
        "latin-1"
    )  # what is beyond ASCII is escaped, or in the code page that the file names
    title = _TITLE.search(written)
    text = _to_text(written)
    return build_document(
        "\n\n".join(escape_markup(line.strip(" |")) for line in text.splitlines() if line.strip(" |")),
        source,
        MEDIA_TYPE,
        title=usable_title(clean_line(_to_text("{\\rtf1 " + title[1] + "}"))) if title else "",
    )


def _to_text(written: str) -> str:
    try:
        return str(rtf_to_text(written, errors="replace"))  # type: ignore[no-untyped-call]
    except _ERRORS as error:
        raise DocumentError(
            f"The file is damaged and can't be read: {type(error).__name__}.", code="parse_failed"
        ) from error
