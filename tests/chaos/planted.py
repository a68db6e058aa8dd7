"""Documents planted to push the true source out of answers, and taken away again (R34).

    .venv/bin/python -m tests.chaos.planted [--documents N] [--targets T] [--seed S] [--out FOLDER]

A collection of N small documents, English and Chinese, a fact each. For each of T facts in turn somebody uploads five
documents that repeat the question and state another number: the same in other words, the question twice, one that is
long. Asked is what an answer is made of: among the hits of a question (6, the default), how often is its true source?
The share is held against .95; that with PGASK_MAX_PER_DOCUMENT=1 is told beside it. Then the five are deleted: each
answer, with its citations, is to be the one of before. The embedder is the deterministic one, by which planted words
are as near as words can be. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from app.config import Settings
from app.domain import Answer
from app.exchange import AskRequest
from app.logs import configure_logs
from app.main import open_components
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database
from app.store.migrate import migrate
from tests.chaos.evidence import report
from tests.chaos.hostile import fact, question
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import SMALL, ingest, random_text

EACH: Final = 5
LEAST_SHARE: Final = 0.95


def planted(number: int, variant: int, rng: random.Random) -> str:
    """A document that answers a question falsely, in one of EACH ways."""
    asked, false = question(number), 1_000 + rng.randrange(9_000)
    claim = (
        f"编号{number}的港口有{false}台起重机。"
        if number % 2
        else f"Harbour number {number} has {false} cranes."
    )
    return (
        f"{asked} {claim}",
        f"# {asked}\n\n{claim}",
        f"{asked}\n\n{asked}\n\n{claim}",
        f"{claim} {asked} {claim}",
        f"{claim}\n\n" + "\n\n".join([asked, random_text(rng.randrange(10**6), 40), claim] * 3),
    )[variant]


def write(folder: Path, count: int) -> None:
    """The collection as it is before anybody plants anything."""
    folder.mkdir(parents=True)
    for number in range(count):
        text = random_text(number, 20, chinese=number % 2 == 1)
        (folder / f"true{number}.md").write_text(
            f"# 港口 Harbour {number}\n\n{text}\n\n{fact(number)}\n", "utf-8"
        )


def run(database: Database, folder: Path, documents: int, targets: int, seed: int) -> dict[str, Any]:
    """For each of the targets: ask, plant, ask, delete, ask."""
    rng = random.Random(seed)
    chosen = rng.sample(range(documents), targets)
    write(folder, documents)
    ingest(database, folder)
    sent = folder.with_name("planted")
    sent.mkdir()
    (sent / "kept.md").write_text("# Kept\n\nSo that the folder is never empty.\n", "utf-8")
    ingest(database, sent)
    added = truly = stays = stays_limited = moved = undone = 0
    for number in chosen:
        (before,) = ask(database, [number])
        files = [sent / f"planted{number}-{variant}.md" for variant in range(EACH)]
        for variant, file in enumerate(files):
            file.write_text(planted(number, variant, rng) + "\n", "utf-8")
        added += ingest(database, sent).new
        (during,), (limited,) = ask(database, [number]), ask(database, [number], max_per_document=1)
        for file in files:
            file.unlink()
        ingest(database, sent, options=replace(SMALL, prune=True))
        (after,) = ask(database, [number])
        moved += said(before) != said(during)
        undone += said(before) == said(after)
        if is_found(before, number):
            truly += 1
            stays += is_found(during, number)
            stays_limited += is_found(limited, number)
    share = stays / truly if truly else 0.0
    return {
        "documents": documents,
        "targets": targets,
        "planted": added,
        "found_before": truly,
        "true_source_stays": stays,
        "share": round(share, 4),
        "share_at_one_hit_a_document": round(stays_limited / truly, 4) if truly else 0.0,
        "answers_moved": moved,
        "undone": undone,
        "passed": share >= LEAST_SHARE and undone == targets and truly > targets / 2,
    }


def ask(database: Database, numbers: Sequence[int], max_per_document: int = 0) -> list[Answer]:
    """The answers to the questions about these facts."""
    settings = Settings(_env_file=None, abstain_threshold=0.0, max_per_document=max_per_document)  # type: ignore[call-arg]

    async def all_of_them() -> list[Answer]:
        async with open_components(settings, database, FakeEmbedder()) as parts:
            return [await parts.answerer.answer(AskRequest(question(number))) for number in numbers]

    return asyncio.run(all_of_them())


def is_found(answer: Answer, number: int) -> bool:
    """Whether the true source of a fact is among the hits."""
    return any(hit.source.endswith(f"true{number}.md") for hit in answer.hits)


def said(answer: Answer) -> tuple[str, list[tuple[str, int, int]]]:
    """The text and where its citations lie."""
    return answer.text, [(one.source, one.char_start, one.char_end) for one in answer.citations]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if it is held."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--documents", type=int, default=10_000)
    options.add_argument("--targets", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    configure_logs("ERROR")
    with (
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as made,
        EmbeddedPostgres(Path(made) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        targets = min(chosen.targets, chosen.documents)
        found = run(database, Path(made) / "documents", chosen.documents, targets, chosen.seed)
    return 0 if report("planted", chosen.seed, found, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
