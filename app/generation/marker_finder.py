"""Citation markers in a model's answer: found, checked and renumbered while the text streams by.

Pure. A marker is `[2]`, `[1, 2]`, `[1-3]` or the same in 【】 or ［］; inside Markdown code the same characters
are code. What leaves here has a sign for each marker that points at a source, numbered from 1 in the order of first
use; app/generation/markers.py writes it as `[n]`.
"""

from __future__ import annotations

import re
import unicodedata

from app.generation.inert_syntax import MARK

MAX_MARKER_CHARS = 32  # a bracket that is not closed within this many characters is text
MAX_CODE_CHARS = 300  # … and a backtick that is not closed within this many, or on its line, is text
_MAX_RANGE = 20  # "[1-3]" means 1, 2 and 3; more than this many is not meant as citations

_CLOSING = {"[": "]", "【": "】", "［": "］"}
_INSIDE = r"[\d \t\u3000,，、;；\-–—]"
_MARKER = re.compile(rf"[\[【［]({_INSIDE}{{1,{MAX_MARKER_CHARS - 2}}})[\]】］]")
_PARTIAL_MARKER = re.compile(rf"[\[【［]{_INSIDE}{{0,{MAX_MARKER_CHARS - 2}}}\Z")
# What can't simply be let through: backticks (escaped ones are text), a bracket with the blanks before it (they go
# with a marker that is removed), and blanks at the end, where a bracket may follow.
_HOLD = re.compile(r"(?P<escape>\\(?:[\\`]|\Z))|(?P<ticks>`+)|(?<![ \t])[ \t]+(?=[\[【［]|\Z)|[\[【［]")
_TICKS = re.compile("`+")
_ITEM = re.compile(r"(\d+)(?:\s*[-–—]\s*(\d+))?")


class MarkerFinder:
    """Finds markers piece by piece; the pieces may be cut anywhere and give the same text.

    >>> finder = MarkerFinder(source_count=3)
    >>> pieces = [finder.feed(piece) for piece in ("Lists [", "3", "] and probes 【1, 9】", ". None [7].")]
    >>> [piece.replace(MARK, "*") for piece in pieces], finder.finish()
    (['Lists', '', ' * and probes *', '. None.'], '')
    >>> finder.numbers, finder.order, finder.removed
    ([1, 2], [3, 1], 2)
    """

    def __init__(self, source_count: int) -> None:
        self.order: list[int] = []  # order[n - 1] is the source's number in the prompt behind marker [n]
        self.numbers: list[int] = []  # of the markers, in the order of the text
        self.removed = 0  # numbers that pointed nowhere
        self._source_count = source_count
        self._held = ""
        self._fence = 0  # backticks of the open code fence, 0 outside
        self._tail = ""  # the last characters let out
        self._out: list[str] = []

    def feed(self, piece: str) -> str:
        """Take the next piece of the answer and return what can be shown now."""
        self._held += piece
        return self._drain(final=False)

    def finish(self) -> str:
        """Return what was held back, at the end of the answer."""
        return self._drain(final=True)

    def _drain(self, *, final: bool) -> str:
        pos = 0
        while pos < len(self._held):
            next_pos = self._step(pos, final)
            if next_pos == pos:
                break
            pos = next_pos
        self._held = self._held[pos:]
        out, self._out = "".join(self._out), []
        return out

    def _step(self, pos: int, final: bool) -> int:
        """Let out what is clear from `pos` on; return where to go on, `pos` itself to wait for more."""
        if self._fence:
            return self._step_fence(pos, final)
        hold = _HOLD.search(self._held, pos)
        if hold is None or hold.start() > pos:
            return self._emit(pos, hold.start() if hold else len(self._held))
        if hold["escape"]:
            return pos if hold.end() == pos + 1 and not final else self._emit(pos, hold.end())
        if hold["ticks"]:
            return self._step_code(pos, hold.end(), final)
        if hold.end() == len(self._held) and hold.group().isspace():
            return self._emit(pos, hold.end()) if final else pos
        return self._step_bracket(pos, hold.end() if hold.group().isspace() else pos, final)

    def _step_bracket(self, pos: int, bracket: int, final: bool) -> int:
        marker = _MARKER.match(self._held, bracket)
        if marker and marker.group()[-1] == _CLOSING[marker.group()[0]] and _ITEM.search(marker[1]):
            numbers = self._numbers(marker[1])
            if numbers:
                self._emit(pos, bracket)
                for number in numbers:
                    self._place(number)
            elif self._tail.endswith("`"):  # what stands around a removed marker must not join into code
                self._push(" ")
            elif _PARTIAL_MARKER.search(self._tail):  # … nor into a marker
                self._push("…")
            return marker.end()
        if not final and _PARTIAL_MARKER.match(self._held, bracket):
            return pos
        return self._emit(pos, bracket + 1)

    def _step_code(self, pos: int, end: int, final: bool) -> int:
        """At a run of backticks: open a fence, pass inline code through whole, or take them as text."""
        ticks = end - pos
        if end == len(self._held) and not final:
            return pos  # the run may go on
        if ticks >= 3:
            self._fence = ticks
            return self._emit(pos, end)
        newline = self._held.find("\n", end, end + MAX_CODE_CHARS)
        stop = newline if newline >= 0 else end + MAX_CODE_CHARS
        for run in _TICKS.finditer(self._held, end):
            if run.start() >= stop:
                break
            if run.end() == len(self._held) and not final:
                return pos
            if len(run.group()) == ticks:
                return self._emit(pos, run.end())
        return self._emit(pos, end) if final or len(self._held) >= stop else pos

    def _step_fence(self, pos: int, final: bool) -> int:
        """Inside a fence: everything is code up to a run of at least as many backticks."""
        for run in _TICKS.finditer(self._held, pos):
            if run.end() == len(self._held) and not final:
                return self._emit(pos, run.start())
            if len(run.group()) >= self._fence:
                self._fence = 0
                return self._emit(pos, run.end())
        return self._emit(pos, len(self._held))

    def _numbers(self, inside: str) -> list[int]:
        """The sources that a marker names, in order, each once; those that do not exist are counted."""
        numbers: list[int] = []
        for item in _ITEM.finditer(unicodedata.normalize("NFKC", inside)):
            first = int(item[1])
            last = int(item[2]) if item[2] else first
            span = range(first, last + 1) if first <= last < first + _MAX_RANGE else (first, last)
            for number in span:
                if not 1 <= number <= self._source_count:
                    self.removed += 1
                elif number not in numbers:
                    numbers.append(number)
        return numbers

    def _place(self, source_number: int) -> None:
        if source_number not in self.order:
            self.order.append(source_number)
        self.numbers.append(self.order.index(source_number) + 1)
        self._push(MARK)

    def _emit(self, start: int, end: int) -> int:
        if start < end:
            text = self._held[start:end]
            self._push(text)
        return end

    def _push(self, text: str) -> None:
        self._out.append(text)
        self._tail = (self._tail + text[-MAX_MARKER_CHARS:])[-MAX_MARKER_CHARS:]
