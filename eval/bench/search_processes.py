"""The processes that eval/bench/search.py measures beside its own: the rivals' stores, and services over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from app.store.engine import Database

PORTS: Final = {"/search": 8641, "usual service": 8642}
_HERE: Final = Path(__file__).parent


class RivalProcess:
    """rival_search.py in the rivals' environment."""

    def __init__(self, python: Path, settings: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - an interpreter that the caller named
            [str(python), "-W", "ignore", str(_HERE / "rival_search.py"), str(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, **command: Any) -> Any:
        """Its reply. Raises RuntimeError where it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the rivals' process ended on {command}")
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@contextmanager
def serving(name: str, command: Sequence[str], **environment: str) -> Iterator[str]:
    """A service as a process of its own; yields its URL once it answers a question."""
    process = subprocess.Popen(  # noqa: S603 - our own service, and one in an interpreter that the caller named
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{PORTS[name]}"
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{url}/search", b'{"question": "Is it up?"}', {"Content-Type": "application/json"}
    )
    try:
        for _ in range(240):
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}")
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
                    reply.read()
                break
            except OSError:
                time.sleep(0.5)
        else:
            raise RuntimeError(f"{name} does not answer")
        yield url
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def services(python: Path | None, settings: Path, database: Database) -> Iterator[dict[str, str]]:
    """pgask's service and, where there are rivals, the usual one: URLs by name."""
    ours = [
        sys.executable,
        "-c",
        "from app.cli import main; main()",
        "serve",
        "--port",
        str(PORTS["/search"]),
    ]
    environment = {
        "PGASK_DATABASE_URL": database.app, "PGASK_OWNER_DATABASE_URL": database.owner, "PGASK_MAX_QUESTIONS": "64",
    }  # fmt: skip
    with serving("/search", ours, **environment) as url:
        if python is None:
            yield {"/search": url}
            return
        usual = [
            str(python),
            "-W",
            "ignore",
            str(_HERE / "rival_service.py"),
            str(settings),
            str(PORTS["usual service"]),
        ]
        with serving("usual service", usual, HF_HUB_OFFLINE="1") as other:
            yield {"/search": url, "usual service": other}
