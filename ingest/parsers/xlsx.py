"""XLSX bytes → Document, each sheet a section. The stored text is Markdown: see grid.py for its tables.

Cells show what the sheet shows: cached values of formulas, dates in ISO 8601, per cents. Hidden sheets are read
and named in the metadata. Sheets are streamed, so what a sheet claims to span costs nothing; only cells count.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document
from ingest.cleaning import clean_line, clean_text, detect_language
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

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_MAX_ROW = 1_048_576


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
    sheets = child(workbook, "sheets")
    for sheet in sheets if sheets is not None else ():
        target = targets.get(relationship_id(sheet))
        if target is None or target.kind != "worksheet" or target.target not in package.archive:
            continue  # sheets that are nothing but a chart
        name = clean_line(attribute(sheet, "name"))
        if attribute(sheet, "state", "visible") != "visible":
            hidden.append(name)
        _write_sheet(writer, name, _rows(package, target.target, shared, formats))
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
        dropped=cleaned.dropped,
    )


def _write_sheet(writer: FlatWriter, name: str, rows: Iterator[Row]) -> None:
    """Write a sheet under its name; one without cells is left out."""
    first = next((row for row in rows if any(text.strip() for text in row.values())), None)
    if first is not None:
        writer.heading(1, name)
        write_rows(writer, _chain(first, rows))


def _chain(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest


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
    return "".join(texts).replace("\n", LINE_BREAK)


def _rows(package: Package, part: str, shared: list[str], formats: CellFormats) -> Iterator[Row]:
    """Yield rows with their cells; where row numbers leave a gap, one empty row."""
    last = number = 0  # the last row with cells, the last one of all
    for element in package.archive.iter_xml(part, ("row",)):
        number = to_number(attribute(element, "r"), number + 1, 1, _MAX_ROW)
        if len(element) == 0:  # it only has a format: as good as none
            release(element)
            continue
        row: dict[int, str] = {}
        column = -1
        for cell in element:
            if local_name(cell) == "c":
                column = column_of(attribute(cell, "r"), column + 1)
                if text := _cell_text(cell, shared, formats):
                    row[column] = text
        release(element)
        if number > last + 1:
            yield {}
        yield dict(sorted(row.items()))
        last = number


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
    return value.replace("\n", LINE_BREAK)
