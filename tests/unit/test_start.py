"""app.start: what the installed commands call, and Ctrl-C while their modules load."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app import start

ROOT = Path(__file__).parents[2]

# Sends itself Ctrl-C when the command's first foreign module is looked for.
INTERRUPTED = """
import os, signal, sys
class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupter())
from app import start
getattr(start, sys.argv[1])()
"""


@pytest.mark.parametrize("command", ["pgask", "ingest", "rag_eval"])
def test_ctrl_c_while_a_command_loads_is_an_exit_status_and_no_traceback(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, command], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


# Sends itself Ctrl-C when the command is done and the interpreter ends.
INTERRUPTED_LATE = """
import atexit, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
atexit.register(os.kill, os.getpid(), signal.SIGINT)
sys.argv[1:] = ["--help"]
from app import start
start.ingest()
"""


def test_ctrl_c_while_the_interpreter_ends_is_no_traceback_and_loses_no_output() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_LATE], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (130, b"")
    assert b"--dry-run" in done.stdout


def test_nothing_slow_is_loaded_before_ctrl_c_is_caught() -> None:
    listed = "import sys, app.start; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", listed], cwd=ROOT, capture_output=True, check=True, timeout=60, text=True
    )
    loaded = set(done.stdout.split())
    assert "app.start" in loaded
    assert not loaded & {"enum", "importlib", "re", "signal", "typing"}


def test_the_installed_commands_are_these() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert scripts == {
        name: f"app.start:{name.replace('-', '_')}" for name in ("pgask", "ingest", "rag-eval")
    }
    assert all(callable(getattr(start, target.partition(":")[2])) for target in scripts.values())
