"""What the formula is for, shown of the oracle that the database is held to (tests/integration/test_oracle.py): a blind
leg does not spoil the other, and the best window speaks for its chunk."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import oracle
from tests.oracle import Candidate, Fused, Weights, readability

SHARE = 0.6


def candidate(chunk_id: int, dense: float, lexical: float, unknown_share: float = 0.0) -> Candidate:
    """A chunk of one window, so that both its BM25 are one."""
    return Candidate(chunk_id, 0, (dense,), (lexical,), lexical, unknown_share)


def fuse(candidates: list[Candidate], dense_weight: float, share: float, unknown: float = 0.0) -> list[Fused]:
    return oracle.fuse(candidates, Weights(dense_weight, share), unknown)


CANDIDATES = st.lists(
    st.builds(candidate, st.integers(1, 10_000), st.floats(-1, 1), st.floats(0, 60), st.floats(0, 1)),
    max_size=40,
    unique_by=lambda candidate: candidate.chunk_id,
)


def ids(candidates: list[Candidate], dense_weight: float = 0.5, unknown_share: float = 0.0) -> list[int]:
    return [fused.candidate.chunk_id for fused in fuse(candidates, dense_weight, SHARE, unknown_share)]


def test_nothing_fuses_to_nothing() -> None:
    assert fuse([], 0.5, SHARE) == []


def test_scores_by_hand() -> None:
    fused = fuse([candidate(1, 0.5, 2.0), candidate(2, 0.8, 8.0)], 0.25, SHARE)
    assert [f.candidate.chunk_id for f in fused] == [2, 1]
    assert [f.score for f in fused] == pytest.approx([0.25 * 0.8 + 0.75, 0.25 * 0.5 + 0.75 * 0.25])


def test_the_best_window_is_best_by_both_together() -> None:
    """The first window has the highest cosine, the last the highest BM25, the middle one the highest sum."""
    chunk = Candidate(1, 7, (0.9, 0.8, 0.1), (0.0, 9.0, 10.0), 5.0)
    other = Candidate(2, 0, (0.0,), (4.0,), 10.0)
    first, second = fuse([other, chunk], 0.5, SHARE)
    assert (first.candidate, first.window, first.dense, first.window_lexical) == (chunk, 8, 0.8, 9.0)
    assert first.score == pytest.approx(0.5 * 0.8 + 0.5 * SHARE * 0.9 + 0.5 * (1 - SHARE) * 0.5)
    assert second.score == pytest.approx(0.5 * SHARE * 0.4 + 0.5 * (1 - SHARE))


def test_words_in_one_window_count_for_more_than_words_apart() -> None:
    together = Candidate(2, 0, (0.5, 0.5), (6.0, 0.0), 6.0)
    apart = Candidate(1, 0, (0.5, 0.5), (3.0, 3.0), 6.0)
    assert ids([apart, together]) == [2, 1]


def test_a_leg_that_can_not_read_the_text_does_not_spoil_the_other() -> None:
    """An English encoder gives all Chinese chunks about the same cosine, in any order."""
    blind = [0.61, 0.60, 0.62, 0.59]
    lexical = [1.0, 9.0, 3.0, 6.0]
    candidates = [candidate(n, blind[n], lexical[n]) for n in range(4)]
    assert ids(candidates) == [1, 3, 2, 0]


def test_a_cosine_counts_less_the_less_of_either_text_is_readable() -> None:
    """The unreadable document's cosine is higher by chance; the words say the other one."""
    readable, unreadable = candidate(1, 0.5, 6.0), candidate(2, 0.8, 5.0, unknown_share=0.75)
    assert ids([candidate(2, 0.8, 5.0), readable]) == [2, 1]
    assert ids([unreadable, readable]) == [1, 2]
    assert ids([candidate(2, 0.8, 5.0), readable], unknown_share=0.75) == [1, 2]
    assert readability(0.0, 0.75) == readability(0.75, 0.0) == 0.5
    assert readability(0.75, 0.75) == 0.25
    assert fuse([unreadable], 1.0, SHARE)[0].score == pytest.approx(0.4)


