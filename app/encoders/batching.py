"""How rows of tokens are grouped into forward passes; pure but for the size that a GPU's memory teaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from app.encoders import EncoderMemoryError

CPU_BATCH_TOKENS: Final = 4096  # padded tokens in a pass; bigger ones fall out of the cache and are slower
STREAM_BATCH_TOKENS: Final = 1024  # where several passes run at once; with smaller ones they end together
WIDTH_STEP: Final = 8  # rows are padded to a multiple: a runtime keeps memory for each shape that it has met
GPU_BATCH_TOKENS: Final = 16_384  # where a GPU starts; it doubles while there is memory
GPU_MOST_TOKENS: Final = 262_144
LEAST_BATCH_TOKENS: Final = 256
LEAST_FILL: Final = (
    0.75  # of a batch's width that a text must fill; 24 mixed sentences take .64 of the time by it
)


class BatchSize:
    """Padded tokens that one forward pass may have.

    Doubles from `first` to `most` after each full batch that fits. Once one did not fit, it is halved and never
    raised again: running out of memory costs more than a batch that could be bigger.
    """

    def __init__(self, first: int, most: int) -> None:
        self.tokens = first
        self._most = most

    @classmethod
    def for_device(cls, *, on_gpu: bool) -> BatchSize:
        """Growing on a GPU, fixed on a CPU."""
        return cls(GPU_BATCH_TOKENS, GPU_MOST_TOKENS) if on_gpu else cls(CPU_BATCH_TOKENS, CPU_BATCH_TOKENS)

    def fitted(self, padded_tokens: int) -> None:
        """A batch of `padded_tokens` went through."""
        if 2 * padded_tokens > self.tokens:
            self.tokens = min(2 * self.tokens, self._most)

    def overflowed(self, padded_tokens: int) -> None:
        """A batch of `padded_tokens` ran out of memory."""
        self.tokens = self._most = max(1, min(padded_tokens, self.tokens) // 2)


def batches_for_streams(lengths: Sequence[int]) -> list[Sequence[int]]:
    """Indices of rows, each in one batch; the largest batch first, so that streams that share them end together."""
    widths = [padded_width(length) for length in lengths]
    batches: list[Sequence[int]] = []

    def cut(rows: Sequence[int]) -> None:
        """A batch that is not full is cut to powers of two, so that few shapes occur."""
        full, at = STREAM_BATCH_TOKENS // max(1, widths[rows[0]]), 0
        while at < len(rows):
            left = len(rows) - at
            size = left if left == full else 1 << (left.bit_length() - 1)
            batches.append(rows[at : at + size])
            at += size

    in_batches(widths, BatchSize(STREAM_BATCH_TOKENS, STREAM_BATCH_TOKENS), cut)
    return sorted(batches, key=lambda rows: -len(rows) * widths[rows[0]])


def padded_width(tokens: int) -> int:
    """The next multiple of WIDTH_STEP."""
    return -(-tokens // WIDTH_STEP) * WIDTH_STEP


def in_batches(lengths: Sequence[int], size: BatchSize, run: Callable[[Sequence[int]], None]) -> None:
    """Call `run` with indices of rows until each has been in one call that did not raise EncoderMemoryError.

    A batch that overflows is tried again in smaller ones. Raises EncoderMemoryError where one row alone is too much.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    at = 0
    while at < len(order):
        rows = _batch_rows(lengths, order, at, size.tokens)
        padded = rows * lengths[order[at]]
        try:
            run(order[at : at + rows])
        except EncoderMemoryError:
            if rows == 1:
                raise
            size.overflowed(padded)
            continue
        size.fitted(padded)
        at += rows


def _batch_rows(lengths: Sequence[int], order: Sequence[int], at: int, batch_tokens: int) -> int:
    """How many rows from `order[at]` on make a batch: rows × longest ≤ batch_tokens, but one row at least.

    `order` is by falling length. A batch of LEAST_BATCH_TOKENS ends where a text is much shorter than its longest,
    so that little is padded.
    """
    width = max(1, lengths[order[at]])
    rows = 1
    while at + rows < len(order):
        is_padding = lengths[order[at + rows]] < LEAST_FILL * width and rows * width >= LEAST_BATCH_TOKENS
        if (rows + 1) * width > batch_tokens or is_padding:
            break
        rows += 1
    return rows
