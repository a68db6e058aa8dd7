"""An upgrade under load: the schema of an older commit, filled, becomes today's while questions are asked (R12).

    .venv/bin/python -m tests.chaos.upgrade [--postings N] [--rate N] [--old COMMIT] [--seed S] [--out FOLDER]

The older commit is checked out beside this one, and its own code makes the database, takes in some documents and
serves. More chunks are made by SQL: postings of words and numbers, vectors at random, rows that lie there as they did
before there were tenants. Then, as docs/operations.md says: `migrate --pre`, a service of this code beside the old one,
traffic moves over, the old one ends, `migrate`. Searches and questions come by the clock all the while. Nothing may
fail, and no reply may take longer than MOST_S. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from app.api.http_server import Server
from app.config import Settings
from app.lexicon import terms
from app.logs import configure_logs
from app.main import create_app
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect
from app.store.migrate import current_revision, migrate, migrate_ahead
from tests.chaos.clients import send
from tests.chaos.evidence import ROOT, report
from tests.fakes import FakeEmbedder

MOST_S: Final = 2.0
CHUNKS: Final = 100  # of a document
TERMS: Final = 100  # of a chunk
CALM_S: Final = 10.0
# From the word that most chunks hold to one that a twentieth does.
WORDS: Final = [
    "vector",
    "index",
    "list",
    "probe",
    "recall",
    "query",
    "chunk",
    "window",
    "token",
    "term",
    "corpus",
    "answer",
    "source",
    "page",
    "table",
    "column",
    "row",
    "key",
    "lock",
    "server",
    "client",
    "worker",
    "queue",
    "role",
    "tenant",
    "folder",
    "upload",
    "export",
    "import",
    "backup",
    "replica",
    "pooler",
    "model",
    "score",
    "rank",
    "filter",
    "language",
    "sentence",
    "citation",
    "title",
]
_START_S: Final = 300.0

# Words of questions stand in .46 / rank^.6 of the chunks, as the commonest of squad's articles do; the rest of a
# chunk's hundred terms are numbers, rarer the greater they are.
FILL: Final = (
    "CREATE TEMPORARY TABLE made AS SELECT gen_random_uuid() AS id, number FROM generate_series(1, {documents}) number",
    "INSERT INTO pgask.documents (id, collection_id, source, status, chunk_count, char_count)"
    " SELECT id, {collection}, 'made/' || number, 'ready', {chunks}, {chunks} * 100 FROM made",
    "INSERT INTO pgask.document_texts (document_id, part, text)"
    " SELECT id, part, repeat('vector index. ', 142) || 'more of it.'"
    " FROM made, generate_series(0, {chunks} / 20 - 1) part",
    "INSERT INTO pgask.chunks (document_id, collection_id, chunk_index, char_start, char_end, token_count, term_count,"
    " places, sentences, window_start, window_end) SELECT id, {collection}, i, i * 100, i * 100 + 99, {terms}, {terms},"
    " '[]', ARRAY[i * 100, i * 100 + 99], i, i + 1 FROM made, generate_series(0, {chunks} - 1) i",
    "INSERT INTO pgask.postings (chunk_id, collection_id, chunk_terms, term_frequency, term, window_frequencies)"
    " SELECT k.id, {collection}, {terms}, 1 + n.t % 3, n.term, '\\x01'"
    " FROM pgask.chunks k JOIN made m ON m.id = k.document_id CROSS JOIN LATERAL ("
    " SELECT 0 AS t, w.term FROM unnest({words}) WITH ORDINALITY w (term, rank)"
    " WHERE random() + 0 * k.id < .46 * power(w.rank, -.6)"
    " UNION ALL SELECT t, 't' || t || (1000 * power(random(), 3))::int"
    " FROM generate_series(1, {terms} - 5 + 0 * k.id) t) n",
    "INSERT INTO pgask_vectors.chunk_vectors_1 (chunk_id, collection_id, document_id, embedding)"
    " SELECT k.id, {collection}, k.document_id, (SELECT array_agg(x) FROM (SELECT random() - .5 + 0 * k.id AS x"
    " FROM generate_series(1, {dimension})) r)::vector FROM pgask.chunks k JOIN made m ON m.id = k.document_id",
    "INSERT INTO pgask_vectors.window_vectors_1 (document_id, window_index, char_start, char_end, embedding)"
    " SELECT v.document_id, k.chunk_index, k.char_start, k.char_end, v.embedding::halfvec({dimension})"
    " FROM pgask_vectors.chunk_vectors_1 v JOIN pgask.chunks k ON k.id = v.chunk_id"
    " JOIN made m ON m.id = v.document_id",
    "ANALYZE",
)


@dataclass(slots=True)
class Figures:
    """What came of it, by step: replies by status, and the slowest in seconds."""

    postings: int = 0
    revisions: list[str | None] = field(default_factory=list)
    requests: int = 0
    statuses: dict[str, dict[str, int]] = field(default_factory=dict)
    slowest_s: dict[str, float] = field(default_factory=dict)
    steps_s: dict[str, float] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    rows_without_collection: list[int] = field(default_factory=list)  # before and after

    def passed(self) -> bool:
        """Tell whether nothing failed, nothing took long, and all was filled."""
        good = all(set(statuses) == {"200"} for statuses in self.statuses.values())
        filled = self.rows_without_collection[0] > 0 == self.rows_without_collection[-1]
        return good and filled and max(self.slowest_s.values()) <= MOST_S


@dataclass(slots=True)
class Traffic:
    """Questions by the clock, to whichever service is in turn."""

    port: int
    rate: float
    rng: random.Random
    found: Figures
    step: str = "old"
    ended: bool = False

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    async def flow(self) -> None:
        """Until `ended`; waits for the replies that are under way."""
        began, running = time.monotonic(), set()
        for number in itertools.count():
            if self.ended:
                break
            running.add(asyncio.create_task(self._one(number)))
            await asyncio.sleep(max(0.0, began + (number + 1) / self.rate - time.monotonic()))
        await asyncio.gather(*running)

    async def _one(self, number: int) -> None:
        words, step = " ".join(self.rng.sample(WORDS, 3)), self.step
        path, body = (
            ("/search", {"question": words}) if number % 2 else ("/ask", {"question": f"What is {words}?"})
        )
        reply = await send(self, path, body)  # type: ignore[arg-type]
        self.found.requests += 1
        statuses = self.found.statuses.setdefault(step, {})
        statuses[str(reply.status)] = statuses.get(str(reply.status), 0) + 1
        self.found.slowest_s[step] = round(max(self.found.slowest_s.get(step, 0.0), reply.seconds), 3)
        if reply.status != 200 and len(self.found.odd) < 10:
            self.found.odd.append(f"{step}: {reply.status} {reply.body[:200]}")


def commit_before() -> str:
    """The last commit whose migrations locked what they changed."""
    made = subprocess.run(
        ["git", "log", "--diff-filter=A", "--format=%H", "--", "migrations/online.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return f"{made.stdout.split()[-1]}^"


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """The tree of a commit beside this one."""
    subprocess.run(
        ["git", "worktree", "add", "--detach", "--quiet", str(folder), commit], cwd=ROOT, check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=ROOT, check=True)


@asynccontextmanager
async def serving(command: Sequence[str], tree: Path, port: int, log: Path) -> AsyncIterator[None]:
    """A service as a process of its own, from when it answers until it was told to end and did."""
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)},
            stdout=written, stderr=written, start_new_session=True,
        )  # fmt: skip
    try:
        deadline, probe = time.monotonic() + _START_S, Traffic(port, 1, random.Random(0), Figures())
        while (await send(probe, "/readyz")).status != 200:  # type: ignore[arg-type]
            if time.monotonic() > deadline or process.returncode is not None:
                raise RuntimeError((await asyncio.to_thread(log.read_text))[-2_000:])
            await asyncio.sleep(0.2)
        yield
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)


def fill(database: Database, postings: int) -> int:
    """Make as many postings, about. Returns how many there are."""
    with connect(database.owner) as owner:
        row = owner.execute("SELECT id FROM pgask.collections WHERE name = 'default'").fetchone()
        assert row is not None
        for statement in FILL:
            owner.execute(
                statement.format(
                    documents=max(1, postings // (CHUNKS * TERMS)),
                    collection=row[0],
                    chunks=CHUNKS,
                    terms=TERMS,
                    words=f"ARRAY{[next(iter(terms(word))) for word in WORDS]!r}",
                    dimension=FakeEmbedder().space.dimension,
                ).encode()
            )
        counted = owner.execute("SELECT count(*) FROM pgask.postings").fetchone()
        assert counted is not None
        return int(counted[0])


def without_collection(database: Database) -> int:
    """Rows that do not know their collection."""
    with connect(database.owner) as owner:
        row = owner.execute(
            "SELECT (SELECT count(*) FROM pgask.document_texts WHERE collection_id IS NULL)"
            " + (SELECT count(*) FROM pgask_vectors.window_vectors_1 WHERE collection_id IS NULL)"
        ).fetchone()
        assert row is not None
        return int(row[0])


def revision(database: Database) -> str | None:
    with connect(database.owner) as owner:
        return current_revision(owner)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def upgrade(folder: Path, old_tree: Path, postings: int, rate: float, seed: int) -> Figures:
    """The whole of it, in a folder of its own."""
    found, home, ports = Figures(), folder / "home", (free_port(), free_port())
    settings = json.dumps({"workers": 0})
    old = ["-m", "tests.chaos.served", str(home), str(ports[0]), settings]
    with EmbeddedPostgres(home) as server:
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        traffic = Traffic(ports[0], rate, random.Random(seed), found)

        async def step(name: str, work: Any) -> None:
            traffic.step, began = name, time.monotonic()
            await work
            found.steps_s[name] = round(time.monotonic() - began, 1)

        async with serving(old, old_tree, ports[0], folder / "old.log"):
            found.postings = await asyncio.to_thread(fill, database, postings)
            found.rows_without_collection.append(without_collection(database))
            found.revisions.append(revision(database))
            flowing = asyncio.create_task(traffic.flow())
            await step("old", asyncio.sleep(CALM_S))
            await step("migrate --pre", asyncio.to_thread(migrate_ahead, database))
            found.revisions.append(revision(database))
            new = ["-m", "tests.chaos.upgrade", "--serve", urls.owner, urls.app, str(ports[1])]
            traffic.step = "both"
            started = serving(new, ROOT, ports[1], folder / "new.log")
            await started.__aenter__()
            traffic.port = ports[1]
            await asyncio.sleep(CALM_S)
        try:
            await step("migrate", asyncio.to_thread(migrate, database))
            await step("new", asyncio.sleep(CALM_S))
            traffic.ended = True
            await flowing
        finally:
            await started.__aexit__(None, None, None)
        found.revisions.append(revision(database))
        found.rows_without_collection.append(without_collection(database))
    return found


def serve(owner: str, app: str, port: int) -> None:
    """This code's service, on a database that somebody else keeps."""
    settings = Settings(_env_file=None, port=port, workers=0, abstain_threshold=0.0)  # type: ignore[call-arg]
    configure_logs(settings.log_level)
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        served = create_app(settings, Database(owner=owner, app=app), FakeEmbedder())
        Server(served, settings).run(sockets=[listener])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if nothing failed and nothing took long."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--postings", type=int, default=5_000_000)
    options.add_argument("--rate", type=float, default=20.0, help="requests a second")
    options.add_argument("--old", default=None, help="a commit; the last one before migrations/online.py")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    options.add_argument("--serve", nargs=3, metavar=("OWNER", "APP", "PORT"), help=argparse.SUPPRESS)
    given = options.parse_args(arguments)
    if given.serve:
        owner, app, port = given.serve
        serve(owner, app, int(port))
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="pgask-upgrade-") as folder,
        checked_out(given.old or commit_before(), Path(folder) / "old") as tree,
    ):
        found = asyncio.run(upgrade(Path(folder), tree, given.postings, given.rate, given.seed))
    told = asdict(found) | {"rate": given.rate, "passed": found.passed()}
    return 0 if report("upgrade", given.seed, told, out=given.out) else 1


if __name__ == "__main__":
    sys.exit(main())
