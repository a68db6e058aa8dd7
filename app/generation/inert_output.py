"""The output side of app/generation/inert_markdown.py: what was let out so far, and what may follow it. Pure."""

from __future__ import annotations

import re
from typing import Final

from app.generation.inert_syntax import MARK

OPENS_BLOCK: Final = re.compile(r"(?:[ \t]++|>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))*+\Z")
_LINE_CHARS: Final = 400  # of a line are kept to tell what opens blocks
_JOINS_BEFORE: Final = re.compile(rf"[A-Za-z0-9:/.&<!\]`\\#{MARK}]")
_JOINS_BEHIND: Final = re.compile(rf"[A-Za-z0-9:/(\[`&\\!?|{MARK}]")


class Output:
    """Lets text out, keeps what stands around something taken out apart, and knows how a line began."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._length = 0  # characters let out
        self._last = ""  # character let out
        self._last_visible = ""
        self._tail = ""  # the last characters let out
        self._line = ""  # the begin of the line that was let out
        self._at_start = True  # only what begins blocks since the line break
        self._line_begun = False  # the ruler of a table was looked for
        self._label_open = False  # a bracket at the begin of a block may name a link
        self._row = False  # the line has a pipe
        self._row_before = False
        self._table = False
        self._code_pipe = False  # the line has a pipe in code …
        self._code_pipe_before = False  # … or the one before
        self._mark_opens_block = False
        self._seam = False
        self._after_address = False

    def _opens_block(self) -> bool:
        """Whether a link's name or a code block may begin here: after nothing but indentation, quotes and bullets."""
        return OPENS_BLOCK.match(self._line) is not None

    def _emit_mark(self) -> None:
        if self._last == "!":
            self._push(" ")
        self._mark_opens_block = self._opens_block()
        self._emit(MARK)

    def _emit(self, text: str, *, stays: bool = False) -> None:
        """Let text out, apart from what stood behind something that was taken out."""
        joins_code = self._after_address and text[0] == "`" and self._last == "`"
        if joins_code or (self._seam and self._joins(text[0])):
            self._push(" ")
        self._seam = self._after_address = False
        self._at_start = stays and self._at_start
        if text == "\n":
            self._end_line()
        self._push(text)

    def _take_out(self) -> None:
        """Something goes: what comes next must not join what stands before, and may begin the line."""
        self._seam = True
        if self._opens_block():
            self._at_start = True
            self._line_begun = self._line_begun and bool(self._line)

    def _joins(self, behind: str) -> bool:
        if behind == ".":
            return self._tail.lower().endswith("www")
        return bool(_JOINS_BEFORE.match(self._last) and _JOINS_BEHIND.match(behind))

    def _end_line(self) -> None:
        if not self._line.strip(" \t>"):
            self._label_open = self._table = False
        self._row_before, self._row = self._row, False
        self._code_pipe_before, self._code_pipe = self._code_pipe, False
        self._line, self._at_start, self._line_begun = "", True, False

    def _push(self, text: str) -> None:
        if not text:
            return
        self._out.append(text)
        self._length += len(text)
        self._last = text[-1]
        visible = text.rstrip()
        if visible:
            self._last_visible = visible[-1]
        self._tail = (self._tail + text)[-4:]
        if "\n" in text:
            self._line = text.rpartition("\n")[2][:_LINE_CHARS]
        elif len(self._line) < _LINE_CHARS:
            self._line = (self._line + text)[:_LINE_CHARS]
