"""Markdown bytes → Document. The stored text is the file's own, less a front matter in YAML or TOML and HTML;
long tables are written as records.

A description in the front matter is the first paragraph, since it is there to be read.
"""

from __future__ import annotations

import datetime
import math
import re
import tomllib
from collections.abc import Mapping

import yaml  # type: ignore[import-untyped]  # ships no types; comes with langchain-core and transformers

from app.domain import Document
from app.errors import DocumentError
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.decoding import decode
from ingest.parsers.inline_html import without_html
from ingest.parsers.pipe_tables import with_records
from ingest.parsers.shortcodes import without_steering
from ingest.parsers.written import markdown_document

MEDIA_TYPE = "text/markdown"
_MAX_FRONT_MATTER_CHARS = 65_536
_MAX_VALUE_CHARS = 2_000

_FRONT_MATTER_ENDS = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE),
}

Scalar = str | int | float | bool


def parse_markdown(content: bytes, source: str) -> Document:
    """Parse a Markdown file. Title: the front matter's, else the first level-1 heading, else the file's stem.

    Flat values of the front matter become metadata. Raises DocumentError `bad_encoding` or `empty`.
    """
    cleaned = clean_text(decode(content))
    metadata, text = split_front_matter(cleaned.text)
    text, counts = without_steering(text, is_of_site=bool(metadata))
    text = with_records(without_html(text, counts))
    if not text.strip():
        raise DocumentError("The file has comments alone; there is nothing to search.", code="empty")
    title = str(metadata.get("title", ""))
    dropped = {**cleaned.dropped, **{kind: count for kind, count in counts.items() if count}}
    return markdown_document(text, source, MEDIA_TYPE, title=title, metadata=metadata, dropped=dropped)


def split_front_matter(text: str) -> tuple[Mapping[str, Scalar], str]:
    """Return the front matter's flat values and the text after it; what is neither YAML nor TOML stays in the text."""
    first_line, _, rest = text.partition("\n")
    mark = first_line.rstrip()
    end = (
        _FRONT_MATTER_ENDS[mark].search(rest, 0, _MAX_FRONT_MATTER_CHARS)
        if mark in _FRONT_MATTER_ENDS
        else None
    )
    if end is None:
        return {}, text
    try:
        values = (tomllib.loads if mark == "+++" else yaml.safe_load)(rest[: end.start()])
    except (yaml.YAMLError, ValueError, RecursionError):  # TOML's error is a ValueError
        return {}, text
    if values is not None and not isinstance(values, dict):
        return {}, text
    metadata: dict[str, Scalar] = {}
    for key, value in (values or {}).items():
        scalar = _scalar(value)
        if isinstance(key, str) and scalar is not None:
            metadata[clean_line(key)] = scalar
    return metadata, rest[end.end() :].lstrip("\n")


def _scalar(value: object) -> Scalar | None:
    """Return a value that JSON can hold; dates as ISO 8601; None for lists, mappings and nothing."""
    if isinstance(value, str):
        return clean_line(value)[:_MAX_VALUE_CHARS]
    if isinstance(value, datetime.date):  # datetime.datetime is one too
        return value.isoformat()
    if isinstance(value, bool | int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return None
