"""The embedded PostgreSQL on real processes: who may connect, who stops it, and what a SIGKILL leaves."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.errors import ConfigError, StoreError, StoreUnavailableError
from app.store.embedded import DatabaseUrls, EmbeddedPostgres

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]

# A process of its own that uses the server until it is told to leave, or killed.
PARTICIPANT = """
import sys
from pathlib import Path
from app.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start().app, flush=True)
sys.stdin.readline()
server.stop()
"""

# Starts and stops again and again, and uses the server in between.
RACER = """
import random, sys, time
from pathlib import Path
import psycopg
from app.store.embedded import EmbeddedPostgres
pause = random.Random(int(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    with EmbeddedPostgres(Path(sys.argv[1])) as server:
        with psycopg.connect(server.start().app) as connection:
            time.sleep(pause.uniform(0, 0.05))
            assert connection.execute("SELECT 1").fetchone() == (1,)
    time.sleep(pause.uniform(0, 0.05))
"""

# Nothing is read-only for root, so the process becomes nobody before it tries.
UNPRIVILEGED = """
import os, sys
from pathlib import Path
from app.errors import PgaskError
from app.store.embedded import EmbeddedPostgres
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    EmbeddedPostgres(Path(sys.argv[1])).start()
except PgaskError as error:
    print(type(error).__name__, error.code, error)
"""

Participant = subprocess.Popen[str]


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


def spawn(script: str, *arguments: str, stdin: int = subprocess.DEVNULL) -> Participant:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, text=True)


def leave(process: Participant) -> None:
    """Tell a participant to stop, and wait until it has."""
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def read_pid(home: Path) -> int:
    """The postmaster's process id."""
    return int((home / "postgres/data/postmaster.pid").read_text().splitlines()[0])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in task.read_text().split()]


def kill_server(home: Path) -> None:
    """SIGKILL to the postmaster and to all its processes, as the out-of-memory killer or a power cut does."""
    pid = read_pid(home)
    for victim in (pid, *children(pid)):
        os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not runs(pid))


def wait_until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def running(
    made_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, EmbeddedPostgres, DatabaseUrls]]:
    """A server for the tests that only look."""
    home = tmp_path_factory.mktemp("running") / "home"
    subprocess.run(["cp", "-a", str(made_home), str(home)], check=True)
    with EmbeddedPostgres(home) as server:
        yield home, server, server.start()


Running = tuple[Path, EmbeddedPostgres, DatabaseUrls]


