"""Recall@10 of the dense leg under filters, against exact search over the rows that the filter keeps.

    python -m eval.bench.filtered_recall [--rows N] [--corpus SET]… [--method hnsw] [--exact-max-rows N] [--seed N]

Inserts unit vectors into a temporary embedded PostgreSQL: documents of ten chunks. Without `--corpus` they lie around
cluster centres, no text and no model. With it (folders with corpus/ and questions.jsonl) they are mixed from the
windows of real documents, one to four of one document with a little noise, and `anywhere` asks the real questions.
Each filter keeps a share of the documents, either at random or those of one region (the ones nearest to one place), as
a folder or a language does. Questions are chunks with noise (cosine about 0.8), from the rows that the filter keeps
(`inside`) or from all (`anywhere`: the filter then often keeps only what is far away). The last cases are a collection
that shares its space with a nine times larger one. A low `--exact-max-rows` sends all but the smallest to the index;
where the planner would still rather sort all that the filter keeps, `--force-index` keeps it from that. Prints one JSON
object; times are of one client and one search, the plan included.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg.conninfo import make_conninfo

from app.config import IndexMethod, Settings, VectorPrecision, load_settings
from app.domain import SearchFilter
from app.embedding import Embedder, EmbeddingSpace, FloatMatrix, IntVector, SentenceTransformerEmbedder
from app.errors import DocumentError
from app.index import maintenance
from app.index.manifest import IndexSettings
from app.search.background_reader import BackgroundReader
from app.search.plan import SearchMemory
from app.search.ranking import RankingQuery, RankingSettings, rank_chunks
from app.search.standard import Background
from app.server.embedded import EmbeddedPostgres
from app.store.connection import AsyncPool, Connection, Database, connect, run_alone
from app.store.connection_pool import open_pool
from app.store.migrate import migrate
from app.store.schema_names import VECTOR_SCHEMA
from app.store.spaces import Collection, ensure_collection, ensure_space
from app.store.staging import staged_copy
from app.trial.question_file import load_questions
from ingest.chunking import chunk
from ingest.roots import name_paths
from ingest.sandbox import SandboxedParser
from ingest.sources import find_sources, read_source

SHARES: Final = (0.001, 0.01, 0.1, 0.25, 0.5)
CHUNKS: Final = 10  # of a document
NEIGHBOURS: Final = 10


@dataclass(frozen=True, slots=True)
class Corpus:
    """Generated vectors as stored: `vectors` float32 (n, dimension) of unit length, `ids` their chunks' ids (n,);
    `kept` has, for each filter's name, which rows it keeps (n,)."""

    collection: Collection
    vectors: FloatMatrix
    ids: NDArray[np.int64]
    kept: dict[str, NDArray[np.bool_]]
    questions: FloatMatrix | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What one filter measured. `fewest` is the least number of rows that a question got."""

    filter: str
    questions: str
    rows: int
    exact: bool
    probes: int | None
    recall: float
    fewest: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The index that was built, and each filter's figures."""

    index: maintenance.IndexReport
    figures: list[Figures]


class Noise(BackgroundReader):
    """A background for vectors that are of no text: the order by cosine is the same with any."""

    def __init__(self, dimension: int) -> None:
        vectors = _unit(np.random.default_rng(0).standard_normal((2, 48, dimension)).reshape(-1, dimension))
        self._background = Background({"en": vectors[:48], "zh": vectors[48:]})

    async def read(self, *_: object) -> Background:
        return self._background


def bench_space(dimension: int) -> EmbeddingSpace:
    """A space that no model has."""
    return EmbeddingSpace(
        model="generated",
        weights_sha256="0" * 64,
        dimension=dimension,
        query_prefix="",
        passage_prefix="",
        pooling="mean",
        normalized=True,
    )


class Generated:
    """Documents around a hundred centres, their chunks around them."""

    questions: FloatMatrix | None = None

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._centres = np.random.default_rng(0).standard_normal((100, dimension))

    def draw(self, documents: int, rng: np.random.Generator) -> FloatMatrix:
        """Unit vectors of the chunks of so many documents, by document."""
        size = (documents, self.dimension)
        middles = 0.5 * self._centres[rng.integers(100, size=documents)] + 0.5 * rng.standard_normal(size)
        noise = rng.standard_normal((documents * CHUNKS, self.dimension), dtype=np.float32)
        return _unit(np.repeat(middles.astype(np.float32), CHUNKS, axis=0) + np.float32(0.5) * noise)


