"""The kinds of vector index side by side on the same rows: build time, size, recall, latency.

    python -m eval.bench.vector_index [--rows N] [--corpus SET]… [--kinds ivfflat:full:316,hnsw:half] [--seed N]

Rows as in eval/bench/filtered_recall.py, one collection. Lists are √rows unless given. Each kind is built and
calibrated as the product does it, to recall@10 of 0.95 and of 0.99, on questions made of windows. Latencies are of one
client, a search by the index alone, ten rows. Prints one JSON object.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.index import maintenance
from app.index.manifest import IndexSettings
from app.store.connection import connect
from app.store.spaces import ensure_collection, ensure_space
from eval.bench.filtered_recall import Generated, Real, bench_space, fill, open_databases

TARGETS: Final = (0.95, 0.99)
KINDS: Final = "ivfflat:full:100,ivfflat:full,ivfflat:full:1000,ivfflat:half,hnsw:full,hnsw:half"


def main(
    *,
    rows: Annotated[int, typer.Option(help="Chunks")] = 100_000,
    dimension: Annotated[int, typer.Option(help="Dimension of generated vectors")] = 384,
    corpus: Annotated[
        list[Path] | None, typer.Option(help="Set whose windows are mixed; may be repeated")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps the encoded vectors")] = None,
    kinds: Annotated[
        str, typer.Option(help="method:precision or method:precision:lists, with commas")
    ] = KINDS,
    seed: Annotated[int, typer.Option(help="Of all that is random")] = 1,
) -> None:
    """Print the figures as one JSON object."""
    source = Real(corpus, cache) if corpus else Generated(dimension)
    found: list[dict[str, Any]] = []
    for database in open_databases("vector_index_test"):
        with connect(database.owner) as owner, connect(database.app) as app:
            space_id = ensure_space(owner, bench_space(source.dimension))
            fill(app, ensure_collection(app, "bench", space_id), source, rows, seed)
            owner.execute("VACUUM (ANALYZE)")
            for kind in kinds.split(","):
                method, precision, *lists = kind.split(":")
                settings: dict[str, Any] = {"method": method, "precision": precision}
                settings |= {"lists": int(lists[0])} if lists else {}
                for target in TARGETS:
                    if target == TARGETS[0]:
                        report = maintenance.rebuild(
                            owner, space_id, IndexSettings(**settings, target_recall=target)
                        )
                    else:
                        report = maintenance.tune(owner, space_id, target_recall=target)
                    found.append(asdict(report))
    sets = [folder.name for folder in corpus or []]
    print(json.dumps({"rows": rows, "vectors": sets or "generated", "seed": seed, "figures": found}))


if __name__ == "__main__":
    typer.run(main)
