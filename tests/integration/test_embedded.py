"""The embedded PostgreSQL's life on real processes: who stops it, and what a SIGKILL leaves."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.errors import StoreBusyError, StoreError, StoreUnavailableError
from app.server.embedded import DatabaseUrls, EmbeddedPostgres
from tests.integration.processes import (
    PARTICIPANT,
    RACER,
    Participant,
    kill_server,
    leave,
    read_pid,
    rows,
    runs,
    spawn,
    wait_until,
)

pytestmark = pytest.mark.integration


class TestSharing:
    def test_the_last_one_out_stops_the_server(
        self, home: Path, participant: Callable[[], Participant]
    ) -> None:
        first, second = participant(), participant()
        pid = read_pid(home)
        leave(first)
        assert runs(pid)
        with EmbeddedPostgres(home) as server:
            assert read_pid(home) == pid
            leave(second)
            assert rows(server.start().app, "SELECT 1") == [(1,)]
        assert not runs(pid)
        assert not (home / "postgres/data/postmaster.pid").exists()

    def test_a_process_that_forgets_to_stop_stops_at_exit(
        self, home: Path, participant: Callable[[], Participant]
    ) -> None:
        script = PARTICIPANT.replace("server.stop()", "")
        process = spawn(script, str(home), stdin=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        pid = read_pid(home)
        leave(process)
        assert not runs(pid)

    def test_a_killed_process_holds_nothing(self, home: Path, participant: Callable[[], Participant]) -> None:
        killed, last = participant(), participant()
        pid = read_pid(home)
        killed.kill()
        killed.wait()
        assert runs(pid)
        leave(last)
        assert not runs(pid)

    def test_a_server_left_by_killed_processes_is_used_again(
        self, home: Path, participant: Callable[[], Participant]
    ) -> None:
        killed = participant()
        pid = read_pid(home)
        killed.kill()
        killed.wait()
        with EmbeddedPostgres(home):
            assert read_pid(home) == pid
        assert not runs(pid)

    def test_start_again_is_the_same_lease(self, home: Path) -> None:
        server = EmbeddedPostgres(home)
        urls, pid = server.start(), read_pid(home)
        assert server.start() == urls
        server.stop()
        server.stop()
        assert not runs(pid)

    def test_start_again_revives_a_dead_server(self, home: Path) -> None:
        with EmbeddedPostgres(home) as server:
            kill_server(home)
            assert rows(server.start().app, "SELECT 1") == [(1,)]

    def test_threads_share_one_lease(self, home: Path) -> None:
        server, found = EmbeddedPostgres(home), list[DatabaseUrls]()
        threads = [threading.Thread(target=lambda: found.append(server.start())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len(set(found)) == 1
        server.stop()
        assert not (home / "postgres/data/postmaster.pid").exists()

    def test_a_forked_child_can_not_stop_its_parents_server(self, home: Path) -> None:
        script = PARTICIPANT.replace(
            "sys.stdin.readline()",
            "import os\nif os.fork() == 0: server.stop(); os._exit(0)\nos.wait()\nprint('forked', flush=True)\n"
            "sys.stdin.readline()",
        )
        parent = spawn(script, str(home), stdin=subprocess.PIPE)
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("postgresql://")
        assert parent.stdout.readline() == "forked\n"
        with EmbeddedPostgres(home):
            pass  # would be the last one, had the child unlocked the lease
        assert runs(read_pid(home))
        leave(parent)

    def test_leaving_does_not_wait_for_another_one_that_starts(self, home: Path) -> None:
        server = EmbeddedPostgres(home)
        server.start()
        starting = os.open(home / "postgres/start.lock", os.O_RDWR)
        fcntl.flock(starting, fcntl.LOCK_EX)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 10
        os.close(starting)
        with EmbeddedPostgres(home):
            pass
        assert not (home / "postgres/data/postmaster.pid").exists()

    def test_five_rounds_of_four_processes_that_start_and_stop(self, home: Path) -> None:
        racers = [spawn(RACER, str(home), str(seed), "5") for seed in range(4)]
        for racer in racers:
            racer.communicate(timeout=120)
        assert [racer.returncode for racer in racers] == [0, 0, 0, 0]
        assert not (home / "postgres/data/postmaster.pid").exists()


class TestCrash:
    def test_a_sigkill_of_every_process_loses_no_commit(
        self, home: Path, participant: Callable[[], Participant]
    ) -> None:
        processes = [participant(), participant()]
        known = json.loads((home / "postgres/credentials.json").read_text())
        url = make_conninfo(
            host=str(home / "postgres/run"), dbname="pgask", user="pgask_owner", password=known["pgask_owner"]
        )
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (x int)")
            connection.execute("INSERT INTO kept SELECT generate_series(1, 10000)")
            connection.commit()
            connection.execute("INSERT INTO kept VALUES (-1)")  # in flight
            for process in processes:
                process.kill()
            kill_server(home)
            with pytest.raises(psycopg.OperationalError):
                connection.commit()
        assert (home / "postgres/data/postmaster.pid").exists()
        with EmbeddedPostgres(home) as server:
            found = rows(server.start().owner, "SELECT count(*), min(x), max(x) FROM kept")
        assert found == [(10000, 1, 10000)]

    def test_a_server_that_is_kept_comes_back_by_itself(self, home: Path) -> None:
        with EmbeddedPostgres(home) as server, server.kept(0.05):
            url, pid = server.start().app, read_pid(home)
            kill_server(home)
            wait_until(lambda: (home / "postgres/data/postmaster.pid").exists() and read_pid(home) != pid)
            server.start()  # waits until it is ready
            assert rows(url, "SELECT 1") == [(1,)]
        assert not (home / "postgres/data/postmaster.pid").exists()

    def test_a_sigkill_of_the_postmaster_alone(self, home: Path) -> None:
        with (
            EmbeddedPostgres(home) as server,
            contextlib.closing(psycopg.connect(server.start().app)) as busy,
        ):
            busy.execute("SELECT 1")
            os.kill(read_pid(home), signal.SIGKILL)  # its children need a moment to notice
            assert rows(server.start().app, "SELECT 1") == [(1,)]
            with pytest.raises(psycopg.OperationalError):
                busy.execute("SELECT 1")

    def test_a_pid_file_that_names_somebody_else(self, home: Path) -> None:
        pid_file = home / "postgres/data/postmaster.pid"
        lines = [
            str(os.getpid()),
            str(home / "postgres/data"),
            "0",
            "5432",
            str(home / "postgres/run"),
            "",
            "1 2",
        ]
        pid_file.write_text("\n".join(lines))
        with EmbeddedPostgres(home) as server:
            assert read_pid(home) != os.getpid()
            assert rows(server.start().app, "SELECT 1") == [(1,)]

    @pytest.mark.parametrize("content", ["", "12", "junk\n"])
    def test_a_damaged_pid_file(self, home: Path, content: str) -> None:
        (home / "postgres/data/postmaster.pid").write_text(content)
        with EmbeddedPostgres(home) as server:
            assert rows(server.start().app, "SELECT 1") == [(1,)]

    def test_a_half_made_cluster_is_made_again(self, home: Path) -> None:
        folder = home / "postgres"
        (folder / "data").rename(folder / "data.new")  # as after a crash just before the rename …
        (folder / "data.new/PG_VERSION").unlink()  # … or earlier
        passwords = (folder / "credentials.json").read_text()
        with EmbeddedPostgres(home) as server:
            assert rows(server.start().app, "SELECT session_user") == [("pgask_app",)]
        assert not (folder / "data.new").exists()
        assert (folder / "credentials.json").read_text() == passwords

    def test_the_wait_for_a_recovery_is_bounded(self, home: Path) -> None:
        with EmbeddedPostgres(home):
            pid = read_pid(home)
            os.kill(pid, signal.SIGSTOP)  # accepts nothing, as in a long recovery
            try:
                with pytest.raises(StoreUnavailableError, match="still starting") as caught:
                    EmbeddedPostgres(home, start_timeout_s=0.5).start()
            finally:
                os.kill(pid, signal.SIGCONT)
            assert caught.value.code == "start_timeout"
            assert runs(pid)


def test_f_201_what_the_running_server_refuses_is_told_by_name(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        with psycopg.connect(server.start().owner, autocommit=True) as owner:
            owner.execute("ALTER DATABASE pgask CONNECTION LIMIT 1")
            with pytest.raises(StoreBusyError) as full:
                EmbeddedPostgres(home).start()
        assert full.value.code == "too_many_connections"
        server.create_database("twice_test")
        with pytest.raises(StoreError, match="exists") as there:
            server.create_database("twice_test")
        assert there.value.code == "store_error"
