"""BM25 where a question's postings are more than are added up: common terms are looked up for the best chunks."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from app.index import maintenance
from app.index.manifest import IndexSettings
from app.search import bm25
from app.search.ranking import Ranking
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from app.store.posting_blocks import merge_postings
from app.store.staging import staged_copy
from tests.integration.ingesting import open_collection
from tests.integration.processes import wait_until
from tests.integration.searching import search_pool
from tests.integration.vectors import add_rows, clustered

pytestmark = pytest.mark.integration

CHUNKS = 3_000
RARE = ["rare0", "rare1", "rare2"]
COMMON = [f"common{number}" for number in range(9)]


@pytest.fixture
def texts(database: Database) -> dict[int, Counter[str]]:
    """Chunks by id: nine terms that stand in most of them, three in forty each."""
    collection = open_collection(database)
    rng = np.random.default_rng(3)
    with connect(database.app) as app:
        add_rows(app, collection, clustered(rng, CHUNKS), "all.txt")
        ids = [row[0] for row in app.execute("SELECT id FROM pgask.chunks ORDER BY id").fetchall()]
        held = {chunk_id: Counter[str]() for chunk_id in ids}
        for term, count in [*((term, CHUNKS * 9 // 10) for term in COMMON), *((term, 40) for term in RARE)]:
            for chunk_id in rng.choice(ids, count, replace=False).tolist():
                held[chunk_id][term] = int(rng.integers(1, 6))
        columns = "chunk_id, collection_id, term_frequency, chunk_terms, term, window_frequencies"
        with staged_copy(app, "pgask", "postings", columns, binary=False) as copy:
            for chunk_id, counts in held.items():
                for term, frequency in counts.items():
                    copy.write_row((chunk_id, collection.id, frequency, counts.total(), term, b""))
        total = sum(counts.total() for counts in held.values())
        app.execute("UPDATE pgask.collections SET term_count = %s", [total])
    return held


def test_upkeep_leaves_no_row_to_be_looked_up_in_the_table(
    database: Database, texts: dict[int, Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "LEAST_CHUNKS", len(texts) + 1)  # none are merged
    collection = open_collection(database)
    with connect(database.owner) as owner:

        def visible_after_upkeep() -> bool:
            assert maintenance.maintain(owner, collection.space_id, IndexSettings()) is None
            row = owner.execute(
                "SELECT relpages, relallvisible FROM pg_class WHERE oid = 'pgask.postings'::regclass"
            ).fetchone()
            assert row is not None
            return bool(row[0] == row[1] > 100)

        # This server commits asynchronously, and a vacuum sees as visible what the log has reached, some 0.2 s later.
        wait_until(visible_after_upkeep)


def textbook(texts: dict[int, Counter[str]], question: list[str]) -> dict[int, float]:
    mean = sum(counts.total() for counts in texts.values()) / len(texts)
    scores = dict.fromkeys(texts, 0.0)
    for term in question:
        df = sum(term in counts for counts in texts.values())
        idf = math.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
        for chunk_id, counts in texts.items():
            norm = 1.2 * (0.25 + 0.75 * counts.total() / mean)
            scores[chunk_id] += idf * counts[term] * 2.2 / (counts[term] + norm)
    return scores


async def search(database: Database, question: list[str]) -> Ranking:
    vector = clustered(np.random.default_rng(1), 1)[0]
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool:
        return await search_pool(pool, vector, question, candidates=20)


@pytest.mark.parametrize(
    ("question", "overlap", "merged"),
    [
        (RARE[:1], 10, False),
        ([*RARE, *COMMON], 10, False),
        ([*RARE, *COMMON], 10, True),
        ([*COMMON[::-1], "nowhere"], 5, True),
        (COMMON[:3], 10, False),
    ],
)
async def test_the_best_chunks_are_found_and_their_scores_are_the_textbook_s(
    database: Database, texts: dict[int, Counter[str]], question: list[str], overlap: int, merged: bool
) -> None:
    postings = sum(counts[term] > 0 for counts in texts.values() for term in question)
    assert (postings > bm25.BUDGET) == (len(question) > 9)
    if merged:
        with connect(database.owner) as owner:
            assert merge_postings(owner, open_collection(database).space_id, least=1) == len(texts)
    scores, found = textbook(texts, question), await search(database, question)
    for chunk in found.chunks:
        assert chunk.scores.lexical == pytest.approx(scores[chunk.chunk_id], abs=1e-9)
    shown = [chunk.explained for chunk in found.chunks if chunk.explained is not None]
    ranked = {chunk.lexical_rank: chunk for chunk in shown if chunk.lexical_rank is not None}
    assert sorted(ranked) == list(range(1, 21))
    lexical = [ranked[rank].lexical for rank in sorted(ranked)]
    assert lexical == pytest.approx(sorted(lexical, reverse=True), abs=1e-9)
    best = sorted(scores, key=lambda chunk_id: (-scores[chunk_id], chunk_id))[:10]
    assert len({int(ranked[rank].chunk_id) for rank in range(1, 11)} & set(best)) >= overlap
    assert set(found.term_weights) == set(question)
