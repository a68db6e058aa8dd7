"""One corpus taken in by 1, 2 and 4 workers: the same rows as by one, how much faster, and what it waits for.

    .venv/bin/python -m tests.chaos.bulk [--jobs 32] [--workers 1 2 4] [--seed 1] [--out FOLDER]

Each number of workers gets a database of its own and the same jobs of some files each, twice: with the bundled model,
and with the deterministic embedder, which costs next to nothing, so that the rest (parsing, cutting, terms, PostgreSQL)
is what is left. The rate is that of the last three quarters of the jobs, when all workers have loaded their model. What
processes took of the processors is told apart by whose they are: workers', and PostgreSQL's. Rows are compared by
`pgask export`'s lines of each document: text, chunks, postings, windows, vectors.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from app.embedding import Embedder
from app.server.embedded import EmbeddedPostgres
from app.store.chosen_model import ChosenModel
from app.store.connection import Database, connect
from app.store.export_lines import LineReader
from app.store.exporting import export_collection
from app.store.migrate import migrate
from app.store.spaces import ensure_collection, ensure_space
from tests.chaos.evidence import ROOT, report
from tests.chaos.workers import send
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import random_text

FILES: Final = 4  # of a job
_SENTENCES: Final = 60
_LIMIT_S: Final = 900.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_STATES: Final = """
SELECT count(*) FILTER (WHERE state = 'succeeded'), count(*) FILTER (WHERE state = 'failed') FROM pgask.jobs"""


def corpus(jobs: int, seed: int) -> list[dict[str, bytes]]:
    """The files of each job, in English and Chinese. No two are alike."""
    rng = random.Random(seed)
    return [
        {
            f"{job:03}-{number}.md": _text(rng.randrange(1 << 30), chinese=(job + number) % 3 == 0).encode()
            for number in range(FILES)
        }
        for job in range(jobs)
    ]


def _text(seed: int, *, chinese: bool) -> str:
    return f"# {seed}\n\n{random_text(seed, _SENTENCES, chinese=chinese)}\n"


def run(
    server: EmbeddedPostgres, files: Sequence[Mapping[str, bytes]], count: int, *, with_model: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """Take the files in by `count` workers; figures, and the sum of each document's rows."""
    name = f"bulk_{count}_{'model' if with_model else 'fake'}_test"
    urls = server.create_database(name)
    database = Database(owner=urls.owner, app=urls.app)
    migrate(database)
    _make_collection(database, with_model=with_model)
    for one in files:
        send(database, dict(one))
    postmaster = _postmaster(database)
    database_s, began = _cpu_s(postmaster), time.monotonic()
    workers = [_start(database, with_model=with_model) for _ in range(count)]
    try:
        ended = _wait(database, len(files))
        workers_s = sum(sum(map(_cpu_s, (worker.pid, *_children(worker.pid)))) for worker in workers)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(60)
    quarter = len(files) // 4
    steady_s = ended[-1] - ended[quarter - 1]
    sums = row_sums(database)
    with connect(database.app) as connection:
        row = connection.execute("SELECT sum(token_count) FROM pgask.documents").fetchone()
    tokens = int(row[0]) if row else 0
    figures = {
        "documents": len(sums), "tokens": tokens, "seconds": round(ended[-1] - began, 1),
        "tokens_per_s": round(tokens * (len(files) - quarter) / len(files) / steady_s),
        "workers_cpu_s": round(workers_s, 1), "database_cpu_s": round(_cpu_s(postmaster) - database_s, 1),
    }  # fmt: skip
    return figures, sums


def row_sums(database: Database) -> dict[str, str]:
    """A sum over what is stored of each document, by its source; of ids and times, nothing."""
    stream = io.BytesIO()
    with connect(database.app) as connection:
        export_collection(connection, "default", stream)
    stream.seek(0)
    sums: dict[str, str] = {}
    source, digest = "", hashlib.sha256()
    reader = LineReader(stream)
    reader.header()
    for line in reader.lines():
        kind = line.value["kind"]
        if kind == "document":
            source, digest = line.value["row"]["source"], hashlib.sha256()
        elif kind == "stored":
            sums[source] = digest.hexdigest()
        elif not kind.startswith("original"):
            digest.update(line.text)
    return sums


def _make_collection(database: Database, *, with_model: bool) -> None:
    with connect(database.owner) as owner:
        embedder: Embedder = FakeEmbedder()
        if with_model:
            from app.config import Settings

            embedder = ChosenModel(Settings(_env_file=None)).embedder(owner)  # type: ignore[call-arg]
        space_id = ensure_space(owner, embedder.space)
        ensure_collection(owner, "default", space_id)


def _start(database: Database, *, with_model: bool) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PGASK_")}
    kept |= {
        "PYTHONPATH": str(ROOT),
        "PGASK_DATABASE_URL": database.app,
        "PGASK_OWNER_DATABASE_URL": database.owner,
    }
    module = ["ingest.worker"] if with_model else ["tests.chaos.job_worker", database.owner, database.app]
    return subprocess.Popen(
        [sys.executable, "-m", *module], cwd=ROOT, env=kept, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _wait(database: Database, jobs: int) -> list[float]:
    """When each job was seen to have ended, in order."""
    ended: list[float] = []
    deadline = time.monotonic() + _LIMIT_S
    with connect(database.owner, vectors=False) as owner:
        while len(ended) < jobs:
            row = owner.execute(_STATES).fetchone()
            assert row is not None
            assert not row[1], f"{row[1]} jobs failed"
            assert time.monotonic() < deadline, f"{len(ended)} of {jobs} jobs after {_LIMIT_S:.0f} s"
            ended += [time.monotonic()] * (row[0] - len(ended))
            time.sleep(0.05)
    return ended


def _postmaster(database: Database) -> int:
    """The process of the server, which has that of a session as its child."""
    with connect(database.owner, vectors=False) as owner:
        return int(Path(f"/proc/{owner.info.backend_pid}/stat").read_text().rpartition(") ")[2].split()[1])


def _cpu_s(pid: int) -> float:
    """What a process has taken, and its children that have ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    return 0.0


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if all numbers of workers stored the same."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--jobs", type=int, default=32)
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    files = corpus(chosen.jobs, chosen.seed)
    told: dict[str, Any] = {}
    differing: dict[str, int] = {}
    with (
        tempfile.TemporaryDirectory(prefix="pgask-bulk-") as folder,
        EmbeddedPostgres(Path(folder)) as server,
    ):
        for kind, with_model in (("model", True), ("fake", False)):
            first: dict[str, str] | None = None
            for count in chosen.workers:
                figures, sums = run(server, files, count, with_model=with_model)
                first = sums if first is None else first
                figures["differing"] = sum(sums.get(name) != one for name, one in first.items()) + len(
                    sums.keys() - first.keys()
                )
                alone = told.get(f"{kind} {chosen.workers[0]}", figures)
                figures["speed_up"] = round(figures["tokens_per_s"] / alone["tokens_per_s"], 2)
                told[f"{kind} {count}"], differing[f"{kind} {count}"] = figures, figures["differing"]
                print(f"{kind} {count}: {figures}", file=sys.stderr, flush=True)
    is_whole = all(one["documents"] == chosen.jobs * FILES for one in told.values())
    passed = is_whole and not any(differing.values())
    return (
        0
        if report("bulk", chosen.seed, {"jobs": chosen.jobs, **told, "passed": passed}, out=chosen.out)
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
