"""Search speed at 100,000 chunks: pgask against LangChain, LlamaIndex and Haystack on the same vectors and server.

    python -m eval.bench.search CORPUS… --rivals RIVALS/bin/python --home FOLDER [--rows N] [--rounds N] [--seconds S]

CORPUS: folders of Markdown whose passages are embedded (eval/bench/search_corpus.py says how they become so many).
RIVALS: an environment with eval/bench/rivals.txt. `--home` keeps the database and the vectors for the next run.

Every way of searching runs in every round, in turn, so that all meet the same machine: medians over the rounds. In
process, the question's vector is given: `raw` is a search for the ten nearest with their texts as it is usually
written, a prepared statement on a pooled connection in a transaction that sets the probes, and `raw alone` the least
that it can be, the statement alone; `dense` (PGASK_DENSE_WEIGHT=1) and `hybrid` (the default) are the whole of pgask's
retrieval; `folder` and `marked` are dense under a filter that keeps 1 %, along with the content or not.
Over HTTP, `/search`, `/search dense` and the usual service embed the question themselves. All rivals have an ivfflat
index with pgask's lists and probes, which none of them makes by itself; `… exact` is what they do as they come. Needs
`wrk`.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.embedding import SentenceTransformerEmbedder
from app.store.connection import Database
from app.store.connection_pool import open_pool
from eval.bench.search_corpus import SearchCorpus, load_corpus
from eval.bench.search_load import Ask, Load, measure, measure_http
from eval.bench.search_ours import TOP_K, Ours, Stored, read_stored, recall
from eval.bench.search_processes import RivalProcess, services
from eval.bench.search_store import open_store

POOL: Final = 8
CLIENTS: Final = (1, 8, 32)
RECALLED: Final = 100  # questions whose hits are compared with the true ones
RIVALS: Final = ("langchain", "llama_index", "haystack")

Measure = Callable[[int, float], Load]


@dataclass(frozen=True, slots=True)
class Bench:
    """What all ways of searching share."""

    corpus: SearchCorpus
    stored: Stored
    runner: asyncio.Runner
    ours: dict[str, Ask]
    rivals: RivalProcess | None
    bodies: Sequence[str]

    def recalls(self) -> dict[str, float]:
        """Recall@10 by way, and under the filter by metadata the rivals' p50 beside it."""
        found = {
            name: recall(
                self.corpus,
                [self.runner.run(self._rows(ask, number)) for number in range(RECALLED)],
                self.stored.kept.get(name),
            )
            for name, ask in self.ours.items()
            if "hybrid" not in name  # finds by words too
        }
        for who in RIVALS if self.rivals else ():
            for name, filtered in ((who, False), (f"{who} marked", True)):
                assert self.rivals is not None
                reply = self.rivals.ask(
                    do="measure",
                    who=who,
                    index=True,
                    filtered=filtered,
                    clients=1,
                    seconds=1,
                    recall=RECALLED,
                )
                kept = self.stored.kept["marked"] if filtered else None
                found[name] = recall(self.corpus, reply["found"], kept)
                found[f"{name} p50_ms"] = Load.of(reply["latencies_ms"], reply["seconds"]).p50_ms
        return found

    def ways(self, urls: dict[str, str]) -> dict[str, Measure]:
        """Every way to measure: (clients, seconds) → Load."""
        found = {name: self._in_process(ask) for name, ask in self.ours.items()}
        if self.rivals is not None:
            found |= {who: self._rival(who, index=True) for who in RIVALS}
            found |= {f"{who} exact": self._rival(who, index=False) for who in RIVALS}
        return found | {name: self._http(url) for name, url in urls.items()}

    async def _rows(self, ask: Ask, number: int) -> list[int]:
        found = await ask(number)
        assert isinstance(found, list)
        return [self.stored.rows[chunk] for chunk in found]

    def _in_process(self, ask: Ask) -> Measure:
        return lambda clients, seconds: self.runner.run(measure(ask, clients=clients, seconds=seconds))

    def _http(self, url: str) -> Measure:
        return lambda clients, seconds: measure_http(
            url, self.bodies, clients=clients, seconds=max(2, round(seconds))
        )

    def _rival(self, who: str, *, index: bool) -> Measure:
        def run(clients: int, seconds: float) -> Load:
            assert self.rivals is not None
            reply = self.rivals.ask(
                do="measure", who=who, index=index, filtered=False, clients=clients, seconds=seconds, recall=0
            )
            return Load.of(reply["latencies_ms"], reply["seconds"])

        return run


