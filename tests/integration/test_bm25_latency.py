"""The bench of BM25's latency asks the product's statement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from app.store.connection import Database, connect
from app.store.posting_blocks import merge_postings
from app.store.spaces import ensure_collection, ensure_space
from eval.bench.bm25_latency import fill, make_questions, measure
from eval.bench.filtered_recall import bench_space

_TIMES: Final[dict[str, Any]] = dict.fromkeys(
    ("p50_ms", "p90_ms", "p99_ms", "full_p50_ms", "full_p99_ms"), 0.0
)
pytestmark = pytest.mark.integration


def test_a_few_chunks_are_found_both_ways(database: Database) -> None:
    with connect(database.owner) as owner, connect(database.app) as app:
        collection = ensure_collection(app, "bench", ensure_space(owner, bench_space(8)))
        postings = fill(owner, collection, 200, distinct=40, seed=1)
        figures = measure(app, collection, make_questions(40, 5, 10, seed=2), "10")
        assert merge_postings(owner, collection.space_id, least=1) == 200
        assert replace(
            measure(app, collection, make_questions(40, 5, 10, seed=2), "10"), **_TIMES
        ) == replace(figures, **_TIMES)
    assert 200 * 30 < postings < 200 * 50
    assert figures.same_top == figures.same_first == 1  # so few that all terms are added up
