"""A worker with the deterministic embedder: `python -m tests.chaos.job_worker OWNER APP [TIMING]` (JSON of Timing)."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from app.config import Settings
from app.errors import PgaskError
from app.logs import configure_logs
from app.store.connection import Database
from ingest.worker import Timing, work
from tests.fakes import FakeEmbedder


def main(owner: str, app: str, timing: str = "{}") -> int:
    """Work until SIGTERM."""
    configure_logs("warning")
    database = Database(owner=owner, app=app)

    async def run() -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        await work(
            database,
            Settings(_env_file=None),  # type: ignore[call-arg]
            FakeEmbedder,
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
