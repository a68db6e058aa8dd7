"""Whether a text says anything that another, nearly the same one does not. Pure: two texts in, a verdict out.

A near duplicate is left out, so what it alone says is lost: one text stands for another only where they differ in
layout, punctuation, the spelling of a word, or a short line of the page at their head or foot. Any other differing word
makes two documents: a name, a party, a role, a place, a date, an amount. Keeping one too many costs little.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final

from app.han import HAN
from app.lexicon import fold_script

MAX_CHARS: Final = 500_000  # longer texts are compared as a whole only
_MOST_STEPS: Final = 1_000_000  # of comparing two texts
_HEADER_WORDS: Final = 8  # a line of the page is short
_WORDS: Final = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:['’][^\W_{HAN}]+)?")
_SENTENCE_END: Final = re.compile(r"[.!?。！？][\W_]*$")
_ARTICLES: Final = frozenset({"a", "an", "the"})
_PARTICLES: Final = frozenset("的地得")
# The family names of nine in ten Chinese: beside one of these a character of the same sound is another person.
_FAMILY_NAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_SHORTEST_MISSPELT: Final = 4
_TWO_SLIPS: Final = 8  # a word of so many letters may have two

_Run = tuple[int, int]  # words of a text, half-open


@dataclass(frozen=True)
class _Text:
    """A text in one script and form, and the places of its words."""

    text: str
    spans: Sequence[tuple[int, int]]

    @classmethod
    def read(cls, text: str) -> _Text:
        folded = fold_script(unicodedata.normalize("NFKC", text))
        return cls(folded, [found.span() for found in _WORDS.finditer(folded)])

    @cached_property
    def words(self) -> list[str]:
        return [self.text[start:end].lower() for start, end in self.spans]

    @cached_property
    def as_written(self) -> frozenset[str]:
        return frozenset(self.text[start:end] for start, end in self.spans)

    def is_page_line(self, run: _Run) -> bool:
        """Whether these are all words of a short line, no sentence, at the head or the foot of the text."""
        start, end = run
        if end - start > _HEADER_WORDS:
            return False
        first, last = self.spans[start][0], self.spans[end - 1][1]
        if start == 0 and end < len(self.spans):
            between = self.text[last : self.spans[end][0]]
        elif end == len(self.spans) and start > 0:
            between = self.text[self.spans[start - 1][1] : first]
        else:
            return False
        line = self.text[first:last] + self.text[last:].split("\n", 1)[0]
        return "\n" in between and not _SENTENCE_END.search(line)

    def is_name(self, at: int) -> bool:
        """Whether a word is written as a name and never otherwise."""
        start, end = self.spans[at]
        word = self.text[start:end]
        return word[0].isupper() and word.lower() not in self.as_written

    def is_plain(self, run: _Run) -> bool:
        """Whether a line of the page names nobody and counts nothing; its first word may begin with a capital."""
        start, end = run
        words = self.words[start:end]
        return not (
            any(self.is_name(at) for at in range(start + 1, end))
            or any(character.isdigit() or character in _FAMILY_NAMES for word in words for character in word)
        )


def says_the_same(text: str, kept: str) -> bool:
    """Whether `kept` can stand for `text`: what differs is no more than form.

    >>> says_the_same("It is signed by Ms Berger and kept here.", "It is signed by Mr Osei and kept here.")
    False
    >>> says_the_same("Deliveries are recieved  by the desk, always", "Deliveries are received by the desk: always.")
    True
    """
    if max(len(text), len(kept)) > MAX_CHARS:
        return False
    new, old = _Text.read(text), _Text.read(kept)
    pairs = _unlike(new.words, old.words)
    return pairs is not None and all(_is_form(new, ours, old, theirs) for ours, theirs in pairs)


def _unlike(new: Sequence[str], old: Sequence[str]) -> list[tuple[_Run, _Run]] | None:
    """The stretches of words that stand in each other's place, one of which may be empty; None where a text repeats
    itself so much that this would take long. Compared by three words at a time, which hardly repeat themselves."""
    ours, theirs = (
        list(zip(*(padded[at:] for at in range(3)), strict=False))
        for padded in (["", "", *words, "", ""] for words in (new, old))
    )
    head = _shared_head(ours, theirs)
    tail = _shared_head(ours[head:][::-1], theirs[head:][::-1])
    ours, theirs = ours[head : len(ours) - tail], theirs[head : len(theirs) - tail]
    counts, others = Counter(ours), Counter(theirs)
    if sum(count * others[three] for three, count in counts.items()) > _MOST_STEPS:
        return None
    pairs = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if (
            tag != "equal"
        ):  # the threes from i1 on are others up to the word before i2; two of padding come first
            more = max(0, 2 - (i2 - i1), 2 - (j2 - j1)) - 2 + head
            pairs.append(((i1 + head, i2 + more), (j1 + head, j2 + more)))
    return pairs


def _shared_head(ours: Sequence[object], theirs: Sequence[object]) -> int:
    """How many items two sequences have in common at their beginning."""
    return next(
        (at for at, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other),
        min(len(ours), len(theirs)),
    )


def _is_form(new: _Text, ours: _Run, old: _Text, theirs: _Run) -> bool:
    """Whether nothing is said by what differs here."""
    words = {*new.words[slice(*ours)], *old.words[slice(*theirs)]}
    if words <= _ARTICLES or _is_respelt(new, ours, old, theirs):
        return True
    if ours[0] == ours[1]:
        return old.is_page_line(theirs)
    return theirs[0] == theirs[1] and new.is_page_line(ours) and new.is_plain(ours)


def _is_respelt(new: _Text, run: _Run, old: _Text, other: _Run) -> bool:
    """Whether two stretches are the same words, but for spaces within them and slips in spelling."""
    ours, theirs = new.words[slice(*run)], old.words[slice(*other)]
    if "".join(ours) == "".join(theirs):
        return True
    return len(ours) == len(theirs) and all(
        one == another or _is_slip(new, run[0] + at, old, other[0] + at)
        for at, (one, another) in enumerate(zip(ours, theirs, strict=True))
    )


def _is_slip(new: _Text, at: int, old: _Text, there: int) -> bool:
    one, other = new.words[at], old.words[there]
    if {one, other} <= _PARTICLES:
        return True
    if re.fullmatch(f"[{HAN}]", one) and re.fullmatch(f"[{HAN}]", other):
        from pypinyin import lazy_pinyin  # a quarter of a second that a run without copies doesn't spend

        around = {*new.words[max(0, at - 2) : at + 1], *old.words[max(0, there - 2) : there + 1]}
        return not around & _FAMILY_NAMES and lazy_pinyin(one) == lazy_pinyin(other)
    if not (one.isalpha() and other.isalpha()) or new.is_name(at) or old.is_name(there):
        return False
    # Another first or last letter makes another word as often as a slip: import and export, employer and employee.
    if min(len(one), len(other)) < _SHORTEST_MISSPELT or (one[0], one[-1]) != (other[0], other[-1]):
        return False
    return _slips(one, other) <= (2 if min(len(one), len(other)) >= _TWO_SLIPS else 1)


def _slips(one: str, other: str) -> int:
    """The optimal string alignment distance: letters left out, put in, replaced, or swapped with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, another in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != another))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == another:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
