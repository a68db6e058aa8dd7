"""A variant is told from the settings, and its vectors are the embedder's own, cut."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import InvalidRequestError
from eval.ablation import Ablation, VariedEmbedder
from tests.fakes import FakeEmbedder


def test_a_variant_leaves_the_settings_of_the_product() -> None:
    overrides: dict[str, object] = {"dense_weight": 0.3, "pooling": "mean", "answers": False}
    assert Ablation.take(overrides) == Ablation(pooling="mean", answers=False)
    assert overrides == {"dense_weight": 0.3}


def test_a_cut_vector_has_unit_length_and_the_direction_of_the_first_numbers() -> None:
    full, cut = FakeEmbedder(), VariedEmbedder(FakeEmbedder(), dimension=8, name=None)
    for whole, short in zip(
        full.embed_queries(["tea and paper"]), cut.embed_queries(["tea and paper"]), strict=True
    ):
        assert np.linalg.norm(short) == pytest.approx(1, abs=1e-6)
        assert short == pytest.approx(whole[:8] / np.linalg.norm(whole[:8]), abs=1e-6)
    assert cut.space.dimension == 8
    assert cut.space != full.space


def test_a_named_space_is_another_one_with_the_same_vectors() -> None:
    full, named = FakeEmbedder(), VariedEmbedder(FakeEmbedder(), dimension=None, name="sweep")
    assert named.space != full.space
    assert np.array_equal(named.embed_passages(["tea"]), full.embed_passages(["tea"]))


@pytest.mark.parametrize("dimension", [0, 65, -1])
def test_a_dimension_that_the_model_has_not(dimension: int) -> None:
    with pytest.raises(InvalidRequestError, match="64 numbers"):
        VariedEmbedder(FakeEmbedder(), dimension=dimension, name=None)
