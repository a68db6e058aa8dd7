"""The usual search as one statement: found, fused and with its texts, in one round trip and one snapshot.

What app/search/candidates.py and app/retrieval/fusion.py do in steps (where each candidate is shown, or read by a
reranker) is done here by the database, with the same formula: tests hold the two equal. A statement is made for what is
known of the collection from an earlier search; it finds nothing where that no longer holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from pgvector import HalfVector
from psycopg import AsyncRawCursor, sql

from app.domain import SearchFilter
from app.embedding import FloatMatrix
from app.index.manifest import INDEX_FAULT
from app.lexicon import LEXICON_VERSION
from app.search.candidates import (
    PLANNED_ONCE,
    WINDOW_K1,
    SearchPlan,
    StoredCollection,
    both_legs,
    compile_eligible,
    dense_leg,
)
from app.store.bm25 import budget_parameters
from app.store.chunks import StoredChunk, stored_chunk
from app.store.connection import PooledConnection
from app.store.spaces import window_table
from app.store.texts import text_between

SPARE_TEXTS: Final = 0.2  # of `top_k`: read at once, lest a hit that repeats another costs a round trip

# What was known of the collection, where it still holds.
_KNOWN: Final = f"""
known AS MATERIALIZED (
    SELECT c.chunk_count, (SELECT sum(chunk_count) FROM pgask.collections WHERE space_id = s.id)::bigint AS space_count
      FROM pgask.collections c JOIN pgask.embedding_spaces s ON s.id = c.space_id
     WHERE c.id = %(collection_id)s AND c.name = %(collection)s AND c.lexicon_version = %(lexicon_version)s
       AND s.id = %(space_id)s AND CASE {INDEX_FAULT} WHEN '' THEN s.index_method ELSE '' END = %(method)s
       AND (%(method)s = '' OR (s.index_build = %(build)s
                                AND coalesce(s.index_probes, s.index_ef_search) = %(effort)s))
)"""  # noqa: S608 - constants only

# Nothing is searched under a filter that keeps more than `most` chunks: another plan is better then.
_ELIGIBLE: Final = """
matching AS MATERIALIZED ({matching}),
kept AS MATERIALIZED (SELECT coalesce(sum(chunk_count), 0)::bigint AS rows FROM matching),
eligible AS MATERIALIZED (SELECT id, chunk_count FROM matching WHERE (SELECT rows FROM kept) <= %(most)s), """

# app/retrieval/fusion.py's formula; of equal windows the first. FULL JOIN, though all terms are of candidates: what is
# expected to be few rows would be compared one by one.
_BOTH: Final = """
{both_legs}, highest AS MATERIALIZED (
    SELECT coalesce(nullif(max(lexical), 0), 1) AS lexical FROM held
), chunked AS MATERIALIZED (
    SELECT c.id, c.document_id, coalesce(s.lexical, 0) AS lexical,
           sqrt((1::float8 - %(unknown)s) * (1 - coalesce(d.unknown_tokens::float8 / nullif(d.token_count, 0), 0)))
           AS readability
      FROM (SELECT id, sum(part) AS lexical FROM terms GROUP BY id) s
      FULL JOIN candidates c USING (id) JOIN pgask.documents d ON d.id = c.document_id
), best AS (
    SELECT DISTINCT ON (o.id) o.id, o.cosine,
           %(dense_weight)s::float8 * c.readability * greatest(o.cosine, 0)
           + (1 - %(dense_weight)s::float8) * %(window_share)s::float8
             * (coalesce(h.lexical, 0) / (SELECT lexical FROM highest)) AS sum
      FROM own o JOIN chunked c USING (id) LEFT JOIN held h USING (id, place)
     ORDER BY o.id, sum DESC, o.place
), scored AS (
    SELECT c.id, c.document_id, b.cosine AS dense, c.lexical,
           b.sum + (1 - %(dense_weight)s::float8) * (1 - %(window_share)s::float8)
           * (c.lexical / coalesce(nullif(max(c.lexical) OVER (), 0), 1)) AS score
      FROM chunked c JOIN best b USING (id)
)"""

# The same without what has no weight when the dense score has all of it.
_DENSE: Final = """
{eligible}dense AS MATERIALIZED ({dense}), scored AS (
    SELECT c.id, c.document_id, w.cosine AS dense, 0::float8 AS lexical,
           sqrt((1::float8 - %(unknown)s) * (1 - coalesce(d.unknown_tokens::float8 / nullif(d.token_count, 0), 0)))
           * greatest(w.cosine, 0) AS score
      FROM dense JOIN pgask.chunks c ON c.id = dense.chunk_id JOIN pgask.documents d ON d.id = c.document_id
     CROSS JOIN LATERAL (
           SELECT max(1 - (o.embedding <=> %(half)s)) AS cosine FROM {windows} o
            WHERE o.document_id = c.document_id AND o.window_index < c.window_end
              AND o.window_index >= c.window_start + c.windows_shared) w
     WHERE w.cosine IS NOT NULL
)"""

_RANKED: Final = f"""
WITH {{known}}, {{found}}, ranked AS MATERIALIZED (
    SELECT s.*, row_number() OVER (ORDER BY s.score DESC, s.lexical DESC, s.id) AS place
      FROM scored s ORDER BY place LIMIT {{shown}}
)
SELECT known.chunk_count, known.space_count, {{rows}},
       CASE WHEN r.place IS NULL OR r.place = 1 THEN {{term_weights}} END,
       r.id, r.document_id::text AS document_id, r.score, r.dense, r.lexical,
       d.source, d.title, k.page, k.heading, k.char_start, k.char_end, k.places, k.sentences,
       {text_between("k.document_id", "k.char_start", "k.char_end")} AS text
  FROM known LEFT JOIN ranked r ON true
  LEFT JOIN pgask.chunks k ON k.id = CASE WHEN r.place <= {{texts}} THEN r.id END
  LEFT JOIN pgask.documents d ON d.id = k.document_id
 ORDER BY r.place"""  # noqa: S608 - constants only

_TERM_WEIGHTS: Final = "(SELECT jsonb_object_agg(term, idf) FROM weights)"
_COLUMNS: Final = (
    *("id", "document_id", "score", "dense", "lexical", "source", "title", "page", "heading", "char_start"),
    *("char_end", "places", "sentences", "text"),
)
_NAMED: Final = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """How many of each leg, what is searched exactly, and how scores are added: the settings of these names."""

    candidates: int
    exact_max_rows: int
    dense_weight: float
    window_share: float
    k1: float
    b: float


@dataclass(frozen=True, slots=True)
class RankingQuery:
    """What is asked: `vector` is the question's unit vector (dimension,), `unknown_share` how many of its tokens the
    model can't read. Of the `shown` best chunks the first `top_k`, and some that may take the place of those, come with
    their texts."""

    collection: str
    vector: FloatMatrix
    terms: Sequence[str]
    unknown_share: float
    filter: SearchFilter | None
    top_k: int
    shown: int


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A chunk in its place, with its fused score in [0, 1], its best window's cosine and its BM25; `chunk` where it is
    among the first."""

    chunk_id: int
    document_id: str
    score: float
    dense: float
    lexical: float
    chunk: StoredChunk | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Chunks, best first. `collection` and `plan` are as the search found them; where `is_fit` is false, the search was
    made for others, and brings nothing. `term_weights` has the idf of each term, empty where only the dense leg
    searched."""

    chunks: tuple[RankedChunk, ...]
    collection: StoredCollection
    plan: SearchPlan
    term_weights: Mapping[str, float]
    is_fit: bool


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a statement's text depends on, beside the plan and the filter."""

    dense_alone: bool
    candidates: int
    texts: int
    shown: int


