"""An answer for clients that draw Markdown by rules of their own: a plain list of sources, and nothing that acts. Pure.

Titles and file names come from documents: what they show must be a line of text, never a link or an image.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from app.domain import Citation
from app.generation.inert_markdown import InertMarkdown

MAX_LABEL_CHARS: Final = 200
_HEADINGS: Final = {False: "Sources:", True: "来源："}
# The list as `source_list` writes it, at the end of an earlier answer that a client sends back.
_WRITTEN: Final = re.compile(r"\n\n(?:Sources:|来源：)(?:[ \t]*\n\[\d+\] [^\n]*)+\s*\Z")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_HARMLESS: Final = str.maketrans("[]<>`", "()‹›'")
_ADDRESS: Final = re.compile(r"(?i)(?<=[a-z0-9+.-])(?=://)|\bwww(?=\.)")


def source_list(citations: Sequence[Citation], *, chinese: bool) -> str:
    r"""Return the lines "[1] title, p. 3 — source" under a heading, "" without citations.

    Claims on one place of a document share a line. Begins with the blank line that sets it off; two blanks before each
    line break keep the lines apart in Markdown.
    """
    if not citations:
        return ""
    lines = (f"[{citation.marker}] {_label(citation, chinese=chinese)}" for citation in citations)
    return "\n\n" + "  \n".join([_HEADINGS[chinese], *dict.fromkeys(lines)])


def without_source_list(text: str) -> str:
    """An earlier answer without the list that `source_list` put at its end.

    >>> without_source_list("Two lists [1].\\n\\nSources:  \\n[1] Lists — a.md")
    'Two lists [1].'
    """
    return _WRITTEN.sub("", text)


def plain_line(text: str) -> str:
    """Text from a document on one line, with nothing in it that Markdown makes a link, an image or HTML of.

    >>> plain_line("A ![x](https://evil.example/p.png)\\n<b>")
    'A !(x)(https ://evil.example/p.png) ‹b›'
    """
    line = " ".join(_INVISIBLE.sub("", text).split()).translate(_HARMLESS)
    line = _ADDRESS.sub(lambda match: f"{match.group()} ", line)
    return line if len(line) <= MAX_LABEL_CHARS else line[: MAX_LABEL_CHARS - 1] + "…"


class InertText:
    """A whole answer with nothing in it that leads away, fetches or runs (app/generation/inert_markdown.py), and where
    the places of the one lie in the other.

    >>> inert = InertText("See ![x](https://evil.example) [1].")
    >>> inert.text, inert.place(31)
    ('See x [1].', 6)
    """

    def __init__(self, text: str) -> None:
        inert = inert_stream()
        self.text = inert.feed(text) + inert.finish()
        places = (*inert.places, (len(text), len(self.text)))
        self._given: list[int] = [given for given, _ in places]
        self._made: list[int] = [made for _, made in places]

    def place(self, offset: int) -> int:
        """Where the character at `offset` of the answer came to stand, or what stood around it."""
        index = bisect_right(self._given, offset) - 1
        last = self._made[index + 1] if index + 1 < len(self._made) else len(self.text)
        return min(self._made[index] + offset - self._given[index], last)


def inert_stream() -> InertMarkdown:
    """The same piece by piece. Quoted documents may hold turns and tokens, a model's own are gone by now."""
    return InertMarkdown(cuts_turns=False)


def _label(citation: Citation, *, chinese: bool) -> str:
    title, source = plain_line(citation.title), plain_line(citation.source)
    if citation.page is not None:
        title += f"，第 {citation.page} 页" if chinese else f", p. {citation.page}"
    return f"{title} — {source}" if title else source
