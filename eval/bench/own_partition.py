"""A large collection beside others, with all vectors in one partition and with one of its own (ADR 0046).

    python -m eval.bench.own_partition [--large N] [--medium N] [--small N] [--questions N]

Inserts generated unit vectors with their windows, as eval/bench/filtered_recall.py does, and measures both ways in one
database: recall@10 and time of the dense leg of each collection, what adding to the large one takes, what the move and
its index take, and deleting the large collection (rolled back, then done, and what upkeep does after that). Prints one
JSON object; times are of one client.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer

from app.index.maintenance import maintain, report
from app.index.manifest import IndexSettings
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Connection, Database, connect
from app.store.connection_pool import open_pool
from app.store.migrate import migrate
from app.store.partitions import arrange_partitions, partitions_of
from app.store.spaces import ensure_collection, ensure_space
from eval.bench.filtered_recall import (
    Corpus,
    Generated,
    bench_space,
    draw_questions,
    fill,
    measure_collection,
    store_chunks,
)

DIMENSION: Final = 384
ADDED: Final = 2_000  # chunks, to see what writing takes
_SIZE: Final = "SELECT pg_database_size(current_database())"


async def run(database: Database, sizes: Sequence[int], questions: int) -> dict[str, Any]:
    """Fill a migrated, empty database and measure."""
    source, space = Generated(DIMENSION), bench_space(DIMENSION)
    shared = IndexSettings()
    with connect(database.owner) as owner, connect(database.app) as app:
        space_id = ensure_space(owner, space)
        corpora = [
            fill(app, ensure_collection(app, name, space_id), source, rows, seed)
            for seed, (name, rows) in enumerate(zip(("large", "medium", "small"), sizes, strict=True))
        ]
        owner.execute("VACUUM (ANALYZE)")
        figures: dict[str, Any] = {"index_s": _timed(lambda: maintain(owner, space_id, shared))}
        before = await _state(database, owner, corpora, questions)
        before["index"] = asdict(replace(report(owner, space_id), backgrounds=()))
        before["add_s"] = _add(app, corpora[0], source, space_id)
        own = replace(shared, partition_chunks=sizes[0])
        figures["move_s"] = _timed(lambda: arrange_partitions(owner, space_id, own.partition_chunks))
        figures["upkeep_s"] = _timed(lambda: maintain(owner, space_id, own))
        (partition,) = partitions_of(owner, space_id)
        owner.execute("VACUUM (ANALYZE)")
        after = await _state(database, owner, corpora, questions)
        after["index"] = asdict(replace(report(owner, partition), backgrounds=()))
        after["shared_index"] = asdict(replace(report(owner, space_id), backgrounds=()))
        after["add_s"] = _add(app, corpora[0], source, partition)
        figures |= {"shared": before, "own": after, "bytes_before_delete": _number(owner, _SIZE)}
        figures["delete_s"] = _timed(lambda: _delete(owner, corpora[0]))
        figures["bytes_deleted"] = _number(owner, _SIZE)
        figures["drop_s"] = _timed(lambda: maintain(owner, space_id, own))
        figures["bytes_dropped"] = _number(owner, _SIZE)
    return figures


async def _state(
    database: Database, owner: Connection, corpora: Sequence[Corpus], questions: int
) -> dict[str, Any]:
    """Recall and times of each collection, asked in turn and twice, and how long deleting the large one takes."""
    found: dict[str, Any] = {}
    async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
        for _ in range(2):  # the first time to warm up
            for corpus in corpora:
                asked = draw_questions(corpus.vectors, questions, 7)
                found[corpus.collection.name] = asdict(
                    await measure_collection(
                        pool, corpus, bench_space(DIMENSION), asked, exact_max_rows=10_000, candidates=50
                    )
                )
    with _rolled_back(owner):
        found["delete_s"] = _timed(lambda: _delete(owner, corpora[0]))
    return found


def _delete(owner: Connection, corpus: Corpus) -> None:
    owner.execute("DELETE FROM pgask.documents WHERE collection_id = %s", [corpus.collection.id])
    owner.execute("DELETE FROM pgask.collections WHERE id = %s", [corpus.collection.id])


def _add(app: Connection, corpus: Corpus, source: Generated, partition: int) -> float:
    rng = np.random.default_rng(11)
    vectors = source.draw(ADDED // 10, rng)
    with _rolled_back(app):
        app.execute("UPDATE pgask.documents SET source = 'old ' || source")  # the new ones have their names
        return _timed(
            lambda: store_chunks(
                app, corpus.collection, vectors, ["{}"] * (ADDED // 10), rng, partition=partition
            )
        )


@contextmanager
def _rolled_back(connection: Connection) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        yield


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 2)


def _number(connection: Connection, statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


def main(
    large: Annotated[int, typer.Option(help="Chunks of the large collection.")] = 100_000,
    medium: Annotated[int, typer.Option(help="Chunks of the medium one.")] = 40_000,
    small: Annotated[int, typer.Option(help="Chunks of the small one.")] = 5_000,
    questions: Annotated[int, typer.Option(help="Questions a collection.")] = 100,
) -> None:
    """Print the figures as JSON."""
    with (
        tempfile.TemporaryDirectory(prefix="pgask-partitions-") as home,
        EmbeddedPostgres(Path(home)) as server,
    ):
        urls = server.create_database("own_partition_bench_test")
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        print(json.dumps(asyncio.run(run(database, (large, medium, small), questions))))


if __name__ == "__main__":
    typer.run(main)
