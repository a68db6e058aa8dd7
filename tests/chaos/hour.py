"""The hour: two services and an ingest that watches work on one database under load, while indexes are dropped,
connections cut, the disk filled and the server killed.

    .venv/bin/python -m tests.chaos.hour [--minutes N] [--seed S] [--out FOLDER]

All three are the product's own commands with the bundled model, on an embedded PostgreSQL whose files lie on a small
file system (which needs root; without it the disk is not filled, and the figures say so). Nothing may be lost: in the
end the collection is what a calm ingest of the same folder makes. Every reply is 200 or has a known code. Every line
that a process writes is one of LINES, which were read by a person: each says what happened and what to do, or that
nothing has to be done. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg
from psycopg.conninfo import make_conninfo

from app.api.store_problem_texts import STORE_WORDS
from app.store.schema_names import VECTOR_SCHEMA
from app.store.texts import text_between
from tests.chaos.clients import Figures, Reply, send
from tests.chaos.evidence import report
from tests.e2e.served import Served, environment, kill_all
from tests.integration.ingesting import random_text
from tests.integration.processes import kill_server

DISK_MB: Final = 900
DOCUMENTS: Final = 1_200  # enough for a vector index with PGASK_INDEX_MIN_ROWS at its least
CLIENTS: Final = 3  # of each service
PAUSE_S: Final = (6.0, 20.0)  # between two disturbances
FULL_S: Final = 8.0
SETTLE_S: Final = 240.0
CODES: Final = frozenset({*STORE_WORDS, "too_many_requests", "not_ready"})
SETTINGS: Final = {"index_min_rows": "1000", "index_check_minutes": "0.1", "log_level": "info"}
# What may be written, by the event of a log's line or the beginning of a line of `ingest`.
LINES: Final = (
    r"request$",
    r"request failed$",
    r"vector index (?:built|measured)$",
    r"the vector index can't be used(?: and is forgotten; upkeep builds another one|; search is exact until)",
    r"the indexes could not be looked after; the next look tries again$",
    r"question vectors could not be written; they wait on$",
    r"the audit record could not be written",
    r"PostgreSQL had ended; started again$",
    r"PostgreSQL has closed connections; new ones are opened$",
    r"no connection to PostgreSQL; it is tried again until there is one",
    r"model converted for OpenVINO$",
    r"failure not recorded; the next run tries the file again$",
    r"PostgreSQL has ended and can't be started$",
    r"PostgreSQL is recovering; waiting until it accepts connections$",
    r"stale postmaster.pid removed$",
    r"o\+x added so that PostgreSQL can pass$",
    r"ingest: .*(?:[Cc]heck|[Tt]ry|[Ff]ree|tells more|Run) ",
    r"[\d,]+ new, [\d,]+ changed",
    r"coverage: ",
    r"The embedding model can't read [\d,]+ documents? .* Set PGASK_EMBEDDING_MODEL",
    r"failed  \S.*: disk_full\. .*Free some space",
    r"index: ",
    r"Watching for changes; Ctrl-C ends it\.$",
)


@dataclass(slots=True)
class Target:
    """Where `send` asks."""

    port: int

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port


@dataclass(slots=True)
class Corpus:
    """A folder whose files come, change and go, by `rng`."""

    folder: Path
    rng: random.Random
    made: int = 0
    paths: list[Path] = field(default_factory=list)

    def add(self) -> None:
        path = self.folder / f"part{self.made % 7}" / f"document{self.made}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.made += 1
        self.paths.append(path)
        self.write(path)

    def write(self, path: Path) -> None:
        text = random_text(self.rng.randrange(2**31), 8, chinese=self.rng.random() < 0.3)
        path.write_text(f"# Document {self.rng.randrange(10**9)}\n\n{text}\n", "utf-8")

    def change(self) -> None:
        """One of: a new file, a changed one, one less, one under another name."""
        path = self.rng.choice(self.paths)
        match self.rng.randrange(4):
            case 0:
                self.add()
            case 1:
                self.write(path)
            case 2:
                self.paths.remove(path)
                path.unlink()
            case _:
                self.made += 1
                moved = path.with_name(f"moved{self.made}.md")
                path.rename(moved)
                self.paths[self.paths.index(path)] = moved


@dataclass(slots=True)
class Hour:
    """One run."""

    home: Path
    corpus: Corpus
    rng: random.Random
    services: list[Served]
    disk: bool
    done: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)  # replies that are neither 200 nor a known error
    slowest_s: float = 0.0

    def login(self, user: str) -> str:
        """The address of the database for one of its roles."""
        passwords = json.loads((self.home / "postgres/credentials.json").read_text())
        lines = (self.home / "postgres/data/postmaster.pid").read_text().splitlines()
        return make_conninfo(
            host=lines[4], port=lines[3], user=user, password=passwords[user], dbname="pgask"
        )

    async def load(self, number: int, ends: float) -> None:
        """One client that asks, searches and streams in turn."""
        target, rng = Target(self.services[number % 2].port), random.Random(number)
        while time.monotonic() < ends:
            question = " ".join(random_text(rng.randrange(2**31), 1).split()[:6])
            path = rng.choice(["/ask", "/search", "/ask"])
            stream = path == "/ask" and rng.random() < 0.5
            body = {"question": question} | ({"stream": True} if stream else {})
            reply = await send(target, path, body)  # type: ignore[arg-type]
            self.count(path, reply, stream=stream)
            await asyncio.sleep(rng.uniform(0.1, 0.6) if reply.status == 200 else 1.0)

    def count(self, path: str, reply: Reply, *, stream: bool) -> None:
        told = str(reply.status)
        if reply.status != 200 or (stream and reply.event() != "done"):
            data = reply.body.rpartition("data: ")[2] if reply.status == 200 else reply.body
            with suppress(ValueError, AttributeError):
                told = f"{reply.status} {json.loads(data).get('code')}"
        self.statuses[told] += 1
        self.slowest_s = max(self.slowest_s, reply.seconds)
        known = told == "200" or told.partition(" ")[2] in CODES
        if not known and len(self.odd) < 20:
            self.odd.append(f"{path} {told}: {reply.body[-300:]}")

    async def disturb(self, ends: float) -> None:
        """By the seed, one thing after another."""
        kinds = ["drop", "cut", "kill", *(["fill"] if self.disk else [])]
        while True:
            pause = self.rng.uniform(*PAUSE_S)
            if time.monotonic() + pause + FULL_S > ends:
                return
            await asyncio.sleep(pause)
            kind = self.rng.choice(kinds)
            try:
                await asyncio.to_thread(getattr(self, kind))
                self.done[kind] += 1
            except (psycopg.Error, OSError, IndexError) as error:  # the last one still works on
                self.done[f"{kind} not possible"] += 1
                print(f"{kind}: {type(error).__name__}: {error}"[:200], file=sys.stderr, flush=True)

    def drop(self) -> None:
        """Every vector index."""
        with psycopg.connect(self.login("postgres"), autocommit=True, connect_timeout=5) as connection:
            named = connection.execute(
                "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind = 'i' AND a.amname IN ('ivfflat', 'hnsw')"
            ).fetchall()
            for (name,) in named:
                connection.execute(f"DROP INDEX IF EXISTS {name}".encode())
                self.done["indexes dropped"] += 1

    def cut(self) -> None:
        """Every connection but our own."""
        with psycopg.connect(self.login("postgres"), autocommit=True, connect_timeout=5) as connection:
            cut = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchone()
            self.done["connections cut"] += cut[0] if cut else 0

    def kill(self) -> None:
        kill_server(self.home)

    def fill(self) -> None:
        """Not a byte left for some seconds."""
        filler = self.home / "filler"
        try:
            with suppress(OSError), filler.open("wb") as file:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            time.sleep(FULL_S)
        finally:
            filler.unlink(missing_ok=True)

    async def write(self, ends: float) -> None:
        while time.monotonic() < ends:
            for _ in range(self.rng.randrange(1, 6)):
                self.corpus.change()
            await asyncio.sleep(self.rng.uniform(0.5, 4.0))

    def files(self) -> dict[str, str]:
        """Source → SHA-256 of what the folder holds."""
        return {
            path.relative_to(self.corpus.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.corpus.folder.rglob("*.md")
        }

    def stored(self) -> dict[str, str]:
        """The same of what can be found."""
        with psycopg.connect(self.login("postgres"), connect_timeout=5) as connection:
            rows = connection.execute(
                "SELECT d.source, d.content_sha256 FROM pgask.documents d JOIN pgask.collections c"
                " ON c.id = d.collection_id WHERE c.name = 'default' AND d.status IN ('ready', 'duplicate')"
            )
            return dict(rows.fetchall())

    async def settle(self) -> float | None:
        """Seconds until the watching ingest has caught up, None if it does not."""
        began = time.monotonic()
        while time.monotonic() - began < SETTLE_S:
            with suppress(psycopg.Error, OSError):
                if self.stored() == self.files():
                    return round(time.monotonic() - began, 1)
            await asyncio.sleep(1)
        return None


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of DISK_MB on `folder`; False where none can be mounted."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "none", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


@contextmanager
def watching(home: Path, folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    ingest = [str(Path(sys.executable).parent / "ingest"), str(folder), "--prune", "--watch"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            ingest,
            cwd=home.parent,
            env=environment(home, **SETTINGS),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(60)


def command(home: Path, name: str, *arguments: str) -> None:
    """One of the product's, to its end."""
    path = str(Path(sys.executable).parent / name)
    subprocess.run([path, *arguments], env=environment(home, **SETTINGS), cwd=home.parent, check=True)


