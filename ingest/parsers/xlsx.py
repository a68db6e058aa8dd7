"""XLSX bytes → Document, each sheet a section. The stored text is Markdown: see grid.py for its tables.

Cells show what the sheet shows: cached values of formulas, numbers in their formats. Merged cells are repeated in the
rows and columns that they cover, notes stand at their cells, text boxes at the end of their sheet. Hidden rows and
columns are read and marked, hidden sheets read and named in the metadata. Sheets are streamed, so what a sheet claims
to span costs nothing; only cells count.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document
from app.han import HAN
from app.letters import detect_language
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.archives import local_name, release
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.budget import TextBudget
from ingest.parsers.cells import CellFormats, column_of
from ingest.parsers.flat import FlatWriter
from ingest.parsers.grid import Row, write_rows
from ingest.parsers.headings import build_sections, find_headings
from ingest.parsers.numbering import to_number
from ingest.parsers.ooxml import Package, attribute, child, relationship_id
from ingest.parsers.titles import usable_title
from ingest.parsers.written import add_counts

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_MAX_ROW = 1_048_576
_MAX_COLUMNS = 16_384
_END_OF_CELLS = re.compile(rb"</(?:[\w-]{1,40}:)?sheetData\s*>|<(?:[\w-]{1,40}:)?sheetData\s*/>")
_MERGED = re.compile(rb"""mergeCell\s[^<>]{0,200}?ref=["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_MAX_MERGED_BYTES = 8 * 2**20
_MAX_OPEN_MERGED = 500  # areas that reach down to one row
_MAX_REPEATED_CHARS = 200  # a longer cell is not repeated
_FURNITURE = re.compile(rb"<(?:\w+:)?(?:odd|even|first)(?:Header|Footer)>([^<]{1,2000})<")
_FURNITURE_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-F]{6}|K\d\d[+-]\d{3}|\d{1,3}|[A-Za-z&])')
_MAX_INLINE_NOTE_CHARS = 200  # a longer note stands below the table
_THREADED = re.compile(
    r"\[(?:Threaded comment|线程批注|线程注释|討論串註解)\].{0,1000}?(?:Comment|Comments|注释|批注|註解)[:：]\s*",
    re.S,
)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_HAN = re.compile(f"[{HAN}]")


def parse_xlsx(content: bytes, source: str) -> Document:
    """Parse a workbook. Title: the property if it looks like one, else the file's stem.

    Raises DocumentError `archive_bomb`, `encrypted`, `parse_failed`, `too_large` or `empty`.
    """
    package = Package(content)
    main = package.main_part()
    workbook = package.archive.read_xml(main)
    targets = package.relationships(main)
    date_base = attribute(child(workbook, "workbookPr"), "date1904") in {"1", "true"}
    styles = package.related(main, "styles")
    formats = CellFormats(package.archive.read_xml(styles) if styles else None, counts_from_1904=date_base)
    shared = _shared_strings(package, main)
    writer = FlatWriter(TextBudget())
    hidden: list[str] = []
    furniture = 0  # characters
    sheets = child(workbook, "sheets")
    for sheet in sheets if sheets is not None else ():
        target = targets.get(relationship_id(sheet))
        if target is None or target.kind != "worksheet" or target.target not in package.archive:
            continue  # sheets that are nothing but a chart
        name = clean_line(attribute(sheet, "name"))
        if attribute(sheet, "state", "visible") != "visible":
            hidden.append(name)
        read = _Sheet(package, target.target, shared, formats)
        _write_sheet(writer, name, read)
        furniture += read.furniture_chars
    properties = package.properties()
    if hidden:
        properties["hidden_sheets"] = ", ".join(hidden)[:2000]
    cleaned = clean_text(writer.text())
    return Document(
        text=cleaned.text,
        title=usable_title(properties.get("title", "")) or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(cleaned.text),
        sections=build_sections(find_headings(cleaned.text), len(cleaned.text)),
        metadata=properties,
        dropped=add_counts(cleaned.dropped, {"page_furniture": furniture}),
    )


def _write_sheet(writer: FlatWriter, name: str, sheet: _Sheet) -> None:
    """Write a sheet under its name; one that shows nothing is left out."""
    rows = sheet.rows()
    first = next((row for row in rows if any(text.strip() for text in row.values())), None)
    boxes = list(_text_boxes(sheet.package, sheet.part))
    if first is None and not boxes:
        return
    writer.heading(1, name)
    if first is not None:
        write_rows(writer, _chain(first, rows))
    writer.end_list()
    for text in [*sheet.notes_below, *boxes]:
        writer.paragraph(text)


