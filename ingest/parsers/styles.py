"""Paragraph styles of a Word document: which are headings, the title or list items, by themselves or by descent.

Pure. Word keeps the English names of built-in styles in files of every language (ISO/IEC 29500-1, 17.7.4.9); other
programs write their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.ooxml import attribute, child, is_on

_MAX_DESCENT = 20  # a chain of styles longer than this is a loop
_BODY_LEVEL = 9  # the outline level that says "no heading"
_HEADING_NAME = re.compile(
    r"(?:heading|标题|標題|見出し|제목|überschrift|titre|título|titulo|titolo|kop|rubrik|overskrift|otsikko|nagłówek"
    r"|nadpis|címsor|başlık|заголовок) ?([1-9])$"
)
_TITLES = frozenset({"title", "标题", "標題", "表題", "titel", "titre", "título", "titulo", "titolo"})


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    parent: str
    outline: str
    list_id: str
    list_level: str
    is_hidden: bool
    raised: str  # superscript, subscript or ""


class Styles:
    """The styles of one document."""

    def __init__(self, root: etree._Element | None) -> None:
        self._styles: dict[str, _Style] = {}
        self._default = ""
        for element in root if root is not None else ():
            if local_name(element) != "style":
                continue
            style_id, properties = attribute(element, "styleId"), child(element, "pPr")
            self._styles[style_id] = _Style(
                attribute(child(element, "name"), "val").lower(),
                attribute(child(element, "basedOn"), "val"),
                attribute(child(properties, "outlineLvl"), "val"),
                attribute(child(properties, "numPr", "numId"), "val"),
                attribute(child(properties, "numPr", "ilvl"), "val"),
                is_on(child(element, "rPr", "vanish")),
                attribute(child(element, "rPr", "vertAlign"), "val"),
            )
            if attribute(element, "type") == "paragraph" and attribute(element, "default") in {"1", "true"}:
                self._default = style_id

    def list_ids(self) -> dict[str, str]:
        """Return the list id that each style names itself."""
        return {style_id: style.list_id for style_id, style in self._styles.items() if style.list_id}

    def is_title(self, style_id: str) -> bool:
        """Tell whether the style is the one of the document's title."""
        style = self._styles.get(style_id)
        return style is not None and style.name in _TITLES

    def heading_level(self, style_id: str, properties: etree._Element | None) -> int:
        """Return 1 to 9 for a heading, by the paragraph's own outline level or its style; 0 for other text."""
        outline = attribute(child(properties, "outlineLvl"), "val")
        if outline:
            return _level(outline)
        for style in self._descent(style_id):
            if style.name in _TITLES:
                return 1
            if heading := _HEADING_NAME.match(style.name):
                return int(heading[1])
            if style.outline:
                return _level(style.outline)
        # A file without its styles still names them.
        heading = None if style_id in self._styles else _HEADING_NAME.match(style_id.lower())
        return int(heading[1]) if heading else 0

    def is_hidden(self, style_id: str) -> bool:
        """Tell whether a paragraph or character style hides its text."""
        return any(style.is_hidden for style in self._descent(style_id)) if style_id else False

    def raised(self, style_id: str) -> str:
        """Return superscript or subscript where a character style says so, else ""."""
        return (
            next((style.raised for style in self._descent(style_id) if style.raised), "") if style_id else ""
        )

    def list_of(self, style_id: str) -> tuple[str, str]:
        """Return the list id and level that the style gives its paragraphs; "" where it gives none."""
        for style in self._descent(style_id):
            if style.list_id:
                return style.list_id, style.list_level
        return "", ""

    def _descent(self, style_id: str) -> list[_Style]:
        chain: list[_Style] = []
        style = self._styles.get(style_id or self._default)
        while style is not None and len(chain) < _MAX_DESCENT:
            chain.append(style)
            style = self._styles.get(style.parent)
        return chain


def _level(outline: str) -> int:
    """Turn an outline level, from 0, into a heading level, from 1; 0 for body text."""
    level = int(outline) if outline.isascii() and outline.isdigit() and len(outline) < 3 else _BODY_LEVEL
    return level + 1 if level < _BODY_LEVEL else 0
