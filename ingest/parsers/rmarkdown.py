"""R Markdown and Quarto bytes → Document: Markdown with code that is run. Nothing is run here.

Code stays as code, without the options of its chunk; fences of divisions, classes and shortcodes go.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain import Document
from ingest.cleaning import clean_text
from ingest.parsers.decoding import decode
from ingest.parsers.inline_html import without_html
from ingest.parsers.markdown import split_front_matter
from ingest.parsers.pipe_tables import with_records
from ingest.parsers.written import markdown_document

MEDIA_TYPE = "text/x-rmarkdown"

_CHUNK: Final = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*\{=?[ \t]*+([\w.+-]*+)[^}\n]*+\}[ \t]*+$")
_FENCE: Final = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([^`]*)$")
_OPTION: Final = re.compile(r"[ \t]*(?:#|//|--|%%)\|")
_DIVISION: Final = re.compile(r"[ \t]*:{3,}.*$")
_DIVISION_TITLE: Final = re.compile(r"\b(?:title|name)=\"([^\"\n]{1,300})\"")
_SHORTCODE: Final = re.compile(r"\{\{<[^\n]{0,1000}?>\}\}")
_HEADING_ATTRIBUTES: Final = re.compile(r"^((?>.*?#[ \t])(?:|.*?[^ \t]))[ \t]*+\{[^{}\n]*+\}[ \t]*+$")
_SPAN: Final = re.compile(r"\[([^\[\]\n]{1,1000})\]\{[.#][^{}\n]{0,300}\}")


def parse_rmarkdown(content: bytes, source: str) -> Document:
    """Parse a file of R Markdown or Quarto. Title as for Markdown.

    Raises DocumentError `bad_encoding` or `empty`.
    """
    cleaned = clean_text(decode(content))
    metadata, text = split_front_matter(cleaned.text)
    kept: list[str] = []
    fence = ""
    left_out = 0
    for line in text.split("\n"):
        shown: str | None = line
        if fence:
            closing = _FENCE.match(line)
            if closing and closing[1].startswith(fence) and not closing[2].strip():
                fence = ""
            elif _OPTION.match(line) and kept[-1].lstrip().startswith(fence):
                shown = None
        elif chunk := _CHUNK.match(line):
            fence = chunk[2]
            shown = f"{chunk[1]}{fence}{chunk[3].lstrip('.')}"
        elif opening := _FENCE.match(line):
            fence = opening[1]
        elif _DIVISION.match(line):
            named = _DIVISION_TITLE.search(line)
            shown = named[1] if named else ""
        else:
            shown = _SPAN.sub(r"\1", _SHORTCODE.sub("", _HEADING_ATTRIBUTES.sub(r"\1", line)))
        left_out += len(line) - len(shown or "")
        if shown is not None:
            kept.append(shown)
    counts = {"markup": left_out}
    text = without_html("\n".join(kept), counts)
    dropped = {**cleaned.dropped, **{kind: count for kind, count in counts.items() if count}}
    text = with_records(clean_text(text).text)
    title = str(metadata.get("title", ""))
    return markdown_document(text, source, MEDIA_TYPE, title=title, metadata=metadata, dropped=dropped)
