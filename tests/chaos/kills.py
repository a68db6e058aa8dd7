"""SIGKILL and Ctrl-C at seeded random moments of an ingest: what is stored must be that of an undisturbed run.

    .venv/bin/python -m tests.chaos.kills worker|everything|interrupt [--kills N] [--seed S] [--files N] [--installed]
                                          [--out FOLDER]

`worker` (R1) kills the ingesting process, `everything` (R2) at once also its parser and all of PostgreSQL's processes,
as a power cut does, and `interrupt` sends SIGINT to the installed command. The corpus goes on through versions, so
that there is always work: new, changed, moved and removed files. The process is hurt and started again until it gets
through; then a dry run must find nothing to do, and all that is stored is compared with the reference byte by byte, a
real model's vectors by their cosine. A reader samples all along.

Moments: after a random time, at a point within the process (driver.POINTS), or in the middle of a document's
transaction, which a lock on one of its tables holds there. With --installed the process is the installed `ingest` with
the bundled model, else the driver with a deterministic embedder, which starts in a fifth of the time. Prints one JSON
object; exit status 0 if nothing differed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import psycopg
from psycopg import sql

from app.config import load_settings
from app.embedding import Embedder, SentenceTransformerEmbedder
from app.server.account import server_account
from app.server.cluster import Layout, locate_binaries
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect
from app.store.migrate import migrate
from app.store.spaces import chunk_table, window_table
from tests.chaos.corpus import BROKEN, Corpus
from tests.chaos.driver import POINTS
from tests.chaos.evidence import ROOT, report
from tests.chaos.readers import Fingerprint, Reader, read_documents
from tests.integration.ingesting import FAKE, counted, counters, open_collection, orphans, snapshot
from tests.integration.processes import children, read_pid, runs, wait_until

Kind = Literal["worker", "everything", "interrupt"]
VERSIONS: Final = 3  # of the corpus; after the last comes the first again
COLLECTION: Final = "default"
_PATIENCE_S: Final = 300.0
_LOCK_WAIT_S: Final = 20.0
# In the order in which a document's transaction writes them.
_TABLES: Final = ("documents", "windows", "postings", "chunks", "vectors", "collections")


@dataclass(slots=True)
class Figures:
    """What a run found."""

    kind: Kind
    files: int
    kills: int = 0
    ended_before: int = 0  # runs that got through before their moment came
    versions: int = 0  # how often a version of the corpus was reached and compared
    moments: dict[str, int] = field(default_factory=dict)
    samples: int = 0
    rows: int = 0  # that were compared
    seconds: float = 0.0
    undisturbed_s: float = 0.0  # a run with nothing stored yet
    least_cosine: float = 1.0  # of a vector and its reference: a real model's last bits depend on the batch
    # What should be 0 or empty. A row is source, sha256, chunk_index, text, vectors and postings.
    differences: int = 0
    half_visible: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: int = 0
    orphans: int = 0
    wrong_counts: int = 0
    errors: list[str] = field(default_factory=list)  # processes that ended in another way than they should

    def passed(self) -> bool:
        """Tell whether nothing was lost, doubled, half visible or different."""
        counts = (self.differences, self.doubled, self.orphans, self.wrong_counts)
        is_clean = not any(counts) and not (self.half_visible or self.lost or self.errors)
        return is_clean and self.least_cosine > 0.9999 and self.samples > 0 and self.rows > 0


@dataclass(frozen=True, slots=True)
class Reference:
    """What an undisturbed run of one version stores: each chunk's row and vector, and each document by its source."""

    rows: Mapping[Fingerprint, bytes]
    documents: Mapping[str, Fingerprint]


