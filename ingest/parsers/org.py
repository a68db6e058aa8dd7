"""Org bytes → Document. The stored text is Markdown made from what a reader of the page sees.

Reads blocks by orgmode.org's "Org Syntax": headlines, keywords, drawers, blocks, lists, tables. Nothing is included
from other files or run. One pass over the lines.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from app.domain import Document
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.blocks import BlockWriter
from ingest.parsers.decoding import decode
from ingest.parsers.scripts import raised
from ingest.parsers.written import add_counts, build_document

MEDIA_TYPE = "text/org"

_MAX_DEPTH: Final = 20  # of lists

_HEADLINE: Final = re.compile(r"(\*{1,50})[ \t]+(\S.*)$")
_STATE: Final = re.compile(r"(?:TODO|DONE|NEXT|WAITING|CANCELL?ED|HOLD)[ \t]+(?=\S)")
_PRIORITY: Final = re.compile(r"\[#[A-Z0-9]\][ \t]*")
_TAGS: Final = re.compile(r"(?<![ \t])[ \t]+:(?:[\w@#%]++:)++[ \t]*+$")
_KEYWORD: Final = re.compile(r"[ \t]*#\+([\w-]+)(?:\[[^\]]*\])?:[ \t]*(.*)$")
_BEGIN: Final = re.compile(r"[ \t]*#\+begin_(\w+)(?:[ \t]+(.*))?$", re.IGNORECASE)
_DRAWER: Final = re.compile(r"[ \t]*:[\w-]+:[ \t]*$")
_PLANNING: Final = re.compile(r"[ \t]*(?:CLOSED|SCHEDULED|DEADLINE):")
_ITEM: Final = re.compile(
    r"([ \t]*)(?:([-+]|(?<=[ \t])\*)|(\d{1,4}|[A-Za-z])[.)])(?:[ \t]+\[@\d+\])?(?:[ \t]+(.*))?$"
)
_CHECKBOX: Final = re.compile(r"\[([ X-])\][ \t]+")
_TERM: Final = re.compile(r"(\S.{0,300}?)[ \t]+::(?:[ \t]+|$)")
_FIXED: Final = re.compile(r"[ \t]*:(?: (.*))?$")
_RULER: Final = re.compile(r"[ \t]*\|(?=[+|]*-)[-+|]*$")
_RULE: Final = re.compile(r"[ \t]*-{5,}$")
_FOOTNOTE: Final = re.compile(r"\[fn:([^\]:\s]{1,100})\][ \t]*")

_BEFORE: Final = r"(?<![^\s(\[{'\"—–\-\u2e80-\uffef])"  # Chinese has no spaces around what is marked
_AFTER: Final = r"(?![^\s)\]}'\".,;:!?—–\-\u2e80-\uffef])"
_INLINE: Final = (
    (re.compile(r"\[\[[^\[\]]{1,1000}\]\[([^\[\]]{1,1000})\]\]"), r"\1"),
    (re.compile(r"\[\[(?:file:|https?://)?([^\[\]]{1,1000})\]\]"), r"\1"),
    (re.compile(r"\[fn:([^\[\]:\s]{0,100})(?::[^\[\]]{0,1000})?\]"), r"[\1]"),
    (re.compile(r"<<<?[^<>\n]{1,200}>?>>"), ""),
    (re.compile(r"[<\[](\d{4}-\d\d-\d\d)(?: [^<>\[\]\n]{0,40})?[>\]]"), r"\1"),
    (re.compile(rf"{_BEFORE}([=~])(\S(?:[^=~\n]{{0,1000}}?\S)?)\1{_AFTER}"), r"\2"),
    (re.compile(rf"{_BEFORE}([*/_+])([^\s*/_+](?:[^*/_+\n]{{0,1000}}[^\s*/_+])?)\1{_AFTER}"), r"\2"),
    (re.compile(r"\\\\[ \t]*$", re.MULTILINE), ""),
)  # fmt: skip
_RAISED: Final = re.compile(r"\^\{([^{}\n]{1,100})\}")
_LOWERED: Final = re.compile(r"_\{([^{}\n]{1,100})\}")
_PROSE_BLOCKS: Final = frozenset({"quote", "center", "verse"})


def parse_org(content: bytes, source: str) -> Document:
    """Parse an Org file. Title: `#+TITLE:`, else the first headline of level 1, else the file's stem.

    `#+AUTHOR:`, `#+DATE:`, `#+DESCRIPTION:` and `#+KEYWORDS:` become metadata. Raises DocumentError `bad_encoding` or
    `empty`.
    """
    cleaned = clean_text(decode(content))
    reader = _Reader(cleaned.text.split("\n"))
    reader.read()
    return build_document(
        reader.out.text(),
        source,
        MEDIA_TYPE,
        title=reader.title,
        metadata=reader.metadata,
        dropped=add_counts(cleaned.dropped, reader.dropped),
    )


def _inline(text: str) -> str:
    """The words of a stretch of text.

    >>> _inline("*Hot* and =cold= at [[https://x.example][the site]], 10^{-6} [fn:1]")
    'Hot and cold at the site, 10⁻⁶ [1]'
    """
    for pattern, words in _INLINE:
        text = pattern.sub(words, text)
    return _LOWERED.sub(r"\1", _RAISED.sub(lambda match: raised(match[1]), text))


class _Reader:
    """Reads lines and writes blocks."""

    def __init__(self, lines: list[str]) -> None:
        self.out = BlockWriter()
        self.title = ""
        self.metadata: dict[str, str] = {}
        self.dropped: Counter[str] = Counter()  # kind → characters
        self._lines = lines
        self._at = 0
        self._lists: list[tuple[int, bool]] = []  # of the open lists: indent, whether numbered
        self._top = 0  # levels that the title takes

    def read(self) -> None:
        """Read to the end."""
        while self._at < len(self._lines):
            line = self._lines[self._at].rstrip()
            self._at += 1
            self._block(line)
        self._close_lists(-1)

    def _block(self, line: str) -> None:
        indent = len(line) - len(line.lstrip())
        if not line:
            self.out.end_block()
        elif headline := _HEADLINE.match(line):
            self._headline(len(headline[1]), headline[2])
        elif begin := _BEGIN.match(line):
            self._close_lists(indent - 1)
            self._delimited(begin[1].lower(), begin[2] or "")
        elif keyword := _KEYWORD.match(line):
            self._keyword(keyword[1].lower(), keyword[2].strip(), line)
        elif _DRAWER.match(line):
            self._drawer()
        elif line.lstrip().startswith(("# ", "#+")) or line.strip() == "#" or _RULE.match(line):
            self.dropped["comment"] += len(line) if line.lstrip().startswith("# ") else 0
            self.out.end_block()
        elif (item := _ITEM.match(line)) and not _PLANNING.match(line):
            self._item(item)
        elif line.lstrip().startswith("|"):
            self._close_lists(indent - 1)
            self._table()
        elif _FIXED.match(line):
            self._close_lists(indent - 1)
            self._fixed()
        else:
            self._close_lists(indent - 1)
            text = _FOOTNOTE.sub(r"[\1] ", line, count=1) if line.startswith("[fn:") else line
            self.out.write(_inline(text.strip()) + "\n")
            if _PLANNING.match(line):
                self.out.end_block()

    def _headline(self, level: int, text: str) -> None:
        self._close_lists(-1)
        text = _PRIORITY.sub("", _STATE.sub("", _TAGS.sub("", text), count=1), count=1)
        if text.startswith("COMMENT "):
            start = self._at
            self._skip_subtree(level)
            self.dropped["comment"] += len(text) + sum(map(len, self._lines[start : self._at]))
            return
        self.out.open_heading(min(level + self._top, 6))
        self.out.write(_inline(text))
        self.out.close_heading()

    def _skip_subtree(self, level: int) -> None:
        while self._at < len(self._lines):
            headline = _HEADLINE.match(self._lines[self._at])
            if headline and len(headline[1]) <= level:
                return
            self._at += 1

    def _keyword(self, name: str, value: str, line: str) -> None:
        self.out.end_block()
        if name == "title" and value:
            self.title = f"{self.title} {_inline(value)}".strip()
            if not self._top:
                self._top = 1
                self.out.open_heading(1)
                self.out.write(_inline(value))
                self.out.close_heading()
        elif name in {"author", "date", "description", "keywords"} and value:
            self.metadata[name] = clean_line(f"{self.metadata.get(name, '')} {_inline(value)}")[:2000]
        elif name in {"caption", "subtitle"} and value:
            self.out.write(_inline(value))
            self.out.end_block()
        elif name in {"include", "call", "setupfile"}:
            self.dropped["directive"] += len(line)

    def _until(self, end: str) -> list[str]:
        """The lines up to one, which is passed; all that are left where there is none."""
        start = self._at
        while self._at < len(self._lines) and self._lines[self._at].strip().lower() != end:
            self._at += 1
        self._at += 1
        return self._lines[start : self._at - 1]

    def _drawer(self) -> None:
        """Properties and logs, which no reader sees; a line that only looks like one opens nothing."""
        ahead = (line.strip().lower() for line in self._lines[self._at : self._at + 200])
        self.out.end_block()
        if any(line == ":end:" for line in ahead):
            self.dropped["hidden"] += sum(map(len, self._until(":end:")))

    def _delimited(self, name: str, values: str) -> None:
        self.out.end_block()
        if name in _PROSE_BLOCKS or name not in {"src", "example", "comment", "export"}:
            self._prose(name)
            return
        lines = self._until(f"#+end_{name}")
        if name == "export":
            self.dropped["directive"] += sum(map(len, lines))
        elif name == "comment":
            self.dropped["comment"] += sum(map(len, lines))
        else:
            language = values.partition(" ")[0] if name == "src" else ""
            self._code(
                [line[1:] if line.startswith((",*", ",#+", ",,")) else line for line in lines], language
            )

    def _prose(self, name: str) -> None:
        """A quotation, a verse or a block of the writer's own, whose lines are read like others."""
        end = self._at
        while end < len(self._lines) and self._lines[end].strip().lower() != f"#+end_{name}":
            end += 1
        if name != "quote" or end == len(self._lines):
            return  # the line that ends it is skipped like a comment
        outer, self._lists = self._lists, []
        self.out.open_quote()
        while self._at < end:
            line = self._lines[self._at].rstrip()
            self._at += 1
            if _BEGIN.match(line) or _HEADLINE.match(line):
                self.out.write(line + "\n")
            else:
                self._block(line)
        self._close_lists(-1)
        self.out.end_block()
        self.out.close_quote()
        self._lists = outer

    def _code(self, lines: list[str], language: str) -> None:
        self.out.open_code(language if re.fullmatch(r"[\w+#.-]{1,20}", language) else "")
        self.out.write("\n".join(lines))
        self.out.close_code()

    def _fixed(self) -> None:
        lines = []
        self._at -= 1
        while self._at < len(self._lines) and (fixed := _FIXED.match(self._lines[self._at].rstrip())):
            lines.append(fixed[1] or "")
            self._at += 1
        self.out.end_block()
        self._code(lines, "")

    def _table(self) -> None:
        self.out.end_block()
        self.out.open_table(is_layout=False)
        self._at -= 1
        while self._at < len(self._lines) and (line := self._lines[self._at].strip()).startswith("|"):
            self._at += 1
            if _RULER.match(line):
                continue
            self.out.open_row()
            for cell in line.removeprefix("|").removesuffix("|").split("|"):
                self.out.open_cell(1, 1)
                self.out.write(_inline(cell.strip()).replace("\\vert", "|"))
                self.out.close_cell()
        self.out.close_table()

    def _item(self, item: re.Match[str]) -> None:
        indent, is_numbered, text = len(item[1]), item[3] is not None, item[4] or ""
        self._close_lists(indent)
        self.out.end_block()
        if self._lists and self._lists[-1] == (indent, is_numbered):
            self.out.close_item()
        else:
            if self._lists and (self._lists[-1][0] == indent or len(self._lists) >= _MAX_DEPTH):
                self._close_last()
            self.out.open_list(1 if is_numbered else None)
            self._lists.append((indent, is_numbered))
        self.out.open_item()
        text = _CHECKBOX.sub(lambda match: "☐ " if match[1] == " " else "☑ ", text, count=1)
        term = _TERM.match(text) if not is_numbered else None
        self.out.write(
            f"{_inline(term[1])}: {_inline(text[term.end() :])}\n" if term else _inline(text) + "\n"
        )

    def _close_lists(self, indent: int) -> None:
        """Close the lists whose items begin to the right of `indent`; all for -1."""
        while self._lists and (self._lists[-1][0] > indent):
            self._close_last()

    def _close_last(self) -> None:
        self._lists.pop()
        self.out.end_block()
        self.out.close_item()
        self.out.close_list()
