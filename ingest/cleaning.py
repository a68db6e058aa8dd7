"""Normalises extracted text: what is stored is what a reader sees, and nothing that hides in it.

Pure: knows nothing of formats. Ordinary text comes back unchanged, so that offsets into a Markdown or text
file agree with offsets into the stored text. All functions are linear in their input.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.errors import DocumentError

# Unicode TR 15 section 13: a stream-safe text has at most 30 combining marks in a row. Normalising longer runs
# takes quadratic time, and no language writes them.
MAX_COMBINING_MARKS = 30

_NEWLINES = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
_EMOJI = "\u2600-\u27bf\U0001f000-\U0001faff"
# Characters that a reader does not see: they break search and citations, and can carry hidden instructions.
_DROPPED: dict[str, re.Pattern[str]] = {
    # ECMA-48, section 5.4: what colours a terminal is as unseen as the character that begins it.
    "control": re.compile("(?:\x1b\\[[0-?]{0,64}[ -/]{0,8}[@-~]|[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f])+"),
    "surrogate": re.compile("[\ud800-\udfff]+"),
    # A joiner between two emoji is a part of what is seen: it stays.
    "zero_width": re.compile(
        "[\u00ad\u180e\u200b\u200c\u2060-\u2065\ufeff\ufff9-\ufffb]+"
        f"|(?<![{_EMOJI}\ufe0f])\u200d+|\u200d+(?![{_EMOJI}])"
    ),
    "bidi": re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]+"),
    "tag": re.compile("[\U000e0000-\U000e007f]+"),
}
# Pictures and files written as text, which no reader reads: their type stays, of a key its beginning.
_DATA_URI: Final = re.compile(r"(data:[\w.+-]{1,60}/[\w.+-]{1,80})(?:;[\w=.+-]{1,80}){0,4},[\w+/=%.~-]{64,}+")
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9+/_=-]{256,}+")
_KEPT_OF_KEY: Final = 16  # characters
# Most texts hold none of what is replaced or dropped above, which one look tells.
_UNUSUAL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\u00ad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# All combining marks, and scripts that have them.
_COMBINING: Final = re.compile(
    "[\u0300-\u036f\u0483-\u1dff\u20d0-\u20f0\u2cef-\u2dff\u302a-\u302f\u3099\u309a\ua66f-\uabed\ufb1e-\ufe2f"
    "\U000101fd-\U0001e94a]"
)
# Where more may be: marks are no word characters, and normalising makes at most two of one, and three of the letter.
_NOT_WORD_RUN = re.compile(rf"\w?\W{{{(MAX_COMBINING_MARKS - 3) // 2 + 1},}}")

_LATIN = re.compile("[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]+")

_NUMBER = re.compile(r"\d{1,6}")
_EDGE_LINES = 2  # a header or footer is looked for in this many lines at each end of a page
_MIN_PAGES = 3
_MIN_SHARE = 0.4  # of the pages: left and right pages often have headers of their own
_MAX_FURNITURE_CHARS = 200
_LEAST_SENTENCE = 40  # characters of a line that ends as a sentence does
# What stands beside the number of a page, and not beside one that counts something else.
_PAGE_WORD = re.compile(
    r"(?:^|[^\w])(?:pages?|pag|pg|p|seite|página|pagina|sida|side|folio|slide|sheet|folie)[\W_]{0,3}$",
    re.I,
)
_PAGE_SIGN = re.compile(r"\s*[页頁]")
_OF_PAGES = re.compile(r"\s*(?:/|of|von|de|sur)\s*\d+\W*$", re.I)
_SET_APART = re.compile(r"\s*[\t|·•–—-]\s*")  # a tab stands for a wide gap


@dataclass(frozen=True, slots=True)
class CleanedText:
    """The text as it is stored. `dropped`: kind → number of characters removed; absent kinds are zero."""

    text: str
    dropped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Edge:
    """A line at an end of a page, where running headers and footers stand."""

    index: int
    is_top: bool  # in the upper half


def clean_text(text: str) -> CleanedText:
    """Normalise a document's text: newlines, spaces that look like a space, invisible characters, NFC.

    NFC and not NFKC, because a quote must look like its source: "①", "ﬁ" and "Ａ" stay. Applying it twice
    changes nothing more. Raises DocumentError `empty` if nothing visible is left.
    """
    cleaned = normalise_text(text)
    if not cleaned.text.strip():
        raise DocumentError("The document has no text in it; there is nothing to search.", code="empty")
    return cleaned


def normalise_text(text: str) -> CleanedText:
    """Normalise text that may be a part of a document and may be empty: clean_text's rules, no error."""
    dropped: dict[str, int] = {}
    if _UNUSUAL.search(text):
        text = _SPACES.sub(" ", _NEWLINES.sub("\n", text))
    if _UNUSUAL.search(text):  # more than spaces and newlines
        for kind, pattern in _DROPPED.items():
            length = len(text)
            text = pattern.sub("", text)
            if len(text) < length:
                dropped[kind] = length - len(text)
    length = len(text)
    text = _LONG_RUN.sub(_shorten_key, _DATA_URI.sub(r"\1…", text))
    if len(text) < length:
        dropped["data"] = length - len(text)
    if not text.isascii() and _COMBINING.search(text):
        length = len(text)
        text = _NOT_WORD_RUN.sub(_limit_combining_marks, text)
        if len(text) < length:
            dropped["combining"] = length - len(text)
    return CleanedText(unicodedata.normalize("NFC", text), dropped)


