"""An answer for clients that draw Markdown by rules of their own: a plain list of sources, and no images. Pure.

Titles and file names come from documents: what they show must be a line of text, never a link or an image.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from app.domain import Citation

MAX_LABEL_CHARS: Final = 200
_HEADINGS: Final = {False: "Sources:", True: "来源："}
# The list as `source_list` writes it, at the end of an earlier answer that a client sends back.
_WRITTEN: Final = re.compile(r"\n\n(?:Sources:|来源：)(?:[ \t]*\n\[\d+\] [^\n]*)+\s*\Z")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_HARMLESS: Final = str.maketrans("[]<>`", "()‹›'")
_ADDRESS: Final = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*(?=://)|www(?=\.))")


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


def without_images(text: str) -> str:
    r"""A whole text as `ImageGuard` lets it through: "![" becomes "!\["."""
    return text.replace("![", "!\\[")


class ImageGuard:
    r"""Makes Markdown images in an answer plain text, piece by piece: "![" becomes "!\[", which is drawn as it was.

    An image is fetched without a click, so a document or a model could send out what it knows in its address.

    >>> guard = ImageGuard()
    >>> [guard.feed("Look!"), guard.feed("[x](http://evil.example) and !"), guard.finish()]
    ['Look', '!\\[x](http://evil.example) and ', '!']
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece and return what can be shown now."""
        text = self._held + piece
        self._held = "!" if text.endswith("!") else ""
        return without_images(text.removesuffix(self._held))

    def finish(self) -> str:
        """Return what was held back."""
        held, self._held = self._held, ""
        return held


def _label(citation: Citation, *, chinese: bool) -> str:
    title, source = plain_line(citation.title), plain_line(citation.source)
    if citation.page is not None:
        title += f"，第 {citation.page} 页" if chinese else f", p. {citation.page}"
    return f"{title} — {source}" if title else source
