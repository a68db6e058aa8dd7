"""Embedded servers for the tests in this folder; those that only need a database take `database` instead."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from app.server.embedded import EmbeddedPostgres
from tests.integration.processes import PARTICIPANT, Participant, kill_server, read_pid, spawn


@pytest.fixture(autouse=True)
def _keep_logs() -> Iterator[None]:
    """A command that a test calls in this process logs to a stream that ends with the test: put back what was."""
    was_configured, configuration = structlog.is_configured(), structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    if was_configured:
        structlog.configure(**configuration)
    else:
        structlog.reset_defaults()


@pytest.fixture(scope="module")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose cluster is made and whose server is stopped; initdb takes seconds, so tests copy it."""
    home = tmp_path_factory.mktemp("made") / "home"
    with EmbeddedPostgres(home):
        assert read_pid(home) > 0
    return home


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of `made_home`; a server that a failing test leaves running is killed."""
    target = tmp_path / "home"
    subprocess.run(["cp", "-a", str(made_home), str(target)], check=True)
    yield target
    if (target / "postgres/data/postmaster.pid").exists():
        kill_server(target)


@pytest.fixture
def participant(home: Path) -> Iterator[Callable[[], Participant]]:
    """Starts a process that holds a lease on the server of `home`; ends those that are left."""
    started: list[Participant] = []

    def join() -> Participant:
        process = spawn(PARTICIPANT, str(home), stdin=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql://"), "the participant did not start"
        return process

    yield join
    for process in started:
        process.kill()
        process.communicate()
