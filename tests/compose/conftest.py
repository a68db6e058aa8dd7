"""The project under test: built, up and filled once; everything that it made is removed at the end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.llama import CONTEXT_TOKENS, make_llama
from tests.compose.stack import ROOT, Stack, free_port

LLAMA_CPP_IMAGE = "pgask-test-llamacpp"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`docker compose up` with the bundled corpus in it."""
    project = f"pgask-test-{os.getpid()}"
    llama = tmp_path_factory.mktemp("llama")
    stack = Stack(
        project,
        {
            "APP_IMAGE": f"{project}:test",
            "PGASK_PORT": str(free_port()),
            "LLAMA": str(llama),
            "PGASK_LLM_MODEL": "/llama/model",
            "PGASK_LLM_CONTEXT_TOKENS": str(CONTEXT_TOKENS),
            "VLLM_ARGS": "--enforce-eager",
            "LLM_GGUF_ARGS": "--model /llama/llama.gguf",
            "LLAMACPP_IMAGE": LLAMA_CPP_IMAGE,
        },
    )
    open_way(llama)
    make_llama(llama)
    try:
        stack.compose("build", "--quiet", timeout_s=1800)
        stack.compose("up", "--detach", timeout_s=600)
        stack.wait_healthy("app", timeout_s=180)
        report = stack.ingest("./corpus")
        assert report["failed"] == []
        assert report["new"] == len(list((ROOT / "corpus").rglob("*.md")))
        yield stack
    finally:
        stack.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout=10")
        subprocess.run(
            ["docker", "image", "rm", stack.variables["APP_IMAGE"]], capture_output=True, check=False
        )


def open_way(folder: Path) -> None:
    """pytest's temporary folders are closed to other users, and root in a container without capabilities is one."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and parent.name.startswith("pg-test"):
            parent.chmod(0o711)
