"""A large vocabulary outside of its model: the same rows, out of a file, and nothing where it isn't clear which."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from app.encoders import token_rows
from app.encoders.token_rows import KEPT_ROWS, Vocabulary, take_out

ROWS, NUMBERS = 9_000, 8  # more than one block
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _every_matrix_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_rows, "LEAST_BYTES", 1)


def write_model(folder: Path, tensors: dict[str, Any], **config: Any) -> Path:
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"vocab_size": ROWS, "pad_token_id": 1} | config))
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_rows_are_the_matrix_s_to_the_bit(tmp_path: Path, dtype: type[np.floating[Any]]) -> None:
    matrix: np.ndarray[Any, Any] = RANDOM.normal(size=(ROWS, NUMBERS)).astype(dtype)
    other = np.arange(6, dtype=np.float32).reshape(2, 3)
    folder = write_model(tmp_path / "model-folder", {"words": matrix, "layer": other})
    slim = take_out(folder, tmp_path)
    assert slim == tmp_path / "model"
    made = Vocabulary(tmp_path / "vocabulary.npy")
    ids = np.array([[0, 1, ROWS - 1], [8191, 8192, 5]])
    assert made.dimension == NUMBERS
    assert made.rows(ids).dtype == np.float32
    assert (made.rows(ids) == matrix[ids].astype(np.float32)).all()
    with pytest.raises(IndexError):
        made.rows(np.array([[ROWS]]))
    left = load_file(slim / "model.safetensors")
    assert (left["words"] == matrix[:KEPT_ROWS]).all()
    assert (left["layer"] == other).all()
    assert json.loads((slim / "config.json").read_text())["vocab_size"] == KEPT_ROWS
    assert (slim / "tokenizer.json").read_text() == "{}"


def test_a_file_that_is_deleted_meanwhile_is_still_read(tmp_path: Path) -> None:
    matrix = np.ones((ROWS, NUMBERS), dtype=np.float16)
    making = tmp_path / "making"
    making.mkdir()
    assert take_out(write_model(tmp_path / "folder", {"words": matrix}), making)
    made = Vocabulary(making / "vocabulary.npy", deletes=making)
    shutil.rmtree(making)
    assert made.rows(np.array([[7]])).sum() == NUMBERS


def test_its_folder_goes_with_it(tmp_path: Path) -> None:
    making = tmp_path / "making"
    making.mkdir()
    np.save(making / "vocabulary.npy", np.ones((2, 2), dtype=np.float32))
    made = Vocabulary(making / "vocabulary.npy", deletes=making)
    assert making.is_dir()
    del made
    assert not making.exists()


@pytest.mark.parametrize(
    ("names", "config"),
    [
        (("words", "head"), {}),  # tied, or two of them
        ((), {}),
        (("words",), {"vocab_size": None}),
        (("words",), {"vocab_size": ROWS + 1}),
        (("words",), {"pad_token_id": KEPT_ROWS}),
        (("words",), {"eos_token_id": [1, 2]}),
    ],
)
def test_what_isn_t_clear_stays_whole(tmp_path: Path, names: tuple[str, ...], config: dict[str, Any]) -> None:
    tensors = {name: np.ones((ROWS, NUMBERS), dtype=np.float32) for name in names}
    folder = write_model(tmp_path / "folder", tensors | {"layer": np.ones(3, dtype=np.float32)}, **config)
    assert take_out(folder, tmp_path) is None


def test_a_small_one_and_a_broken_one_stay_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_model(tmp_path / "folder", {"words": np.ones((ROWS, NUMBERS), dtype=np.float32)})
    monkeypatch.setattr(token_rows, "LEAST_BYTES", ROWS * NUMBERS * 4 + 1)
    assert take_out(folder, tmp_path) is None
    monkeypatch.setattr(token_rows, "LEAST_BYTES", ROWS * NUMBERS * 4)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    assert take_out(folder, tmp_path) is None
    (folder / "model.safetensors").unlink()
    assert take_out(folder, tmp_path) is None
