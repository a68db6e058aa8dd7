"""Stop strings for servers that do not take them: the answer ends before the first one. Pure."""

from __future__ import annotations

from collections.abc import Sequence


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
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            self.stopped, self._held = True, ""
            return text[: min(places)]
        # The longest end of the text that may begin a stop string waits.
        self._held = next(
            (
                text[start:]
                for start in self._starts(text)
                if any(stop.startswith(text[start:]) for stop in self._stops)
            ),
            "",
        )
        return text[: len(text) - len(self._held)]

    def finish(self) -> str:
        """What was held back, at the end of the answer."""
        held, self._held = self._held, ""
        return held

    def _starts(self, text: str) -> range:
        longest = max(map(len, self._stops))
        return range(max(0, len(text) - longest + 1), len(text))
