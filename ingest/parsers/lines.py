"""Lines of a printed page → paragraphs: undoes line breaks that are only layout.

Pure; judges by length and punctuation alone. A line that fills its column and does not end a sentence goes on in
the next; a short line stays one. Where it is in doubt the line break stays, which no sentence minds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable
from itertools import pairwise

_FULL_SHARE = 0.7  # of the page's widest line: a line this wide was broken for lack of room
_MIN_FULL_WIDTH = 30  # columns; below it every line of a page may be a heading, a label or a cell
_HYPHEN = "\ufffe"  # stands for a hyphen at a line's end

_HAN = "\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff5e\U00020000-\U000323af"
_ENDS_HAN = re.compile(rf"[{_HAN}]$")
_STARTS_HAN = re.compile(rf"[{_HAN}]")
_STARTS_LOWER = re.compile(r"[a-zà-ÿ]")
_ENDS_SENTENCE = re.compile(r"[.!?:。！？：；…][\"'”’」』）)\]]{0,3}$")
_STARTS_ITEM = re.compile(
    r"(?:[•◦▪‣·●○■□☐☑–—*+-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])\s"
    r"|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[)）]"
)
# pdfium leaves out a line break after a hyphen and writes one of these marks for both, or leaves "-" as it is.
_PRINTED_HYPHEN = re.compile("[\x02\ufffe][ \t]*\n?|(?<=[A-Za-zà-ÿ])-[ \t]*\n(?=[a-zà-ÿ])")
_WORD = re.compile(r"[^\W\d_]+")
_LAST_WORD_CHARS = 40


def find_words(pages: Iterable[str]) -> frozenset[str]:
    """Return the words of a document in lower case, by which join_lines tells "bro-ken" from "self-made"."""
    return frozenset(word.lower() for page in pages for word in _WORD.findall(page))


def join_lines(page: str, words: Container[str] = frozenset()) -> str:
    """Join the lines of one page's text into paragraphs. `words`: those of the whole document.

    >>> join_lines("A long line of text that was bro-\\nken here, and it fills the column.\\nIt ends.\\nNext")
    'A long line of text that was broken here, and it fills the column.\\nIt ends.\\n\\nNext'
    >>> join_lines("这一行文字排满了版面的宽度所以在这里\\n换行，继续。")
    '这一行文字排满了版面的宽度所以在这里换行，继续。'
    """
    lines = [line.strip() for line in _PRINTED_HYPHEN.sub(f"{_HYPHEN}\n", page).split("\n")]
    lines = [line for line in lines if line.strip(_HYPHEN)]
    full_width = max(_MIN_FULL_WIDTH, _FULL_SHARE * max(map(_width, lines), default=0))
    out: list[str] = []
    starts_paragraph = True
    for line, following in pairwise([*lines, ""]):
        if line.endswith(_HYPHEN):
            out.append(_end_hyphenated(line.rstrip(_HYPHEN), following, words))
            starts_paragraph = False
        else:
            separator = _separator(line, following, full_width, starts_paragraph)
            out += [line, separator]
            starts_paragraph = separator == "\n\n"
    return "".join(out).strip()


def _end_hyphenated(line: str, following: str, words: Container[str]) -> str:
    """Return the line with its last hyphen dropped within a word, kept within a compound.

    What the document writes elsewhere decides; in doubt, a word in lower case was broken.
    """
    before = _WORD.findall(line[-_LAST_WORD_CHARS:])[-1:] if line[-1:].isalpha() else []
    after = _WORD.match(following)
    if not before or after is None or not after[0][0].islower():
        return line + "-"
    parts = (before[0].lower(), after[0])
    is_compound = "".join(parts) not in words and all(len(part) > 2 and part in words for part in parts)
    return line + "-" if is_compound else line


def _separator(line: str, following: str, full_width: float, starts_paragraph: bool) -> str:
    """Return what stands between two lines: nothing, a space, a line break or a blank line."""
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
    return len(line) + sum(unicodedata.east_asian_width(char) in "WF" for char in line)
