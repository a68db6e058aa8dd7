"""Whether the job in work still moves: how a worker that hangs is known, though its heartbeat goes on.

A run tells whenever anything of it goes on; what has not moved for long is given up by ingest/worker.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.embedding import Embedder, EmbeddingSpace, FloatMatrix, IntVector, Tokens
from app.store.job_runs import Attempt
from app.store.tenancy import Scope


@dataclass(slots=True)
class Movement:
    """A job in work: whose it is, when it moved last (by the monotonic clock, in seconds), and the places of the files
    that were begun and have not ended, the oldest first."""

    attempt: Attempt
    scope: Scope
    at_s: float = field(default_factory=time.monotonic)
    files: dict[int, None] = field(default_factory=dict)

    def note(self) -> None:
        """Something goes on. From any thread."""
        self.at_s = time.monotonic()

    def suspect(self) -> int | None:
        """The place of the file that it hangs at, where that can be told: files were taken in one by one, as they are
        once the job has hung before."""
        return next(iter(list(self.files)), None) if self.attempt.is_careful else None


class NotedEmbedder:
    """An embedder whose every reply is movement: a long document is embedded in many parts."""

    def __init__(self, embedder: Embedder, movement: Movement) -> None:
        self._embedder, self._movement = embedder, movement

    @property
    def space(self) -> EmbeddingSpace:
        """The embedder's."""
        return self._embedder.space

    @property
    def window_tokens(self) -> int:
        """The embedder's."""
        return self._embedder.window_tokens

    def tokenize(self, text: str) -> Tokens:
        """As the embedder has it."""
        tokens = self._embedder.tokenize(text)
        self._movement.note()
        return tokens

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        """As the embedder has it."""
        vectors = self._embedder.embed_windows(windows)
        self._movement.note()
        return vectors

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """As the embedder has it."""
        vectors = self._embedder.embed_passages(texts)
        self._movement.note()
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """As the embedder has it."""
        vectors = self._embedder.embed_queries(texts)
        self._movement.note()
        return vectors
