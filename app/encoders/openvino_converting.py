"""A model converted for OpenVINO: traced in torch, a large vocabulary apart, and held to torch before it is used."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from app.encoders.openvino_ir import About, OpenVinoEncoder, Parts, openvino
from app.encoders.pytorch import PytorchEncoder, load_pytorch
from app.encoders.token_rows import KEPT_ROWS, Vocabulary, take_out

LEAST_COSINE: Final = (
    0.9999  # of a converted model to torch, both in float32; what is lower was converted wrongly
)
MAKING: Final = ".making-"  # how folders begin that are not whole yet
_log = structlog.get_logger(__name__)


class ConversionError(Exception):
    """The model can't be run by OpenVINO; torch can."""


def convert(folder: Path, cache: Path | None) -> Parts:
    """Convert a model by tracing it in torch, a large vocabulary apart. Raises ConversionError."""
    started = time.monotonic()
    making = _folder_beside(cache)
    slim = take_out(folder, making)
    vocabulary = None if slim is None else Vocabulary(making / "vocabulary.npy", deletes=making)
    try:
        torch_encoder = load_pytorch(slim or folder, "cpu", "float32")
    finally:
        shutil.rmtree(making if slim is None else slim, ignore_errors=True)
    about = About(
        max_tokens=torch_encoder.max_tokens,
        pad_id=torch_encoder.pad_id,
        unknown_id=torch_encoder.unknown_id,
        dimension=torch_encoder.dimension,
        model_sha256="",
    )
    try:
        with _quiet():
            ir = _trace(torch_encoder)
        if vocabulary is not None:
            _look_up_outside(ir, vocabulary.dimension)
        made = OpenVinoEncoder(ir, torch_encoder.tokenizer, about, vocabulary, "float32")
        _check(made, torch_encoder, KEPT_ROWS if vocabulary else torch_encoder.tokenizer.get_vocab_size())
    except ConversionError:
        raise
    except Exception as error:  # tracing raises whatever the model's code does
        raise ConversionError(f"{type(error).__name__}: {str(error)[:200]}") from error
    _log.info("model converted for OpenVINO", seconds=round(time.monotonic() - started, 1))
    return ir, torch_encoder.tokenizer, about, vocabulary


def _folder_beside(cache: Path | None) -> Path:
    """An empty one where there is room: a system's folder for such may be in memory."""
    with contextlib.suppress(OSError):
        if cache is not None:
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix=MAKING, dir=cache))
    return Path(tempfile.mkdtemp(prefix=MAKING))


def _look_up_outside(ir: Any, dimension: int) -> None:
    """Make an input of the model's lookup in the rows that it kept. Raises ConversionError."""
    lookups = [
        node
        for node in ir.get_ops()
        if node.get_type_name() == "Gather"
        and node.input_value(0).get_partial_shape() == openvino().PartialShape([KEPT_ROWS, dimension])
    ]
    if len(lookups) != 1:
        raise ConversionError(f"{len(lookups)} lookups in the vocabulary instead of one")
    shape = openvino().PartialShape([-1, -1, dimension])
    rows = openvino().opset13.parameter(shape, np.float32, name="token_rows")
    rows.output(0).set_names({"token_rows"})
    lookups[0].output(0).replace(rows.output(0))
    ir.add_parameters([rows])
    ir.validate_nodes_and_infer_types()


def _trace(torch_encoder: PytorchEncoder) -> Any:
    import torch

    class Traced(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = torch_encoder.model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            embedding: torch.Tensor = features["sentence_embedding"]
            return embedding

    example = torch.full((2, 8), torch_encoder.pad_id, dtype=torch.long)
    return openvino().convert_model(
        Traced().eval(),
        example_input={"input_ids": example, "attention_mask": torch.ones_like(example)},
        input=[("input_ids", [-1, -1]), ("attention_mask", [-1, -1])],
    )


def _check(made: OpenVinoEncoder, torch_encoder: PytorchEncoder, vocabulary: int) -> None:
    """Hold the converted model to torch on shapes other than the traced one, with tokens below `vocabulary`.

    Raises ConversionError.
    """
    random = np.random.default_rng(0)
    for rows, width in ((1, 3), (3, min(70, made.max_tokens)), (2, made.max_tokens)):
        ids = random.integers(vocabulary, size=(rows, width))
        mask = np.ones_like(ids)
        ids[-1, width // 2 + 1 :], mask[-1, width // 2 + 1 :] = made.pad_id, 0
        cosines = (made.encode(ids, mask) * torch_encoder.encode(ids, mask)).sum(axis=1)
        if not cosines.min() >= LEAST_COSINE:  # so that NaN fails too
            raise ConversionError(f"cosine {cosines.min():.4f} to torch")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what tracing says of shapes: they are checked."""
    import transformers

    logs: Any = transformers.utils.logging
    verbosity = logs.get_verbosity()
    logs.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.set_verbosity(verbosity)
