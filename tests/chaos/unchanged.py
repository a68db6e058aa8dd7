"""Taking an unchanged folder in again (R5): no row is written, in a tenth of the first run's time at most.

    .venv/bin/python -m tests.chaos.unchanged [--files N] [--seed S] [--out FOLDER]

Runs the installed `ingest` with the bundled model twice on the same files. Rows written are those that PostgreSQL
counts (pg_stat_user_tables) in the service's schemas; the time is that of the whole command, its start included.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect
from app.store.migrate import migrate
from tests.chaos.corpus import Corpus
from tests.chaos.evidence import report
from tests.chaos.kills import COLLECTION, Target
from tests.integration.ingesting import age

LARGEST_SHARE: Final = 0.1


@dataclass(slots=True)
class Figures:
    """What a run found."""

    files: int
    first_s: float = 0.0
    again_s: float = 0.0
    share: float = 1.0
    written_first: int = 0
    written_again: int = 0  # what should be 0: rows of files that are unchanged
    statuses: tuple[int, int] = (-1, -1)

    def passed(self) -> bool:
        """Tell whether the second run wrote nothing and was quick."""
        is_quiet = not self.written_again and self.written_first > self.files
        return is_quiet and self.share <= LARGEST_SHARE and self.statuses == (0, 0)


def run(database: Database, folder: Path, *, files: int, seed: int) -> Figures:
    """Take a new folder in twice, in a migrated database."""
    corpus = age(Corpus(seed, files, sentences=(6, 24)).write(folder, 0, broken=False))
    figures = Figures(files)
    target = Target(database, installed=True)
    times, written, statuses = [], [_rows_written(database)], []
    for _ in range(2):
        began = time.monotonic()
        process = target.start(corpus, COLLECTION)
        process.communicate()
        times.append(round(time.monotonic() - began, 2))
        statuses.append(process.returncode)
        written.append(_rows_written(database))
    figures.first_s, figures.again_s = times
    figures.share = round(times[1] / times[0], 4)
    figures.written_first, figures.written_again = written[1] - written[0], written[2] - written[1]
    figures.statuses = (statuses[0], statuses[1])
    return figures


def _rows_written(database: Database) -> int:
    with connect(database.owner) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables"
            " WHERE schemaname IN ('pgask', 'pgask_vectors')"
        ).fetchone()
        assert row is not None
        return int(row[0] or 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--files", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch,
        EmbeddedPostgres(Path(scratch) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        figures = run(database, Path(scratch) / "corpus", files=chosen.files, seed=chosen.seed)
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report("unchanged", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
