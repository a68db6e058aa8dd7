"""A disk that gets full in the middle of an ingest (R10): files end as `disk_full`, the server goes on answering, and
the next run finishes when there is space again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.errors import StoreError
from app.server.account import server_account
from app.server.cluster import Layout, locate_binaries
from app.server.embedded import EmbeddedPostgres
from app.server.postmaster import find_postmaster, launch, stop_postmaster
from app.store.connection import Database, connect
from app.store.migrate import migrate
from tests.integration.ingesting import ingest, open_run, snapshot, write_corpus
from tests.integration.processes import ROOT, children, kill_server, read_pid, rows, runs, wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system of so many MB, or changes its size; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(megabytes: int) -> Path:
        how = f"remount,size={megabytes}m" if folder.is_mount() else f"size={megabytes}m"
        command = ["mount", "-t", "tmpfs", "-o", how, "none", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        return folder

    yield mount
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


@contextmanager
def served(home: Path) -> Iterator[Database]:
    with EmbeddedPostgres(home) as server:
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app, home=home)
        migrate(database)
        yield database


def states(database: Database) -> set[tuple[object, ...]]:
    return set(rows(database.app, "SELECT status, reason, count(*) FROM pgask.documents GROUP BY 1, 2"))


def test_nothing_is_written_where_the_server_would_stop_itself(
    small_disk: Callable[[int], Path], tmp_path: Path
) -> None:
    disk = small_disk(220)
    corpus = write_corpus(tmp_path / "corpus", 3)
    with served(disk / "home") as database:
        pid = read_pid(disk / "home")
        ingest(database, corpus)
        before = snapshot(database)
        write_corpus(corpus, 8)
        filler = disk / "filler"
        filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 40 * 2**20))
        with open_run(database, home=database.home) as run:
            report = run.execute(run.plan([corpus]))
        assert {failure.code for failure in report.failed} == {"disk_full"}
        assert (report.new, report.unchanged, len(report.failed)) == (0, 3, 5)
        assert all("Free some space" in failure.detail for failure in report.failed)
        assert states(database) == {("ready", None, 3), ("failed", "disk_full", 5)}
        assert snapshot(database) == before  # what was in still answers
        filler.unlink()
        with open_run(database, home=database.home) as run:
            assert run.execute(run.plan([corpus])).new == 5
        ingest(database, corpus, collection="undisturbed")
        assert snapshot(database) == snapshot(database, "undisturbed")
        assert read_pid(disk / "home") == pid  # it never went away


@pytest.fixture
def small_database(home: Path, small_disk: Callable[[int], Path]) -> Iterator[tuple[Database, Path]]:
    """A database whose tables lie on a file system of 18 MB, of a server of its own: where dirty pages can't be
    written, no database of that server can be dropped. And the folder of its tables."""
    space = small_disk(18) / "space"
    space.mkdir()
    for parent in (space.parent, *space.parent.parents):
        if parent.is_relative_to(home.parent.parent):
            parent.chmod(0o755)
    owner = (home / "postgres/data").stat()
    os.chown(space, owner.st_uid, owner.st_gid)
    with EmbeddedPostgres(home) as server:
        urls = server.create_database("small_test")
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        password = json.loads((home / "postgres/credentials.json").read_text())["postgres"]
        admin = make_conninfo(urls.owner, user="postgres", password=password, dbname="postgres")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET autovacuum = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
            connection.execute("ALTER DATABASE small_test SET TABLESPACE small")
        yield database, space
        small_disk(512)  # else the server can't write its pages and stop


@pytest.mark.long
def test_a_server_that_says_its_disk_is_full(
    small_database: tuple[Database, Path], small_disk: Callable[[int], Path], tmp_path: Path
) -> None:
    database, _ = small_database
    corpus = write_corpus(tmp_path / "corpus", 30, sentences=500)
    report = ingest(database, corpus)
    assert {failure.code for failure in report.failed} == {"disk_full"}
    assert 0 < report.new < 30
    assert report.new + len(report.failed) == 30
    partial = snapshot(database)
    small_disk(512)
    assert ingest(database, corpus).new == 30 - report.new
    assert partial < snapshot(database)
    ingest(database, corpus, collection="undisturbed")
    assert snapshot(database) == snapshot(database, "undisturbed")


def test_a_session_that_a_full_disk_refuses(small_database: tuple[Database, Path]) -> None:
    database, space = small_database
    (cached,) = space.rglob("pg_internal.init")
    cached.unlink()  # as after a change of the catalog
    with suppress(OSError), (space / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(2**12))
    with pytest.raises(StoreError) as caught, connect(database.app):
        pass
    assert caught.value.code == "disk_full"
    (space / "filler").unlink()
    assert rows(database.app, "SELECT 1") == [(1,)]


@pytest.mark.long
@pytest.mark.model
def test_the_command_names_each_file_and_the_server_outlives_it(
    small_disk: Callable[[int], Path], tmp_path: Path
) -> None:
    disk = small_disk(64)  # what is left beside an empty cluster holds nothing
    command, environment = ingest_command(write_corpus(tmp_path / "corpus", 3), disk / "home")

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    with served(disk / "home") as database:
        done = run()
        assert done.returncode == 1, done.stderr
        failed = json.loads(done.stdout.splitlines()[-1])["failed"]
        assert [failure["code"] for failure in failed] == ["disk_full"] * 3
        assert "disk_full" in done.stderr
        assert rows(database.app, "SELECT 1") == [(1,)]
        small_disk(400)
        done = run()
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["new"] == 3


@pytest.mark.long
@pytest.mark.model
def test_who_watches_takes_in_what_is_left_once_there_is_space(
    small_disk: Callable[[int], Path], tmp_path: Path
) -> None:
    """No change of a file tells of it: they were left out until one came."""
    disk = small_disk(64)
    command, environment = ingest_command(write_corpus(tmp_path / "corpus", 3), disk / "home")
    with served(disk / "home"):
        process = subprocess.Popen(
            [*command, "--watch"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            assert [failure["code"] for failure in first["failed"]] == ["disk_full"] * 3
            small_disk(400)
            found = json.loads(process.stdout.readline())
            while found["failed"]:
                found = json.loads(process.stdout.readline())
            assert found["new"] == 3
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def ingest_command(corpus: Path, home: Path) -> tuple[list[str], dict[str, str]]:
    """And its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PGASK_")}
    environment = kept | {"PGASK_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    environment["PGASK_EMBEDDING_RUNTIME"] = "torch"  # a new home has no converted model
    return [str(Path(sys.executable).with_name("ingest")), str(corpus), "--json"], environment


def test_a_cluster_on_a_full_disk_says_so_and_comes_back(
    home: Path, small_disk: Callable[[int], Path]
) -> None:
    disk = small_disk(400)
    subprocess.run(["cp", "-a", str(home), str(disk / "home")], check=True)
    with suppress(OSError), (disk / "filler").open("wb") as filler:
        while True:
            filler.write(bytes(2**20))
    with pytest.raises(StoreError) as caught:
        EmbeddedPostgres(disk / "home").start()
    assert caught.value.code == "disk_full"
    (disk / "filler").unlink()
    with EmbeddedPostgres(disk / "home") as server:
        assert rows(server.start().app, "SELECT 1") == [(1,)]


def test_a_service_whose_server_was_stopped_by_a_full_disk_comes_back_by_itself(
    home: Path, small_disk: Callable[[int], Path]
) -> None:
    disk = small_disk(300)
    subprocess.run(["cp", "-a", str(home), str(disk / "home")], check=True)
    with EmbeddedPostgres(disk / "home") as server, server.kept(0.1):
        url = server.start().app
        with suppress(OSError), (disk / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(2**20))
        kill_server(disk / "home")  # what PostgreSQL does itself when it can't extend its log
        log = disk / "home/postgres/log/postgres.log"
        wait_until(lambda: b"No space left on device" in log.read_bytes() or answers(url), timeout_s=60)
        (disk / "filler").unlink()
        wait_until(lambda: answers(url), timeout_s=60)


def answers(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        return rows(url, "SELECT 1") == [(1,)]
    return False


def test_a_server_that_is_recovering_is_stopped_at_once(home: Path) -> None:
    """A fast shutdown waits for the end of the recovery, which on a full disk may not come."""
    server = EmbeddedPostgres(home)
    with psycopg.connect(server.start().owner) as connection:
        connection.execute("CREATE TABLE x AS SELECT generate_series(1, 400000)")
    servers = children(read_pid(home))
    kill_server(home)
    wait_until(lambda: not any(map(runs, servers)))
    log = home / "postgres/log/postgres.log"
    said = log.stat().st_size
    layout = Layout(home / "postgres")
    account = server_account(layout.data)
    assert find_postmaster(layout, account) is None
    postmaster = launch(layout, locate_binaries(layout, account), account)
    recovering: list[int] = []

    def is_held() -> bool:
        for child in children(postmaster.pid):
            if b"startup" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGSTOP)
                recovering.append(child)
        return bool(recovering)

    wait_until(is_held)
    stop_postmaster(postmaster)
    assert not runs(postmaster.pid)
    told = log.read_bytes()[said:]
    assert b"received immediate shutdown request" in told
    assert b"received fast shutdown request" not in told
    with EmbeddedPostgres(home) as again:
        assert rows(again.start().owner, "SELECT count(*) FROM x") == [(400_000,)]
