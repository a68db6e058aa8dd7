"""Stop strings cut here: the cuts of a stream do not change the text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from app.generation.stopping import StopCutter


@example("aa\na", ["\n", "a\na"], [3])  # one stop string begins before another that is whole earlier
@given(
    st.text(st.sampled_from("ab\n"), max_size=30),
    st.lists(st.text(st.sampled_from("ab\n"), max_size=4), max_size=3),
    st.lists(st.integers(0, 30), max_size=6),
)
def test_the_text_ends_before_the_first_stop_string(text: str, stops: list[str], cuts: list[int]) -> None:
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    cutter = StopCutter(stops)
    shown = "".join(cutter.feed(text[a:b]) for a, b in pairwise(places)) + cutter.finish()
    found = [text.find(stop) for stop in stops if stop and stop in text]
    assert shown == text[: min(found, default=len(text))]
    assert cutter.stopped == bool(found)