def stranger(line: str) -> bool:
    """Whether a line is none of LINES, or holds a traceback."""
    if "Traceback" in line:
        return True
    with suppress(ValueError):
        told = json.loads(line)
        return "exception" in told or not _known(str(told.get("event")))
    return bool(line.strip()) and not _known(line)


def _known(text: str) -> bool:
    return any(re.match(known, text) for known in LINES)


def differences(login: str) -> dict[str, Any]:
    """How the collection differs from the calm one: chunks that only one has, and the least cosine of two vectors."""
    sides: list[dict[tuple[Any, ...], Any]] = []
    with psycopg.connect(login) as connection:
        for name in ("default", "calm"):
            row = connection.execute(
                "SELECT id, space_id FROM pgask.collections WHERE name = %s", [name]
            ).fetchone()
            assert row is not None
            statement = (
                "SELECT d.source, d.content_sha256, k.chunk_index,"
                f" {text_between('d.id', 'k.char_start', 'k.char_end')},"
                " (SELECT string_agg(p.term || p.term_frequency, ' ' ORDER BY p.term) FROM"
                f" pgask.chunk_postings(ARRAY[k.id]) p), v.embedding::text FROM pgask.documents d JOIN pgask.chunks k"
                f" ON k.document_id = d.id JOIN {VECTOR_SCHEMA}.chunk_vectors_{row[1]} v ON v.chunk_id = k.id"
                " WHERE d.collection_id = %s"
            )
            found = connection.execute(statement.encode(), [row[0]]).fetchall()
            sides.append({one[:5]: np.array(json.loads(one[5]), np.float32) for one in found})
    ours, calm = sides
    cosines = [float(ours[key] @ calm[key]) for key in ours.keys() & calm.keys()]
    return {
        "chunks": len(calm),
        "only_ours": len(ours.keys() - calm.keys()),
        "only_calm": len(calm.keys() - ours.keys()),
        "least_cosine": round(min(cosines, default=0.0), 5),
    }


