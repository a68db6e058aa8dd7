"""Packed rows are byte for byte what psycopg's own dumpers write."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pgvector import HalfVector, Vector
from psycopg._copy_base import BinaryFormatter
from psycopg.adapt import Transformer
from psycopg.pq import Format
from psycopg.types.string import StrBinaryDumper

from app.store.binary_copy import HEADER, TRAILER, in_blocks, pack_postings, pack_vectors

TERMS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
POSTINGS = st.lists(st.tuples(TERMS, st.integers(1, 32_767), st.binary(max_size=9)), max_size=20)


def rows_by_psycopg(rows: Sequence[Sequence[object]], types: list[str]) -> bytes:
    """Header, rows and trailer as `Copy.write_row` writes them."""
    transformer = Transformer()
    transformer.adapters.register_dumper(str, StrBinaryDumper)
    oids = {"int8": 20, "int4": 23, "int2": 21, "text": 25, "bytea": 17, "uuid": 2950}
    transformer.set_dumper_types([oids[name] for name in types], Format.BINARY)
    formatter = BinaryFormatter(transformer)
    written = b"".join(bytes(formatter.write_row(row)) for row in rows)
    return written + bytes(formatter.end())


@given(st.integers(1, 2**62), st.integers(1, 2**31 - 1), st.integers(0, 2**31 - 1), POSTINGS)
def test_postings_are_as_psycopg_writes_them(
    chunk_id: int, collection_id: int, chunk_terms: int, postings: list[tuple[str, int, bytes]]
) -> None:
    packed = b"".join(in_blocks([pack_postings(chunk_id, collection_id, chunk_terms, postings, "utf-8")]))
    rows = [
        (chunk_id, collection_id, chunk_terms, frequency, term, by_window)
        for term, frequency, by_window in postings
    ]
    assert packed == rows_by_psycopg(rows, ["int8", "int4", "int4", "int2", "text", "bytea"])


def test_a_lone_surrogate_is_an_error_as_before() -> None:
    with pytest.raises(UnicodeEncodeError):
        pack_postings(1, 1, 1, [("\ud800", 1, b"")], "utf-8")


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("count", [0, 1, 3, 2_000])
def test_vectors_are_as_pgvector_writes_them(half: bool, count: int) -> None:
    vectors = np.random.default_rng(1).standard_normal((count, 8)).astype(np.float32)
    document = UUID("12345678-1234-5678-1234-567812345678")
    numbers = np.arange(count) + 5
    packed = b"".join(pack_vectors([("V16", document.bytes), (">i4", numbers)], vectors, half=half))
    expected = b""
    for number, vector in zip(numbers, vectors, strict=True):
        value = HalfVector(vector).to_binary() if half else Vector(vector).to_binary()
        columns = [document.bytes, int(number).to_bytes(4, "big"), value]
        expected += (3).to_bytes(2, "big")
        expected += b"".join(len(column).to_bytes(4, "big") + column for column in columns)
    assert packed == expected


def test_blocks_are_whole_and_bounded() -> None:
    pieces = [bytes([number % 256]) * 1_000 for number in range(2_000)]
    blocks = list(in_blocks(pieces))
    assert b"".join(blocks) == HEADER + b"".join(pieces) + TRAILER
    assert len(blocks) > 1
    assert max(map(len, blocks)) < 300_000
    assert list(in_blocks([])) == [HEADER + TRAILER]
