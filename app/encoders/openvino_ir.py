"""The encoder that OpenVINO runs on a CPU: bfloat16 where the hardware has it, and no torch once converted.

The model is converted from torch once and kept as OpenVINO's own format (IR) in a folder named after everything that
made it: weights, configuration, versions. A conversion is checked against torch before it is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import structlog

from app.encoders import FloatMatrix, TokenMatrix
from app.encoders.hardware import cpu_streams, is_bfloat16, processors
from app.encoders.model_folder import config_sha256, file_sha256
from app.encoders.openvino_int8 import INT8_RECIPE, calibration_windows, quantize
from app.encoders.pytorch import PytorchEncoder, load_pytorch

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEAST_COSINE: Final = (
    0.9999  # of a converted model to torch, both in float32; what is lower was converted wrongly
)
LEAST_INT8_COSINE: Final = (
    0.99  # mean of a quantized model to the exact one, on the texts it was calibrated with
)
_FORMAT: Final = 1  # raised when what is in the folder changes
_KEPT_SHAPES: Final = (
    512  # programs kept for shapes of operators; of 5,000, OpenVINO's default, each takes 30 to 60 KB
)
_STALE_S: Final = 3600.0  # a half-made folder that is older belongs to a process that was killed
_log = structlog.get_logger(__name__)
_first_call = threading.Lock()  # of any model of this process


class ConversionError(Exception):
    """The model can't be run by OpenVINO; torch can."""


@dataclass(frozen=True, slots=True)
class _About:
    """What the IR does not say of the model."""

    max_tokens: int
    pad_id: int
    unknown_id: int | None
    dimension: int
    model_sha256: str


Parts = tuple[Any, "Tokenizer", _About]  # an openvino.Model and what goes with it