def clean_line(text: str) -> str:
    """Normalise a title or heading to one line: clean_text's rules, runs of whitespace to one space.

    >>> clean_line(" A\\u200b\\n  title ")
    'A title'
    """
    return " ".join(normalise_text(text).text.split())


def find_repeated_lines(pages: Sequence[Sequence[str]]) -> list[set[int]]:
    """Return, for each page, the indexes of its lines that are running headers, footers and page numbers.

    A line among the first or last two of its page is one when the same line, or one whose first or last number
    counts up with the pages, stands there on at least 3 pages and 40 % of all. Of a line that repeats word
    for word the first occurrence is none, so that no word of the document is lost. A sentence at the end of a page is
    none. A line that begins a page and counts up is a heading ("Step 3", 第三条) unless its number is that of a page:
    it stands alone, with a word for pages, or set apart by a wide gap (a tab) or a bar. Blank lines count for nothing.
    """
    edges = [_edge_lines(lines) for lines in pages]
    counts: Counter[str] = Counter()
    for number, (lines, ends) in enumerate(zip(pages, edges, strict=True)):
        counts.update({key for end in ends for key in _furniture_keys(lines, end, number)})
    needed = max(_MIN_PAGES, _MIN_SHARE * len(pages))

    kept_once: set[str] = set()
    found: list[set[int]] = []
    for number, (lines, ends) in enumerate(zip(pages, edges, strict=True)):
        gone: set[int] = set()
        for end in ends:
            exact, *counting = _furniture_keys(lines, end, number)
            if any(counts[key] >= needed for key in counting):
                gone.add(end.index)
            elif counts[exact] >= needed:
                if exact in kept_once:
                    gone.add(end.index)
                kept_once.add(exact)
        found.append(gone)
    if all(
        len(gone) == sum(map(bool, map(str.strip, lines))) for gone, lines in zip(found, pages, strict=True)
    ):
        return [set() for _ in pages]  # they are all that there is
    return found


def _shorten_key(match: re.Match[str]) -> str:
    """Keep the beginning of a run in base64 or hexadecimal digits, which mixes letters and digits; all of another."""
    run = match.group()
    digits = sum(map(str.isdigit, run))
    is_key = digits >= len(run) // 32 and len(set(run)) > 10 and digits < len(run)
    return f"{run[:_KEPT_OF_KEY]}…" if is_key else run


def _limit_combining_marks(match: re.Match[str]) -> str:
    """Count the marks as they are when every character is decomposed: so NFC makes no longer run of what is kept."""
    kept: list[str] = []
    run = 0
    for char in match.group():
        before = run
        for part in unicodedata.normalize("NFD", char):
            run = run + 1 if unicodedata.combining(part) else 0
        if run <= MAX_COMBINING_MARKS:
            kept.append(char)
        else:
            run = before
    return "".join(kept)


def _edge_lines(lines: Sequence[str]) -> list[_Edge]:
    """Return the first and last non-blank lines of a page, ascending, without repeats."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    ends = {*filled[:_EDGE_LINES], *filled[-_EDGE_LINES:]}
    middle = filled[(len(filled) - 1) // 2] if filled else 0
    return [
        _Edge(index, index <= middle) for index in sorted(ends) if len(lines[index]) <= _MAX_FURNITURE_CHARS
    ]


def _furniture_keys(lines: Sequence[str], end: _Edge, page: int) -> list[str]:
    """Return the line's text, then with its first and its last number taken relative to the page."""
    line = lines[end.index].strip()
    keys = [" ".join(line.split())]
    numbers = list(_NUMBER.finditer(line))
    for number in numbers[:1] + numbers[1:][-1:]:
        before, after = line[: number.start()], line[number.end() :]
        if _numbers_a_page(before, after) or not (end.is_top or _is_sentence(line)):
            keys.append(
                "\0".join(
                    (" ".join(before.split()), str(int(number.group()) - page), " ".join(after.split()))
                )
            )
    return keys


def _is_sentence(line: str) -> bool:
    return len(line) > _LEAST_SENTENCE and line.endswith((".", "。", "!", "！", "?", "？", ";", "；"))


def _numbers_a_page(before: str, after: str) -> bool:
    """Tell whether a number between these parts of a line is a page's, and not a step's or a chapter's."""
    if not any(map(str.isalpha, before + after)):
        return True
    if not before:
        return bool(_SET_APART.match(after) or _PAGE_SIGN.match(after) or _LATIN.match(after.lstrip()))
    if _SET_APART.search(before[-3:]) and (not after or _OF_PAGES.match(after)):
        return True
    return bool(_PAGE_WORD.search(before) or (before.rstrip()[-1:] in "第\t" and _PAGE_SIGN.match(after)))
