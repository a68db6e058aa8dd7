"""Where a completion is cut: at a stop string, for servers that take none, and where it goes round. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_SHORTEST_ROUND, _LONGEST_ROUND = 8, 300  # characters; a word alone may be meant, as in a song
_LEAST_ROUNDS: Final = 4
_LEAST_CHARS: Final = 160  # of all rounds together
_LOOKED_EVERY: Final = 40  # characters


class StopCutter:
    """Cuts a text before the first of some strings; pieces may be cut anywhere and give the same text.

    >>> cutter = StopCutter(["END"])
    >>> cutter.feed("an answer E"), cutter.feed("ND and more"), cutter.stopped
    ('an answer ', '', True)
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        if not self._stops or self.stopped:
            return "" if self.stopped else piece
        text = self._held + piece
        waiting = self._waiting(text)
        place = self._first(text)
        if place is not None and place <= waiting:
            self.stopped, self._held = True, ""
            return text[:place]
        self._held = text[waiting:]
        return text[:waiting]

    def finish(self) -> str:
        """What was held back, at the end of the answer."""
        held, self._held = self._held, ""
        place = self._first(held)
        self.stopped = self.stopped or place is not None
        return held[:place]

    def _first(self, text: str) -> int | None:
        """Where the first stop string begins."""
        return min((place for stop in self._stops if (place := text.find(stop)) >= 0), default=None)

    def _waiting(self, text: str) -> int:
        """Where the longest end of the text begins that may become a stop string: one that begins later may stand in
        it whole already."""
        return next(
            (
                start
                for start in self._starts(text)
                if any(stop.startswith(text[start:]) for stop in self._stops)
            ),
            len(text),
        )

    def _starts(self, text: str) -> range:
        longest = max(map(len, self._stops))
        return range(max(0, len(text) - longest + 1), len(text))


class RoundFinder:
    """Notices that a completion says the same again and again: at least four times, and nothing else. One word,
    signs alone as in rulers of tables, and what has a source are let through.

    >>> rounds = RoundFinder()
    >>> [rounds.feed(piece) for piece in ("A table: ", "---|" * 50, "\\nThe source number is 12." * 8)]
    [False, False, True]
    """

    def __init__(self) -> None:
        self._tail = ""
        self._unseen = 0

    def feed(self, piece: str) -> bool:
        """Whether the text goes round by now."""
        self._tail = (self._tail + piece)[-_LONGEST_ROUND * _LEAST_ROUNDS :]
        self._unseen += len(piece)
        if self._unseen < _LOOKED_EVERY:
            return False
        self._unseen = 0
        shortest = next(filter(self._goes_round, range(1, _LONGEST_ROUND + 1)), 0)
        return shortest >= _SHORTEST_ROUND

    def _goes_round(self, length: int) -> bool:
        size = length * max(_LEAST_ROUNDS, -(-_LEAST_CHARS // length))
        end = self._tail[-size:]
        return (
            len(end) == size
            and end[length:] == end[:-length]
            and any(map(str.isalpha, end[:length]))
            and "[" not in end
        )