@dataclass(frozen=True, slots=True)
class Target:
    """Which process is hurt and where it writes. `home` is that of a server which the process starts and stops itself;
    None where the server runs beside it."""

    database: Database
    embedder: Embedder = FAKE
    home: Path | None = None
    installed: bool = False

    def start(
        self, corpus: Path, collection: str, die_at: str = ":0", *, dry_run: bool = False
    ) -> subprocess.Popen[str]:
        """Start the process in a session of its own, so that our Ctrl-C is not part of the experiment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PGASK_")}
        if self.home is not None:
            kept["PGASK_HOME"] = str(self.home)
        else:
            kept |= {"PGASK_DATABASE_URL": self.database.app, "PGASK_OWNER_DATABASE_URL": self.database.owner}
        return subprocess.Popen(
            [*self._command(corpus, collection, die_at), *(["--dry-run"] if dry_run else [])],
            cwd=ROOT,
            env=kept | {"HF_HUB_OFFLINE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The server runs while this is open, whoever started it."""
        with EmbeddedPostgres(self.home) if self.home is not None else contextlib.nullcontext():
            yield

    def _command(self, corpus: Path, collection: str, die_at: str) -> list[str]:
        if self.installed:
            ingest = str(Path(sys.executable).with_name("ingest"))
            return [ingest, str(corpus), "--collection", collection, "--prune", "--quiet"]
        urls = ["--urls", self.database.owner, self.database.app]
        place = urls if self.home is None else ["--home", str(self.home)]
        command = [sys.executable, "-m", "tests.chaos.driver", str(corpus), *place]
        return [*command, "--collection", collection, "--die-at", die_at]