def _chain(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest


@dataclass(slots=True)
class _Area:
    """Merged cells: the columns that they cover, both included, their last row, and what they show."""

    first_column: int
    last_column: int
    last_row: int
    text: str = ""


@dataclass(slots=True)
class _Sheet:
    """A sheet while its rows are read; `notes_below` is complete when all have been."""

    package: Package
    part: str
    shared: list[str]
    formats: CellFormats
    notes_below: list[str] = field(default_factory=list)
    furniture_chars: int = 0  # of headers and footers, known once the rows are read

    def rows(self) -> Iterator[Row]:
        """Yield rows with their cells; where row numbers leave a gap, one empty row."""
        tail = self.package.archive.read_after(self.part, _END_OF_CELLS, _MAX_MERGED_BYTES)
        starts = _merged_areas(tail)
        self.furniture_chars = _furniture_chars(tail)
        notes = _notes(self.package, self.part)
        hidden: list[tuple[int, int]] = []
        areas: list[_Area] = []  # those that may reach into the row
        last = number = 0  # the last row with cells, the last one of all
        is_first = True  # of a table: it may name the columns
        for element in self.package.archive.iter_xml(self.part, ("col", "row")):
            if local_name(element) == "col":
                if attribute(element, "hidden") in {"1", "true"}:
                    bounds = (
                        to_number(attribute(element, at), 1, 1, _MAX_COLUMNS) - 1 for at in ("min", "max")
                    )
                    hidden.append((next(bounds), next(bounds)))
                release(element)
                continue
            number = to_number(attribute(element, "r"), number + 1, 1, _MAX_ROW)
            areas = [area for area in areas if area.last_row >= number]
            if len(element) == 0:  # it only has a format: as good as none
                release(element)
                continue
            row = self._cells(element)
            is_hidden = attribute(element, "hidden") in {"1", "true"}
            release(element)
            if number > last + 1:
                yield {}
                is_first = True
            areas = self._repeat(row, areas, starts.pop(number, []))
            self._add_notes(row, number, notes, is_first=is_first)
            if is_first and row:
                for first, final in hidden:
                    for column in [column for column in row if first <= column <= final]:
                        row[column] += _marked("hidden column", "隐藏列", row[column])
            if row and is_hidden:
                row[min(row)] += _marked("hidden row", "隐藏行", "".join(row.values()))
            is_first = len(row) < 2 and (is_first or not row)
            yield dict(sorted(row.items()))
            last = number
        for reference, note in notes.items():
            self.notes_below.append(_note_line(reference, "", note))

    def _cells(self, element: etree._Element) -> dict[int, str]:
        row: dict[int, str] = {}
        column = -1
        for cell in element:
            if local_name(cell) == "c":
                column = column_of(attribute(cell, "r"), column + 1)
                if text := _cell_text(cell, self.shared, self.formats):
                    row[column] = text
        return row

    def _repeat(self, row: dict[int, str], areas: list[_Area], starting: list[_Area]) -> list[_Area]:
        """Put what merged cells show into each column and row that they cover, where the row has other cells too.

        Returns the areas that go on: `areas` from the rows above, and those that start in this row.
        """
        own = dict(row)
        for area in starting:
            area.text = own.get(area.first_column, "")
        if len(own) == 1:  # a cell that stands alone is a title over the columns
            starting = [area for area in starting if area.last_column == area.first_column]
        going_on = [*areas, *(area for area in starting if 0 < len(area.text) <= _MAX_REPEATED_CHARS)]
        left = _MAX_COLUMNS  # areas don't lie over one another, but in a file that is made to take long
        for area in going_on[:_MAX_OPEN_MERGED] if own else ():
            columns = range(area.first_column, area.last_column + 1)[:left]
            left -= len(columns)
            for column in columns:
                row.setdefault(column, area.text)
        return going_on[:_MAX_OPEN_MERGED]

    def _add_notes(self, row: dict[int, str], number: int, notes: dict[str, str], *, is_first: bool) -> None:
        """Put the notes of a row behind their cells, long ones and those of names of columns below the table."""
        if not notes:
            return
        for column, text in list(row.items()):
            note = notes.pop(f"{_letters(column)}{number}", "")
            if note and (len(note) > _MAX_INLINE_NOTE_CHARS or (is_first and len(row) > 1)):
                self.notes_below.append(_note_line(f"{_letters(column)}{number}", text, note))
            elif note:
                row[column] += f"（批注：{note}）" if _HAN.search(note) else f" (Note: {note})"


def _note_line(reference: str, text: str, note: str) -> str:
    place = f"{text} ({reference})" if text else reference
    return f"{place} 批注：{note}" if _HAN.search(note) else f"Note on {place}: {note}"


def _marked(english: str, chinese: str, text: str) -> str:
    return f"（{chinese}）" if _HAN.search(text) else f" ({english})"


def _letters(column: int) -> str:
    """Return the letters of a column, counted from 0.

    >>> _letters(0), _letters(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _merged_areas(tail: bytes) -> dict[int, list[_Area]]:
    """Return the merged cells of a sheet by their first row, from what follows its cells."""
    areas: dict[int, list[_Area]] = {}
    for match in _MERGED.finditer(tail):
        first, top, last, bottom = (group.decode() for group in match.groups())
        area = _Area(column_of(first, 0), column_of(last, 0), int(bottom))
        areas.setdefault(int(top), []).append(area)
    return areas


def _furniture_chars(tail: bytes) -> int:
    """Characters of the headers and footers that a sheet is printed with, without their codes for pages and fonts."""
    shown = (
        _FURNITURE_CODE.sub("", html.unescape(match[1].decode("utf-8", "replace")))
        for match in _FURNITURE.finditer(tail)
    )
    return sum(len(text.strip()) for text in shown)


def _notes(package: Package, part: str) -> dict[str, str]:
    """Return the notes of a sheet's cells, in order: reference → text. A thread counts instead of its copy."""
    notes: dict[str, str] = {}
    for kind, tag in (("comments", "comment"), ("threadedComment", "threadedComment")):
        source = package.related(part, kind)
        threads: dict[str, list[str]] = {}
        for element in package.archive.iter_xml(source, (tag,)) if source else ():
            text = child(element, "text")
            words = "" if text is None else _rich_text(text) if len(text) else text.text or ""
            words = clean_line(_THREADED.sub("", words))
            if words:
                threads.setdefault(attribute(element, "ref"), []).append(words)
            release(element)
        notes |= {reference: " / ".join(words) for reference, words in threads.items()}
    return notes


def _text_boxes(package: Package, part: str) -> Iterator[str]:
    """Yield the paragraphs of the text boxes and shapes on a sheet."""
    drawing = package.related(part, "drawing")
    for body in package.archive.iter_xml(drawing, ("txBody",)) if drawing else ():
        for paragraph in body:
            if local_name(paragraph) == "p":
                pieces = (
                    LINE_BREAK if local_name(e) == "br" else e.text or ""
                    for e in paragraph.iter("{*}t", "{*}br")
                )
                if text := "".join(pieces).strip():
                    yield text
        release(body)


def _shared_strings(package: Package, main: str) -> list[str]:
    part = package.related(main, "sharedStrings")
    strings: list[str] = []
    for item in package.archive.iter_xml(part, ("si",)) if part else ():
        strings.append(_rich_text(item))
        release(item)
    return strings


def _rich_text(element: etree._Element) -> str:
    """Join the runs of a string, without the phonetic guides above them."""
    texts = (text.text or "" for text in element.iter("{*}t") if local_name(text.getparent()) != "rPh")
    return _characters("".join(texts))


def _characters(text: str) -> str:
    """Read the characters that a text of a workbook writes as "_x000D_" (ST_Xstring: ISO/IEC 29500-1, 22.9.2.19)."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return text.replace("\r\n", "\n").replace("\n", LINE_BREAK)


def _cell_text(cell: etree._Element, shared: list[str], formats: CellFormats) -> str:
    kind = attribute(cell, "t", "n")
    if kind == "inlineStr":
        inline = child(cell, "is")
        return _rich_text(inline) if inline is not None else ""
    value = getattr(child(cell, "v"), "text", None) or ""
    if kind == "s":
        index = to_number(value, -1, -1, len(shared))
        return shared[index] if 0 <= index < len(shared) else ""
    if kind == "b":
        return {"1": "TRUE", "0": "FALSE"}.get(value, value)
    if not value:
        # A program that does not calculate writes formulas without values: the formula is all there is to show.
        formula = getattr(child(cell, "f"), "text", None)
        return f"={formula}" if formula else ""
    if kind == "n":
        return formats.show(value, attribute(cell, "s"))
    return _characters(value)
