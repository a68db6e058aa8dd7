"""Recall of the dense leg under filters, by index and exactly, on generated vectors."""

from __future__ import annotations

import pytest

from app.search import plan
from app.store.connection import Database
from eval.bench.filtered_recall import NEIGHBOURS, Generated, run

pytestmark = pytest.mark.integration


@pytest.mark.long
async def test_filters_keep_recall_and_rows(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the planner may not sort all that a filter keeps instead of using the index."""
    monkeypatch.setattr(plan, "EXACT_ROWS", 1_800)
    monkeypatch.setattr(plan, "VISITED_ROWS", 1_000)
    measured = await run(
        database,
        source=Generated(384),
        rows=6_000,
        exact_max_rows=0,
        candidates=10,
        questions=20,
        seed=3,
        force_index=True,
    )
    assert measured.index.lists is not None
    assert measured.index.lists >= 50
    by_index = {one.filter for one in measured.figures if not one.exact}
    assert by_index == {"random 50.0%", "region 50.0%", "collection"}
    for one in measured.figures:
        assert one.fewest == min(NEIGHBOURS, one.rows), one
        # The goal is 0.95, measured by the bench over many questions. k-means differs from run to run and 20 questions
        # have an interval of ±.03 (four seeds gave .945 to 1), so here it is a little less: without the mend it is .6.
        assert one.recall == 1 if one.exact else one.recall >= 0.9, one
