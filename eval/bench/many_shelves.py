"""What many shelves cost who reads them all: a search's processor time and hits, and the pages of GET /documents.

    python -m eval.bench.many_shelves CORPUS… --home FOLDER [--rows N] [--shelves N,N…] [--questions N]

The corpus and the folder are those of eval/bench/policies.py: documents of ten chunks, in one collection, which keeps
no shelves after it. For each number the documents are put on so many shelves (ADR 0039), each at random; an admin and
whoever is in one of the groups then ask the same questions, by the usual plan. `recall@10` is against exact search by
the same person, `same` the share of the hits that an admin had without shelves. Times are the server's processor time a
question, in milliseconds, which other work on the machine hardly moves (Linux); each is the least of three rounds. More
shelves than MOST_SHELVES are made by hand: the service refuses them. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer

from app.embedding import EmbeddingSpace, SentenceTransformerEmbedder
from app.store.backgrounds import ensure_texts
from app.store.connection import AsyncPool, Connection, Database, connect, transaction
from app.store.connection_pool import open_pool
from app.store.listing import ListQuery, list_documents
from app.store.spaces import ensure_collection, ensure_space
from app.store.tenancy import DEFAULT, Scope, working_for
from eval.bench.policies import server_cpu_ms
from eval.bench.search_corpus import SearchCorpus, load_corpus
from eval.bench.search_load import Ask
from eval.bench.search_ours import Ours, read_stored
from eval.bench.search_store import COLLECTION, open_store

ROUNDS: Final = 3
PAGE: Final = 50


def shelve(app: Connection, space_id: int, number: int, seed: int) -> None:
    """Put the documents on this many shelves at random; 0: on the one that all read."""
    documents = [row[0] for row in app.execute("SELECT id FROM pgask.documents ORDER BY source").fetchall()]
    groups: list[tuple[str, ...] | None] = [(f"group {place:04}",) for place in range(number)] or [None]
    shelves = [ensure_collection(app, COLLECTION, space_id, readers).id for readers in groups]
    chosen = np.random.default_rng(seed).integers(0, len(shelves), len(documents))
    for document, place in zip(documents, chosen.tolist(), strict=True):
        app.execute("SELECT pgask.move_document(%s, %s)", [document, shelves[place]])
    app.execute("DELETE FROM pgask.collections WHERE chunk_count = 0 AND readers IS NOT NULL")


async def run(
    database: Database, corpus: SearchCorpus, space: EmbeddingSpace, numbers: Sequence[int], questions: int
) -> list[dict[str, Any]]:
    """A line for each number of shelves and each of those who ask."""
    lines: list[dict[str, Any]] = []
    first: list[Any] | None = None
    async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
        ours = Ours(pool, corpus, read_stored(database, corpus), space)
        ways = ours.ways()
        for number in numbers:
            with connect(database.app) as app, connect(database.owner) as owner:
                shelve(app, ensure_space(owner, space), number, seed=1)
                owner.execute("VACUUM ANALYZE")
            for who, scope in (("admin", DEFAULT), ("one group", Scope(1, groups=("group 0000",)))):
                if number == 0 and who != "admin":
                    continue
                line: dict[str, Any] = {"shelves": number, "who": who}
                with working_for(scope):
                    for way in ("dense", "hybrid"):
                        hits: list[Any]
                        line[f"{way} cpu_ms"], hits = await _timed(database, ways[way], questions)
                        if way == "dense":
                            truth: list[Any] = [await ways["exact"](place) for place in range(questions)]
                            line["recall@10"] = _overlap(hits, truth)
                        elif first is None:
                            first = hits
                        elif who == "admin":
                            line["same"] = _overlap(hits, first)
                    for name, query in (("by name", ListQuery()), ("by title", ListQuery(sort="title"))):
                        line[f"page {name} cpu_ms"], _ = await _timed(database, _paging(pool, query), 20)
                lines.append(line)
    return lines


async def _timed(
    database: Database, ask: Callable[[int], Awaitable[Any]], questions: int
) -> tuple[float, list[Any]]:
    """The least milliseconds a question of ROUNDS rounds, after one that is not counted, and what came back."""
    found = [await ask(place) for place in range(questions)]
    least = float("inf")
    for _ in range(ROUNDS):
        before = await asyncio.to_thread(server_cpu_ms, database)
        for place in range(questions):
            await ask(place)
        least = min(least, (await asyncio.to_thread(server_cpu_ms, database) - before) / questions)
    return round(least, 2), found


def _paging(pool: AsyncPool, query: ListQuery) -> Ask:
    """Asks for pages in turn, from the first on."""
    cursor: str | None = None

    async def ask(number: int) -> list[int]:
        nonlocal cursor
        if number == 0:
            cursor = None
        async with transaction(pool) as connection:
            page = await list_documents(connection, COLLECTION, PAGE, cursor, query)
        cursor = page.next_cursor
        return [len(page.documents)]

    return ask


def _overlap(found: Sequence[Sequence[int]], truth: Sequence[Sequence[int]]) -> float:
    shares = [
        len(set(one) & set(other)) / len(other) for one, other in zip(found, truth, strict=True) if other
    ]
    return round(float(np.mean(shares)), 3)


def main(
    folders: Annotated[list[Path], typer.Argument(help="Folders of Markdown")],
    *,
    home: Annotated[Path, typer.Option(help="Keeps the database and the vectors")],
    rows: Annotated[int, typer.Option(help="Chunks")] = 20_000,
    tokens: Annotated[int, typer.Option(help="Tokens to embed at most")] = 30_000,
    shelves: Annotated[str, typer.Option(help="How many, joined by commas")] = "0,50,200,500,1000",
    questions: Annotated[int, typer.Option(help="Questions a line")] = 50,
) -> None:
    """Print the figures as one JSON object."""
    home.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(folders, home / "corpus.npz", rows=rows, questions=400, tokens=tokens, seed=1)
    embedder = SentenceTransformerEmbedder()
    space = embedder.space
    numbers = [int(number) for number in shelves.split(",")]
    with open_store(home, space, corpus) as database:
        with connect(database.owner) as owner:
            space_id = ensure_space(owner, space)
            ensure_texts(owner, space_id, embedder)
        lines = asyncio.run(run(database, corpus, space, numbers, questions))
        with connect(database.app) as app:
            shelve(app, space_id, 0, seed=1)
    print(json.dumps({"rows": rows, "questions": questions, "lines": lines}))


if __name__ == "__main__":
    typer.run(main)
