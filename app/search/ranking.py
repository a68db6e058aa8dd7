"""The ranking of a collection's chunks for a question: one statement, in one snapshot, with three projections.

    score = max over the chunk's windows of ( w · r · d + (1 − w) · s · BM25 of the window / most )
            + (1 − w) · (1 − s) · BM25 of the chunk / most
    d = standard score of the cosine / SPAN, not below 0 and not above 1 (app/search/standard.py)
    most = the highest among the candidates, at least IDEAL_SHARE of the idf of all terms · (k1 + 1)
    r = √((1 − unknown share of the question's tokens) · (1 − unknown share of the document's tokens))

w is PGASK_DENSE_WEIGHT, s PGASK_WINDOW_SHARE; candidates are the best `candidates` chunks of each leg. One passage
answers a question, so what a window says and which words it holds are added before the best is chosen. A sum of
normalised scores keeps how sure each leg is; reciprocal rank fusion forgets that. So does BM25 divided by the highest
alone, where the best chunk holds one common word of the question: a text full of every term would get idf · (k1 + 1)
for each. r takes the cosine back where the encoder can't read: unknown tokens all look the same to it. Shares and
constants were chosen in eval/LOG.md (ADR 0006, 0030). Ties go to the higher BM25, then to the older chunk.

The formula stands in sql/scored.sql and nowhere else; tests/oracle.py computes it independently. tests/golden has the
statements as they are sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final, Literal

from pgvector import HalfVector
from psycopg import AsyncRawCursor, sql
from psycopg.rows import dict_row

from app.domain import (
    CollectionNames,
    ExplainedCandidate,
    RetrievalScores,
    ScoredChunk,
    SearchFilter,
    names_of,
)
from app.embedding import EmbeddingSpace, FloatMatrix
from app.errors import StoreError
from app.lexicon import LEXICON_VERSION
from app.search.background_reader import BackgroundReader
from app.search.bm25 import BUDGET, MORE, WINDOW_K1
from app.search.plan import MANIFEST, SearchMemory, SearchPlan, StoredCollection, read_collections
from app.search.standard import IDEAL_SHARE, SPAN, Background, Standards
from app.search.statements import NumberedStatement, fill_sql, load_sql, number_parameters
from app.store.backgrounds import LANGUAGES
from app.store.chunks import chunk_columns, hit_from_row
from app.store.connection import PooledConnection
from app.store.filters import compile_filter
from app.store.spaces import chunk_source, window_source

TRIES: Final = 5  # more only where the collection or its index changes each time

Projection = Literal["hits", "candidates", "explained"]


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """How many candidates each leg has at least, what is searched exactly, and how scores are added: the settings of
    these names."""

    candidates: int = 50
    exact_max_rows: int = 10_000
    dense_weight: float = 0.6
    window_share: float = 0.67
    k1: float = 1.2
    b: float = 0.75


@dataclass(frozen=True, slots=True)
class RankingQuery:
    """What is asked: `vector` is the question's unit vector (dimension,), `unknown_share` how many of its tokens the
    model can't read, a repeated one of `terms` counts once. Each leg proposes `candidates` chunks. The first `texts` of
    all come with their texts; with the projection "candidates" also with the passage that a reranker reads, with
    "explained" all with what each leg thought of them, too."""

    collections: CollectionNames
    vector: FloatMatrix
    terms: Sequence[str]
    unknown_share: float
    filter: SearchFilter | None
    candidates: int
    texts: int
    projection: Projection = "hits"


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A chunk in its place: its fused score in [0, 1], its scores by leg, and its cosine's standard score. `chunk` is
    there for the first ones, `passage` (of its text) and `explained` where the projection has them; `sender` is the
    account that sent its document, None: the operator."""

    chunk_id: int
    document_id: str
    score: float
    scores: RetrievalScores
    standard: float = 0.0
    chunk: ScoredChunk | None = None
    passage: str | None = None
    explained: ExplainedCandidate | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Chunks, best first, at most twice as many as a leg proposes. `plan` says how they were found; `term_weights` has
    the idf of each term, those that no chunk holds included; `standards` are what cosines were measured by, of the
    collection's `background`, None where it is empty."""

    chunks: tuple[RankedChunk, ...]
    plan: SearchPlan
    term_weights: Mapping[str, float]
    standards: Standards
    background: Background | None = None


@dataclass(frozen=True, slots=True)
class StatementShape:
    """What a statement's text depends on, the filter's condition aside: the plan, the limits (a kept plan has to know
    that they are low, or it sorts everything), whether chunks are looked for by words too, whether terms are weighed,
    whether several collections or shelves are asked, and whether their text is in several languages (`mixed`)."""

    plan: SearchPlan
    candidates: int
    texts: int
    projection: Projection = "hits"
    by_words: bool = True
    weighs: bool = True
    several: bool = False
    mixed: bool = False


