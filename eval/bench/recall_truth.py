"""The truth that recall is measured against: by one pass over the vectors, and by an exact search for each question.

    python -m eval.bench.recall_truth [--rows N] [--questions N] [--seed N]

Generated vectors, as in eval/bench/filtered_recall.py. Both ways in the same run, one after the other, on warm memory.
Prints one JSON object; `largest_difference` is of distances.
"""

from __future__ import annotations

import json
import resource
import time
from typing import Annotated

import numpy as np
import typer
from psycopg import sql

from app.index.exact import find_nearest
from app.index.recall import LEAST_QUESTIONS, NEIGHBOURS
from app.store.connection import connect
from app.store.spaces import chunk_table, ensure_collection, ensure_space
from eval.bench.filtered_recall import Generated, bench_space, draw_questions, fill, open_databases


def main(
    *,
    rows: Annotated[int, typer.Option(help="Chunks")] = 30_000,
    questions: Annotated[int, typer.Option(help="Questions")] = LEAST_QUESTIONS,
    seed: Annotated[int, typer.Option(help="Of all that is random")] = 1,
) -> None:
    """Print the figures as one JSON object."""
    source = Generated(384)
    for database in open_databases("recall_truth_test"):
        with connect(database.owner) as owner, connect(database.app) as app:
            space_id = ensure_space(owner, bench_space(source.dimension))
            corpus = fill(app, ensure_collection(app, "bench", space_id), source, rows, seed)
            owner.execute("VACUUM (ANALYZE)")
            asked = draw_questions(corpus.vectors, questions, seed)
            statement = sql.SQL(
                "SELECT distance FROM (SELECT v.embedding <=> %s AS distance FROM {} v OFFSET 0) e ORDER BY 1 LIMIT {}"
            ).format(chunk_table(space_id), sql.Literal(NEIGHBOURS))
            started = time.perf_counter()
            searched = [[row[0] for row in owner.execute(statement, [one]).fetchall()] for one in asked]
            searches_s = time.perf_counter() - started
            before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started = time.perf_counter()
            found = find_nearest(owner, space_id, asked, NEIGHBOURS)
            figures = {
                "rows": rows,
                "questions": questions,
                "searches_s": round(searches_s, 2),
                "pass_s": round(time.perf_counter() - started, 2),
                "largest_difference": float(np.max(np.abs(np.array(found) - np.array(searched)))),
                "memory_grew_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) // 1024,
            }
    print(json.dumps(figures))


if __name__ == "__main__":
    typer.run(main)
