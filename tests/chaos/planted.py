"""Documents planted to push the true source out of answers, and taken away again (R34).

    .venv/bin/python -m tests.chaos.planted [--documents N] [--targets T] [--seed S] [--out FOLDER]

A collection of N small documents, English and Chinese, a fact each. For each of T facts in turn one account sends five
documents that repeat the question and state another number: the same in other words, the question twice, one that is
long. Asked is what an answer is made of: how often is a source among the hits of a question (6, the default) that the
account didn't send, and among the sources of a model's prompt that has room for two of them? Both shares are held
against .95. Told beside them is how often the true source is there: of all questions that had it, and of those that had
it first (other documents may hold all words of a question, too); and beside two accounts that plant together, which
nothing holds. Then all that the account sent is deleted at once: each answer, with its citations, is to be the one of
before. The embedder is the deterministic one, by which planted words are as near as words can be. Prints one JSON
object.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from app.config import Settings
from app.domain import Answer, Hit, ScoredChunk
from app.exchange import AskRequest
from app.generation.prompt import select_sources
from app.logs import configure_logs
from app.main import open_components
from app.server.embedded import EmbeddedPostgres
from app.store.catalog import delete_sent
from app.store.connection import Database, connect
from app.store.connection import write as store_write
from app.store.connection_pool import open_pool
from app.store.migrate import migrate
from tests.chaos.evidence import report
from tests.chaos.hostile import fact, question
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import ingest, random_text

EACH: Final = 5
LEAST_SHARE: Final = 0.95
SENDER: Final = "mallory"
ACCOMPLICE: Final = "trudy"


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
    counts: Counter[str] = Counter()
    moved = undone = added = deleted = 0
    for number in chosen:
        (before,) = ask(database, [number])
        sent = folder.with_name(f"planted{number}")
        sent.mkdir()
        for variant in range(EACH):
            (sent / f"planted{number}-{variant}.md").write_text(planted(number, variant, rng) + "\n", "utf-8")
        added += ingest(database, sent, sender=SENDER).new
        (during,) = ask(database, [number])
        share_with(database, ACCOMPLICE)
        (beside_two,) = ask(database, [number])
        share_with(database, SENDER)
        deleted += undo(database)
        (after,) = ask(database, [number])
        moved += said(before) != said(during)
        undone += said(before) == said(after)
        in_prompt = sources(during)
        counts["clean"] += is_clean(during.hits)
        counts["clean_in_a_short_prompt"] += is_clean(in_prompt)
        if not is_found(before.hits, number):
            continue
        counts["true_before"] += 1
        counts["true"] += is_found(during.hits, number)
        counts["true_in_a_short_prompt"] += is_found(in_prompt, number)
        counts["true_beside_two_accounts"] += is_found(beside_two.hits, number)
        if is_found(before.hits[:1], number):
            counts["true_first_before"] += 1
            counts["true_of_those"] += is_found(during.hits, number)
    least = min(counts["clean"], counts["clean_in_a_short_prompt"]) / targets
    return {
        "documents": documents,
        "targets": targets,
        "planted": added,
        **counts,
        "answers_moved": moved,
        "deleted": deleted,
        "undone": undone,
        "passed": least >= LEAST_SHARE
        and (undone, deleted) == (targets, added)
        and counts["true_before"] > targets / 2,
    }


def ask(database: Database, numbers: Sequence[int]) -> list[Answer]:
    """The answers to the questions about these facts."""
    settings = Settings(_env_file=None, abstain_threshold=0.0)  # type: ignore[call-arg]

    async def all_of_them() -> list[Answer]:
        async with open_components(settings, database, FakeEmbedder()) as parts:
            return [await parts.answerer.answer(AskRequest(question(number))) for number in numbers]

    return asyncio.run(all_of_them())


def share_with(database: Database, account: str) -> None:
    """Have every other planted document be another account's."""
    with connect(database.app) as app:
        app.execute(
            "UPDATE pgask.documents SET sender = %s WHERE sender IS NOT NULL AND source ~ '-[13]\\.md$'",
            [account],
        )


def undo(database: Database) -> int:
    """Delete all that the account sent, as `pgask documents delete --sender` does. Returns how many there were."""

    async def delete() -> int:
        async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
            return await store_write(pool, lambda app: delete_sent(app, "default", SENDER))

    return asyncio.run(delete())


def sources(answer: Answer) -> Sequence[ScoredChunk]:
    """What a model's prompt takes of an answer's hits where it has room for two of the longest."""
    hits = answer.hits
    room = 2 * max((len(hit.text) for hit in hits), default=0)
    return select_sources(hits, lambda some: sum(len(one.text) for one in some) <= room)


def is_found(hits: Sequence[Hit], number: int) -> bool:
    """Whether the true source of a fact is among the hits."""
    return any(hit.source.endswith(f"true{number}.md") for hit in hits)


def is_clean(hits: Sequence[ScoredChunk]) -> bool:
    """Whether any of these is none that an account sent."""
    return any(hit.sender is None for hit in hits)


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
