"""The parts of the search and growth benches that compute: loads, recall, subjects, fitted exponents, vectors."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from app.embedding import FloatMatrix
from eval.bench.growth import Figures, fit, make_vectors
from eval.bench.search import medians
from eval.bench.search_corpus import SearchCorpus, _between
from eval.bench.search_load import Load, measure
from eval.bench.search_ours import recall
from eval.bench.search_store import FOLDERS, by_subject


def unit_vectors(count: int, seed: int = 0, dimension: int = 8) -> FloatMatrix:
    vectors = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_clients_ask_all_questions_in_turn() -> None:
    asked: list[int] = []

    async def ask(number: int) -> None:
        asked.append(number)
        await asyncio.sleep(0.001)

    load = asyncio.run(measure(ask, clients=3, seconds=0.1))
    assert sorted(asked)[:6] == list(range(6))
    assert len(set(asked)) == len(asked)
    assert load.p50_ms <= load.p99_ms
    assert load.per_second > 0


def test_percentiles_and_medians() -> None:
    load = Load.of([float(number) for number in range(1, 102)], 2.0)
    assert load == Load(51.0, 100.0, 50.5)
    assert medians([Load(1, 5, 9), Load(2, 4, 8), Load(3, 3, 100)]) == Load(2, 4, 9)


def test_recall_counts_the_true_ten_of_what_is_kept() -> None:
    vectors = unit_vectors(50)
    corpus = SearchCorpus([""] * 50, vectors, 50, ["q"] * 2, unit_vectors(2, seed=1))
    order = np.argsort(-(corpus.question_vectors @ vectors.T), axis=1).tolist()
    assert recall(corpus, [row[:10] for row in order]) == 1.0
    assert recall(corpus, [row[5:15] for row in order]) == 0.5
    kept = set(range(0, 50, 2))
    of_kept = [[row for row in ranked if row in kept][:10] for ranked in order]
    assert recall(corpus, of_kept, kept) == 1.0


def test_near_passages_come_together() -> None:
    centres = unit_vectors(FOLDERS, dimension=32)
    vectors = np.repeat(centres, 5, axis=0)
    assert len(set(by_subject(vectors).tolist())) == len(vectors)
    grouped = by_subject(vectors).reshape(-1, 5) // 5
    assert (grouped == grouped[:, :1]).all()


def test_made_passages_lie_between_neighbours() -> None:
    real = unit_vectors(40)
    texts = [f"word{number} and more of passage {number} here" for number in range(40)]
    vectors, made = _between(real, texts, 30, seed=3)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(30), abs=1e-5)
    assert (vectors @ real.T).max(axis=1).min() > 0.6
    known = set(" ".join(texts).split())
    assert all(set(text.split()) <= known for text in made)


def test_exponents_are_fitted() -> None:
    made = [Figures(n, 1, 1, n, n**2, 1.0, 7.0, n**0.5, 1.0) for n in (10, 100, 1000)]
    assert [fit(made, name) for name in ("build_s", "size_bytes", "p99_ms")] == pytest.approx([1, 2, 0.5])
    assert fit(made, "p50_ms") == 0


def test_blocks_of_rows_are_the_same_each_time_and_differ() -> None:
    first = make_vectors(20, seed=1)
    assert np.array_equal(first, make_vectors(20, seed=1))
    assert not np.array_equal(first, make_vectors(20, seed=2))
    assert np.linalg.norm(first, axis=1) == pytest.approx(np.ones(20), abs=1e-5)
