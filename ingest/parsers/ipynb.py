"""Jupyter notebooks → Document: cells in order, Markdown as it is, code between fences, outputs' text kept short.

Reads nbformat 3 and 4. Pictures go and are counted, HTML outputs go where their text is there; of an error its name and
message stay. Sections are those of the Markdown headings. A front matter in the first cell, as Quarto reads it, is
metadata.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from app.domain import Document
from app.errors import DocumentError
from app.letters import detect_language
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.blocks import fence_code
from ingest.parsers.budget import TextBudget
from ingest.parsers.decoding import decode
from ingest.parsers.headings import build_sections, find_headings
from ingest.parsers.html import html_to_markdown
from ingest.parsers.inline_html import without_html
from ingest.parsers.jsonfile import load_json, members
from ingest.parsers.markdown import split_front_matter
from ingest.parsers.pipe_tables import with_records
from ingest.parsers.written import add_counts, first_title

MEDIA_TYPE = "application/x-ipynb+json"
MAX_OUTPUT_CHARS = 2_000
_OBJECT = re.compile(
    r"\s*+(?:<[\w.]++(?: object)?[^<>\n]*+>\s*+)?$"
)  # nothing, or "<IPython.core.display.HTML object>"


def parse_ipynb(content: bytes, source: str) -> Document:
    """Parse a notebook. Title: the metadata's, else the first level-1 heading, else the file's stem.

    Raises DocumentError `bad_encoding`, `parse_failed`, `too_large` or `empty`.
    """
    notebook = members(load_json(decode(content)))
    cells = list(_cells(notebook))
    front, rest = split_front_matter(_source(cells[0]).strip()) if cells else ({}, "")
    if front:
        cells[0] = {"cell_type": "markdown", "source": rest}
    if not cells and "cells" not in notebook and "worksheets" not in notebook:
        raise DocumentError("The file is no notebook: it has no cells.", code="parse_failed")
    metadata = members(notebook.get("metadata"))
    language = _language(metadata)
    budget, blocks = TextBudget(), list[str]()
    left_out: Counter[str] = Counter()
    for cell in cells:
        for block in _blocks(cell, language, left_out):
            budget.take(len(block) + 2)
            blocks.append(block)
    cleaned = clean_text("\n\n".join(blocks))
    headings = find_headings(cleaned.text)
    first = first_title(headings, cleaned.text)
    named = front.get("title", metadata.get("title"))
    return Document(
        text=cleaned.text,
        title=(clean_line(named)[:300] if isinstance(named, str) else "")
        or first
        or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(cleaned.text),
        sections=build_sections(headings, len(cleaned.text)),
        metadata={**front, **({"language": language} if language else {})},
        dropped=add_counts(cleaned.dropped, left_out),
    )


def _cells(notebook: dict[str, object]) -> Iterator[dict[str, object]]:
    sheets = notebook.get("worksheets")
    holders = [members(sheet) for sheet in sheets] if isinstance(sheets, list) else [notebook]
    for holder in holders:
        cells = holder.get("cells")
        yield from (members(cell) for cell in cells) if isinstance(cells, list) else ()


def _language(metadata: dict[str, object]) -> str:
    name = members(metadata.get("language_info")).get("name") or members(metadata.get("kernelspec")).get(
        "language"
    )
    return name if isinstance(name, str) and name.isascii() and name.isalnum() and len(name) <= 20 else ""


def _blocks(cell: dict[str, object], language: str, left_out: Counter[str]) -> Iterator[str]:
    """Yield what a cell says and shows; adds to `left_out` the characters of outputs and parts of them that it does
    not: kind → characters. A picture counts as one."""
    text = _source(cell)
    if cell.get("cell_type") == "code":
        if text.strip():
            yield fence_code(text, language)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            yield from _output(members(output), left_out)
    elif cell.get("cell_type") == "heading":  # of nbformat 3
        level = cell.get("level")
        yield f"{'#' * min(6, max(1, int(level) if isinstance(level, str) and level.isdigit() else 1))} {text.strip()}"
    elif text.strip():
        yield with_records(without_html(text, left_out).strip("\n"))


def _output(output: dict[str, object], left_out: Counter[str]) -> Iterator[str]:
    """Yield what an output shows: Markdown and text as they are, HTML and formulas only where there is no text."""
    data = members(output.get("data"))
    left_out["drawing"] += any(kind.startswith("image/") for kind in data)
    if output.get("output_type") in {"error", "pyerr"}:
        left_out["hidden"] += len(_text(output.get("traceback")))
        shown = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
    elif (written := _text(data.get("text/markdown")).strip("\n")).strip():
        yield _shortened(written, left_out)
        return
    else:
        shown = _text(output.get("text")) or _text(data.get("text/plain"))
    if _OBJECT.match(shown) and (
        len(data) > 1 or not shown
    ):  # the name of what is shown, as "<Figure size 640x480>"
        with contextlib.suppress(DocumentError):
            page = _text(data.get("text/html")).encode("utf-8", "replace")
            if written := html_to_markdown(page, drop_furniture=False, left_out=left_out):
                yield _shortened(written, left_out)
    elif shown.strip():
        yield fence_code(_shortened(shown.strip("\n"), left_out), "text")


def _shortened(shown: str, left_out: Counter[str]) -> str:
    left_out["output"] += max(0, len(shown) - MAX_OUTPUT_CHARS)
    return shown[:MAX_OUTPUT_CHARS]


def _source(cell: dict[str, object]) -> str:
    return _text(cell.get("source", cell.get("input")))


def _text(value: object) -> str:
    """Join a multi-line string, which notebooks keep as a list of lines."""
    if isinstance(value, list):
        return "".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""
