"""Workers are killed, stopped and cut off, and rows are lost and changed by hand, while jobs run (R6 to R8).

    .venv/bin/python -m tests.chaos.workers [--faults N] [--seed N] [--out FOLDER]

The embedded PostgreSQL is killed and restarted as well, its disk filled for a second or two (where a file system can
be mounted: root), and files are sent that no worker gets over. Every job must end, every file of it with a document or
a reason code, and what is stored must be what one undisturbed run of `ingest` stores. Most of it runs on a clock that
is ten times as fast (FAST); what the documentation promises in seconds (a killed worker's job is taken over within 60,
a dead line is noticed within 30) is measured on the real one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg

from app.server.embedded import EmbeddedPostgres
from app.store import jobs, originals
from app.store.catalog import find_shelf_ids
from app.store.connection import AsyncConnection, Connection, Database, connect, write
from app.store.connection_pool import open_pool
from app.store.migrate import migrate
from ingest.disk_space import LEAST_FREE_BYTES
from ingest.options import IngestOptions
from ingest.worker import LOST_STATUS, Timing
from tests.chaos.evidence import ROOT, report
from tests.integration.freezing import FreezingProxy
from tests.integration.ingesting import ingest, open_collection, orphans, random_text
from tests.integration.processes import kill_server, read_pid, runs, wait_until

FAST: Final = Timing(
    heartbeat_s=0.4, stalled_s=2.0, mend_s=0.7, poll_s=0.4, patience_s=6.0, grace_s=3.0, retry_s=1
)
FILES: Final = 3  # of a job
_MOST_AT_ONCE: Final = 4  # jobs that have not ended
_LEFT: Final = ("queued", "running")
_DISK_MB: Final = 900
_POISON: Final = {  # files that no worker gets over, or no parser
    "waits.md": b"It WAITSFORGOOD and ever.",
    "keeps.md": b"It KEEPSTHEINTERPRETER for itself.",
    "broken.pdf": b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 1 0 R >>",
    "broken.docx": b"PK\x03\x04" + bytes(range(256)) * 4,
    "bytes.md": bytes(range(256)) * 8,
}
STICKY: Final = replace(FAST, quiet_s=3.0, frozen_s=3.0)  # for what hangs by itself
IMPATIENT: Final = replace(FAST, quiet_s=8.0, frozen_s=8.0)  # the same on a machine that is not at rest
HUNG_END: Final = {False: ("succeeded", None), True: ("failed", "no_progress")}  # of the files of `hang`


@dataclass(slots=True)
class Figures:
    """What was done, and what came of it."""

    faults: dict[str, int] = field(default_factory=dict)
    jobs: int = 0
    files: int = 0
    succeeded: int = 0
    failed: dict[str, int] = field(default_factory=dict)  # by code, but for poison
    poison: dict[str, int] = field(default_factory=dict)  # how files ended that no worker gets over
    were_full: int = 0  # files that found the disk full; they were sent again
    cancelled: int = 0
    unended: int = 0
    without_reason: int = 0
    wrong: list[str] = field(default_factory=list)  # documents that are not what an undisturbed run stores
    orphans: int = 0
    slowest_end_s: float = 0.0  # after the last fault
    takeover_s: list[float] = field(default_factory=list)  # real clock: from the kill to the job's end
    noticed_s: list[float] = field(default_factory=list)  # real clock: from the dead line to the worker's end
    hung: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # files of a job that hangs at one
    frozen: tuple[int, float] = (
        1,
        0.0,
    )  # exit status of a worker that can't run, seconds until its job has failed
    held_s: float = 0.0  # until a job is done that a live worker held and did nothing for

    def passed(self) -> bool:
        """Whether nothing was lost, stuck, doubled or left without a reason."""
        return (
            self.unended == self.without_reason == self.orphans == 0
            and not self.wrong
            and set(self.failed) <= {"worker_lost"}
            and not {"succeeded", "failed None"} & set(self.poison)
            and all(seconds <= 60 for seconds in self.takeover_s)
            and all(seconds <= 30 for seconds in self.noticed_s)
            and all(end == HUNG_END[name == "hang 1.md"] for name, end in self.hung.items())
            and self.frozen[0] == 1
            and self.frozen[1] <= 600
            and self.held_s <= 60
        )


class Crew:
    """Worker processes; `keep` starts others in the place of dead ones, as app/workers.py does."""

    def __init__(self, database: Database, count: int, timing: Timing) -> None:
        self._database, self._count, self._timing = database, count, timing
        self.running: list[subprocess.Popen[bytes]] = []

    def keep(self) -> None:
        self.running = [one for one in self.running if one.poll() is None]
        while len(self.running) < self._count:
            self.running.append(self._start())

    def end(self) -> None:
        for one in self.running:
            with suppress(ProcessLookupError):
                one.send_signal(signal.SIGCONT)
                one.kill()
            one.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PGASK_")}
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.chaos.job_worker", self._database.owner, self._database.app),
                json.dumps(asdict(self._timing)),
                str(self._database.home or ""),
            ],
            cwd=ROOT,
            env=kept | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@contextmanager
def crew(database: Database, count: int, timing: Timing) -> Iterator[Crew]:
    workers = Crew(database, count, timing)
    workers.keep()
    try:
        yield workers
    finally:
        workers.end()


def send(database: Database, files: dict[str, bytes]) -> str:
    """Make a job as an upload does."""

    async def store(connection: AsyncConnection) -> str:
        new = [
            jobs.NewFile(
                name,
                len(content),
                await originals.add_original(
                    connection,
                    name,
                    sha256(content).hexdigest(),
                    len(content),
                    originals.cut_bytes(content),
                ),
            )
            for name, content in files.items()
        ]
        shelf = (await find_shelf_ids(connection, "default"))[0]
        return (await jobs.create_job(connection, shelf, new, options={}, created_by="chaos")).id

    return str(_in_database(database, store))


def _in_database(database: Database, work: Callable[[AsyncConnection], Any]) -> Any:
    async def run() -> Any:
        async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
            return await write(pool, work)

    return asyncio.run(run())


class Hand:
    """A connection of its own for who looks and meddles; another one where the server was restarted."""

    def __init__(self, url: str) -> None:
        self._url, self._held = url, ExitStack()
        self.connection = self._held.enter_context(connect(url))

    def execute(self, statement: LiteralString, parameters: Sequence[object] = ()) -> psycopg.Cursor[Any]:
        try:
            return self.connection.execute(statement, parameters)
        except psycopg.OperationalError:
            self.close()
            self.connection = self._held.enter_context(connect(self._url))
            return self.connection.execute(statement, parameters)

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._held.close()


class Experiment:
    """Faults by seed over a stream of jobs. With a `server` of its own it is restarted, too; with a `disk` that holds
    that server, this is filled."""

    def __init__(
        self,
        database: Database,
        seed: int,
        folder: Path,
        server: EmbeddedPostgres | None = None,
        disk: Path | None = None,
    ) -> None:
        self._database, self._rng, self._folder = database, random.Random(seed), folder
        self._server, self._disk = server, disk
        self._files: dict[str, bytes] = {}
        self._poison: set[str] = set()
        self.figures = Figures()

    def run(self, faults: int, *, workers: int = 2) -> Figures:
        """Do so many, then let all end."""
        collection = open_collection(self._database)
        figures = self.figures
        with (
            crew(self._database, workers, IMPATIENT if self._server else FAST) as crowd,
            closing(Hand(self._database.owner)) as hand,
        ):
            for _ in range(faults):
                crowd.keep()
                if len(self._left(hand)) < _MOST_AT_ONCE:
                    self._send()
                time.sleep(self._rng.uniform(0.0, 0.5))
                name, fault = self._rng.choice(self._faults(crowd, hand))
                fault()
                figures.faults[name] = figures.faults.get(name, 0) + 1
            ended = self._wait(crowd, hand, 480.0 if self._server else 120.0)
            figures.slowest_end_s = round(ended, 1)
            self._send_again(hand)
            self._wait(crowd, hand)
            self._judge(hand)
            figures.orphans = sum(orphans(hand.connection, collection))
        return figures

    def _send(self) -> None:
        number = len(self._files)
        made = {
            f"{number + each}.md": f"# Title {number + each}\n\n{random_text(number + each, 20)}\n".encode()
            for each in range(FILES)
        }
        self._files |= made
        self.figures.jobs += 1
        send(self._database, made)

    def _send_again(self, hand: Hand) -> None:
        """Do again the jobs of files that found the disk full, now that it is not."""
        full = hand.execute(
            "SELECT count(*), array_agg(DISTINCT job_id::text) FROM pgask.job_files WHERE code = 'disk_full'"
        )
        for count, found in full.fetchall():
            self.figures.were_full = count
            for job in found or ():
                _in_database(self._database, partial(jobs.retry_job, job_id=job))

    def _send_poison(self) -> None:
        """A job of which one file is not to be got over."""
        number = len(self._poison)
        name = self._rng.choice(sorted(_POISON))
        self._poison.add(f"{number} {name}")
        good = {f"beside {number}.md": random_text(number, 20).encode()}
        self._files |= good
        self.figures.jobs += 1
        send(self._database, {**good, f"{number} {name}": _POISON[name]})

    def _restart(self, how: signal.Signals) -> None:
        """End the server and all of its processes; start it again a little later."""
        assert self._server is not None
        assert self._database.home is not None
        if how == signal.SIGKILL:
            kill_server(self._database.home)
        else:
            pid = read_pid(self._database.home)
            os.kill(pid, how)
            wait_until(lambda: not runs(pid), 60)
        time.sleep(self._rng.uniform(0, 0.5))
        self._server.start()

    def _fill(self) -> None:
        """Leave less room than a document may be written into, for a second or two."""
        assert self._disk is not None
        filler = self._disk / "filler"
        free = shutil.disk_usage(self._disk).free
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, free - LEAST_FREE_BYTES * 2 // 3))
        time.sleep(self._rng.uniform(0.5, 2))
        filler.unlink()

    def _faults(self, crowd: Crew, hand: Hand) -> list[tuple[str, Callable[[], object]]]:
        one = self._rng.choice(crowd.running)
        unended = self._left(hand)
        job = self._rng.choice(unended) if unended else None

        def hands(statement: LiteralString) -> Callable[[], object]:
            def change() -> None:
                with suppress(psycopg.errors.UniqueViolation):  # another worker has just taken it
                    hand.execute(statement, [job])

            return change

        def stop() -> None:
            one.send_signal(signal.SIGSTOP)
            time.sleep(FAST.stalled_s + FAST.mend_s + self._rng.uniform(0, 1))
            one.send_signal(signal.SIGCONT)

        def cancel() -> None:
            assert job is not None
            with suppress(Exception):  # it may have ended meanwhile
                _in_database(self._database, lambda connection: jobs.cancel_job(connection, job))
            if self._rng.random() < 0.5:
                with suppress(Exception):
                    _in_database(self._database, lambda connection: jobs.retry_job(connection, job))

        faults: list[tuple[str, Callable[[], object]]] = [
            ("worker killed", one.kill),
            ("worker killed", one.kill),
            ("connections cut", self._cut),
            ("worker stopped", stop),
        ]
        if self._server is not None:
            faults.append(("database restarted", lambda: self._restart(signal.SIGINT)))
            faults.append(("database killed", lambda: self._restart(signal.SIGKILL)))
            if self._rng.random() < 0.2:
                faults.append(("poison sent", self._send_poison))
        if self._disk is not None:
            faults.append(("disk full", self._fill))
        if job is not None:
            faults += [
                (
                    "place in the queue lost",
                    hands("DELETE FROM pgask_queue.procrastinate_jobs WHERE queueing_lock = %s"),
                ),
                (
                    "place in the queue failed",
                    hands(
                        "UPDATE pgask_queue.procrastinate_jobs SET status = 'failed' WHERE queueing_lock = %s"
                    ),
                ),
                (
                    "worker forgotten",
                    hands(
                        "DELETE FROM pgask_queue.procrastinate_workers WHERE id IN (SELECT worker_id FROM"
                        " pgask_queue.procrastinate_jobs WHERE queueing_lock = %s)"
                    ),
                ),
                (
                    "state changed",
                    hands("UPDATE pgask.jobs SET state = 'queued' WHERE id::text = %s AND state = 'running'"),
                ),
                (
                    "file's state changed",
                    hands(
                        "UPDATE pgask.job_files SET state = 'running' WHERE job_id::text = %s AND state = 'queued'"
                    ),
                ),
                (
                    "held by a worker that does nothing for it",
                    hands(
                        "UPDATE pgask_queue.procrastinate_jobs SET status = 'doing', worker_id ="
                        " (SELECT max(id) FROM pgask_queue.procrastinate_workers)"
                        " WHERE queueing_lock = %s AND status = 'todo'"
                    ),
                ),
                ("cancelled", cancel),
            ]
        return faults

    def _cut(self) -> None:
        """End the workers' sessions; a role may end its own."""
        with connect(self._database.app, vectors=False) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )

    def _left(self, hand: Hand) -> list[str]:
        rows = hand.execute("SELECT id::text FROM pgask.jobs WHERE state = ANY(%s) ORDER BY 1", [list(_LEFT)])
        return [row[0] for row in rows.fetchall()]

    def _wait(self, crowd: Crew, hand: Hand, most_s: float = 120.0) -> float:
        """Until nothing is left to do. Returns the seconds that it took."""
        began = time.monotonic()
        while time.monotonic() - began < most_s:
            crowd.keep()
            row = hand.execute(
                "SELECT count(*) FROM pgask.job_files WHERE state = ANY(%s)", [list(_LEFT)]
            ).fetchone()
            if row == (0,) and not self._left(hand):
                break
            time.sleep(0.2)
        return time.monotonic() - began

    def _judge(self, hand: Hand) -> None:
        figures = self.figures
        figures.unended = len(self._left(hand))
        files = hand.execute(
            "SELECT f.source, f.state, f.code, f.job_id::text FROM pgask.job_files f ORDER BY 1"
        ).fetchall()
        figures.files = len(files)
        for source, state, code, _ in files:
            figures.succeeded += state == "succeeded"
            figures.cancelled += state == "cancelled"
            if source in self._poison:
                ended = f"failed {code}" if state == "failed" else str(state)
                figures.poison[ended] = figures.poison.get(ended, 0) + 1
            elif state == "failed":
                figures.failed[str(code)] = figures.failed.get(str(code), 0) + 1
            figures.without_reason += state in _LEFT or (state == "failed" and not code)
        in_order = {source for source, state, _, _ in files if state == "succeeded"}
        stored = self._stored(hand, "default")
        reference = self._reference(hand)
        figures.wrong = sorted(
            source for source in in_order if stored.get(source) != reference.get(source)
        ) + sorted(set(stored) - set(reference))

    def _reference(self, hand: Hand) -> dict[str, Any]:
        """What an undisturbed run over the same files stores, by the settings of the worker."""
        for name, content in self._files.items():
            (self._folder / name).write_bytes(content)
        ingest(self._database, self._folder, collection="reference", options=IngestOptions(ocr=False))
        return self._stored(hand, "reference")

    @staticmethod
    def _stored(hand: Hand, collection: str) -> dict[str, Any]:
        rows = hand.execute(
            "SELECT d.source, d.content_sha256, d.char_count, d.chunk_count, d.token_count, d.text_sha256,"
            " (SELECT count(*) FROM pgask.chunks k WHERE k.document_id = d.id),"
            " (SELECT count(*) FROM pgask.chunk_postings(ARRAY(SELECT k.id FROM pgask.chunks k"
            " WHERE k.document_id = d.id)))"
            " FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id"
            " WHERE c.name = %s AND d.status = 'ready'",
            [collection],
        )
        return {row[0]: row[1:] for row in rows.fetchall()}