class Experiment:
    """Hurts a process that takes in version after version of a corpus."""

    def __init__(
        self, target: Target, corpus: Corpus, folder: Path, kind: Kind, seed: int, *, versions: int = VERSIONS
    ) -> None:
        self._target = target
        self._rng = random.Random(f"{seed}/{kind}")
        self._versions = [corpus.write(folder / f"version{each}", each) for each in range(versions)]
        self._corpus = (
            folder / "corpus"
        )  # a link to one of them: the same folder to ingest, in another release
        self._moments: Counter[str] = Counter()
        self._space_id = 0
        self.figures = Figures(kind, corpus.files + len(BROKEN))

    def run(self, kills: int) -> Figures:
        """Hurt it so many times."""
        began = time.monotonic()
        figures = self.figures
        references = [self._refer(number) for number in range(len(self._versions))]
        sources = {source for each in references for source in each.documents}
        reader = Reader(
            self._target.database.app,
            COLLECTION,
            {
                name: frozenset(r.documents[name] for r in references if name in r.documents)
                for name in sources
            },
        )
        reader.start()
        before: frozenset[str] = frozenset()
        while figures.kills < kills and not figures.errors:
            number = figures.versions % len(references)
            self._show(number)
            documents = references[number].documents
            reader.required = before & documents.keys()
            while figures.kills < kills and self._hurt(self._corpus):
                pass
            self._finish(self._corpus, COLLECTION)
            self._expect_no_work(self._corpus)
            self._compare(references[number])
            before = frozenset(documents)
        reader.stop()
        figures.samples, figures.half_visible, figures.lost = reader.samples, reader.half_visible, reader.lost
        figures.errors += reader.failures
        figures.moments = dict(sorted(self._moments.items()))
        figures.seconds = round(time.monotonic() - began, 1)
        return figures

    def _show(self, number: int) -> None:
        self._corpus.unlink(missing_ok=True)
        self._corpus.symlink_to(self._versions[number], target_is_directory=True)

    def _refer(self, number: int) -> Reference:
        """An undisturbed run of a version into a collection of its own."""
        name = f"undisturbed{number}"
        began = time.monotonic()
        self._finish(self._versions[number], name)
        self.figures.undisturbed_s = round(time.monotonic() - began, 2)
        rows = self._stored(name)
        with self._target.running(), connect(self._target.database.app, vectors=False) as connection:
            documents = read_documents(connection, name)
            self._space_id = open_collection(self._target.database, self._target.embedder, name).space_id
        return Reference(rows, documents)

    def _stored(self, collection: str) -> dict[Fingerprint, bytes]:
        """All rows of a collection's chunks, each value of many bytes as its sha256, with the chunk's vector. The
        vectors are a part of the row only where they are the same on every run."""
        with self._target.running():
            rows = snapshot(self._target.database, collection, self._target.embedder)
        found = {}
        for source, sha256, index, text, vector, windows, postings in rows:
            vectors = () if self._target.installed else (vector, windows)
            found[tuple(map(_shortened, (source, sha256, index, text, postings, *vectors)))] = vector
        return found

    def _finish(self, corpus: Path, collection: str) -> None:
        process = self._target.start(corpus, collection)
        self._end(process, 1 if self._target.installed else 0)  # the command tells of the broken files

    def _expect_no_work(self, corpus: Path) -> None:
        """Another run would have nothing to do, but for the files that no parser reads."""
        planned, complained = self._target.start(corpus, COLLECTION, dry_run=True).communicate()
        last = planned.strip().rpartition("\n")[2]
        if not last.startswith("nothing to do"):
            self.figures.errors.append(f"still to do: {last} {complained.strip()[-400:]}")

    def _end(self, process: subprocess.Popen[str], *expected: int) -> int:
        """Wait for a process's end and hold it to what is expected."""
        try:
            _, complained = process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            _, complained = process.communicate()
        # Before our first module is loaded, the interpreter answers Ctrl-C by itself, with a traceback of its own.
        is_ours = process.returncode != -signal.SIGINT or "app/start.py" in complained
        if process.returncode not in expected or ("Traceback" in complained and is_ours):
            self.figures.errors.append(f"exit status {process.returncode}: {complained.strip()[-800:]}")
        return process.returncode

    def _hurt(self, corpus: Path) -> bool:
        """Start a run and hurt it at a random moment. False: it got through before."""
        drawn = self._rng.random()
        wait_s = self._rng.uniform(0, self.figures.undisturbed_s)
        table, point = self._rng.choice(_TABLES), self._rng.choice(POINTS)
        most = 6 if point.startswith("embed") else max(1, self.figures.files // 8)
        count = self._rng.randint(1, most)
        if self.figures.kind == "interrupt":
            return self._interrupt(corpus, wait_s)
        if drawn < 0.35 and not self._target.installed:
            process = self._target.start(corpus, COLLECTION, f"{point}:{count}")
            return self._kill(process, f"at {point}", self._wait_for_end(process))
        process = self._target.start(corpus, COLLECTION)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
        if drawn < 0.65:
            with self._held(table, process) as held:
                return self._kill(process, f"writing {table}" if held else "time")
        return self._kill(process, "time")

    def _wait_for_end(self, process: subprocess.Popen[str]) -> set[int]:
        """Wait until a process has killed itself; returns the processes that it left."""
        left: set[int] = set()
        while process.poll() is None:
            with contextlib.suppress(OSError):
                left |= set(children(process.pid))
            time.sleep(0.01)
        return left

    def _kill(self, process: subprocess.Popen[str], moment: str, left: Sequence[int] | set[int] = ()) -> bool:
        """SIGKILL, to everything or the process alone, which its parser must then not outlive."""
        parsers = {*left}
        with contextlib.suppress(OSError):
            parsers |= set(children(process.pid))
        if self.figures.kind == "everything":
            self._kill_all(process.pid, parsers)
        process.kill()
        status = self._end(process, -signal.SIGKILL, 1 if self._target.installed else 0)
        if status != -signal.SIGKILL:
            self.figures.ended_before += 1
            return False
        wait_until(lambda: not any(map(runs, parsers)), timeout_s=60)
        self.figures.kills += 1
        self._moments[moment] += 1
        return True

    def _kill_all(self, worker: int, parsers: set[int]) -> None:
        assert self._target.home is not None
        server: list[int] = []
        with contextlib.suppress(OSError, IndexError, ValueError):
            postmaster = read_pid(self._target.home)
            server = [postmaster, *children(postmaster)]
        for victim in self._rng.sample([*server, worker, *parsers], len(server) + 1 + len(parsers)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not any(map(runs, server)), timeout_s=60)

    def _interrupt(self, corpus: Path, wait_s: float) -> bool:
        process = self._target.start(corpus, COLLECTION)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
        process.send_signal(signal.SIGINT)
        status = self._end(process, 130, 1, -signal.SIGINT)
        if status == 1:
            self.figures.ended_before += 1
            return False
        self.figures.kills += 1
        self._moments["time" if status == 130 else "interpreter's start"] += 1
        return True

    @contextlib.contextmanager
    def _held(self, table: str, process: subprocess.Popen[str]) -> Iterator[bool]:
        """Let the process run until it waits for a lock that we hold on a table; readers are let through."""
        try:
            connection = psycopg.connect(self._target.database.owner, connect_timeout=2)
        except psycopg.OperationalError:  # its server does not run yet
            yield False
            return
        try:
            held = False
            with contextlib.suppress(
                psycopg.OperationalError
            ):  # the process got through, and stopped its server
                connection.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(self._table(table)))
                held = _waits_for(connection, process)
            yield held
        finally:
            with contextlib.suppress(psycopg.OperationalError):  # killed with all the rest
                connection.rollback()
            connection.close()

    def _table(self, name: str) -> sql.Identifier:
        own = {"windows": window_table(self._space_id), "vectors": chunk_table(self._space_id)}
        return own.get(name, sql.Identifier("pgask", name))

    def _compare(self, reference: Reference) -> None:
        figures, target = self.figures, self._target
        stored = self._stored(COLLECTION)
        figures.versions += 1
        figures.rows += len(stored)
        figures.differences += len(stored.keys() ^ reference.rows.keys())
        cosines = [_cosine(stored[row], reference.rows[row]) for row in stored.keys() & reference.rows.keys()]
        figures.least_cosine = round(min([figures.least_cosine, *cosines]), 6)
        with target.running(), connect(target.database.app, vectors=False) as connection:
            collection = open_collection(target.database, target.embedder)
            figures.differences += read_documents(connection, COLLECTION) != reference.documents
            figures.orphans += sum(orphans(connection, collection))
            figures.wrong_counts += counters(connection, collection) != counted(connection, collection)
            row = connection.execute(
                "SELECT count(*) - count(DISTINCT source) FROM pgask.documents WHERE collection_id = %s",
                [collection.id],
            ).fetchone()
            assert row is not None
            figures.doubled += row[0]


