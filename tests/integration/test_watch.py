"""`ingest --watch` as a process of its own: it follows a folder, outlives what goes wrong, and ends cleanly."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.store.connection import Database
from tests.integration.ingesting import age, random_text
from tests.integration.processes import ROOT, Participant, kill_server, rows
from tests.integration.test_ingest_cli import COMMAND, environment, write

pytestmark = [pytest.mark.integration, pytest.mark.model]

Watching = subprocess.Popen[str]
LARGE = 20_000_000  # bytes


@contextmanager
def watching(*arguments: str | Path, settings: dict[str, str]) -> Iterator[Watching]:
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments), "--watch", "--json"],
        cwd=ROOT,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_object(process: Watching) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr and process.stderr.read()[-2_000:]
    found: dict[str, Any] = json.loads(line)
    return found


def next_change(process: Watching) -> dict[str, Any]:
    """The next report of a run that changed anything."""
    while True:
        found = next_object(process)
        if "error" in found or found["new"] or found["changed"] or found["renamed"] or found["removed"]:
            return found


def bytes_read(process: Watching) -> int:
    """By the process alone, from files and pipes."""
    return int(Path(f"/proc/{process.pid}/io").read_text().split()[1])


def end(process: Watching, with_signal: signal.Signals = signal.SIGINT) -> tuple[int, str]:
    process.send_signal(with_signal)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


def test_a_folder_is_followed_until_ctrl_c(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", a=random_text(1, 20), b=random_text(2, 20))
    (corpus / "large.html").write_text(f"<p>{random_text(5, 20)}</p><!--{' ' * LARGE}-->", "utf-8")
    age(corpus)
    with watching(corpus, "--prune", settings=environment(database)) as process:
        assert next_object(process)["new"] == 3
        for number in range(10):
            write(corpus, **{f"n{number}": random_text(10 + number, 3)})
        first = next_change(process)
        while first["new"] < 10:  # a slow machine may see the burst in parts
            first["new"] += next_change(process)["new"]
        read_before = bytes_read(process)
        write(corpus, a=random_text(3, 20))
        assert next_change(process)["changed"] == 1
        assert bytes_read(process) - read_before < LARGE  # F-103: every change read the whole folder
        (corpus / "b.md").rename(corpus / "moved.md")
        assert next_change(process)["renamed"] == 1
        (corpus / "a.md").unlink()
        assert next_change(process)["removed"] == 1

        (tmp_path / "corpus").rename(tmp_path / "away")  # a failing run ends nothing, and prunes nothing
        assert next_change(process)["error"]["code"] == "path_not_found"
        (tmp_path / "away").rename(tmp_path / "corpus")
        (tmp_path / "corpus").rename(tmp_path / "away")
        corpus.mkdir()  # as an unmounted share leaves it
        found = next_change(process)
        while found["error"]["code"] == "path_not_found":  # the moment without a folder
            found = next_change(process)
        assert found["error"]["code"] == "files_away"
        corpus.rmdir()
        (tmp_path / "away").rename(tmp_path / "corpus")
        write(corpus, last=random_text(4, 20))
        assert next_change(process)["new"] == 1
        code, stderr = end(process)
    assert code == 0, stderr
    assert "Traceback" not in stderr
    assert rows(database.app, "SELECT count(*) FROM pgask.documents") == [(13,)]


def test_an_unmounted_share_is_not_an_emptied_folder(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", a=random_text(1, 20))
    link = tmp_path / "share"
    link.symlink_to(corpus)
    with (
        tempfile.TemporaryDirectory(dir=other_file_system(corpus)) as empty,
        watching(link, "--prune", settings=environment(database)) as process,
    ):
        assert next_object(process)["new"] == 1
        link.unlink()
        link.symlink_to(empty)
        found = next_change(process)
        while "does not exist" in found["error"]["detail"]:  # the moment without a link
            found = next_change(process)
        assert "another file system" in found["error"]["detail"]
        link.unlink()
        link.symlink_to(corpus)
        write(corpus, b=random_text(2, 20))
        assert next_change(process)["new"] == 1
        assert end(process)[0] == 0
    assert rows(database.app, "SELECT count(*) FROM pgask.documents") == [(2,)]


def other_file_system(path: Path) -> Path:
    for folder in (Path("/dev/shm"), Path("/run"), Path("/var/tmp")):
        if os.access(folder, os.W_OK) and folder.stat().st_dev != path.stat().st_dev:
            return folder
    pytest.skip("there is but one file system to write to")


@pytest.mark.long
def test_a_restart_of_the_database_ends_nothing(
    home: Path, participant: Callable[[], Participant], tmp_path: Path
) -> None:
    corpus = write(tmp_path / "corpus", a=random_text(1, 20))
    participant()  # holds the server, so that it runs between the runs
    nowhere = Database(owner="", app="")
    settings = {name: value for name, value in environment(nowhere).items() if not name.startswith("PGASK_")}
    settings["PGASK_EMBEDDING_RUNTIME"] = "torch"  # a new home has no converted model
    subprocess.run(
        [COMMAND[0], "-c", "from app.cli import main; main()", "migrate"],
        cwd=ROOT,
        env=settings | {"PGASK_HOME": str(home)},
        check=True,
        capture_output=True,
    )
    with watching(corpus, settings=settings | {"PGASK_HOME": str(home)}) as process:
        assert next_object(process)["new"] == 1
        kill_server(home)
        write(corpus, b=random_text(2, 20))
        found = next_change(process)
        while "error" in found:  # told once, then tried again
            found = next_change(process)
        assert found["new"] == 1
        code, stderr = end(process, signal.SIGTERM)
    assert code == 0, stderr


@pytest.mark.long
def test_ctrl_c_in_the_middle_of_a_run_is_an_interrupted_one(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", **{f"f{number}": random_text(number, 250) for number in range(40)})
    with watching(corpus, settings=environment(database)) as process:
        while rows(database.app, "SELECT count(*) FROM pgask.documents")[0] < (2,):
            assert process.poll() is None
        code, stderr = end(process)
    assert code == 130
    assert "run the same command again" in stderr


@pytest.mark.long
def test_what_can_not_start_is_not_followed(database: Database, tmp_path: Path) -> None:
    for arguments in ((tmp_path / "none",), (tmp_path, "--dry-run")):
        with watching(*arguments, settings=environment(database)) as process:
            process.communicate(timeout=60)
        assert process.returncode == 2
    shutil.rmtree(tmp_path)
