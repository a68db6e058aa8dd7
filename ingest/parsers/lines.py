"""Lines of a printed page → paragraphs: undoes line breaks that are only layout.

Pure; judges by length and punctuation alone. A line that fills its column and does not end a sentence goes on in
the next; a short line stays one. Where it is in doubt the line break stays, which no sentence minds.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from app.han import HAN_OR_WIDE

_FULL_SHARE = 0.7  # of the page's widest line: a line this wide was broken for lack of room
_MIN_FULL_WIDTH = 30  # columns; below it every line of a page may be a heading, a label or a cell
WHOLE = "\ufdd0"  # no character; in a line: it does not go on in the next
_HYPHEN = "\ufffe"  # stands for a hyphen at a line's end

_ENDS_HAN = re.compile(rf"[{HAN_OR_WIDE}]$")
_STARTS_HAN = re.compile(rf"[{HAN_OR_WIDE}]")
_STARTS_LOWER = re.compile(r"[a-zà-ÿ]")
_ENDS_SENTENCE = re.compile(r"[.!?:。！？：；…][\"'”’」』）)\]]{0,3}$")
_ENDS_ENTRY = re.compile(
    r"(?:\.[ \t]?){4,}[ \t]*(?:\d{1,4}|[ivxlc]{1,7})$|…{2,}[ \t]*\d{1,4}$"
)  # of contents
_ENTRY_END_CHARS = 40
_STARTS_ITEM = re.compile(
    r"(?:[•◦▪‣·●○■□☐☑–—*+-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])\s"
    r"|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[)）]"
)
# pdfium leaves out a line break after a hyphen and writes one of these marks for both, or leaves "-" as it is.
_MARK = re.compile(f"{_HYPHEN}[ \t]*\n?")
_PRINTED_HYPHEN = re.compile(r"-(?<=[A-Za-zà-ÿ]-)[ \t]*\n(?=[a-zà-ÿ])")
_WORD = re.compile(r"[^\W\d_]+")
_INNER_HYPHEN = re.compile(r"-(?<=[^\W\d_]-)(?=[^\W\d_])")
_ADDRESS = re.compile(r"(?:://|www\.)\S*$")  # is not hyphenated: the hyphen is its own
_CHAIN_BEFORE = re.compile(r"[^\W\d_]-[^\W\d_]+$")
_CHAIN_AFTER = re.compile(r"[^\W\d_]+-[^\W\d_]")
_LAST_WORD_CHARS = 40

# English and French write compounds with a hyphen; German, Dutch and the languages around them in one word.
_HYPHENATING = frozenset({"the", "of", "to", "les", "des", "une"})
_HYPHENATING_SHARE = 0.02  # of the words; running text of these languages has 5 % and more
# First parts that English joins without a hyphen, though they are words too.
_JOINED_FIRST = re.compile(
    "any|can|every|fore|here|in|inter|more|none|on|other|out|over|re|some|sub|super|there|trans|un|under|up|where|with"
)
# Parts that make compounds with a hyphen, whatever the other part is: adjectives and participles, French pronouns.
_HYPHENATED_FIRST = re.compile(
    "all|cross|first|four|full|half|higher?|left|long|lower?|non|right|second|self|third|three|top|two|upper|user|well"
)
_HYPHENATED_LAST = re.compile(
    "aligned|aware|based|defined|dependent|driven|free|friendly|independent|level|like|mounted|oriented|range|ready"
    "|related|scale|sensitive|specific|style|term|wide|ci|là|mêmes?|elles?|ils?|nous|on|vous"
)
_MIN_OTHER_CHARS = 4  # of the other part: "top-ics", "un-aware" were broken
# "Vor- und Nachteile", "short- and long-term": the hyphen stands for what follows later.
_CONJUNCTIONS = frozenset(("and", "or", "to", "und", "oder", "bzw", "sowie", "et", "ou"))


@dataclass(frozen=True, slots=True)
class _Words:
    """What a document writes within its lines: words in lower case, compounds as "first-last"."""

    known: frozenset[str]
    hyphenates: bool  # its language writes compounds with a hyphen


class LineJoiner:
    """Joins the lines of one document: what it writes within them tells "bro-ken" from "self-made" at their ends."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Take all text of the document, in pieces that end where no word goes on."""
        self._texts = list(texts)

    @cached_property
    def _words(self) -> _Words:  # many documents break no word
        return _find_words(map(_mark_hyphens, self._texts))

    def paragraphs(self, text: str) -> str:
        """Join the lines of one page into paragraphs.

        >>> text = "A long line of text that was bro-\\nken here, and it fills the column.\\nIt ends.\\nNext"
        >>> LineJoiner([text]).paragraphs(text)
        'A long line of text that was broken here, and it fills the column.\\nIt ends.\\n\\nNext'
        >>> LineJoiner([]).paragraphs("这一行文字排满了版面的宽度所以在这里\\n换行，继续。")
        '这一行文字排满了版面的宽度所以在这里换行，继续。'
        """
        return self._join(_mark_hyphens(text))

    def _join(self, page: str) -> str:
        lines = [line.strip() for line in page.split("\n")]
        lines = [line for line in lines if line.strip(_HYPHEN)]
        full_width = max(_MIN_FULL_WIDTH, _FULL_SHARE * max(map(_width, lines), default=0))
        out: list[str] = []
        starts_paragraph = True
        for line, following in pairwise([*lines, ""]):
            if line.endswith(_HYPHEN):
                out.append(_end_hyphenated(line.rstrip(_HYPHEN), following, self._words))
                starts_paragraph = False
            elif WHOLE in line:
                out += [line.replace(WHOLE, ""), "\n"]
                starts_paragraph = False
            else:
                separator = _separator(line, following, full_width, starts_paragraph)
                out += [line, separator]
                starts_paragraph = separator == "\n\n"
        return "".join(out).strip()

    def cell(self, lines: Sequence[str]) -> str:
        """Join the lines of a cell into one.

        >>> LineJoiner([]).cell(["Membrane da-", "maged; send", "it in"]), LineJoiner([]).cell(["更换", "滤芯"])
        ('Membrane damaged; send it in', '更换滤芯')
        """
        out: list[str] = []
        stripped = [line for line in _mark_hyphens("\n".join(lines)).split("\n") if line.strip(f" {_HYPHEN}")]
        for line, following in pairwise([*stripped, ""]):
            if line.endswith(_HYPHEN):
                out.append(_end_hyphenated(line.rstrip(_HYPHEN), following, self._words))
            else:
                out += [line, "" if _ENDS_HAN.search(line) and _STARTS_HAN.match(following) else " "]
        return "".join(out).replace(WHOLE, "").strip()


