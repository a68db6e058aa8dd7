"""Models converted for OpenVINO, kept in a folder each, named after everything that made it: weights, configuration,
versions. What is there is read without torch; what isn't, is converted once, by one process at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import structlog

from app.encoders import TokenMatrix
from app.encoders.model_folder import config_sha256, file_sha256
from app.encoders.openvino_converting import MAKING, ConversionError, convert
from app.encoders.openvino_int8 import INT8_RECIPE, calibration_windows, quantize
from app.encoders.openvino_ir import About, OpenVinoEncoder, Parts, core, inputs_of, openvino
from app.encoders.token_rows import Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEAST_INT8_COSINE: Final = (
    0.99  # mean of a quantized model to the exact one, on the texts it was calibrated with
)
_FORMAT: Final = 2  # raised when what is in the folder changes
_STALE_S: Final = 3600.0  # a half-made folder that is older belongs to a process that was killed
_WAITED_S: Final = 300.0  # for another process that converts the same; then this one does it, too
_POLLED_S: Final = 0.2
_log = structlog.get_logger(__name__)


def load_openvino(folder: Path, weights_sha256: str, dtype: str, cache: Path | None) -> OpenVinoEncoder:
    """Load a model from `cache`, converting it first where it is not there yet; None: convert each time.

    `dtype` "int8" is made from the conversion in float32, by app.encoders.openvino_int8. Raises ConversionError where
    OpenVINO can't run the model, ConfigError where torch can't load it.
    """
    made_of = [weights_sha256, config_sha256(folder), version("openvino"), version("sentence-transformers")]
    kept = None if cache is None else _kept_name(cache, made_of)
    kept_int8 = None if cache is None else _kept_name(cache, [*made_of, INT8_RECIPE])

    def exact() -> Parts:
        return _kept_or_made(kept, lambda: convert(folder, cache))

    def wanted() -> Parts:
        return exact() if dtype != "int8" else _kept_or_made(kept_int8, lambda: _quantize(exact()))

    there = kept_int8 if dtype == "int8" else kept
    with contextlib.nullcontext() if there is None or there.is_dir() else _alone(there.parent):
        return OpenVinoEncoder(*wanted(), dtype)


def _kept_name(cache: Path, made_of: Sequence[str]) -> Path:
    digest = hashlib.sha256("\n".join([str(_FORMAT), *made_of]).encode()).hexdigest()
    return cache / f"ir-{digest[:32]}"


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While no other process converts into `folder`: two at once take twice the memory for one result.

    The kernel takes the lock from one that is killed. Where there can be none, or it takes too long, without.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # then nothing can be kept, either
        yield
        return
    try:
        ends = time.monotonic() + _WAITED_S
        while not _is_locked(descriptor) and time.monotonic() < ends:
            time.sleep(_POLLED_S)
        yield
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody else's, or a file system without locks
        return False
    return True


def _kept_or_made(kept: Path | None, make: Callable[[], Parts]) -> Parts:
    if kept is None:
        return make()
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
    quantized = quantize(ir, [inputs_of(ids, np.ones_like(ids), vocabulary) for ids in windows])
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


def _read(kept: Path, tokenizer: Tokenizer | None = None) -> Parts | None:
    """What `_keep` wrote, its tokenizer only where none is given: that of a large vocabulary takes 300 MB.

    None where there is nothing, or nothing whole, or it is another user's.
    """
    from tokenizers import Tokenizer

    try:
        if kept.stat().st_uid not in (os.geteuid(), 0):
            return None
        about = About(**json.loads((kept / "about.json").read_text("utf-8")))
        if file_sha256(kept / "model.bin") != about.model_sha256:
            return None
        vocabulary = kept / "vocabulary.npy"
        if about.vocabulary_sha256 and file_sha256(vocabulary) != about.vocabulary_sha256:
            return None
        return (
            core().read_model(kept / "model.xml"),
            tokenizer or Tokenizer.from_str((kept / "tokenizer.json").read_text("utf-8")),
            about,
            Vocabulary(vocabulary) if about.vocabulary_sha256 else None,
        )
    except FileNotFoundError:
        return None
    except Exception as error:  # both libraries raise bare Exception and RuntimeError for a bad file
        _log.warning("kept OpenVINO model can't be read", folder=str(kept), error=str(error)[:200])
        return None


def _keep(kept: Path, ir: Any, tokenizer: Tokenizer, about: About, vocabulary: Vocabulary | None) -> None:
    """Write a converted model so that it is there whole or not at all; a folder that can't be written is logged."""
    making: Path | None = None
    try:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear_stale(kept.parent)
        making = Path(tempfile.mkdtemp(prefix=MAKING, dir=kept.parent))
        openvino().save_model(ir, making / "model.xml", compress_to_fp16=False)
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
    for folder in parent.glob(f"{MAKING}*"):
        if time.time() - folder.stat().st_mtime > _STALE_S:
            shutil.rmtree(folder, ignore_errors=True)


def _flush(file: Path) -> None:
    """To the disk: a rename may outlive a power cut that the bytes did not."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
