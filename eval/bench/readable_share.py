"""Recall@10 of the dense leg for who reads a small part of a collection, and what shelves cost who reads all of it.

    python -m eval.bench.readable_share [--rows N] [--questions N] [--exact-max-rows N] [--seed N]

The vectors are those of eval/bench/filtered_recall.py: documents of ten chunks around centres, in one collection of a
temporary embedded PostgreSQL. All are for all first; then they go to shelves (ADR 0039): one in a thousand, a hundred,
ten for a group of its own, at random, one in a thousand and ten near one place, and the rest for a last group. Each
group asks for chunks that it reads (`inside`) and for any (`anywhere`); the truth is exact search over what it reads.
The last lines are who reads all, before and after. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace
from typing import Annotated, Any, Final

import numpy as np
import typer

from app.embedding import EmbeddingSpace
from app.index import maintenance
from app.index.manifest import IndexSettings
from app.store.connection import AsyncPool, Connection, Database, connect
from app.store.connection_pool import open_pool
from app.store.shelves import ensure_shelf
from app.store.spaces import ensure_collection, ensure_space
from app.store.tenancy import DEFAULT, Scope, working_for
from eval.bench.filtered_recall import (
    CHUNKS,
    Corpus,
    Figures,
    Generated,
    bench_space,
    draw_questions,
    fill,
    measure_collection,
    open_databases,
)

GROUPS: Final = ("random 0.1%", "region 0.1%", "random 1.0%", "random 10.0%", "region 10.0%")
REST: Final = "the rest"


def shelve(app: Connection, corpus: Corpus) -> dict[str, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Put documents on a shelf a group, the smallest first; which rows each group reads."""
    left = np.ones(len(corpus.ids), dtype=bool)
    shelves = {}
    for group in (*GROUPS, REST):
        own = left if group == REST else corpus.kept[group] & left
        left = left & ~own
        shelf = ensure_shelf(app, corpus.collection.name, corpus.collection.space_id, (group,))
        app.execute(
            "SELECT pgask.move_document(document_id, %s) FROM pgask.chunks WHERE id = ANY(%s)",
            [shelf.id, corpus.ids[own][::CHUNKS].tolist()],
        )
        shelves[group] = own
    return shelves


async def run(
    database: Database, *, rows: int, dimension: int, questions: int, exact_max_rows: int, seed: int
) -> list[Figures]:
    """Fill a migrated, empty database and measure."""
    space = bench_space(dimension)
    with connect(database.owner) as owner, connect(database.app) as app:
        space_id = ensure_space(owner, space)
        corpus = fill(app, ensure_collection(app, "many", space_id), Generated(dimension), rows, seed)
        owner.execute("ANALYZE")
        maintenance.rebuild(owner, space_id, IndexSettings())
    async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:

        async def measure(of: Corpus, name: str | None, where: str, scope: Scope) -> Figures:
            return await _measure(
                pool, of, space, scope,
                name=name, where=where, questions=questions, exact_max_rows=exact_max_rows, seed=seed,
            )  # fmt: skip

        figures = [await measure(corpus, None, "all, no shelves", DEFAULT)]
        with connect(database.app) as app:
            corpus = replace(corpus, kept=shelve(app, corpus))
        with connect(database.owner) as owner:
            owner.execute("VACUUM ANALYZE")
            maintenance.rebuild(owner, space_id, IndexSettings())
        for group in corpus.kept:
            for where in ("inside", "anywhere"):
                figures.append(await measure(corpus, group, where, Scope(1, groups=(group,))))
        figures.append(await measure(corpus, None, f"all, {len(corpus.kept)} shelves", DEFAULT))
    return figures


async def _measure(
    pool: AsyncPool,
    corpus: Corpus,
    space: EmbeddingSpace,
    scope: Scope,
    *,
    name: str | None,
    where: str,
    questions: int,
    exact_max_rows: int,
    seed: int,
) -> Figures:
    vectors = corpus.vectors[corpus.kept[name]] if name and where == "inside" else corpus.vectors
    with working_for(scope):
        return await measure_collection(
            pool,
            corpus,
            space,
            draw_questions(vectors, questions, seed),
            exact_max_rows=exact_max_rows,
            candidates=50,
            readable=name,
            where=where,
        )


def main(
    *,
    rows: Annotated[int, typer.Option(help="Chunks")] = 100_000,
    dimension: Annotated[int, typer.Option(help="Dimension of the vectors")] = 384,
    questions: Annotated[int, typer.Option(help="Questions a line")] = 100,
    exact_max_rows: Annotated[int, typer.Option(help="PGASK_EXACT_MAX_ROWS")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of all that is random")] = 1,
) -> None:
    """Print the figures as one JSON object."""
    for database in open_databases("readers_test"):
        figures = asyncio.run(
            run(
                database, rows=rows, dimension=dimension, questions=questions, exact_max_rows=exact_max_rows,
                seed=seed,
            )
        )  # fmt: skip
        told = {"rows": rows, "exact_max_rows": exact_max_rows, "questions": questions, "seed": seed}
        print(json.dumps(told | {"figures": [asdict(one) for one in figures]}))


if __name__ == "__main__":
    typer.run(main)