class Real:
    """Chunks between windows of real documents: one to four of the same document, weighted at random, with noise."""

    def __init__(self, sets: Sequence[Path], cache: Path | None) -> None:
        """Encode the sets' windows and questions with the configured model; the folder `cache` keeps the vectors."""
        settings = load_settings()
        embedder = SentenceTransformerEmbedder.from_settings(settings)
        self.dimension = embedder.space.dimension
        self._windows: list[FloatMatrix] = []
        asked = []
        for folder in sets:
            wordings = [one.question for one in load_questions(folder / "questions.jsonl", limit=300)]
            documents = _cut_into_windows(folder / "corpus", embedder, settings)
            windows = _encode(embedder, [ids for one in documents for ids in one], cache)
            self._windows += np.split(windows, np.cumsum([len(one) for one in documents])[:-1])
            asked.append(embedder.embed_queries(wordings))
        self.questions: FloatMatrix | None = np.concatenate(asked)

    def draw(self, documents: int, rng: np.random.Generator) -> FloatMatrix:
        """Unit vectors of the chunks of so many documents, by document."""
        rows = np.empty((documents * CHUNKS, self.dimension), dtype=np.float32)
        for number in range(documents):
            windows = self._windows[rng.integers(len(self._windows))]
            weights = rng.exponential(size=(CHUNKS, 4)) * (
                np.arange(4) < rng.integers(1, 5, size=(CHUNKS, 1))
            )
            chosen = windows[rng.integers(len(windows), size=(CHUNKS, 4))]
            rows[number * CHUNKS : (number + 1) * CHUNKS] = np.einsum("cw,cwd->cd", weights, chosen)
        noise = rng.standard_normal(rows.shape) * (0.35 / np.sqrt(self.dimension))
        return _unit(_unit(rows) + noise)


def _cut_into_windows(corpus: Path, embedder: Embedder, settings: Settings) -> list[list[IntVector]]:
    """The tokens of the windows of each document, cut as ingest does it; files that can't be parsed are left out."""
    found = []
    with SandboxedParser() as parser:
        for file in find_sources(name_paths([corpus])).files:
            try:
                content = read_source(file, settings.max_file_bytes).content
                document = parser.parse(content, file.media_type, file.source)
            except DocumentError:
                continue
            tokens = embedder.tokenize(document.text)
            window_tokens = min(settings.window_tokens, embedder.window_tokens)
            cut = chunk(
                document, tokens, chunk_tokens=settings.chunk_tokens, overlap=settings.overlap,
                window_tokens=window_tokens,
            )  # fmt: skip
            found.append([tokens.ids[window.token_start : window.token_end] for window in cut.windows])
    return [one for one in found if one]


def _encode(embedder: Embedder, windows: Sequence[IntVector], cache: Path | None) -> FloatMatrix:
    """`Embedder.embed_windows`, kept in a file that is named after the model and the windows."""
    key = hashlib.sha256(f"{embedder.space}|".encode() + b"|".join(window.tobytes() for window in windows))
    file = cache / f"vectors-{key.hexdigest()[:24]}.npy" if cache else None
    if file and file.exists():
        return np.asarray(np.load(file, allow_pickle=False), dtype=np.float32)
    vectors = embedder.embed_windows(windows)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, vectors)
    return vectors


def fill(app: Connection, collection: Collection, source: Generated | Real, rows: int, seed: int) -> Corpus:
    """Store `rows` chunks with their windows and the metadata that the filters ask for."""
    rng = np.random.default_rng(seed)
    documents = rows // CHUNKS
    vectors = source.draw(documents, rng)
    middles = _unit(vectors.reshape(documents, CHUNKS, -1).mean(axis=1))
    places = {
        "random": rng.permutation(documents),
        "region": np.argsort(np.argsort(-(middles @ middles[rng.integers(documents)]), kind="stable")),
    }
    kept = {
        _name(kind, share): place < max(1, round(share * documents))
        for kind, place in places.items()
        for share in SHARES
    }
    metadata = [
        json.dumps({name: True for name, which in kept.items() if which[number]})
        for number in range(documents)
    ]
    ids = store_chunks(app, collection, vectors, metadata, rng)
    masks = {name: np.repeat(which, CHUNKS) for name, which in kept.items()}
    return Corpus(collection, vectors, ids, masks, source.questions)


async def measure(
    pool: AsyncPool,
    corpus: Corpus,
    space: EmbeddingSpace,
    *,
    questions: int,
    exact_max_rows: int,
    candidates: int,
    seed: int,
) -> list[Figures]:
    """Every filter with questions from inside it and from anywhere."""
    figures = []
    for name, kept in corpus.kept.items():
        for where, source in (("inside", kept), ("anywhere", np.ones_like(kept))):
            asked = draw_questions(corpus.vectors[source], questions, seed)
            if where == "anywhere" and corpus.questions is not None:
                rng = np.random.default_rng(seed)
                asked = corpus.questions[rng.choice(len(corpus.questions), questions, replace=False)]
            figures.append(
                await _measure_one(
                    pool,
                    corpus,
                    space,
                    name=name,
                    where=where,
                    asked=asked,
                    exact_max_rows=exact_max_rows,
                    candidates=candidates,
                )
            )
    return figures