@dataclass(frozen=True, slots=True)
class _Statement:
    """Numbered parameters, and the names of what they are: psycopg converts named ones anew for each long text."""

    text: bytes
    names: tuple[str, ...]


async def rank_chunks(
    connection: PooledConnection,
    collection: StoredCollection,
    query: RankingQuery,
    settings: RankingSettings,
) -> Ranking | None:
    """The best of up to `candidates` chunks of each leg, in one round trip; None where what is known of the collection
    no longer holds. Where `dense_weight` is 1, terms are not looked up."""
    filtered = query.filter is not None
    plan = collection.plan(0 if filtered else collection.chunk_count, settings.exact_max_rows)
    candidates = max(settings.candidates, query.top_k)
    texts = math.ceil((1 + SPARE_TEXTS) * query.top_k)
    shape = _Shape(settings.dense_weight == 1, candidates, texts, query.shown)
    filter_parameters: Mapping[str, Any] = {}
    if filtered:
        matching, filter_parameters = compile_eligible(query.filter)
        statement = _statement(plan, shape, matching)
    else:
        statement = _unfiltered(plan, shape)
    parameters = {**_parameters(plan, collection, query, settings), **filter_parameters}
    index_settings = plan.index.session_settings() if plan.index is not None else {}
    await connection.set_lasting(index_settings | {"plan_cache_mode": "force_generic_plan"})
    async with AsyncRawCursor(connection) as cursor:
        values = [parameters[name] for name in statement.names]
        await cursor.execute(statement.text, values, prepare=True, binary=True)
        rows = await cursor.fetchall()
    if not rows:
        return None
    chunk_count, space_count, kept, term_weights = rows[0][:4]
    seen = replace(collection, chunk_count=chunk_count, space_count=space_count)
    better = seen.plan(kept, settings.exact_max_rows)
    is_fit = better.is_like(plan) and (not filtered or kept <= PLANNED_ONCE)
    chunks = tuple(_ranked_chunk(row[4:]) for row in rows if row[4] is not None) if is_fit else ()
    seen_plan = replace(plan, rows=kept, chunk_count=chunk_count)
    return Ranking(chunks, seen, seen_plan, term_weights or {}, is_fit)