class OpenVinoEncoder:
    """Satisfies app.encoders.Encoder."""

    on_gpu = False

    def __init__(self, ir: Any, tokenizer: Tokenizer, about: _About, dtype: str) -> None:
        """`ir` is an openvino.Model with inputs input_ids and attention_mask and one output (rows, dimension)."""
        lesser = "auto" if dtype == "int8" else dtype  # what is not quantized
        self._ir = ir
        self._precision = "bf16" if is_bfloat16(lesser, "cpu") else "f32"
        names = {"bf16": "bfloat16", "f32": "float32"}
        self.name = f"openvino {'int8' if dtype == 'int8' else names[self._precision]}"
        self.streams = cpu_streams()
        self.tokenizer = tokenizer
        self.max_tokens = about.max_tokens
        self.pad_id = about.pad_id
        self.unknown_id = about.unknown_id
        self.dimension = about.dimension

    @cached_property
    def _request(self) -> Any:
        """One batch on all processors; made when it is first needed, as the streams are: ingest needs those alone."""
        return self._warmed(self._compiled({"PERFORMANCE_HINT": "LATENCY"}))

    @cached_property
    def _streams(self) -> SimpleQueue[Any]:
        """Requests that nobody uses, each with processors of its own."""
        compiled = self._compiled({"NUM_STREAMS": self.streams, "INFERENCE_NUM_THREADS": processors()})
        free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.streams):
            free.put(self._warmed(compiled))
        return free

    def _warmed(self, compiled: Any) -> Any:
        """A request that has been asked once, alone: the bindings' first call ever, in two threads at once, waits for
        Python's lock while it holds the lock of a C++ constant that the other waits for, for ever."""
        request = compiled.create_infer_request()
        with _first_call:
            _infer(request, np.full((1, 1), self.pad_id, dtype=np.int64), np.ones((1, 1), dtype=np.int64))
        return request

    def _compiled(self, options: dict[str, object]) -> Any:
        return _core().compile_model(
            self._ir,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": self._precision,
                "CPU_RUNTIME_CACHE_CAPACITY": _KEPT_SHAPES,
                **options,
            },
        )

    def encode(self, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
        return _infer(self._request, ids, mask)

    def encode_in_stream(self, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
        free = self._streams
        request = free.get()
        try:
            return _infer(request, ids, mask)
        finally:
            free.put(request)


def _infer(request: Any, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
    embedded = request.infer({"input_ids": ids, "attention_mask": mask}, share_inputs=True)[0]
    lengths = np.linalg.norm(embedded, axis=1, keepdims=True)
    return np.asarray(embedded / np.maximum(lengths, 1e-12), dtype=np.float32)


def is_installed() -> bool:
    """Whether the extra `openvino` is installed."""
    return importlib.util.find_spec("openvino") is not None


def load_openvino(folder: Path, weights_sha256: str, dtype: str, cache: Path | None) -> OpenVinoEncoder:
    """Load a model from `cache`, converting it first where it is not there yet; None: convert each time.

    `dtype` "int8" is made from the conversion in float32, by app.encoders.openvino_int8. Raises ConversionError where
    OpenVINO can't run the model, ConfigError where torch can't load it.
    """
    made_of = [weights_sha256, config_sha256(folder), version("openvino"), version("sentence-transformers")]

    def exact() -> Parts:
        return _kept_or_made(cache, made_of, lambda: _convert(folder))

    if dtype != "int8":
        return OpenVinoEncoder(*exact(), dtype)
    return OpenVinoEncoder(*_kept_or_made(cache, [*made_of, INT8_RECIPE], lambda: _quantize(exact())), dtype)


def _kept_or_made(cache: Path | None, made_of: Sequence[str], make: Callable[[], Parts]) -> Parts:
    if cache is None:
        return make()
    digest = hashlib.sha256("\n".join([str(_FORMAT), *made_of]).encode()).hexdigest()
    kept = cache / f"ir-{digest[:32]}"
    read = _read(kept)
    if read is not None:
        return read
    made = make()
    _keep(kept, *made)
    return _read(kept) or made  # what is read shares its pages with the file


def _quantize(exact: Parts) -> Parts:
    ir, tokenizer, about = exact
    started = time.monotonic()
    windows = calibration_windows(tokenizer, about.max_tokens)
    quantized = quantize(ir, windows)
    cosine = _mean_cosine(
        OpenVinoEncoder(ir, tokenizer, about, "float32"),
        OpenVinoEncoder(quantized, tokenizer, about, "int8"),
        windows,
    )
    if not cosine >= LEAST_INT8_COSINE:
        raise ConversionError(f"cosine {cosine:.4f} of int8 to float32")
    _log.info("model quantized", seconds=round(time.monotonic() - started, 1), cosine=round(cosine, 4))
    return quantized, tokenizer, about


def _mean_cosine(one: OpenVinoEncoder, other: OpenVinoEncoder, windows: Sequence[TokenMatrix]) -> float:
    cosines = [one.encode(ids, np.ones_like(ids)) @ other.encode(ids, np.ones_like(ids)).T for ids in windows]
    return float(np.mean(cosines))


@cache
def _core() -> Any:
    """One for the process, and never freed: with the last one OpenVINO unloads its plugins, while what a freed model
    has left may still run in them (seen once as a segmentation fault, in a process that had loaded many models)."""
    return _openvino().Core()


def _openvino() -> Any:
    """The package, without its telemetry: unless told otherwise it reports each import and conversion to its makers.

    Where openvino_telemetry can't be imported, openvino falls back to a stub of its own.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


def _convert(folder: Path) -> Parts:
    """Convert a model by tracing it in torch. Raises ConversionError."""
    torch_encoder = load_pytorch(folder, "cpu", "float32")
    about = _About(
        max_tokens=torch_encoder.max_tokens,
        pad_id=torch_encoder.pad_id,
        unknown_id=torch_encoder.unknown_id,
        dimension=torch_encoder.dimension,
        model_sha256="",
    )
    started = time.monotonic()
    try:
        with _quiet():
            ir = _trace(torch_encoder)
        made = OpenVinoEncoder(ir, torch_encoder.tokenizer, about, "float32")
        _check(made, torch_encoder)
    except ConversionError:
        raise
    except Exception as error:  # tracing raises whatever the model's code does
        raise ConversionError(f"{type(error).__name__}: {str(error)[:200]}") from error
    _log.info("model converted for OpenVINO", seconds=round(time.monotonic() - started, 1))
    return ir, torch_encoder.tokenizer, about


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
    return _openvino().convert_model(
        Traced().eval(),
        example_input={"input_ids": example, "attention_mask": torch.ones_like(example)},
        input=[("input_ids", [-1, -1]), ("attention_mask", [-1, -1])],
    )


def _check(made: OpenVinoEncoder, torch_encoder: PytorchEncoder) -> None:
    """Hold the converted model to torch on shapes other than the traced one. Raises ConversionError."""
    random = np.random.default_rng(0)
    vocabulary = torch_encoder.tokenizer.get_vocab_size()
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


def _read(kept: Path) -> Parts | None:
    """What `_keep` wrote; None where there is nothing, or nothing whole, or it is another user's."""
    from tokenizers import Tokenizer

    try:
        if kept.stat().st_uid not in (os.geteuid(), 0):
            return None
        about = _About(**json.loads((kept / "about.json").read_text("utf-8")))
        if file_sha256(kept / "model.bin") != about.model_sha256:
            return None
        return (
            _core().read_model(kept / "model.xml"),
            Tokenizer.from_str((kept / "tokenizer.json").read_text("utf-8")),
            about,
        )
    except FileNotFoundError:
        return None
    except Exception as error:  # both libraries raise bare Exception and RuntimeError for a bad file
        _log.warning("kept OpenVINO model can't be read", folder=str(kept), error=str(error)[:200])
        return None


def _keep(kept: Path, ir: Any, tokenizer: Tokenizer, about: _About) -> None:
    """Write a converted model so that it is there whole or not at all; a folder that can't be written is logged."""
    making: Path | None = None
    try:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear_stale(kept.parent)
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=kept.parent))
        _openvino().save_model(ir, making / "model.xml", compress_to_fp16=False)
        (making / "tokenizer.json").write_text(tokenizer.to_str(), "utf-8")
        fields = asdict(about) | {"model_sha256": file_sha256(making / "model.bin")}
        (making / "about.json").write_text(json.dumps(fields), "utf-8")
        for file in making.iterdir():
            _flush(file)
        shutil.rmtree(kept, ignore_errors=True)  # one that could not be read
        making.rename(kept)
    except (OSError, RuntimeError) as error:
        _log.warning("OpenVINO model not kept, it is converted each time", error=str(error)[:200])
    finally:
        if making is not None:
            shutil.rmtree(making, ignore_errors=True)


def _clear_stale(parent: Path) -> None:
    for folder in parent.glob(".making-*"):
        if time.time() - folder.stat().st_mtime > _STALE_S:
            shutil.rmtree(folder, ignore_errors=True)


def _flush(file: Path) -> None:
    """To the disk: a rename may outlive a power cut that the bytes did not."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
