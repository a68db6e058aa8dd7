"""Fusion of the dense and the lexical leg: a leg that knows nothing does not spoil one that does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.fusion import fuse
from app.store.search import Candidate

CANDIDATES = st.lists(
    st.builds(Candidate, st.integers(1, 10_000), st.floats(-1, 1), st.floats(0, 60)),
    max_size=40,
    unique_by=lambda candidate: candidate.chunk_id,
)


def ids(candidates: list[Candidate], dense_weight: float = 0.5) -> list[int]:
    return [fused.candidate.chunk_id for fused in fuse(candidates, dense_weight)]


def test_nothing_fuses_to_nothing() -> None:
    assert fuse([], 0.5) == []


def test_scores_by_hand() -> None:
    fused = fuse([Candidate(1, 0.5, 2.0), Candidate(2, 0.8, 8.0)], 0.25)
    assert [f.candidate.chunk_id for f in fused] == [2, 1]
    assert [f.score for f in fused] == pytest.approx([0.25 * 0.8 + 0.75, 0.25 * 0.5 + 0.75 * 0.25])


def test_a_leg_that_can_not_read_the_text_does_not_spoil_the_other() -> None:
    """An English encoder gives all Chinese chunks about the same cosine, in any order."""
    blind = [0.61, 0.60, 0.62, 0.59]
    lexical = [1.0, 9.0, 3.0, 6.0]
    candidates = [Candidate(n, blind[n], lexical[n]) for n in range(4)]
    assert ids(candidates) == [1, 3, 2, 0]


def test_without_a_lexical_match_the_dense_order_stays() -> None:
    assert ids([Candidate(1, 0.2, 0.0), Candidate(2, 0.9, 0.0), Candidate(3, 0.5, 0.0)]) == [2, 3, 1]


def test_negative_cosines_count_as_none() -> None:
    fused = fuse([Candidate(1, -0.9, 4.0), Candidate(2, -0.1, 2.0)], 0.5)
    assert [f.score for f in fused] == [0.5, 0.25]


def test_ties_go_to_the_lexical_match_then_to_the_older_chunk() -> None:
    # 0.5 · 0.5 + 0.5 · 0.5 either way
    tied = [Candidate(9, 1.0, 0.0), Candidate(10, 0.0, 8.0), Candidate(7, 1.0, 0.0)]
    assert ids(tied) == [10, 7, 9]
    assert ids(list(reversed(tied))) == [10, 7, 9]


@pytest.mark.parametrize(("weight", "first"), [(1.0, 1), (0.0, 2)])
def test_a_weight_of_one_or_nought_leaves_one_leg(weight: float, first: int) -> None:
    assert ids([Candidate(1, 0.9, 1.0), Candidate(2, 0.1, 5.0)], weight)[0] == first


@given(CANDIDATES, st.floats(0, 1))
def test_all_candidates_come_back_once_in_order_with_scores_in_range(
    candidates: list[Candidate], weight: float
) -> None:
    fused = fuse(candidates, weight)
    assert sorted(f.candidate.chunk_id for f in fused) == sorted(c.chunk_id for c in candidates)
    scores = [f.score for f in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 + 1e-9 for score in scores)
    assert fuse(list(reversed(candidates)), weight) == fused


@given(CANDIDATES, st.floats(0, 1), st.floats(-1, 1), st.floats(0, 60))
def test_a_candidate_better_on_both_legs_ranks_higher(
    candidates: list[Candidate], weight: float, dense: float, lexical: float
) -> None:
    better = Candidate(20_000, min(1.0, dense + 0.1), lexical + 1)
    worse = Candidate(20_001, dense, lexical)
    order = ids([*candidates, worse, better], weight)
    assert order.index(20_000) < order.index(20_001)