def take_over(database: Database, timing: Timing, seed: int) -> float:
    """Kill the worker of a running job beside another worker; the seconds until the job has ended well."""
    open_collection(database)
    with crew(database, 1, timing) as first, connect(database.app, vectors=False) as look:
        job = send(database, {f"take-over {seed}.md": random_text(seed, 400).encode()})
        _wait_for(look, job, "running", 60)
        (killed,) = first.running
        killed.send_signal(signal.SIGSTOP)  # it must not end the job before it is killed
        state = look.execute("SELECT state FROM pgask.jobs WHERE id::text = %s", [job]).fetchone()
        with crew(database, 1, timing):
            began = time.monotonic()
            killed.kill()
            assert state == ("running",)
            _wait_for(look, job, "succeeded", 120)
            return round(time.monotonic() - began, 1)


def cut_off(database: Database, timing: Timing, folder: Path) -> float:
    """Let the line to the database go dead under a worker; the seconds until it has ended itself."""
    with (
        FreezingProxy(database.app, folder) as line,
        crew(Database(owner=database.owner, app=line.url), 1, timing) as lone,
        connect(database.app, vectors=False) as look,
    ):
        (worker,) = lone.running
        deadline = time.monotonic() + 60
        while look.execute("SELECT FROM pgask_queue.procrastinate_workers").fetchone() is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(timing.mend_s)  # its first look
        began = time.monotonic()
        line.freeze()
        status = worker.wait(120)
        assert status == LOST_STATUS, status
        return round(time.monotonic() - began, 1)


