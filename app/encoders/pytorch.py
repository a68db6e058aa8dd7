"""The encoder that torch runs: every sentence-transformers model, on CPU or GPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.encoders import EncoderMemoryError, FloatMatrix, TokenMatrix
from app.encoders.hardware import cpu_streams, is_bfloat16
from app.errors import ConfigError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer


class PytorchEncoder:
    """Satisfies app.encoders.Encoder."""

    def __init__(self, model: SentenceTransformer) -> None:
        import torch

        tokenizer: Any = model.tokenizer
        self._model = model
        self._threads = torch.get_num_threads()
        self.tokenizer = fast_tokenizer(model)
        self.max_tokens = int(model.max_seq_length or 512)
        self.pad_id = int(tokenizer.pad_token_id or 0)
        self.unknown_id: int | None = tokenizer.unk_token_id
        self.dimension = int(model.get_embedding_dimension() or 0)

    @property
    def model(self) -> SentenceTransformer:
        """The model itself, to be converted."""
        return self._model

    @property
    def name(self) -> str:
        return f"torch {str(next(self._model.parameters()).dtype).removeprefix('torch.')}"

    @property
    def on_gpu(self) -> bool:
        return self._model.device.type != "cpu"

    @property
    def streams(self) -> int:
        return 1 if self.on_gpu else min(cpu_streams(), self._threads)

    def encode(self, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
        return self._encode(ids, mask, self._threads)

    def encode_in_stream(self, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
        return self._encode(ids, mask, max(1, self._threads // self.streams))

    def _encode(self, ids: TokenMatrix, mask: TokenMatrix, threads: int) -> FloatMatrix:
        import torch

        torch.set_num_threads(
            threads
        )  # of this thread, where OpenMP runs the operators; MKL's are everyone's
        device = self._model.device
        try:
            features = {
                "input_ids": torch.from_numpy(ids).to(device),
                "attention_mask": torch.from_numpy(mask).to(device),
            }
            with torch.inference_mode():
                embedded = self._model(features)["sentence_embedding"].float()
                unit = torch.nn.functional.normalize(embedded, dim=1)
            return np.asarray(unit.cpu().numpy(), dtype=np.float32)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise EncoderMemoryError(f"{ids.shape[0]} × {ids.shape[1]} tokens") from error


def load_pytorch(folder: Path, device: str, dtype: str) -> PytorchEncoder:
    """Load a model in the precision that `dtype` ("auto", "float32", "bfloat16") means on `device`.

    Raises ConfigError where it can't be loaded or has no fast tokenizer.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(folder), device=device, local_files_only=True, trust_remote_code=False
        ).eval()
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise ConfigError(
            f"The embedding model in {folder} can't be loaded ({type(error).__name__}: {str(error)[:200]}). "
            "Check PGASK_EMBEDDING_MODEL and PGASK_EMBEDDING_DEVICE."
        ) from error
    if is_bfloat16(dtype, device):
        model = model.to(torch.bfloat16)
    return PytorchEncoder(model)


def fast_tokenizer(model: SentenceTransformer) -> Tokenizer:
    """The model's own fast tokenizer, which from now on neither truncates nor pads. Raises ConfigError."""
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ConfigError(
            "The embedding model has no fast tokenizer, which character offsets need. Choose another."
        )
    tokenizer: Tokenizer = backend  # no copy: that of a large vocabulary takes 300 MB
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