async def rank_chunks(
    connection: PooledConnection,
    memory: SearchMemory,
    space: EmbeddingSpace,
    query: RankingQuery,
    settings: RankingSettings,
    *,
    backgrounds: BackgroundReader,
) -> Ranking:
    """The best of the candidates of each leg, in one round trip where `memory` and `backgrounds` know the collection.
    Where `dense_weight` is 1, chunks are not looked for by terms.

    Raises NotFoundError, EmbeddingMismatchError, and StoreError where the collection changes all the time.
    """
    for _ in range(TRIES):
        stored = memory.collection(query.collections)
        if stored is None or stored.space not in (None, space):
            stored = await read_collections(connection, query.collections, space)
        kept = memory.kept(query.collections, query.filter)
        plan = stored.plan(settings.exact_max_rows, kept)
        if not stored.comparable:  # and so empty
            return Ranking((), plan, {}, {})
        background = await backgrounds.read(connection, space, stored.space_id, stored.samples)
        standards = background.against(query.vector)
        mixed = len(background.languages) > 1
        rows = await _execute(connection, stored, plan, query, settings, standards=standards, mixed=mixed)
        if not rows:  # what was known of the collection no longer holds
            memory.forget(query.collections)
            continue
        first = rows[0]
        seen = replace(stored, chunk_count=first["chunk_count"], space_count=first["space_count"])
        memory.remember(query.collections, seen)
        better = seen.plan(settings.exact_max_rows, None if kept is None else first["rows"])
        if query.filter is not None:
            memory.remember_kept(query.collections, query.filter, better)
        if better.is_like(plan):
            chunks = tuple(_ranked_chunk(row, settings) for row in rows if row["id"] is not None)
            plan = replace(better, index=plan.index)
            return Ranking(chunks, plan, first["term_weights"] or {}, standards, background)
    raise StoreError(
        f"The collection {', '.join(names_of(query.collections))!r} changed each time that it was searched. Try again.",
        code="write_conflict",
    )


async def _execute(
    connection: PooledConnection,
    stored: StoredCollection,
    plan: SearchPlan,
    query: RankingQuery,
    settings: RankingSettings,
    *,
    standards: Standards,
    mixed: bool,
) -> list[dict[str, Any]]:
    by_words = settings.dense_weight < 1
    shape = StatementShape(
        replace(plan, collection_ids=(), rows=0, chunk_count=0),
        query.candidates,
        query.texts,
        query.projection,
        by_words=by_words,
        weighs=by_words or bool(query.terms),
        several=not isinstance(query.collections, str) or len(plan.collection_ids) > 1,
        mixed=mixed,
    )
    parameters = _parameters(stored, plan, query, settings)
    for language, standard in standards.items():
        parameters |= {f"mean_{language}": standard.mean, f"deviation_{language}": standard.deviation}
    if query.filter is None:
        numbered = render(shape)
    else:
        compiled = compile_filter(query.filter)
        numbered = render(shape, compiled.condition)
        parameters |= compiled.parameters
    await connection.set_lasting(plan.session_settings())
    async with AsyncRawCursor(connection, row_factory=dict_row) as cursor:
        values = [parameters[name] for name in numbered.names]
        await cursor.execute(numbered.text, values, prepare=True, binary=True)
        return await cursor.fetchall()


def _parameters(
    stored: StoredCollection, plan: SearchPlan, query: RankingQuery, settings: RankingSettings
) -> dict[str, Any]:
    names = stored.names or names_of(query.collections)
    return {
        "collection_id": plan.collection_ids[0],
        "collection_ids": list(plan.collection_ids),
        "collection": names[0],
        "collections": list(names),
        "background_version": stored.samples[0].version,
        "background_versions": [sample.version for sample in stored.samples],
        "lexicon_version": LEXICON_VERSION,
        "space_id": plan.space_id,
        "indexes": stored.index_state,
        "most_rows": plan.most_rows,
        "vector": query.vector,
        "half": HalfVector(query.vector),
        "terms": list(dict.fromkeys(query.terms)),
        "candidates": query.candidates,
        "k1": float(settings.k1),
        "b": float(settings.b),
        "window_k1": WINDOW_K1,
        "dense_weight": float(settings.dense_weight),
        "window_share": float(settings.window_share),
        "unknown_share": float(query.unknown_share),
        "budget": float(BUDGET),
    }


# Of several collections each row is one's: all else of a statement is the same.
_OF_ONE, _OF_SEVERAL = "collection_id = %(collection_id)s", "collection_id = ANY(%(collection_ids)s::int[])"
# Put in last, for all else of a statement is the same for many.
_CONDITION: Final = "/* the filter's condition */"


