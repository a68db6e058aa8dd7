"""BM25 as PostgreSQL computes it against bm25s in memory, on the handbook's paragraphs, English and Chinese."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt
import pytest

from app.config import Settings
from app.domain import Document
from app.lexicon import terms
from app.question.content import read_question
from app.question.courtesy import bare_question
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from app.store.spaces import ensure_collection, ensure_space
from app.store.texts import whole_text
from ingest.lead import lead_of
from ingest.options import IngestOptions
from ingest.parsers import parse
from ingest.pipeline import IngestRun
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import Silent

pytestmark = pytest.mark.integration

CORPUS = Path(__file__).parents[2] / "corpus"
EMBEDDER = FakeEmbedder(window_tokens=8192)
ONE_CHUNK = IngestOptions(chunk_tokens=2048, overlap=0, window_tokens=8192, duplicates="keep_all")
K1: float = Settings.model_fields["bm25_k1"].default
B: float = Settings.model_fields["bm25_b"].default
Stored = Sequence[tuple[int, str, str, str, dict[str, int]]]  # id, source, title, text, terms of each chunk


def passages() -> list[str]:
    texts = [path.read_text("utf-8") for path in sorted(CORPUS.rglob("*.md"))]
    parts = (part for text in texts for part in text.split("\n\n") if 80 <= len(part) <= 2_000)
    return list(dict.fromkeys(parts))[::2]


def store(database: Database, texts: Sequence[str], folder: Path) -> Stored:
    """Each text as a document of one chunk, by ingest; the chunks as they are stored, in the order of their ids."""
    for place, text in enumerate(texts):
        (folder / f"{place:05}.txt").write_text(text, encoding="utf-8")
    with connect(database.owner) as owner, connect(database.app) as app:
        collection = ensure_collection(app, "default", ensure_space(owner, EMBEDDER.space))
        run = IngestRun(app, collection, EMBEDDER, ONE_CHUNK, Silent(), parse=parse)
        run.execute(run.plan([folder]))
        return app.execute(
            f"SELECT k.id, d.source, d.title, {whole_text('d.id')}, jsonb_object_agg(p.term, p.term_frequency)"
            "  FROM pgask.chunks k JOIN pgask.documents d ON d.id = k.document_id"
            "  JOIN pgask.postings p ON p.chunk_id = k.id"
            " GROUP BY k.id, d.id ORDER BY k.id"
        ).fetchall()


def score_by_bm25s(documents: Sequence[Mapping[str, int]], asked: Sequence[str]) -> npt.NDArray[np.float64]:
    """The score of each document, 0 where it shares no term. bm25s leaves the constant factor k1 + 1 out."""
    index = bm25s.BM25(method="lucene", k1=K1, b=B, dtype="float64")
    tokens = [[term for term, count in found.items() for _ in range(count)] for found in documents]
    index.index(tokens, show_progress=False)
    known = {term for found in documents for term in found}
    return np.asarray((K1 + 1) * index.get_scores([term for term in dict.fromkeys(asked) if term in known]))


@pytest.mark.long
async def test_ranks_and_scores_agree(database: Database, tmp_path: Path) -> None:
    texts = passages()
    stored = store(database, texts, tmp_path)
    assert len(stored) == len(texts)
    for _, _, title, text, found in stored:
        lead = lead_of(Document(text, title, "text/markdown", "und"), text)
        assert Counter(found) == Counter(terms(text)) + Counter(terms(lead))

    at_id = {chunk_id: at for at, (chunk_id, *_) in enumerate(stored)}
    own_first = 0
    asked = range(0, len(texts), 4)
    assert len(asked) > 30
    settings = RetrievalSettings()
    async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
        retriever = Retriever(pool, EMBEDDER, settings)
        for place in asked:
            question = texts[place][:60]
            scores = score_by_bm25s(
                [found for *_, found in stored], read_question(bare_question(question)).terms
            )
            hits = (await retriever.retrieve(question, "default", 6 * settings.candidates)).hits
            by_postgresql = {
                at_id[int(hit.chunk_id)]: hit.scores.lexical for hit in hits if hit.scores.lexical
            }
            for at, score in by_postgresql.items():
                assert score == pytest.approx(scores[at], rel=1e-6)
            best = sorted(by_postgresql, key=lambda at: (-by_postgresql[at], at))[:10]
            expected = np.lexsort((np.arange(len(scores)), -scores))[:10]
            assert best == [at for at in expected.tolist() if scores[at] > 0]
            own_first += stored[best[0]][1] == f"{place:05}.txt"
    assert own_first / len(asked) > 0.8
