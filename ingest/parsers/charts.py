"""Words of charts and SmartArt diagrams, which Office keeps in parts of their own.

A chart: its title, those of its axes, then each series with its values by category, as they were last calculated.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.cells import CellFormats
from ingest.parsers.ooxml import Package, attribute, child

_AXES = frozenset({"catAx", "valAx", "dateAx", "serAx"})


def drawn_words(package: Package, part: str, kind: str, link: str, seen: set[str]) -> Iterator[str]:
    """Yield the words of the "chart" or "diagram" that `part` refers to by this relationship, an item each.

    `seen`: the parts that have been read; reading each once keeps a small file from unfolding.
    """
    target = package.relationships(part).get(link)
    if target is None or target.target in seen or target.target not in package.archive:
        return
    seen.add(target.target)
    root = package.archive.read_xml(target.target)
    yield from _chart_words(root) if kind == "chart" else _diagram_words(root)


def _diagram_words(root: etree._Element) -> Iterator[str]:
    """Yield the text of each point of a SmartArt diagram; points without text only lay it out."""
    for point in root.iter("{*}pt"):
        yield LINE_BREAK.join(_words(found) for found in point.iter("{*}p"))


def _chart_words(root: etree._Element) -> Iterator[str]:
    chart = child(root, "chart")
    if (title := child(chart, "title")) is not None:
        yield _title(title)
    area = child(chart, "plotArea")
    for axis in area if area is not None else ():
        if local_name(axis) in _AXES and (title := child(axis, "title")) is not None:
            yield _title(title)
    for series in root.iter("{*}ser"):
        name = " ".join(_cached(child(series, "tx")).values())
        categories = _cached(child(series, "cat")) or _cached(child(series, "xVal"))
        values = _cached(child(series, "val")) or _cached(child(series, "yVal"))
        points = [f"{categories.get(index, '')} {value}".strip() for index, value in values.items()]
        yield ": ".join(filter(None, [name, ", ".join(points)]))


def _title(title: etree._Element) -> str:
    return " ".join(_words(found) for found in title.iter("{*}p")) or " ".join(_cached(title).values())


def _words(paragraph: etree._Element) -> str:
    return "".join(text.text or "" for text in paragraph.iter("{*}t"))


def _cached(element: etree._Element | None) -> dict[str, str]:
    """Return the cached values below an element by their index, as the chart shows them."""
    found: dict[str, str] = {}
    formats = _formats(next(element.iter("{*}formatCode"), None) if element is not None else None)
    for point in element.iter("{*}pt") if element is not None else ():
        value = getattr(child(point, "v"), "text", None) or ""
        found[attribute(point, "idx")] = formats.show(value, "0") if formats else value
    return found


def _formats(code: etree._Element | None) -> CellFormats | None:
    """Return a format of numbers as the one of a workbook that has no other; None where values stay as they are."""
    if code is None or code.text in {None, "General"}:
        return None
    styles = etree.Element("styleSheet")
    number_formats = etree.SubElement(styles, "numFmts")
    etree.SubElement(number_formats, "numFmt", numFmtId="200", formatCode=code.text)
    etree.SubElement(etree.SubElement(styles, "cellXfs"), "xf", numFmtId="200")
    return CellFormats(styles, counts_from_1904=False)
