"""PPTX bytes → Document, each slide a page, its title a section. The stored text is Markdown.

Text boxes, lists, tables and the words of charts and diagrams come in reading order (placement.py), the title first;
speaker notes follow their slide as a quotation. Footers, dates and slide numbers go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document, Page, Section
from app.errors import DocumentError
from ingest.cleaning import clean_line, detect_language, normalise_text
from ingest.parsers.archives import local_name
from ingest.parsers.blocks import LINE_BREAK, split_lines
from ingest.parsers.budget import TextBudget
from ingest.parsers.flat import FlatWriter
from ingest.parsers.numbering import BULLET, format_number, to_number
from ingest.parsers.ooxml import Package, attribute, child, relationship_id
from ingest.parsers.placement import Layouts, placeholder, reading_order, shapes_of
from ingest.parsers.tables import SpanBudget, Table
from ingest.parsers.titles import usable_title

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
MAX_SLIDES = 10_000

_PAGE_SEPARATOR = "\n\n"
_MAX_COLUMNS = 200
_MAX_REPEATED_CHARS = 200
_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"ftr", "dt", "sldNum", "hdr", "sldImg"})
# PowerPoint's numbering schemes are a format and a punctuation: ISO/IEC 29500-1, 20.1.10.61.
_SCHEMES = {
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
    "ea1Chs": "chineseCounting",
    "ea1Cht": "chineseCounting",
}


@dataclass(slots=True)
class _Slide:
    text: str
    title: str
    dropped: dict[str, int] = field(default_factory=dict)


def parse_pptx(content: bytes, source: str) -> Document:
    """Parse a presentation. Title: the property, else the first slide's title, else the file's stem.

    Raises DocumentError `archive_bomb`, `encrypted`, `parse_failed`, `too_large` or `empty`.
    """
    package = Package(content)
    budget, spans = TextBudget(), SpanBudget()
    layouts = Layouts(package)
    slides = [_read_slide(package, part, layouts, budget, spans) for part in _slide_parts(package)]
    text = _PAGE_SEPARATOR.join(slide.text for slide in slides)
    if not text.strip():
        raise DocumentError("The presentation has no text in it; there is nothing to search.", code="empty")
    pages: list[Page] = []
    sections: list[Section] = []
    dropped: dict[str, int] = {}
    start = 0
    for number, slide in enumerate(slides, start=1):
        end = start + len(slide.text)
        pages.append(Page(number, start, end))
        if slide.title and end > start:
            sections.append(Section(start, end, (slide.title,)))
        for kind, count in slide.dropped.items():
            dropped[kind] = dropped.get(kind, 0) + count
        start = end + len(_PAGE_SEPARATOR)
    properties = package.properties()
    first = next((slide.title for slide in slides if slide.title), "")
    return Document(
        text=text,
        title=usable_title(properties.get("title", "")) or first or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(text),
        sections=tuple(sections),
        pages=tuple(pages),
        metadata=properties,
        dropped=dropped,
    )


def _slide_parts(package: Package) -> list[str]:
    """Return the parts of the slides in the order in which they are shown."""
    main = package.main_part()
    targets = package.relationships(main)
    slides = child(package.archive.read_xml(main), "sldIdLst")
    ids = [relationship_id(slide) for slide in slides] if slides is not None else []
    if len(ids) > MAX_SLIDES:
        raise DocumentError(f"There are more than {MAX_SLIDES:,} slides; split the file.", code="too_large")
    # A file may name a slide twice; reading each once keeps a small file from unfolding.
    return list(dict.fromkeys(targets[key].target for key in ids if key in targets))


def _read_slide(
    package: Package, part: str, layouts: Layouts, budget: TextBudget, spans: SpanBudget
) -> _Slide:
    writer = FlatWriter(budget)
    tree = child(package.archive.read_xml(part), "cSld", "spTree")
    shapes = _in_reading_order(tree, layouts, part) if tree is not None else []
    titles = [shape for shape in shapes if placeholder(shape) in _TITLES]
    title = " ".join(" ".join(split_lines(_shape_text(shape))) for shape in titles).strip()
    writer.heading(1, title)
    for shape in shapes:
        if shape not in titles:
            writer.end_list()
            _write_shape(writer, shape, spans, package, part)
    notes = package.related(part, "notesSlide")
    if notes:
        _write_notes(writer, package.archive.read_xml(notes))
    cleaned = normalise_text(writer.text())
    return _Slide(cleaned.text, clean_line(title)[:300], cleaned.dropped)


def _in_reading_order(tree: etree._Element, layouts: Layouts, part: str) -> list[etree._Element]:
    """Return the shapes and frames, those of a group in the group's place. Nesting is bounded by libxml2."""
    placed = [(shape, layouts.position(shape, part)) for shape in shapes_of(tree)]
    ordered: list[etree._Element] = []
    for shape in reading_order(placed):
        if local_name(shape) == "grpSp":
            ordered += _in_reading_order(shape, layouts, part)
        else:
            ordered.append(shape)
    return ordered


def _write_shape(
    writer: FlatWriter, shape: etree._Element, spans: SpanBudget, package: Package, part: str
) -> None:
    if local_name(shape) == "graphicFrame":
        _write_frame(writer, shape, spans, package, part)
        return
    kind, body = placeholder(shape), child(shape, "txBody")
    if body is not None and kind not in _FURNITURE:
        _write_body(writer, body, is_list=kind in {"body", "obj"})


