"""The model in use, which may be exchanged while requests go on: each keeps to the model that made its vectors."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from app.embedding import Embedder, EmbeddingSpace, FloatMatrix, IntVector, Tokens

KEPT_S: Final = 60.0  # the former model is kept for requests that have begun with it


class SwitchableEmbedder:
    """The embedder in use. Satisfies Embedder; what must not change within one call takes `current` once."""

    def __init__(self, embedder: Embedder) -> None:
        self._current = embedder
        self._former: Embedder | None = None
        self._switched_at = 0.0
        self._lock = threading.Lock()

    @property
    def current(self) -> Embedder:
        """The model of now."""
        return self._current

    def switch(self, embedder: Embedder) -> None:
        """Use this one from now on."""
        with self._lock:
            self._former, self._current = self._current, embedder
            self._switched_at = time.monotonic()

    def forget_former(self) -> None:
        """Let go of the model before, once no request needs it any more."""
        with self._lock:
            if time.monotonic() - self._switched_at >= KEPT_S:
                self._former = None

    def of(self, space: EmbeddingSpace) -> Embedder:
        """The model of a space, as far as it is still kept; else that of now."""
        with self._lock:
            former = self._former
            return former if former is not None and former.space == space else self._current

    @property
    def space(self) -> EmbeddingSpace:
        return self._current.space

    @property
    def window_tokens(self) -> int:
        return self._current.window_tokens

    def tokenize(self, text: str) -> Tokens:
        return self._current.tokenize(text)

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        return self._current.embed_windows(windows)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        return self._current.embed_passages(texts)

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return self._current.embed_queries(texts)


def embedder_now(embedder: Embedder) -> Embedder:
    """The model of now, which makes all vectors of one call."""
    return embedder.current if isinstance(embedder, SwitchableEmbedder) else embedder


def embedder_of(embedder: Embedder, space: EmbeddingSpace | None) -> Embedder:
    """The model whose vectors can be compared with those of a space."""
    return embedder.of(space) if space is not None and isinstance(embedder, SwitchableEmbedder) else embedder
