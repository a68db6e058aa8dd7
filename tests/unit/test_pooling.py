"""Weights and pooled vectors of a chunk's windows: the formula, its limits, and vectors that cancel out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.pooling import POSITION_STRENGTH, pool, window_weights

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 512)), min_size=1, max_size=40)


def unit(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@given(COUNTS)
def test_weights_are_positive_and_sum_to_one(counts: list[tuple[int, int]]) -> None:
    weights = window_weights([k for k, _ in counts], [n for _, n in counts])
    assert weights.shape == (len(counts),)
    assert weights.dtype == np.float64
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(1.0)


def test_the_formula_by_hand() -> None:
    # lengths 100 and 50; positions 1.375 and 1.125; densities .2 and .4 of mean .3, so 2/3 and 4/3
    raw = [100 * 1.375 * (2 / 3), 50 * 1.125 * (4 / 3)]
    assert window_weights([20, 20], [100, 50]) == pytest.approx([raw[0] / sum(raw), raw[1] / sum(raw)])


def test_one_window_has_all_the_weight() -> None:
    assert window_weights([0], [7]).tolist() == [1.0]


def test_earlier_windows_count_more() -> None:
    weights = window_weights([10] * 5, [100] * 5)
    assert (np.diff(weights) < 0).all()
    assert weights[0] / weights[-1] == pytest.approx(
        (1 + POSITION_STRENGTH * 0.9) / (1 + POSITION_STRENGTH * 0.1)
    )


def test_longer_windows_count_more() -> None:
    weights = window_weights([10, 20], [50, 100])
    assert weights[1] > weights[0]


def test_windows_rich_in_keywords_count_more_but_within_bounds() -> None:
    rich = window_weights([10, 20], [100, 100])
    plain = window_weights([10, 10], [100, 100])
    assert rich[1] > plain[1]
    extreme = window_weights([1, 1, 1, 1_000], [100] * 4)
    even = window_weights([1] * 4, [100] * 4)
    most = (extreme[3] / extreme[0]) / (even[3] / even[0])
    assert most == pytest.approx(4.0)  # from a half to twice


def test_windows_without_any_keyword_are_weighted_by_length_and_position() -> None:
    assert window_weights([0, 0, 0], [9, 9, 9]) == pytest.approx(window_weights([5, 5, 5], [9, 9, 9]))


@given(COUNTS, st.integers(0, 2**32 - 1))
def test_pooled_vectors_have_unit_length(counts: list[tuple[int, int]], seed: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((len(counts), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pooled = pool(vectors, window_weights([k for k, _ in counts], [n for _, n in counts]))
    assert pooled.shape == (8,)
    assert pooled.dtype == np.float32
    assert np.linalg.norm(pooled) == pytest.approx(1.0, abs=1e-5)


def test_one_window_is_its_own_pooled_vector() -> None:
    vector = unit(3, 4, 0)
    assert pool(vector[None, :], np.array([1.0])) == pytest.approx(vector)


def test_equal_windows_pool_to_themselves() -> None:
    vector = unit(1, 2, 3)
    assert pool(np.stack([vector] * 3), window_weights([1, 9, 4], [5, 6, 7])) == pytest.approx(
        vector, abs=1e-6
    )


def test_the_pooled_vector_is_nearer_to_the_heavier_window() -> None:
    vectors = np.stack([unit(1, 0), unit(0, 1)])
    pooled = pool(vectors, np.array([0.75, 0.25]))
    assert pooled == pytest.approx(unit(3, 1), abs=1e-6)


def test_opposite_vectors_leave_the_heavier_one() -> None:
    vectors = np.stack([unit(1, 0), unit(-1, 0)])
    assert pool(vectors, np.array([0.5, 0.5])).tolist() == [1.0, 0.0]
    three = np.stack([unit(1, 0), unit(-1, 0), unit(-1, 0)])
    assert pool(three, np.array([0.5, 0.3, 0.2])).tolist() == [1.0, 0.0]


def test_the_vectors_given_are_left_alone() -> None:
    vectors = np.stack([unit(1, 0), unit(-1, 0)])
    pool(vectors, np.array([0.5, 0.5]))[0] = 9.0
    assert vectors.tolist() == [[1.0, 0.0], [-1.0, 0.0]]