def _write_body(writer: FlatWriter, body: etree._Element, *, is_list: bool) -> None:
    """Write paragraphs; those of a content placeholder are list items unless they say otherwise."""
    paragraphs = [(found, _paragraph_text(found)) for found in body if local_name(found) == "p"]
    several = sum(1 for _, text in paragraphs if text.strip()) > 1
    counts: dict[int, int] = {}
    for paragraph, text in paragraphs:
        properties = child(paragraph, "pPr")
        depth = to_number(attribute(properties, "lvl"), 0, 0, 8)
        numbered = child(properties, "buAutoNum")
        for deeper in [level for level in counts if level > depth or (level == depth and numbered is None)]:
            del counts[deeper]
        if not text.strip():
            continue
        if numbered is not None:
            start = to_number(attribute(numbered, "startAt"), 1, 1, 32_767)
            counts[depth] = counts.get(depth, start - 1) + 1
            writer.item(depth, _label(counts[depth], attribute(numbered, "type")), text)
        elif child(properties, "buChar") is not None or (
            is_list and several and child(properties, "buNone") is None
        ):
            writer.item(depth, BULLET, text)
        else:
            writer.paragraph(text)


def _label(number: int, scheme: str) -> str:
    prefix = next((prefix for prefix in _SCHEMES if scheme.startswith(prefix)), "")
    written = format_number(number, _SCHEMES.get(prefix, "decimal"))
    if scheme.endswith("ParenBoth"):
        return f"({written})"
    return f"{written})" if scheme.endswith("ParenR") else f"{written}."


def _paragraph_text(paragraph: etree._Element) -> str:
    pieces: list[str] = []
    for element in paragraph.iter():
        name = local_name(element)
        if name == "t":
            pieces.append(element.text or "")
        elif name in {"br", "tab"}:
            pieces.append(LINE_BREAK if name == "br" else "\t")
    return "".join(pieces)


def _shape_text(shape: etree._Element) -> str:
    body = child(shape, "txBody")
    paragraphs = [] if body is None else [found for found in body if local_name(found) == "p"]
    return LINE_BREAK.join(map(_paragraph_text, paragraphs))


def _write_frame(
    writer: FlatWriter, frame: etree._Element, spans: SpanBudget, package: Package, part: str
) -> None:
    """Write a table, or the words of a chart or diagram, which stand in parts of their own."""
    content = child(frame, "graphic", "graphicData")
    if (table := child(content, "tbl")) is not None:
        _write_table(writer, table, spans)
        return
    for reference, key in (("chart", "id"), ("relIds", "dm")):
        element = child(content, reference)
        target = (
            package.relationships(part).get(relationship_id(element, key)) if element is not None else None
        )
        if target is None or target.target not in package.archive:
            continue
        root = package.archive.read_xml(target.target)
        for words in _chart_words(root) if reference == "chart" else _diagram_words(root):
            writer.item(0, BULLET, words)


def _diagram_words(root: etree._Element) -> Iterator[str]:
    """Yield the text of each point of a SmartArt diagram; points without text only lay it out."""
    for point in root.iter("{*}pt"):
        yield LINE_BREAK.join(_paragraph_text(found) for found in point.iter("{*}p"))


def _chart_words(root: etree._Element) -> Iterator[str]:
    """Yield a chart's title, then each series as its name and its values by category, from the cached values."""
    chart = child(root, "chart")
    if (title := child(chart, "title")) is not None:
        yield " ".join(_paragraph_text(found) for found in title.iter("{*}p"))
    for series in root.iter("{*}ser"):
        name = " ".join(_cached(child(series, "tx")).values())
        categories = _cached(child(series, "cat")) or _cached(child(series, "xVal"))
        values = _cached(child(series, "val")) or _cached(child(series, "yVal"))
        points = [f"{categories.get(index, '')} {value}".strip() for index, value in values.items()]
        yield (f"{name}: " if name else "") + ", ".join(points)


def _cached(element: etree._Element | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for point in element.iter("{*}pt") if element is not None else ():
        found[attribute(point, "idx")] = getattr(child(point, "v"), "text", None) or ""
    return found


def _write_table(writer: FlatWriter, table: etree._Element, spans: SpanBudget) -> None:
    written = Table(SpanBudget(0))
    above: list[str] = []
    for row in table:
        if local_name(row) != "tr":
            continue
        written.open_row()
        cells: list[str] = []
        for cell in row:
            if local_name(cell) != "tc" or len(cells) >= _MAX_COLUMNS:
                continue
            text = " ".join(split_lines(_shape_text(cell)))
            if attribute(cell, "hMerge") in {"1", "true"}:
                text = _repeated(cells[-1] if cells else "", spans)
            elif attribute(cell, "vMerge") in {"1", "true"}:
                text = _repeated(above[len(cells)] if len(cells) < len(above) else "", spans)
            cells.append(text)
            written.add_cell(text, 1, 1)
        above = cells
    writer.table(written)


def _repeated(text: str, spans: SpanBudget) -> str:
    return text if len(text) <= _MAX_REPEATED_CHARS and spans.take(len(text)) else ""


def _write_notes(writer: FlatWriter, notes: etree._Element) -> None:
    tree = child(notes, "cSld", "spTree")
    for shape in shapes_of(tree) if tree is not None else ():
        if placeholder(shape) == "body":
            writer.quote(_shape_text(shape))
