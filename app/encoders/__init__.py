"""Encoders: padded token ids → unit vectors. One model read by one runtime; nothing of text, settings or database.

`pytorch` runs every sentence-transformers model; `openvino_ir` runs what OpenVINO can convert, faster on a CPU, and
once converted without importing torch. `batching` decides how many tokens go in at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FloatMatrix = npt.NDArray[np.float32]
TokenMatrix = npt.NDArray[np.int64]


class EncoderMemoryError(Exception):
    """A batch did not fit into the device's memory; a smaller one may."""


class Encoder(Protocol):
    """A loaded model. `encode` is called by one thread at a time, `encode_in_stream` by up to `streams` of them."""

    @property
    def name(self) -> str:
        """Runtime and precision, for people: "openvino bfloat16"."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's fast tokenizer, which neither truncates nor pads."""

    @property
    def max_tokens(self) -> int:
        """Most tokens of one row, special tokens counted."""

    @property
    def pad_id(self) -> int: ...

    @property
    def unknown_id(self) -> int | None: ...

    @property
    def dimension(self) -> int: ...

    @property
    def on_gpu(self) -> bool: ...

    @property
    def streams(self) -> int:
        """How many batches are best encoded at once, each on its share of the processors; 1: use `encode`."""

    def encode(self, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
        """float32 (rows, dimension) of unit length; `mask` is 1 for tokens and 0 for padding, which is on the right.

        Raises EncoderMemoryError where the device has no room for the batch.
        """

    def encode_in_stream(self, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
        """What `encode` returns, on one stream: slower for this batch, faster for many, since nothing waits for the
        slowest processor at each layer."""
