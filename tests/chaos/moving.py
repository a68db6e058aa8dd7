"""A collection goes to a PostgreSQL of one's own and back, as one file: hits stay the same, and memory stays flat.

    .venv/bin/python -m tests.chaos.moving [--documents N] [--questions N] [--seed S] [--out FOLDER]

The other server is made by hand, as an administrator would: another locale and provider, PostgreSQL's own settings,
TCP, roles and database by SQL. Its programs are the embedded one's, since pgvector has to fit. Each export and import
is a process of its own, and tells its highest memory for the whole collection and for one of an eighth of its
documents.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from app.server.account import server_account
from app.server.cluster import Layout, locate_binaries
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect
from app.store.exporting import export_collection
from app.store.migrate import migrate
from app.store.spaces import ensure_space
from ingest.importing import import_collection
from tests.chaos.evidence import ROOT, report
from tests.integration.ingesting import FAKE, SMALL, ingest, random_text, write_corpus
from tests.integration.test_export import lists

MOST_GROWTH_MB: Final = 40.0  # of a process's highest memory, for eight times as many documents
_PARTS: Final = {"whole": 1, "eighth": 8}


@dataclass(slots=True)
class Figures:
    """What was moved, and what came of it."""

    documents: int = 0
    questions: int = 0
    hits: int = 0
    file_bytes: int = 0
    different: dict[str, int] = field(default_factory=dict)  # questions whose lists differ, by way
    memory_mb: dict[str, float] = field(default_factory=dict)

    def passed(self) -> bool:
        """Tell whether all lists are the same, and memory did not grow with the collection."""
        grown = [
            self.memory_mb[f"{way} whole"] - self.memory_mb[f"{way} eighth"] for way in ("export", "import")
        ]
        return not any(self.different.values()) and self.hits > 0 and max(grown) <= MOST_GROWTH_MB


@contextmanager
def own_postgres(folder: Path, *options: str) -> Iterator[Database]:
    """A server as an administrator makes one, with PostgreSQL's own `options`, an owner's role, the service's and an
    empty database."""
    account = server_account(folder)
    folder.chmod(0o755)
    binaries = locate_binaries(Layout(folder / "programs"), account)
    data = folder / "data"
    data.mkdir()
    account.own(data)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    made = account.run(
        [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "--auth=trust",
            "--locale=C.utf8",
            "-E",
            "UTF8",
        ]
    )
    assert made.returncode == 0, made.stderr
    as_user: dict[str, Any] = {"user": account.uid, "group": account.gid} if account.is_other else {}
    server = subprocess.Popen(
        [str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-k", "", "-h", "127.0.0.1", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **as_user,
    )
    try:
        yield _found(f"127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(60)


def _found(server: str) -> Database:
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = psycopg.connect(f"postgresql://postgres@{server}/postgres", autocommit=True)
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    with connection:
        for statement in (
            "CREATE ROLE rag_owner LOGIN",
            "CREATE ROLE rag_app LOGIN",
            "CREATE DATABASE rag OWNER rag_owner",
        ):
            connection.execute(statement)
    with psycopg.connect(f"postgresql://postgres@{server}/rag", autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
    return Database(owner=f"postgresql://rag_owner@{server}/rag", app=f"postgresql://rag_app@{server}/rag")


def move(database: Database, way: str, name: str, file: Path) -> float:
    """Export or import in a process of its own; its highest memory in MB."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.chaos.moving",
            "--move",
            way,
            database.owner,
            database.app,
            name,
            str(file),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def _move(way: str, owner: str, app: str, name: str, file: str) -> None:
    database = Database(owner=owner, app=app)
    if way == "export":
        with connect(database.app) as connection, Path(file).open("wb") as stream:
            export_collection(connection, name, stream)
    else:
        with connect(database.owner) as connection:
            space_id = ensure_space(connection, FAKE.space)
        with connect(database.app) as connection, Path(file).open("rb") as stream:
            import_collection(connection, stream, name, space_id, FAKE, options=SMALL)
    status = Path("/proc/self/status").read_text()  # ru_maxrss would be the parent's where that had more
    print(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024)


def run(home: Database, own: Database, folder: Path, *, documents: int, questions: int, seed: int) -> Figures:
    """Move a collection from `home` to `own` and back."""
    figures = Figures(documents=documents, questions=questions)
    for name, share in _PARTS.items():
        corpus = write_corpus(folder / name, documents // share)
        assert ingest(home, corpus, collection=name).failed == []
    asked = [random_text(seed * 10_000 + number, 1, chinese=number % 3 == 0) for number in range(questions)]

    def found(database: Database, name: str) -> list[Any]:
        told: list[Any] = json.loads(asyncio.run(lists(database, asked, name)))
        for hit in (hit for hits in told for hit in hits):
            hit["document_id"] = hit["collection"] = ""  # taken, on the way back
        return told

    before = found(home, "whole")
    figures.hits = sum(map(len, before))
    for name in _PARTS:
        file = folder / f"{name}.export"
        figures.memory_mb[f"export {name}"] = move(home, "export", name, file)
        figures.memory_mb[f"import {name}"] = move(own, "import", name, file)
    figures.file_bytes = (folder / "whole.export").stat().st_size
    there = found(own, "whole")
    move(own, "export", "whole", folder / "back.export")
    move(home, "import", "back", folder / "back.export")
    for way, lists_there in (("there", there), ("back", found(home, "back"))):
        figures.different[way] = sum(one != other for one, other in zip(before, lists_there, strict=True))
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--documents", type=int, default=800)
    options.add_argument("--questions", type=int, default=500)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    options.add_argument("--move", nargs=5, help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.move:
        _move(*chosen.move)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="pgask-moving-"))
    try:
        (folder / "own").mkdir()
        with EmbeddedPostgres(folder / "home") as server, own_postgres(folder / "own") as own:
            urls = server.start()
            home = Database(owner=urls.owner, app=urls.app)
            for database in (home, own):
                migrate(database)
            figures = run(
                home, own, folder, documents=chosen.documents, questions=chosen.questions, seed=chosen.seed
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = asdict(figures) | {"passed": figures.passed()}
    return 0 if report("moving", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
