"""Plain text bytes → Document. The stored text is the file's own."""

from __future__ import annotations

from pathlib import PurePosixPath

from app.domain import Document
from ingest.cleaning import clean_line, clean_text, detect_language
from ingest.parsers.decoding import decode

MEDIA_TYPE = "text/plain"
MAX_TITLE_CHARS = 120


def parse_plaintext(content: bytes, source: str) -> Document:
    """Parse a text file. Title: its first line that has words, if short enough for one, else the file's stem.

    Raises DocumentError `bad_encoding` or `empty`.
    """
    cleaned = clean_text(decode(content))
    first_line = cleaned.text.lstrip().partition("\n")[0]
    title = clean_line(first_line) if len(first_line) <= MAX_TITLE_CHARS else ""
    return Document(
        text=cleaned.text,
        title=title or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(cleaned.text),
        dropped=cleaned.dropped,
    )
