"""The embedded PostgreSQL: who may connect and do what, and how its databases are made."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.errors import StoreError
from app.server.embedded import DatabaseUrls, EmbeddedPostgres
from tests.integration.processes import mode, read_pid, rows

pytestmark = pytest.mark.integration

Running = tuple[Path, EmbeddedPostgres, DatabaseUrls]


@pytest.fixture(scope="module")
def running(
    made_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, EmbeddedPostgres, DatabaseUrls]]:
    """A server for the tests that only look."""
    home = tmp_path_factory.mktemp("running") / "home"
    subprocess.run(["cp", "-a", str(made_home), str(home)], check=True)
    with EmbeddedPostgres(home) as server:
        yield home, server, server.start()


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
