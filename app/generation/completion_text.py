"""The pieces of one completion → its answer: without reasoning, cut at stop strings and at its tokens. Pure.

Whether a model reasons, and whether its chat template begins that, is found out as it answers and remembered by the
client, so that its tokens suffice and its reasoning is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain import Usage
from app.generation.completion_stream import Piece
from app.generation.reasoning import ReasoningFilter
from app.generation.stopping import StopCutter

Stage = Literal["reasoning", "answer"]


@dataclass(frozen=True, slots=True)
class LlmDelta:
    """A piece of a completion. The last one has no text, a `finish_reason` ("stop", "length", …) and `usage`,
    which is zero where the server does not count.

    One with a `stage` says, without text, what comes from here on. "answer" takes back all text before it, which
    turned out to be reasoning.
    """

    text: str
    finish_reason: str | None = None
    usage: Usage | None = None
    stage: Stage | None = None


@dataclass(slots=True)
class ReasoningHabits:
    """What is known of a model: that it `reasons`, and that its reasoning has no beginning (`unopened`)."""

    reasons: bool = False
    unopened: bool = False

    def forget(self) -> None:
        """Another model is served now."""
        self.reasons = self.unopened = False


class CompletionText:
    """Reads the pieces of one completion. `stops`: those that the server does not take; `max_tokens`: the answer's."""

    def __init__(self, habits: ReasoningHabits, stops: Sequence[str], max_tokens: int) -> None:
        self.is_over = False  # what comes now is not wanted any more
        self.finish_reason: str | None = None
        self.usage = Usage(0, 0)
        self._habits = habits
        self._stops = stops
        self._max_tokens = max_tokens
        self._thoughts = ReasoningFilter(opened=habits.unopened)
        self._cutter = StopCutter(stops)
        self._stage: Stage | None = None
        self._pieces = 0  # of the answer, each a token or more

    def read(self, piece: Piece) -> list[LlmDelta]:
        """What a piece adds to the answer."""
        self.finish_reason = piece.finish_reason or self.finish_reason
        self.usage = piece.usage or self.usage
        restarts = self._thoughts.restarts
        text = self._thoughts.feed(piece.text)
        deltas: list[LlmDelta] = []
        reasons = piece.is_reasoning or self._thoughts.is_reasoning or self._thoughts.reasoned
        self._habits.reasons = self._habits.reasons or reasons
        if self._thoughts.restarts > restarts:
            self._habits.unopened = True
            self._pieces, self._cutter = 0, StopCutter(self._stops)
            deltas = self._enter("answer")
        elif reasons and self._stage is None and not self._pieces:
            deltas = self._enter("reasoning")
        return deltas + self._show(self._cutter.feed(text))

    def finish(self) -> list[LlmDelta]:
        """What is left at the end, and the last delta."""
        held = self._thoughts.finish(cut_off=self.finish_reason == "length")
        if held and self._habits.unopened and not self._thoughts.reasoned:
            self._habits.unopened = False  # it answered without: the next answer is shown as it comes
        text = "" if self.is_over else self._cutter.feed(held) + self._cutter.finish()
        return [*self._show(text), LlmDelta("", self.finish_reason, self.usage)]

    def _show(self, text: str) -> list[LlmDelta]:
        deltas = self._enter("answer") if text and self._stage == "reasoning" else []
        if text:
            self._pieces += 1
            deltas.append(LlmDelta(text))
        if self._cutter.stopped:
            self.is_over, self.finish_reason = True, "stop"
        elif self._habits.reasons and self._pieces >= self._max_tokens and self.finish_reason is None:
            self.is_over, self.finish_reason = True, "length"
        return deltas

    def _enter(self, stage: Stage) -> list[LlmDelta]:
        self._stage = stage
        return [LlmDelta("", stage=stage)]
