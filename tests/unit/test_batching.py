"""Batches of tokens: each row once, within the limit; what running out of memory teaches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.encoders import EncoderMemoryError
from app.encoders.batching import (
    CPU_BATCH_TOKENS,
    STREAM_BATCH_TOKENS,
    BatchSize,
    batches_for_streams,
    in_batches,
    padded_width,
)

LENGTHS = [[], [5], [0, 0], [300] * 40, [1, 900, 30, 30, 5_000, 2], list(range(200))]


def batches_of(lengths: Sequence[int], tokens: int = CPU_BATCH_TOKENS) -> list[list[int]]:
    batches: list[list[int]] = []
    in_batches(lengths, BatchSize(tokens, tokens), lambda rows: batches.append(list(rows)))
    return batches


@pytest.mark.parametrize("lengths", LENGTHS)
def test_batches_hold_every_row_once_within_the_limit(lengths: list[int]) -> None:
    batches = batches_of(lengths)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or len(batch) * longest <= CPU_BATCH_TOKENS


@pytest.mark.parametrize("lengths", LENGTHS)
def test_streams_get_every_row_once_the_largest_batch_first(lengths: list[int]) -> None:
    batches = batches_for_streams(lengths)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    sizes = [len(batch) * padded_width(max(lengths[row] for row in batch)) for batch in batches]
    assert sizes == sorted(sizes, reverse=True)
    shapes = {(len(rows), padded_width(max(lengths[row] for row in rows))) for rows in batches}
    assert all(
        rows & (rows - 1) == 0 or rows == STREAM_BATCH_TOKENS // max(1, width) for rows, width in shapes
    )
    assert all(
        size <= STREAM_BATCH_TOKENS or len(rows) == 1 for size, rows in zip(sizes, batches, strict=True)
    )


def test_short_texts_are_not_padded_to_long_ones() -> None:
    assert batches_of([100] * 3 + [10] * 5) == [[0, 1, 2], [3, 4, 5, 6, 7]]
    assert batches_of([20, 5]) == [[0, 1]]  # a handful is not worth a pass of its own


class Device:
    """Takes batches up to `memory` padded tokens; notes the rows that went through, and how often it overflowed."""

    def __init__(self, lengths: Sequence[int], memory: int) -> None:
        self.lengths, self.memory = lengths, memory
        self.done: list[int] = []
        self.overflows = 0
        self.largest = 0

    def __call__(self, rows: Sequence[int]) -> None:
        padded = len(rows) * max(self.lengths[row] for row in rows)
        if padded > self.memory:
            self.overflows += 1
            raise EncoderMemoryError(str(padded))
        self.largest = max(self.largest, padded)
        self.done.extend(rows)


@given(
    st.lists(st.integers(1, 500), max_size=300),
    st.integers(500, 50_000),
    st.integers(1, 5_000),
    st.integers(0, 6),
)
def test_every_row_goes_through_once_whatever_the_memory(
    lengths: list[int], memory: int, first: int, doublings: int
) -> None:
    device = Device(lengths, memory)
    in_batches(lengths, BatchSize(first, first * 2**doublings), device)
    assert sorted(device.done) == list(range(len(lengths)))


def test_batches_grow_until_memory_ends_and_stay_below_it() -> None:
    lengths = [100] * 4_000
    size = BatchSize(1_000, 1_000_000)
    device = Device(lengths, memory=10_000)
    in_batches(lengths, size, device)
    assert (device.largest, device.overflows, size.tokens) == (8_000, 1, 8_000)
    in_batches(lengths, size, device)
    assert device.overflows == 1  # it is not tried again


def test_a_batch_that_was_not_full_says_nothing_of_memory() -> None:
    size = BatchSize(1_000, 1_000_000)
    in_batches([100, 100], size, lambda _: None)
    assert size.tokens == 1_000


def test_a_cpu_keeps_its_size_and_a_gpu_grows() -> None:
    for on_gpu, grows in ((False, False), (True, True)):
        size = BatchSize.for_device(on_gpu=on_gpu)
        before = size.tokens
        in_batches([100] * 2_000, size, lambda _: None)
        assert (size.tokens > before) is grows


def test_a_row_that_alone_is_too_much_is_an_error() -> None:
    with pytest.raises(EncoderMemoryError):
        in_batches([600], BatchSize(1_000, 1_000), Device([600], memory=500))
