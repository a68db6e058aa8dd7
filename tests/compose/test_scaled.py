"""Two apps and two workers behind nginx (profile scaled): a killed app fails no question, and uploads are taken in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from tests.compose.stack import Stack, free_port, run

pytestmark = pytest.mark.compose

_SEVERAL = ("--profile", "scaled", "up", "--detach", "--scale", "app=2", "--scale", "worker=2")
_QUESTION = {"question": "How many lists should an ivfflat index have?"}


@pytest.fixture(scope="module")
def scaled(stack: Stack) -> Iterator[Stack]:
    """The project with two of each; one app again in the end."""
    scaled = replace(
        stack, variables=stack.variables | {"APP_PORTS": "127.0.0.1:", "FRONT_PORT": str(free_port())}
    )
    scaled.compose(*_SEVERAL, "--wait", "--wait-timeout", "300", timeout_s=400)
    yield scaled
    stack.compose("--profile", "scaled", "rm", "--stop", "--force", "worker", "nginx")
    stack.compose("up", "--detach", "--scale", "app=1", timeout_s=400)
    stack.wait_healthy("app", timeout_s=180)


def _front(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.variables['FRONT_PORT']}"


def _containers(stack: Stack, service: str) -> list[str]:
    return stack.compose("--profile", "*", "ps", "--quiet", service).split()


def test_a_killed_app_fails_no_question(scaled: Stack) -> None:
    apps = _containers(scaled, "app")
    assert len(apps) == 2
    replies = []
    for number in range(20):
        if number == 5:
            run("docker", "kill", apps[0])
        replies.append(httpx2.post(f"{_front(scaled)}/ask", json=_QUESTION, timeout=60))
    assert [reply.status_code for reply in replies] == [200] * 20
    assert all(reply.json()["citations"] for reply in replies)
    run("docker", "start", apps[0])


def test_uploads_are_taken_in_and_spooled_to_a_disk(scaled: Stack) -> None:
    workers = _containers(scaled, "worker")
    assert len(workers) == 2
    for container in (*workers, _containers(scaled, "app")[1]):
        where = "import tempfile; print(tempfile.gettempdir())"
        assert run("docker", "exec", container, "python", "-c", where).strip() == "/scratch"
    files = [
        ("files", (f"unit {number}.md", f"# Unit {number}\n\nOf works {number}.\n".encode(), "text/markdown"))
        for number in range(4)
    ]
    sent = httpx2.post(f"{_front(scaled)}/documents", files=files, timeout=60)
    assert sent.status_code == 202, sent.text
    address = f"{_front(scaled)}/jobs/{sent.json()['job']['id']}"
    for _ in range(240):
        job = httpx2.get(address, timeout=30).json()
        if job["state"] not in ("queued", "running"):
            break
        time.sleep(0.5)
    assert job["state"] == "succeeded", job