def _waits_for(connection: psycopg.Connection[Any], process: subprocess.Popen[str]) -> bool:
    """Wait until some session waits for this one's lock (True), or the process has ended."""
    deadline = time.monotonic() + _LOCK_WAIT_S
    while process.poll() is None and time.monotonic() < deadline:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        ).fetchone()
        if row is not None and row[0]:
            return True
        time.sleep(0.02)
    return False


def _cosine(one: bytes, other: bytes) -> float:
    """Of two unit vectors as vector_send gives them: two int16, then float32, big-endian."""
    return float(np.dot(np.frombuffer(one, ">f4", offset=4), np.frombuffer(other, ">f4", offset=4)))


def _shortened(value: Any) -> Any:
    if isinstance(value, str | bytes) and len(value) > 100:
        return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()
    return value


def checksums_hold(home: Path) -> bool:
    """Read every page of a stopped cluster and compare its checksum (pg_checksums)."""
    layout = Layout(home / "postgres")
    account = server_account(layout.data)
    command = [str(locate_binaries(layout, account) / "pg_checksums"), "--check", "-D", str(layout.data)]
    return account.run(command).returncode == 0


def hurt(
    kind: Kind, *, kills: int, seed: int, files: int, home: Path, folder: Path, installed: bool
) -> Figures:
    """Run an experiment on an embedded server below `home`, with the corpus below `folder`."""
    embedder: Embedder = SentenceTransformerEmbedder.from_settings(load_settings()) if installed else FAKE
    with EmbeddedPostgres(home) as server:
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        if kind != "everything":
            target = Target(database, embedder, installed=installed)
            return Experiment(target, Corpus(seed, files), folder, kind, seed).run(kills)
    target = Target(database, embedder, home, installed)
    figures = Experiment(target, Corpus(seed, files), folder, kind, seed).run(kills)
    if not checksums_hold(home):
        figures.errors.append("pg_checksums finds damaged pages")
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("kind", choices=["worker", "everything", "interrupt"])
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--files", type=int, default=500)
    options.add_argument("--installed", action="store_true")
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background job ignores it, and so would ours
    with tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch:
        figures = hurt(
            chosen.kind,
            kills=chosen.kills,
            seed=chosen.seed,
            files=chosen.files,
            home=Path(scratch) / "home",
            folder=Path(scratch) / "corpus",
            installed=chosen.installed or chosen.kind == "interrupt",
        )
    name = f"kills-{chosen.kind}{'-installed' if chosen.installed else ''}"
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report(name, chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