async def measure_collection(
    pool: AsyncPool,
    corpus: Corpus,
    space: EmbeddingSpace,
    asked: FloatMatrix,
    *,
    exact_max_rows: int,
    candidates: int,
    readable: str | None = None,
    where: str = "collection",
) -> Figures:
    """A collection without a filter: its share of the space is one. `readable` names the rows that whoever asks may
    read, None: all of them."""
    return await _measure_one(
        pool,
        corpus,
        space,
        name=readable,
        filtered=False,
        where=where,
        asked=asked,
        exact_max_rows=exact_max_rows,
        candidates=candidates,
    )


async def _measure_one(
    pool: AsyncPool,
    corpus: Corpus,
    space: EmbeddingSpace,
    *,
    name: str | None,
    where: str,
    asked: FloatMatrix,
    exact_max_rows: int,
    candidates: int,
    filtered: bool = True,
) -> Figures:
    search_filter = SearchFilter(metadata={name: True}) if name and filtered else None
    rows = np.flatnonzero(corpus.kept[name]) if name else np.arange(len(corpus.vectors))
    hits, found_least, elapsed_ms = 0, len(rows), []
    plan, memory = None, SearchMemory()
    settings = RankingSettings(exact_max_rows=exact_max_rows)
    for question in asked:
        started = time.perf_counter()
        query = RankingQuery(
            corpus.collection.name, question, [], 0.0, search_filter, candidates=candidates, texts=0
        )
        found = await run_alone(
            pool,
            partial(
                rank_chunks,
                memory=memory,
                space=space,
                query=query,
                settings=settings,
                backgrounds=Noise(space.dimension),
            ),
        )
        plan = found.plan
        elapsed_ms.append((time.perf_counter() - started) * 1000)
        best = rows[np.argsort(-(corpus.vectors[rows] @ question))[:NEIGHBOURS]]
        hits += len(set(corpus.ids[best].tolist()) & {chunk.chunk_id for chunk in found.chunks})
        found_least = min(found_least, len(found.chunks))
    assert plan is not None
    return Figures(
        filter=name or "collection",
        questions=where,
        rows=len(rows),
        exact=plan.exact,
        probes=plan.probes,
        recall=round(hits / (len(asked) * min(NEIGHBOURS, len(rows))), 4),
        fewest=found_least,
        p50_ms=round(float(np.percentile(elapsed_ms, 50)), 2),
        p95_ms=round(float(np.percentile(elapsed_ms, 95)), 2),
    )


def draw_questions(vectors: FloatMatrix, count: int, seed: int) -> FloatMatrix:
    """Chunks with noise: a cosine of about 0.8 to what they were."""
    rng = np.random.default_rng(seed)
    picked = vectors[rng.integers(len(vectors), size=count)]
    return _unit(picked + 0.75 / np.sqrt(picked.shape[1]) * rng.standard_normal(picked.shape))


def _name(kind: str, share: float) -> str:
    return f"{kind} {share:.1%}"


def _unit(vectors: NDArray[np.float64] | FloatMatrix) -> FloatMatrix:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def store_chunks(
    app: Connection,
    collection: Collection,
    vectors: FloatMatrix,
    metadata: list[str],
    rng: np.random.Generator,
    *,
    partition: int | None = None,
) -> NDArray[np.int64]:
    """The chunks' ids in the vectors' order. `partition`: where they are written, None: where all of the space lie."""
    partition = partition or collection.space_id
    documents = [
        row[0]
        for row in app.execute(
            "INSERT INTO pgask.documents (collection_id, source, status, chunk_count, metadata)"
            " SELECT %s, 'document ' || number, 'ready', %s, kept::jsonb"
            " FROM unnest(%s::text[]) WITH ORDINALITY m (kept, number) ORDER BY number RETURNING id",
            [collection.id, CHUNKS, metadata],
        )
    ]
    stored = app.execute(
        "INSERT INTO pgask.chunks (document_id, collection_id, chunk_index, char_start, char_end, token_count,"
        " term_count, places, sentences, window_start, window_end)"
        " SELECT d.id, %s, i, 0, 4, 1, 1, '[]', '{}', i, i + 1"
        " FROM unnest(%s::uuid[]) WITH ORDINALITY d (id, number), generate_series(0, %s) i ORDER BY number, i"
        " RETURNING document_id, chunk_index, id",
        [collection.id, documents, CHUNKS - 1],
    ).fetchall()
    by_place = {(document, index): chunk_id for document, index, chunk_id in stored}
    places = [(document, index) for document in documents for index in range(CHUNKS)]
    ids = np.array([by_place[place] for place in places])
    noise = rng.standard_normal(vectors.shape, dtype=np.float32)
    windows = vectors + np.float32(0.75 / np.sqrt(vectors.shape[1])) * noise
    columns = "chunk_id, collection_id, document_id, embedding"
    with staged_copy(app, VECTOR_SCHEMA, f"chunk_vectors_{partition}", columns) as copy:
        copy.set_types(["int8", "int4", "uuid", "vector"])
        for chunk_id, (document, _), vector in zip(ids.tolist(), places, vectors, strict=True):
            copy.write_row((chunk_id, collection.id, document, vector))
    columns = "collection_id, document_id, window_index, char_start, char_end, embedding"
    with staged_copy(app, VECTOR_SCHEMA, f"window_vectors_{partition}", columns) as copy:
        copy.set_types(["int4", "uuid", "int4", "int4", "int4", "halfvec"])
        for (document, index), vector in zip(places, _unit(windows), strict=True):
            copy.write_row((collection.id, document, index, 0, 4, HalfVector(vector)))
    return ids


