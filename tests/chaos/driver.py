"""`ingest --prune --json` with the deterministic embedder, for kills: it starts in a second instead of five.

    python -m tests.chaos.driver CORPUS (--home FOLDER | --urls OWNER APP) [--collection NAME] [--die-at POINT:COUNT]
                                 [--dry-run]
    python -m tests.chaos.driver --urls OWNER APP [--collection NAME] --follow

Parses in the real sandbox and writes by the real pipeline. With --die-at it sends itself SIGKILL when it reaches a
point for the COUNTth time. With --follow it takes in one folder for each line on its standard input, and answers
each with one line: the report, or the error that nobody handled.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Literal, get_args

from app.domain import Document
from app.embedding import FloatMatrix, IntVector, Tokens
from app.logs import configure_logs
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database
from ingest.pipeline import Report
from ingest.run_summary import plan_lines
from ingest.sandbox import SandboxedParser
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import SMALL, Silent, open_run, plan

Point = Literal["scanned", "parse", "parsed", "tokenized", "embed", "embedded", "stored"]
POINTS: Final[Sequence[Point]] = get_args(Point)


class Killer:
    """Ends this process without a word when `point` is passed the `count`th time."""

    def __init__(self, point: str = "", count: int = 0) -> None:
        self._point, self._left = point, count

    def passes(self, point: Point) -> None:
        """Told at each point."""
        if point == self._point:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class KilledEmbedder(FakeEmbedder):
    """The deterministic embedder, with a killer at its side."""

    def __init__(self, killer: Killer) -> None:
        super().__init__()
        self._killer = killer

    def tokenize(self, text: str) -> Tokens:
        tokens = super().tokenize(text)
        self._killer.passes("tokenized")
        return tokens

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        self._killer.passes("embed")
        vectors = super().embed_windows(windows)
        self._killer.passes("embedded")
        return vectors


class KilledProgress(Silent):
    """Progress, with a killer at its side."""

    def __init__(self, killer: Killer) -> None:
        super().__init__()
        self._killer = killer
        self._point: Point = "scanned"

    def stage(self, name: str, total: int) -> None:
        self._point = "scanned" if name == "scan" else "stored"

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None:
        self._killer.passes(self._point)


def take_in(
    database: Database, corpus: Path, collection: str, parser: SandboxedParser, killer: Killer
) -> Report:
    """Make the collection what the folder is."""

    def parse(content: bytes, media_type: str, source: str) -> Document:
        killer.passes("parse")
        document = parser.parse(content, media_type, source)
        killer.passes("parsed")
        return document

    with open_run(
        database,
        embedder=KilledEmbedder(killer),
        collection=collection,
        options=replace(SMALL, prune=True),
        progress=KilledProgress(killer),
        parse=parse,
    ) as run:
        return run.execute(run.plan([corpus]))


def follow(database: Database, collection: str, parser: SandboxedParser) -> None:
    """Take in folder after folder as they are named."""
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            answer = asdict(take_in(database, Path(line.rstrip("\n")), collection, parser, Killer()))
        except Exception as error:  # told to whoever counts them
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def show_plan(database: Database, corpus: Path, collection: str) -> None:
    """Print what taking it in would do."""
    planned = plan(database, corpus, collection=collection, options=replace(SMALL, prune=True))
    print(*plan_lines(planned), sep="\n")


@contextmanager
def opened(home: Path | None, urls: Sequence[str] | None) -> Iterator[Database]:
    """The embedded server below `home`, or the database at (owner, app)."""
    if urls:
        yield Database(owner=urls[0], app=urls[1])
    else:
        assert home is not None, "name a home or urls"
        with EmbeddedPostgres(home) as server:
            found = server.start()
            yield Database(owner=found.owner, app=found.app)


def main() -> int:
    """Run from the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("corpus", type=Path, nargs="?")
    options.add_argument("--home", type=Path)
    options.add_argument("--urls", nargs=2)
    options.add_argument("--collection", default="default")
    options.add_argument("--die-at", default=":0")
    options.add_argument("--follow", action="store_true")
    options.add_argument("--dry-run", action="store_true")
    chosen = options.parse_args()
    configure_logs("error")
    point, _, count = chosen.die_at.partition(":")
    with opened(chosen.home, chosen.urls) as database, SandboxedParser() as parser:
        if chosen.follow:
            follow(database, chosen.collection, parser)
        elif chosen.dry_run:
            show_plan(database, chosen.corpus, chosen.collection)
        else:
            killer = Killer(point, int(count))
            print(json.dumps(asdict(take_in(database, chosen.corpus, chosen.collection, parser, killer))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
