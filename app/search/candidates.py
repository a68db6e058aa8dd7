"""Search statements: dense candidates, BM25 candidates, rescoring on windows.

A distance becomes a score here: cosine = 1 − cosine distance. Async; every statement is fixed text
with parameters, table names come from the space's number alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import structlog
from pgvector import HalfVector
from psycopg import sql
from psycopg.rows import dict_row

from app.domain import SearchFilter
from app.embedding import EmbeddingSpace, FloatMatrix
from app.errors import NotFoundError
from app.index.manifest import INDEX_FAULT, VectorIndex
from app.lexicon import LEXICON_VERSION
from app.store.bm25 import HELD_TERMS, LEXICAL, LEXICAL_OF_FEW, LEXICAL_OF_MANY, WEIGHTS, budget_parameters
from app.store.connection import AsyncConnection
from app.store.filters import compile_filter
from app.store.spaces import chunk_table, mismatch_error, window_table

_log = structlog.get_logger(__name__)

# Measured in eval/LOG.md (recall under filters). Probes are calibrated without a filter; what a filter keeps may lie
# far from the question and scattered over many lists. So the index brings VISITED_SHARE of the kept rows, at least
# LEAST_VISITED and twice as many as it looks at without a filter. Where the filter keeps at most EXACT_SHARE of the
# space, or the index would have to bring more than MOST_VISITED of what it keeps, exact search costs no more. One that
# keeps ALMOST_ALL needs nothing.
EXACT_SHARE: Final = 0.3
VISITED_SHARE: Final = 0.1
LEAST_VISITED: Final = 1_000
MOST_VISITED: Final = 0.5
ALMOST_ALL: Final = 0.9
PLANNED_ONCE: Final = 10_000  # kept chunks: up to here one plan of an exact search serves all filters

WINDOW_K1: Final = (
    0.6  # that a term is in a window counts for most, how often for little; chosen in eval/LOG.md
)

_COLLECTION: Final = f"""
SELECT c.id AS collection_id, c.space_id, c.chunk_count, c.lexicon_version,
       (SELECT sum(chunk_count) FROM pgask.collections WHERE space_id = s.id)::bigint AS space_count,
       s.index_method, s.index_precision, s.index_build, s.index_lists, s.index_probes, s.index_ef_search,
       s.model, s.weights_sha256, s.dimension, s.query_prefix, s.passage_prefix, s.pooling, s.normalized,
       {INDEX_FAULT} AS index_fault
  FROM pgask.collections c JOIN pgask.embedding_spaces s ON s.id = c.space_id
 WHERE c.name = %(collection)s"""  # noqa: S608 - constants only

# The documents that a filter keeps, and those kept in the place of copies that it keeps: a text is found in every
# folder that holds it. {condition} is app/store/filters.py's.
_ELIGIBLE: Final = """
SELECT d.id, d.chunk_count FROM pgask.documents d
 WHERE d.collection_id = %(collection_id)s AND {condition}
