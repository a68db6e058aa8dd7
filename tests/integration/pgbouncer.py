"""A real PgBouncer before a database, where one is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.server.account import open_way, server_account

KEEPS_PREPARED: Final = (1, 21)


def version() -> tuple[int, ...]:
    """Of the PgBouncer on the PATH; empty where there is none."""
    program = shutil.which("pgbouncer")
    if program is None:
        return ()
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"PgBouncer (\d+)\.(\d+)", said)
    assert found is not None, said
    return int(found[1]), int(found[2])


needs_new = pytest.mark.skipif(
    version() < KEEPS_PREPARED, reason="needs PgBouncer 1.21 or newer on the PATH; Debian 12 has 1.18"
)
needs_any = pytest.mark.skipif(version() == (), reason="needs PgBouncer on the PATH")


class PgBouncer:
    """Use as a context manager; `url` leads through it."""

    def __init__(self, url: str, folder: Path, mode: str, *, size: int = 2, prepared: int = 200) -> None:
        to = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        account = server_account(folder / "none")
        (folder / "users.txt").write_text(f'"{to["user"]}" "{to["password"]}"\n')
        keeps = f"max_prepared_statements = {prepared}\n" if version() >= KEEPS_PREPARED else ""
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{to['dbname']} = host={to['host']} port={to['port']} dbname={to['dbname']}\n"
            f"[pgbouncer]\nlisten_addr =\nlisten_port = {to['port']}\nunix_socket_dir = {folder}\nauth_type = plain\n"
            f"auth_file = {folder}/users.txt\npool_mode = {mode}\ndefault_pool_size = {size}\n{keeps}"
            "ignore_startup_parameters = extra_float_digits\n"
        )
        for path in (folder, *folder.iterdir()):
            account.own(path)
        open_way(folder / "pgbouncer.ini", account)
        self._folder, self._account = folder, account
        self.url = make_conninfo(url, host=str(folder))

    def __enter__(self) -> PgBouncer:
        as_user = {"user": self._account.uid, "group": self._account.gid, "extra_groups": []}
        program = shutil.which("pgbouncer")
        assert program is not None
        self._log = (self._folder / "log.txt").open("wb")
        self._process = subprocess.Popen(
            [program, str(self._folder / "pgbouncer.ini")],
            stdout=self._log,
            stderr=self._log,
            **(as_user if self._account.is_other else {}),  # type: ignore[call-overload]
        )
        for _ in range(100):
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return self
        raise AssertionError((self._folder / "log.txt").read_text())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()