def hang(database: Database, timing: Timing, *, has_hung: bool = False) -> dict[str, tuple[str, str | None]]:
    """Let a worker hang at one of some files for good; state and code of each, once the job has ended. `has_hung`: it
    is said to have hung before, so that files are taken in one by one from the start."""
    open_collection(database)
    files = {f"hang {number}.md": random_text(number, 30).encode() for number in range(4)}
    files["hang 1.md"] += b" WAITSFORGOOD"
    job = send(database, files)
    with crew(database, 1, timing) as lone, connect(database.app, vectors=False) as look:
        if has_hung:
            look.execute("UPDATE pgask.jobs SET code = 'no_progress'")
        _wait_for(look, job, "succeeded", 120, lone)
        rows = look.execute("SELECT source, state, code FROM pgask.job_files WHERE job_id::text = %s", [job])
        return {source: (state, code) for source, state, code in rows.fetchall()}


def freeze(database: Database, timing: Timing) -> tuple[int, float]:
    """Let a file keep a lone worker's interpreter to itself each time that it is taken in; that worker's exit status,
    and the seconds until the job has failed."""
    open_collection(database)
    with crew(database, 1, timing) as lone, connect(database.app, vectors=False) as look:
        (worker,) = lone.running
        began = time.monotonic()
        job = send(database, {"freeze.md": b"It KEEPSTHEINTERPRETER for itself."})
        status = worker.wait(120)
        _wait_for(look, job, "failed", 600, lone)
        return status, round(time.monotonic() - began, 1)