async def run(
    database: Database,
    *,
    source: Generated | Real,
    rows: int,
    exact_max_rows: int,
    candidates: int,
    questions: int,
    seed: int,
    index: IndexSettings | None = None,
    force_index: bool = False,
) -> Measured:
    """Fill a migrated, empty database and measure."""
    space = bench_space(source.dimension)
    with connect(database.owner) as owner, connect(database.app) as app:
        space_id = ensure_space(owner, space)
        large = fill(app, ensure_collection(app, "large", space_id), source, rows * 9 // 10, seed)
        small = fill(app, ensure_collection(app, "small", space_id), source, rows // 10, seed + 1)
        owner.execute("ANALYZE")
        built = maintenance.rebuild(owner, space_id, index or IndexSettings())
    url = make_conninfo(database.app, options="-c enable_sort=off") if force_index else database.app
    async with open_pool(url, size=1, statement_timeout_s=60) as pool:
        figures = await measure(
            pool, large, space, questions=questions, exact_max_rows=exact_max_rows, candidates=candidates,
            seed=seed,
        )  # fmt: skip
        for corpus in (large, small):
            figures.append(
                await measure_collection(
                    pool, corpus, space, draw_questions(corpus.vectors, questions, seed),
                    exact_max_rows=exact_max_rows, candidates=candidates,
                )
            )  # fmt: skip
    return Measured(built, figures)


def open_databases(name: str) -> Iterator[Database]:
    """One migrated, empty database on a server of its own, which is thrown away."""
    with (
        tempfile.TemporaryDirectory(prefix="pgask-bench-") as folder,
        EmbeddedPostgres(Path(folder)) as server,
    ):
        urls = server.create_database(name)
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        yield database


def main(
    *,
    rows: Annotated[int, typer.Option(help="Chunks, a tenth of them in a collection of its own")] = 30_000,
    dimension: Annotated[int, typer.Option(help="Dimension of generated vectors")] = 384,
    corpus: Annotated[
        list[Path] | None, typer.Option(help="Set whose windows are mixed; may be repeated")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps the encoded vectors")] = None,
    method: Annotated[IndexMethod, typer.Option(help="PGASK_INDEX_METHOD")] = "ivfflat",
    precision: Annotated[VectorPrecision, typer.Option(help="PGASK_VECTOR_PRECISION")] = "full",
    exact_max_rows: Annotated[int, typer.Option(help="PGASK_EXACT_MAX_ROWS")] = 100,
    candidates: Annotated[int, typer.Option(help="Rows that each search asks for")] = 10,
    questions: Annotated[int, typer.Option(help="Questions a filter")] = 100,
    force_index: Annotated[
        bool, typer.Option("--force-index", help="Let the planner not sort instead")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of all that is random")] = 1,
) -> None:
    """Print the figures as one JSON object."""
    source = Real(corpus, cache) if corpus else Generated(dimension)
    for database in open_databases("filtered_recall_test"):
        measured = asyncio.run(
            run(
                database, source=source, rows=rows, exact_max_rows=exact_max_rows, candidates=candidates,
                questions=questions, seed=seed, index=IndexSettings(method, precision), force_index=force_index,
            )
        )  # fmt: skip
        sets = [folder.name for folder in corpus or []]
        settings: dict[str, Any] = {
            "rows": rows,
            "vectors": sets or "generated",
            "exact_max_rows": exact_max_rows,
        }
        settings |= {
            "candidates": candidates,
            "questions": questions,
            "seed": seed,
            "force_index": force_index,
        }
        print(json.dumps(settings | asdict(measured)))


if __name__ == "__main__":
    typer.run(main)
