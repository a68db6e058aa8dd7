"""Signatures of texts: long ones are taken in batches, which changes nothing."""

from __future__ import annotations

import random

import pytest

from ingest.duplicates import MIN_SHINGLES, sign


@pytest.mark.parametrize("size", [1, 7, 59, 60, 1_000])
@pytest.mark.parametrize("words", [30, MIN_SHINGLES + 1, MIN_SHINGLES + 2, MIN_SHINGLES + 3, 900])
def test_batches_make_the_signature_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, words: int, size: int
) -> None:
    terms = [f"term{number}" for number in range(words)]
    random.Random(words).shuffle(terms)
    terms += terms[: words // 2]
    whole = sign(" ".join(terms), terms)
    monkeypatch.setattr("ingest.duplicates._BATCH_SHINGLES", size)
    assert sign(" ".join(terms), terms) == whole


@pytest.mark.parametrize("size", [5, 50_000])
def test_a_text_that_repeats_itself_is_short(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("ingest.duplicates._BATCH_SHINGLES", size)
    assert sign("a b c " * 500, ["a", "b", "c"] * 500).minhash is None