def hold(database: Database, timing: Timing) -> float:
    """Let a live worker have a job in the queue that it does nothing for, as where the end of an attempt could not be
    written; the seconds until it is done all the same."""
    open_collection(database)
    job = send(database, {"hold.md": b"A heron stands in the shallow water."})
    newest = "SELECT coalesce(max(id), 0) FROM pgask_queue.procrastinate_workers"
    with connect(database.owner, vectors=False) as hand:
        hand.execute("UPDATE pgask_queue.procrastinate_jobs SET scheduled_at = now() + interval '1 day'")
        before = hand.execute(newest).fetchone()
        with crew(database, 1, timing):
            deadline = time.monotonic() + 60
            while (worker := hand.execute(newest).fetchone()) == before:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            hand.execute(
                "UPDATE pgask_queue.procrastinate_jobs SET status = 'doing', scheduled_at = NULL, worker_id = %s"
                " WHERE queueing_lock = %s",
                [*(worker or ()), job],
            )
            began = time.monotonic()
            _wait_for(hand, job, "succeeded", 60)
            return round(time.monotonic() - began, 1)


def _wait_for(look: Connection, job: str, state: str, most_s: float, kept: Crew | None = None) -> None:
    deadline = time.monotonic() + most_s
    while True:
        if kept is not None:
            kept.keep()
        row = look.execute("SELECT state FROM pgask.jobs WHERE id::text = %s", [job]).fetchone()
        if row == (state,):
            return
        assert time.monotonic() < deadline, row
        time.sleep(0.05)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of its own, of _DISK_MB; None where it can't be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m,mode=755", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--faults", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch:
        folder = Path(scratch)
        for name in ("files", "line"):
            (folder / name).mkdir()
        with small_disk(folder / "disk") as disk, EmbeddedPostgres((disk or folder) / "home") as server:
            urls = server.start()
            home = (disk or folder) / "home"
            database = Database(owner=urls.owner, app=urls.app, home=home)
            migrate(database)
            experiment = Experiment(database, chosen.seed, folder / "files", server, disk)
            figures = experiment.run(chosen.faults)
            figures.takeover_s = [take_over(database, Timing(), chosen.seed + each) for each in range(3)]
            figures.noticed_s = [cut_off(database, Timing(), folder / "line")]
            figures.held_s = hold(database, Timing())
            figures.hung = hang(database, STICKY)
            figures.frozen = freeze(database, Timing())
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report("workers", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
