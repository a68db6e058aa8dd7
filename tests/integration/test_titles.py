"""A title that is not in the text is found, and the text, its offsets and its chunks stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from tests.integration.ingesting import FAKE, ingest, random_text, snapshot

pytestmark = pytest.mark.integration


async def test_a_title_of_the_front_matter_is_found_by_both_legs(database: Database, tmp_path: Path) -> None:
    """F-1109: a document was not found by its title where that stands in its front matter alone."""
    body = "This happens every ninety days and is done by the platform team on call."
    (tmp_path / "titled.md").write_text(f"---\ntitle: Rotating the webhook secret\n---\n\n{body}\n", "utf-8")
    (tmp_path / "headed.md").write_text(f"# Kiln schedule\n\n{random_text(1, 10)}\n", "utf-8")
    report = ingest(database, tmp_path)
    assert report.embedded_tokens == report.tokens
    assert report.dropped_tokens == 0
    async with open_pool(database.app, size=2, statement_timeout_s=10) as pool:
        found = await Retriever(pool, FAKE, RetrievalSettings()).retrieve(
            "rotating webhook secret", "default", 2
        )
    first = found.hits[0]
    assert first.source == "titled.md"
    assert first.text == body
    assert first.scores.lexical is not None
    assert first.scores.lexical > 0
    assert first.scores.dense is not None
    assert first.scores.dense > 0.3


def test_a_changed_title_embeds_its_window_alone(database: Database, tmp_path: Path) -> None:
    text = "\n\n".join(random_text(seed, 12) for seed in range(10))
    file = tmp_path / "a.md"
    file.write_text(f"---\ntitle: Kilns\n---\n\n{text}\n", "utf-8")
    ingest(database, tmp_path)
    file.write_text(f"---\ntitle: Ovens\n---\n\n{text}\n", "utf-8")
    report = ingest(database, tmp_path)
    assert report.changed == 1
    assert 0 < report.embedded_tokens < report.tokens / 10
    assert report.embedded_tokens + report.reused_tokens == report.tokens
    ingest(database, tmp_path, collection="anew")
    assert snapshot(database) == snapshot(database, "anew")
    with connect(database.app) as app:
        row = app.execute("SELECT count(*) FROM pgask.postings WHERE term = 'kiln'").fetchone()
    assert row == (0,)
