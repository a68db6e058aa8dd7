"""Questions that come together are read together, and one that comes alone at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from app.embedding import FloatMatrix
from app.retrieval.reading import MOST_TOGETHER, QuestionReader
from tests.fakes import FakeEmbedder


class GatedEmbedder(FakeEmbedder):
    """Reads when it is let; remembers what it was given together."""

    def __init__(self) -> None:
        super().__init__(reads_han=False)
        self.batches: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        self.batches.append(list(texts))
        self.begun.release()
        assert self.gate.acquire(timeout=10)
        if "fail" in texts:
            raise ValueError("no such model")
        return super().embed_queries(texts)


async def test_one_alone_is_read_at_once_and_those_that_wait_together() -> None:
    embedder = GatedEmbedder()
    reader = QuestionReader(embedder)
    first = asyncio.create_task(reader.read("first"))
    assert await asyncio.to_thread(embedder.begun.acquire, timeout=10)
    waiting = [asyncio.create_task(reader.read(question)) for question in ("second", "甲", "fourth 乙")]
    await asyncio.sleep(0)
    assert embedder.batches == [["first"]]
    embedder.gate.release(2)
    read = await asyncio.gather(first, *waiting)
    assert embedder.batches == [["first"], ["second", "甲", "fourth 乙"]]
    assert [one.unknown_share for one in read] == [0.0, 0.0, 1.0, 0.5]
    expected = FakeEmbedder(reads_han=False).embed_queries(["first", "second", "甲", "fourth 乙"])
    assert np.array_equal(np.array([one.vector for one in read]), expected)


async def test_a_batch_has_an_end_and_none_is_forgotten() -> None:
    embedder = GatedEmbedder()
    embedder.gate.release(10)
    reader = QuestionReader(embedder)
    questions = [f"question {number}" for number in range(2 * MOST_TOGETHER + 1)]
    read = await asyncio.gather(*map(reader.read, questions))
    assert [len(batch) for batch in embedder.batches] == [MOST_TOGETHER, MOST_TOGETHER, 1]
    assert [question for batch in embedder.batches for question in batch] == questions
    assert len(read) == len(questions)


async def test_who_leaves_stops_no_one_else_and_a_failure_is_of_its_batch_alone() -> None:
    embedder = GatedEmbedder()
    reader = QuestionReader(embedder)
    leaving = asyncio.create_task(reader.read("first"))
    staying = asyncio.create_task(reader.read("beside"))
    assert await asyncio.to_thread(embedder.begun.acquire, timeout=10)
    failing = [asyncio.create_task(reader.read(question)) for question in ("fail", "too")]
    await asyncio.sleep(0)
    leaving.cancel()
    embedder.gate.release(2)
    assert (await staying).unknown_share == 0.0
    for task in failing:
        with pytest.raises(ValueError, match="no such model"):
            await task
    embedder.gate.release()
    assert (await reader.read("after")).vector.shape == (64,)
    assert leaving.cancelled()
