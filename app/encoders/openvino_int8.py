"""8-bit quantization of a converted model: weights and activations, calibrated on texts that come with the package.

Post-training static quantization by NNCF with SmoothQuant (Xiao et al. 2022), which moves the spread of activations
into the weights: per-tensor activations of a transformer have outliers that 8 bits can't hold otherwise.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.encoders import TokenMatrix
from app.errors import ConfigError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

INT8_RECIPE: Final = "int8-1"  # named in the embedding space: raised when other vectors come out
_ALPHA: Final = (
    0.95  # how much of the spread moves; of .5, .95 and none the one closest to float32 (eval/LOG.md)
)
_WINDOW_TOKENS: Final = 126


def calibration_windows(tokenizer: Tokenizer, max_tokens: int) -> list[TokenMatrix]:
    """Paragraphs in English and Chinese as int64 arrays (1, tokens), special tokens included."""
    text = (files("app.encoders") / "calibration.txt").read_text("utf-8")
    rows = [tokenizer.encode(line).ids for line in text.splitlines() if line]
    most = min(max_tokens, _WINDOW_TOKENS + 2)
    return [
        np.array([row[: most - 1] + row[-1:] if len(row) > most else row], dtype=np.int64) for row in rows
    ]


def quantize(ir: Any, inputs: Sequence[dict[str, Any]]) -> Any:
    """An openvino.Model in 8 bits, made from one in float32, calibrated with inputs by their names.

    Raises ConfigError where NNCF is not installed.
    """
    if importlib.util.find_spec("nncf") is None:
        raise ConfigError(
            "PGASK_EMBEDDING_DTYPE=int8 needs NNCF to make the model: pip install 'pgask[openvino-int8]', or set auto."
        )
    with _quiet():
        nncf: Any = importlib.import_module("nncf")
        nncf.set_log_level(logging.ERROR)
        return nncf.quantize(
            ir,
            nncf.Dataset(list(inputs)),
            subset_size=len(inputs),
            model_type=nncf.ModelType.TRANSFORMER,
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=_ALPHA)
            ),
        )


@contextlib.contextmanager
def _quiet() -> Any:
    """Without NNCF's progress bars on standard output, which is for our own replies."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
