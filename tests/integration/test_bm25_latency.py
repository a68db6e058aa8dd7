"""The bench of BM25's latency asks the product's statement."""

from __future__ import annotations

import pytest

from app.store.connection import Database, connect
from app.store.spaces import ensure_collection, ensure_space
from eval.bench.bm25_latency import fill, make_questions, measure
from eval.bench.filtered_recall import bench_space

pytestmark = pytest.mark.integration


def test_a_few_chunks_are_found_both_ways(database: Database) -> None:
    with connect(database.owner) as owner, connect(database.app) as app:
        collection = ensure_collection(app, "bench", ensure_space(owner, bench_space(8)))
        postings = fill(owner, collection, 200, distinct=40, seed=1)
        figures = measure(app, collection, make_questions(40, 5, 10, seed=2), "10")
    assert 200 * 30 < postings < 200 * 50
    assert figures.same_top == figures.same_first == 1  # so few that all terms are added up