def render(shape: StatementShape, condition: sql.Composable | None = None) -> NumberedStatement:
    """The statement of a search; `condition` is the filter's."""
    if condition is None:
        return _unfiltered(shape)
    return number_parameters(_compose(shape).replace(_CONDITION, condition.as_string()))


@lru_cache(maxsize=256)
def _unfiltered(shape: StatementShape) -> NumberedStatement:
    return number_parameters(_compose(shape))


@lru_cache(maxsize=256)
def _compose(shape: StatementShape) -> str:
    """The statement with named parameters, and with _CONDITION for a filter's."""
    order = shape.plan.filter_order
    eligible: sql.Composable = sql.SQL("")
    if order != "none":
        matching = fill_sql("matching", condition=sql.SQL(_CONDITION))
        eligible = fill_sql("eligible", matching=matching) + sql.SQL(" ")
    windows = window_source(shape.plan.space_id, shape.plan.partitions)
    projection = fill_sql(
        shape.projection, chunk=sql.SQL(chunk_columns()), texts=sql.Literal(shape.texts), windows=windows
    )
    asked = load_sql("known_several" if shape.several else "known_one")
    statement = fill_sql(
        "search",
        known=fill_sql("known", asked=asked, **MANIFEST),
        eligible=eligible,
        weights=load_sql("weights" if shape.weighs else "weights_none"),
        dense=_dense(shape.plan, shape.candidates, mixed=shape.mixed),
        scored=_scored(shape, windows),
        rows=sql.SQL("chunk_count" if order == "none" else "(SELECT rows FROM kept)"),
        projection=projection,
    ).as_string()
    return statement.replace(_OF_ONE, _OF_SEVERAL) if shape.several else statement


def _scored(shape: StatementShape, windows: sql.Composable) -> sql.Composed:
    slots = {
        "windows": windows,
        "readability": load_sql("readability"),
        "mean": _by_language("mean"),
        "deviation": _by_language("deviation"),
        "ideal_share": sql.Literal(IDEAL_SHARE),
        "dense_term": fill_sql("dense_term", span=sql.Literal(SPAN)),
    }
    if not shape.by_words:
        return fill_sql("scored_dense", **slots)
    order, bm25 = shape.plan.filter_order, load_sql("bm25")
    lexical = "lexical" if order == "none" else f"lexical_filter_{order}"
    return fill_sql(
        "scored", lexical=fill_sql(lexical, bm25=bm25, more=sql.Literal(MORE)), bm25=bm25, **slots
    )


def _by_language(figure: str) -> sql.Composed:
    """A figure of the question's standards, for the language of a text."""
    return fill_sql("by_language", **{one: sql.Placeholder(f"{figure}_{one}") for one in LANGUAGES})


def _dense(plan: SearchPlan, candidates: int, *, mixed: bool) -> sql.Composed:
    kept = "" if plan.filter_order == "none" else "v.document_id IN (SELECT id FROM eligible)"
    if kept:  # IS TRUE: the index is asked, whatever the planner takes the filter to keep
        kept = f" AND {kept}" if plan.index is None else f" AND ({kept}) IS TRUE"
    slots = {
        "chunks": chunk_source(plan.space_id, plan.partitions),
        "kept": sql.SQL(kept),
        "candidates": sql.Literal(candidates),
    }
    if plan.index is None and mixed:
        return fill_sql(
            "dense_exact_mixed", **slots, mean=_by_language("mean"), deviation=_by_language("deviation")
        )
    if plan.index is None:
        return fill_sql("dense_exact", **slots)
    return fill_sql(
        "dense_index",
        **slots,
        visited=sql.Literal(max(plan.visited, candidates)),
        build=plan.index.condition,
        distance=plan.index.distance,
    )


def _ranked_chunk(row: Mapping[str, Any], settings: RankingSettings) -> RankedChunk:
    lexical = row["lexical"] if settings.dense_weight < 1 else None
    scores = RetrievalScores(row["dense"], lexical, None, round(row["standard"], 3))
    chunk = None if row["chunk_id"] is None else hit_from_row(row)
    passage = None
    if chunk is not None and row.get("passage_start") is not None:
        start, end = row["passage_start"] - chunk.char_start, row["passage_end"] - chunk.char_start
        passage = chunk.text[max(0, start) : max(0, end)]
    explained = None
    if "readability" in row:
        known: dict[str, Any] = {name: row.get(name) for name in _EXPLAINED}
        explained = ExplainedCandidate(chunk_id=str(row["id"]), document_id=row["document"], **known)
    return RankedChunk(
        row["id"],
        row["document"],
        row["score"],
        scores,
        row["standard"],
        chunk,
        passage,
        explained,
        row["sender"],
    )


# Of a candidate a row has these; what reranking and the choice add later it has not.
_EXPLAINED: Final = {field.name for field in fields(ExplainedCandidate)} - {"chunk_id", "document_id"}
