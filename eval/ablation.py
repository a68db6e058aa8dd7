"""What a sweep varies although no setting of the product does: how windows are pooled, how many numbers of a vector are
kept, how many lists an index has and how many are probed, and whether answers are composed.

For evaluation only. Nothing of the product is done again here: vectors come from its encoder and its tables, and what
ingest has stored is altered afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, get_args

import numpy as np
from psycopg import sql

from app.embedding import Embedder, EmbeddingSpace, FloatMatrix, IntVector, Tokens
from app.errors import InvalidRequestError
from app.index import build as index_build
from app.index import maintenance
from app.index.manifest import (
    IndexSettings,
    IndexState,
    count_changes,
    count_rows,
    effective_precision,
    read_state,
    write_state,
)
from app.index.recall import describe, measure_at, sample_truth
from app.store.connection import Connection
from app.store.spaces import Collection, chunk_table, window_table

Pooling = Literal["weighted", "mean", "first", "max"]
POOLINGS: Final[tuple[Pooling, ...]] = get_args(Pooling)

_REMEMBERED: Final = 200_000  # window vectors at most: 300 MB at 384 numbers

# First pooled, then scaled to unit length.
_POOL: Final[Mapping[str, Callable[[FloatMatrix], FloatMatrix]]] = {
    "mean": lambda windows: np.asarray(windows.mean(axis=0)),
    "first": lambda windows: np.asarray(windows[0]),
    "max": lambda windows: np.asarray(windows.max(axis=0)),
}


@dataclass(frozen=True, slots=True)
class Ablation:
    """A variant of the product; by default the product itself. `dimension` keeps the first numbers of each vector,
    which only a model trained for it (Matryoshka) bears well. `lists` and `probes` are of ivfflat; `space` names an
    embedding space of its own, whose index, however few rows there are, is built anew and always searched."""

    pooling: Pooling = "weighted"
    dimension: int | None = None
    lists: int | None = None
    probes: int | None = None
    space: str | None = None
    answers: bool = True

    @classmethod
    def take(cls, overrides: dict[str, Any]) -> Ablation:
        """The variant among `overrides`, which keeps the settings of the product."""
        return cls(
            **{field.name: overrides.pop(field.name) for field in fields(cls) if field.name in overrides}
        )


class RememberingEmbedder:
    """Encodes each window once, however many systems ask for it. Satisfies app.embedding.Embedder."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: dict[bytes, FloatMatrix] = {}

    @property
    def space(self) -> EmbeddingSpace:
        return self._embedder.space

    @property
    def window_tokens(self) -> int:
        return self._embedder.window_tokens

    def tokenize(self, text: str) -> Tokens:
        return self._embedder.tokenize(text)

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        keys = [window.tobytes() for window in windows]
        missing = {key: window for key, window in zip(keys, windows, strict=True) if key not in self._vectors}
        if len(self._vectors) + len(missing) > _REMEMBERED:
            return self._embedder.embed_windows(windows)
        if missing:
            vectors = self._embedder.embed_windows(list(missing.values()))
            self._vectors.update(zip(missing, vectors, strict=True))
        return np.array([self._vectors[key] for key in keys], dtype=np.float32).reshape(
            len(keys), self.space.dimension
        )

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embedder.embed_passages(texts)

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embedder.embed_queries(texts)


class VariedEmbedder:
    """Another embedder's vectors, cut to their first numbers and scaled to unit length, in a space of another name.
    Satisfies app.embedding.Embedder."""

    def __init__(self, embedder: Embedder, *, dimension: int | None, name: str | None) -> None:
        """`name` is added to the model's, so that the vectors get tables of their own. Raises InvalidRequestError for
        a dimension that the model has not."""
        full = embedder.space.dimension
        self._embedder, self._dimension = embedder, full if dimension is None else dimension
        if not 1 <= self._dimension <= full:
            raise InvalidRequestError(f"The model's vectors have {full} numbers, not {dimension}.")
        cut = "" if self._dimension == full else f", first {self._dimension} numbers"
        model = f"{embedder.space.model}{cut}" + (f" ({name})" if name else "")
        self._space = replace(embedder.space, model=model, dimension=self._dimension)

    @property
    def space(self) -> EmbeddingSpace:
        return self._space

    @property
    def window_tokens(self) -> int:
        return self._embedder.window_tokens

    def tokenize(self, text: str) -> Tokens:
        return self._embedder.tokenize(text)

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        return self._cut(self._embedder.embed_windows(windows))

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        return self._cut(self._embedder.embed_passages(texts))

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return self._cut(self._embedder.embed_queries(texts))

    def _cut(self, vectors: FloatMatrix) -> FloatMatrix:
        return vectors if self._dimension == vectors.shape[1] else _unit(vectors[:, : self._dimension])


def repool(connection: Connection, collection: Collection, pooling: Pooling) -> None:
    """Make the chunks' vectors of a collection anew from its stored windows (half precision). "weighted" is the
    product's own pooling and leaves them as they are."""
    if pooling == "weighted":
        return
    tables = {
        "chunks": chunk_table(collection.space_id),
        "windows": window_table(collection.space_id),
    }
    with connection.transaction():
        rows = connection.execute(
            sql.SQL(
                "SELECT k.id, array_agg(w.embedding::vector ORDER BY w.window_index) FROM pgask.chunks k"
                " JOIN {windows} w ON w.document_id = k.document_id AND w.window_index >= k.window_start"
                "  AND w.window_index < k.window_end WHERE k.collection_id = %s GROUP BY k.id"
            ).format(**tables),
            [collection.id],
        ).fetchall()
        for chunk_id, windows in rows:
            vector = _unit(_POOL[pooling](np.stack([window.to_numpy() for window in windows]))[None])[0]
            connection.execute(
                sql.SQL("UPDATE {chunks} SET embedding = %s WHERE chunk_id = %s").format(**tables),
                [vector, chunk_id],
            )


def build_index(
    owner: Connection, space_id: int, settings: IndexSettings, ablation: Ablation
) -> maintenance.IndexReport:
    """Build a space's index with the variant's lists, search it with the variant's probes, and measure it. Without
    probes they are as many as reach the target recall, as in the product. An index of the same kind that was built
    over the same rows is kept, so that points that differ in probes alone share it."""
    settings = replace(settings, lists=ablation.lists)
    state = read_state(owner, space_id)
    if not _is_built(owner, state, settings):
        maintenance.rebuild(owner, space_id, settings)
        state = read_state(owner, space_id)
    elif ablation.probes is None:
        maintenance.tune(owner, space_id, target_recall=settings.target_recall)
    if ablation.probes is not None and state.index is not None:
        index, truth = replace(state.index, effort=ablation.probes), sample_truth(owner, state)
        point = measure_at(owner, state, index, truth, ablation.probes)
        latest = describe(owner, state, index, truth=truth, point=point, target_recall=settings.target_recall)
        write_state(owner, replace(state, index=index, latest=latest))
    return maintenance.report(owner, space_id)


def _is_built(owner: Connection, state: IndexState, settings: IndexSettings) -> bool:
    index, latest = state.index, state.latest
    if index is None or latest is None or count_changes(owner, state.space_id, latest):
        return False
    wanted = settings.method, effective_precision(settings.precision, state.dimension)
    rows = count_rows(owner, state.space_id)
    lists = index_build.choose_lists(owner, rows, state.dimension, settings) if index.lists else None
    return (index.method, index.precision, index.lists) == (*wanted, lists)


def _unit(vectors: FloatMatrix) -> FloatMatrix:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)
