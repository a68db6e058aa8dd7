"""Latency of BM25 in PostgreSQL at a size, and what adding up the rarer terms alone changes.

    python -m eval.bench.bm25_latency [--chunks N] [--distinct N] [--questions N] [--seed N] [--folder DIR] [--rows]

Postings are generated, no text: terms by rank with the shares of chunks that English articles show (the most common
.44, the hundredth .15, the thousandth .034; stop words are none of them, the lexicon drops those), a third of them from
the vocabulary of one of 200 subjects. Questions take terms of one chunk at random: 3 to 9 (5.7 on average, what is left
of ten words), and 10. Every question is asked in turn with the product's statement and with all postings added up;
both are asked once before, to warm up. Postings are merged into blocks, as upkeep does, or left as rows with --rows.
Needs about 150 bytes of disk a posting. Prints one JSON object.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from numpy.typing import NDArray
from psycopg import sql

from app.search.bm25 import BUDGET, MORE
from app.search.statements import fill_sql, load_sql
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Connection, Database, connect
from app.store.migrate import migrate
from app.store.posting_blocks import merge_postings
from app.store.schema_names import SCHEMA
from app.store.spaces import Collection, ensure_collection, ensure_space
from app.store.staging import staged_copy
from eval.bench.filtered_recall import bench_space

VOCABULARY: Final = 200_000
SUBJECTS: Final = 200
OWN_SHARE: Final = 0.35  # of a chunk's terms that come from its subject's words
BATCH: Final = 10_000
TOP: Final = 10
CANDIDATES: Final = 50

# pgask.postings in binary COPY; every field has its length before it, and a term is one letter and seven digits.
_ROW: Final = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("chunk", ">i8"), ("l2", ">i4"), ("collection", ">i4"), ("l3", ">i4"),
     ("frequency", ">i2"), ("l4", ">i4"), ("terms", ">i4"), ("l5", ">i4"), ("term", "S8")]
)  # fmt: skip
_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_STATEMENT: Final = sql.SQL("WITH {}, found AS ({}) SELECT chunk_id, rank FROM found").format(
    load_sql("weights"), fill_sql("lexical", bm25=load_sql("bm25"), more=sql.Literal(MORE))
)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds of questions with so many terms; `postings` is the median number that a question's terms have.
    `same_top` is the share of the ten best chunks that are those of full BM25, `same_first` of the best one."""

    terms: str
    postings: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    full_p50_ms: float
    full_p99_ms: float
    same_top: float
    same_first: float


class Writer:
    """Makes chunks of terms: `distinct` different ones on average. `subject` has those of the chunks made last."""

    def __init__(self, distinct: int, seed: int, vocabulary: int = VOCABULARY) -> None:
        self._vocabulary, self.subject = vocabulary, np.zeros(0, np.int64)
        self._rng = np.random.default_rng(seed)
        self._drawn = distinct * 1.085  # some are drawn twice
        ranks = np.arange(vocabulary, dtype=np.float64)
        common, tail = (
            0.44 / (1 + ranks / 30) ** 0.72,
            0.0212 * (np.maximum(ranks, 1) / 2_000) ** -1.35,
        )
        shares = np.where(ranks < 2_000, common, tail)
        self._all = np.cumsum(shares / shares.sum())
        subjects = np.random.default_rng(0)
        self._subjects = []
        for _ in range(SUBJECTS):
            words = np.flatnonzero(subjects.random(vocabulary) < 0.03)
            own = shares[words]
            self._subjects.append((words, np.cumsum(own / own.sum())))

    def write(self, chunks: int) -> tuple[Ints, Ints, Ints]:
        """Chunk (from 0), term (its rank) and frequency of each posting, by chunk and term."""
        drawn = self._rng.poisson(self._drawn, size=chunks)
        subject = self.subject = self._rng.integers(SUBJECTS, size=chunks)
        chunk = np.repeat(np.arange(chunks), drawn)
        at = self._rng.random(len(chunk))
        term = np.searchsorted(self._all, at)
        own = self._rng.random(len(chunk)) < OWN_SHARE
        for number, (words, shares) in enumerate(self._subjects):
            mine = own & (subject[chunk] == number)
            term[mine] = words[np.minimum(np.searchsorted(shares, at[mine]), len(words) - 1)]
        found, frequency = np.unique(chunk * self._vocabulary + term, return_counts=True)
        return found // self._vocabulary, found % self._vocabulary, frequency


