"""Hostile Unicode through the whole product (R39): files in, chunks and citations out, every quote exact.

    .venv/bin/python -m tests.chaos.strings [--texts N] [--seed S] [--out FOLDER]

Each text becomes a file with a sentence of its own, English or Chinese. It must be stored, cleaned, or refused with a
reason code; what is stored holds no character that cleaning drops; every chunk is a slice of its document's text, and
so is the quote of every citation that `/ask` gives for the sentences. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from fastapi.testclient import TestClient

from app.logs import configure_logs
from app.main import create_app
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Connection, Database, connect
from app.store.migrate import migrate
from app.store.texts import text_between, whole_text
from ingest.cleaning import normalise_text
from ingest.reasons import REASONS
from ingest.sandbox import SandboxedParser
from tests.chaos.evidence import report
from tests.chaos.hostile import hostile_texts, question
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.ingesting import open_run

_BATCH: Final = 250
_ASKED: Final = 5  # one question in so many
_SUFFIXES: Final = (".md", ".txt", ".html", ".csv", ".json", ".py")


@dataclass(slots=True)
class Figures:
    """What a run found."""

    texts: int = 0
    stored: int = 0
    cleaned: int = 0  # of those, from which something was dropped
    duplicates: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    chunks: int = 0
    asked: int = 0
    answered_from_its_file: int = 0
    citations: int = 0
    seconds: float = 0.0
    # What should be 0 or empty.
    unexplained: list[str] = field(default_factory=list)  # failures without a reason code
    inexact_chunks: int = 0
    unclean: int = 0  # documents with something that cleaning drops
    inexact_citations: int = 0

    def passed(self) -> bool:
        """Tell whether every text had an end and every quote was exact."""
        wrong = (self.inexact_chunks, self.inexact_citations, self.unclean)
        ended = self.stored + self.duplicates + sum(self.failed.values()) == self.texts
        return not any(wrong) and not self.unexplained and ended and self.citations > 0 and self.chunks > 0


def run(database: Database, folder: Path, *, texts: int, seed: int) -> Figures:
    """Take the texts in, batch after batch, into a migrated database."""
    figures = Figures()
    failed: Counter[str] = Counter()
    began = time.monotonic()
    batch: dict[int, Path] = {}
    with SandboxedParser() as parser:
        for number, content in enumerate(hostile_texts(seed, texts)):
            path = folder / f"{number // _BATCH:03}" / f"{number:05}{_SUFFIXES[number % len(_SUFFIXES)]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            batch[number] = path
            if len(batch) == _BATCH or number == texts - 1:
                _take_in(database, path.parent, parser, figures, failed)
                _check_stored(database, figures)
                _ask(database, batch, figures)
                batch = {}
    figures.texts = texts
    figures.failed = dict(sorted(failed.items()))
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def _take_in(
    database: Database, folder: Path, parser: SandboxedParser, figures: Figures, failed: Counter[str]
) -> None:
    with open_run(database, collection=folder.name, parse=parser.parse) as run:
        done = run.execute(run.plan([folder]))
    figures.stored += done.new
    figures.duplicates += len(done.duplicates)
    for failure in done.failed:
        failed[failure.code] += 1
        if failure.code not in REASONS or not failure.detail:
            figures.unexplained.append(f"{failure.source}: {failure.code} {failure.detail}")


def _check_stored(database: Database, figures: Figures) -> None:
    """Compare what the database cuts out of each text with what Python cuts out of it; then forget the texts."""
    with connect(database.app, vectors=False) as connection:
        for text, dropped in connection.execute(
            f"SELECT {whole_text('id')}, dropped FROM pgask.documents WHERE status = 'ready'"
        ).fetchall():
            figures.cleaned += bool(dropped)
            figures.unclean += normalise_text(text).text != text
        row = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE k.char_end > d.char_count OR"
            f" d.char_count <> length({whole_text('d.id')})) FROM pgask.chunks k"
            " JOIN pgask.documents d ON d.id = k.document_id"
        ).fetchone()
        assert row is not None
        figures.chunks += row[0]
        figures.inexact_chunks += row[1] + _count_inexact(connection)


def _count_inexact(connection: Connection) -> int:
    texts: dict[UUID, str] = dict(
        connection.execute(f"SELECT id, {whole_text('id')} FROM pgask.documents").fetchall()
    )
    rows = connection.execute(
        "SELECT k.document_id, k.char_start, k.char_end,"
        f" {text_between('k.document_id', 'k.char_start', 'k.char_end')} FROM pgask.chunks k"
    ).fetchall()
    return sum(texts[document][start:end] != cut for document, start, end, cut in rows)


def _ask(database: Database, batch: Mapping[int, Path], figures: Figures) -> None:
    """Ask for some of the sentences over HTTP and hold each quote to the stored text. The batch is then deleted, so
    that the next one is looked at alone."""
    collection = next(iter(batch.values())).parent.name
    with TestClient(create_app(settings_for(), database, FakeEmbedder()), base_url=BASE_URL) as client:
        for number in list(batch)[::_ASKED]:
            body = {"question": question(number), "collection": collection}
            answer = client.post("/ask", json=body).raise_for_status().json()
            figures.asked += 1
            figures.answered_from_its_file += any(_is_from(cited, number) for cited in answer["citations"])
            for cited in answer["citations"]:
                figures.citations += 1
                figures.inexact_citations += not _is_exact(client, cited)
    with connect(database.app) as connection:
        connection.execute(
            "DELETE FROM pgask.documents WHERE collection_id ="
            " (SELECT id FROM pgask.collections WHERE name = %s)",
            [collection],
        )
        connection.execute("DELETE FROM pgask.collections WHERE name = %s", [collection])


def _is_from(cited: Mapping[str, Any], number: int) -> bool:
    return Path(cited["source"]).stem == f"{number:05}" and str(number * 7 % 1000) in cited["quote"]


def _is_exact(client: TestClient, cited: Mapping[str, Any]) -> bool:
    span = {"start": cited["char_start"], "end": cited["char_end"]}
    reply = client.get(f"/documents/{cited['document_id']}/text", params=span).raise_for_status().json()
    return bool(reply["text"] == cited["quote"] and cited["quote"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--texts", type=int, default=5_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    configure_logs("error")
    with (
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch,
        EmbeddedPostgres(Path(scratch) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        figures = run(database, Path(scratch) / "texts", texts=chosen.texts, seed=chosen.seed)
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report("strings", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
