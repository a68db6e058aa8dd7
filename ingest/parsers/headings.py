"""Headings of Markdown text → sections. Used for Markdown files and for HTML, which is stored as Markdown.

Pure and linear. Reads ATX ("## Title") and setext (underlined) headings outside fenced code, front matter and
comments aside: see CommonMark 0.31, sections 4.2, 4.3 and 4.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain import Section
from app.stored_markdown import fence_at, read_fences
from ingest.cleaning import clean_line

MAX_HEADING_CHARS = 300

_UNDERLINES = frozenset("=-")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NOT_PARAGRAPH = re.compile(r" {0,3}(?:[-*+>|]|\d{1,9}[.)](?:[ \t]|$))|(?: {4}|\t)")

_ATTRIBUTES = re.compile(r"\{[ \t]*[#.][^{}]*\}[ \t]*$")
_MARKUP = re.compile(r"[{}#\[<*~`_\\]")  # what all of these need
_CLOSING_MARKS = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_INLINE = (
    (re.compile(r"!\[[^\[\]]*\]\([^()]*\)"), ""),  # images
    (re.compile(r"\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])"), r"\1"),  # links: their text
    (re.compile(r"</?[A-Za-z][^<>]*>"), ""),
    (re.compile(r"\*+|~~|`+|(?<![^\W_])_+|_+(?![^\W_])"), ""),
    (re.compile(r"\\([^\w\s])"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: where its first line starts, its level from 1 to 6, and its words without markup."""

    char_start: int
    level: int
    title: str


def find_headings(text: str) -> list[Heading]:
    """Return the headings of a Markdown text in order; headings without words are left out.

    >>> [(h.level, h.title) for h in find_headings("# A *b*\\n```\\n# no\\n```\\nC\\n---\\n")]
    [(1, 'A b'), (2, 'C')]
    """
    return [heading for heading in _scan(text) if heading.title]


def build_sections(headings: list[Heading], text_length: int) -> tuple[Section, ...]:
    """Turn headings into sections, each from its heading to the next one, under the path of its parents."""
    sections: list[Section] = []
    path: list[Heading] = []
    starts = [heading.char_start for heading in headings] + [text_length]
    for heading, end in zip(headings, starts[1:], strict=True):
        path = [parent for parent in path if parent.level < heading.level] + [heading]
        sections.append(Section(heading.char_start, end, tuple(parent.title for parent in path)))
    return tuple(sections)


def plain_title(markdown: str) -> str:
    """Take inline markup out of a heading's text and bring it to one line of at most 300 characters.

    >>> plain_title("Use `pg_dump` and [the *docs*](https://example.com) ## { #use }")
    'Use pg_dump and the docs'
    """
    title = markdown[: 4 * MAX_HEADING_CHARS]
    if _MARKUP.search(title):
        title = _CLOSING_MARKS.sub("", _ATTRIBUTES.sub("", title).rstrip())
        for pattern, replacement in _INLINE:
            title = pattern.sub(replacement, title)
    return clean_line(title)[:MAX_HEADING_CHARS].rstrip()


def _scan(text: str) -> Iterator[Heading]:
    fences = read_fences(text)
    paragraph: int | None = None  # where the open paragraph starts, which a line of = or - makes a heading
    pos = 0
    for line in text.split("\n"):
        start, pos = pos, pos + len(line) + 1
        first = line.lstrip()[:1]
        if fence_at(fences, start) is not None:
            paragraph = None
        elif first == "#" and (atx := _ATX.match(line)):
            yield Heading(start, len(atx[1]), plain_title(atx[2] or ""))
            paragraph = None
        elif paragraph is not None and first in _UNDERLINES and (underline := _SETEXT.match(line)):
            if start - paragraph <= MAX_HEADING_CHARS:  # a longer one is text above a rule
                yield Heading(
                    paragraph, 1 if underline[1][0] == "=" else 2, plain_title(text[paragraph:start])
                )
            paragraph = None
        elif not first:
            paragraph = None
        elif paragraph is None and not _NOT_PARAGRAPH.match(line):
            paragraph = start
