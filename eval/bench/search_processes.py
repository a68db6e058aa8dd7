"""The processes that eval/bench/search.py measures beside its own: the rivals' stores, and services over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from app.store.connection import Database

PORTS: Final = {"/search": 8641, "usual service": 8642, "/search dense": 8643}
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
    """pgask's service, as it comes and with the dense leg alone, and, where there are rivals, the usual one: URLs by
    name."""
    commands = {
        name: [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(PORTS[name])]
        for name in ("/search", "/search dense")
    }
    ours = {
        "PGASK_DATABASE_URL": database.app,
        "PGASK_OWNER_DATABASE_URL": database.owner,
        "PGASK_MAX_CONCURRENT_ASKS": "64",
    }
    environments = {"/search": ours, "/search dense": ours | {"PGASK_DENSE_WEIGHT": "1"}}
    if python is not None:
        script = str(_HERE / "rival_service.py")
        name = "usual service"
        commands[name] = [str(python), "-W", "ignore", script, str(settings), str(PORTS[name])]
        environments[name] = {"HF_HUB_OFFLINE": "1"}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serving(name, command, **environments[name]))
            for name, command in commands.items()
        }
