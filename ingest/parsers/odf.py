"""OpenDocument bytes (ODT, ODS, ODP) → Document: text, sheets and slides of OASIS OpenDocument 1.2 and 1.3.

A zip archive of XML as Office files are, read by the same archives.py. Deleted text of tracked changes goes and is
counted, notes and comments stand where they are anchored, and repeated cells are written as often as they say only
where something stands in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document, Page, Section
from app.errors import DocumentError
from app.letters import detect_language
from ingest.cleaning import clean_text
from ingest.parsers.archives import Archive, local_name
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.budget import TextBudget
from ingest.parsers.flat import FlatWriter
from ingest.parsers.grid import Row, write_rows
from ingest.parsers.numbering import BULLET
from ingest.parsers.ooxml import attribute, child, comment_words, read_properties
from ingest.parsers.table_text import SpanBudget, Table
from ingest.parsers.titles import usable_title
from ingest.parsers.written import build_document

TEXT_MEDIA_TYPE: Final = "application/vnd.oasis.opendocument.text"
SHEET_MEDIA_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"
SLIDES_MEDIA_TYPE: Final = "application/vnd.oasis.opendocument.presentation"

_MAX_SPACES: Final = 100
_MAX_REPEATED: Final = 1_000  # of one row that holds something; the rest is counted
_MAX_SPANNED: Final = 100
_MAX_ROWS: Final = 1_048_576
_MAX_COLUMNS: Final = 16_384
_MAX_DEPTH: Final = 50  # of blocks within blocks
_PAGE_SEPARATOR: Final = "\n\n"
_TITLE_STYLE: Final = "Title"
_NOT_SHOWN: Final = frozenset({"object", "object-ole", "binary-data", "annotation-end", "ruby-text"})
_HIDDEN_SHEET: Final = "hidden_sheets"


def parse_odt(content: bytes, source: str) -> Document:
    """Parse a text document. Title: the property, else a paragraph in the style of titles, else the first level-1
    heading, else the file's stem.

    Raises DocumentError `archive_bomb`, `encrypted`, `parse_failed`, `too_large` or `empty`.
    """
    archive, body, properties = _open(content, "text")
    writer = _Writer()
    writer.title_styles = _title_styles(body.getparent().getparent())
    writer.blocks(body)
    del archive
    return build_document(
        writer.flat.text(),
        source,
        TEXT_MEDIA_TYPE,
        title=usable_title(properties.get("title", "")),
        metadata=properties,
        dropped=+writer.dropped,
    )


def parse_ods(content: bytes, source: str) -> Document:
    """Parse a workbook: each sheet under its name. Raises as parse_odt does."""
    archive, body, properties = _open(content, "spreadsheet")
    hidden = _hidden_styles(archive)
    writer = _Writer()
    hidden_sheets = []
    for sheet in body.iterchildren("{*}table"):
        name = attribute(sheet, "name")
        rows = list(writer.sheet_rows(sheet))
        if not any(rows):
            continue
        if attribute(sheet, "style-name") in hidden:
            hidden_sheets.append(name)
        writer.flat.heading(1, name)
        write_rows(writer.flat, rows)
        writer.flat.end_list()
    if hidden_sheets:
        properties[_HIDDEN_SHEET] = ", ".join(hidden_sheets)[:2000]
    return build_document(
        writer.flat.text(),
        source,
        SHEET_MEDIA_TYPE,
        title=usable_title(properties.get("title", "")) or PurePosixPath(source).stem,
        metadata=properties,
        dropped=+writer.dropped,
    )


def parse_odp(content: bytes, source: str) -> Document:
    """Parse a presentation: a page a slide, with its title as section. Raises as parse_odt does."""
    _, body, properties = _open(content, "presentation")
    pages: list[Page] = []
    sections: list[Section] = []
    texts: list[str] = []
    dropped: Counter[str] = Counter()
    start = 0
    for number, slide in enumerate(body.iterchildren("{*}page"), start=1):
        writer = _Writer()
        title = writer.slide(slide)
        cleaned = clean_text(writer.flat.text())
        dropped.update(cleaned.dropped)
        dropped.update(writer.dropped)
        end = start + len(cleaned.text)
        pages.append(Page(number, start, end))
        if title and end > start:
            sections.append(Section(start, end, (title,)))
        texts.append(cleaned.text)
        start = end + len(_PAGE_SEPARATOR)
    text = _PAGE_SEPARATOR.join(texts)
    if not text.strip():
        raise DocumentError("The presentation has no text in it; there is nothing to search.", code="empty")
    first = sections[0].heading_path[0] if sections else ""
    return Document(
        text=text,
        title=usable_title(properties.get("title", "")) or first or PurePosixPath(source).stem,
        media_type=SLIDES_MEDIA_TYPE,
        language=detect_language(text),
        sections=tuple(sections),
        pages=tuple(pages),
        metadata=properties,
        dropped=+dropped,
    )


class _Writer:
    """Writes blocks in order. `dropped`: kind → characters that were left out; `title_styles`: names of styles."""

    def __init__(self) -> None:
        self.flat = FlatWriter()
        self.dropped: Counter[str] = Counter()
        self.title_styles: set[str] = set()
        self._spans = SpanBudget()

    def blocks(self, parent: etree._Element, depth: int = 0) -> None:
        """Write what stands in a body, a section or a frame."""
        if depth > _MAX_DEPTH:
            raise DocumentError("The file is nested too deeply to be read.", code="parse_failed")
        for element in parent:
            name = local_name(element)
            if name == "h":
                self.flat.heading(_number(element, "outline-level", 1, 6), self._inline(element))
            elif name == "p" and attribute(element, "style-name") in self.title_styles:
                self.flat.heading(1, self._inline(element))
            elif name == "p":
                self.flat.paragraph(self._inline(element))
            elif name == "list":
                self._list(element, 0)
                self.flat.end_list()
            elif name == "table":
                self._table(element)
            elif name == "tracked-changes":
                self.dropped["hidden"] += len("".join(element.itertext()).strip())
            elif name not in {
                "forms",
                "sequence-decls",
                "notes",
                "user-field-decls",
                "variable-decls",
                "scripts",
            }:
                self.blocks(element, depth + 1)

    def slide(self, slide: etree._Element) -> str:
        """Write a slide with its title as heading and its notes last; returns the title."""
        title = ""
        for shape in slide:
            if local_name(shape) == "notes":
                continue
            if attribute(shape, "class") == "title" and not title:
                title = " ".join(" ".join(self._inline(part) for part in shape.iter("{*}p")).split())
                self.flat.heading(1, title)
            else:
                self.blocks([shape] if local_name(shape) == "table" else shape)
        for notes in slide.iterchildren("{*}notes"):
            for box in notes.iter("{*}text-box"):
                self.blocks(box)
        return title

    def sheet_rows(self, sheet: etree._Element) -> Iterator[Row]:
        """Yield the rows of a sheet: its gaps as one empty row, repeated ones as often as something stands in them.
        Merged cells show their value wherever they reach. Raises DocumentError `too_large`."""
        budget = TextBudget()
        below: dict[
            int, tuple[int, str]
        ] = {}  # column → rows that a merged cell still reaches down, and its text
        for element in sheet.iter("{*}table-row"):
            row: dict[int, str] = {}
            column = 0
            for cell in element.iterchildren("{*}table-cell", "{*}covered-table-cell"):
                times = _number(cell, "number-columns-repeated", 1, _MAX_COLUMNS)
                text = self._cell(cell)
                if local_name(cell) == "covered-table-cell":
                    shown = {at: text or below.get(at, (0, ""))[1] for at in range(column, column + times)}
                else:
                    width = max(times, _number(cell, "number-columns-spanned", 1, _MAX_SPANNED))
                    shown = dict.fromkeys(range(column, column + width), text)
                    rows = _number(cell, "number-rows-spanned", 1, _MAX_REPEATED)
                    below |= {at: (rows, text) for at in shown if rows > 1}
                filled = {at: words for at, words in shown.items() if words and not row.get(at)}
                budget.take(sum(map(len, filled.values())))
                row |= filled
                column += times
            below = {at: (rows - 1, text) for at, (rows, text) in below.items() if rows > 1}
            yield row
            again = _number(element, "number-rows-repeated", 1, _MAX_ROWS) - 1 if row else 0
            chars = sum(map(len, row.values()))
            for _ in range(min(again, _MAX_REPEATED)):
                budget.take(chars)
                yield row
            self.dropped["repeated"] += chars * max(0, again - _MAX_REPEATED)

    def _table(self, table: etree._Element) -> None:
        written = Table(self._spans)
        for element in table.iter("{*}table-row"):
            parent = element.getparent()
            is_head = parent is not None and local_name(parent) == "table-header-rows"
            written.open_row()
            for cell in element.iterchildren("{*}table-cell"):
                columns = _number(cell, "number-columns-spanned", 1, 200)
                rows = _number(cell, "number-rows-spanned", 1, 1000)
                written.add_cell(self._cell(cell), columns, rows, is_head=is_head)
        self.flat.table(written)

    def _cell(self, cell: etree._Element) -> str:
        parts = [self._inline(part) for part in cell.iter("{*}p", "{*}h") if _is_own(part, cell)]
        parts += map(_comment, cell.iterchildren("{*}annotation"))
        return LINE_BREAK.join(part for part in parts if part.strip())

    def _list(self, element: etree._Element, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise DocumentError("The file is nested too deeply to be read.", code="parse_failed")
        for item in element:
            for part in item:
                if local_name(part) == "list":
                    self._list(part, depth + 1)
                elif local_name(part) in {"p", "h"}:
                    self.flat.item(depth, BULLET, self._inline(part))

    def _inline(self, element: etree._Element) -> str:
        """The text of a paragraph, with its breaks, notes and comments."""
        out: list[str] = []
        self._collect(element, out, 0)
        return "".join(out)

    def _collect(self, element: etree._Element, out: list[str], depth: int) -> None:
        out.append(element.text or "")
        for part in element:
            name = local_name(part)
            if name == "s":
                out.append(" " * _number(part, "c", 1, _MAX_SPACES))
            elif name == "tab":
                out.append(" ")
            elif name == "line-break":
                out.append(LINE_BREAK)
            elif name == "note":
                body = child(part, "note-body")
                out.append(f" ({' '.join(''.join(body.itertext()).split())})" if body is not None else "")
            elif name == "annotation":
                out.append(_comment(part))
            elif name in _NOT_SHOWN or depth > _MAX_DEPTH:
                pass
            elif name in {"title", "desc"}:
                out.append(f" [{''.join(part.itertext()).strip()}] ")
            elif name:
                self._collect(part, out, depth + 1)
            out.append(part.tail or "")


def _comment(annotation: etree._Element) -> str:
    creator = child(annotation, "creator")
    words = " ".join("".join(part.itertext()) for part in annotation.iterchildren("{*}p", "{*}list"))
    return comment_words("" if creator is None else creator.text or "", words)


def _title_styles(content: etree._Element) -> set[str]:
    """Names of the style of titles and of those that the file derives from it."""
    derived = {
        attribute(style, "name")
        for style in content.iter("{*}style")
        if attribute(style, "parent-style-name") == _TITLE_STYLE
    }
    return {_TITLE_STYLE, *derived}


def _open(content: bytes, kind: str) -> tuple[Archive, etree._Element, dict[str, str]]:
    """The archive, the body of its content and its properties."""
    archive = Archive(content)
    manifest = "META-INF/manifest.xml"
    if manifest in archive and next(archive.read_xml(manifest).iter("{*}encryption-data"), None) is not None:
        raise DocumentError("The file is protected by a password; save it without one.", code="encrypted")
    body = child(archive.read_xml("content.xml"), "body", kind)
    if body is None:
        raise DocumentError("The file is of another kind than its name says.", code="parse_failed")
    meta = child(archive.read_xml("meta.xml"), "meta") if "meta.xml" in archive else None
    return archive, body, {} if meta is None else read_properties(meta)


def _hidden_styles(archive: Archive) -> set[str]:
    """Names of the styles of tables that are not shown."""
    return {
        attribute(style, "name")
        for style in archive.read_xml("content.xml").iter("{*}style")
        if attribute(child(style, "table-properties"), "display") == "false"
    }


def _number(element: etree._Element, name: str, least: int, most: int) -> int:
    value = attribute(element, name)
    return (
        max(least, min(int(value), most))
        if value.isascii() and value.isdigit() and len(value) < 10
        else least
    )


def _is_own(paragraph: etree._Element, cell: etree._Element) -> bool:
    """Whether a paragraph is the cell's text: not that of a comment, a note or a table within."""
    parent = paragraph.getparent()
    while parent is not None and parent is not cell:
        if local_name(parent) in {"annotation", "note", "table-cell"}:
            return False
        parent = parent.getparent()
    return True
