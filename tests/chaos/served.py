"""The service as a process of its own, with the deterministic embedder, for what is done to it from outside.

    python -m tests.chaos.served HOME PORT SETTINGS

SETTINGS is a JSON object of fields of app.config.Settings. Makes a database below HOME with some documents in it, and
serves until SIGTERM. `Service` starts one, and sees it from outside.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from app.api.http_server import Server
from app.config import Settings
from app.logs import configure_logs, log_stray_errors
from app.main import create_app
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database
from app.store.migrate import migrate
from tests.chaos.evidence import ROOT
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import ingest, random_text

DOCUMENTS: Final = 30
_START_S: Final = 180.0


class Service:
    """A running service; use as a context manager. Its log is in `log`, and is kept."""

    def __init__(self, home: Path, **settings: Any) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.home = home
        self.log = home.parent / f"served-{self.port}.log"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def __enter__(self) -> Service:
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "tests.chaos.served", str(self.home), str(self.port)]
            self._process = subprocess.Popen(
                [*command, json.dumps(self._settings)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(self.url("/readyz"), timeout=5):
                return self
            time.sleep(0.1)
        raise RuntimeError(f"the service did not start: {self.log.read_text()[-2_000:]}")

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def rss_mb(self) -> float:
        """Its memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def database_pids(self) -> list[int]:
        """The processes of its PostgreSQL, the postmaster first."""
        postmaster = int((self.home / "postgres/data/postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [postmaster, *map(int, children)]


def _write(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(DOCUMENTS):
        text = random_text(number, 12, chinese=number % 3 == 0)
        (folder / f"document{number}.md").write_text(f"# Document {number}\n\n{text}\n", "utf-8")
    return folder


def main() -> None:
    """Serve until SIGTERM."""
    home, port, given = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    settings = Settings(
        _env_file=None,
        home=home,
        port=port,
        **({"abstain_threshold": 0.0} | given),  # type: ignore[call-arg]
    )
    configure_logs(settings.log_level)
    log_stray_errors()
    with EmbeddedPostgres(home) as server:
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app, home=home)
        migrate(database)
        ingest(database, _write(home.parent / "documents"))
        with closing(socket.socket()) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            Server(create_app(settings, database, FakeEmbedder()), settings).run(sockets=[listener])


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)  # so that the database is left properly
    with suppress(KeyboardInterrupt):
        main()
