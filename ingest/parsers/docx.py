"""DOCX bytes → Document. The stored text is Markdown made from what a reader of the printed page sees.

Headings, lists with their numbers, tables, footnotes, comments, text boxes and charts keep their place. Each text of
the page headers and footers stands once, before the body: it says which document this is, and belongs to no section.
Deleted and hidden text goes and is counted. The body is read block by block, so memory does not grow with its length.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document
from app.letters import detect_language
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.archives import local_name, release
from ingest.parsers.blocks import split_lines
from ingest.parsers.charts import drawn_words
from ingest.parsers.flat import FlatWriter
from ingest.parsers.headings import build_sections, find_headings
from ingest.parsers.numbering import BULLET, LEVELS, Numbering, to_number
from ingest.parsers.ooxml import Package, attribute, child, comment_words, is_on, relationship_id, unwrapped
from ingest.parsers.styles import Styles
from ingest.parsers.table_text import SpanBudget, Table
from ingest.parsers.titles import usable_title
from ingest.parsers.wordtext import Inline, TextReader
from ingest.parsers.written import first_title

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_BLOCKS = ("p", "tbl", "sdt", "customXml", "sectPr")
_MAX_COLUMNS = 200
_MAX_REPEATED_CHARS = 200  # a longer cell is not repeated in the cells that it spans
_GONE = ("del", "moveFrom", "vanish")
_PAGE_PARTS = frozenset({"headerReference", "footerReference"})
_MAX_ABOUT_CHARS = 80


def parse_docx(content: bytes, source: str) -> Document:
    """Parse a Word document. Title: a paragraph of style Title, else the property, the first heading, the stem.

    Raises DocumentError `archive_bomb`, `encrypted`, `parse_failed`, `too_large` or `empty`.
    """
    package = Package(content)
    main = package.main_part()
    reader = _Reader(package, main)
    for element in package.archive.iter_xml(main, _BLOCKS):
        parent = element.getparent()
        if local_name(element) == "sectPr":
            reader.read_section(element)
        elif parent is not None and local_name(parent) == "body":
            reader.read_block(element)
            release(element)
    body = reader.writer.text()
    cleaned = clean_text("\n\n".join(filter(None, [reader.page_lines(), body])))
    headings = find_headings(cleaned.text)
    properties = package.properties()
    first = first_title(headings, cleaned.text)
    title = reader.title or usable_title(properties.get("title", "")) or first
    return Document(
        text=cleaned.text,
        title=title or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(cleaned.text),
        sections=build_sections(headings, len(cleaned.text)),
        metadata=properties,
        dropped={**cleaned.dropped, **reader.finish()},
    )


class _Reader:
    """Writes the blocks of a body in order."""

    def __init__(self, package: Package, main: str) -> None:
        def root(kind: str) -> etree._Element | None:
            part = package.related(main, kind)
            return package.archive.read_xml(part) if part else None

        self.writer = FlatWriter()
        self.title = ""
        self._initial = ""  # a drop capital whose paragraph has not come yet
        self._package, self._main = package, main
        self._styles = Styles(root("styles"))
        self._numbering = Numbering(root("numbering"), self._styles.list_ids())
        notes = {"^": _read_notes(root("footnotes")), "^e": _read_notes(root("endnotes"))}
        self._text = TextReader(self._styles, notes)
        self._comments = _by_id(root("comments"))
        self._has_even_pages = is_on(child(root("settings"), "evenAndOddHeaders"))
        self._is_body = True
        self._current: dict[tuple[str, str], str] = {}  # (element, kind of page) → part, of the section
        self._running: dict[str, bool] = {}  # parts of headers and footers → whether a page shows them
        self._drawn: set[str] = set()
        self._budget = SpanBudget()

    def read_section(self, section: etree._Element) -> None:
        """Note which headers and footers a section of the body shows: its own, else those of the section before."""
        parts = self._package.relationships(self._main)
        seen = {"default": True, "first": is_on(child(section, "titlePg")), "even": self._has_even_pages}
        for reference in section:
            target, kind = parts.get(relationship_id(reference)), attribute(reference, "type", "default")
            if local_name(reference) in _PAGE_PARTS and target is not None and kind in seen:
                self._current[local_name(reference), kind] = target.target
                self._running.setdefault(target.target, False)
        for (_, kind), part in self._current.items():
            self._running[part] = self._running[part] or seen[kind]

    def page_lines(self) -> str:
        """Return the headers, then the footers, each distinct text once."""
        self._is_body = False
        kept: dict[str, None] = {}
        kinds = {link.target: link.kind for link in self._package.relationships(self._main).values()}
        for part in sorted(self._running, key=lambda part: kinds.get(part, "") == "footer"):
            if part not in self._package.archive:
                continue
            root = self._package.archive.read_xml(part)
            if not self._running[part]:
                self._text.count_hidden(root)
                continue
            self.writer = FlatWriter()
            for block in unwrapped(root):
                self.read_block(block)
            for text in filter(None, self.writer.text().split("\n\n")):
                self._text.dropped["page_furniture"] += len(text) if text in kept else 0
                kept[text] = None
        return "\n\n".join(kept)

    def finish(self) -> dict[str, int]:
        """Return what was left out: kind → characters; notes and comments that nothing refers to among it."""
        dropped = self._text.dropped
        dropped["hidden"] += self._text.unread_notes()
        dropped["comment"] += sum(
            len(text.text or "") for comment in self._comments.values() for text in comment.iter("{*}t")
        )
        return {kind: count for kind, count in dropped.items() if count}

    def read_block(self, element: etree._Element) -> None:
        """Write a paragraph, a table, or what is wrapped in a content control."""
        name = local_name(element)
        if name == "p":
            self._read_paragraph(element)
        elif name == "tbl":
            self._read_table(element)
        elif name in {"sdt", "customXml", "txbxContent"}:
            for found in unwrapped(element):
                self.read_block(found)

    def _read_paragraph(self, paragraph: etree._Element) -> None:
        inline = self._text.read(paragraph)
        properties = child(paragraph, "pPr")
        style = attribute(child(properties, "pStyle"), "val")
        level = self._styles.heading_level(style, properties) if self._is_body else 0
        mark = child(
            properties, "rPr"
        )  # a paragraph whose end is deleted or hidden with its text has no number
        is_gone = not inline.text.strip() and any(child(mark, name) is not None for name in _GONE)
        label, depth = (None, 0) if is_gone else self._label(properties, style)
        if self._is_body and not self.title and self._styles.is_title(style):
            self.title = " ".join(split_lines(inline.text))[:300]
        if attribute(child(properties, "framePr"), "dropCap") in {"drop", "margin"} and not inline.boxes:
            self._initial += (
                inline.text.strip()
            )  # stands in a frame of its own, and begins the next paragraph
            return
        if self._initial and inline.text:
            inline.text, self._initial = self._initial + inline.text, ""
        if level:
            prefix = f"{label} " if label and label != BULLET and inline.text.strip() else ""
            self.writer.heading(level, prefix + inline.text)
        elif label is not None:
            self.writer.item(depth, label or BULLET, inline.text)
        else:
            self.writer.paragraph(inline.text)
        self._write_attached(inline)

    def _write_attached(self, inline: Inline, about: str = "") -> None:
        """Write what hangs on a paragraph after it: notes, comments, text boxes, charts and diagrams."""
        notes = list(inline.notes)
        for marker, note in notes:  # a note may have notes: they come to the end of the list
            inside = self._text.read(note)
            self.writer.paragraph(f"[{marker}]: {inside.text.strip()}")
            notes += inside.notes
        for comment_id in inline.comments:
            comment = self._comments.pop(comment_id, None)
            if comment is not None:
                author = clean_line(attribute(comment, "author"))
                text = self._text.read(comment).text.strip()
                self.writer.quote(comment_words(author, text, about[:_MAX_ABOUT_CHARS]))
        for box in inline.boxes:
            self.read_block(box)
        for kind, link in inline.drawn:
            for words in drawn_words(self._package, self._main, kind, link, self._drawn):
                self.writer.item(0, BULLET, words)

    def _label(self, properties: etree._Element | None, style: str) -> tuple[str | None, int]:
        """Count a list item: its label (None: not in a list) and its depth."""
        direct = child(properties, "numPr")
        list_id = attribute(child(direct, "numId"), "val")
        level = attribute(child(direct, "ilvl"), "val")
        if not list_id:
            list_id, style_level = self._styles.list_of(style)
            level = level or style_level or str(self._numbering.level_of_style(list_id, style))
        depth = to_number(level, 0, 0, LEVELS - 1)
        return (self._numbering.next_label(list_id, depth), depth) if list_id else (None, 0)

    def _read_table(self, table: etree._Element) -> None:
        written = Table(self._budget)
        attached: list[tuple[Inline, str]] = []
        above: dict[int, str] = {}  # column → the cell that reaches down to here
        for row in unwrapped(table):
            properties = child(row, "trPr")
            if local_name(row) != "tr":
                continue
            if child(properties, "del") is not None:
                self._text.count_hidden(row)
                continue
            written.open_row()
            column = 0
            for _ in range(_span(child(properties, "gridBefore"))):
                written.add_cell("", 1, 1)
                column += 1
            is_head = is_on(child(properties, "tblHeader"))
            for cell in unwrapped(row):
                if local_name(cell) == "tc" and column < _MAX_COLUMNS:
                    column = self._read_cell(cell, written, column, above, attached, is_head=is_head)
        self.writer.table(written)
        for inline, about in attached:
            self._write_attached(inline, about)

    def _read_cell(
        self,
        cell: etree._Element,
        table: Table,
        column: int,
        above: dict[int, str],
        attached: list[tuple[Inline, str]],
        *,
        is_head: bool,
    ) -> int:
        """Write a cell in each column that it spans, and return the column after it."""
        properties = child(cell, "tcPr")
        merge = child(properties, "vMerge")
        if merge is not None and attribute(merge, "val", "continue") == "continue":
            text = self._repeatable(above.get(column, ""))
        else:
            found: list[Inline] = []
            text = self._cell_text(cell, found)
            attached += [(inline, text) for inline in found]
        span = _span(child(properties, "gridSpan"), at_least=1)
        for at in range(column, column + span):
            if merge is None:
                above.pop(at, None)
            else:
                above[at] = text
        table.add_cell(text, span, 1, is_head=is_head)
        return column + span

    def _cell_text(self, cell: etree._Element, attached: list[Inline]) -> str:
        """Return a cell's paragraphs on one line, with their numbers; a table in it is read row by row."""
        pieces: list[str] = []
        for block in unwrapped(cell):
            if local_name(block) == "p":
                inline = self._text.read(block)
                attached.append(inline)
                properties = child(block, "pPr")
                label, _ = self._label(properties, attribute(child(properties, "pStyle"), "val"))
                pieces += [label] if label and label != BULLET else []  # it shows where there is no text too
                pieces.append(" ".join(split_lines(inline.text)))
            elif local_name(block) in {"tbl", "tr", "tc"}:
                pieces.append(self._cell_text(block, attached))
        return " ".join(piece for piece in pieces if piece)

    def _repeatable(self, text: str) -> str:
        return text if len(text) <= _MAX_REPEATED_CHARS and self._budget.take(len(text)) else ""


def _read_notes(root: etree._Element | None) -> dict[str, etree._Element]:
    """Return the notes of a part by id; separators, which have a type, are left out."""
    return {key: note for key, note in _by_id(root).items() if attribute(note, "type", "normal") == "normal"}


def _by_id(root: etree._Element | None) -> dict[str, etree._Element]:
    return {} if root is None else {attribute(found, "id"): found for found in root if local_name(found)}


def _span(element: etree._Element | None, at_least: int = 0) -> int:
    return to_number(attribute(element, "val"), at_least, at_least, _MAX_COLUMNS)
