"""ingest.windows: what is encoded again and what keeps its vector; the check that nothing is left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from app.embedding import FloatMatrix, IntVector
from app.store.documents import WINDOW_HASH_BYTES
from ingest.chunking import Window
from ingest.windows import check_coverage, encode_windows, window_hash
from tests.fakes import FakeEmbedder


class Counting(FakeEmbedder):
    """Remembers the windows that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[list[int]] = []

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        self.given += [window.tolist() for window in windows]
        return super().embed_windows(windows)


def ids(*tokens: int) -> IntVector:
    return np.array(tokens, dtype=np.int32)


def spans(*pairs: tuple[int, int]) -> list[Window]:
    return [Window(start, end, start, end) for start, end in pairs]


def test_the_same_tokens_are_encoded_once_and_stored_vectors_are_kept() -> None:
    embedder = Counting()
    stored = np.linspace(-1, 1, embedder.space.dimension).astype(np.float16).astype(np.float32)
    documents = [[ids(201, 202), ids(203)], [ids(203), ids(204, 205, 206), ids(203)]]
    first, second = encode_windows(embedder, documents, [{}, {window_hash(ids(204, 205, 206)): stored}])
    assert embedder.given == [[201, 202], [203]]
    assert (first.embedded_tokens, first.reused_tokens) == (3, 0)
    assert (second.embedded_tokens, second.reused_tokens) == (0, 5)
    assert np.array_equal(second.vectors[1], stored)
    assert np.array_equal(second.vectors[0], first.vectors[1])
    assert len(second.hashes) == 3 * WINDOW_HASH_BYTES
    assert (
        second.hashes[:WINDOW_HASH_BYTES] == second.hashes[2 * WINDOW_HASH_BYTES :] == window_hash(ids(203))
    )


def test_vectors_have_half_precision_so_that_stored_ones_are_equal() -> None:
    (encoded,) = encode_windows(FakeEmbedder(), [[ids(201, 202, 203)]], [{}])
    assert encoded.vectors.dtype == np.float32
    assert np.array_equal(encoded.vectors.astype(np.float16).astype(np.float32), encoded.vectors)
    assert np.linalg.norm(encoded.vectors[0]) == pytest.approx(1, abs=1e-3)


def test_no_documents_need_no_encoder() -> None:
    embedder = Counting()
    assert encode_windows(embedder, [], []) == []
    assert embedder.given == []


def test_hashes_tell_tokens_apart_in_order_and_number() -> None:
    different = [ids(1, 2), ids(2, 1), ids(1), ids(1, 2, 0), ids(258), ids()]
    assert len({window_hash(tokens) for tokens in different}) == len(different)


@pytest.mark.parametrize(
    ("windows", "count"),
    [
        ([(0, 4), (5, 9)], 9),  # one left out
        ([(0, 4), (3, 9)], 9),  # one held twice
        ([(0, 4), (4, 8)], 9),  # the last left out
        ([(1, 9)], 9),
        ([(4, 9), (0, 4)], 9),
        ([(0, 4), (4, 4), (4, 9)], 9),
        ([], 1),
    ],
)
def test_a_token_left_out_or_held_twice_is_noticed(windows: list[tuple[int, int]], count: int) -> None:
    with pytest.raises(RuntimeError, match="tokens"):
        check_coverage(spans(*windows), count)


def test_windows_that_hold_every_token_once_pass() -> None:
    check_coverage(spans((0, 4), (4, 9)), 9)
    check_coverage([], 0)