def _ranked_chunk(row: Sequence[Any]) -> RankedChunk:
    chunk_id, document_id, score, dense, lexical, source, *_ = row
    chunk = None if source is None else stored_chunk(dict(zip(_COLUMNS, row, strict=True)))
    return RankedChunk(chunk_id, document_id, score, dense, lexical, chunk)


def _parameters(
    plan: SearchPlan, collection: StoredCollection, query: RankingQuery, settings: RankingSettings
) -> dict[str, Any]:
    index = collection.index
    return {
        "collection_id": plan.collection_id,
        "collection": query.collection,
        "lexicon_version": LEXICON_VERSION,
        "space_id": plan.space_id,
        "method": "" if index is None else index.method,
        "build": 0 if index is None else index.build,
        "effort": 0 if index is None else index.effort,
        "most": PLANNED_ONCE,
        "vector": query.vector,
        "half": HalfVector(query.vector),
        "terms": list(query.terms),
        "candidates": max(settings.candidates, query.top_k),
        "k1": float(settings.k1),
        "b": float(settings.b),
        "window_k1": WINDOW_K1,
        "dense_weight": float(settings.dense_weight),
        "window_share": float(settings.window_share),
        "unknown": float(query.unknown_share),
        **budget_parameters(filtered=query.filter is not None),
    }


@lru_cache(maxsize=256)
def _unfiltered(plan: SearchPlan, shape: _Shape) -> _Statement:
    return _statement(plan, shape, None)


def _statement(plan: SearchPlan, shape: _Shape, matching: sql.Composable | None) -> _Statement:
    eligible = sql.SQL(_ELIGIBLE).format(matching=matching) if matching is not None else None
    if shape.dense_alone:
        found = sql.SQL(_DENSE).format(
            eligible=eligible or sql.SQL(""),
            dense=dense_leg(plan, shape.candidates, filtered=matching is not None),
            windows=window_table(plan.space_id),
        )
    else:
        found = sql.SQL(_BOTH).format(both_legs=both_legs(plan, eligible, shape.candidates))
    composed = sql.SQL(_RANKED).format(
        known=sql.SQL(_KNOWN),
        found=found,
        rows=sql.SQL("known.chunk_count" if eligible is None else "(SELECT rows FROM kept)"),
        term_weights=sql.SQL("NULL" if shape.dense_alone else _TERM_WEIGHTS),
        shown=sql.Literal(shape.shown),
        texts=sql.Literal(shape.texts),
    )
    numbers: dict[str, int] = {}
    text = _NAMED.sub(
        lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", composed.as_string()
    )
    return _Statement(text.encode(), tuple(numbers))
