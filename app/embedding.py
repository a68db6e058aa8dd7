"""Text → vectors: the Embedder protocol and the sentence-transformers embedder. No database.

One tokenizing serves chunking and encoding: `tokenize` gives ids with character offsets, windows are slices of
those ids, and `embed_windows` adds the model's special tokens. Nothing is truncated here: a window longer than
`window_tokens` is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import structlog

from app.config import Settings
from app.encoders import Encoder, EncoderMemoryError, FloatMatrix, packaged_e5
from app.encoders.batching import (
    CPU_BATCH_TOKENS,
    GPU_MOST_TOKENS,
    STREAM_BATCH_TOKENS,
    BatchSize,
    batches_for_streams,
    in_batches,
    padded_width,
)
from app.encoders.hardware import resolve_device
from app.encoders.model_folder import dimension_of, find_model, prefixes_of, weights_sha256
from app.encoders.openvino_converting import ConversionError
from app.encoders.openvino_int8 import INT8_RECIPE
from app.encoders.openvino_ir import is_installed
from app.encoders.openvino_kept import load_openvino
from app.encoders.pytorch import load_pytorch
from app.encoders.word_tokenizer import WordTokenizer, splits_into_words
from app.errors import ConfigError

__all__ = [
    "BUNDLED_MODEL",
    "POOLING",
    "UNREADABLE_SHARE",
    "Embedder",
    "EmbeddingSpace",
    "FloatMatrix",
    "FloatVector",
    "IntVector",
    "SentenceTransformerEmbedder",
    "Tokens",
]

FloatVector = npt.NDArray[np.float32]
IntVector = npt.NDArray[np.int32]

UNREADABLE_SHARE = 0.1  # of a document's tokens: with more unknown ones its vectors say little of it
PIECE_CHARS = 250_000  # tokenized at once: the tokenizer takes 150 bytes of memory a character
BUNDLED_MODEL = "all-MiniLM-L6-v2"
POOLING = (
    "weighted-1"  # how ingest/pooling.py makes a chunk's vector from its windows'; raise it when that changes
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """What makes two vectors comparable. Two spaces are the same only if every field is equal."""

    model: str
    weights_sha256: str
    dimension: int
    query_prefix: str
    passage_prefix: str
    pooling: str = POOLING
    normalized: bool = True


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenized text: ids, and half-open character offsets of each token; int32 arrays of one length."""

    ids: IntVector
    starts: IntVector
    ends: IntVector
    unknown: int  # how many tokens the model can't read: its unknown token, or bytes of a character

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def unknown_share(self) -> float:
        """Which share of them the model can't read, in [0, 1]; 0 of none."""
        return self.unknown / len(self) if len(self) else 0.0


class Embedder(Protocol):
    """Turns text into unit vectors of one embedding space. Safe to call from several threads."""

    @property
    def space(self) -> EmbeddingSpace: ...

    @property
    def window_tokens(self) -> int:
        """Most tokens that one window may have (special tokens and prefix already taken off)."""

    def tokenize(self, text: str) -> Tokens: ...

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        """float32 (n, dimension), rows of unit length in the order of `windows` (token ids of passages)."""

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """float32 (n, dimension) of short texts; each is read up to `window_tokens` tokens."""

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """float32 (n, dimension), rows of unit length; a question longer than one window is read up to it."""


