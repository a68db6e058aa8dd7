"""Writes Markdown blocks from the open and close events of a tree: paragraphs, headings, lists, code, tables.

Pure: knows no HTML. Events come balanced. The cost of a block does not depend on how deep it is nested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.han import HAN_OR_WIDE
from ingest.parsers.table_text import SpanBudget, Table

_MAX_NESTING = 8  # deeper lists and quotations are written at this depth
LINE_BREAK = "\v"  # stands for a line break among text whose own newlines mean nothing

_NEWLINE_IN_HAN = re.compile(rf"(?<=[{HAN_OR_WIDE}])[ \t\r\f]*+\n[ \t\r\n\f]*+(?=[{HAN_OR_WIDE}])")
_HAN_END = re.compile(rf"[{HAN_OR_WIDE}]$")
_WHITESPACE = re.compile(r"[ \t\r\n\f]+")
# Text at the start of a line that Markdown would read as a heading, an underline or a fence.
_LOOKS_LIKE_MARKUP = re.compile(r"#{1,6}(?:\s|$)|```|~~~|(?:=+|-+)\s*$")
_BACKTICKS = re.compile(r"`{3,}")


@dataclass(slots=True)
class _Frame:
    """A list item or quotation around the text: how its first line and its other lines start."""

    first: str
    rest: str
    is_item: bool
    is_used: bool = False


@dataclass(slots=True)
class _Cell:
    colspan: int
    rowspan: int
    is_head: bool
    outer: list[str]  # the text before the cell, to go on with after it


class BlockWriter:
    """Collects text between events and writes it as blocks; `text()` gives the Markdown."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._pieces: list[str] = []  # of the open block
        self._frames: list[_Frame] = []
        self._lists: list[int | None] = []  # the next number of each open list; None for bullets
        self._tables: list[Table | None] = []  # None for a layout
        self._cell: _Cell | None = None
        self._heading = 0
        self._code_depth = 0
        self._code_language = ""
        self._after_item = False
        self._label = ""
        self._label_frames: list[_Frame] = []
        self._budget = SpanBudget()

    def text(self) -> str:
        """Return what was written, blocks separated by blank lines, list items by newlines."""
        self.end_block()
        return "".join(self._out)

    def write(self, text: str) -> None:
        """Add text to the open block."""
        if text:
            self._pieces.append(text)

    def open_label(self, text: str) -> None:
        """Say what the text that follows is about: in front of its first paragraph, or a line above other blocks."""
        self.end_block()
        if self._cell or self._code_depth:
            self._pieces.append(_with_colon(text))
        else:
            self._label, self._label_frames = _with_colon(text), list(self._frames)

    def close_label(self) -> None:
        """End the text that the label is for; one that nothing stood under is forgotten."""
        self.end_block()
        self._label = ""

    def break_line(self) -> None:
        """Start a new line within the open block."""
        self._pieces.append("\n" if self._code_depth else LINE_BREAK)

    def end_block(self) -> None:
        """End the open paragraph; within code a line, within a cell or heading a word."""
        if self._code_depth:
            if self._pieces and not self._pieces[-1].endswith("\n"):
                self._pieces.append("\n")
        elif self._cell or self._heading:
            self._pieces.append(" ")
        else:
            lines = [escape_markup(line) for line in split_lines(self._take())]
            if lines:
                if self._label and self._label_frames == self._frames:
                    lines[0], self._label = f"{self._label}{lines[0]}", ""
                self._emit(lines)

    def open_heading(self, level: int) -> None:
        """Start a heading of level 1 to 6; within code or a cell it is text."""
        self.end_block()
        if not (self._code_depth or self._cell or self._heading):
            self._heading = level

    def close_heading(self) -> None:
        """End the heading. It stands outside lists and quotations, so that it stays a heading."""
        level, self._heading = self._heading, 0
        if not level:
            self.end_block()
            return
        title = " ".join(split_lines(self._take()))
        if title:
            frames, self._frames = self._frames, []
            self._emit([f"{'#' * level} {title}"])
            self._frames = frames
            for frame in frames:
                frame.is_used = True

    def open_code(self, language: str) -> None:
        """Start a block whose newlines count; within a cell it is text."""
        if not self._cell:
            if self._heading:
                self.close_heading()
            self._code_depth += 1
            if self._code_depth == 1:
                self._code_language = language

    def close_code(self) -> None:
        """End the code block and write it between fences longer than any in it."""
        if not self._code_depth:
            return
        self._code_depth -= 1
        if self._code_depth:
            return
        code = self._take().replace("\r\n", "\n")
        if code.strip():
            self._emit(fence_code(code, self._code_language).split("\n"))

    def open_list(self, start: int | None) -> None:
        """Start a list, numbered from `start`, or with bullets."""
        self._lists.append(start)

    def close_list(self) -> None:
        """End the innermost list."""
        self._lists.pop()

    def open_item(self) -> None:
        """Start an item of the innermost list."""
        number = self._lists[-1] if self._lists else None
        if number is None:
            marker = "- "
        else:
            marker = f"{number}. "
            self._lists[-1] = number + 1
        self._frames.append(_Frame(marker, " " * len(marker), is_item=True))

    def close_item(self) -> None:
        """End the item."""
        self._frames.pop()

    def open_quote(self) -> None:
        """Start a quotation."""
        self._frames.append(_Frame("> ", "> ", is_item=False))

    def close_quote(self) -> None:
        """End the quotation."""
        self._frames.pop()

    def open_table(self, *, is_layout: bool) -> None:
        """Start a table. The cells of a layout are paragraphs, and so are all in code."""
        if self._heading:
            self.close_heading()
        inside = self._code_depth or self._cell
        self._tables.append(None if is_layout or inside else Table(self._budget))

    def close_table(self) -> None:
        """End the table and write it."""
        table = self._tables.pop()
        for block in table.render() if table else []:
            self._emit(block.split("\n"))

    def open_row(self) -> None:
        """Start a row of the innermost table."""
        if self._tables and (table := self._tables[-1]) and not self._cell:
            table.open_row()

    def open_cell(self, colspan: int, rowspan: int, *, is_head: bool = False) -> None:
        """Start a cell of the innermost table; `is_head`: it names a column or row."""
        if self._tables and self._tables[-1] and not self._cell:
            self._cell = _Cell(colspan, rowspan, is_head, self._pieces)
            self._pieces = []

    def close_cell(self) -> None:
        """End the cell."""
        cell, table = self._cell, self._tables[-1] if self._tables else None
        if cell and table:
            text = " ".join(split_lines(self._take()))
            table.add_cell(text, cell.colspan, cell.rowspan, is_head=cell.is_head)
            self._pieces, self._cell = cell.outer, None

    def _take(self) -> str:
        text = "".join(self._pieces)
        self._pieces = []
        return text

    def _emit(self, lines: list[str]) -> None:
        """Write a block with the prefixes of the items and quotations around it."""
        if self._label:
            label, self._label = self._label, ""
            frames, self._frames = self._frames, self._label_frames
            self._emit([label.rstrip()])
            self._frames = frames
        frames = self._frames[-_MAX_NESTING:]
        starts_item = any(frame.is_item and not frame.is_used for frame in frames)
        first = "".join(frame.rest if frame.is_used else frame.first for frame in frames)
        rest = "".join(frame.rest for frame in frames)
        for frame in frames:
            frame.is_used = True
        if self._out:
            self._out.append("\n" if starts_item and self._after_item else "\n\n")
        self._after_item = any(frame.is_item for frame in frames)
        prefixed = [first + lines[0]] + [(rest + line).rstrip() for line in lines[1:]]
        self._out.append("\n".join(prefixed))


def _with_colon(label: str) -> str:
    """End a label so that text may follow it, in the manner of its script."""
    if not label[-1].isalnum() and label[-1] not in ")）]":
        return f"{label} "
    return f"{label}：" if _HAN_END.search(label) else f"{label}: "


def split_lines(text: str) -> list[str]:
    """Collapse whitespace as a browser does and split at line breaks, without blank lines."""
    if text.isprintable() and "  " not in text:  # there is nothing to collapse or split; most text is so
        text = text.strip(" ")
        return [text] if text else []
    text = _NEWLINE_IN_HAN.sub("", text)
    lines = (_WHITESPACE.sub(" ", line).strip(" ") for line in text.split(LINE_BREAK))
    return [line for line in lines if line]


def escape_markup(line: str) -> str:
    """Put a backslash before a line of text that Markdown would read as a heading, an underline or a fence."""
    return "\\" + line if _LOOKS_LIKE_MARKUP.match(line) else line


def fence_code(code: str, language: str) -> str:
    """Write code between fences longer than any in it, without blank lines at its ends."""
    longest = max(map(len, _BACKTICKS.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code.strip(chr(10)).rstrip()}\n{fence}"
