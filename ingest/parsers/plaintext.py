"""Plain text bytes → Document. The stored text is the file's own."""

from __future__ import annotations

from pathlib import PurePosixPath

from app.domain import Document
from app.letters import detect_language
from ingest.cleaning import clean_text
from ingest.parsers.decoding import decode
from ingest.parsers.titles import first_line_title

MEDIA_TYPE = "text/plain"


def parse_plaintext(content: bytes, source: str) -> Document:
    """Parse a text file. Title: its first line of words, if short enough for one, else the file's stem.

    Raises DocumentError `bad_encoding` or `empty`.
    """
    return text_document(decode(content), source, MEDIA_TYPE)


def text_document(text: str, source: str, media_type: str) -> Document:
    """A text that is stored as it is written; other formats use it for what they can't read."""
    cleaned = clean_text(text)
    return Document(
        text=cleaned.text,
        title=first_line_title(cleaned.text) or PurePosixPath(source).stem,
        media_type=media_type,
        language=detect_language(cleaned.text),
        dropped=cleaned.dropped,
    )
