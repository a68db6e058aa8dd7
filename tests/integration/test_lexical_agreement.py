"""BM25 as PostgreSQL computes it against bm25s, on the handbook's paragraphs, English and Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store.connection import Database
from eval.bench.lexical_agreement import agree

pytestmark = pytest.mark.integration

CORPUS = Path(__file__).parents[2] / "corpus"


async def test_ranks_and_scores_agree(database: Database) -> None:
    texts = [path.read_text("utf-8") for path in sorted(CORPUS.rglob("*.md"))]
    passages = list(
        dict.fromkeys(part for text in texts for part in text.split("\n\n") if 80 <= len(part) <= 2_000)
    )[::2]
    asked = [(passages[place][:60], place) for place in range(0, len(passages), 4)]
    assert len(asked) > 30
    found = await agree(database, passages, asked)
    assert found.same_terms == 1
    assert found.ndcg_bm25s > 0.9
    assert found.ndcg_postgresql == pytest.approx(found.ndcg_bm25s, abs=0.01)
    assert found.same_top_10 == 1
    assert found.largest_difference < 1e-6
