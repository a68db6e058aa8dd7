"""Two services on one database that write side by side: question vectors, indexes and their reports (F-401).

    .venv/bin/python -m tests.chaos.services [--notes N] [--seed S] [--out FOLDER]

Each process notes N questions, every fourth of them the same in both, and looks after the index meanwhile; collections
come and go. No question may be lost, nothing may raise or be warned of, and the one index there is must be whole.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from structlog.testing import capture_logs

from app.index.manifest import IndexSettings, read_state
from app.index.watch import IndexWatch
from app.server.embedded import EmbeddedPostgres
from app.store import catalog
from app.store.connection import Database, connect, write
from app.store.connection_pool import open_pool
from app.store.migrate import migrate
from app.store.questions import QuestionVectors
from tests.chaos.evidence import ROOT, report
from tests.integration.ingesting import FAKE, open_collection
from tests.integration.vectors import add_rows, clustered

BATCH: Final = 50  # notes between two writes
SHARED: Final = 4  # one of so many questions is asked of both services
SETTINGS: Final = IndexSettings(min_rows=200, target_recall=0.8)
_KEEP: Final = 1_000_000


@dataclass(slots=True)
class Figures:
    """What a run found."""

    notes: int  # of each process
    expected: int = 0  # distinct questions
    lost: int = 0
    looks: int = 0
    seconds: float = 0.0
    indexes: list[str] = field(default_factory=list)  # of the space; one in use
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Tell whether nothing was lost and nobody complained."""
        return not (self.lost or self.errors or self.warnings) and len(self.indexes) == 1 and self.looks > 0


def run(database: Database, *, notes: int, rows: int = 300, seed: int = 1) -> Figures:
    """Let two processes write at once, in a migrated database."""
    figures = Figures(notes)
    collection = open_collection(database)
    with connect(database.app) as app:
        add_rows(app, collection, clustered(np.random.default_rng(seed), rows), "rows.txt")
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.chaos.services", "--service", database.owner, database.app]
    services = [
        subprocess.Popen(
            [*command, str(collection.space_id), str(number), "--notes", str(notes), "--seed", str(seed)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in (1, 2)
    ]
    for service in services:  # both are loaded before either begins
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n", "a service does not start"
    for service in services:
        assert service.stdin is not None
        service.stdin.write("\n")
        service.stdin.flush()
    for service in services:
        told = json.loads(service.communicate()[0] or '{"errors": ["it died"], "warnings": [], "looks": 0}')
        figures.errors += told["errors"]
        figures.warnings += told["warnings"]
        figures.looks += told["looks"]
    figures.expected = len({vector.tobytes() for number in (1, 2) for vector in _asked(number, notes, seed)})
    with connect(database.owner) as owner:
        stored = owner.execute("SELECT count(*) FROM pgask.question_vectors").fetchone()
        figures.lost = figures.expected - (stored or (0,))[0]
        used = read_state(owner, collection.space_id).index
        figures.indexes = [
            name
            for name, is_valid in owner.execute(
                "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'ivfflat'"
            )
            if is_valid and used is not None
        ]
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def _asked(number: int, notes: int, seed: int) -> list[Any]:
    """The questions of one of the two services; every SHARED-th is the other's, too."""
    own, both = (clustered(np.random.default_rng([seed, source]), notes) for source in (number, 0))
    return [(own if place % SHARED else both)[place] for place in range(notes)]


async def _serve(database: Database, space_id: int, number: int, notes: int, seed: int) -> dict[str, Any]:
    asked, watch = _asked(number, notes, seed), IndexWatch(database, SETTINGS, every_s=60)
    told: dict[str, Any] = {"errors": [], "warnings": [], "looks": 0}
    written = asyncio.Event()

    async def look() -> None:
        while not written.is_set() or not told["looks"]:
            await asyncio.to_thread(watch.look)
            told["looks"] += 1

    async with open_pool(database.app, size=3, statement_timeout_s=30) as pool:
        questions = QuestionVectors(pool, _KEEP)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        looking = asyncio.create_task(look())
        try:
            with capture_logs() as logs:
                for first in range(0, notes, BATCH):
                    for vector in asked[first : first + BATCH]:
                        questions.note(space_id, vector)
                    await asyncio.gather(
                        questions.write(),
                        write(pool, lambda one: catalog.create_collection(one, f"c{number}", FAKE.space)),
                    )
                    await write(pool, lambda one: catalog.delete_collection(one, f"c{number}"))
                written.set()
                await looking
        except Exception as error:  # it is what this is about
            told["errors"].append(f"{type(error).__name__}: {error}"[:300])
            looking.cancel()
    told["warnings"] = [str(one) for one in logs if one["log_level"] != "info"]
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--notes", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    options.add_argument("--service", nargs=4, help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.service:
        owner, app, space_id, number = chosen.service
        served = _serve(Database(owner, app), int(space_id), int(number), chosen.notes, chosen.seed)
        print(json.dumps(asyncio.run(served)))
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch,
        EmbeddedPostgres(Path(scratch) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        figures = run(database, notes=chosen.notes, seed=chosen.seed)
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report("services", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