def name_terms(ranks: Ints) -> NDArray[np.bytes_]:
    """w0000000 for the most common term, and so on."""
    digits = np.full((len(ranks), 8), ord("w"), dtype=np.uint8)
    for place in range(7, 0, -1):
        digits[:, place] = ord("0") + ranks % 10
        ranks = ranks // 10
    return digits.view("S8").ravel()


# Chunks that have nothing but their terms, five a document.
_DOCUMENTS: Final = """
INSERT INTO pgask.documents (collection_id, source, status)
SELECT %s, n::text, 'ready' FROM generate_series(0, (%s - 1) / 5) n"""
_CHUNKS: Final = """
INSERT INTO pgask.chunks (id, document_id, collection_id, chunk_index, char_start, char_end, token_count, term_count,
                          places, sentences, window_start, window_end)
SELECT n, d.id, d.collection_id, n %% 5, 0, 1, 1, 1, '[]', '{}', 0, 0
  FROM generate_series(1, %s) n JOIN pgask.documents d ON d.source = ((n - 1) / 5)::text AND d.collection_id = %s"""


def fill(owner: Connection, collection: Collection, chunks: int, distinct: int, seed: int) -> int:
    """Store the postings of so many chunks as rows. Returns how many there are."""
    writer, postings, total = Writer(distinct, seed), 0, 0
    for name in ("ix_postings_term_collection", "ix_postings_chunk_id"):
        owner.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("pgask", name)))
    for first in range(0, chunks, BATCH):
        chunk, term, frequency = writer.write(min(BATCH, chunks - first))
        lengths = np.bincount(chunk, weights=frequency).astype(np.int64)
        rows = np.empty(len(chunk), _ROW)
        for field, value in (("fields", 5), ("l1", 8), ("l2", 4), ("l3", 2), ("l4", 4), ("l5", 8)):
            rows[field] = value
        rows["chunk"], rows["collection"] = chunk + first + 1, collection.id
        rows["frequency"], rows["terms"], rows["term"] = frequency, lengths[chunk], name_terms(term)
        columns = "chunk_id, collection_id, term_frequency, chunk_terms, term"
        with staged_copy(owner, SCHEMA, "postings", columns) as copy:
            copy.write(_HEAD + rows.tobytes() + _END)
        postings, total = postings + len(rows), total + int(lengths.sum())
    owner.execute("SET maintenance_work_mem = '1GB'")
    owner.execute(
        "CREATE INDEX ix_postings_term_collection ON pgask.postings (term, collection_id, chunk_id)"
        " INCLUDE (term_frequency, chunk_terms)"
    )
    owner.execute("CREATE INDEX ix_postings_chunk_id ON pgask.postings (chunk_id)")
    owner.execute(_DOCUMENTS, [collection.id, chunks])
    owner.execute(_CHUNKS, [chunks, collection.id])
    owner.execute(
        "UPDATE pgask.collections SET chunk_count = %s, term_count = %s WHERE id = %s",
        [chunks, total, collection.id],
    )
    owner.execute("VACUUM (ANALYZE) pgask.postings")
    return postings


# With their indexes: rows; blocks and the chunks' lists of terms.
_SIZES: Final = """
SELECT pg_total_relation_size('pgask.postings'),
       pg_total_relation_size('pgask.posting_blocks') + pg_total_relation_size('pgask.merged_chunks')"""


def make_questions(distinct: int, count: int, terms: int | None, seed: int) -> list[list[str]]:
    """Terms of chunks that are not stored; None: 3 to 9 of them."""
    chunk, term, _ = Writer(distinct, seed).write(count)
    return choose_terms(chunk, term, count, terms, seed)


def choose_terms(chunk: Ints, term: Ints, count: int, terms: int | None, seed: int) -> list[list[str]]:
    """Some terms of each of so many chunks, drawn at random."""
    rng = np.random.default_rng(seed)
    asked = []
    for number in range(count):
        mine = term[chunk == number]
        size = terms or int(np.clip(3 + rng.poisson(2.7), 3, 9))
        asked.append([name.decode() for name in name_terms(rng.choice(mine, size, replace=False))])
    return asked


_COUNT: Final = """
SELECT (SELECT count(*) FROM pgask.postings WHERE collection_id = %(collection)s AND term = ANY(%(terms)s))
     + (SELECT coalesce(sum(df), 0) FROM pgask.posting_blocks
         WHERE collection_id = %(collection)s AND term = ANY(%(terms)s))"""


