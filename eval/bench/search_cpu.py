"""Processor time a question: what eval/bench/search.py measures, where the machine is busy with other work.

    python -m eval.bench.search_cpu CORPUS… --rivals RIVALS/bin/python --home FOLDER [--seconds S]

The same arguments, database and ways. Latencies say little on a machine that others use; the time that the processors
spend on a question stays about the same, and two cores can answer at most 2,000 ms divided by it in a second.
`client` is the process that asks (over HTTP: the service), `server` all of PostgreSQL. One client, one way after the
other; Linux.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Final

import typer

from app.embedding import SentenceTransformerEmbedder
from app.store.connection import open_pool
from eval.bench.search import RIVALS, write_settings
from eval.bench.search_corpus import load_corpus
from eval.bench.search_load import Ask, measure, measure_http
from eval.bench.search_ours import TOP_K, Ours, read_stored
from eval.bench.search_processes import RivalProcess, services
from eval.bench.search_store import open_store

CORES: Final = 2
_TICK_MS: Final = 1_000 / os.sysconf("SC_CLK_TCK")
_WARM_S: Final = 1.0


def cpu_ms(pid: int, *, ended_children: bool = False) -> float:
    """Milliseconds that a process, all its threads, has run; with those of its ended children where asked for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0.0
    return sum(map(int, fields[11 : 15 if ended_children else 13])) * _TICK_MS


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def spent(postmaster: int) -> tuple[float, float]:
    """Milliseconds of this process and those that it started, and of the database server."""
    own = os.getpid()
    client = cpu_ms(own) + sum(cpu_ms(child) for child in children(own) if child != postmaster)
    server = cpu_ms(postmaster, ended_children=True) + sum(cpu_ms(child) for child in children(postmaster))
    return client, server


def per_question(run: Callable[[float], float], seconds: float, postmaster: int) -> dict[str, float]:
    """`run` asks for so many seconds and returns how many questions were answered. First a second to warm up."""
    run(_WARM_S)
    before = spent(postmaster)
    answered = max(1.0, run(seconds))
    client, server = (after - start for after, start in zip(spent(postmaster), before, strict=True))
    total = (client + server) / answered
    return {
        "client_ms": round(client / answered, 2),
        "server_ms": round(server / answered, 2),
        "per_second": round(CORES * 1_000 / total, 1) if total else 0.0,
    }


def main(
    folders: Annotated[list[Path], typer.Argument(help="Folders of Markdown")],
    *,
    home: Annotated[Path, typer.Option(help="Keeps the database and the vectors")],
    rivals: Annotated[Path | None, typer.Option(help="Python of the rivals' environment")] = None,
    rows: Annotated[int, typer.Option(help="Chunks")] = 100_000,
    tokens: Annotated[int, typer.Option(help="Tokens to embed at most")] = 400_000,
    seconds: Annotated[float, typer.Option(help="Seconds a way")] = 5.0,
    seed: Annotated[int, typer.Option(help="Of all that is random")] = 1,
) -> None:
    """Print a table, and one JSON object last."""
    corpus = load_corpus(folders, home / "corpus.npz", rows=rows, questions=400, tokens=tokens, seed=seed)
    space = SentenceTransformerEmbedder().space
    with open_store(home, space, corpus) as database, asyncio.Runner() as runner, ExitStack() as stack:
        postmaster = int((home / "postgres/data/postmaster.pid").read_text("utf-8").splitlines()[0])
        stored = read_stored(database, corpus)
        settings = write_settings(home, database, stored)
        opened = open_pool(database.app, size=1, statement_timeout_s=60)
        pool = runner.run(opened.__aenter__())
        stack.callback(lambda: runner.run(opened.__aexit__(None, None, None)))

        def in_process(ask: Ask) -> Callable[[float], float]:
            def run(for_s: float) -> float:
                load = runner.run(measure(ask, clients=1, seconds=for_s))
                return load.per_second * for_s

            return run

        ways = {name: in_process(ask) for name, ask in Ours(pool, corpus, stored, space).ways().items()}
        if rivals is not None:
            process = stack.enter_context(closing(RivalProcess(rivals, settings)))
            process.ask(do="load")
            for who in RIVALS:
                ways[who] = _rival(process, who, index=True)
                ways[f"{who} exact"] = _rival(process, who, index=False)
        bodies = [json.dumps({"question": question, "top_k": TOP_K}) for question in corpus.questions]
        for name, url in stack.enter_context(services(rivals, settings, database)).items():
            ways[name] = _http(url, bodies)
        figures = {name: per_question(run, seconds, postmaster) for name, run in ways.items()}
    print("| way | client ms | server ms | a second on two cores, at most |\n|---|---|---|---|")
    for name, one in figures.items():
        print(f"| {name} | {one['client_ms']} | {one['server_ms']} | {one['per_second']:,.0f} |")
    print(json.dumps(figures))


def _rival(process: RivalProcess, who: str, *, index: bool) -> Callable[[float], float]:
    def run(for_s: float) -> float:
        reply = process.ask(
            do="measure", who=who, index=index, filtered=False, clients=1, seconds=for_s, recall=0
        )
        return float(len(reply["latencies_ms"]))

    return run


def _http(url: str, bodies: list[str]) -> Callable[[float], float]:
    def run(for_s: float) -> float:
        started = time.perf_counter()
        load = measure_http(url, bodies, clients=1, seconds=round(for_s))
        return load.per_second * (time.perf_counter() - started)

    return run


if __name__ == "__main__":
    typer.run(main)
