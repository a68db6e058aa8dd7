"""Windows → vectors: each token sequence is encoded once, and what a stored version had already keeps its vector.

Vectors are rounded to half precision, as they are stored, before anything is made of them: a document comes out the
same whether its vectors were kept or made. Knows nothing of files or SQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.embedding import Embedder, FloatMatrix, FloatVector, IntVector
from app.store.documents import WINDOW_HASH_BYTES
from ingest.chunking import Window

PART_TOKENS: Final = 32_768  # handed over at once: 3 s on two cores, which an interrupt has to wait


class StoppedError(Exception):
    """Nobody waits for the vectors any more."""


@dataclass(frozen=True, slots=True)
class EncodedWindows:
    """The windows of a document in order: `vectors` float32 (n, dimension) of half precision, their `hashes` joined,
    and how many tokens the encoder read for them or did not have to."""

    vectors: FloatMatrix
    hashes: bytes
    embedded_tokens: int
    reused_tokens: int


def window_hash(ids: IntVector) -> bytes:
    """What a window's vector depends on, given the model: its tokens."""
    return hashlib.blake2b(ids.astype("<i4").tobytes(), digest_size=WINDOW_HASH_BYTES).digest()


def check_coverage(windows: Sequence[Window], token_count: int) -> None:
    """Raise RuntimeError unless the windows hold each of a document's tokens exactly once, in order."""
    at = 0
    for window in windows:
        if window.token_start != at or window.token_end <= at:
            raise RuntimeError(f"the windows leave out or repeat tokens at {at:,}")
        at = window.token_end
    if at != token_count:
        raise RuntimeError(f"the windows hold {at:,} of {token_count:,} tokens")


def encode_windows(
    embedder: Embedder,
    documents: Sequence[Sequence[IntVector]],
    stored: Sequence[Mapping[bytes, FloatVector]],
    *,
    part_tokens: int = PART_TOKENS,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[EncodedWindows]:
    """Encode the windows (token ids) of some documents together. `stored` has, for each document, the vectors of its
    older version by window_hash. They are handed over in parts of `part_tokens`; raises StoppedError at the next one
    once `is_stopped` says so."""
    vectors: dict[bytes, FloatVector] = {}
    for older in stored:
        vectors.update(older)
    hashes = [[window_hash(ids) for ids in windows] for windows in documents]
    missing: dict[bytes, IntVector] = {}
    embedded_tokens = []
    for windows, keys in zip(documents, hashes, strict=True):
        count = 0
        for ids, key in zip(windows, keys, strict=True):
            if key not in vectors and key not in missing:
                missing[key] = ids
                count += len(ids)
        embedded_tokens.append(count)
    if missing:
        parts = _parts(list(missing.values()), part_tokens)
        made = np.concatenate([_embed(embedder, part, is_stopped) for part in parts])
        vectors.update(zip(missing, made, strict=True))
    return [
        EncodedWindows(
            vectors=np.stack([vectors[key] for key in keys]),
            hashes=b"".join(keys),
            embedded_tokens=count,
            reused_tokens=sum(map(len, windows)) - count,
        )
        for windows, keys, count in zip(documents, hashes, embedded_tokens, strict=True)
    ]


def _parts(windows: Sequence[IntVector], tokens: int) -> Iterator[Sequence[IntVector]]:
    """Cut windows into parts of about `tokens` tokens."""
    start = size = 0
    for at, window in enumerate(windows):
        size += len(window)
        if size >= tokens:
            yield windows[start : at + 1]
            start, size = at + 1, 0
    if start < len(windows):
        yield windows[start:]


def _embed(embedder: Embedder, windows: Sequence[IntVector], is_stopped: Callable[[], bool]) -> FloatMatrix:
    if is_stopped():
        raise StoppedError
    return embedder.embed_windows(windows).astype(np.float16).astype(np.float32)
