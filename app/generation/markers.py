"""A model's words → the answer that is shown, with its markers, while the text streams by. Pure.

In this order go: characters that nobody sees, reasoning, markers that point nowhere, and what could act in Markdown. So
nothing can be put together from pieces that a later step takes apart, and the markers, which are a sign of their own
until the end, stand where a reader finds them. What was shown never needs to be taken back later.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.generation.inert_markdown import InertMarkdown
from app.generation.inert_syntax import MARK
from app.generation.marker_finder import MarkerFinder
from app.generation.reasoning import ReasoningFilter
from app.generation.unseen import UnseenFilter


@dataclass(frozen=True, slots=True)
class PlacedMarker:
    """A marker in the text that came out: `text[position:position + len(f"[{number}]")]`."""

    position: int
    number: int  # from 1, in the order of first use

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.position + len(f"[{self.number}]")


class MarkerStream:
    """Rewrites an answer piece by piece; the pieces may be cut anywhere and give the same text, but for reasoning
    whose beginning is missing (see ReasoningFilter).

    >>> stream = MarkerStream(source_count=3)
    >>> [stream.feed(piece) for piece in ("Lists [", "3", "] and probes 【1, 9】", ". None [7].")]
    ['Lists', '', ' [1] and probes [2]', '. None.']
    >>> stream.finish(), stream.order, stream.removed
    ('', [3, 1], 2)
    """

    def __init__(self, source_count: int) -> None:
        self.placed: list[PlacedMarker] = []
        self._unseen = UnseenFilter()
        self._reasoning = ReasoningFilter()
        self._finder = MarkerFinder(source_count)
        self._inert = InertMarkdown()
        self._length = 0  # characters let out so far

    @property
    def order(self) -> list[int]:
        """order[n - 1] is the source's number in the prompt behind marker [n]."""
        return self._finder.order

    @property
    def removed(self) -> int:
        """How many numbers pointed nowhere."""
        return self._finder.removed

    def feed(self, piece: str) -> str:
        """Take the next piece of the answer and return what can be shown now."""
        text = self._reasoning.feed(self._unseen.feed(piece))
        return self._write(self._inert.feed(self._finder.feed(text)))

    def finish(self) -> str:
        """Return what was held back, at the end of the answer."""
        text = self._reasoning.feed(self._unseen.finish()) + self._reasoning.finish()
        found = self._finder.feed(text) + self._finder.finish()
        return self._write(self._inert.feed(found) + self._inert.finish())

    def _write(self, text: str) -> str:
        """The text with its markers as numbers in brackets; no blanks where it begins."""
        if self._length == 0:
            text = text.lstrip()  # what stood behind something that went
        first, *rest = text.split(MARK)
        written = [first]
        self._length += len(first)
        for piece in rest:
            marker = PlacedMarker(self._length, self._finder.numbers[len(self.placed)])
            self.placed.append(marker)
            written += [f"[{marker.number}]", piece]
            self._length = marker.end + len(piece)
        return "".join(written)
