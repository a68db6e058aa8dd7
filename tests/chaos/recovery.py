"""A crash with much of the log not yet in the tables (R3): the service must be ready again with no hand on it.

    .venv/bin/python -m tests.chaos.recovery [--megabytes N] [--seed S] [--serve] [--out FOLDER]

Writes rows until so many MB of log lie behind the last checkpoint (which the product's own settings would not let
come to so much), kills every process of the server, and starts again as the product does; with --serve until `/readyz`
of `pgask serve` says yes. Prints one JSON object with the seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psycopg

from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database
from app.store.migrate import migrate
from tests.chaos.evidence import ROOT, report
from tests.integration.processes import kill_server

LIMIT_S: Final = 120.0
_ROWS: Final = 20_000  # a statement; about 10 MB of log
_UNCHECKED: Final = "max_wal_size = 8GB\ncheckpoint_timeout = 1h\nautovacuum = off\n"


@dataclass(slots=True)
class Figures:
    """What a run found."""

    pending_mb: int = 0
    rows: int = 0
    ready_s: float = 0.0  # until the database accepts
    served_s: float | None = None  # until the service says that it is ready
    lost: int = 0

    def passed(self) -> bool:
        """Tell whether it came back in time with all that was committed."""
        return not self.lost and self.rows > 0 and max(self.ready_s, self.served_s or 0) <= LIMIT_S


def run(home: Path, megabytes: int, *, serve: bool = False) -> Figures:
    """Crash a server below `home`, which is made where it is missing."""
    figures = Figures()
    with EmbeddedPostgres(home) as server:
        urls = server.start()
        migrate(Database(owner=urls.owner, app=urls.app))
    settings = home / "postgres/data/postgresql.conf"
    usual = settings.read_text()
    settings.write_text(usual + _UNCHECKED)
    server = EmbeddedPostgres(home)
    with psycopg.connect(server.start().owner, autocommit=True) as connection:
        figures.rows = _write(connection, megabytes)
        figures.pending_mb = _pending_mb(connection)
        kill_server(home)
    settings.write_text(usual)  # the recovery is by the product's settings
    began = time.monotonic()
    with EmbeddedPostgres(home) as again, psycopg.connect(again.start().owner) as connection:
        figures.ready_s = round(time.monotonic() - began, 2)
        row = connection.execute("SELECT count(*) FROM chaos_filler").fetchone()
        assert row is not None
        figures.lost = figures.rows - row[0]
    server.stop()
    if serve:
        _crash_again(home, settings, usual, megabytes)
        figures.served_s = _seconds_to_serve(home)
    return figures


def _crash_again(home: Path, settings: Path, usual: str, megabytes: int) -> None:
    settings.write_text(usual + _UNCHECKED)
    with psycopg.connect(EmbeddedPostgres(home).start().owner, autocommit=True) as connection:
        _write(connection, megabytes)
        kill_server(home)
    settings.write_text(usual)


def _write(connection: psycopg.Connection[tuple[object, ...]], megabytes: int) -> int:
    """Write rows until so much log is pending; returns how many there are."""
    connection.execute("CREATE TABLE IF NOT EXISTS chaos_filler (id bigint, text text)")
    connection.execute("CREATE INDEX IF NOT EXISTS chaos_filler_text ON chaos_filler (text)")
    while _pending_mb(connection) < megabytes:
        connection.execute(
            "INSERT INTO chaos_filler SELECT g, md5(random()::text) || repeat(md5(g::text), 6)"
            " FROM generate_series(1, %s) g",
            [_ROWS],
        )
    row = connection.execute("SELECT count(*) FROM chaos_filler").fetchone()
    assert row is not None
    return int(str(row[0]))


def _pending_mb(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    row = connection.execute(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn) / 1048576 FROM pg_control_checkpoint()"
    ).fetchone()
    assert row is not None
    return int(float(str(row[0])))


def _seconds_to_serve(home: Path) -> float:
    """Start the service and wait until it says that it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PGASK_")}
    began = time.monotonic()
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("pgask")), "serve", "--port", str(port)],
        cwd=ROOT,
        env=kept | {"PGASK_HOME": str(home), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while time.monotonic() - began < 2 * LIMIT_S and process.poll() is None:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5),
            ):
                return round(time.monotonic() - began, 2)
            time.sleep(0.1)
        return 2 * LIMIT_S
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--megabytes", type=int, default=512)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--serve", action="store_true")
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch:
        figures = run(Path(scratch) / "home", chosen.megabytes, serve=chosen.serve)
    told = {**asdict(figures), "limit_s": LIMIT_S, "passed": figures.passed()}
    return 0 if report("recovery", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
