"""EPUB bytes → Document: the chapters of the spine in order, read as HTML, each under its name in the contents.

Reads EPUB 2 and 3 (container, package document, spine, contents). Pictures, styles, scripts and fonts go.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urldefrag

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document, Section
from app.errors import DocumentError
from app.file_limits import too_large
from app.letters import detect_language
from ingest.cleaning import clean_line, normalise_text
from ingest.parsers.archives import Archive, local_name
from ingest.parsers.budget import TextBudget
from ingest.parsers.headings import build_sections, find_headings
from ingest.parsers.html import html_to_markdown
from ingest.parsers.ooxml import attribute, child, read_properties

MEDIA_TYPE = "application/epub+zip"
MAX_CHAPTERS = 10_000

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_SEPARATOR = "\n\n"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


@dataclass(slots=True)
class _Book:
    chapters: list[str] = field(default_factory=list)  # names of members, in reading order
    names: Mapping[str, str] = field(default_factory=dict)  # member → what the contents call it
    properties: dict[str, str] = field(default_factory=dict)


def parse_epub(content: bytes, source: str) -> Document:
    """Parse a book. Title: the metadata's, else the file's stem.

    Raises DocumentError `archive_bomb`, `encrypted` (copy protection), `parse_failed`, `too_large` or `empty`.
    """
    archive = Archive(content)
    book = _read_package(archive)
    _refuse_encrypted(archive, book.chapters)
    budget = TextBudget()
    pieces: list[str] = []
    sections: list[Section] = []
    dropped: dict[str, int] = {}
    start = 0
    for chapter in book.chapters:
        cleaned = normalise_text(
            html_to_markdown(archive.read(chapter), drop_furniture=False, left_out=dropped)
        )
        if not cleaned.text.strip():
            continue
        budget.take(len(cleaned.text) + len(_SEPARATOR))
        for kind, count in cleaned.dropped.items():
            dropped[kind] = dropped.get(kind, 0) + count
        sections += _sections(cleaned.text, start, book.names.get(chapter, ""))
        pieces.append(cleaned.text)
        start += len(cleaned.text) + len(_SEPARATOR)
    if not pieces:
        raise DocumentError("The book has no text in it; there is nothing to search.", code="empty")
    text = _SEPARATOR.join(pieces)
    return Document(
        text=text,
        title=book.properties.get("title", "")[:300] or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(text),
        sections=tuple(sections),
        metadata=book.properties,
        dropped=dropped,
    )


def _sections(text: str, start: int, name: str) -> Iterator[Section]:
    """Yield a chapter's sections; text above its first heading stands under the name in the contents."""
    found = build_sections(find_headings(text), len(text))
    before = found[0].char_start if found else len(text)
    if name and before:
        yield Section(start, start + before, (name,))
    for section in found:
        yield Section(start + section.char_start, start + section.char_end, section.heading_path)


def _read_package(archive: Archive) -> _Book:
    rootfile = next(archive.read_xml(_CONTAINER).iter("{*}rootfile"), None)
    part = posixpath.normpath(unquote(attribute(rootfile, "full-path")))
    package = archive.read_xml(part)
    folder = posixpath.dirname(part)
    items = {
        attribute(item, "id"): (_member(folder, attribute(item, "href")), attribute(item, "media-type"))
        for item in package.iter("{*}item")
    }
    spine = child(package, "spine")
    references = [attribute(item, "idref") for item in spine] if spine is not None else []
    chapters = [items[key][0] for key in references if key in items and items[key][1] in _PAGES]
    chapters = [name for name in dict.fromkeys(chapters) if name in archive]
    if len(chapters) > MAX_CHAPTERS:
        raise too_large("chapters", len(chapters), MAX_CHAPTERS)
    metadata = child(package, "metadata")
    properties = _properties(metadata) if metadata is not None else {}
    contents = next((path for path, kind in items.values() if kind == "application/x-dtbncx+xml"), "")
    navigation = next(
        (
            _member(folder, attribute(item, "href"))
            for item in package.iter("{*}item")
            if _is_navigation(item)
        ),
        "",
    )
    return _Book(chapters, _chapter_names(archive, navigation or contents), properties)


def _properties(metadata: etree._Element) -> dict[str, str]:
    nested = child(metadata, "dc-metadata")  # as the drafts of EPUB 2 had it
    found = read_properties(metadata if nested is None else nested)
    for element in metadata.iter():
        if local_name(element) == "language" and element.text and element.text.strip():
            found.setdefault("lang", clean_line(element.text)[:50])
        elif local_name(element) == "date" and element.text:
            found.setdefault("created", clean_line(element.text)[:10])
    return found


def _is_navigation(item: etree._Element) -> bool:
    return "nav" in attribute(item, "properties").split()


def _chapter_names(archive: Archive, part: str) -> dict[str, str]:
    """Return what the contents, in either of its two forms, call each member; the first name of each counts."""
    names: dict[str, str] = {}
    if part not in archive:
        return names
    folder = posixpath.dirname(part)
    try:
        root = archive.read_xml(part)
    except DocumentError:  # the book can be read without its contents
        return names
    for element in root.iter("{*}navPoint", "{*}a"):
        if local_name(element) == "navPoint":
            target = attribute(child(element, "content"), "src")
            label = getattr(child(element, "navLabel", "text"), "text", None) or ""
        else:
            target, label = attribute(element, "href"), "".join(element.itertext())
        name = clean_line(label)[:300]
        if target and name:
            names.setdefault(_member(folder, target), name)
    return names


def _member(folder: str, href: str) -> str:
    """Return the name of the member that a reference leads to; one that leads out names no member."""
    return posixpath.normpath(posixpath.join(folder, unquote(urldefrag(href).url)))


def _refuse_encrypted(archive: Archive, chapters: list[str]) -> None:
    """Refuse copy protection; fonts may be encrypted, they are not read."""
    if _ENCRYPTION not in archive:
        return
    references = archive.read_xml(_ENCRYPTION).iter("{*}CipherReference")
    if {unquote(attribute(reference, "URI")) for reference in references} & set(chapters):
        raise DocumentError("The book is protected against copying and can't be read.", code="encrypted")
