"""One collection of 100,000 to 1,000,000 chunks, complete: what it takes, and how long questions take.

    python -m eval.bench.size --home FOLDER --chunks N [--questions N] [--seed N]

Everything that a search reads is there and comes by COPY into the final tables: documents of ten chunks, their text in
parts, chunks, postings in full blocks as upkeep leaves them, vectors of chunks and of three or four windows each. No
model is asked, so all of it is synthetic, by what real text shows. Terms: the shares of chunks by rank of
eval/bench/bm25_latency.py, which squad's articles cut to 350 words have within a few hundredths, 147 different ones a
chunk and their frequencies as there, over two million words, so that rare ones go on coming. Vectors: as in
eval/bench/growth.py, a cluster for each of the subjects that words come from; a window lies .8 from its chunk. Text:
sentences of generated words, which tells nothing of what is found. Questions: a chunk that is not stored gives
3 to 9 terms and its vector.

Each is asked in every way in turn, all of them once before (`first`: the tables are larger than what PostgreSQL keeps).
`home` keeps the database for the next run. Prints one JSON object. Takes 15 GB of disk at a million chunks.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import numpy as np
import typer
from numpy.typing import NDArray
from psycopg import sql

from app.domain import SearchFilter
from app.embedding import FloatMatrix
from app.index import maintenance
from app.index.manifest import IndexSettings, read_state
from app.search.bm25 import BUDGET, MORE
from app.search.plan import SearchMemory
from app.search.ranking import RankingQuery, RankingSettings, rank_chunks
from app.search.statements import fill_sql, load_sql
from app.server.embedded import EmbeddedPostgres
from app.store.binary_copy import HEADER, TRAILER, pack_vectors
from app.store.connection import AsyncPool, Connection, Database, PooledConnection, connect, run_alone
from app.store.connection_pool import open_pool
from app.store.migrate import migrate
from app.store.posting_blocks import BLOCK_CHUNKS
from app.store.spaces import (
    Collection,
    all_chunks,
    all_windows,
    chunk_table,
    ensure_collection,
    ensure_space,
    window_table,
)
from eval.bench.bm25_latency import Writer, choose_terms, name_terms
from eval.bench.filtered_recall import Noise, bench_space
from eval.bench.growth import CENTRES, DIMENSION, make_vectors
from eval.bench.search_store import named

DATABASE: Final = "size_bench_test"
COLLECTION: Final = "size"
CHUNKS: Final = 10  # of a document
DISTINCT: Final = 147
VOCABULARY: Final = 2_000_000
CHARS: Final = 2_100  # of a chunk
PART: Final = 2_000
BATCH: Final = 20_000  # chunks made at once
COMPARED: Final = 100  # questions whose ten nearest are compared with the true ones
# How many terms of a chunk stand in it once, twice …, from squad's articles cut to 350 words.
FREQUENCIES: Final = (0.7731, 0.1349, 0.0433, 0.0192, 0.0103, 0.0061, 0.0034, 0.0025, 0.0072)
FILTERS: Final = {
    "one folder, 1 %": SearchFilter(source_prefix="folder042/"),
    "marked, 1 %": SearchFilter(metadata={"kind": "marked"}),
    "30 %": SearchFilter(metadata={"wide": True}),
}

Ints = NDArray[np.int64]
Way = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds of a way of asking; those of `cpu` are the processor's in the server's process, the second time."""

    way: str
    first_p50_ms: float
    first_p99_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    cpu_p50_ms: float
    cpu_p99_ms: float


def subject_vectors(subjects: Ints, seed: int) -> FloatMatrix:
    """Unit vectors (n, DIMENSION), each of its subject's cluster; they are those of growth.make_vectors."""
    return make_vectors(len(subjects), seed, cluster=subjects % CENTRES)


def window_counts(chunks: int) -> Ints:
    """Windows of each of so many chunks, from the first of a document on: three and four in turn."""
    return 3 + np.arange(chunks) % 2