async def run(minutes: float, seed: int, root: Path, found: Figures) -> None:
    """Everything, in a folder of its own."""
    home, folder, log = root / "home", root / "corpus", root / "ingest.log"
    home.mkdir()
    corpus = Corpus(folder, random.Random(seed))
    for _ in range(DOCUMENTS):
        corpus.add()
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(home))
        stack.callback(kill_all, home)
        await asyncio.to_thread(command, home, "pgask", "migrate")
        services = [Served(home, **SETTINGS) for _ in range(2)]
        hour = Hour(home, corpus, random.Random(seed + 1), services, disk)
        stack.enter_context(watching(home, folder, log))
        for service in services:
            stack.callback(service.close)
            service.start()
        for service in services:
            await asyncio.to_thread(service.wait_until_ready)
        found.hold("it takes in the folder", await hour.settle() is not None)
        ends = time.monotonic() + 60 * minutes
        clients = [hour.load(number, ends) for number in range(2 * CLIENTS)]
        await asyncio.gather(*clients, hour.disturb(ends), hour.write(ends))
        settled_s = await hour.settle()
        lives = [service.process.poll() is None for service in services]
        await asyncio.to_thread(command, home, "ingest", str(folder), "--collection", "calm", "--quiet")
        differ = differences(hour.login("postgres"))
        lines = {
            "ingest": log.read_text().splitlines(),
            **{f"service {n}": service.log().splitlines() for n, service in enumerate(services, 1)},
        }
    strange = [f"{name}: {line[:400]}" for name, own in lines.items() for line in own if stranger(line)]
    events = Counter(_event(line) for own in lines.values() for line in own if line.strip())
    found.figures |= {
        "minutes": minutes,
        "disk_filled": disk,
        "done": dict(hour.done),
        "statuses": dict(hour.statuses),
        "slowest_s": round(hour.slowest_s, 1),
        "settled_s": settled_s,
        **differ,
        "lines": dict(events.most_common()),
        "strange": strange[:20],
        "odd": hour.odd,
    }
    found.hold("the watching ingest catches up", settled_s is not None)
    found.hold("both services live", all(lives))
    found.hold("nothing is lost", not differ["only_ours"] and not differ["only_calm"])
    found.hold("vectors are the same", differ["least_cosine"] > 0.999)
    found.hold("every line is known", not strange)
    found.hold("every reply is 200 or a known error", not hour.odd)


def _event(line: str) -> str:
    with suppress(ValueError, AttributeError):
        return str(json.loads(line).get("event"))
    return re.sub(r"\d+", "N", line)[:60]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if all held."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background jobs ignore it, and all they start
    found = Figures()
    with tempfile.TemporaryDirectory(prefix="pgask-hour-") as scratch:
        os.chmod(scratch, 0o711)  # noqa: PTH101 - as a home folder is
        asyncio.run(run(chosen.minutes, chosen.seed, Path(scratch), found))
    told = {**found.figures, "faults": found.faults, "passed": not found.faults}
    return 0 if report("hour", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
