"""Question → vector, together with the questions that come while others are being read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.embedding import Embedder, EmbeddingSpace, FloatMatrix
from app.embedding_switch import embedder_now
from app.threads import thread_of

MOST_TOGETHER: Final = 32  # more take no less time each


@dataclass(frozen=True, slots=True)
class ReadQuestion:
    """A question's unit vector (dimension,), and which share of its tokens the model can't read, in [0, 1]."""

    vector: FloatMatrix
    unknown_share: float
    space: EmbeddingSpace


@dataclass(slots=True)
class _Batch:
    questions: list[str] = field(default_factory=list)
    reading: asyncio.Task[list[ReadQuestion]] | None = None


class QuestionReader:
    """Reads one batch of questions at a time: those that wait for it make the next. One that comes alone does not wait.

    The model has one thread, and a short question takes half the time beside others.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._open: _Batch | None = None  # not yet begun
        self._last: asyncio.Task[list[ReadQuestion]] | None = None

    async def read(self, question: str) -> ReadQuestion:
        """Raises what the embedder raises, for each question of a batch."""
        batch = self._open
        if batch is None or len(batch.questions) == MOST_TOGETHER:
            batch = self._open = _Batch()
            batch.reading = self._last = asyncio.create_task(self._read(batch, self._last))
        place = len(batch.questions)
        batch.questions.append(question)
        assert batch.reading is not None
        return (await asyncio.shield(batch.reading))[place]  # a client that leaves stops no one else's

    async def _read(
        self, batch: _Batch, before: asyncio.Task[list[ReadQuestion]] | None
    ) -> list[ReadQuestion]:
        if before is not None and not before.done():
            await asyncio.wait([before])
        if self._open is batch:
            self._open = None
        return await thread_of(self._embedder).run(self._embed, batch.questions)

    def _embed(self, questions: Sequence[str]) -> list[ReadQuestion]:
        embedder = embedder_now(self._embedder)
        vectors = embedder.embed_queries(questions)
        return [
            ReadQuestion(vector, embedder.tokenize(question).unknown_share, embedder.space)
            for question, vector in zip(questions, vectors, strict=True)
        ]
