"""F-1209: characters that nobody sees leave no trace, however a stream is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.generation.unseen import UnseenFilter


def seen(*pieces: str) -> str:
    unseen = UnseenFilter()
    return "".join(map(unseen.feed, pieces)) + unseen.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red \x1b[31mtext\x1b[0m", "red text"),
        ("a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c", "abc"),
        ("\x9b31mC1 \x1bc", "C1 c"),
        ("\u202egnp\u2066x\u2069\u200e", "gnpx"),
        ("a\u200bb\ufeff\u2060c\u00add", "abcd"),
        ("hid\U000e0041\U000e0042den\ufdd0", "hidden"),
        ("a\x00b\x07c\x7f", "abc"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("\ud800", "�"),
        ("👩\u200d🔬 می\u200cخواهم ❤\ufe0f 分块\n\tok", "👩\u200d🔬 می\u200cخواهم ❤\ufe0f 分块\n\tok"),
    ],
)
def test_what_stays_and_what_goes(text: str, expected: str) -> None:
    assert seen(text) == seen(*text) == expected


@given(
    st.text(st.sampled_from("\x1b[]31m;\x07\\\r\n\x9ba\u200b"), max_size=30),
    st.lists(st.integers(0, 30), max_size=8),
)
def test_the_cuts_of_a_stream_do_not_change_the_text(text: str, cuts: list[int]) -> None:
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    shown = seen(*(text[a:b] for a, b in pairwise(places)))
    assert shown == seen(text)
    assert not set(shown) & set("\x1b\x9b\x07\r\u200b")
