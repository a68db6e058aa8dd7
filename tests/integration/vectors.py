"""Rows of generated vectors without a text, for the tests of the vector index."""

from __future__ import annotations

from typing import Final

import numpy as np
from pgvector import HalfVector

from app.embedding import FloatMatrix
from app.store.connection import Connection
from app.store.schema_names import VECTOR_SCHEMA
from app.store.spaces import Collection
from app.store.staging import staged_copy
from tests.integration.ingesting import FAKE

DIMENSION: Final = FAKE.space.dimension


def clustered(rng: np.random.Generator, count: int, clusters: int = 40) -> FloatMatrix:
    """Unit vectors around common centres, as those of texts are."""
    centres = np.random.default_rng(1).standard_normal((clusters, DIMENSION))
    vectors = centres[rng.integers(clusters, size=count)] + 0.7 * rng.standard_normal((count, DIMENSION))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def add_rows(connection: Connection, collection: Collection, vectors: FloatMatrix, source: str) -> None:
    """One document with a chunk for each vector, its only window near it."""
    row = connection.execute(
        "INSERT INTO pgask.documents (collection_id, source, status, chunk_count)"
        " VALUES (%s, %s, 'ready', %s) RETURNING id",
        [collection.id, source, len(vectors)],
    ).fetchone()
    assert row is not None
    ids = [
        found[0]
        for found in connection.execute(
            "INSERT INTO pgask.chunks (document_id, collection_id, chunk_index, char_start, char_end, token_count,"
            " term_count, places, sentences, window_start, window_end)"
            " SELECT %s, %s, i, 0, 4, 1, 1, '[]', '{}', i, i + 1 FROM generate_series(0, %s) i RETURNING id",
            [row[0], collection.id, len(vectors) - 1],
        )
    ]
    rng = np.random.default_rng(len(vectors))
    columns = "chunk_id, collection_id, document_id, embedding"
    with staged_copy(connection, VECTOR_SCHEMA, f"chunk_vectors_{collection.space_id}", columns) as copy:
        copy.set_types(["int8", "int4", "uuid", "vector"])
        for chunk_id, vector in zip(ids, vectors, strict=True):
            copy.write_row((chunk_id, collection.id, row[0], vector))
    columns = "collection_id, document_id, window_index, char_start, char_end, embedding"
    with staged_copy(connection, VECTOR_SCHEMA, f"window_vectors_{collection.space_id}", columns) as copy:
        copy.set_types(["int4", "uuid", "int4", "int4", "int4", "halfvec"])
        for index, vector in enumerate(vectors):
            near = vector + 0.05 * rng.standard_normal(DIMENSION).astype(np.float32)
            copy.write_row((collection.id, row[0], index, 0, 4, HalfVector(near)))
