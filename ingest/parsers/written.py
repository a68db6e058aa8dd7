"""Markdown, a file's own or what a parser has written from another format, → Document with its title and sections.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from app.domain import Document
from app.letters import detect_language
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.blocks import escape_markup
from ingest.parsers.headings import Heading, build_sections, find_headings

_DESCRIPTIONS: Final = ("description", "summary", "excerpt", "abstract")


def add_counts(*counts: Mapping[str, int]) -> dict[str, int]:
    """Characters by kind of several steps together; kinds without any left out.

    >>> add_counts({"comment": 2, "markup": 0}, {"comment": 3})
    {'comment': 5}
    """
    return {kind: total for kind, total in sum(map(Counter, counts), Counter[str]()).items() if total}


def build_document(
    markdown: str,
    source: str,
    media_type: str,
    *,
    title: str = "",
    metadata: Mapping[str, Any] | None = None,
    dropped: Mapping[str, int] | None = None,
) -> Document:
    """The document of a written text. Title: `title`, else `first_title`, else the file's stem.

    `dropped` are the characters that the parser left out, by kind. Raises DocumentError `empty`.
    """
    cleaned = clean_text(markdown)
    return markdown_document(
        cleaned.text,
        source,
        media_type,
        title=title,
        metadata=dict(metadata or {}),
        dropped=add_counts(cleaned.dropped, dropped or {}),
    )


def markdown_document(
    text: str,
    source: str,
    media_type: str,
    *,
    title: str = "",
    metadata: Mapping[str, Any],
    dropped: Mapping[str, int],
) -> Document:
    """The document of a clean text, which begins with the description in `metadata` where it does not hold it. Title:
    `title`, else the first level-1 heading, else the file's stem."""
    text = _described(text, metadata)
    headings = find_headings(text)
    first = first_title(headings, text)
    return Document(
        text=text,
        title=clean_line(title) or first or PurePosixPath(source).stem,
        media_type=media_type,
        language=detect_language(text),
        sections=build_sections(headings, len(text)),
        metadata=metadata,
        dropped=dropped,
    )


def first_title(headings: list[Heading], text: str) -> str:
    """The title of a text: its first level-1 heading, else the heading of any level that it begins with, if it is more
    than a number or a time; else ""."""
    if first := next((heading.title for heading in headings if heading.level == 1), ""):
        return first
    begins = headings[0].title if headings and not text[: headings[0].char_start].strip() else ""
    return begins if any(map(str.isalpha, begins)) else ""


def _described(text: str, metadata: Mapping[str, Any]) -> str:
    """Put what a document says of itself outside its text, in its front matter or the like, at its beginning."""
    named = (metadata.get(name, "") for name in _DESCRIPTIONS)
    description = next((words for words in named if isinstance(words, str) and words.strip()), "")
    return (
        text
        if not description or description in " ".join(text.split())
        else f"{escape_markup(description)}\n\n{text}"
    )
