"""The embedded PostgreSQL in surroundings that do not fit: each fault is one line that names the way out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.errors import ConfigError, StoreError
from app.server.embedded import EmbeddedPostgres
from tests.integration.processes import UNPRIVILEGED, mode, rows, spawn

pytestmark = pytest.mark.integration


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
        assert not (home / "postgres/data/postmaster.pid").exists()  # what a failed start started, it stopped

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
