"""A primary and a streaming replica of it, by the programs that the embedded server's package brings."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from app.server.account import Account, open_way, server_account
from app.server.cluster import APP_ROLE, DATABASE, OWNER_ROLE, Layout, locate_binaries

_PORT: Final = 5432  # of sockets in folders of their own
_SETTINGS: Final = """
listen_addresses = ''
wal_level = replica
max_wal_senders = 4
hot_standby = on
hot_standby_feedback = on
fsync = off
shared_buffers = 32MB
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
timezone = 'UTC'
"""


class PostgresServer:
    """A cluster in a folder of its own; `start` and `stop` as often as is wanted."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder)
        self.account: Account = server_account(folder / "none")
        open_way(folder, self.account)
        self.binaries = locate_binaries(self.layout, self.account)
        self.account.own(folder)

    def url(self, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """An address; whoever reaches the socket is let in."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.layout.root), safe='')}&port={_PORT}"

    def start(self) -> None:
        options = f"-k {self.layout.root} -p {_PORT}"
        log = str(self.layout.root / "log.txt")
        self.run("pg_ctl", "-D", str(self.layout.data), "-l", log, "-o", options, "-w", "start")

    def stop(self) -> None:
        """At once, as if the machine had gone."""
        if (self.layout.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", str(self.layout.data), "-m", "immediate", "-w", "stop")

    def run(self, program: str, *arguments: str) -> None:
        done = self.account.run([str(self.binaries / program), *arguments])
        assert done.returncode == 0, (program, done.stderr, done.stdout)

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """As superuser, in a session of its own."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []


def make_primary(folder: Path) -> PostgresServer:
    """A running primary with pgask's roles and an empty database with pgvector."""
    server = PostgresServer(folder)
    data = server.layout.data
    server.run(
        "initdb", f"--pgdata={data}", "--username=postgres", "--auth=trust", "--locale=C", "-E", "UTF8"
    )
    with (data / "postgresql.conf").open("a") as file:
        file.write(_SETTINGS)
    server.start()
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        for role in (OWNER_ROLE, APP_ROLE):
            connection.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS".encode())
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}".encode())
    server.execute("CREATE EXTENSION vector")
    return server


def make_replica(primary: PostgresServer, folder: Path) -> PostgresServer:
    """A running replica of what the primary holds."""
    replica = PostgresServer(folder)
    replica.run(
        "pg_basebackup", "-d", primary.url("postgres", "postgres"), "-D", str(replica.layout.data), "-R", "-c", "fast"
    )  # fmt: skip
    replica.start()
    return replica
