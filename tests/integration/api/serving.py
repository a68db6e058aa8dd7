"""The app behind the product's server on a real port, for clients that must connect, stream and leave as in life."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from app.api.http_server import Server
from app.config import Settings
from tests.integration.api.conftest import settings_for

_PATIENCE_S = 30.0


class Running:
    """A server in a thread; `url` is http://127.0.0.1:PORT."""

    def __init__(self, server: Server, url: str) -> None:
        self.url = url
        self.address = ("127.0.0.1", int(url.rpartition(":")[2]))
        self._server = server

    def terminate(self) -> None:
        """As SIGTERM does, without waiting for what it does."""
        self._server.should_exit = True


@contextmanager
def serve(app: FastAPI, settings: Settings, **limits: float) -> Iterator[Running]:
    """Serve until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = Server(app, settings, **limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + _PATIENCE_S
        while not server.started:
            assert time.monotonic() < deadline, "the app did not start"
            assert thread.is_alive(), "the app refused to start"
            time.sleep(0.01)
        running = Running(server, f"http://127.0.0.1:{listener.getsockname()[1]}")
        try:
            yield running
        finally:
            running.terminate()
            thread.join(_PATIENCE_S)
            assert not thread.is_alive(), "the server did not end"


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve until the block ends; gives the address, http://127.0.0.1:PORT."""
    with serve(app, settings_for(shutdown_timeout_s=1)) as running:
        yield running.url
