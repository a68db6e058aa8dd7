"""AsciiDoc bytes → Document. The stored text is Markdown made from what a reader of the page sees.

Reads blocks as Asciidoctor does (docs.asciidoctor.org, "AsciiDoc Syntax Quick Reference"): sections, lists, tables,
delimited blocks, admonitions, attributes, conditionals as if all held. Nothing is included from other files; passed
HTML is left out and counted. One pass over the lines.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from app.domain import Document
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.blocks import LINE_BREAK, BlockWriter
from ingest.parsers.budget import TextBudget
from ingest.parsers.decoding import decode
from ingest.parsers.scripts import raised
from ingest.parsers.written import add_counts, build_document

MEDIA_TYPE = "text/asciidoc"

_MAX_COLUMNS: Final = 200
_MAX_VALUE_CHARS: Final = 500
_MAX_DEPTH: Final = 20  # of lists

_ATTRIBUTE: Final = re.compile(r":(!?[\w-]+!?):(?:[ \t]+(.*))?$")
_SECTION: Final = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S(?:.*?\S)??)(?:[ \t]+\1)?$")
_UNDERLINE: Final = re.compile(r"(=+|-+|~+|\^+|\++)$")
_LEVELS: Final = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_STYLE: Final = re.compile(r"\[(?!\[)(.*)\]$")
_VALUE: Final = re.compile(r"(?:[^,\"]|\"[^\"]*\"|\")+")
_ANCHOR: Final = re.compile(r"\[\[[^\]]*\]\]$")
_BLOCK_TITLE: Final = re.compile(r"\.([^\s.].*)$")
_VERBATIM: Final = re.compile(r"(-{4,}+|\.{4,}+|`{3,}+|\+{4,}+|/{4,}+)([\w+#.-]*)$")
_COMPOUND: Final = re.compile(r"(={4,}|\*{4,}|_{4,}|--|~{4,})$")
_TABLE: Final = re.compile(r"([|,:!])={3,}$")
_CONDITIONAL: Final = re.compile(r"(?:ifn?def|ifeval|endif)::[^\[\s]*\[(.*)\]$")
_MACRO: Final = re.compile(r"([a-z][\w-]*)::(?=.*\]$)(\S*)\[(.*)\]$")
_ITEM: Final = re.compile(r"[ \t]*(\*{1,6}|-|\.{1,6}|\d{1,4}\.|[a-z]\.|<(?:\d{1,3}|\.)>)[ \t]+(\S.*)$")
_TERM: Final = re.compile(r"[ \t]*(\S.{0,300}?)(:{2,4}|;;)(?:[ \t]+(\S.*))?$")
_ADMONITION: Final = re.compile(r"(NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+(.*)$")
_ADMONITIONS: Final = frozenset({"NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"})
_CHECKBOX: Final = re.compile(r"\[([ xX*])\][ \t]+")
_CELL: Final = re.compile(
    r"(?:(?<=\s)|^)(?:(?P<columns>\d{1,3})?(?:\.(?P<rows>\d{1,3}))?(?P<kind>[+*]))?[<^>]?(?:\.[<^>])?[aehlmsvd]?\|"
    r"|(?<!\\)\|",
    re.MULTILINE,
)

_Replace = str | Callable[[re.Match[str]], str]
_TARGET: Final = r"[^\s\[\]<>]{1,500}"
_PATTERNS: Final[tuple[tuple[str, _Replace], ...]] = (
    (r"\(\(\([^()]{0,300}\)\)\)|\[\[[^\[\]]{0,300}\]\]", ""),
    (r"anchor:[^\s\[\]]{1,200}\[[^\[\]]{0,200}\]|icon:\w{1,50}\[[^\[\]]{0,200}\]", ""),
    (r"\(\(([^()]{1,300})\)\)", r"\1"),
    (r"<<[^<>,]{0,300},[ ]*([^<>]{1,300})>>", r"\1"),
    (r"<<#?([^<>,]{1,300})>>", r"\1"),
    (r"image:[^\s\[\]:]{1,500}\[\"?([^\[\],\"]{0,300})[^\[\]]{0,300}\]", r"\1"),
    (r"menu:([^\[\]]{1,200})\[([^\[\]]{1,300})\]", r"\1 > \2"),
    (r"footnote(?:ref)?:[\w-]{0,100}\[([^\[\]]{1,2000})\]", r" [\1]"),
    (r"(?:kbd|btn|stem|latexmath|asciimath|pass):[a-z,]{0,9}\[([^\[\]]{0,1000})\]", r"\1"),
    (rf"(?:link|xref|mailto):({_TARGET})\[([^\[\]]{{0,500}})\]", lambda m: _link_words(m[2]) or m[1]),
    (rf"((?:https?|ftp|irc)://{_TARGET})\[([^\[\]]{{0,500}})\]", lambda m: _link_words(m[2]) or m[1]),
    (r"\"`([^`\n]{1,1000})`\"", r"“\1”"),
    (r"'`([^`\n]{1,1000})`'", r"‘\1’"),
    (r"\[[.#][^\[\]]{0,200}\](?=[#*_`])", ""),
    (r"\+\+\+([^+\n]{1,1000})\+\+\+|\+\+([^+\n]{1,1000})\+\+", lambda m: m[1] or m[2]),
    (r"``([^`\n]{1,1000})``|(?<![\w`])`([^`\n]{1,1000})`(?![\w`])", lambda m: (m[1] or m[2]).strip("+")),
    (r"\*\*([^*\n]{1,1000})\*\*", r"\1"),
    (r"__([^_\n]{1,1000})__", r"\1"),
    (r"##([^#\n]{1,1000})##", r"\1"),
    *(
        (rf"(?<![\w{mark}\\&]){mark}([^\s{mark}](?:[^{mark}\n]{{0,1000}}[^\s{mark}])?){mark}(?![\w{mark}])", r"\1")
        for mark in (r"\*", "_", "#", r"\+")
    ),
    (r"\^([^\s^]{1,100})\^", lambda m: raised(m[1])),
    (r"~([^\s~]{1,100})~", r"\1"),
    (r"\\(?=[*_`#+^~{<\[])", ""),
)  # fmt: skip
_INLINE: Final = tuple((re.compile(pattern), replace) for pattern, replace in _PATTERNS)
_REFERENCE: Final = re.compile(r"(?<!\\)\{([\w-]{1,100})\}")
_CHARACTERS: Final = {
    "nbsp": " ",
    "empty": "",
    "sp": " ",
    "plus": "+",
    "vbar": "|",
    "startsb": "[",
    "endsb": "]",
}


def parse_adoc(content: bytes, source: str) -> Document:
    """Parse an AsciiDoc file. Title: its header's, else the first section's of level 1, else the file's stem.

    Attributes `author`, `description` and `keywords` become metadata. Raises DocumentError `bad_encoding`, `too_large`
    or `empty`.
    """
    cleaned = clean_text(decode(content))
    reader = _Reader(cleaned.text.split("\n"))
    reader.read()
    named = {
        name: clean_line(reader.attributes.get(name, "")) for name in ("author", "description", "keywords")
    }
    return build_document(
        reader.out.text(),
        source,
        MEDIA_TYPE,
        title=reader.title or reader.inline(reader.attributes.get("doctitle", "")),
        metadata={name: value for name, value in named.items() if value},
        dropped=add_counts(cleaned.dropped, reader.dropped),
    )


def _link_words(words: str) -> str:
    """The words of a link, without what says how it opens."""
    return words.partition(",")[0].strip('"').rstrip("^").strip()


@dataclass(slots=True)
class _Ahead:
    """What lines before a block say of it."""

    style: str = ""
    language: str = ""
    values: dict[str, str] = field(default_factory=dict)
    positional: list[str] = field(default_factory=list)


class _Reader:
    """Reads lines and writes blocks."""

    def __init__(self, lines: list[str]) -> None:
        self.out = BlockWriter()
        self.title = ""
        self.attributes: dict[str, str] = {}
        self.dropped: dict[str, int] = {}
        self._lines = lines
        self._at = 0
        self._ahead = _Ahead()
        self._lists: list[str] = []  # the markers of the open lists
        self._open: list[
            tuple[str, list[str], str | None]
        ] = []  # delimiters; lists outside; whose words, if any's
        self._budget = TextBudget()

    def read(self) -> None:
        """Read to the end."""
        while self._at < len(self._lines):
            self._block()
        while self._open:
            self._close_compound()
        self._close_lists(0)

    def inline(self, text: str) -> str:
        """The words of a stretch of text."""
        text = _REFERENCE.sub(self._value, text)
        for pattern, replace in _INLINE:
            text = pattern.sub(replace, text)
        return text

    def _value(self, match: re.Match[str]) -> str:
        value = _CHARACTERS.get(match[1], self.attributes.get(match[1].lower(), match[0]))
        self._budget.take(len(value))
        return value

    def _line(self) -> str | None:
        return self._lines[self._at].rstrip() if self._at < len(self._lines) else None

    def _drop(self, kind: str, text: str) -> None:
        self.dropped[kind] = self.dropped.get(kind, 0) + len(text)

    def _block(self) -> None:
        line = self._lines[self._at].rstrip()
        self._at += 1
        if not line:
            self._end_lists_unless_they_go_on()
        elif line == "+" or self._is_steering(line) or self._is_delimited(line):
            pass
        elif heading := self._heading(line):
            self._write_heading(*heading)
        elif macro := _MACRO.match(line):
            self._macro(line, macro[1], macro[3])
        elif self._is_item(line):
            pass
        else:
            self._paragraph(line)

    def _end_lists_unless_they_go_on(self) -> None:
        """After a blank line a list goes on with an item or a "+" alone."""
        while (line := self._line()) == "":
            self._at += 1
        if self._lists and line is not None and not (_ITEM.match(line) or _TERM.match(line) or line == "+"):
            self._close_lists(0)

    def _is_steering(self, line: str) -> bool:
        """Whether a line says how others are read: attributes, comments, conditions, styles, titles of blocks."""
        if conditional := _CONDITIONAL.match(line):
            if line.startswith(("ifdef", "ifndef")) and conditional[1]:
                self._at -= 1
                self._lines[self._at] = conditional[1]
        elif attribute := _ATTRIBUTE.match(line):
            self._define(attribute[1], attribute[2] or "")
        elif style := _STYLE.match(line):
            self._read_style(style[1])
        elif (title := _BLOCK_TITLE.match(line)) and not _ITEM.match(line) and not _VERBATIM.match(line):
            self._write_paragraph(title[1])
        else:
            is_comment = line.startswith("//") and not line.startswith("///")
            self._drop("comment", line if is_comment else "")
            return is_comment or line in {"'''", "<<<", "---", "***"} or bool(_ANCHOR.match(line))
        return True

    def _define(self, name: str, value: str) -> None:
        while value.endswith("\\") and self._at < len(self._lines):
            value = value[:-1] + self._lines[self._at].strip()
            self._at += 1
        if not name.startswith("!"):
            self.attributes[name.lower()] = _REFERENCE.sub(self._value, value)[:_MAX_VALUE_CHARS]

    def _read_style(self, text: str) -> None:
        ahead = self._ahead
        for place, part in enumerate(_VALUE.findall(text)):
            name, equals, value = part.partition("=")
            if equals:
                ahead.values[name.strip()] = value.strip().strip('"')
            else:
                ahead.positional.append(part.strip())
                if place == 0:
                    ahead.style = re.split(r"[.#%]", part.strip())[0] or ahead.style
                elif place == 1:
                    ahead.language = part.strip()

    def _take_ahead(self) -> _Ahead:
        ahead, self._ahead = self._ahead, _Ahead()
        return ahead

    def _is_delimited(self, line: str) -> bool:
        if self._open and line == self._open[-1][0]:
            self._close_compound()
        elif fence := _VERBATIM.match(line):
            if fence[2] and line[0] != "`":
                return False
            self._verbatim(fence[1], fence[2])
        elif table := _TABLE.match(line):
            self._table(line, table[1])
        elif _COMPOUND.match(line) and len(self._open) < _MAX_DEPTH:
            self._open_compound(line)
        else:
            return False
        return True

    def _until(self, delimiter: str) -> str:
        """The lines up to a delimiter, which is passed."""
        start = self._at
        while self._at < len(self._lines) and self._lines[self._at].rstrip() != delimiter:
            self._at += 1
        self._at += 1
        return "\n".join(self._lines[start : self._at - 1])

    def _verbatim(self, delimiter: str, language: str) -> None:
        ahead = self._take_ahead()
        text = self._until(delimiter)
        if delimiter[0] == "/":
            self._drop("comment", text)
            return
        if delimiter[0] == "+" and ahead.style not in {"stem", "latexmath", "asciimath"}:
            self._drop("markup", text)
            return
        self._code(text, language or (ahead.language if ahead.style in {"source", ""} else ""))

    def _code(self, text: str, language: str) -> None:
        self.out.end_block()
        self.out.open_code(language if re.fullmatch(r"[\w+#.-]{1,20}", language) else "")
        self.out.write(text)
        self.out.close_code()

    def _open_compound(self, delimiter: str) -> None:
        ahead = self._take_ahead()
        is_quote = delimiter[0] == "_" or ahead.style in {"quote", "verse"}
        by = ", ".join(part for part in ahead.positional[1:] if part)
        self._open.append((delimiter, self._lists, by if is_quote else None))
        self._lists = []
        self.out.end_block()
        if is_quote:
            self.out.open_quote()
        elif ahead.style in _ADMONITIONS:
            self.out.write(self._label(ahead.style))

    def _close_compound(self) -> None:
        self._close_lists(0)
        _, self._lists, by = self._open.pop()
        self.out.end_block()
        if by:
            self._write_paragraph(f"— {by}")
        if by is not None:
            self.out.close_quote()

    def _label(self, style: str) -> str:
        """How an admonition begins: `:note-caption:` names it in the document's language."""
        return f"{self.attributes.get(f'{style.lower()}-caption', style.capitalize())}: "

    def _heading(self, line: str) -> tuple[int, str] | None:
        if section := _SECTION.match(line):
            return len(section[1]), section[2]
        following = self._line()
        may_be_underlined = not self._open and bool(following) and any(map(str.isalnum, line))
        underline = _UNDERLINE.match(following or "") if may_be_underlined else None
        wide = len(line) + sum(unicodedata.east_asian_width(char) in "WF" for char in line)
        if underline and len(underline[1]) > 3 and len(line) - 1 <= len(underline[1]) <= wide + 1:
            self._at += 1
            return _LEVELS[underline[1][0]], line
        return None

    def _write_heading(self, level: int, title: str) -> None:
        self._close_lists(0)
        self._take_ahead()
        title = self.inline(title)
        is_header = level == 1 and not self.title
        self.out.open_heading(level)
        self.out.write(title)
        self.out.close_heading()
        if is_header:
            self.title = title
            self._header()

    def _header(self) -> None:
        """The author and the revision may follow the title at once."""
        place = 0
        while (line := self._line()) and place < 2:
            if not _ATTRIBUTE.match(line) and not line.startswith("//"):
                if place == 0 and not re.match(r"\w", line):
                    return
                if place == 0:
                    self.attributes.setdefault("author", re.sub(r"\s*<[^>]*>", "", line)[:_MAX_VALUE_CHARS])
                self._write_paragraph(line)
                place += 1
                self._at += 1
                continue
            self._at += 1
            self._is_steering(line)

    def _macro(self, line: str, name: str, values: str) -> None:
        self._take_ahead()
        if name == "image":
            self._write_paragraph(values.partition(",")[0].strip('"'))
        else:
            self._drop("directive", line)

    def _is_item(self, line: str) -> bool:
        if item := _ITEM.match(line):
            marker = item[1]
            if marker[0].isdigit() or marker[0] == "<" or marker[0].isalpha():
                marker = "<" if marker[0] == "<" else "1."
            self._open_item(marker)
            self._take_ahead()
            self.out.write(self.inline(self._joined(_CHECKBOX.sub(_checked, item[2], count=1))))
            self.out.end_block()
            return True
        term = _TERM.match(line)
        if term is None or term[1].startswith(("http", "image", "include")):
            return False
        self._open_item(term[2])
        self._take_ahead()
        self.out.write(f"{self.inline(term[1])}: ")
        text = term[3] or ""
        while not text and (line_after := self._line()) is not None and not line_after:
            self._at += 1
        if not text and (following := self._line()) is not None:
            if self._is_block(following):
                return True  # what it means is a list or a block
            self._at += 1
            text = following.strip()
        self.out.write(self.inline(self._joined(text)))
        self.out.end_block()
        return True

    def _open_item(self, marker: str) -> None:
        if marker in self._lists:
            self._close_lists(self._lists.index(marker) + 1)
            self.out.end_block()
            self.out.close_item()
        elif len(self._lists) < _MAX_DEPTH:
            self.out.end_block()
            self.out.open_list(1 if marker[0] in "1.<" else None)
            self._lists.append(marker)
        else:
            self.out.end_block()
            self.out.close_item()
        self.out.open_item()

    def _close_lists(self, keep: int) -> None:
        while len(self._lists) > keep:
            self._lists.pop()
            self.out.end_block()
            self.out.close_item()
            self.out.close_list()

    def _is_block(self, line: str) -> bool:
        """Whether a line begins a block of its own right after text."""
        return bool(
            line == "+"
            or _ITEM.match(line)
            or _TERM.match(line)
            or _VERBATIM.match(line)
            or _TABLE.match(line)
            or _COMPOUND.match(line)
            or _STYLE.match(line)
            or _CONDITIONAL.match(line)
            or line.startswith("//")
        )

    def _joined(self, line: str) -> str:
        """A line of text with those that go on with it."""
        lines = [line]
        while line_after := self._line():
            if self._is_block(line_after):
                break
            lines.append(line_after)
            self._at += 1
        return "".join(
            text[:-2] + LINE_BREAK if text.endswith(" +") else text + "\n" for text in map(str.strip, lines)
        )

    def _paragraph(self, line: str) -> None:
        ahead = self._take_ahead()
        if ahead.style in {"source", "listing", "literal"} or (line[0] in " \t" and not self._lists):
            start = self._at - 1
            while self._line():
                self._at += 1
            self._code(
                "\n".join(self._lines[start : self._at]), ahead.language if ahead.style == "source" else ""
            )
            return
        if admonition := _ADMONITION.match(line):
            self.out.write(self._label(admonition[1]))
            line = admonition[2]
        elif ahead.style in _ADMONITIONS:
            self.out.write(self._label(ahead.style))
        text = line if ahead.style == "comment" else self._joined(line)
        if ahead.style == "verse":
            text = text.replace("\n", LINE_BREAK)
        self._write_paragraph(text)
        if ahead.style == "quote" and (by := ", ".join(ahead.positional[1:])):
            self._write_paragraph(f"— {by}")

    def _write_paragraph(self, text: str) -> None:
        self.out.write(self.inline(text))
        self.out.end_block()

    def _table(self, delimiter: str, separator: str) -> None:
        ahead = self._take_ahead()
        text = self._until(delimiter)
        self.out.end_block()
        self.out.open_table(is_layout=False)
        kind = ahead.values.get("format", {",": "csv", ":": "dsv"}.get(separator, ""))
        if kind in {"csv", "tsv", "dsv"}:
            marks = {"csv": ",", "tsv": "\t", "dsv": ":"}
            for row in csv.reader(io.StringIO(text), delimiter=marks[kind]):
                self._row((cell, 1, 1) for cell in row)
        else:
            for cells in _rows(text, ahead.values.get("cols", ""), self._budget):
                self._row(cells)
        self.out.close_table()

    def _row(self, cells: Iterator[tuple[str, int, int]]) -> None:
        self.out.open_row()
        for text, columns, rows in cells:
            self.out.open_cell(columns, rows)
            self.out.write(self.inline(text.replace("\\|", "|").strip()))
            self.out.close_cell()


