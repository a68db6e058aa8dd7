"""DOCX bytes → Document. The stored text is Markdown made from what a reader of the printed page sees.

Headings, lists with their numbers, tables, footnotes and text boxes keep their place; page headers and footers,
comments, deleted and hidden text go. The body is read block by block, so memory does not grow with its length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document
from ingest.cleaning import clean_text, detect_language
from ingest.parsers.archives import local_name, release
from ingest.parsers.blocks import LINE_BREAK, split_lines
from ingest.parsers.flat import FlatWriter
from ingest.parsers.headings import build_sections, find_headings
from ingest.parsers.numbering import BULLET, LEVELS, Numbering, to_number
from ingest.parsers.ooxml import Package, attribute, child, is_on, unwrapped
from ingest.parsers.styles import Styles
from ingest.parsers.tables import SpanBudget, Table
from ingest.parsers.titles import usable_title

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_BLOCKS = ("p", "tbl", "sdt", "customXml")
_MAX_COLUMNS = 200
_MAX_REPEATED_CHARS = 200  # a longer cell is not repeated in the cells that it spans
# What stands inside a paragraph and is not text that a reader sees.
_UNSEEN = frozenset(
    {
        "del",
        "moveFrom",
        "delText",
        "instrText",
        "delInstrText",
        "pPr",
        "rPr",
        "rt",
        "sdtPr",
        "Fallback",
        "docPart",
    }
)
_TEXTS = {"tab": "\t", "ptab": "\t", "br": LINE_BREAK, "cr": LINE_BREAK, "noBreakHyphen": "-"}


@dataclass(slots=True)
class _Inline:
    """The text of a paragraph and what hangs on it."""

    text: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)  # (marker, text) of footnotes and endnotes
    boxes: list[etree._Element] = field(default_factory=list)  # contents of text boxes


def parse_docx(content: bytes, source: str) -> Document:
    """Parse a Word document. Title: a paragraph of style Title, else the property, the first heading, the stem.

    Raises DocumentError `archive_bomb`, `encrypted`, `parse_failed`, `too_large` or `empty`.
    """
    package = Package(content)
    main = package.main_part()
    reader = _Reader(package, main)
    for element in package.archive.iter_xml(main, _BLOCKS):
        parent = element.getparent()
        if parent is not None and local_name(parent) == "body":
            reader.read_block(element)
            release(element)
    cleaned = clean_text(reader.writer.text())
    headings = find_headings(cleaned.text)
    properties = package.properties()
    first = next((heading.title for heading in headings if heading.level == 1), "")
    title = reader.title or usable_title(properties.get("title", "")) or first
    hidden = {"hidden": reader.hidden_chars} if reader.hidden_chars else {}
    return Document(
        text=cleaned.text,
        title=title or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(cleaned.text),
        sections=build_sections(headings, len(cleaned.text)),
        metadata=properties,
        dropped={**cleaned.dropped, **hidden},
    )


class _Reader:
    """Writes the blocks of a body in order."""

    def __init__(self, package: Package, main: str) -> None:
        def root(kind: str) -> etree._Element | None:
            part = package.related(main, kind)
            return package.archive.read_xml(part) if part else None

        self.writer = FlatWriter()
        self.title = ""
        self.hidden_chars = 0
        self._styles = Styles(root("styles"))
        self._numbering = Numbering(root("numbering"), self._styles.list_ids())
        self._notes = {"^": _read_notes(root("footnotes")), "^e": _read_notes(root("endnotes"))}
        self._note_counts = dict.fromkeys(self._notes, 0)
        self._budget = SpanBudget()

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
        inline = self._read_inline(paragraph)
        properties = child(paragraph, "pPr")
        style = attribute(child(properties, "pStyle"), "val")
        level = self._styles.heading_level(style, properties)
        label, depth = self._label(properties, style)
        if self._styles.is_title(style) and not self.title:
            self.title = " ".join(split_lines(inline.text))[:300]
        if level:
            prefix = f"{label} " if label and label != BULLET and inline.text.strip() else ""
            self.writer.heading(level, prefix + inline.text)
        elif label is not None:
            self.writer.item(depth, label or BULLET, inline.text)
        else:
            self.writer.paragraph(inline.text)
        self._write_attached(inline)

    def _write_attached(self, inline: _Inline) -> None:
        for marker, text in inline.notes:
            self.writer.paragraph(f"[{marker}]: {text}")
        for box in inline.boxes:
            self.read_block(box)

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

    def _read_inline(self, root: etree._Element) -> _Inline:
        """Read the text of a paragraph in order, without recursion: nesting is the sender's to choose."""
        inline = _Inline()
        pieces: list[str] = []
        walk = etree.iterwalk(root, events=("start",))
        for _, element in walk:
            name = local_name(element)
            if name == "t":
                pieces.append(element.text or "")
            elif name in _TEXTS:
                pieces.append(_TEXTS[name])
            elif name in {"footnoteReference", "endnoteReference"}:
                pieces.append(self._note(name, attribute(element, "id"), inline))
            elif name == "txbxContent":
                inline.boxes.append(element)
                walk.skip_subtree()
            elif name in _UNSEEN or (name == "sdt" and child(element, "sdtPr", "showingPlcHdr") is not None):
                walk.skip_subtree()
            elif name == "r" and is_on(child(element, "rPr", "vanish")):
                self.hidden_chars += sum(len(text.text or "") for text in element.iter("{*}t"))
                walk.skip_subtree()
        inline.text = "".join(pieces)
        return inline

    def _note(self, reference: str, note_id: str, inline: _Inline) -> str:
        """Number a note as the page does, keep its text for after the block, and return its marker."""
        kind = "^" if reference == "footnoteReference" else "^e"
        note = self._notes[kind].pop(note_id, None)
        if note is None:
            return ""
        self._note_counts[kind] += 1
        marker = f"{kind}{self._note_counts[kind]}"
        paragraphs = [self._read_inline(found).text for found in unwrapped(note) if local_name(found) == "p"]
        text = LINE_BREAK.join(paragraph for paragraph in paragraphs if paragraph.strip())
        inline.notes.append((marker, text))
        return f"[{marker}]"

    def _read_table(self, table: etree._Element) -> None:
        written = Table(SpanBudget(0))
        attached: list[_Inline] = []
        above: dict[int, str] = {}  # column → the cell that reaches down to here
        for row in unwrapped(table):
            properties = child(row, "trPr")
            if local_name(row) != "tr" or child(properties, "del") is not None:
                continue
            written.open_row()
            column = 0
            for _ in range(_span(child(properties, "gridBefore"))):
                written.add_cell("", 1, 1)
                column += 1
            for cell in unwrapped(row):
                if local_name(cell) == "tc" and column < _MAX_COLUMNS:
                    column = self._read_cell(cell, written, column, above, attached)
        self.writer.table(written)
        for inline in attached:
            self._write_attached(inline)

    def _read_cell(
        self,
        cell: etree._Element,
        table: Table,
        column: int,
        above: dict[int, str],
        attached: list[_Inline],
    ) -> int:
        """Write a cell in each column that it spans, and return the column after it."""
        properties = child(cell, "tcPr")
        merge = child(properties, "vMerge")
        if merge is not None and attribute(merge, "val", "continue") == "continue":
            text = self._repeatable(above.get(column, ""))
        else:
            text = self._cell_text(cell, attached)
        for offset in range(_span(child(properties, "gridSpan"), at_least=1)):
            if merge is None:
                above.pop(column, None)
            else:
                above[column] = text
            table.add_cell(text if offset == 0 else self._repeatable(text), 1, 1)
            column += 1
        return column

    def _cell_text(self, cell: etree._Element, attached: list[_Inline]) -> str:
        """Return a cell's paragraphs on one line; a table in it is read row by row."""
        pieces: list[str] = []
        for block in unwrapped(cell):
            if local_name(block) == "p":
                inline = self._read_inline(block)
                attached.append(inline)
                pieces.append(" ".join(split_lines(inline.text)))
            elif local_name(block) in {"tbl", "tr", "tc"}:
                pieces.append(self._cell_text(block, attached))
        return " ".join(piece for piece in pieces if piece)

    def _repeatable(self, text: str) -> str:
        return text if len(text) <= _MAX_REPEATED_CHARS and self._budget.take(len(text)) else ""


def _read_notes(root: etree._Element | None) -> dict[str, etree._Element]:
    """Return the notes of a part by id; separators, which have a type, are left out."""
    notes = {} if root is None else {attribute(note, "id"): note for note in root if local_name(note)}
    return {key: note for key, note in notes.items() if attribute(note, "type", "normal") == "normal"}


def _span(element: etree._Element | None, at_least: int = 0) -> int:
    return to_number(attribute(element, "val"), at_least, at_least, _MAX_COLUMNS)