class SentenceTransformerEmbedder:
    """A sentence-transformers model read from a folder or the local cache of model names, run by torch or OpenVINO."""

    def __init__(
        self,
        model: str | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        runtime: str = "auto",
        cache: Path | None = None,
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
    ) -> None:
        """Find the model and hash its weights; it is loaded at the first use, or by `load`. Raises ConfigError.

        `model` is the name of a packaged one ("english", "multilingual"), a folder, or a name of the hub; None:
        "english". A prefix that is None is the one that the model's folder names, if any.
        `runtime` is "torch", "openvino" (CPU alone) or "auto": OpenVINO where it is installed and the device is the
        CPU. `dtype` "int8" runs by OpenVINO alone and makes vectors of a space of their own. `cache` is the folder
        that keeps models converted for OpenVINO; None: they are converted at each load.
        """
        name, self._folder = _find(model, cache)
        query, passage = prefixes_of(self._folder)
        self._device, self._dtype, self._runtime, self._cache = device, dtype, runtime, cache
        self._lock = threading.Lock()  # one forward pass at a time; the service's wait in `app.threads`
        self._space = EmbeddingSpace(
            model=name + (f" {INT8_RECIPE}" if dtype == "int8" else ""),
            weights_sha256=weights_sha256(self._folder),
            dimension=dimension_of(self._folder),
            query_prefix=query if query_prefix is None else query_prefix,
            passage_prefix=passage if passage_prefix is None else passage_prefix,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> SentenceTransformerEmbedder:
        """The configured model."""
        return cls(
            settings.embedding_model,
            device=settings.embedding_device,
            dtype=settings.embedding_dtype,
            runtime=settings.embedding_runtime,
            cache=settings.home / "models",
            query_prefix="" if settings.query_prefix == "none" else settings.query_prefix,
            passage_prefix="" if settings.passage_prefix == "none" else settings.passage_prefix,
        )

    @classmethod
    def of_space(cls, settings: Settings, space: EmbeddingSpace) -> SentenceTransformerEmbedder:
        """The model of a space, by its name there, on the configured device. Its weights are for the caller to compare.
        Raises ConfigError."""
        name, is_int8 = space.model, space.model.endswith(f" {INT8_RECIPE}")
        name = name.removesuffix(f" {INT8_RECIPE}")
        names = {BUNDLED_MODEL: "english", packaged_e5.NAME: "multilingual"}
        return cls(
            names.get(name, name),
            device=settings.embedding_device,
            dtype="int8"
            if is_int8
            else "auto"
            if settings.embedding_dtype == "int8"
            else settings.embedding_dtype,
            runtime=settings.embedding_runtime,
            cache=settings.home / "models",
            query_prefix=space.query_prefix,
            passage_prefix=space.passage_prefix,
        )

    def load(self) -> None:
        """Load the model now and make it ready for a question. Raises ConfigError where it can't be loaded or has no
        fast tokenizer."""
        self.embed_queries([""])

    @property
    def space(self) -> EmbeddingSpace:
        return self._space

    @property
    def runtime(self) -> str:
        """What runs the model, and its precision: "openvino bfloat16"; loads it."""
        return self._encoder.name

    @property
    def window_tokens(self) -> int:
        prefix = max(len(self._query_ids), len(self._passage_ids))
        return self._encoder.max_tokens - len(self._special_ids[0]) - len(self._special_ids[1]) - prefix

    @property
    def group_tokens(self) -> int:
        """How many tokens `embed_windows` should be given at once, so that its batches are full; loads the model."""
        if self._encoder.on_gpu:
            return 2 * GPU_MOST_TOKENS
        return max(2 * CPU_BATCH_TOKENS, 4 * self._encoder.streams * STREAM_BATCH_TOKENS)

    @cached_property
    def _encoder(self) -> Encoder:
        encoder = self._load_encoder()
        if encoder.dimension != self._space.dimension:
            raise ConfigError(
                f"The model in {self._folder} gives vectors of {encoder.dimension} numbers, its configuration says "
                f"{self._space.dimension}. The folder's files do not belong together."
            )
        return encoder

    def _load_encoder(self) -> Encoder:
        device = resolve_device(self._device)
        if self._uses_openvino(device):
            try:
                return load_openvino(self._folder, self._space.weights_sha256, self._dtype, self._cache)
            except ConversionError as error:
                if self._dtype == "int8":
                    raise ConfigError(
                        f"The embedding model can't be used with PGASK_EMBEDDING_DTYPE=int8 ({error}). Set it to auto."
                    ) from error
                _log.warning("model runs by torch, OpenVINO can't", model=self._space.model, error=str(error))
        return load_pytorch(self._folder, device, self._dtype)

    def _uses_openvino(self, device: str) -> bool:
        """Whether OpenVINO is to run the model. Raises ConfigError where it is asked for and can't."""
        if self._runtime == "openvino" or (self._dtype == "int8" and self._runtime == "auto"):
            if device != "cpu":
                raise ConfigError(
                    f"OpenVINO runs on the CPU, PGASK_EMBEDDING_DEVICE is {self._device!r}. Set the device to cpu, or "
                    "PGASK_EMBEDDING_RUNTIME to torch and PGASK_EMBEDDING_DTYPE to auto."
                )
            if not is_installed():
                raise ConfigError(
                    "PGASK_EMBEDDING_RUNTIME=openvino and PGASK_EMBEDDING_DTYPE=int8 need OpenVINO: "
                    "pip install 'pgask[openvino]' (for int8 'pgask[openvino-int8]'), or set them to auto."
                )
            return True
        if self._dtype == "int8":
            raise ConfigError("PGASK_EMBEDDING_DTYPE=int8 needs PGASK_EMBEDDING_RUNTIME=auto or openvino.")
        return self._runtime == "auto" and device == "cpu" and is_installed()

    @cached_property
    def _batch_size(self) -> BatchSize:
        return BatchSize.for_device(on_gpu=self._encoder.on_gpu)

    @cached_property
    def _words(self) -> WordTokenizer | None:
        tokenizer = self._encoder.tokenizer
        return WordTokenizer(tokenizer) if splits_into_words(tokenizer) else None

    @cached_property
    def _special_ids(self) -> tuple[IntVector, IntVector]:
        return _special_ids(self._encoder.tokenizer)

    @cached_property
    def _unreadable_ids(self) -> IntVector:
        return _unreadable_ids(self._encoder.unknown_id, self._encoder.tokenizer)

    # Without the space at a prefix's end: the text's first token has it, and alone it would be a token of its own.
    @cached_property
    def _query_ids(self) -> IntVector:
        return self._encode(self._space.query_prefix.rstrip())[0]

    @cached_property
    def _passage_ids(self) -> IntVector:
        return self._encode(self._space.passage_prefix.rstrip())[0]

    def tokenize(self, text: str) -> Tokens:
        ids, offsets = self._encode(text)
        unknown = int(np.count_nonzero(np.isin(ids, self._unreadable_ids)))
        return Tokens(ids=ids, starts=offsets[:, 0], ends=offsets[:, 1], unknown=unknown)

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        return self._embed(windows, self._passage_ids)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embed([self._encode(text)[0][: self.window_tokens] for text in texts], self._passage_ids)

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embed([self._encode(text)[0][: self.window_tokens] for text in texts], self._query_ids)

    def _encode(self, text: str) -> tuple[IntVector, IntVector]:
        """Token ids (n,) and character offsets (n, 2), without special tokens."""
        pieces = [self._encode_piece(text[start:end], start) for start, end in _pieces(text)]
        if len(pieces) == 1:
            return pieces[0]
        return np.concatenate([ids for ids, _ in pieces]), np.concatenate([offsets for _, offsets in pieces])

    def _encode_piece(self, text: str, start: int) -> tuple[IntVector, IntVector]:
        if self._words is not None:
            ids, offsets = self._words.encode(text)
            return ids, offsets + start
        # encode_batch, since encode keeps the interpreter's lock while it works
        (encoding,) = self._encoder.tokenizer.encode_batch([text], add_special_tokens=False)
        ids = np.array(encoding.ids, dtype=np.int32)
        offsets = np.fromiter(chain.from_iterable(encoding.offsets), dtype=np.int32, count=2 * len(ids))
        return ids, offsets.reshape(-1, 2) + start

    def _embed(self, windows: Sequence[IntVector], prefix: IntVector) -> FloatMatrix:
        vectors = np.empty((len(windows), self._space.dimension), dtype=np.float32)
        lengths = [len(window) for window in windows]
        longest = max(lengths, default=0)
        if longest > self.window_tokens:
            raise ValueError(
                f"a window of {longest} tokens is longer than the {self.window_tokens} the model reads"
            )

        streams = self._encoder.streams if sum(lengths) > STREAM_BATCH_TOKENS else 1
        encode = self._encoder.encode if streams == 1 else self._encoder.encode_in_stream

        def embed(rows: Sequence[int]) -> None:
            vectors[rows] = encode(*self._padded([windows[i] for i in rows], prefix))

        with self._lock:
            if streams > 1:
                with ThreadPoolExecutor(streams) as threads:
                    list(threads.map(embed, batches_for_streams(lengths)))
                return vectors
            try:
                in_batches(lengths, self._batch_size, embed)
            except EncoderMemoryError as error:
                raise ConfigError(
                    "The GPU has no memory for a single window. Free some, or set PGASK_EMBEDDING_DEVICE=cpu."
                ) from error
        return vectors

    def _padded(
        self, windows: Sequence[IntVector], prefix: IntVector
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Token ids with special tokens, and their mask, both (len(windows), a width that holds the longest)."""
        before, after = self._special_ids
        longest = max(map(len, windows)) + len(prefix) + len(before) + len(after)
        width = min(padded_width(longest), self._encoder.max_tokens)
        ids = np.full((len(windows), width), self._encoder.pad_id, dtype=np.int64)
        mask = np.zeros((len(windows), width), dtype=np.int64)
        for row, window in enumerate(windows):
            filled = np.concatenate([before, prefix, window, after])
            ids[row, : len(filled)] = filled
            mask[row, : len(filled)] = 1
        return ids, mask


def _find(model: str | None, cache: Path | None) -> tuple[str, Path]:
    """A model's name in embedding spaces, and its folder."""
    match model:
        case None | "english":
            return BUNDLED_MODEL, find_model(None)
        case "multilingual":
            if cache is None:
                raise ConfigError("The multilingual model needs a folder in which it can be written.")
            return packaged_e5.NAME, packaged_e5.find_multilingual(cache)
        case _:
            return model, find_model(model)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Half-open character ranges to tokenize one by one; at least one. A piece ends before a line's end or a space,
    where no token goes on, or where it has none, at its limit."""
    start = 0
    while len(text) - start > PIECE_CHARS:
        limit = start + PIECE_CHARS
        end = max(text.rfind("\n", start + 1, limit), text.rfind(" ", limit - 1_000, limit))
        end = end if end > start else limit
        yield start, end
        start = end
    yield start, len(text)


def _unreadable_ids(unknown_id: int | None, tokenizer: Any) -> IntVector:
    """The unknown token, and those that stand for one byte of a character the vocabulary lacks (`<0xE5>`). The bytes
    of ASCII are left out: some models have no other token for a line's end."""
    fallbacks = (tokenizer.token_to_id(f"<0x{byte:02X}>") for byte in range(0x80, 0x100))
    return np.array([found for found in (unknown_id, *fallbacks) if found is not None], dtype=np.int32)


def _special_ids(tokenizer: Any) -> tuple[IntVector, IntVector]:
    """The special tokens that the model puts before and after a text."""
    encoding = tokenizer.encode("a", add_special_tokens=True)
    mask = encoding.special_tokens_mask
    content = [i for i, special in enumerate(mask) if not special]
    first, last = content[0], content[-1]
    ids = np.array(encoding.ids, dtype=np.int32)
    return ids[:first], ids[last + 1 :]