def _checked(match: re.Match[str]) -> str:
    return "☐ " if match[1] == " " else "☑ "


def _rows(text: str, cols: str, budget: TextBudget) -> Iterator[Iterator[tuple[str, int, int]]]:
    """The rows of a table, each cell as (text, columns, rows); as many columns as `cols` says or the first line has."""
    marks = list(_CELL.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    cells: list[tuple[str, int, int]] = []
    first_line = 0
    for mark, end in zip(marks, ends, strict=True):
        times = min(int(mark["columns"] or 1), _MAX_COLUMNS) if mark["kind"] == "*" else 1
        spans = (int(mark["columns"] or 1), int(mark["rows"] or 1)) if mark["kind"] == "+" else (1, 1)
        budget.take(times * (end - mark.end() + 4) if times > 1 else 0)
        cells += [(text[mark.end() : end], max(1, spans[0]), max(1, spans[1]))] * times
        if "\n" not in text[: mark.start()].lstrip("\n"):
            first_line = len(cells)
    width = _count_columns(cols) or sum(columns for _, columns, _ in cells[:first_line])
    taken: dict[int, int] = {}  # rows below → columns that cells above reach into
    row: list[tuple[str, int, int]] = []
    number, filled = 0, 0
    for cell in cells:
        row.append(cell)
        filled += cell[1]
        reach = min(cell[2], 1000) - 1
        budget.take(4 * reach)
        for below in range(1, reach + 1):
            taken[number + below] = taken.get(number + below, 0) + cell[1]
        if filled + taken.get(number, 0) >= width:
            yield iter(row)
            row, filled, number = [], 0, number + 1
    if row:
        yield iter(row)


def _count_columns(cols: str) -> int:
    """How many columns an attribute like "1,3*,2a" names."""
    count = 0
    for part in re.split(r"[,;]", cols) if cols.strip() else ():
        times = re.match(r"\s*(\d{1,3})\*", part)
        count += int(times[1]) if times else 1
    return min(count, _MAX_COLUMNS)
