"""What a sentence of a chunk is: prose, heading, table row or code; and whether it opens its section. Pure.

Stored text keeps the marks of Markdown, whatever format it came from, so they tell what a line is. A chunk may begin
inside fenced code: its first fence then closes one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from typing import Final

from app.domain import ScoredChunk

_FENCE: Final = re.compile(r"^[ \t]{0,3}(?:`{3,}|~{3,})[ \t]*(?P<language>[^\n`]*)$", re.MULTILINE)
_HEADING: Final = re.compile(r"\s*#{1,6}\s")
_TABLE: Final = re.compile(r"\s*\|")
_RULE: Final = re.compile(
    r"\s*(?:[-*_=][ \t]*){3,}$|\s*(?:!\[|\[[^\]]*\]:)"
)  # rules, images, link definitions


class Kind(Enum):
    """What a sentence is written as."""

    PROSE = "prose"
    HEADING = "heading"
    TABLE = "table"
    CODE = "code"  # and rules, images and link definitions: nothing that answers a question in words


@dataclass(frozen=True, slots=True)
class Role:
    """A sentence's kind, the innermost heading above it ("" for none), and whether it is the first prose below it."""

    kind: Kind
    heading: str
    is_lead: bool


def sentence_roles(chunk: ScoredChunk) -> list[Role]:
    """The role of each of `chunk.sentences`, in their order.

    A sentence opens its section only where the chunk holds the heading too: after a cut no one knows.
    """
    fences = _fences(chunk.text)
    roles: list[Role] = []
    below_heading = False
    for start, end in chunk.sentences:
        at = start - chunk.char_start
        text = chunk.text[at : end - chunk.char_start]
        heading = (chunk.place_at(start).heading or "").rpartition(" › ")[2]
        kind = Kind.CODE if bisect_right(fences, at) % 2 else _kind(text, heading)
        roles.append(Role(kind, heading, kind is Kind.PROSE and below_heading))
        below_heading = kind is Kind.HEADING or (below_heading and kind is not Kind.PROSE)
    return roles


def letters(text: str) -> str:
    """Letters and digits alone, in lower case: what makes two lines the same to a reader."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _kind(text: str, heading: str) -> Kind:
    if _HEADING.match(text) or (heading and letters(text) == letters(heading)):
        return Kind.HEADING
    if _TABLE.match(text):
        return Kind.TABLE
    return Kind.CODE if _RULE.match(text) else Kind.PROSE


def _fences(text: str) -> list[int]:
    """Offsets where fenced code begins and ends, by turns; a fence line itself counts as code."""
    found = list(_FENCE.finditer(text))
    begins_inside = len(found) % 2 == 1 and not found[0]["language"].strip()
    offsets = [0] if begins_inside else []
    for fence in found:
        offsets.append(fence.end() if len(offsets) % 2 else fence.start())
    return offsets
