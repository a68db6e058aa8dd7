"""The encoder that OpenVINO runs on a CPU: bfloat16 where the hardware has it, and no torch."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from dataclasses import dataclass
from functools import cache, cached_property
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.encoders import FloatMatrix, TokenMatrix
from app.encoders.hardware import cpu_streams, is_bfloat16, processors
from app.encoders.token_rows import Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_KEPT_SHAPES: Final = (
    512  # programs kept for shapes of operators; of 5,000, OpenVINO's default, each takes 30 to 60 KB
)
_first_call = threading.Lock()  # of any model of this process


@dataclass(frozen=True, slots=True)
class About:
    """What the IR does not say of the model."""

    max_tokens: int
    pad_id: int
    unknown_id: int | None
    dimension: int
    model_sha256: str
    vocabulary_sha256: str = ""  # "": the vocabulary is in the model


Parts = tuple[Any, "Tokenizer", About, Vocabulary | None]  # an openvino.Model and what goes with it


class OpenVinoEncoder:
    """Satisfies app.encoders.Encoder."""

    on_gpu = False

    def __init__(
        self, ir: Any, tokenizer: Tokenizer, about: About, vocabulary: Vocabulary | None, dtype: str
    ) -> None:
        """`ir` is an openvino.Model with the inputs of `inputs_of` and one output (rows, dimension)."""
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
        return core().compile_model(
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
        embedded = request.infer(inputs_of(ids, mask, self._vocabulary), share_inputs=True)[0]
        lengths = np.linalg.norm(embedded, axis=1, keepdims=True)
        return np.asarray(embedded / np.maximum(lengths, 1e-12), dtype=np.float32)


def inputs_of(ids: TokenMatrix, mask: TokenMatrix, vocabulary: Vocabulary | None) -> dict[str, Any]:
    """By the names of the model's inputs; `token_rows` where its vocabulary is outside."""
    given = {"input_ids": ids, "attention_mask": mask}
    return given if vocabulary is None else given | {"token_rows": vocabulary.rows(ids)}


@cache
def core() -> Any:
    """One for the process, and never freed: with the last one OpenVINO unloads its plugins, while what a freed model
    has left may still run in them (seen once as a segmentation fault, in a process that had loaded many models)."""
    return openvino().Core()


def openvino() -> Any:
    """The package, without its telemetry: unless told otherwise it reports each import and conversion to its makers.

    Where openvino_telemetry can't be imported, openvino falls back to a stub of its own.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


def is_installed() -> bool:
    """Whether the extra `openvino` is installed."""
    return importlib.util.find_spec("openvino") is not None
