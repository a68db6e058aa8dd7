"""What a collection's cosines are measured against: vectors of texts about everyday things, and a sample of its own
windows, by the language of the text. Rows alone; what is made of them: app/search/standard.py, app/index/background.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from psycopg import sql

from app.embedding import Embedder, FloatMatrix
from app.store.connection import Connection
from app.store.spaces import all_windows

LANGUAGES: Final = ("en", "zh", "und")  # as documents name theirs

LOAD_TEXTS: Final = "SELECT digest, embedding FROM pgask.background_texts WHERE space_id = %s"
KEEP_TEXTS: Final = """
INSERT INTO pgask.background_texts (space_id, digest, embedding)
SELECT %(space)s, %(digest)s, %(embedding)s
 WHERE EXISTS (SELECT FROM pgask.embedding_spaces WHERE id = %(space)s)
ON CONFLICT (space_id, digest) DO NOTHING"""
_SAMPLE: Final = """
SELECT b.collection_id, coalesce(k.language, d.language), w.embedding::real[]
  FROM pgask.background_windows b JOIN pgask.documents d ON d.id = b.document_id
  JOIN {windows} w ON (w.document_id, w.window_index) = (b.document_id, b.window_index)
  LEFT JOIN pgask.chunks k ON k.document_id = b.document_id
        AND b.window_index >= k.window_start + k.windows_shared AND b.window_index < k.window_end
 WHERE b.collection_id = ANY(%s) ORDER BY b.collection_id, b.document_id, b.window_index"""


@cache
def background_texts() -> Mapping[str, tuple[str, ...]]:
    """Short passages about everyday things, written for this, by language: the same in each, one thing a passage."""
    return {
        language: tuple((files("app") / "background" / f"{language}.txt").read_text("utf-8").splitlines())
        for language in ("en", "zh")
    }


def sample_statement(space_id: int) -> sql.Composed:
    """Collection, language and vector of each window of the samples of these collections, by their numbers."""
    return sql.SQL(_SAMPLE).format(windows=all_windows(space_id))


def arrange_texts(rows: Iterable[Sequence[Any]], dimension: int) -> Mapping[str, FloatMatrix] | None:
    """The vectors of the texts, float32 (texts, dimension), by language; None where one is missing."""
    known = {bytes(digest): embedding for digest, embedding in rows}
    found = {}
    for language, texts in background_texts().items():
        vectors = [known.get(_digest(text)) for text in texts]
        if any(vector is None or len(vector) != dimension for vector in vectors):
            return None
        found[language] = np.array(vectors, dtype=np.float32).reshape(-1, dimension)
    return found


def arrange_samples(
    rows: Iterable[Sequence[Any]], collection_ids: Iterable[int], dimension: int
) -> dict[int, Mapping[str, FloatMatrix]]:
    """The vectors of each collection's sample, float32 (windows, dimension), by language; one that has none is left
    out."""
    found: dict[int, dict[str, list[Sequence[float]]]] = {number: {} for number in collection_ids}
    for number, language, embedding in rows:
        found[number].setdefault(language if language in LANGUAGES else "und", []).append(embedding)
    return {
        number: {
            language: np.array(vectors, dtype=np.float32).reshape(-1, dimension)
            for language, vectors in by_language.items()
        }
        for number, by_language in found.items()
    }


def embed_texts(embedder: Embedder, space_id: int) -> list[dict[str, Any]]:
    """The parameters of KEEP_TEXTS for each text."""
    texts = [text for texts in background_texts().values() for text in texts]
    vectors = embedder.embed_passages(texts)
    return [
        {"space": space_id, "digest": _digest(text), "embedding": [float(number) for number in vector]}
        for text, vector in zip(texts, vectors, strict=True)
    ]


def ensure_texts(connection: Connection, space_id: int, embedder: Embedder) -> None:
    """Embed the texts where the space lacks them: once, a second or less."""
    rows = connection.execute(LOAD_TEXTS, [space_id]).fetchall()
    if arrange_texts(rows, embedder.space.dimension) is None:
        with connection.cursor() as cursor:
            cursor.executemany(KEEP_TEXTS, embed_texts(embedder, space_id))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