UNION
SELECT kept.id, kept.chunk_count FROM pgask.documents d JOIN pgask.documents kept ON kept.id = d.duplicate_of
 WHERE d.collection_id = %(collection_id)s AND d.duplicate_of IS NOT NULL AND {condition}"""

# The beginning of a WITH. {dense} and {lexical} are one of the fragments below; candidates of both legs get all scores.
# A window that two chunks share counts for the first of them: the other one repeats it as its overlap. A window's BM25
# is the one above with a k1 of its own and no length in it, since windows are about as long as each other. OFFSET 0: a
# look into the index for each candidate, never a join with all windows.
BOTH_LEGS: Final = """
{eligible}{weights}, dense AS MATERIALIZED ({dense}), lexical AS MATERIALIZED ({lexical}),
candidates AS MATERIALIZED (
    SELECT c.id, c.document_id, c.window_start, c.window_end, c.window_start + c.windows_shared AS own_start,
           d.rank AS dense_rank, l.rank AS lexical_rank
      FROM dense d FULL JOIN lexical l USING (chunk_id) JOIN pgask.chunks c ON c.id = chunk_id
), terms AS MATERIALIZED ({held_terms}
), own AS MATERIALIZED (
    SELECT c.id, w.window_index, w.window_index - c.window_start AS place, 1 - (w.embedding <=> %(half)s) AS cosine
      FROM candidates c CROSS JOIN LATERAL (
           SELECT o.window_index, o.embedding FROM {windows} o
            WHERE o.document_id = c.document_id AND o.window_index >= c.own_start AND o.window_index < c.window_end
           OFFSET 0) w
), held AS MATERIALIZED (
    SELECT o.id, o.place, sum(t.idf * f.tf * (%(window_k1)s + 1) / (f.tf + %(window_k1)s)) AS lexical
      FROM own o JOIN terms t ON t.id = o.id AND length(t.windows) > o.place
     CROSS JOIN LATERAL (SELECT get_byte(t.windows, o.place)::float8 AS tf) f
     GROUP BY o.id, o.place
)"""

_CANDIDATES: Final = """
WITH {both_legs}, windows AS (
    SELECT o.id, min(o.window_index) AS first, array_agg(o.cosine ORDER BY o.place) AS cosines,
           array_agg(coalesce(h.lexical, 0) ORDER BY o.place) AS lexicals
      FROM own o LEFT JOIN held h USING (id, place) GROUP BY o.id
)
SELECT c.id, c.document_id::text, w.first, w.cosines, w.lexicals, coalesce(s.lexical, 0), c.dense_rank, c.lexical_rank,
       coalesce(d.unknown_tokens::float8 / nullif(d.token_count, 0), 0),
       {kept_rows}, CASE row_number() OVER () WHEN 1 THEN (SELECT jsonb_object_agg(term, idf) FROM weights) END
  FROM candidates c JOIN windows w USING (id) JOIN pgask.documents d ON d.id = c.document_id
  LEFT JOIN (SELECT id, sum(part) AS lexical FROM terms GROUP BY id) s ON s.id = c.id"""

_TERM_WEIGHTS: Final = f"WITH {WEIGHTS} SELECT term, idf FROM weights"  # noqa: S608 - constants only

_DENSE_EXACT: Final = """
SELECT chunk_id, row_number() OVER (ORDER BY distance, chunk_id) AS rank FROM (
    SELECT v.chunk_id, v.embedding <=> %(vector)s AS distance FROM {chunks} v
     WHERE v.collection_id = %(collection_id)s{documents} OFFSET 0) nearest
 ORDER BY distance, chunk_id LIMIT {candidates}"""

# The inner limit is what makes an iterative scan go on: past the first rows that a filter keeps, to nearer ones that
# stand in lists further on. Its order is relaxed, which the planner doesn't know: `+ 0` makes it sort all of them.
_DENSE_INDEX: Final = """
SELECT chunk_id, row_number() OVER (ORDER BY distance + 0, chunk_id) AS rank FROM (
    SELECT v.chunk_id, v.embedding <=> %(vector)s AS distance FROM {chunks} v
     WHERE {build} AND v.collection_id = %(collection_id)s{documents}
     ORDER BY {distance} LIMIT {visited}) nearest
 ORDER BY distance + 0, chunk_id LIMIT {candidates}"""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How a search will be done: where, exactly or by index, and over how many chunks the filter keeps.

    `visited`: of these, how many the index shall bring before the nearest are taken; 0: as many as are asked for.
    `chunk_count`: of the whole collection.
    """

    collection_id: int
    space_id: int
    index: VectorIndex | None
    rows: int
    visited: int = 0
    chunk_count: int = field(default=0, compare=False)

    def is_like(self, other: SearchPlan) -> bool:
        """Whether the other one serves as well: the same place and way, about as many rows to bring."""
        return (self.collection_id, self.space_id, self.index) == (
            other.collection_id, other.space_id, other.index
        ) and abs(self.visited - other.visited) <= VISITED_SHARE * other.visited  # fmt: skip

    @property
    def exact(self) -> bool:
        """Whether every row that is kept is compared."""
        return self.index is None

    @property
    def probes(self) -> int | None:
        """Lists that ivfflat looks into; None where the search is exact or by hnsw."""
        return self.index.effort if self.index is not None and self.index.method == "ivfflat" else None


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """A collection as the manifest describes it: its space's index, None where there is none, how many chunks are in it
    and in its space. `comparable`: its space and lexicon are those of the questions; else it is empty."""

    collection_id: int
    space_id: int
    index: VectorIndex | None
    chunk_count: int
    space_count: int
    comparable: bool

    def plan(self, rows: int, exact_max_rows: int) -> SearchPlan:
        """How to search the `rows` chunks that are kept."""
        index, visited = self._choose_index(rows, exact_max_rows)
        return SearchPlan(self.collection_id, self.space_id, index, rows, visited, self.chunk_count)

    def _choose_index(self, rows: int, exact_max_rows: int) -> tuple[VectorIndex | None, int]:
        """The index to ask where `rows` are kept, None for exact search, and how many rows it shall bring."""
        index, total = self.index, self.space_count
        if index is None or rows <= exact_max_rows:
            return None, 0
        if rows >= ALMOST_ALL * total:
            return index, 0
        unfiltered = index.effort * (total / index.lists if index.lists else 1)
        visited = math.ceil(max(VISITED_SHARE * rows, LEAST_VISITED, 2 * unfiltered))
        if rows <= EXACT_SHARE * total or visited > MOST_VISITED * rows:
            return None, 0
        return index, visited


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk found by either leg, with the scores of both.

    `cosines` in [-1, 1] and `window_lexicals` (BM25 ≥ 0) are those of the windows that are its own, in order from the
    document's window `first_window`; `lexical` is the BM25 of the chunk, 0 where no term of the question is in it.
    The ranks, from 1, are those within a leg, None where that leg did not propose it. `unknown_share` in [0, 1]: of the
    document's tokens, those that the embedding model can't read.
    """

    chunk_id: int
    document_id: str
    first_window: int
    cosines: tuple[float, ...]
    window_lexicals: tuple[float, ...]
    lexical: float
    dense_rank: int | None = None
    lexical_rank: int | None = None
    unknown_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a search found, in the order of the chunks' ids. `term_weights` has the idf of each term of the question,
    those that no chunk holds included. `kept_rows`: chunks that the filter keeps; None without one, and where nothing
    was found."""

    chunks: tuple[Candidate, ...]
    term_weights: Mapping[str, float]
    kept_rows: int | None = None


