"""Eight processes that take in the same file at the same moment, round after round (R4).

    .venv/bin/python -m tests.chaos.rivals [--rounds N] [--seed S] [--processes N] [--out FOLDER]

Each round is a folder with one file, new in odd rounds and changed in even ones. Exactly one process must store it and
the others find it stored; the chunks must be those of a process alone, and nothing may raise. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect
from app.store.migrate import migrate
from tests.chaos.corpus import BROKEN, Corpus
from tests.chaos.evidence import ROOT, report
from tests.integration.ingesting import counted, counters, open_collection, orphans, snapshot

COLLECTION = "default"
ALONE = "alone"


@dataclass(slots=True)
class Figures:
    """What a run found."""

    processes: int
    rounds: int = 0
    stored: int = 0  # times that a process reported the file as new or changed; one a round
    chunks: int = 0
    seconds: float = 0.0
    differences: int = 0  # rounds after which the chunks are not those of a process alone
    doubled: int = 0  # rounds in which not exactly one process stored the file
    wrong_counts: int = 0
    errors: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Tell whether each round had one winner and one outcome."""
        wrong = (self.differences, self.doubled, self.wrong_counts)
        return not any(wrong) and not self.errors and self.stored == self.rounds > 0 and self.chunks > 0


@contextlib.contextmanager
def _followers(database: Database, count: int, collection: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Drivers that wait for the name of a folder."""
    command = [sys.executable, "-m", "tests.chaos.driver", "--urls", database.owner, database.app]
    started = [
        subprocess.Popen(
            [*command, "--collection", collection, "--follow"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n", "a driver does not start"
        yield started
    finally:
        for each in started:
            each.communicate()  # the end of its input ends it


def _ask(processes: Sequence[subprocess.Popen[str]], corpus: Path) -> list[dict[str, Any]]:
    """Name a folder to all of them, then wait for all answers."""
    for each in processes:
        assert each.stdin is not None
        each.stdin.write(f"{corpus}\n")
    for each in processes:
        assert each.stdin is not None
        each.stdin.flush()
    return [json.loads(each.stdout.readline()) for each in processes if each.stdout is not None]


def run(database: Database, folder: Path, *, rounds: int, seed: int, processes: int = 8) -> Figures:
    """Let them meet so many times, in a migrated database."""
    figures = Figures(processes)
    began = time.monotonic()
    open_collection(database)
    with (
        _followers(database, processes, COLLECTION) as rivals,
        _followers(database, 1, ALONE) as alone,
    ):
        for number in range(rounds):
            corpus = _folder(folder, seed, number)
            answers = _ask(rivals, corpus)
            figures.rounds += 1
            figures.errors += [answer["error"] for answer in answers if "error" in answer]
            winners = sum(answer.get("new", 0) + answer.get("changed", 0) for answer in answers)
            figures.stored += winners
            figures.doubled += winners != 1
            figures.errors += [answer["error"] for answer in _ask(alone, corpus) if "error" in answer]
            stored = snapshot(database, COLLECTION)
            figures.chunks += len(stored)
            figures.differences += stored != snapshot(database, ALONE)
            with connect(database.app, vectors=False) as connection:
                collection = open_collection(database)
                figures.wrong_counts += counters(connection, collection) != counted(connection, collection)
                figures.wrong_counts += any(orphans(connection, collection))
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def _folder(folder: Path, seed: int, number: int) -> Path:
    """The folder of a round, with one file of a kind that changes every two rounds; the odd round changes its text."""
    made = Corpus(seed + number, number // 2 + 1).write(folder / "corpus", 0)
    names = sorted(path for path in made.rglob("*") if path.is_file())
    good = [path for path in names if path.relative_to(made).as_posix() not in BROKEN]
    kept = next(path for path in good if f" {number // 2:04}" in path.name)
    content = kept.read_bytes()
    for path in names:
        path.unlink()
    kept.write_bytes(content)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--processes", type=int, default=8)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch,
        EmbeddedPostgres(Path(scratch) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        rounds, processes = chosen.rounds, chosen.processes
        figures = run(database, Path(scratch), rounds=rounds, seed=chosen.seed, processes=processes)
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report("rivals", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
