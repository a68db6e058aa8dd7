"""A worker with the deterministic embedder: `python -m tests.chaos.job_worker OWNER APP [TIMING [HOME]]`, TIMING
in JSON."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import threading
from pathlib import Path

from app.config import Settings
from app.embedding import Tokens
from app.errors import PgaskError
from app.logs import configure_logs
from app.store.connection import Database
from ingest.worker import Timing, work
from tests.fakes import FakeEmbedder


class StickyEmbedder(FakeEmbedder):
    """A fake that sticks for good at two words: at one it waits, at the other it keeps the interpreter to itself."""

    def tokenize(self, text: str) -> Tokens:
        if "WAITSFORGOOD" in text:
            threading.Event().wait()
        if "KEEPSTHEINTERPRETER" in text:
            re.match(r"(a+)+$", "a" * 60 + "b")  # hours, in one call of C's
        return super().tokenize(text)


def main(owner: str, app: str, timing: str = "{}", home: str = "") -> int:
    """Work until SIGTERM."""
    configure_logs("warning")
    database = Database(owner=owner, app=app, home=Path(home) if home else None)

    async def run() -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        await work(
            database,
            Settings(_env_file=None),  # type: ignore[call-arg]
            StickyEmbedder,
            stopping=stopping,
            timing=Timing(**json.loads(timing)),
        )

    try:
        asyncio.run(run())
    except PgaskError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
