"""Office Open XML packages: parts, their relationships and the document's properties (ISO/IEC 29500-2).

Knows the package, not what is in its parts. Elements and relationship types are told by local name, so that the
transitional and the strict form of the format are one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.errors import DocumentError
from app.han import HAN
from ingest.cleaning import clean_line
from ingest.parsers.archives import Archive, local_name

_PROPERTIES = {
    "title": "title",
    "creator": "author",
    "subject": "subject",
    "keywords": "keywords",
    "created": "created",
}
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAX_VALUE_CHARS = 2_000
_FILE_NAME = re.compile(r"\S*\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp)$|\w:\\", re.I)
# What Office adds to a description that a program has made.
_MADE_BY_PROGRAM = re.compile(
    r"[\s,，。.]*(?:(?:Description )?automatically generated|AI-generated content.{0,40}"
    r"|(?:描述)?已自动生成(?:说明|描述)?|自動產生的描述|AI 生成的内容.{0,20})[\s.。]*$",
    re.I,
)
_MARK_CHARS = 80  # such a mark is not longer
HAN_CHARACTER = re.compile(f"[{HAN}]")
# Around blocks, cells and runs stand elements that only say where these come from.
_WRAPPERS = frozenset(
    {"sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo", "AlternateContent", "Choice"}
)


@dataclass(frozen=True, slots=True)
class Relationship:
    """A link from one part to another: the last word of its type, and the other part's name."""

    kind: str
    target: str


class Package:
    """A package: its archive and the relationships between its parts."""

    def __init__(self, content: bytes) -> None:
        """Open it. Raises DocumentError as Archive does."""
        self.archive = Archive(content)
        self._relationships: dict[str, dict[str, Relationship]] = {}

    def main_part(self) -> str:
        """Return the name of the document itself. Raises DocumentError `parse_failed`."""
        main = next((r.target for r in self.relationships("").values() if r.kind == "officeDocument"), "")
        if main not in self.archive:
            raise DocumentError("The file has no document in it; it is damaged.", code="parse_failed")
        return main

    def relationships(self, part: str) -> Mapping[str, Relationship]:
        """Return a part's relationships to other parts by id; those that lead out of the file are left out."""
        if part not in self._relationships:
            self._relationships[part] = self._read_relationships(part)
        return self._relationships[part]

    def _read_relationships(self, part: str) -> dict[str, Relationship]:
        folder, _, name = part.rpartition("/")
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self.archive:
            return {}
        found: dict[str, Relationship] = {}
        for element in self.archive.read_xml(rels):
            target = unquote(element.get("Target") or "")
            if local_name(element) == "Relationship" and element.get("TargetMode") != "External":
                path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                kind = (element.get("Type") or "").rpartition("/")[2]
                found[element.get("Id") or ""] = Relationship(kind, path)
        return found

    def related(self, part: str, kind: str) -> str:
        """Return the first part of this kind that `part` refers to; "" if there is none in the file."""
        names = (r.target for r in self.relationships(part).values() if r.kind == kind)
        return next((name for name in names if name in self.archive), "")

    def properties(self) -> dict[str, str]:
        """Return title, author, subject, keywords and the ISO date of creation, where the file has them."""
        part = next((r.target for r in self.relationships("").values() if r.kind == "core-properties"), "")
        return read_properties(self.archive.read_xml(part)) if part in self.archive else {}


def read_properties(core: etree._Element) -> dict[str, str]:
    """Read Dublin Core elements under `core`; the first of each counts."""
    found: dict[str, str] = {}
    for element in core:
        key = _PROPERTIES.get(local_name(element))
        value = clean_line(element.text or "")[:_MAX_VALUE_CHARS]
        if key == "created":
            date = _ISO_DATE.match(value)
            value = date[0] if date else ""
        if key and value:
            found.setdefault(key, value)
    return found


def attribute(element: etree._Element | None, name: str, default: str = "") -> str:
    """Return an attribute by its local name, whatever its namespace."""
    if element is not None:
        if (plain := element.get(name)) is not None:
            return str(plain)
        for key, value in element.attrib.items():
            if key.rpartition("}")[2] == name:
                return str(value)
    return default


def relationship_id(element: etree._Element, name: str = "id") -> str:
    """Return the relationship that an element names in r:id (or another r: attribute); "" if none."""
    end = "/relationships}" + name
    return next((str(value) for key, value in element.attrib.items() if key.endswith(end)), "")


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """Return the first child at each step of a path of local names, or None."""
    for name in path:
        if element is None:
            return None
        element = next((found for found in element if local_name(found) == name), None)
    return element


def is_on(element: etree._Element | None) -> bool:
    """Tell whether a switch is there and not turned off (ISO/IEC 29500-1, ST_OnOff)."""
    return element is not None and attribute(element, "val", "1") not in {"0", "false", "off"}


def picture_words(properties: etree._Element) -> str:
    """Return the alternative text of a picture's or shape's properties, marked as such; "" for none and file names."""
    if attribute(properties, "hidden") in {"1", "true"}:
        return ""
    text = clean_line(attribute(properties, "descr") or attribute(properties, "title"))[:_MAX_VALUE_CHARS]
    text = text[:-_MARK_CHARS] + _MADE_BY_PROGRAM.sub("", text[-_MARK_CHARS:])
    if not text or _FILE_NAME.match(text):
        return ""
    return f"[图片：{text}]" if HAN_CHARACTER.search(text) else f"[Picture: {text}]"


def comment_words(author: str, text: str, about: str = "") -> str:
    """Return a comment with who made it and, in a table, what it is about; "" for one without words."""
    if not text:
        return ""
    if HAN_CHARACTER.search(text):
        return f"批注{f'（{author}）' if author else ''}{f'：“{about}”' if about else ''}：{text}"
    return f"Comment{f' by {author}' if author else ''}{f' on “{about}”' if about else ''}: {text}"


def unwrapped(element: etree._Element) -> Iterator[etree._Element]:
    """Yield the children of an element, those inside wrappers in the wrapper's place."""
    for found in element:
        if local_name(found) in _WRAPPERS:
            yield from unwrapped(found)
        else:
            yield found
