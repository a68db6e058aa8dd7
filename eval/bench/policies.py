"""What row-level security costs a search: the same database with the policies and without, in turn.

    python -m eval.bench.policies CORPUS… --home FOLDER [--rows N] [--rounds N] [--seconds S]

The corpus, the ways of searching and the folder are those of eval/bench/search.py, in process, one client. Policies are
switched off and on by the tables' owner between the halves of a round; which comes first changes with the round. Beside
the p50, which other work on the machine moves, stands the processor time that the server took for a question (Linux).
"""

from __future__ import annotations

import asyncio
import json
import statistics
from pathlib import Path
from typing import Annotated

import typer

from app.embedding import SentenceTransformerEmbedder
from app.store.backgrounds import ensure_texts
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from app.store.spaces import ensure_space
from eval.bench.search_corpus import load_corpus
from eval.bench.search_load import measure
from eval.bench.search_ours import Ours, read_stored
from eval.bench.search_store import open_store

_SWITCH = """
SELECT format('ALTER TABLE %%I.%%I %s ROW LEVEL SECURITY', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('pgask', 'pgask_vectors') AND c.relforcerowsecurity"""


def server_cpu_ms(database: Database) -> float:
    """Processor time of the sessions of the service's role so far, in milliseconds."""
    with connect(database.app) as app:
        pids = app.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
        ).fetchall()
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for (pid,) in pids) / 1e6


def switch(database: Database, *, on: bool) -> None:
    """Switch all policies on or off."""
    with connect(database.owner) as owner:
        for (statement,) in owner.execute((_SWITCH % ("ENABLE" if on else "DISABLE")).encode()).fetchall():
            owner.execute(statement.encode())


async def run(
    database: Database, ours: Ours, ways: list[str], *, rounds: int, seconds: float
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each round, by way: p50, and of the server's processor; with the policies and without."""
    halves = [f"{half}{kind}" for half in ("with", "without") for kind in ("", " cpu")]
    found: dict[str, dict[str, list[float]]] = {way: {half: [] for half in halves} for way in ways}
    asks = ours.ways()
    for number in range(rounds):
        for on in (True, False) if number % 2 else (False, True):
            await asyncio.to_thread(switch, database, on=on)
            for way in ways:
                await measure(asks[way], clients=1, seconds=seconds / 4)  # plans are made anew
                before = await asyncio.to_thread(server_cpu_ms, database)
                load = await measure(asks[way], clients=1, seconds=seconds)
                spent = await asyncio.to_thread(server_cpu_ms, database) - before
                half = "with" if on else "without"
                found[way][half].append(load.p50_ms)
                found[way][f"{half} cpu"].append(spent / max(1.0, load.per_second * seconds))
    await asyncio.to_thread(switch, database, on=True)
    return found


def main(  # noqa: PLR0917 - a command line
    folders: Annotated[list[Path], typer.Argument(help="Folders of Markdown")],
    home: Annotated[Path, typer.Option(help="Keeps the database and the vectors")],
    rows: Annotated[int, typer.Option(help="Chunks")] = 100_000,
    tokens: Annotated[int, typer.Option(help="Tokens to embed at most")] = 400_000,
    rounds: Annotated[int, typer.Option(help="Rounds")] = 6,
    seconds: Annotated[float, typer.Option(help="Seconds a way and half of a round")] = 2.0,
    only: Annotated[
        str, typer.Option(help="Ways, joined by commas")
    ] = "dense,hybrid,folder,hybrid folder,marked,hybrid marked",
) -> None:
    """Print one JSON object: medians over the rounds, and their quotient."""
    home.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(folders, home / "corpus.npz", rows=rows, questions=400, tokens=tokens, seed=1)
    embedder = SentenceTransformerEmbedder()
    space = embedder.space

    async def measured(database: Database) -> dict[str, dict[str, list[float]]]:
        async with open_pool(database.app, size=2, statement_timeout_s=60) as pool:
            ours = Ours(pool, corpus, read_stored(database, corpus), space)
            return await run(database, ours, only.split(","), rounds=rounds, seconds=seconds)

    with open_store(home, space, corpus) as database:
        with connect(database.owner) as owner:
            ensure_texts(owner, ensure_space(owner, space), embedder)
        found = asyncio.run(measured(database))
    told: dict[str, dict[str, float]] = {}
    for way, halves in found.items():
        told[way] = {}
        for kind in ("", " cpu"):
            quotients = [
                one / other
                for one, other in zip(halves[f"with{kind}"], halves[f"without{kind}"], strict=True)
            ]
            told[way] |= {
                f"{half}{kind}_ms": round(statistics.median(halves[f"{half}{kind}"]), 3)
                for half in ("with", "without")
            }
            told[way][f"quotient{kind}"] = round(statistics.median(quotients), 3)
    print(json.dumps({"rows": rows, "rounds": rounds, "seconds": seconds, "p50": told}))


if __name__ == "__main__":
    typer.run(main)
