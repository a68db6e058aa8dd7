"""How the vector index grows: build time, size, recall, p50 and p99 from 10,000 to 1,000,000 rows.

    python -m eval.bench.growth --home FOLDER [--rows 10000,30000,…] [--plot docs/img/growth.png]

Chunk vectors only, no text and no lexical search: the nearest ten chunks by the index that pgask builds and calibrates
(app/index/maintenance.py, target recall 0.95), one client, one prepared statement. The vectors are synthetic and
clustered, 384 dimensions: around 200 centres of uneven size, spread in 24 directions that all share and a little in
every other, chosen so that lists and cosines are about those of MiniLM on sentences (at 20,000 rows: recall .95 in 2 to
10 of 141 lists, cosine .68 for the nearest and .60 for the tenth). Questions are drawn the same way and are not in the
table; 200 others calibrate. `home` keeps the table and results.json: a size that stands there is not measured again,
larger ones add to the rows of smaller ones. Prints a table, the fitted exponents of t ~ rows^e, and one JSON object.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
import typer
from psycopg import sql

from app.embedding import EmbeddingSpace, FloatMatrix
from app.index import maintenance
from app.index.manifest import IndexSettings, VectorIndex, read_state
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Connection, Database, connect
from app.store.migrate import migrate
from app.store.schema_names import VECTOR_SCHEMA
from app.store.spaces import all_chunks, chunk_table, ensure_collection, ensure_space
from app.store.staging import staged_copy
from eval.bench.filtered_recall import bench_space
from eval.bench.search_store import named

DATABASE: Final = "growth_bench_test"
DIMENSION: Final = 384
CENTRES: Final = 200
DIRECTIONS: Final = 24
BLOCK: Final = 10_000  # rows made at once, from a seed of their own
NEIGHBOURS: Final = 10
CALIBRATING: Final = 200
ASKED: Final = 300
COMPARED: Final = 200  # of these, with exact search
SIZES: Final = "10000,30000,100000,300000,1000000"
FITTED: Final = ("build_s", "size_bytes", "p50_ms", "p99_ms", "exact_p50_ms")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one number of rows measured. Recall is recall@10 over the questions that did not calibrate; `exact_p50_ms`
    is the time of reading every vector."""

    rows: int
    lists: int
    probes: int
    build_s: float
    size_bytes: int
    recall: float
    p50_ms: float
    p99_ms: float
    exact_p50_ms: float


def make_vectors(count: int, seed: int, cluster: npt.NDArray[np.int64] | None = None) -> FloatMatrix:
    """Clustered unit vectors float32 (count, DIMENSION); the clusters are the same whatever the seed. `cluster` gives
    that of each; else they are drawn by size."""
    fixed = np.random.default_rng(0)
    centres = fixed.standard_normal((CENTRES, DIMENSION)).astype(np.float32) / np.sqrt(DIMENSION)
    directions = fixed.standard_normal((DIRECTIONS, DIMENSION)).astype(np.float32) / np.sqrt(DIMENSION)
    sizes = 1 / np.arange(1, CENTRES + 1) ** 0.7
    rng = np.random.default_rng([1, seed])
    if cluster is None:
        cluster = rng.choice(CENTRES, size=count, p=sizes / sizes.sum())
    latent = rng.standard_normal((count, DIRECTIONS)).astype(np.float32) * np.float32(0.18)
    noise = rng.standard_normal((count, DIMENSION)).astype(np.float32) * np.float32(0.55 / np.sqrt(DIMENSION))
    vectors = centres[cluster] + latent @ directions + noise
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@contextmanager
def open_table(home: Path, space: EmbeddingSpace) -> Iterator[tuple[Database, int]]:
    """The database that `home` keeps, made where it is missing, and the space's id."""
    with EmbeddedPostgres(home) as server:
        database = named(server.start(), DATABASE)
        if not (home / "results.json").exists():
            server.drop_database(DATABASE)
            server.create_database(DATABASE)
            (home / "results.json").write_text("[]", "utf-8")
        migrate(database)
        with connect(database.owner) as owner:
            space_id = ensure_space(owner, space)
            owner.execute(  # vectors alone: there are no chunks that they could belong to
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(
                    all_chunks(space_id), sql.Identifier(f"chunk_vectors_{space_id}_all_chunk_id_fkey")
                )
            )
            _store_questions(owner, space_id, make_vectors(CALIBRATING, seed=10**9))
        yield database, space_id


