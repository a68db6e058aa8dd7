"""Markdown that a parser has written from another format → Document: cleaned, with its title and sections.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from app.domain import Document
from ingest.cleaning import clean_line, clean_text, detect_language
from ingest.parsers.headings import build_sections, find_headings


def build_document(
    markdown: str,
    source: str,
    media_type: str,
    *,
    title: str = "",
    metadata: Mapping[str, Any] | None = None,
    dropped: Mapping[str, int] | None = None,
) -> Document:
    """The document of a written text. Title: `title`, else the first level-1 heading, else the file's stem.

    `dropped` are the characters that the parser left out, by kind. Raises DocumentError `empty`.
    """
    cleaned = clean_text(markdown)
    headings = find_headings(cleaned.text)
    first = next((heading.title for heading in headings if heading.level == 1), "")
    return Document(
        text=cleaned.text,
        title=clean_line(title) or first or PurePosixPath(source).stem,
        media_type=media_type,
        language=detect_language(cleaned.text),
        sections=build_sections(headings, len(cleaned.text)),
        metadata=dict(metadata or {}),
        dropped={**cleaned.dropped, **(dropped or {})},
    )
