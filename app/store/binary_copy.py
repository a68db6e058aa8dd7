"""Rows packed for COPY … (FORMAT BINARY): whole blocks of bytes, several times as fast as rows one by one.

The format is PostgreSQL's ("COPY", Binary Format): a header; for each row the number of columns (int16), and for each
column its length (int32) and its bytes in network order; int16 −1 at the end. pgvector's vectors are the dimension and
zero (int16 each), then the numbers (float32, or float16 for halfvec).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
_BLOCK_BYTES: Final = 1 << 18

_POSTING_HEAD: Final = struct.Struct("!hiqiiii")  # columns, then chunk_id, collection_id, chunk_terms
_POSTING_FREQUENCY: Final = struct.Struct("!ihi")
_LENGTH: Final = struct.Struct("!i")

POSTING_COLUMNS: Final = "chunk_id, collection_id, chunk_terms, term_frequency, term, window_frequencies"


def pack_postings(
    chunk_id: int,
    collection_id: int,
    chunk_terms: int,
    postings: Iterable[tuple[str, int, bytes]],
    encoding: str,
) -> bytes:
    """The rows (POSTING_COLUMNS) of a chunk: `postings` are (term, frequency, frequencies by window).

    Raises UnicodeEncodeError for a term that `encoding` lacks (a lone surrogate).
    """
    head = _POSTING_HEAD.pack(6, 8, chunk_id, 4, collection_id, 4, chunk_terms)
    frequency_of, length_of = _POSTING_FREQUENCY.pack, _LENGTH.pack
    parts: list[bytes] = []
    for term, frequency, by_window in postings:
        encoded = term.encode(encoding)
        parts += (
            head,
            frequency_of(2, frequency, len(encoded)),
            encoded,
            length_of(len(by_window)),
            by_window,
        )
    return b"".join(parts)


def pack_vectors(
    keys: Sequence[tuple[str, npt.NDArray[np.generic] | bytes]],
    vectors: npt.NDArray[np.float32],
    *,
    half: bool,
) -> Iterator[bytes]:
    """Rows of fixed-size columns and a vector last, in blocks; `vectors` is (n, dimension).

    `keys` are (numpy type, values) of the columns before it: an array of n numbers, or the bytes of a constant.
    """
    dimension = vectors.shape[1]
    number = ">f2" if half else ">f4"
    layout: list[tuple[str, str] | tuple[str, str, int]] = [("columns", ">i2")]
    for at, (kind, _) in enumerate(keys):
        layout += [(f"length{at}", ">i4"), (f"key{at}", kind)]
    layout += [("length", ">i4"), ("dimension", ">i2"), ("unused", ">i2"), ("vector", number, dimension)]
    row = np.dtype(layout)
    rows = max(1, _BLOCK_BYTES // row.itemsize)
    for start in range(0, len(vectors), rows):
        part = slice(start, start + rows)
        block = np.zeros(len(vectors[part]), dtype=row)
        block["columns"] = len(keys) + 1
        for at, (kind, values) in enumerate(keys):
            block[f"length{at}"] = np.dtype(kind).itemsize
            block[f"key{at}"] = np.void(values) if isinstance(values, bytes) else values[part]
        block["length"] = 4 + np.dtype(number).itemsize * dimension
        block["dimension"] = dimension
        block["vector"] = vectors[part]
        yield block.tobytes()


def in_blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces, with header and trailer around them."""
    waiting, size = [HEADER], len(HEADER)
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _BLOCK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join([*waiting, TRAILER])