def grow(connection: Connection, collection_id: int, space_id: int, rows: int) -> None:
    """Add blocks until the table has so many rows."""
    table = chunk_table(space_id)
    row = connection.execute(sql.SQL("SELECT coalesce(max(chunk_id), 0) FROM {}").format(table)).fetchone()
    assert row is not None
    columns = "chunk_id, collection_id, document_id, embedding"
    for start in range(row[0], rows, BLOCK):
        vectors = make_vectors(min(BLOCK, rows - start), seed=start // BLOCK)
        with staged_copy(connection, VECTOR_SCHEMA, f"chunk_vectors_{space_id}", columns) as copy:
            copy.set_types(["int8", "int4", "uuid", "vector"])
            for place, vector in enumerate(vectors, start + 1):
                copy.write_row((place, collection_id, UUID(int=place // 10), vector))


def measure(connection: Connection, space_id: int) -> tuple[float, float, float, float]:
    """Recall, p50 and p99 of the index, and p50 of exact search, in milliseconds."""
    index = read_state(connection, space_id).index
    assert index is not None
    asked = make_vectors(ASKED, seed=10**9 + 1)
    exact = sql.SQL(
        "SELECT chunk_id FROM (SELECT v.chunk_id, v.embedding <=> %(vector)s AS distance FROM {} v OFFSET 0) n"
        " ORDER BY distance LIMIT {}"
    ).format(chunk_table(space_id), sql.Literal(NEIGHBOURS))
    exact_ms, hits = [], 0
    truth = asked[:COMPARED]
    nearest = []
    for vector in truth:
        found, ms = _ask(connection, exact, vector)
        nearest.append(found)
        exact_ms.append(ms)
    near = _nearest(space_id, index)
    for name, value in index.session_settings().items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])
    for vector in asked[:20]:
        _ask(connection, near, vector)
    for vector, best in zip(truth, nearest, strict=True):
        hits += len(best & _ask(connection, near, vector)[0])
    elapsed_ms = [_ask(connection, near, vector)[1] for vector in asked]
    p50, p99 = np.percentile(elapsed_ms, [50, 99]).tolist()
    return hits / (NEIGHBOURS * len(truth)), p50, p99, float(np.median(exact_ms))


def fit(figures: list[Figures], name: str) -> float:
    """The exponent e of name ~ rows^e, by least squares of the logarithms.

    >>> made = [Figures(n, 1, 1, n, n * n, 1, 1, 1, 1) for n in (10, 100, 1000)]
    >>> fit(made, "build_s"), fit(made, "size_bytes"), fit(made, "p50_ms")
    (1.0, 2.0, 0.0)
    """
    rows = np.log([one.rows for one in figures])
    values: npt.NDArray[np.float64] = np.log([max(getattr(one, name), 1e-3) for one in figures])
    return round(float(np.polyfit(rows, values, 1)[0]), 3) + 0.0  # not -0.0


def plot(figures: list[Figures], path: Path) -> None:
    """Latency, build time and size against rows, both axes logarithmic, as PNG."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(10, 4), layout="constrained")
    left, right = drawn.subplots(1, 2)
    rows = [one.rows for one in figures]
    for name, label in (
        ("exact_p50_ms", "every vector, p50"),
        ("p99_ms", "index, p99"),
        ("p50_ms", "index, p50"),
    ):
        left.loglog(
            rows,
            [getattr(one, name) for one in figures],
            marker="o",
            label=f"{label}  (rows^{fit(figures, name):.2f})",
        )
    for one in figures:
        left.annotate(
            f"{one.recall:.2f}",
            (one.rows, one.p50_ms),
            (0, -14),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    left.set(xlabel="chunks", ylabel="ms", title="Nearest ten; below the lowest line: recall@10")
    right.loglog(
        rows,
        [one.build_s for one in figures],
        marker="o",
        label=f"build, s  (rows^{fit(figures, 'build_s'):.2f})",
    )
    right.loglog(
        rows,
        [one.size_bytes / 2**20 for one in figures],
        marker="o",
        label=f"size, MB  (rows^{fit(figures, 'size_bytes'):.2f})",
    )
    right.set(xlabel="chunks", title="The index")
    for axes in (left, right):
        axes.grid(visible=True, which="both", alpha=0.2)
        axes.legend()
    drawn.savefig(path, dpi=110)


def _nearest(space_id: int, index: VectorIndex) -> sql.Composed:
    return sql.SQL("SELECT v.chunk_id FROM {} v WHERE {} ORDER BY {} LIMIT {}").format(
        chunk_table(space_id), index.condition, index.distance, sql.Literal(NEIGHBOURS)
    )


def _ask(
    connection: Connection, statement: sql.Composed, vector: npt.NDArray[np.float32]
) -> tuple[set[int], float]:
    started = time.perf_counter()
    found = connection.execute(statement, {"vector": vector}, prepare=True).fetchall()
    return {row[0] for row in found}, 1_000 * (time.perf_counter() - started)


def _store_questions(owner: Connection, space_id: int, vectors: FloatMatrix) -> None:
    """As if people had asked them: what calibration asks first."""
    for vector in vectors:
        owner.execute(
            "INSERT INTO pgask.question_vectors (space_id, digest, embedding) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [space_id, hashlib.sha256(vector.tobytes()).digest(), vector.tolist()],
        )


def main(
    *,
    home: Annotated[Path, typer.Option(help="Keeps the table and the results")],
    rows: Annotated[str, typer.Option(help="Numbers of rows, ascending, joined by commas")] = SIZES,
    plot_to: Annotated[Path | None, typer.Option("--plot", help="Where the PNG goes")] = None,
) -> None:
    """Measure the sizes that are not measured yet."""
    home.mkdir(parents=True, exist_ok=True)
    space = bench_space(DIMENSION)
    with open_table(home, space) as (database, space_id):
        done = [Figures(**one) for one in json.loads((home / "results.json").read_text("utf-8"))]
        with connect(database.owner) as owner:
            collection = ensure_collection(owner, "default", space_id)
            for size in (int(part) for part in rows.split(",")):
                if any(one.rows >= size for one in done):
                    continue
                grow(owner, collection.id, space_id, size)
                owner.execute(
                    "UPDATE pgask.collections SET chunk_count = %s", [size]
                )  # no trigger counts these
                owner.execute(sql.SQL("VACUUM ANALYZE {}").format(chunk_table(space_id)))
                built = maintenance.rebuild(owner, space_id, IndexSettings())
                recall, p50, p99, exact = measure(owner, space_id)
                done.append(
                    Figures(
                        size, built.lists or 0, built.probes or 0, built.build_s or 0.0, built.size_bytes or 0,
                        round(recall, 4), round(p50, 2), round(p99, 2), round(exact, 2),
                    )
                )  # fmt: skip
                (home / "results.json").write_text(json.dumps([asdict(one) for one in done]), "utf-8")
    print("| rows | lists, probes | recall@10 | p50 ms | p99 ms | exact p50 ms | build s | size MB |")
    print("|---|---|---|---|---|---|---|---|")
    for one in done:
        print(
            f"| {one.rows:,} | {one.lists}, {one.probes} | {one.recall:.3f} | {one.p50_ms} | {one.p99_ms} |"
            f" {one.exact_p50_ms} | {one.build_s} | {one.size_bytes / 2**20:,.0f} |"
        )
    if len(done) > 1:
        if plot_to is not None:
            plot(done, plot_to)
        exponents = {name: fit(done, name) for name in FITTED}
        print(json.dumps({"figures": [asdict(one) for one in done], "exponents": exponents}))


if __name__ == "__main__":
    typer.run(main)
