"""The outline of a PDF → headings in its stored text.

Reading the outline calls pdfium, under the lock of `pdf`; finding its titles in the text is pure.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pypdfium2

from app.domain import Page
from app.han import HAN
from ingest.cleaning import clean_line
from ingest.parsers.headings import MAX_HEADING_CHARS, Heading

_MAX_ENTRIES = 5_000
_MAX_DEPTH = 6
_MAX_PAGE_CHARS = 20_000  # of a page that is searched for its headings
_AT_TOP = 0.12  # of the page's height: what the outline points to there is the page's beginning
_TOKEN = re.compile(f"[{HAN}]|[^\\W_{HAN}]+")
# What may stand before a title in its line and not in the outline: its number.
_NUMBER = r"(?:[^\n]{0,12}?[\d.IVX一二三四五六七八九十]+[章节条、.:：)]?[^\w\n]{1,3})?"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an outline: its level from 1, its title, the index of its page, and whether it begins that page."""

    level: int
    title: str
    page: int
    begins_page: bool


def read_outline(document: pypdfium2.PdfDocument) -> list[Entry]:
    """Return the outline's entries in its order; those that lead nowhere in the document are left out."""
    entries: list[Entry] = []
    with contextlib.suppress(pypdfium2.PdfiumError):  # a broken outline is none
        entries.extend(_entries(document))
    return entries


def _entries(document: pypdfium2.PdfDocument) -> Iterator[Entry]:
    for bookmark in islice(document.get_toc(max_depth=_MAX_DEPTH), _MAX_ENTRIES):
        title = clean_line(bookmark.get_title())[:MAX_HEADING_CHARS].rstrip()
        target = bookmark.get_dest()
        index = target.get_index() if target is not None else None
        if not title or target is None or index is None or not 0 <= index < len(document):
            continue
        _, place = target.get_view()
        height = document.get_page_size(index)[1]
        top = place[1] if len(place) > 1 else place[0] if len(place) == 1 else None
        yield Entry(bookmark.level + 1, title, index, top is None or top >= (1 - _AT_TOP) * height)


def find_outline(
    entries: Sequence[Entry], pages: Sequence[Page], text: str, *, alone: bool = False
) -> list[Heading]:
    """Return the entries as headings, ascending: each at the line that has its title, else at the page that it begins.

    An entry whose title is not on its page and does not begin it is left out. `alone`: nothing else is in its line.
    """
    headings: dict[int, Heading] = {}
    after = 0
    for entry in entries:
        page = pages[entry.page]
        start = _find_line(entry.title, text, max(page.char_start, after), page, alone=alone)
        if start is None and entry.begins_page:
            start = page.char_start
        if start is not None and start >= after and start not in headings:
            headings[start] = Heading(start, entry.level, entry.title)
            after = start
    return list(headings.values())


def _find_line(title: str, text: str, start: int, page: Page, *, alone: bool) -> int | None:
    tokens = _TOKEN.findall(title)
    if not tokens:
        return None
    words = r"[\W_]*".join(map(re.escape, tokens))
    end = min(page.char_end, page.char_start + _MAX_PAGE_CHARS)
    pattern = rf"^[^\w\n]*{words}[^\w\n]*$" if alone else rf"^[^\w\n]*{_NUMBER}{words}(?!\w)"
    found = re.compile(pattern, re.MULTILINE | re.IGNORECASE).search(text, start, end)
    return found.start() if found else None
