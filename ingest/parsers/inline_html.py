"""HTML inside Markdown → Markdown: what a reader of the rendered page sees. Text without HTML comes back as it is.

Tables, lists and code are written as Markdown, headings get their marks, comments go and are counted, other tags go and
leave their text. Only names of HTML's own elements are tags: "<name>" in a command line is text. Code stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Final

from app.errors import DocumentError
from ingest.parsers.html import html_to_markdown

_FENCE: Final = re.compile(r"[ \t]*(?:>[ \t]*)*(`{3,}|~{3,})(.*)")
_MARK: Final = re.compile(r"`+|\\.|<!--|<(?=/?[A-Za-z])")
_TAG: Final = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,15})(?:\s[^<>]{0,2000})?/?>")
_ALT: Final = re.compile(r"\salt=(?:\"([^\"<>]{0,300})\"|'([^'<>]{0,300})')")
_HEADING: Final = re.compile(r"h[1-6]$")
_WHOLE: Final = ("table", "ul", "ol", "dl", "pre")  # written anew as they stand
_BLOCKS: Final = (
    "p",
    "div",
    "details",
    "summary",
    "center",
    "section",
    "figure",
    "figcaption",
    "hr",
    "blockquote",
)
_INLINE: Final = """
    a abbr b big br cite del dfn em font i img ins kbd mark picture q s samp small span strike strong sub sup tt u var
    """
_KNOWN: Final = frozenset((*_WHOLE, *_BLOCKS, *_INLINE.split(), *(f"h{level}" for level in range(1, 7))))
_MAX_INDENT: Final = 40
_INDENTED: Final = re.compile(r"(?:\A|\n)[ \t]*\n(?: {4}|\t)[ \t]*\Z")
_INDENTED_REST: Final = re.compile(r"[^\n]*(?:\n(?: {4}|\t)[^\n]*)*+")
_BLANK_LINES: Final = re.compile(r"\n(?:[ \t]*\n){2,}")
_SPACES_BEFORE_BREAK: Final = re.compile(r"(?<![ \t])[ \t]+\n")


def without_html(text: str, left_out: MutableMapping[str, int]) -> str:
    """Return the text without HTML; adds the characters of comments and of what is hidden to `left_out`, by kind.

    >>> counts = {}
    >>> without_html('<h1 align="center">Kiln</h1>\\n<!-- todo -->\\nUse `<b>` <b>now</b>, <name>.\\n', counts)
    '# Kiln\\n\\nUse `<b>` now, <name>.\\n'
    >>> counts
    {'comment': 13}
    """
    if "<" not in text:
        return text
    out: list[str] = []
    is_begun = False
    for is_code, stretch in stretches(text):
        shown = stretch if is_code or "<" not in stretch else _shown(stretch, left_out)
        if shown != stretch:
            shown = _BLANK_LINES.sub("\n\n", _SPACES_BEFORE_BREAK.sub("\n", shown))
            shown = shown if is_begun else shown.lstrip("\n")
        is_begun = is_begun or bool(shown.strip())
        out.append(shown)
    return "".join(out)


def code_end(text: str, ticks: re.Match[str]) -> int:
    """Where inline code that begins with `ticks` ends: at as many of them, within its paragraph; else they are text."""
    if len(ticks[0]) > 9:
        return ticks.end()
    closing = re.compile(rf"(?<!`){ticks[0]}(?!`)")
    found = closing.search(text, ticks.end())
    is_closed = found is not None and text.find("\n\n", ticks.end(), found.start()) < 0
    return found.end() if found is not None and is_closed else ticks.end()


def stretches(text: str) -> Iterator[tuple[bool, str]]:
    """Yield fenced code and what stands between, with whether it is code; together they are the text."""
    fence = ""
    part: list[str] = []
    for line in text.splitlines(keepends=True):
        marker = _FENCE.match(line)
        if fence:
            part.append(line)
            if marker and marker[1].startswith(fence) and not marker[2].strip():
                yield True, "".join(part)
                fence, part = "", []
        elif marker and not (marker[1][0] == "`" and "`" in marker[2]):
            yield False, "".join(part)
            fence, part = marker[1], [line]
        else:
            part.append(line)
    yield bool(fence), "".join(part)


def _shown(text: str, left_out: MutableMapping[str, int]) -> str:
    out: list[str] = []
    at = 0
    absent: set[str] = set()  # ends that were looked for in vain
    while mark := _MARK.search(text, at):
        start, end = mark.start(), mark.end()
        out.append(text[at:start])
        shown = mark[0]
        if mark[0][0] == "`":
            end = code_end(text, mark)
            shown = text[start:end]
        elif mark[0] == "<!--":
            close = _find(text, "-->", end, absent)
            if close >= 0:
                end, shown = close, ""
                left_out["comment"] = left_out.get("comment", 0) + end - start
        elif mark[0] == "<" and (tag := _TAG.match(text, start)) and tag[1].lower() in _KNOWN:
            if _is_indented_code(text, start):
                rest = _INDENTED_REST.match(text, start)
                end = rest.end() if rest else end
                shown = text[start:end]
            else:
                end, shown = _replace(text, tag, absent, left_out)
        out.append(shown)
        at = end
    return "".join(out) + text[at:]


def _find(text: str, mark: str, start: int, absent: set[str]) -> int:
    """Where the next `mark` ends; -1 where there is none, which is looked for once."""
    if mark in absent:
        return -1
    found = text.find(mark, start)
    if found < 0:
        absent.add(mark)
        return -1
    return found + len(mark)


def _replace(
    text: str, tag: re.Match[str], absent: set[str], left_out: MutableMapping[str, int]
) -> tuple[int, str]:
    """What stands for a tag, or for all that it encloses, and where that ends."""
    name = tag[1].lower()
    is_opening = tag[0][1] != "/"
    if is_opening and (name in _WHOLE or _HEADING.match(name)):
        end = _find(text, f"</{tag[1]}>", tag.end(), absent)
        if end >= 0:
            try:
                part = text[tag.start() : end].encode("utf-8", "replace")
                shown = html_to_markdown(part, drop_furniture=False, left_out=left_out)
                return end, f"\n\n{shown}\n\n"
            except DocumentError:
                pass
    if name == "img" and (alt := _ALT.search(tag[0])):
        return tag.end(), alt[1] or alt[2] or ""
    if name == "br":
        return tag.end(), " "
    return tag.end(), "\n" if name in _BLOCKS or name in _WHOLE or _HEADING.match(name) else ""


def _is_indented_code(text: str, at: int) -> bool:
    """Whether a line that begins with four spaces or a tab stands after a blank line."""
    return bool(_INDENTED.search(text[max(0, at - _MAX_INDENT) : at]))
