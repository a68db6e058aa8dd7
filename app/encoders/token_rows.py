"""The matrix of a large vocabulary, taken out of its model: rows are read from a mapped file as tokens ask for them.

A multilingual model has 250,000 rows, four fifths of its weights. A collection's languages touch a small part of them,
and only the pages that were touched take memory. What is read equals what the model would have looked up, bit for bit.
"""

from __future__ import annotations

import json
import shutil
import weakref
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.encoders import TokenMatrix

LEAST_BYTES: Final = 64 << 20  # of the matrix in float32; the one of a smaller model stays in it
KEPT_ROWS: Final = 1024  # that the model keeps: special tokens are among the first, and tracing needs some
_BLOCK_ROWS: Final = 8192
_WEIGHTS: Final = "model.safetensors"
_CONFIG: Final = "config.json"


class Vocabulary:
    """Rows of a .npy file, float16 or float32 (tokens, numbers); the file may be deleted while this is used."""

    def __init__(self, path: Path, *, deletes: Path | None = None) -> None:
        """`deletes` is a folder that goes with this object."""
        self.path = path
        self._rows = np.load(path, mmap_mode="r")
        if deletes is not None:
            weakref.finalize(self, shutil.rmtree, deletes, ignore_errors=True)

    @property
    def dimension(self) -> int:
        return int(self._rows.shape[1])

    def rows(self, ids: TokenMatrix) -> npt.NDArray[np.float32]:
        """float32 (rows, tokens, numbers) for ids (rows, tokens). Raises IndexError for an id that it hasn't."""
        return np.take(self._rows, ids, axis=0).astype(np.float32)


def take_out(folder: Path, into: Path) -> Path | None:
    """Write the matrix of a model's folder to `into`/vocabulary.npy, and return the folder of a model without it.

    That one keeps KEPT_ROWS rows and has all other files as links. None where the vocabulary is small, where it isn't
    clear which matrix it is (weights in several files, another layout, tied weights), and where there is no room.
    """
    from safetensors import SafetensorError

    try:
        return _take_out(folder, into)
    except (OSError, ValueError, SafetensorError):  # a broken folder is told by who loads it whole
        return None


def _take_out(folder: Path, into: Path) -> Path | None:
    from safetensors import safe_open

    config = _config_of(folder)
    size = config.get("vocab_size")
    special = [config.get(f"{name}_token_id") or 0 for name in ("pad", "bos", "eos", "unk")]
    are_kept = all(
        isinstance(one, int) and 0 <= one < KEPT_ROWS for one in special
    )  # some have lists of them
    if not isinstance(size, int) or size <= KEPT_ROWS or not are_kept:
        return None
    with safe_open(folder / _WEIGHTS, framework="numpy") as weights:
        shapes = {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118 (no dict)
        found = [name for name, shape in shapes.items() if shape[:1] == [size]]
        if len(found) != 1 or len(shapes[found[0]]) != 2 or size * shapes[found[0]][1] * 4 < LEAST_BYTES:
            return None
        matrix = weights.get_slice(found[0])
        dtype = {"F16": np.float16, "F32": np.float32}.get(matrix.get_dtype())
        if dtype is None:
            return None
        _write_rows(matrix, size, np.dtype(dtype), into / "vocabulary.npy")
        rest = {name: weights.get_tensor(name) for name in shapes if name != found[0]}
        _write_model(folder, into / "model", config, rest | {found[0]: matrix[:KEPT_ROWS]})
    return into / "model"


def _config_of(folder: Path) -> dict[str, Any]:
    if not (folder / _WEIGHTS).is_file() or not (folder / _CONFIG).is_file():
        return {}
    found = json.loads((folder / _CONFIG).read_text("utf-8"))
    return found if isinstance(found, dict) else {}


def _write_rows(matrix: Any, size: int, dtype: np.dtype[Any], path: Path) -> None:
    """Block by block: the whole need not be in memory."""
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
        np.lib.format.write_array_header_2_0(file, header | {"shape": tuple(matrix.get_shape())})
        for first in range(0, size, _BLOCK_ROWS):
            file.write(np.ascontiguousarray(matrix[first : min(first + _BLOCK_ROWS, size)]).tobytes())


def _write_model(folder: Path, into: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    from safetensors.numpy import save_file

    into.mkdir()
    for entry in folder.iterdir():
        if entry.name not in (_WEIGHTS, _CONFIG):
            (into / entry.name).symlink_to(entry.resolve())
    (into / _CONFIG).write_text(json.dumps(config | {"vocab_size": KEPT_ROWS}), "utf-8")
    save_file(tensors, into / _WEIGHTS, metadata={"format": "pt"})
