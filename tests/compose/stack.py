"""One Compose project of the tests' own: its commands, its containers, its HTTP. Knows nothing of what is asserted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).parents[2]
FILES = ("docker-compose.yml", "tests/compose/stand_in.yml")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(
    *command: str,
    env: dict[str, str] | None = None,
    timeout_s: float = 600,
    accept: frozenset[int] = frozenset({0}),
) -> str:
    """Standard output of a command. Raises AssertionError with what it said where it ends otherwise than accepted."""
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    said = f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    assert done.returncode in accept, said
    return done.stdout


@dataclass(frozen=True)
class Stack:
    """`variables` are those of the Compose files; nothing of the developer's `.env` comes in."""

    project: str
    variables: dict[str, str]

    @property
    def url(self) -> str:
        """Where the app is published."""
        return f"http://127.0.0.1:{self.variables['PGASK_PORT']}"

    def compose(
        self, *arguments: str, timeout_s: float = 600, accept: frozenset[int] = frozenset({0})
    ) -> str:
        """Standard output of `docker compose …`."""
        files = [word for file in FILES for word in ("-f", file)]
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("PGASK_", "COMPOSE_"))
        }
        return run(
            "docker",
            "compose",
            "--ansi=never",
            "--progress=plain",
            "--env-file=/dev/null",
            "-p",
            self.project,
            *files,
            *arguments,
            env=own | self.variables,
            timeout_s=timeout_s,
            accept=accept,
        )

    def ingest(self, *arguments: str, mounts: tuple[str, ...] = ()) -> dict[str, Any]:
        """The object that `ingest --json` prints last; files that failed are in it (exit code 1)."""
        volumes = [word for mount in mounts for word in ("-v", mount)]
        said = self.compose(
            "run", "--rm", "-T", *volumes, "ingest", *arguments, "--json", accept=frozenset({0, 1})
        )
        report: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
        return report

    def container(self, service: str) -> str:
        """Id of a service's container, running or not."""
        return self.compose("--profile", "*", "ps", "--all", "--quiet", service).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        found: dict[str, Any] = json.loads(run("docker", "inspect", self.container(service)))[0]
        return found

    def execute(self, service: str, *command: str, user: str = "") -> str:
        """Standard output of a command in a service's container, by the container's user or another."""
        as_user = ("--user", user) if user else ()
        return run("docker", "exec", *as_user, self.container(service), *command)

    def wait_healthy(self, service: str, *, timeout_s: float, after_restart: int = 0) -> None:
        """Until the container's health check passes, after at least so many restarts by the engine."""

        def healthy() -> bool:
            found = self.inspect(service)
            state = found["State"]
            restarted = found["RestartCount"] >= after_restart
            return bool(restarted and state["Running"] and state["Health"]["Status"] == "healthy")

        try:
            wait_until(healthy, timeout_s=timeout_s)
        except TimeoutError as error:
            raise AssertionError(self.compose("--profile", "*", "logs", "--tail=40", service)) from error

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON reply."""
        return httpx2.post(f"{self.url}{path}", json=body, timeout=120).raise_for_status().json()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON reply."""
        return httpx2.get(f"{self.url}{path}", params=parameters, timeout=30).raise_for_status().json()

    def stream(self, body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """(event, data) of a streamed /ask as they arrive."""
        with httpx2.stream("POST", f"{self.url}/ask", json=body | {"stream": True}, timeout=180) as reply:
            assert reply.status_code == 200, reply.read()
            event = ""
            for line in reply.iter_lines():
                if line.startswith("event:"):
                    event = line.removeprefix("event:").strip()
                elif line.startswith("data:"):
                    yield event, json.loads(line.removeprefix("data:"))

    def kill_main_process(self, service: str, user: str = "") -> None:
        """SIGKILL what the container runs, from within: to the engine it died by itself, so it is restarted."""
        # 1 is the engine's init, which ends with its child; /proc, because not every image has ps
        self.execute(service, "sh", "-c", "kill -9 $(cut -d' ' -f1 /proc/1/task/1/children)", user=user)


def wait_until(condition: Callable[[], bool], *, timeout_s: float) -> None:
    """Ask twice a second. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.5)
