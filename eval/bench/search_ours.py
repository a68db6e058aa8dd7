"""pgask's own ways of searching for eval/bench/search.py, in process, and what they should have found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from psycopg import sql

from app.config import Settings
from app.domain import SearchFilter
from app.embedding import EmbeddingSpace, FloatMatrix, Tokens
from app.index.manifest import read_state
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import AsyncPool, Database, PooledConnection, connect, run_alone, transaction
from app.store.spaces import chunk_table
from app.store.texts import text_between
from eval.bench.search_corpus import SearchCorpus
from eval.bench.search_load import Ask
from eval.bench.search_store import CHUNKS, COLLECTION, by_subject

TOP_K: Final = 10
FILTERS: Final = {
    "folder": SearchFilter(source_prefix="folder042/"),
    "marked": SearchFilter(metadata={"kind": "marked"}),
}

# The least that a search for the nearest with their texts can be.
_RAW: Final = sql.SQL(f"""
SELECT n.chunk_id, n.score, {text_between("k.document_id", "k.char_start", "k.char_end")}
  FROM (SELECT v.chunk_id, 1 - ({{distance}}) AS score FROM {{table}} v WHERE {{condition}}
         ORDER BY {{distance}} LIMIT {{limit}}) n
  JOIN pgask.chunks k ON k.id = n.chunk_id JOIN pgask.documents d ON d.id = k.document_id
 ORDER BY n.score DESC""")  # noqa: S608 - constants only


class GivenVectors:
    """An embedder whose questions have given vectors: one with n word joiners (U+2060) has the vector of row n."""

    def __init__(self, space: EmbeddingSpace, vectors: FloatMatrix) -> None:
        self.space = space
        self.window_tokens = 254
        self._vectors = vectors

    def tokenize(self, text: str) -> Tokens:  # noqa: ARG002 - every model can read all of it
        nothing = np.zeros(0, dtype=np.int32)
        return Tokens(nothing, nothing, nothing, 0)

    def embed_windows(self, windows: Sequence[Any]) -> FloatMatrix:
        raise NotImplementedError

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        raise NotImplementedError

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return self._vectors[[text.count("\u2060") for text in texts]]


@dataclass(frozen=True, slots=True)
class Stored:
    """The chunks' rows in the corpus by id, what each filter keeps of the rows, and what the index is."""

    rows: dict[int, int]
    kept: dict[str, set[int]]
    lists: int
    probes: int
    statement: sql.Composed


class Ours:
    """pgask's ways of searching, in process."""

    def __init__(self, pool: AsyncPool, corpus: SearchCorpus, stored: Stored, space: EmbeddingSpace) -> None:
        self.pool, self.corpus, self.stored = pool, corpus, stored
        settings = RetrievalSettings.from_settings(Settings(_env_file=None))  # type: ignore[call-arg]
        given = GivenVectors(space, corpus.question_vectors)
        self.hybrid = Retriever(pool, given, settings)
        self.dense = Retriever(pool, given, replace(settings, dense_weight=1.0))
        self.exact = Retriever(pool, given, replace(settings, dense_weight=1.0, exact_max_rows=2**31 - 1))

    def ways(self) -> dict[str, Ask]:
        """By name; each returns the ids of the chunks found."""
        found: dict[str, Ask] = {"raw": self.raw, "raw alone": self.raw_alone}
        found |= {"dense": self._retrieving(self.dense), "hybrid": self._retrieving(self.hybrid)}
        found["exact"] = self._retrieving(self.exact)
        for name, search_filter in FILTERS.items():
            found[name] = self._retrieving(self.dense, search_filter)
            found[f"hybrid {name}"] = self._retrieving(self.hybrid, search_filter)
        return found

    async def raw(self, number: int) -> list[int]:
        """The nearest ten with their texts, prepared, in a transaction that sets the probes."""
        vector = self.corpus.question_vectors[number % len(self.corpus.questions)]
        async with transaction(self.pool) as connection:
            await connection.execute(
                "SELECT set_config('ivfflat.probes', %s, true)", [str(self.stored.probes)]
            )
            found = await connection.execute(self.stored.statement, {"vector": vector}, prepare=True)
            return [row[0] for row in await found.fetchall()]

    async def raw_alone(self, number: int) -> list[int]:
        """The same without a transaction, the probes being the session's: one round trip."""
        vector = self.corpus.question_vectors[number % len(self.corpus.questions)]

        async def ask(connection: PooledConnection) -> list[int]:
            await connection.set_lasting({"ivfflat.probes": str(self.stored.probes)})
            found = await connection.execute(self.stored.statement, {"vector": vector}, prepare=True)
            return [row[0] for row in await found.fetchall()]

        return await run_alone(self.pool, ask)

    def _retrieving(self, retriever: Retriever, search_filter: SearchFilter | None = None) -> Ask:
        async def ask(number: int) -> list[int]:
            place = number % len(self.corpus.questions)
            question = "\u2060" * place + self.corpus.questions[place]
            found = await retriever.retrieve(question, COLLECTION, TOP_K, search_filter, weigh=False)
            return [int(hit.chunk_id) for hit in found.hits]

        return ask


def read_stored(database: Database, corpus: SearchCorpus) -> Stored:
    """What open_store made, as it is in the database."""
    order = by_subject(corpus.vectors).tolist()
    with connect(database.app) as connection:
        found = connection.execute(
            "SELECT k.id, (d.metadata->>'number')::int * %s + k.chunk_index, d.source, d.metadata->>'kind'"
            " FROM pgask.chunks k JOIN pgask.documents d ON d.id = k.document_id",
            [CHUNKS],
        ).fetchall()
        number = connection.execute("SELECT space_id FROM pgask.collections").fetchall()[0][0]
        index = read_state(connection, number).index
        assert index is not None
        assert index.lists is not None
        statement = _RAW.format(
            table=chunk_table(number),
            condition=index.condition,
            distance=index.distance,
            limit=sql.Literal(TOP_K),
        )
    kept = {
        "folder": {order[place] for _, place, source, _ in found if source.startswith("folder042/")},
        "marked": {order[place] for _, place, _, kind in found if kind == "marked"},
    }
    return Stored({row[0]: order[row[1]] for row in found}, kept, index.lists, index.effort, statement)


def recall(corpus: SearchCorpus, found: Sequence[Sequence[int]], kept: set[int] | None = None) -> float:
    """Share of the true ten nearest rows (of those kept) that were found, over the first questions."""
    rows = np.array(sorted(kept)) if kept else np.arange(len(corpus.vectors))
    cosines = corpus.question_vectors[: len(found)] @ corpus.vectors[rows].T
    best = rows[np.argsort(-cosines, axis=1)[:, :TOP_K]].tolist()
    hits = sum(len(set(true) & set(got)) for true, got in zip(best, found, strict=True))
    return round(hits / (TOP_K * len(found)), 4)