def _mark_hyphens(text: str) -> str:
    marked = _MARK.sub(f"{_HYPHEN}\n", text.replace("\x02", _HYPHEN))
    return _PRINTED_HYPHEN.sub(f"{_HYPHEN}\n", marked).replace("\t", " ")


def _without_broken(text: str) -> str:
    """Return a text without the words that a line's end broke."""
    first, *others = text.split(f"{_HYPHEN}\n")
    kept = [first]
    for part in others:
        before, after = kept[-1], part.lstrip(" ")
        end, start = len(before), 0
        while end and before[end - 1].isalpha():
            end -= 1
        while start < len(after) and after[start].isalpha():
            start += 1
        kept[-1:] = [before[:end], after[start:]]
    return " ".join(kept)


def _find_words(pages: Iterable[str]) -> _Words:
    """Collect the words of a document but for those that a line's end broke: their halves prove nothing."""
    counts: Counter[str] = Counter()
    compounds: set[str] = set()
    for page in pages:
        whole = _without_broken(page).lower()
        counts.update(_WORD.findall(whole))
        for hyphen in _INNER_HYPHEN.finditer(whole):
            first = _WORD.findall(whole[max(0, hyphen.start() - _LAST_WORD_CHARS) : hyphen.start()])[-1]
            last = _WORD.match(whole, hyphen.end())
            compounds.add(f"{first}-{last[0]}" if last else first)
    share = sum(counts[word] for word in _HYPHENATING) / max(1, counts.total())
    return _Words(frozenset(counts) | compounds, share >= _HYPHENATING_SHARE)


def _end_hyphenated(line: str, following: str, words: _Words) -> str:
    """Return the line with its last hyphen dropped within a word, kept within a compound."""
    tail = line[-_LAST_WORD_CHARS:]
    before = _WORD.findall(tail)[-1:] if line[-1:].isalpha() else []
    after = _WORD.match(following)
    if not before or after is None or _ADDRESS.search(tail):
        return line + "-"
    first, last = before[0], after[0]
    if first.isupper() and last.isupper() and _is_capitals(tail + following):
        is_compound = f"{first}-{last}".lower() in words.known
    elif not last[0].islower() or first.isupper():  # a name; an acronym is not broken
        is_compound = (first + last).lower() not in words.known
    elif last in _CONJUNCTIONS and (first + last).lower() not in words.known:
        return line + "- "
    else:
        middle = last if _CHAIN_AFTER.match(following) else first if _CHAIN_BEFORE.search(tail) else ""
        is_compound = _is_compound(first.lower(), last, middle.lower(), words)
    return line + "-" if is_compound else line


def _is_capitals(text: str) -> bool:
    """Tell whether running text is in capitals; two acronyms beside each other are not."""
    letters = [char for char in text if char.isalpha()]
    return sum(map(str.isupper, letters)) > 0.9 * len(letters) > 10


def _is_compound(first: str, last: str, middle: str, words: _Words) -> bool:
    """Tell "self-made" from "bro-ken": by what the document writes elsewhere, in doubt the word was broken.

    `middle`: the part with a hyphen on both sides, as in "state-of-the-art", else "".
    """
    if first + last in words.known or f"{first}-{last}" in words.known:
        return first + last not in words.known
    if not words.hyphenates or (_JOINED_FIRST.fullmatch(first) and not middle):
        return False
    if middle:
        return middle in words.known
    if _HYPHENATED_FIRST.fullmatch(first) and len(last) >= _MIN_OTHER_CHARS:
        return True
    if _HYPHENATED_LAST.fullmatch(last) and len(first) >= _MIN_OTHER_CHARS:
        return True
    return min(len(first), len(last)) > 2 and first in words.known and last in words.known


def _separator(line: str, following: str, full_width: float, starts_paragraph: bool) -> str:
    """Return what stands between two lines: nothing, a space, a line break or a blank line."""
    if _ENDS_ENTRY.search(line[-_ENTRY_END_CHARS:]):
        return "\n"
    is_full = _width(line) >= full_width
    if _STARTS_ITEM.match(following):
        return "\n"
    if _ENDS_SENTENCE.search(line):
        if not is_full:
            return "\n\n"
        return " " if _STARTS_LOWER.match(following) else "\n"
    if is_full:
        return "" if _ENDS_HAN.search(line) and _STARTS_HAN.match(following) else " "
    # A short line by itself above running text is a heading.
    return "\n\n" if starts_paragraph and _width(following) >= full_width else "\n"


def _width(line: str) -> int:
    """Return the columns that a line takes; East Asian wide characters take two."""
    if line.isascii():
        return len(line)
    return len(line) + sum(unicodedata.east_asian_width(char) in "WF" for char in line)