def measure(app: Connection, collection: Collection, questions: list[list[str]], name: str) -> Figures:
    """Ask each question both ways, in turn."""
    postings: list[int] = []
    elapsed: dict[bool, list[float]] = {False: [], True: []}
    same: list[tuple[float, bool]] = []
    for question in questions:
        row = app.execute(_COUNT, {"collection": collection.id, "terms": question}).fetchone()
        postings.append(int(row[0]) if row else 0)
        found: dict[bool, list[int]] = {}
        for full in (False, True, False, True):
            started = time.perf_counter()
            found[full] = _ask(app, collection, question, full=full)
            elapsed[full].append((time.perf_counter() - started) * 1000)
        same.append(
            (len(set(found[False]) & set(found[True])) / len(found[True]), found[False][0] == found[True][0])
        )
    bounded, full_ms = (
        np.percentile(elapsed[full][1::2], [50, 90, 99]).round(1).tolist() for full in (False, True)
    )
    return Figures(
        terms=name,
        postings=int(np.median(postings)),
        p50_ms=bounded[0],
        p90_ms=bounded[1],
        p99_ms=bounded[2],
        full_p50_ms=full_ms[0],
        full_p99_ms=full_ms[2],
        same_top=round(float(np.mean([share for share, _ in same])), 4),
        same_first=round(float(np.mean([first for _, first in same])), 4),
    )


def _ask(app: Connection, collection: Collection, question: list[str], *, full: bool) -> list[int]:
    """The ten best chunks."""
    parameters: dict[str, Any] = {"collection_id": collection.id, "collection_ids": [collection.id]}
    parameters |= {"terms": question, "candidates": CANDIDATES, "k1": 1.2, "b": 0.75}
    parameters |= {"budget": float("inf") if full else float(BUDGET)}
    rows = app.execute(_STATEMENT, parameters, prepare=True).fetchall()
    return [row[0] for row in sorted(rows, key=lambda row: row[1])[:TOP]]


def _databases(folder: Path | None) -> Iterator[Database]:
    with (
        tempfile.TemporaryDirectory(prefix="pgask-bench-", dir=folder) as made,
        EmbeddedPostgres(Path(made)) as server,
    ):
        urls = server.create_database("bm25_latency_test")
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        yield database


def main(
    *,
    chunks: Annotated[int, typer.Option(help="Chunks in the collection")] = 100_000,
    distinct: Annotated[int, typer.Option(help="Different terms of a chunk, on average")] = 175,
    questions: Annotated[int, typer.Option(help="Questions of each kind")] = 200,
    seed: Annotated[int, typer.Option(help="Of all that is random")] = 1,
    folder: Annotated[Path | None, typer.Option(help="Where the server's folder is made")] = None,
    rows: Annotated[bool, typer.Option(help="Leave postings as rows")] = False,
) -> None:
    """Print the figures as one JSON object."""
    for database in _databases(folder):
        with connect(database.owner) as owner, connect(database.app) as app:
            collection = ensure_collection(app, "bench", ensure_space(owner, bench_space(8)))
            started = time.monotonic()
            postings = fill(owner, collection, chunks, distinct, seed)
            filled_s = round(time.monotonic() - started, 1)
            sizes = owner.execute(_SIZES).fetchone()
            started = time.monotonic()
            if not rows:
                merge_postings(owner, collection.space_id, least=1)
                owner.execute("VACUUM (ANALYZE) pgask.posting_blocks")
                owner.execute("VACUUM (ANALYZE) pgask.postings")
            merged_s = round(time.monotonic() - started, 1)
            merged_sizes = owner.execute(_SIZES).fetchone()
            figures = [
                measure(app, collection, make_questions(distinct, questions, terms, seed + place), name)
                for place, (terms, name) in enumerate(((None, "3 to 9"), (10, "10")), 1)
            ]
        settings = {"chunks": chunks, "distinct": distinct, "questions": questions, "seed": seed}
        stored = {"postings": postings, "fill_s": filled_s, "merge_s": merged_s,
                  "row_bytes": sizes and sizes[0], "block_bytes": merged_sizes and merged_sizes[1]}  # fmt: skip
        print(json.dumps(settings | stored | {"figures": [asdict(one) for one in figures]}))


if __name__ == "__main__":
    typer.run(main)
