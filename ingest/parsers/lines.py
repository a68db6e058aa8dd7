"""Lines of a printed page → paragraphs: undoes line breaks that are only layout.

Pure; judges by length and punctuation alone. A line that fills its column and does not end a sentence goes on in
the next; a short line stays one. Where it is in doubt the line break stays, which no sentence minds.
"""

from __future__ import annotations

import re
import unicodedata

_FULL_SHARE = 0.7  # of the page's widest line: a line this wide was broken for lack of room
_MIN_FULL_WIDTH = 30  # columns; below it every line of a page may be a heading, a label or a cell
_LINE_END_HYPHEN = "\ufffe"  # pdfium writes it for a hyphen at a line's end, the line break left out

_HAN = "\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff5e\U00020000-\U000323af"
_ENDS_HAN = re.compile(rf"[{_HAN}]$")
_STARTS_HAN = re.compile(rf"[{_HAN}]")
_ENDS_SENTENCE = re.compile(r"[.!?:。！？：；…][\"'”’」』）)\]]*$")
_STARTS_ITEM = re.compile(
    r"(?:[•◦▪‣·●○■□☐☑–—*+-]\s|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)]\s|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[)）])"
)
_ENDS_HYPHENATED = re.compile(r"(?<=[a-zà-ÿ])-$")
_STARTS_LOWER = re.compile(r"[a-zà-ÿ]")
_PRINTED_HYPHEN = re.compile(rf"(?<=(?P<before>.)){_LINE_END_HYPHEN}\s*(?=(?P<after>.?))", re.DOTALL)


def join_lines(page: str) -> str:
    """Join the lines of one page's text into paragraphs.

    >>> join_lines("A long line of text that was bro\\ufffeken here,\\nand goes on. It ends.\\nNext")
    'A long line of text that was broken here, and goes on. It ends.\\n\\nNext'
    >>> join_lines("这一行文字排满了版面的宽度所以在这里\\n换行，继续。")
    '这一行文字排满了版面的宽度所以在这里换行，继续。'
    """
    text = _PRINTED_HYPHEN.sub(_hyphen, page).replace(_LINE_END_HYPHEN, "")
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    full_width = max(_MIN_FULL_WIDTH, _FULL_SHARE * max(map(_width, lines), default=0))
    out: list[str] = []
    starts_paragraph = True
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        separator = _separator(line, following, full_width, starts_paragraph)
        out.append(_ENDS_HYPHENATED.sub("", line) if separator == "" and not _ENDS_HAN.search(line) else line)
        out.append(separator)
        starts_paragraph = separator == "\n\n"
    return "".join(out).strip()


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
        if _ENDS_HAN.search(line) and _STARTS_HAN.match(following):
            return ""
        return "" if _ENDS_HYPHENATED.search(line) and _STARTS_LOWER.match(following) else " "
    # A short line by itself above running text is a heading.
    return "\n\n" if starts_paragraph and _width(following) >= full_width else "\n"


def _hyphen(match: re.Match[str]) -> str:
    """Drop the hyphen within a word that was broken, keep it in a compound: "bro-ken", but "COVID-19"."""
    return "" if match["before"].islower() and match["after"].islower() else "-"


def _width(line: str) -> int:
    """Return the columns that a line takes; East Asian wide characters take two."""
    return len(line) + sum(unicodedata.east_asian_width(char) in "WF" for char in line)