async def read_collection(
    connection: AsyncConnection, collection: str, space: EmbeddingSpace
) -> StoredCollection:
    """What there is to search. Raises NotFoundError, and EmbeddingMismatchError where the collection's vectors are of
    another space."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_COLLECTION, {"collection": collection})
        row = await cursor.fetchone()
    if row is None:
        raise NotFoundError(
            f"There is no collection {collection!r}. GET /collections lists them; `ingest` makes one."
        )
    stored = EmbeddingSpace(**{field: row[field] for field in EmbeddingSpace.__dataclass_fields__})
    comparable = stored == space and row["lexicon_version"] == LEXICON_VERSION
    if row["chunk_count"] and not comparable:
        fields = ("lexicon_version", "model", "weights_sha256", "dimension", "query_prefix", "passage_prefix",
                  "pooling", "normalized")  # fmt: skip
        raise mismatch_error((collection, *(row[field] for field in fields)), space)
    index = None
    if row["index_fault"]:
        _warn_of_index(row["space_id"], row["index_build"], row["index_fault"])
    elif row["index_method"] is not None:
        index = VectorIndex(
            method=row["index_method"],
            precision=row["index_precision"],
            build=row["index_build"],
            dimension=row["dimension"],
            lists=row["index_lists"],
            effort=row["index_probes"] or row["index_ef_search"],
        )
    return StoredCollection(
        row["collection_id"],
        row["space_id"],
        index,
        int(row["chunk_count"]),
        int(row["space_count"]),
        comparable,
    )


@lru_cache(maxsize=1_000)  # once of each index
def _warn_of_index(space_id: int, build: int, fault: str) -> None:
    _log.warning(
        "the vector index can't be used; search is exact until it is built anew",
        space=space_id,
        build=build,
        fault=fault,
    )


async def plan_search(
    connection: AsyncConnection,
    collection: str,
    space: EmbeddingSpace,
    search_filter: SearchFilter | None,
    *,
    exact_max_rows: int,
    kept_rows: int | None = None,
) -> SearchPlan:
    """Look a collection up and choose between exact and index search. Exact: what the filter, or the collection, keeps
    is at most `exact_max_rows` chunks or a small share of the space, or there is no index. `kept_rows`: how many the
    filter keeps, where that is known; else they are counted.

    Raises NotFoundError, and EmbeddingMismatchError where the collection's vectors are of another space.
    """
    stored = await read_collection(connection, collection, space)
    rows = stored.chunk_count
    if search_filter is not None and kept_rows is not None:
        rows = min(rows, kept_rows)
    elif search_filter is not None and rows > exact_max_rows:
        eligible, parameters = compile_eligible(search_filter)
        async with connection.cursor() as cursor:
            await cursor.execute(
                sql.SQL("SELECT coalesce(sum(chunk_count), 0)::bigint FROM ({}) e").format(eligible),
                {"collection_id": stored.collection_id, **parameters},
            )
            rows = int((await cursor.fetchall())[0][0])
    return stored.plan(rows, exact_max_rows)


async def find_candidates(
    connection: AsyncConnection,
    plan: SearchPlan,
    vector: FloatMatrix,
    terms: Sequence[str],
    search_filter: SearchFilter | None,
    *,
    candidates: int,
    k1: float,
    b: float,
) -> Candidates:
    """Up to `candidates` chunks of each leg with both scores, in one round trip.

    `vector` is the question's unit vector (dimension,), `terms` its terms; a repeated one counts once.
    """
    filtered = search_filter is not None
    matching, filter_parameters = compile_eligible(search_filter)
    eligible = sql.SQL("eligible AS MATERIALIZED ({}), ").format(matching) if filtered else None
    statement = sql.SQL(_CANDIDATES).format(
        both_legs=both_legs(plan, eligible, candidates),
        kept_rows=sql.SQL("(SELECT sum(chunk_count)::bigint FROM eligible)" if filtered else "NULL::bigint"),
    )
    parameters: dict[str, Any] = {
        "collection_id": plan.collection_id,
        "vector": vector,
        "half": HalfVector(vector),
        "terms": list(dict.fromkeys(terms)),
        "candidates": candidates,
        "k1": float(k1),
        "b": float(b),
        "window_k1": WINDOW_K1,
        **budget_parameters(filtered=filtered),
        **filter_parameters,
    }
    settings = session_settings(plan, filtered=filtered)
    if settings:
        await connection.execute(
            "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) s (name, value)",
            [list(settings), list(settings.values())],
        )
    async with connection.cursor() as cursor:
        await cursor.execute(statement, parameters, prepare=True)
        rows = await cursor.fetchall()
    chunks = sorted((_candidate(*row[:-2]) for row in rows), key=lambda candidate: candidate.chunk_id)
    weights: dict[str, float] = next((row[-1] for row in rows if row[-1] is not None), {})
    return Candidates(tuple(chunks), weights, rows[0][-2] if rows else None)


def _candidate(
    chunk_id: int,
    document_id: str,
    first: int,
    cosines: list[float],
    lexicals: list[float],
    *others: Any,
) -> Candidate:
    return Candidate(chunk_id, document_id, first, tuple(cosines), tuple(lexicals), *others)


def session_settings(plan: SearchPlan, *, filtered: bool) -> dict[str, str]:
    """What the search's transaction sets. Planning the statement takes about 1 ms, so its plan is kept; but not where a
    filter keeps much, since the best way to read that depends on what it keeps."""
    settings = plan.index.session_settings() if plan.index is not None else {}
    is_small = plan.rows <= PLANNED_ONCE if plan.index is None else not filtered
    return settings | {"plan_cache_mode": "force_generic_plan"} if is_small else settings


def both_legs(plan: SearchPlan, eligible: sql.Composable | None, candidates: int) -> sql.Composed:
    """BOTH_LEGS; `eligible` begins it under a filter: a query of that name, the documents that the filter keeps."""
    filtered = eligible is not None
    lexical = LEXICAL if not filtered else LEXICAL_OF_FEW if plan.rows <= PLANNED_ONCE else LEXICAL_OF_MANY
    return sql.SQL(BOTH_LEGS).format(
        eligible=eligible or sql.SQL(""),
        weights=sql.SQL(WEIGHTS),
        dense=dense_leg(plan, candidates, filtered=filtered),
        lexical=sql.SQL(lexical),
        held_terms=sql.SQL(HELD_TERMS),
        windows=window_table(plan.space_id),
    )


def dense_leg(plan: SearchPlan, candidates: int, *, filtered: bool) -> sql.Composed:
    """The dense leg: exact, or by the index that the plan names. The limits are part of the text: a kept plan has to
    know that they are low, or it sorts everything."""
    parts = {
        "chunks": chunk_table(plan.space_id),
        "documents": sql.SQL(" AND v.document_id IN (SELECT id FROM eligible)" if filtered else ""),
        "candidates": sql.Literal(int(candidates)),
    }
    if plan.index is None:
        return sql.SQL(_DENSE_EXACT).format(**parts)
    return sql.SQL(_DENSE_INDEX).format(
        **parts,
        visited=sql.Literal(int(max(plan.visited, candidates))),
        build=plan.index.condition,
        distance=plan.index.distance,
    )


async def weigh_terms(
    connection: AsyncConnection, collection_id: int, terms: Sequence[str]
) -> dict[str, float]:
    """The idf of each term, those that no chunk holds included."""
    parameters = {"collection_id": collection_id, "terms": list(terms), "k1": 0.0, "b": 0.0}
    async with connection.cursor() as cursor:
        await cursor.execute(_TERM_WEIGHTS, {**parameters, **budget_parameters(filtered=False)})
        return {row[0]: row[1] for row in await cursor.fetchall()}


def compile_eligible(search_filter: SearchFilter | None) -> tuple[sql.Composable, Mapping[str, Any]]:
    """The documents that a filter keeps, as a statement, and the parameters that it adds."""
    compiled = compile_filter(search_filter)
    return sql.SQL(_ELIGIBLE).format(condition=compiled.condition), compiled.parameters
