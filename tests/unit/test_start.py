"""app.start: what the installed commands call, and Ctrl-C while their modules load."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from app import start
from eval.__main__ import PACKAGES

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


def test_ingest_starts_without_the_text_splitters() -> None:
    """They bring 230 modules and 0.1 s, which a run without new files does not need."""
    listed = (
        "import sys, ingest.cli, ingest.pipeline; print(*(name.partition('.')[0] for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", listed], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert {"ingest", "numpy"} <= set(done.stdout.split())
    assert not {"langchain_text_splitters", "langchain_core"} & set(done.stdout.split())


def test_the_installed_commands_are_these() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert scripts == {
        name: f"app.start:{name.replace('-', '_')}" for name in ("pgask", "ingest", "rag-eval")
    }
    assert all(callable(getattr(start, target.partition(":")[2])) for target in scripts.values())


def test_rag_eval_names_the_extra_that_it_lacks() -> None:
    """Without site-packages (-S) there is no evaluation package."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "eval", "run", "--json"],
        cwd=ROOT, capture_output=True, check=False, timeout=60, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'pgask[eval]'" in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "no_eval_packages"


def test_the_extra_eval_is_what_rag_eval_looks_for_and_the_dev_group_has_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extra = project["project"]["optional-dependencies"]["eval"]
    assert sorted(re.match(r"[\w-]+", line)[0].replace("-", "_") for line in extra) == sorted(PACKAGES)  # type: ignore[index]
    assert set(extra) <= set(project["dependency-groups"]["dev"])


def test_the_wheel_has_neither_benches_nor_the_fidelity_set() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    builder = WheelBuilder(str(ROOT), config=None)
    names = {file.distribution_path for file in builder.recurse_included_files()}
    assert "eval/cli.py" in names
    assert not [name for name in names if name.startswith(tuple(wheel["exclude"]))]
    outside = re.compile(r"^\s*(from|import) eval\.(bench|fidelity)\b", re.MULTILINE)
    assert not [
        name for name in names if name.endswith(".py") and outside.search((ROOT / name).read_text("utf-8"))
    ]
