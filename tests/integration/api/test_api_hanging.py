"""A database that hangs: it takes what is sent and says nothing (F-1212, R7)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from app.main import create_app
from app.store.connection import Database
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import settings_for
from tests.integration.api.serving import serve
from tests.integration.freezing import FreezingProxy
from tests.integration.processes import wait_until

pytestmark = pytest.mark.integration

QUESTION = {"question": "How many ivfflat lists should I choose?"}
STATEMENT_S = 0.2
# A connection, its check, a statement, each with a second for the server's own limit, take 3.6 s at most where nothing
# else runs; without limits it was as long as the database hangs, and /readyz more than 10 s.
LONG_S = 9.0


def test_f_1212_nobody_waits_longer_than_the_time_limits(filled: Database, tmp_path: Path) -> None:
    """F-1212: a third of the requests waited as long as the database hung, and /readyz more than 10 s."""
    with FreezingProxy(filled.app, tmp_path) as proxy, ThreadPoolExecutor(12) as pool:
        settings = settings_for(statement_timeout_s=STATEMENT_S)
        database = Database(owner=filled.owner, app=proxy.url)
        with serve(create_app(settings, database, FakeEmbedder()), settings) as running:

            def ask(path: str) -> tuple[str, int, float]:
                began = time.monotonic()
                method, body = ("POST", QUESTION) if path in ("/search", "/ask") else ("GET", None)
                reply = httpx2.request(method, running.url + path, json=body, timeout=30)
                return path, reply.status_code, time.monotonic() - began

            paths = ["/search", "/ask", "/documents"]
            # the first connections may take longer than so short a limit allows
            wait_until(lambda: {status for _, status, _ in pool.map(ask, paths * 3)} == {200})
            proxy.freeze()
            asked = ["/readyz", "/readyz", "/healthz", *paths * 3]
            for path, status, seconds in pool.map(ask, asked):
                assert status == (200 if path == "/healthz" else 503), path
                assert seconds < LONG_S, path
            proxy.thaw()
            deadline = time.monotonic() + 15
            while ask("/readyz")[1] != 200:
                assert time.monotonic() < deadline, "did not recover"
                time.sleep(0.1)
            assert ask("/search")[1] == 200
