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
from app.encoders.vocabulary import KEPT_ROWS, Vocabulary, take_out

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEAST_COSINE: Final = (
    0.9999  # of a converted model to torch, both in float32; what is lower was converted wrongly
)
LEAST_INT8_COSINE: Final = (
    0.99  # mean of a quantized model to the exact one, on the texts it was calibrated with
)
_FORMAT: Final = 2  # raised when what is in the folder changes
_KEPT_SHAPES: Final = (
    512  # programs kept for shapes of operators; of 5,000, OpenVINO's default, each takes 30 to 60 KB
)
_MAKING: Final = ".making-"
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
    vocabulary_sha256: str = ""  # "": the vocabulary is in the model


Parts = tuple[Any, "Tokenizer", _About, Vocabulary | None]  # an openvino.Model and what goes with it


class OpenVinoEncoder:
    """Satisfies app.encoders.Encoder."""

    on_gpu = False

    def __init__(
        self, ir: Any, tokenizer: Tokenizer, about: _About, vocabulary: Vocabulary | None, dtype: str
    ) -> None:
        """`ir` is an openvino.Model with the inputs of `_inputs` and one output (rows, dimension)."""
        lesser = "auto" if dtype == "int8" else dtype  # what is not quantized
        self._ir = ir
        self._vocabulary = vocabulary
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
            self._infer(
                request, np.full((1, 1), self.pad_id, dtype=np.int64), np.ones((1, 1), dtype=np.int64)
            )
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
        return self._infer(self._request, ids, mask)

    def encode_in_stream(self, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
        free = self._streams
        request = free.get()
        try:
            return self._infer(request, ids, mask)
        finally:
            free.put(request)

    def _infer(self, request: Any, ids: TokenMatrix, mask: TokenMatrix) -> FloatMatrix:
        embedded = request.infer(_inputs(ids, mask, self._vocabulary), share_inputs=True)[0]
        lengths = np.linalg.norm(embedded, axis=1, keepdims=True)
        return np.asarray(embedded / np.maximum(lengths, 1e-12), dtype=np.float32)


def _inputs(ids: TokenMatrix, mask: TokenMatrix, vocabulary: Vocabulary | None) -> dict[str, Any]:
    """By the names of the model's inputs; `token_rows` where its vocabulary is outside."""
    given = {"input_ids": ids, "attention_mask": mask}
    return given if vocabulary is None else given | {"token_rows": vocabulary.rows(ids)}


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
        return _kept_or_made(cache, made_of, lambda: _convert(folder, cache))

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
    return _read(kept, made[1]) or made  # what is read shares its pages with the file


def _quantize(exact: Parts) -> Parts:
    ir, tokenizer, about, vocabulary = exact
    started = time.monotonic()
    windows = calibration_windows(tokenizer, about.max_tokens)
    quantized = quantize(ir, [_inputs(ids, np.ones_like(ids), vocabulary) for ids in windows])
    cosine = _mean_cosine(
        OpenVinoEncoder(ir, tokenizer, about, vocabulary, "float32"),
        OpenVinoEncoder(quantized, tokenizer, about, vocabulary, "int8"),
        windows,
    )
    if not cosine >= LEAST_INT8_COSINE:
        raise ConversionError(f"cosine {cosine:.4f} of int8 to float32")
    _log.info("model quantized", seconds=round(time.monotonic() - started, 1), cosine=round(cosine, 4))
    return quantized, tokenizer, about, vocabulary


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


def _convert(folder: Path, cache: Path | None) -> Parts:
    """Convert a model by tracing it in torch, a large vocabulary apart. Raises ConversionError."""
    started = time.monotonic()
    making = _folder_beside(cache)
    slim = take_out(folder, making)
    vocabulary = None if slim is None else Vocabulary(making / "vocabulary.npy", deletes=making)
    try:
        torch_encoder = load_pytorch(slim or folder, "cpu", "float32")
    finally:
        shutil.rmtree(making if slim is None else slim, ignore_errors=True)
    about = _About(
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
            return Path(tempfile.mkdtemp(prefix=_MAKING, dir=cache))
    return Path(tempfile.mkdtemp(prefix=_MAKING))


def _look_up_outside(ir: Any, dimension: int) -> None:
    """Make an input of the model's lookup in the rows that it kept. Raises ConversionError."""
    openvino = _openvino()
    lookups = [
        node
        for node in ir.get_ops()
        if node.get_type_name() == "Gather"
        and node.input_value(0).get_partial_shape() == openvino.PartialShape([KEPT_ROWS, dimension])
    ]
    if len(lookups) != 1:
        raise ConversionError(f"{len(lookups)} lookups in the vocabulary instead of one")
    shape = openvino.PartialShape([-1, -1, dimension])
    rows = openvino.opset13.parameter(shape, np.float32, name="token_rows")
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
    return _openvino().convert_model(
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


def _read(kept: Path, tokenizer: Tokenizer | None = None) -> Parts | None:
    """What `_keep` wrote, its tokenizer only where none is given: that of a large vocabulary takes 300 MB.

    None where there is nothing, or nothing whole, or it is another user's.
    """
    from tokenizers import Tokenizer

    try:
        if kept.stat().st_uid not in (os.geteuid(), 0):
            return None
        about = _About(**json.loads((kept / "about.json").read_text("utf-8")))
        if file_sha256(kept / "model.bin") != about.model_sha256:
            return None
        vocabulary = kept / "vocabulary.npy"
        if about.vocabulary_sha256 and file_sha256(vocabulary) != about.vocabulary_sha256:
            return None
        return (
            _core().read_model(kept / "model.xml"),
            tokenizer or Tokenizer.from_str((kept / "tokenizer.json").read_text("utf-8")),
            about,
            Vocabulary(vocabulary) if about.vocabulary_sha256 else None,
        )
    except FileNotFoundError:
        return None
    except Exception as error:  # both libraries raise bare Exception and RuntimeError for a bad file
        _log.warning("kept OpenVINO model can't be read", folder=str(kept), error=str(error)[:200])
        return None


def _keep(kept: Path, ir: Any, tokenizer: Tokenizer, about: _About, vocabulary: Vocabulary | None) -> None:
    """Write a converted model so that it is there whole or not at all; a folder that can't be written is logged."""
    making: Path | None = None
    try:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear_stale(kept.parent)
        making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=kept.parent))
        _openvino().save_model(ir, making / "model.xml", compress_to_fp16=False)
        (making / "tokenizer.json").write_text(tokenizer.to_str(), "utf-8")
        fields = asdict(about) | {"model_sha256": file_sha256(making / "model.bin")}
        if vocabulary is not None:
            shutil.copyfile(vocabulary.path, making / "vocabulary.npy")
            fields["vocabulary_sha256"] = file_sha256(making / "vocabulary.npy")
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
    for folder in parent.glob(f"{_MAKING}*"):
        if time.time() - folder.stat().st_mtime > _STALE_S:
            shutil.rmtree(folder, ignore_errors=True)


def _flush(file: Path) -> None:
    """To the disk: a rename may outlive a power cut that the bytes did not."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
