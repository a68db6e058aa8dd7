"""What a sweep varies outside of the settings, on the real store: pooling, dimension, the index, searching alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.config import Settings
from app.embedding import Embedder
from app.errors import InvalidRequestError
from app.index.manifest import IndexSettings, IndexState, read_state
from app.main import open_components
from app.store.backgrounds import background_texts
from app.store.connection import Database, connect
from app.store.spaces import chunk_table, ensure_space, window_table
from eval.ablation import POOLINGS, Ablation, Pooling, RememberingEmbedder, VariedEmbedder, build_index
from eval.system import EvaluatedSystem
from tests.fakes import FakeEmbedder

pytestmark = pytest.mark.integration

CORPUS = Path(__file__).parents[2] / "corpus" / "en"
QUESTION = "What does overlap between chunks cost?"


async def ingest(database: Database, embedder: Embedder, ablation: Ablation, collection: str) -> list[int]:
    """Ingest the handbook and ask one question. Returns the chunks found."""
    settings = Settings(_env_file=None, exact_max_rows=0 if ablation.space else 10_000)  # type: ignore[call-arg]
    async with open_components(settings, database, embedder) as parts:
        system = EvaluatedSystem(parts, database, embedder, ablation)
        ingested = await system.ingest(CORPUS, collection, lambda _done, _total: None)
        assert ingested.documents
        result = await system.ask(QUESTION, collection, 5)
    assert (result.answer is None) is not ablation.answers
    return [int(hit.chunk_id) for hit in result.hits]


def vectors(database: Database, embedder: Embedder, collection: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each chunk's vector and those of its windows (n, dimension)."""
    with connect(database.owner) as owner:
        space_id = ensure_space(owner, embedder.space)
        chunks = owner.execute(
            "SELECT k.document_id, k.window_start, k.window_end, v.embedding FROM pgask.chunks k JOIN "
            + chunk_table(space_id).as_string()
            + " v ON v.chunk_id = k.id JOIN pgask.collections c ON c.id = k.collection_id WHERE c.name = %s",
            [collection],
        ).fetchall()
        found = []
        for document_id, first, after, vector in chunks:
            rows = owner.execute(
                "SELECT embedding FROM "
                + window_table(space_id).as_string()
                + " WHERE document_id = %s AND window_index >= %s AND window_index < %s ORDER BY window_index",
                [document_id, first, after],
            ).fetchall()
            found.append((np.asarray(vector.to_numpy()), np.stack([row[0].to_numpy() for row in rows])))
    return found


def unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector))


@pytest.mark.parametrize("pooling", POOLINGS)
async def test_pooling(database: Database, pooling: Pooling) -> None:
    embedder = FakeEmbedder()
    await ingest(database, embedder, Ablation(pooling=pooling, answers=False), "pooled")
    expected: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "mean": lambda windows: unit(windows.mean(axis=0)),
        "first": lambda windows: windows[0],
        "max": lambda windows: unit(windows.max(axis=0)),
    }
    found = vectors(database, embedder, "pooled")
    assert any(len(windows) > 1 for _, windows in found)
    close = [
        {name: float(vector @ pool(windows)) > 0.999 for name, pool in expected.items()}
        for vector, windows in found
        if len(windows) > 1
    ]
    if pooling == "weighted":
        assert not all(one["mean"] for one in close)
        assert not any(one["first"] for one in close)
    else:
        assert all(one[pooling] for one in close)


async def test_dimension(database: Database) -> None:
    embedder = VariedEmbedder(FakeEmbedder(), dimension=16, name=None)
    assert await ingest(database, embedder, Ablation(dimension=16), "short")
    for vector, windows in vectors(database, embedder, "short"):
        assert vector.shape == (16,)
        assert np.linalg.norm(windows.astype(np.float32), axis=1) == pytest.approx(1, abs=1e-3)
    with pytest.raises(InvalidRequestError, match="64 numbers"):
        VariedEmbedder(FakeEmbedder(), dimension=65, name=None)


async def test_lists_and_probes(database: Database) -> None:
    embedder = VariedEmbedder(FakeEmbedder(), dimension=None, name="sweep")

    async def build(lists: int, probes: int) -> tuple[list[int], IndexState]:
        found = await ingest(database, embedder, Ablation(lists=lists, probes=probes, space="sweep"), "lists")
        with connect(database.owner) as owner:
            state = read_state(owner, ensure_space(owner, embedder.space))
        assert state.index is not None
        assert (state.index.lists, state.index.effort) == (lists, probes)
        return found, state

    all_probes, first = await build(4, 4)
    assert first.latest is not None
    assert first.latest.recall == 1.0
    _, fewer = await build(4, 1)
    assert fewer.latest is not None
    assert fewer.latest.recall < 1.0
    assert fewer.last_build == first.last_build  # one index for all probes
    assert (await build(2, 2))[0] == all_probes


async def test_an_index_is_built_anew_for_other_rows(database: Database) -> None:
    with connect(database.owner) as owner, connect(database.app) as app:
        embedder = VariedEmbedder(FakeEmbedder(), dimension=None, name="sweep")
        variant = Ablation(lists=2, probes=1, space="sweep")
        await ingest(database, embedder, variant, "lists")
        space_id = ensure_space(owner, embedder.space)
        before = read_state(owner, space_id)
        app.execute("DELETE FROM pgask.documents WHERE id = (SELECT id FROM pgask.documents LIMIT 1)")
        report = build_index(owner, space_id, IndexSettings(), variant)
        after = read_state(owner, space_id)
    assert after.last_build == before.last_build + 1
    assert before.latest is not None
    assert report.rows < before.latest.rows


async def test_windows_are_encoded_once(database: Database) -> None:
    counting = CountingEmbedder()
    embedder = RememberingEmbedder(counting)
    await ingest(database, embedder, Ablation(answers=False), "first")
    once = counting.windows
    assert once > 0
    await ingest(
        database, VariedEmbedder(embedder, dimension=32, name=None), Ablation(answers=False), "second"
    )
    # the question is encoded each time, and so are the passages that another space's cosines are measured against
    assert counting.windows == once + 1 + sum(map(len, background_texts().values()))


class CountingEmbedder(FakeEmbedder):
    """Counts the windows that it encodes."""

    windows = 0

    def embed_windows(self, windows: object) -> np.ndarray:
        vectors = super().embed_windows(windows)  # type: ignore[arg-type]
        self.windows += len(vectors)
        return vectors
