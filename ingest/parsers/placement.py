"""Where shapes stand on a slide → the order in which a reader meets them.

Drawing order is what lies over what, not what is read first. Shapes are read in bands from top to bottom, those of
a band from left to right. A placeholder without a position of its own has that of its layout or master.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.numbering import to_number
from ingest.parsers.ooxml import Package, attribute, child

Point = tuple[int, int]  # (top, left) in EMU
T = TypeVar("T")

BAND_EMU = 360_000  # 1 cm: tops that differ by less are a row
_LIMIT = 10**9


def reading_order(placed: Sequence[tuple[T, Point | None]]) -> list[T]:
    """Return things in reading order; one without a position stays behind the one before it."""
    tops: list[tuple[Point, int, T]] = []
    last: Point = (-_LIMIT, -_LIMIT)
    for index, (thing, point) in enumerate(placed):
        last = point or last
        tops.append((last, index, thing))
    tops.sort(key=lambda entry: entry[:2])
    ordered: list[tuple[int, int, int, T]] = []
    band = start = 0
    for (top, left), index, thing in tops:
        if not ordered or top - start >= BAND_EMU:
            band, start = band + 1, top
        ordered.append((band, left, index, thing))
    return [thing for *_, thing in sorted(ordered, key=lambda entry: entry[:3])]


def shapes_of(tree: etree._Element) -> Iterator[etree._Element]:
    """Yield what stands on a slide in drawing order, alternatives for old programs and hidden things left out."""
    for element in tree:
        name = local_name(element)
        if name in {"AlternateContent", "Choice"}:
            yield from shapes_of(element)
        elif name in {"sp", "graphicFrame", "grpSp", "pic"} and not _is_hidden(element):
            yield element


def placeholder(shape: etree._Element) -> str:
    """Return the kind of placeholder that a shape fills: "" for none, "obj" where it is not said."""
    found = child(next(iter(shape), None), "nvPr", "ph")
    return "" if found is None else attribute(found, "type", "obj")


class Layouts:
    """Positions of placeholders on the layouts and masters of a presentation, read when first needed."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._positions: dict[str, dict[str, Point]] = {}

    def position(self, shape: etree._Element, slide: str) -> Point | None:
        """Return the shape's own position, else that of its placeholder on the layout, else on the master."""
        own = _position(shape)
        found = child(next(iter(shape), None), "nvPr", "ph")
        if own is not None or found is None:
            return own
        positions = self._inherited(self._package.related(slide, "slideLayout"), "slideMaster")
        by_index = positions.get(f"#{attribute(found, 'idx', '0')}")
        return by_index or positions.get(attribute(found, "type", "obj"))

    def _inherited(self, part: str, parent_kind: str) -> dict[str, Point]:
        """Return positions by placeholder kind and by "#index", those of the parent part below its own."""
        if not part:
            return {}
        if part not in self._positions:
            parent = self._package.related(part, parent_kind) if parent_kind else ""
            positions = dict(self._inherited(parent, ""))
            tree = child(self._package.archive.read_xml(part), "cSld", "spTree")
            for shape in shapes_of(tree) if tree is not None else ():
                point, found = _position(shape), child(next(iter(shape), None), "nvPr", "ph")
                if point is not None and found is not None:
                    positions[attribute(found, "type", "obj")] = point
                    if parent_kind:
                        positions[f"#{attribute(found, 'idx', '0')}"] = point
            self._positions[part] = positions
        return self._positions[part]


def _position(shape: etree._Element) -> Point | None:
    frame = child(shape, "xfrm")
    if frame is None:
        properties = child(shape, "grpSpPr" if local_name(shape) == "grpSp" else "spPr")
        frame = child(properties, "xfrm")
    offset = child(frame, "off")
    if offset is None:
        return None
    top, left = (to_number(attribute(offset, axis), 0, -_LIMIT, _LIMIT) for axis in ("y", "x"))
    return top, left


def _is_hidden(shape: etree._Element) -> bool:
    first = next(iter(shape), None)  # nvSpPr, nvGrpSpPr or nvGraphicFramePr
    return attribute(child(first, "cNvPr"), "hidden") in {"1", "true"}
