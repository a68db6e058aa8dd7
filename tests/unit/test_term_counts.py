"""Counters made when they are asked for are those that would have been made at once."""

from __future__ import annotations

from collections import Counter

from app.lexicon import terms
from ingest.term_counts import Counted, terms_of


def test_counters_of_ranges_are_sums_of_their_windows() -> None:
    windows = [["a", "b", "a"], [], ["b", "c"]]
    counted = Counted(windows, [(0, 1), (0, 3), (1, 2)])
    expected = [Counter(a=2, b=1), Counter(a=2, b=2, c=1), Counter()]
    assert list(counted) == expected
    assert counted[1] == expected[1]
    assert counted[-1] == expected[-1]
    assert counted[1:] == expected[1:]
    assert len(counted) == 3


def test_terms_are_the_lexicon_s_and_equal_ones_one_object() -> None:
    texts = ["向量数据库的索引", "数据库 lists", ""]
    found = terms_of(texts)
    assert found == [terms(text) for text in texts]
    first, second = (next(term for term in one if term == "数据库") for one in found[:2])
    assert first is second
