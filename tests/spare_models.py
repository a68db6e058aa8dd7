"""Embedding models beside the bundled ones, as folders that sentence-transformers reads, made within a test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from app.encoders.model_folder import find_model

_WORDS = "embeddings.word_embeddings.weight"


def save_cut_model(folder: Path, *, layers: int = 2, reads: bool = True) -> Path:
    """The bundled English model's first layers: smaller, quicker, and another space. Unless it `reads`, all words are
    one to it, so that its vectors tell hardly more than how long a text is."""
    bundled = find_model(None)
    shutil.copytree(bundled, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    weights = load_file(bundled / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if _layer(name) < layers}
    if not reads:
        kept[_WORDS] = torch.zeros_like(kept[_WORDS]) + kept[_WORDS].mean(0)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": layers}), "utf-8")
    return folder


def _layer(name: str) -> int:
    """The layer that a tensor belongs to; -1 for those of none."""
    before, _, after = name.partition("encoder.layer.")
    return int(after.partition(".")[0]) if after and not before else -1