class TestWhoMayDoWhat:
    def test_neither_role_has_any_special_right(self, running: Running) -> None:
        attributes = "rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
        found = rows(
            running[2].app,
            f"SELECT rolname, {attributes} FROM pg_roles WHERE rolname LIKE 'pgask%' ORDER BY rolname",
        )
        nothing_but_login = (True, False, False, False, False, False)
        assert found == [("pgask_app", *nothing_but_login), ("pgask_owner", *nothing_but_login)]
        assert rows(running[2].app, "SELECT session_user, current_database()") == [("pgask_app", "pgask")]

    def test_owner_owns_the_database_and_app_owns_nothing(self, running: Running) -> None:
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'pgask'"
        assert rows(running[2].app, owner) == [("pgask_owner",)]
        assert rows(
            running[2].app, "SELECT count(*) FROM pg_class WHERE relowner = 'pgask_app'::regrole"
        ) == [(0,)]
        assert rows(
            running[2].app, "SELECT count(*) FROM pg_auth_members WHERE member = 'pgask_app'::regrole"
        ) == [(0,)]

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE SCHEMA mine",
            "CREATE TABLE public.mine (x int)",
            "CREATE TEMPORARY TABLE mine (x int)",
            "CREATE DATABASE mine_test",
            "CREATE ROLE mine",
            "CREATE EXTENSION vector SCHEMA public",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_read_file('pg_hba.conf')",
            "SET ROLE pgask_owner",
        ],
    )
    def test_app_may_not(self, running: Running, statement: str) -> None:
        with (
            psycopg.connect(running[2].app, autocommit=True) as connection,
            pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.DuplicateObject)),
        ):
            connection.execute(statement.encode())

    def test_owner_may_make_schemas_and_vectors(self, running: Running) -> None:
        with psycopg.connect(running[2].owner) as connection:
            connection.execute("CREATE SCHEMA docs")
            connection.execute("CREATE TABLE docs.v (e vector(2))")
            connection.execute("INSERT INTO docs.v VALUES ('[1,2]')")
            connection.rollback()

    @pytest.mark.parametrize("role", ["postgres", "pgask_owner", "pgask_app"])
    @pytest.mark.parametrize("password", [None, "", "wrong"])
    def test_nobody_connects_without_the_password(
        self, running: Running, role: str, password: str | None
    ) -> None:
        host = conninfo_to_dict(running[2].app)["host"]
        with pytest.raises(psycopg.OperationalError, match=r"password|no password supplied"):
            psycopg.connect(make_conninfo(host=host, dbname="pgask", user=role, password=password))

    def test_other_databases_are_closed(self, running: Running) -> None:
        for database in ("postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(running[2].app, dbname=database)

    def test_files_are_private(self, running: Running) -> None:
        home = running[0]
        for folder in (
            home,
            home / "postgres",
            *(home / "postgres" / name for name in ("data", "run", "log")),
        ):
            assert mode(folder) == 0o700, folder
        for name in ("credentials.json", "lease", "start.lock", "log/postgres.log", "data/pg_hba.conf"):
            assert mode(home / "postgres" / name) == 0o600, name
        socket = home / "postgres/run/.s.PGSQL.5432"
        assert stat.S_ISSOCK(socket.lstat().st_mode)
        assert mode(socket) == 0o700

    def test_no_tcp_listener(self, running: Running) -> None:
        assert rows(running[2].app, "SHOW listen_addresses") == [("",)]
        pid = read_pid(running[0])
        held = {
            link.readlink().name.removeprefix("socket:[").removesuffix("]")
            for link in Path(f"/proc/{pid}/fd").iterdir()
            if link.is_symlink() and str(link.readlink()).startswith("socket:[")
        }
        tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
        listening = {
            line.split()[9]
            for table in tables
            if table.exists()
            for line in table.read_text().splitlines()[1:]
            if line.split()[3] == "0A"
        }
        assert held, "the postmaster has at least its Unix socket"
        assert not held & listening

    def test_server_is_in_a_session_of_its_own(self, running: Running) -> None:
        assert os.getsid(read_pid(running[0])) != os.getsid(0)  # so no Ctrl-C of ours reaches it


class TestDatabases:
    def test_locale_and_encoding_do_not_come_from_the_machine(self, running: Running) -> None:
        query = (
            "SELECT pg_encoding_to_char(encoding), datlocprovider, datlocale FROM pg_database "
            "WHERE datname = 'pgask'"
        )
        assert rows(running[2].app, query) == [("UTF8", "b", "C.UTF-8")]
        assert rows(running[2].app, "SELECT lower('ÄÖ分块'), 'a' > 'B'") == [("äö分块", True)]

    def test_settings(self, running: Running) -> None:
        names = ("fsync", "full_page_writes", "data_checksums", "jit", "max_connections", "max_wal_size")
        found = [rows(running[2].app, f"SHOW {name}")[0][0] for name in names]
        assert found == ["on", "on", "on", "off", "50", "512MB"]
        assert rows(
            running[2].app, "SELECT extversion >= '0.8' FROM pg_extension WHERE extname = 'vector'"
        ) == [(True,)]

    def test_a_test_database_is_a_closed_copy_of_its_template(self, running: Running) -> None:
        server = running[1]
        original = server.create_database("one_test")
        with psycopg.connect(original.owner) as connection:
            connection.execute("CREATE TABLE t AS SELECT 42 AS x")
        copy = server.create_database("two_test", template="one_test")
        assert rows(copy.owner, "SELECT x FROM t") == [(42,)]
        grants = "SELECT datacl::text FROM pg_database WHERE datname IN ('pgask', 'one_test', 'two_test')"
        assert len({str(row) for row in rows(copy.app, grants)}) == 1
        with psycopg.connect(copy.app) as open_session:
            server.drop_database("two_test")
            with pytest.raises(psycopg.OperationalError):
                open_session.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(copy.app)
        server.drop_database("one_test")
        server.drop_database("one_test")

    @pytest.mark.parametrize(
        "name", ["pgask", "postgres", "x", "x_test; --", "X_test", "_TEST", 'x"_test', ""]
    )
    def test_only_names_of_tests(self, running: Running, name: str) -> None:
        server = running[1]
        with pytest.raises(StoreError, match="_test"):
            server.create_database(name)
        with pytest.raises(StoreError, match="_test"):
            server.create_database("fine_test", template=name)
        with pytest.raises(StoreError, match="_test"):
            server.drop_database(name)

    def test_not_started(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match=r"start\(\)"):
            EmbeddedPostgres(tmp_path / "home").create_database("x_test")


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

    def test_ten_rounds_of_four_processes_that_start_and_stop(self, home: Path) -> None:
        racers = [spawn(RACER, str(home), str(seed), "10") for seed in range(4)]
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


class TestWayOut:
    """Each fault of the surroundings is one line that names the way out."""

    def test_read_only_home(self, tmp_path: Path) -> None:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o555)
        done = spawn(UNPRIVILEGED, str(locked / "home"))
        said, _ = done.communicate(timeout=60)
        assert said.startswith("ConfigError home_not_writable PGASK_HOME (")
        assert "set PGASK_HOME to a folder that is" in said
        assert said.count("\n") == 1

    def test_home_below_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(ConfigError, match="PGASK_HOME"):
            EmbeddedPostgres(tmp_path / "file" / "home").start()

    def test_somebody_elses_cluster(self, home: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root to have files of two users")
        subprocess.run(["chown", "-R", "1", str(home)], check=True)
        home.chmod(0o755)
        said, _ = spawn(UNPRIVILEGED, str(home)).communicate(timeout=60)
        assert said.startswith("ConfigError home_not_writable")

    def test_a_long_home_gets_a_short_socket_path(self, made_home: Path, tmp_path: Path) -> None:
        deep = tmp_path / ("很长的路径" * 8) / "with space, comma" / "home"
        deep.parent.mkdir(parents=True)
        subprocess.run(["cp", "-a", str(made_home), str(deep)], check=True)
        with EmbeddedPostgres(deep) as server:
            urls = server.start()
            folder = Path(str(conninfo_to_dict(urls.app)["host"]))
            assert len(os.fsencode(folder)) < 90
            assert mode(folder) == 0o700
            assert rows(urls.app, "SELECT 1") == [(1,)]
        folder.chmod(0o777)
        with pytest.raises(StoreError, match="not a private folder") as caught:
            EmbeddedPostgres(deep).start()
        assert caught.value.code == "unsafe_socket_directory"
        shutil.rmtree(folder)

    def test_cluster_of_another_postgres(self, home: Path) -> None:
        (home / "postgres/data/PG_VERSION").write_text("16\n")
        with pytest.raises(
            StoreError, match=r"made by PostgreSQL 16.*brings PostgreSQL 18.*pg_dump"
        ) as caught:
            EmbeddedPostgres(home).start()
        assert caught.value.code == "postgres_version"

    @pytest.mark.parametrize("content", [None, "{", "[]", '{"postgres": "x"}'])
    def test_credentials_are_gone(self, home: Path, content: str | None) -> None:
        path = home / "postgres/credentials.json"
        path.unlink()
        if content is not None:
            path.write_text(content)
        with pytest.raises(StoreError, match="missing or damaged") as caught:
            EmbeddedPostgres(home).start()
        assert caught.value.code == "credentials_missing"

    def test_credentials_of_another_cluster(self, home: Path) -> None:
        path = home / "postgres/credentials.json"
        path.write_text(json.dumps(dict.fromkeys(("postgres", "pgask_owner", "pgask_app"), "other")))
        with pytest.raises(StoreError, match="do not fit") as caught:
            EmbeddedPostgres(home).start()
        assert caught.value.code == "credentials_mismatch"
        with pytest.raises(StoreError, match="do not fit"):
            EmbeddedPostgres(home).start()

    def test_a_server_that_does_not_come_up_shows_its_log(self, home: Path) -> None:
        with (home / "postgres/data/postgresql.conf").open("a") as file:
            file.write("max_connections = lots\n")
        with pytest.raises(StoreError, match=r"max_connections.*postgres\.log") as caught:
            EmbeddedPostgres(home).start()
        assert caught.value.code == "start_failed"
        assert "\n" not in str(caught.value)

    def test_users_settings_win(self, home: Path) -> None:
        with (home / "postgres/data/postgresql.conf").open("a") as file:
            file.write("work_mem = 7MB\nlisten_addresses = '*'\n")
        with EmbeddedPostgres(home) as server:
            assert rows(server.start().app, "SHOW work_mem") == [("7MB",)]
            assert rows(server.start().app, "SHOW listen_addresses") == [("",)]
