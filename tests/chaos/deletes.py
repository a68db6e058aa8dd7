"""Deleting under load (R15): once `DELETE /documents/{id}` has answered, nothing of the document can be found.

    .venv/bin/python -m tests.chaos.deletes [--documents N] [--seed S] [--out FOLDER]

Threads search and ask without pause while the documents are deleted one after the other. No reply to a request that
was sent after a deletion may name the document; its text, its row and all its parts in the database are gone. Prints
one JSON object.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from fastapi.testclient import TestClient

from app.logs import configure_logs
from app.main import create_app
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect
from app.store.migrate import migrate
from tests.chaos.evidence import report
from tests.chaos.hostile import fact, question
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.ingesting import SMALL, counted, counters, ingest, open_collection, orphans

_READERS: Final = 3


@dataclass(slots=True)
class Figures:
    """What a run found."""

    documents: int = 0
    deleted: int = 0
    requests: int = 0  # of the readers, all of them after some deletion
    found_before: int = 0  # replies that named a document which was still there
    again: int = 0  # deletes that the service asked to repeat
    seconds: float = 0.0
    # What should be 0 or empty.
    found_after: int = 0
    still_there: int = 0  # documents, texts or parts
    errors: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Tell whether what was deleted was gone at once."""
        is_gone = not self.found_after and not self.still_there and not self.errors
        return is_gone and self.deleted == self.documents > 0 < self.requests and self.found_before > 0


class _Reader(threading.Thread):
    """Searches and asks about documents, most of them deleted ones."""

    def __init__(self, client: TestClient, ids: Sequence[str], gone: list[int], figures: Figures, seed: int):
        super().__init__(daemon=True)
        self._client, self._ids, self._gone, self._figures = client, ids, gone, figures
        self._rng = random.Random(seed)
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                self._look()
            except Exception as error:  # told in the figures
                self._figures.errors.append(f"{type(error).__name__}: {error}")
                return

    def _look(self) -> None:
        gone = list(self._gone)  # whatever is deleted from here on may still be found
        number = self._rng.choice(gone[-20:]) if gone else self._rng.randrange(len(self._ids))
        body = {"question": question(number), "top_k": 10}
        if self._rng.random() < 0.5:
            hits = self._client.post("/search", json=body).raise_for_status().json()["hits"]
        else:
            hits = self._client.post("/ask", json=body).raise_for_status().json()["citations"]
        named = {hit["document_id"] for hit in hits}
        self._figures.requests += bool(gone)
        self._figures.found_before += bool(named)
        self._figures.found_after += len(named & {self._ids[each] for each in gone})


def run(database: Database, folder: Path, *, documents: int, seed: int) -> Figures:
    """Make so many documents in a migrated database and delete them all."""
    figures = Figures(documents)
    for number in range(documents):
        (folder / f"{number:05}.md").write_text(f"# Port {number}\n\n{fact(number)}\n", "utf-8")
    ingest(database, folder, options=replace(SMALL, duplicates="keep_all"))  # they are much alike
    with connect(database.app) as connection:
        found = connection.execute("SELECT id::text FROM pgask.documents ORDER BY source").fetchall()
    ids = [row[0] for row in found]
    began = time.monotonic()
    gone: list[int] = []
    with TestClient(create_app(settings_for(), database, FakeEmbedder()), base_url=BASE_URL) as client:
        readers = [_Reader(client, ids, gone, figures, seed + at) for at in range(_READERS)]
        for reader in readers:
            reader.start()
        for number in random.Random(seed).sample(range(len(ids)), len(ids)):
            reply = client.delete(f"/documents/{ids[number]}")
            if reply.status_code == 503:  # a machine that stands still for seconds; Retry-After asks for it
                figures.again += 1
                reply = client.delete(f"/documents/{ids[number]}")
            figures.deleted += reply.is_success
            gone.append(number)
            for path in (f"/documents/{ids[number]}", f"/documents/{ids[number]}/text"):
                figures.still_there += client.get(path).status_code != 404
        for reader in readers:
            reader.stopped.set()
        for reader in readers:
            reader.join()
    figures.still_there += _count_left(database)
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def _count_left(database: Database) -> int:
    """Rows of any kind that the documents have left, and counts that are not 0."""
    with connect(database.app) as connection:
        collection = open_collection(database)
        left = connection.execute(
            "SELECT (SELECT count(*) FROM pgask.documents) + (SELECT count(*) FROM pgask.chunks)"
            " + (SELECT count(*) FROM pgask.postings) + (SELECT count(*) FROM pgask.posting_blocks)"
        ).fetchone()
        assert left is not None
        total: int = left[0] + sum(orphans(connection, collection))
        return total + sum(counters(connection, collection)) + sum(counted(connection, collection))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--documents", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    configure_logs("error")
    with (
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as home,
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as folder,
        EmbeddedPostgres(Path(home) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        figures = run(database, Path(folder), documents=chosen.documents, seed=chosen.seed)
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report("deletes", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
