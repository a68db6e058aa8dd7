"""Long runs of signs in a message are cut, so that reading it takes time in proportion to its length."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.domain import ChatTurn
from app.exchange import AskRequest
from app.meaning import closed_up
from app.question.runs import MOST, cut_runs
from app.question.standalone import standalone_question
from tests.growth import assert_linear


@pytest.mark.parametrize("sign", ["!", ",", "[", "？"])
def test_a_follow_up_of_signs_is_read_in_linear_time(sign: str) -> None:
    """A message of 8,000 exclamation marks took six seconds, on the event loop."""

    def work(size: int) -> Callable[[], object]:
        history = (ChatTurn("user", "How many lists?"), ChatTurn("assistant", "The square root [1]."))
        request = AskRequest(sign * size, history=history)

        def read() -> object:
            closed = closed_up(request)
            return standalone_question(closed.question, closed.history)

        return read

    assert_linear(work, 500)


@pytest.mark.parametrize(
    "text",
    ["", "What is 3 * (4 + 5)?", "差旅……怎么报销？？？", f"| a | b |\n|{'-' * 60}|", "a" * 500, "x! " * 300],
)
def test_what_people_write_stays(text: str) -> None:
    assert cut_runs(text) == text


def test_a_longer_run_ends_after_some_signs() -> None:
    assert cut_runs(f"Why{'?' * 1_000} And how{' ' * 300}so?") == f"Why{'?' * MOST}And how{' ' * MOST}so?"