def test_postings_without_windows_leave_the_rest() -> None:
    """Documents that were ingested by an older version have no words in their windows."""
    fused = fuse([Candidate(1, 0, (0.5,), (0.0,), 2.0), Candidate(2, 0, (0.4,), (0.0,), 8.0)], 0.5, SHARE)
    assert [f.candidate.chunk_id for f in fused] == [2, 1]


def test_without_a_lexical_match_the_dense_order_stays() -> None:
    assert ids([candidate(1, 0.2, 0.0), candidate(2, 0.9, 0.0), candidate(3, 0.5, 0.0)]) == [2, 3, 1]


def test_negative_cosines_count_as_none() -> None:
    fused = fuse([candidate(1, -0.9, 4.0), candidate(2, -0.1, 2.0)], 0.5, SHARE)
    assert [f.score for f in fused] == pytest.approx([0.5, 0.25])
    assert [f.dense for f in fused] == [-0.9, -0.1]


def test_a_cosine_is_measured_by_the_language_of_its_text() -> None:
    """A model's cosines with English text lie at .7 ± .02: .74 is two deviations above that, .3 is three in another."""
    near, far = replace(candidate(1, 0.74, 0.0), language="en"), candidate(2, 0.3, 0.0)
    measured_by = {"en": (0.7, 0.02), "und": (0.0, 0.1)}
    fused = oracle.fuse([near, far], Weights(1.0, SHARE), measured_by=measured_by)
    assert [f.candidate.chunk_id for f in fused] == [2, 1]
    assert [f.standard for f in fused] == pytest.approx([3, 2])
    assert [f.dense for f in fused] == [0.3, 0.74]


def test_one_common_word_is_no_full_lexical_score() -> None:
    """A text full of all terms, whose idf is 10 together, would get 16 in a window and 22 as a whole."""
    (alone,) = oracle.fuse([candidate(1, 0.0, 1.0)], Weights(0.0, SHARE), idf=10.0)
    assert alone.score == pytest.approx(SHARE / 6.4 + (1 - SHARE) / 8.8)
    (full,) = oracle.fuse([candidate(1, 0.0, 12.0)], Weights(0.0, SHARE), idf=10.0)
    assert full.score == pytest.approx(1.0)


def test_ties_go_to_the_lexical_match_then_to_the_older_chunk() -> None:
    """0.5 either way: all of the cosine, or all of the window's words and none of the chunk's."""
    tied = [candidate(9, 1.0, 0.0), candidate(10, 0.0, 8.0), candidate(7, 1.0, 0.0)]
    assert ids(tied) == [10, 7, 9]
    assert ids(list(reversed(tied))) == [10, 7, 9]


@pytest.mark.parametrize(("weight", "first"), [(1.0, 1), (0.0, 2)])
def test_a_weight_of_one_or_nought_leaves_one_leg(weight: float, first: int) -> None:
    assert ids([candidate(1, 0.9, 1.0), candidate(2, 0.1, 5.0)], weight)[0] == first


@given(CANDIDATES, st.floats(0, 1), st.floats(0, 1))
def test_all_candidates_come_back_once_in_order_with_scores_in_range(
    candidates: list[Candidate], weight: float, unknown_share: float
) -> None:
    fused = fuse(candidates, weight, SHARE, unknown_share)
    assert sorted(f.candidate.chunk_id for f in fused) == sorted(c.chunk_id for c in candidates)
    scores = [f.score for f in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 + 1e-9 for score in scores)
    assert fuse(list(reversed(candidates)), weight, SHARE, unknown_share) == fused


@given(CANDIDATES, st.floats(0, 1), st.floats(-1, 1), st.floats(0, 60))
def test_a_candidate_better_on_both_legs_ranks_higher(
    candidates: list[Candidate], weight: float, dense: float, lexical: float
) -> None:
    better = candidate(20_000, min(1.0, dense + 0.1), lexical + 1)
    worse = candidate(20_001, dense, lexical)
    order = ids([*candidates, worse, better], weight)
    assert order.index(20_000) < order.index(20_001)


@given(st.floats(0, 1), st.floats(0, 1))
def test_readability_is_a_mean_that_only_falls(question: float, document: float) -> None:
    share = readability(question, document)
    assert 0 <= share <= 1
    assert share <= readability(0, document)
    assert math.isclose(share**2, (1 - question) * (1 - document), abs_tol=1e-12)