def medians(loads: Sequence[Load]) -> Load:
    """Of each figure over the rounds."""
    return Load(
        *(round(statistics.median(getattr(load, name) for load in loads), 3) for name in Load.__slots__)
    )


def run_rounds(ways: dict[str, Measure], rounds: int, seconds: float) -> dict[str, dict[int, Load]]:
    """All ways in turn, round after round; medians by way and number of clients."""
    loads: dict[tuple[str, int], list[Load]] = {}
    for number in range(rounds):
        for name, way in ways.items():
            for clients in CLIENTS:
                load = way(clients, seconds)
                loads.setdefault((name, clients), []).append(load)
                print(f"round {number + 1} of {rounds}: {name}, {clients} clients: {load}", file=sys.stderr)
    return {name: {clients: medians(loads[name, clients]) for clients in CLIENTS} for name in ways}


def main(  # noqa: PLR0917 - a command line
    folders: Annotated[list[Path], typer.Argument(help="Folders of Markdown")],
    home: Annotated[Path, typer.Option(help="Keeps the database and the vectors")],
    rivals: Annotated[Path | None, typer.Option(help="Python of the rivals' environment")] = None,
    rows: Annotated[int, typer.Option(help="Chunks")] = 100_000,
    tokens: Annotated[int, typer.Option(help="Tokens to embed at most")] = 400_000,
    rounds: Annotated[int, typer.Option(help="Rounds")] = 3,
    seconds: Annotated[float, typer.Option(help="Seconds a way, client count and round")] = 2.0,
    only: Annotated[str | None, typer.Option(help="Ways to measure, joined by commas; all")] = None,
    seed: Annotated[int, typer.Option(help="Of all that is random")] = 1,
) -> None:
    """Print a table, and one JSON object last."""
    home.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(folders, home / "corpus.npz", rows=rows, questions=400, tokens=tokens, seed=seed)
    space = SentenceTransformerEmbedder().space
    with open_store(home, space, corpus) as database, asyncio.Runner() as runner, ExitStack() as stack:
        stored = read_stored(database, corpus)
        settings = write_settings(home, database, stored)
        opened = open_pool(database.app, size=POOL, statement_timeout_s=60)
        pool = runner.run(opened.__aenter__())
        stack.callback(lambda: runner.run(opened.__aexit__(None, None, None)))
        process = stack.enter_context(closing(RivalProcess(rivals, settings))) if rivals else None
        loaded = process.ask(do="load") if process else {}
        bodies = [json.dumps({"question": question, "top_k": TOP_K}) for question in corpus.questions]
        bench = Bench(corpus, stored, runner, Ours(pool, corpus, stored, space).ways(), process, bodies)
        recalls = bench.recalls()
        with services(rivals, settings, database) as urls:
            ways = bench.ways(urls)
            chosen = only.split(",") if only else list(ways)
            loads = run_rounds({name: ways[name] for name in chosen}, rounds, seconds)
    _print_table(loads, recalls)
    described: dict[str, Any] = {
        "rows": rows,
        "real": corpus.real,
        "lists": stored.lists,
        "probes": stored.probes,
    }
    described |= {"rounds": rounds, "seconds": seconds, "load_s": loaded, "recall": recalls}
    figures = {
        name: {clients: asdict(load) for clients, load in by_clients.items()}
        for name, by_clients in loads.items()
    }
    print(json.dumps(described | {"loads": figures}))


def write_settings(home: Path, database: Database, stored: Stored) -> Path:
    """What the rivals' processes read."""
    path = home / "rivals.json"
    values = {"database": database.owner, "corpus": str(home / "corpus.npz"), "lists": stored.lists}
    values |= {"probes": stored.probes, "marked": sorted(stored.kept["marked"])}
    path.write_text(json.dumps(values), "utf-8")
    return path


def _print_table(loads: dict[str, dict[int, Load]], recalls: dict[str, float]) -> None:
    print("| way | recall@10 | p50 ms, 1 client | p99 | per second, 1 / 8 / 32 | p50, p99 at 32 |")
    print("|---|---|---|---|---|---|")
    for name, by_clients in loads.items():
        one, most = by_clients[1], by_clients[32]
        rates = " / ".join(f"{by_clients[clients].per_second:,.0f}" for clients in CLIENTS)
        print(
            f"| {name} | {recalls.get(name, '')} | {one.p50_ms:.2f} | {one.p99_ms:.2f} | {rates} |"
            f" {most.p50_ms:.1f}, {most.p99_ms:.1f} |"
        )


if __name__ == "__main__":
    typer.run(main)
