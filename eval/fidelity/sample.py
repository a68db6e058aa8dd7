"""A file with what must come of it, and the judgement of what came.

Pure. Texts are compared as a reader reads them: without marks of Markdown, white space as one space, NFC.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain import Document

_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_RULE: Final = re.compile(r"^[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*$", re.M)
_UNSEEN: Final = re.compile("[\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Sample:
    """A file. `must`: texts that it shows, in reading order; `never`: texts that a reader does not see, as words of
    their own; `title`: "" where none is told; `headings`: some of its headings, in order; `reason`: the code of the
    refusal that is right, "" for a file that is read."""

    name: str  # its format, a slash, and a file name whose suffix tells the type
    content: bytes
    must: tuple[str, ...]
    never: tuple[str, ...] = ()
    title: str = ""
    headings: tuple[str, ...] = ()
    reason: str = ""

    @property
    def format(self) -> str:
        """The row of the report that the file counts in."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a sample. `title` and `order` are None where nothing is asked."""

    sample: Sample
    missing: tuple[str, ...]
    shown: tuple[str, ...]  # of `never`
    order: bool | None
    title: bool | None
    missing_headings: tuple[str, ...]
    told: str = ""  # the title that came, or the code of a refusal

    @property
    def is_right(self) -> bool:
        """Whether all is as it must be."""
        wrong = self.missing or self.shown or self.missing_headings
        return not wrong and self.order is not False and self.title is not False


def judge(sample: Sample, document: Document | None, reason: str) -> Finding:
    """Compare a document, or the `reason` of a refusal, with what must come of its file."""
    if sample.reason:
        is_right = document is None and reason == sample.reason
        return Finding(sample, (), () if is_right else (sample.reason,), None, None, (), reason)
    if document is None:
        title = False if sample.title else None
        return Finding(sample, sample.must, (), None, title, sample.headings, reason)
    text = shown_text(document.text)
    missing, is_ordered, start = [], True, 0
    for wanted in map(shown_text, sample.must):
        at = _find(text, wanted, start)
        if at < 0:
            at = _find(text, wanted, 0)
            is_ordered = is_ordered and at < 0
        if at < 0:
            missing.append(wanted)
        else:
            start = max(start, at + len(wanted))
    return Finding(
        sample,
        tuple(missing),
        tuple(word for word in sample.never if _find(text, shown_text(word), 0) >= 0),
        is_ordered if len(sample.must) > 1 else None,
        document.title == sample.title if sample.title else None,
        _missing_headings(document, sample.headings),
        document.title,
    )


def _missing_headings(document: Document, wanted: Sequence[str]) -> tuple[str, ...]:
    """Those that no section has after the section of the one before."""
    paths = [section.heading_path for section in document.sections]
    missing, at = [], 0
    for heading in wanted:
        found = next((index for index in range(at, len(paths)) if heading in paths[index]), None)
        if found is None:
            missing.append(heading)
        else:
            at = found
    return tuple(missing)


def shown_text(text: str) -> str:
    r"""A text without marks of Markdown.

    >>> shown_text("| a\\*b |  c |\n|---|---|\n| 1 | 2 |")
    'a*b c 1 2'
    """
    bare = _ESCAPED.sub(r"\1", _UNSEEN.sub("", _RULE.sub(" ", text))).replace("|", " ")
    return " ".join(unicodedata.normalize("NFC", bare).split())


def _find(text: str, wanted: str, start: int) -> int:
    """Where a text stands by itself: no Latin letter or digit goes on at its ends."""
    at = text.find(wanted, start)
    while at >= 0:
        end = at + len(wanted)
        if not (_goes_on(text[at - 1 : at], wanted[:1]) or _goes_on(wanted[-1:], text[end : end + 1])):
            return at
        at = text.find(wanted, at + 1)
    return -1


def _goes_on(before: str, after: str) -> bool:
    return (before + after).isascii() and before.isalnum() and after.isalnum()