class Loader:
    """Fills an empty, migrated database."""

    def __init__(self, owner: Connection, collection: Collection, chunks: int, seed: int) -> None:
        self._owner, self._collection, self._chunks, self._seed = owner, collection, chunks, seed
        self._lengths = np.zeros(chunks, np.int64)
        self._postings: list[Ints] = []

    def load(self) -> dict[str, Any]:
        """Store everything. Returns what was stored, and the seconds that its steps took."""
        owner, space = self._owner, self._collection.space_id
        tables = [sql.Identifier("pgask", name) for name in
                  ("documents", "document_texts", "chunks", "posting_blocks", "merged_chunks")]  # fmt: skip
        tables += [all_chunks(space), all_windows(space), chunk_table(space), window_table(space)]
        steps: dict[str, float] = {}
        with _opened(owner, tables):
            for name, step in (
                ("documents", self._documents),
                ("chunks", self._batches),
                ("blocks", self._blocks),
            ):
                started = time.monotonic()
                step()
                steps[f"{name}_s"] = round(time.monotonic() - started, 1)
        owner.execute(
            "UPDATE pgask.collections SET chunk_count = %s, term_count = %s, merged_count = %s WHERE id = %s",
            [self._chunks, int(self._lengths.sum()), self._chunks, self._collection.id],
        )
        for table in tables:
            owner.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))
        return {"postings": sum(map(len, self._postings)), **steps}

    def _documents(self) -> None:
        rng = np.random.default_rng([self._seed, 1])
        count = self._chunks // CHUNKS
        self._ids = [UUID(bytes=rng.bytes(16), version=4) for _ in range(count)]
        folder = max(1, count // 100)
        columns = (
            "id, collection_id, source, status, language, chunk_count, char_count, token_count, metadata"
        )
        with self._copy(f"COPY pgask.documents ({columns}) FROM STDIN") as copy:
            for number, key in enumerate(self._ids):
                marks = {"kind": "marked" if number % 100 == 7 else "plain", "wide": number % 10 < 3}
                copy.write_row(
                    (key, self._collection.id, f"folder{number // folder:03}/{number:07}.md", "ready", "en", CHUNKS,
                     CHUNKS * CHARS, CHUNKS * 500, json.dumps(marks))
                )  # fmt: skip
        self._owner.execute(
            "INSERT INTO pgask.document_facts (collection_id, fact, document_id)"
            " SELECT DISTINCT d.collection_id, n.number, d.id"
            " FROM pgask.documents d, pgask.facts(d.metadata) n (number) ON CONFLICT DO NOTHING"
        )
        words = random.Random(self._seed)  # noqa: S311 - a sample
        names = [name.decode() for name in name_terms(np.arange(5_000))]
        text = " ".join(words.choices(names, [1 / (20 + rank) for rank in range(5_000)], k=400_000))
        with self._copy(
            "COPY pgask.document_texts (document_id, collection_id, part, text) FROM STDIN"
        ) as copy:
            for key in self._ids:
                for part in range(-(-CHUNKS * CHARS // PART)):
                    start = words.randrange(len(text) - PART)
                    size = min(PART, CHUNKS * CHARS - part * PART)
                    copy.write_row((key, self._collection.id, part, text[start : start + size]))

    def _batches(self) -> None:
        writer = Writer(DISTINCT, self._seed, VOCABULARY)
        for first in range(0, self._chunks, BATCH):
            count = min(BATCH, self._chunks - first)
            rng = np.random.default_rng([self._seed, 2, first])
            chunk, term, _ = writer.write(count)
            frequency = 1 + rng.choice(len(FREQUENCIES), size=len(chunk), p=FREQUENCIES)
            self._lengths[first : first + count] = np.bincount(chunk, frequency, minlength=count)
            window = rng.integers(window_counts(count)[chunk])
            self._postings.append(term << 26 | (chunk + first) << 6 | frequency << 2 | window)
            self._store_terms(chunk, term, first, count)
            self._store_chunks(first, count)
            self._store_vectors(writer.subject, first, count)

    def _store_terms(self, chunk: Ints, term: Ints, first: int, count: int) -> None:
        elements = _elements(name_terms(term), "S8", 8)
        ends = np.searchsorted(chunk, np.arange(count + 1)).tolist()
        with self._copy(
            "COPY pgask.merged_chunks (chunk_id, collection_id, terms) FROM STDIN (FORMAT BINARY)"
        ) as copy:
            rows = [HEADER]
            for number in range(count):
                start, end = ends[number], ends[number + 1]
                array = _array(elements[12 * start : 12 * end], end - start, 25)
                rows += (struct.pack("!hiqii", 3, 8, first + number + 1, 4, self._collection.id), array)
            copy.write(b"".join(rows) + TRAILER)

    def _store_chunks(self, first: int, count: int) -> None:
        sentences = "{" + ",".join(f"{place},{place + 139}" for place in range(0, CHARS, 140)) + "}"
        columns = (
            "id, document_id, collection_id, chunk_index, char_start, char_end, token_count, term_count, places,"
            " sentences, window_start, window_end, heading"
        )
        starts = np.concatenate([[0], np.cumsum(window_counts(CHUNKS))]).tolist()
        rows = io.StringIO()
        for number in range(first, first + count):
            place = number % CHUNKS
            start = place * CHARS
            rows.write(
                f"{number + 1}\t{self._ids[number // CHUNKS]}\t{self._collection.id}\t{place}\t{start}\t{start + CHARS}"
                f"\t500\t{self._lengths[number]}\t[]\t{sentences}\t{starts[place]}\t{starts[place + 1]}\tHead {place}\n"
            )
        with self._copy(f"COPY pgask.chunks ({columns}) FROM STDIN") as copy:
            copy.write(rows.getvalue())

    def _store_vectors(self, subjects: Ints, first: int, count: int) -> None:
        collection, space = self._collection.id, self._collection.space_id
        vectors = subject_vectors(subjects, self._seed * 1_000_000 + first)
        keys = np.frombuffer(
            b"".join(key.bytes for key in self._ids[first // CHUNKS : (first + count) // CHUNKS]), "V16"
        )
        documents = np.repeat(keys, CHUNKS)
        numbers = np.arange(first + 1, first + count + 1)
        self._store(
            chunk_table(space), "chunk_id, collection_id, document_id, embedding",
            [(">i8", numbers), (">i4", np.full(count, collection)), ("V16", documents)], vectors, half=False,
        )  # fmt: skip
        of_chunk = np.repeat(np.arange(count), window_counts(count))
        rng = np.random.default_rng([self._seed, 3, first])
        noise = rng.standard_normal((len(of_chunk), DIMENSION), dtype=np.float32) * np.float32(
            0.75 / DIMENSION**0.5
        )
        windows = vectors[of_chunk] + noise
        windows /= np.linalg.norm(windows, axis=1, keepdims=True)
        place = np.arange(len(of_chunk)) % int(window_counts(CHUNKS).sum())
        self._store(
            window_table(space), "document_id, collection_id, window_index, char_start, char_end, embedding",
            [("V16", documents[of_chunk]), (">i4", np.full(len(place), collection)), (">i4", place),
             (">i4", place * 600), (">i4", place * 600 + 600)], windows, half=True,
        )  # fmt: skip

    def _store(
        self,
        table: sql.Identifier,
        columns: str,
        keys: list[tuple[str, Any]],
        vectors: FloatMatrix,
        *,
        half: bool,
    ) -> None:
        with self._copy(f"COPY {table.as_string()} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(HEADER)
            for block in pack_vectors(keys, vectors, half=half):
                copy.write(block)
            copy.write(TRAILER)

    def _blocks(self) -> None:
        """Of each term its chunks in order, 128 a block, the last one what is left: as by merges."""
        postings = np.concatenate(self._postings)
        self._postings = [postings]
        postings.sort()
        columns = "first_chunk, collection_id, df, term, packed, windows"
        start = 0
        while start < len(postings):
            end = len(postings)
            if start + 4_000_000 < end:  # up to where a term ends
                end = int(np.searchsorted(postings, ((postings[start + 4_000_000] >> 26) + 1) << 26))
            with self._copy(f"COPY pgask.posting_blocks ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(HEADER + self._pack(postings[start:end]) + TRAILER)
            start = end

    def _pack(self, postings: Ints) -> bytes:
        term, chunk = postings >> 26, (postings >> 6 & (1 << 20) - 1)
        frequency, window = postings >> 2 & 15, postings & 3
        begins = np.flatnonzero(np.diff(term, prepend=-1))
        place = np.arange(len(term)) - np.repeat(begins, np.diff(begins, append=len(term)))
        starts = np.flatnonzero(place % BLOCK_CHUNKS == 0)
        sizes = np.diff(starts, append=len(term))
        least = np.repeat(chunk[starts], sizes)
        packed = (chunk - least) << 32 | frequency << 17 | self._lengths[chunk]
        elements = _elements(packed, ">i8", 8)
        by_window = np.zeros((len(term), 4), np.uint8)
        by_window[np.arange(len(term)), window] = frequency
        windows, names = by_window.tobytes(), name_terms(term[starts])
        rows: list[bytes] = []
        for start, size, first, name in zip(
            starts.tolist(), sizes.tolist(), (chunk[starts] + 1).tolist(), names.tolist(), strict=True
        ):
            rows += (
                struct.pack("!hiqiiiii", 6, 8, first, 4, self._collection.id, 4, size, len(name)), name,
                _array(elements[12 * start : 12 * (start + size)], size, 20),
                struct.pack("!i", 4 * size), windows[4 * start : 4 * (start + size)],
            )  # fmt: skip
        return b"".join(rows)

    @contextmanager
    def _copy(self, statement: str) -> Iterator[Any]:
        with self._owner.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            yield copy


def _elements(values: NDArray[Any], kind: str, size: int) -> bytes:
    """As elements of an array in binary COPY: a length and its bytes each."""
    made = np.empty(len(values), np.dtype([("length", ">i4"), ("value", kind)]))
    made["length"], made["value"] = size, values
    return made.tobytes()


def _array(elements: bytes, count: int, kind: int) -> bytes:
    """An array of one dimension in binary COPY, with its length; `kind` is the type's oid."""
    return struct.pack("!iiiiii", 20 + len(elements), 1, 0, kind, count, 1) + elements


@contextmanager
def _opened(owner: Connection, tables: list[sql.Identifier]) -> Iterator[None]:
    """The tables without foreign keys and, for their owner, without policies, which COPY does not take."""
    for table in tables:
        named_keys = owner.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass"
            " AND coninhcount = 0",
            [table.as_string(owner)],
        ).fetchall()
        for (key,) in named_keys:
            owner.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(key)))
        owner.execute(sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(table))
    yield
    for table in tables:
        owner.execute(sql.SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(table))


# With their indexes.
_SIZES: Final = """
SELECT pg_total_relation_size(format('pgask_vectors.chunk_vectors_%%s', %(space)s)::regclass),
       pg_total_relation_size(format('pgask_vectors.window_vectors_%%s', %(space)s)::regclass),
       pg_total_relation_size('pgask.posting_blocks') + pg_total_relation_size('pgask.postings'),
       pg_total_relation_size('pgask.merged_chunks'),
       pg_total_relation_size('pgask.document_texts') + pg_total_relation_size('pgask.documents')
       + pg_total_relation_size('pgask.document_facts') + pg_total_relation_size('pgask.chunks'),
       pg_database_size(current_database())"""
_SIZE_NAMES: Final = (
    "chunk vectors",
    "window vectors",
    "blocks",
    "lists of terms",
    "text and rows",
    "database",
)

_BM25: Final = sql.SQL("WITH {}, found AS ({}) SELECT chunk_id, rank FROM found").format(
    load_sql("weights"), fill_sql("lexical", bm25=load_sql("bm25"), more=sql.Literal(MORE))
)


class Asked:
    """The questions, and every way to ask them."""

    def __init__(self, pool: AsyncPool, collection: Collection, seed: int, count: int) -> None:
        self._pool, self._collection = pool, collection
        writer = Writer(DISTINCT, seed + 1, VOCABULARY)
        self._terms = choose_terms(*writer.write(count)[:2], count, None, seed + 1)
        self.vectors = subject_vectors(writer.subject, seed + 1)
        self._memories: dict[str, SearchMemory] = {}
        self._space, self._backgrounds = bench_space(DIMENSION), Noise(DIMENSION)

    def ways(self) -> dict[str, Way]:
        """By name."""
        found: dict[str, Way] = {
            "dense": partial(self._rank, "dense", None, 1.0),
            "BM25": self._bm25,
            "hybrid": partial(self._rank, "hybrid", None, 0.6),
        }
        return found | {
            f"hybrid, {name}": partial(self._rank, name, kept, 0.6) for name, kept in FILTERS.items()
        }

    async def _rank(self, name: str, kept: SearchFilter | None, dense_weight: float, number: int) -> object:
        query = RankingQuery(
            COLLECTION, self.vectors[number], self._terms[number], 0.0, kept, candidates=50, texts=15
        )
        return await run_alone(
            self._pool,
            partial(
                rank_chunks, memory=self._memories.setdefault(name, SearchMemory()), space=self._space, query=query,
                settings=RankingSettings(dense_weight=dense_weight), backgrounds=self._backgrounds,
            ),
        )  # fmt: skip

    async def _bm25(self, number: int) -> object:
        parameters = {"collection_ids": [self._collection.id], "terms": self._terms[number], "candidates": 50,
                      "k1": 1.2, "b": 0.75, "budget": float(BUDGET)}  # fmt: skip

        async def ask(connection: PooledConnection) -> object:
            await connection.set_lasting({"plan_cache_mode": "force_generic_plan"})
            found = await connection.execute(_BM25, parameters, prepare=True)
            return await found.fetchall()

        return await run_alone(self._pool, ask)


async def measure(ways: dict[str, Way], count: int, process: Callable[[], float]) -> list[Figures]:
    """Ask all questions in every way in turn, twice; `process` tells the seconds that the server has spent."""
    elapsed: dict[str, list[list[float]]] = {name: [[], []] for name in ways}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for time_round in (0, 1):
        for number in range(count):
            for name, way in ways.items():
                before, started = process(), time.perf_counter()
                await way(number)
                elapsed[name][time_round].append((time.perf_counter() - started) * 1_000)
                if time_round:
                    spent[name].append((process() - before) * 1_000)
    return [
        Figures(
            name,
            *np.percentile(first, [50, 99]).round(2).tolist(),
            *np.percentile(again, [50, 90, 99]).round(2).tolist(),
            *np.percentile(spent[name], [50, 99]).round(2).tolist(),
        )
        for name, (first, again) in elapsed.items()
    ]


def _cpu_s(pid: int) -> float:
    """Seconds that the process has run, from the scheduler: nanoseconds are exact where clock ticks are not."""
    return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9


def recall(owner: Connection, space_id: int, asked: FloatMatrix) -> float:
    """recall@10 of the vector index, against comparing every vector."""
    index = read_state(owner, space_id).index
    assert index is not None
    with owner.cursor() as cursor:
        best = np.full((len(asked), 10), -2.0)
        ids = np.zeros((len(asked), 10), np.int64)
        rows = cursor.stream(
            sql.SQL("SELECT chunk_id, embedding FROM {}").format(chunk_table(space_id)),
            binary=True,
            size=1_000,
        )
        batch: list[Any] = []

        def take() -> None:
            nonlocal best, ids
            cosines = (
                asked
                @ np.stack(
                    [vector.to_numpy() if hasattr(vector, "to_numpy") else vector for _, vector in batch]
                ).T
            )
            every = np.hstack([best, cosines])
            keys = np.hstack([ids, np.tile(np.array([key for key, _ in batch]), (len(asked), 1))])
            order = np.argpartition(-every, 10, axis=1)[:, :10]
            best, ids = np.take_along_axis(every, order, 1), np.take_along_axis(keys, order, 1)
            batch.clear()

        for row in rows:
            batch.append(row)
            if len(batch) == 10_000:
                take()
        if batch:
            take()
    for name, value in index.session_settings().items():
        owner.execute("SELECT set_config(%s, %s, false)", [name, value])
    near = sql.SQL("SELECT v.chunk_id FROM {} v WHERE {} ORDER BY {} LIMIT 10").format(
        chunk_table(space_id), index.condition, index.distance
    )
    hits = 0
    for vector, true in zip(asked, ids.tolist(), strict=True):
        found = owner.execute(near, {"vector": vector}, prepare=True).fetchall()
        hits += len(set(true) & {row[0] for row in found})
    return round(hits / (10 * len(asked)), 4)


async def run(
    database: Database, collection: Collection, seed: int, count: int
) -> tuple[list[Figures], FloatMatrix]:
    """Measure every way, by one client."""
    async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
        asked = Asked(pool, collection, seed, count)
        async with pool.connection() as connection:
            pid = connection.info.backend_pid
        return await measure(asked.ways(), count, partial(_cpu_s, pid)), asked.vectors


def main(
    *,
    home: Annotated[Path, typer.Option(help="Keeps the database")],
    chunks: Annotated[int, typer.Option(help="Chunks, a multiple of 1,000")] = 100_000,
    questions: Annotated[int, typer.Option(help="Questions, each asked in every way")] = 300,
    seed: Annotated[int, typer.Option(help="Of all that is random")] = 1,
) -> None:
    """Fill where nothing is kept, measure, print one JSON object."""
    home.mkdir(parents=True, exist_ok=True)
    kept = home / "loaded.json"
    with EmbeddedPostgres(home) as server:
        database = named(server.start(), DATABASE)
        if not kept.exists():
            server.drop_database(DATABASE)
            server.create_database(DATABASE)
        migrate(database)
        with connect(database.owner) as owner, connect(database.app) as app:
            collection = ensure_collection(app, COLLECTION, ensure_space(owner, bench_space(DIMENSION)))
            if not kept.exists():
                loaded = Loader(owner, collection, chunks, seed).load()
                built = maintenance.rebuild(owner, collection.space_id, IndexSettings())
                kept.write_text(
                    json.dumps({"chunks": chunks, **loaded, "index": built}, default=str), "utf-8"
                )
            sizes = owner.execute(_SIZES, {"space": collection.space_id}).fetchone()
            assert sizes is not None
            figures, asked = asyncio.run(run(database, collection, seed, questions))
            found = recall(owner, collection.space_id, asked[:COMPARED])
    loaded = json.loads(kept.read_text("utf-8"))
    bytes_each = {name: round(size / loaded["chunks"]) for name, size in zip(_SIZE_NAMES, sizes, strict=True)}
    figured = {"recall@10": found, "bytes_a_chunk": bytes_each, "figures": [asdict(one) for one in figures]}
    print(json.dumps(loaded | {"cores": os.cpu_count(), "questions": questions, "seed": seed} | figured))


if __name__ == "__main__":
    typer.run(main)
