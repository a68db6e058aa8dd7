"""The app behind a real port, for clients that must connect, stream and leave as in life."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

_PATIENCE_S = 10.0


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve in a thread until the block ends; gives the address, http://127.0.0.1:PORT."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + _PATIENCE_S
        while not server.started:
            assert time.monotonic() < deadline, "the app did not start"
            assert thread.is_alive(), "the app refused to start"
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_S)
