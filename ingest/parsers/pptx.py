"""PPTX bytes → Document, each slide a page, its title a section. The stored text is Markdown.

Text boxes, lists, tables, the words of charts and diagrams and the alternative texts of pictures come in reading order
(placement.py), the title first; comments and speaker notes follow their slide as quotations that say what they are.
Each footer stands once; dates and slide numbers go. Hidden slides are read and marked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document, Page, Section
from app.errors import DocumentError
from app.file_limits import too_large
from app.letters import detect_language
from ingest.cleaning import clean_line, normalise_text
from ingest.parsers.archives import local_name
from ingest.parsers.blocks import LINE_BREAK, split_lines
from ingest.parsers.budget import TextBudget
from ingest.parsers.charts import drawn_words
from ingest.parsers.flat import FlatWriter
from ingest.parsers.formulas import formula_text
from ingest.parsers.numbering import BULLET, format_number, to_number
from ingest.parsers.ooxml import (
    HAN_CHARACTER,
    Package,
    attribute,
    child,
    comment_words,
    picture_words,
    relationship_id,
)
from ingest.parsers.placement import Layouts, placeholder, reading_order, shapes_of
from ingest.parsers.scripts import join_runs
from ingest.parsers.symbols import symbols
from ingest.parsers.table_text import SpanBudget, Table
from ingest.parsers.titles import usable_title

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
MAX_SLIDES = 10_000

_PAGE_SEPARATOR = "\n\n"
_MAX_COLUMNS = 200
_MAX_REPEATED_CHARS = 200
_TITLES = frozenset({"title", "ctrTitle"})
_RUNNING = frozenset({"ftr", "hdr"})  # stand on every slide
_NUMBERS = frozenset({"dt", "sldNum"})
# PowerPoint's numbering schemes are a format and a punctuation: ISO/IEC 29500-1, 20.1.10.61.
_SCHEMES = {
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
    "ea1Chs": "chineseCountingThousand",
    "ea1Cht": "chineseCountingThousand",
    "circleNum": "decimalEnclosedCircle",
}


@dataclass(slots=True)
class _Slide:
    text: str
    title: str
    is_hidden: bool


@dataclass(slots=True)
class _Deck:
    """A presentation while its slides are read."""

    package: Package
    layouts: Layouts
    authors: dict[str, str]  # of comments, by their ids
    budget: TextBudget = field(default_factory=TextBudget)
    spans: SpanBudget = field(default_factory=SpanBudget)
    running: set[str] = field(default_factory=set)  # footers that have been written
    drawn: set[str] = field(default_factory=set)  # parts of charts and diagrams that have been read
    dropped: Counter[str] = field(default_factory=Counter)


def parse_pptx(content: bytes, source: str) -> Document:
    """Parse a presentation. Title: the property, else the first slide's title, else the file's stem.

    Raises DocumentError `archive_bomb`, `encrypted`, `parse_failed`, `too_large` or `empty`.
    """
    package = Package(content)
    deck = _Deck(package, Layouts(package), _authors(package))
    slides = [_read_slide(deck, part) for part in _slide_parts(package)]
    text = _PAGE_SEPARATOR.join(slide.text for slide in slides)
    if not text.strip():
        raise DocumentError("The presentation has no text in it; there is nothing to search.", code="empty")
    pages: list[Page] = []
    sections: list[Section] = []
    start = 0
    for number, slide in enumerate(slides, start=1):
        end = start + len(slide.text)
        pages.append(Page(number, start, end))
        if slide.title and end > start:
            sections.append(Section(start, end, (slide.title,)))
        start = end + len(_PAGE_SEPARATOR)
    properties = package.properties()
    if hidden := [str(number) for number, slide in enumerate(slides, start=1) if slide.is_hidden]:
        properties["hidden_slides"] = ", ".join(hidden)[:2000]
    first = next((slide.title for slide in slides if slide.title), "")
    return Document(
        text=text,
        title=usable_title(properties.get("title", "")) or first or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(text),
        sections=tuple(sections),
        pages=tuple(pages),
        metadata=properties,
        dropped={kind: count for kind, count in deck.dropped.items() if count},
    )


def _slide_parts(package: Package) -> list[str]:
    """Return the parts of the slides in the order in which they are shown."""
    main = package.main_part()
    targets = package.relationships(main)
    slides = child(package.archive.read_xml(main), "sldIdLst")
    ids = [relationship_id(slide) for slide in slides] if slides is not None else []
    if len(ids) > MAX_SLIDES:
        raise too_large("slides", len(ids), MAX_SLIDES)
    # A file may name a slide twice; reading each once keeps a small file from unfolding.
    return list(dict.fromkeys(targets[key].target for key in ids if key in targets))


def _read_slide(deck: _Deck, part: str) -> _Slide:
    writer = FlatWriter(deck.budget)
    slide = deck.package.archive.read_xml(part)
    is_hidden = attribute(slide, "show", "1") in {"0", "false"}
    tree = child(slide, "cSld", "spTree")
    shapes = _in_reading_order(tree, deck.layouts, part) if tree is not None else []
    deck.dropped["hidden"] += _hidden_chars(tree) if tree is not None else 0
    shapes.sort(key=lambda shape: placeholder(shape) in _RUNNING)
    titles = [shape for shape in shapes if placeholder(shape) in _TITLES]
    title = " ".join(" ".join(split_lines(_shape_text(shape))) for shape in titles).strip()
    mark = (
        ("（隐藏幻灯片）" if HAN_CHARACTER.search(title) else " (hidden slide)")
        if is_hidden and shapes
        else ""
    )
    writer.heading(1, f"{title}{mark}")
    for shape in shapes:
        if shape not in titles:
            writer.end_list()
            _write_shape(writer, shape, deck, part)
    for comment in _comments(deck, part):
        writer.quote(comment)
    notes = deck.package.related(part, "notesSlide")
    if notes:
        _write_notes(writer, deck.package.archive.read_xml(notes))
    cleaned = normalise_text(writer.text())
    deck.dropped.update(cleaned.dropped)
    return _Slide(cleaned.text, clean_line(title)[:300], is_hidden)


def _hidden_chars(tree: etree._Element) -> int:
    """Characters of the shapes that are hidden."""
    hidden = (found for found in tree.iter("{*}cNvPr") if attribute(found, "hidden") in {"1", "true"})
    shapes = (found.getparent().getparent() for found in hidden)
    return sum(len(text.text or "") for shape in shapes if shape is not None for text in shape.iter("{*}t"))


def _in_reading_order(tree: etree._Element, layouts: Layouts, part: str) -> list[etree._Element]:
    """Return the shapes and frames, those of a group after it. Nesting is bounded by libxml2."""
    placed = [(shape, layouts.position(shape, part)) for shape in shapes_of(tree)]
    ordered: list[etree._Element] = []
    for shape in reading_order(placed):
        ordered.append(shape)
        if local_name(shape) == "grpSp":
            ordered += _in_reading_order(shape, layouts, part)
    return ordered


def _write_shape(writer: FlatWriter, shape: etree._Element, deck: _Deck, part: str) -> None:
    kind, body = placeholder(shape), child(shape, "txBody")
    text = _shape_text(shape).strip() if kind in _RUNNING or kind in _NUMBERS else ""
    if kind in _NUMBERS or text in deck.running:
        deck.dropped["page_furniture"] += len(text)
        return
    if kind in _RUNNING and text:
        deck.running.add(text)
    properties = child(next(iter(shape), None), "cNvPr")
    if properties is not None:
        writer.paragraph(picture_words(properties))
    if local_name(shape) == "graphicFrame":
        _write_frame(writer, shape, deck, part)
    elif body is not None and kind != "sldImg":
        _write_body(writer, body, is_list=kind in {"body", "obj"})


def _authors(package: Package) -> dict[str, str]:
    """Return the names of those who made comments, by id, of both forms of comments."""
    main = package.main_part()
    parts = filter(None, (package.related(main, kind) for kind in ("commentAuthors", "authors")))
    return {
        attribute(author, "id"): clean_line(attribute(author, "name"))
        for part in parts
        for author in package.archive.read_xml(part)
    }


def _comments(deck: _Deck, part: str) -> Iterator[str]:
    """Yield the comments on a slide, each with its author; answers follow what they answer."""
    source = deck.package.related(part, "comments")
    comments = deck.package.archive.read_xml(source).iter("{*}cm", "{*}reply") if source else ()
    for comment in comments:
        plain = getattr(child(comment, "text"), "text", None)
        text = clean_line(plain or _shape_text(comment))
        yield comment_words(deck.authors.get(attribute(comment, "authorId"), ""), text)


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
    if scheme.startswith("circleNum"):
        return written
    return f"{written})" if scheme.endswith("ParenR") else f"{written}."


def _paragraph_text(paragraph: etree._Element) -> str:
    runs: list[tuple[str, str]] = []
    align = font = ""
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, element in walk:
        name = local_name(element)
        if name == "t":
            text = element.text or ""
            runs.append((align, symbols(text, font) if font else text))
        elif name == "br":
            runs.append(("", LINE_BREAK))
        elif name in {"r", "fld"}:
            align, font = _look(child(element, "rPr"))
        elif name in {"oMath", "oMathPara"}:
            runs.append(("", formula_text(element)))
        if name in {"oMath", "oMathPara", "pPr", "rPr", "endParaRPr", "Fallback"}:
            walk.skip_subtree()
    return join_runs(runs)


def _look(properties: etree._Element | None) -> tuple[str, str]:
    """Return whether a run is raised or lowered, and its font of symbols or letters."""
    baseline = attribute(properties, "baseline", "0")
    align = "subscript" if baseline.startswith("-") else "superscript" if baseline.strip("0%") else ""
    return align, attribute(child(properties, "sym"), "typeface") or attribute(
        child(properties, "latin"), "typeface"
    )


def _shape_text(shape: etree._Element) -> str:
    body = child(shape, "txBody")
    paragraphs = [] if body is None else [found for found in body if local_name(found) == "p"]
    return LINE_BREAK.join(map(_paragraph_text, paragraphs))


def _write_frame(writer: FlatWriter, frame: etree._Element, deck: _Deck, part: str) -> None:
    """Write a table, or the words of a chart or diagram, which stand in parts of their own."""
    content = child(frame, "graphic", "graphicData")
    if (table := child(content, "tbl")) is not None:
        _write_table(writer, table, deck.spans)
    for reference, kind, key in (("chart", "chart", "id"), ("relIds", "diagram", "dm")):
        if (element := child(content, reference)) is not None:
            for words in drawn_words(deck.package, part, kind, relationship_id(element, key), deck.drawn):
                writer.item(0, BULLET, words)


def _write_table(writer: FlatWriter, table: etree._Element, spans: SpanBudget) -> None:
    written = Table(spans)
    above: list[str] = []
    for row in table:
        if local_name(row) != "tr":
            continue
        written.open_row()
        cells: list[str] = []
        covered = 0  # columns that the cell before spans, each of which has a cell of its own in the file
        for cell in row:
            if local_name(cell) != "tc" or len(cells) >= _MAX_COLUMNS:
                continue
            is_covered = attribute(cell, "hMerge") in {"1", "true"}
            if is_covered and covered:
                covered -= 1
                continue
            text = " ".join(split_lines(_shape_text(cell)))
            if is_covered:
                text = _repeated(cells[-1] if cells else "", spans)
            elif attribute(cell, "vMerge") in {"1", "true"}:
                text = _repeated(above[len(cells)] if len(cells) < len(above) else "", spans)
            span = to_number(attribute(cell, "gridSpan"), 1, 1, _MAX_COLUMNS - len(cells))
            cells += [text] * span
            covered = span - 1
            written.add_cell(text, span, 1)
        above = cells
    writer.table(written)


def _repeated(text: str, spans: SpanBudget) -> str:
    return text if len(text) <= _MAX_REPEATED_CHARS and spans.take(len(text)) else ""


def _write_notes(writer: FlatWriter, notes: etree._Element) -> None:
    tree = child(notes, "cSld", "spTree")
    for shape in shapes_of(tree) if tree is not None else ():
        if placeholder(shape) == "body" and (text := _shape_text(shape).strip()):
            writer.quote(f"备注：{text}" if HAN_CHARACTER.search(text) else f"Speaker notes: {text}")
