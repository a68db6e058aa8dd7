"""How a collection is searched: what is known of it, exactly or by its space's index, the filter first or last.

Decided here and nowhere else (`StoredCollection.plan`), by how many chunks are kept. A search is planned by what the
last one saw; its statement says what it finds now, and is made again where that calls for another plan.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeVar

from psycopg import sql
from psycopg.rows import dict_row

from app.domain import CollectionNames, SearchFilter, names_of
from app.embedding import EmbeddingSpace
from app.errors import NotFoundError
from app.index.manifest import INDEX_FAULT, INDEX_STATE, VectorIndex
from app.lexicon import LEXICON_VERSION
from app.search.statements import fill_sql, load_sql
from app.store.connection import AsyncConnection
from app.store.spaces import mismatch_error, space_parameters
from app.store.tenancy import NOBODY, Scope, current_scope

# What statements ask of a row `s` of the manifest.
MANIFEST: Final = {"partition_count": load_sql("partition_count"), "index_state": sql.SQL(INDEX_STATE)}

# Under a filter, chunks and rows of vectors; measured in eval/LOG.md (recall under filters, by rows). Up to
# FILTER_FIRST_ROWS are read first and all else only of them, and one kept plan serves all filters. Up to EXACT_ROWS are
# compared one by one: about 2 µs each, since each is looked up. Of more the index brings VISITED_ROWS, or twice as many
# as it looks at without a filter: its effort is calibrated without one, and what a filter keeps may lie far from the
# question and scattered over many lists.
FILTER_FIRST_ROWS: Final = 10_000
EXACT_ROWS: Final = 30_000
VISITED_ROWS: Final = 5_000
# A share, for it is about density and not about cost: where so much of a space is kept, nearly all that the index looks
# at is, and it is asked as without a filter.
ALMOST_ALL: Final = 0.9
MOST_KNOWN: Final = 1_000  # collections, and filters
SLACK: Final = 0.1  # of VISITED rows: a plan for so many more or fewer serves as well

FilterOrder = Literal["none", "first", "last"]
K = TypeVar("K")
V = TypeVar("V")
Named = tuple[Scope, CollectionNames]  # what is searched, as somebody sees it


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How a search is done over `rows` chunks that are kept of the collections' `chunk_count`.

    `partitions`: where their vectors lie, () where all of the space share. `index`: the one that is asked, None where
    every kept chunk is compared. `visited`: how many kept rows it shall bring before the nearest are taken; 0: as many
    as are asked for. `filter_order`: whether the kept chunks are read before all else (few), or asked for last.
    """

    collection_ids: tuple[int, ...]
    space_id: int
    index: VectorIndex | None
    rows: int
    visited: int = 0
    filter_order: FilterOrder = "none"
    chunk_count: int = 0
    partitions: tuple[int, ...] = ()

    def is_like(self, other: SearchPlan) -> bool:
        """Whether the other one serves as well: the same place and way, about as many rows to bring."""
        return (self.collection_ids, self.partitions, self.index, self.filter_order) == (
            other.collection_ids, other.partitions, other.index, other.filter_order
        ) and abs(self.visited - other.visited) <= SLACK * other.visited  # fmt: skip

    @property
    def exact(self) -> bool:
        """Whether every row that is kept is compared."""
        return self.index is None

    @property
    def probes(self) -> int | None:
        """Lists that ivfflat looks into; None where the search is exact or by hnsw."""
        return self.index.effort if self.index is not None and self.index.method == "ivfflat" else None

    @property
    def most_rows(self) -> int:
        """Of chunks that a filter keeps: where there are more, this plan is none for them."""
        return FILTER_FIRST_ROWS if self.filter_order == "first" else 2**62

    def session_settings(self) -> dict[str, str]:
        """What the session of the search has set. Planning the statement takes milliseconds, so one plan is kept for
        all values; not where a filter keeps much, since the best way to read that depends on what it keeps."""
        settings = self.index.session_settings() if self.index is not None else {}
        is_kept = self.filter_order != "last"
        return settings | ({"plan_cache_mode": "force_generic_plan"} if is_kept else {})


class Sample(NamedTuple):
    """A collection's sample of windows, and how many chunks it stands for."""

    collection_id: int
    version: int
    chunk_count: int


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """What is searched, a collection or several as one, as the manifest describes it: the partitions where its vectors
    lie, their index, None where there is none, as text too (`index_state`), how many chunks are in it and in these
    partitions (`space_count`: other collections' and tenants' too, as upkeep counted them).
    `comparable`: its space and lexicon are those of the questions; else it is empty. `samples`: of each collection its
    number, the version of the sample that its cosines are measured against, and its chunks. `names` are their own: a
    twin's is another than the one that was asked for; `space` is that of the questions."""

    samples: tuple[Sample, ...]
    space_id: int
    index: VectorIndex | None
    chunk_count: int
    space_count: int
    comparable: bool
    names: tuple[str, ...] = ()
    space: EmbeddingSpace | None = None
    partitions: tuple[int, ...] = ()
    index_state: str = ""

    @property
    def collection_ids(self) -> tuple[int, ...]:
        """The collections' numbers."""
        return tuple(sample.collection_id for sample in self.samples)

    def plan(self, exact_max_rows: int, kept: int | None = None) -> SearchPlan:
        """How to search it; `kept`: how many of its chunks the filter keeps, None without one. Up to `exact_max_rows`
        chunks are compared one by one in any case."""
        rows = self.chunk_count if kept is None else min(kept, self.chunk_count)
        order: FilterOrder = "none" if kept is None else "first" if kept <= FILTER_FIRST_ROWS else "last"
        index, visited = self._choose_index(rows, exact_max_rows)
        count = self.chunk_count
        return SearchPlan(
            self.collection_ids, self.space_id, index, rows, visited, order, count, self.partitions
        )

    def _choose_index(self, rows: int, exact_max_rows: int) -> tuple[VectorIndex | None, int]:
        """The index to ask where `rows` are kept, None for exact search, and how many rows it shall bring."""
        index, total = self.index, self.space_count
        if index is None or rows <= exact_max_rows:
            return None, 0
        if rows >= ALMOST_ALL * total:
            return index, 0
        unfiltered = index.effort * (total / index.lists if index.lists else 1)
        visited = math.ceil(max(VISITED_ROWS, 2 * unfiltered))
        if rows <= max(EXACT_ROWS, 2 * visited):
            return None, 0
        return index, visited


async def read_collections(
    connection: AsyncConnection, collections: CollectionNames, space: EmbeddingSpace
) -> StoredCollection:
    """What there is to search. Raises NotFoundError, and EmbeddingMismatchError where a collection's vectors are of
    another space. Of several, one that is empty and of another space is left out."""
    names = names_of(collections)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(collection_statement(), {"collections": names, **space_parameters(space)})
        rows = await cursor.fetchall()
    missing = next((name for name in names if all(row["asked"] != name for row in rows)), None)
    if missing is not None:
        raise NotFoundError(
            f"There is no collection {missing!r}. GET /collections lists them; `ingest` makes one."
        )
    comparable = [row for row in rows if _is_comparable(row, space)]
    for row in rows:
        if row["chunk_count"] and row not in comparable:
            fields = ("lexicon_version", "model", "weights_sha256", "dimension", "query_prefix", "passage_prefix",
                      "pooling", "normalized")  # fmt: skip
            raise mismatch_error((row["asked"], *(row[field] for field in fields)), space)
    first = (comparable or rows)[0]
    samples = dict.fromkeys(
        Sample(row["collection_id"], row["background_version"], row["chunk_count"]) for row in comparable
    )
    held = {row["partition_id"]: row for row in comparable or rows}
    return StoredCollection(
        tuple(samples),
        first["space_id"],
        VectorIndex.of_partitions(held.values()),
        sum(sample.chunk_count for sample in samples),
        sum(row["partition_count"] for row in held.values()),
        bool(comparable),
        tuple(dict.fromkeys(row["name"] for row in rows)),
        space,
        tuple(held),
        " ".join(row["index_state"] for row in held.values()),
    )


def _is_comparable(row: Mapping[str, Any], space: EmbeddingSpace) -> bool:
    stored = EmbeddingSpace(**{field: row[field] for field in EmbeddingSpace.__dataclass_fields__})
    return stored == space and row["lexicon_version"] == LEXICON_VERSION


def collection_statement() -> sql.Composed:
    """The statement of `read_collections`."""
    return fill_sql("collection", **MANIFEST, index_fault=sql.SQL(INDEX_FAULT))


class SearchMemory:
    """What searches saw of collections, and how many chunks wide filters kept: the next one is planned by it, without a
    look first, and only one of the same scope. A filter that is not remembered is taken to keep few."""

    def __init__(self) -> None:
        self._collections: OrderedDict[Named, StoredCollection] = OrderedDict()
        self._wide: OrderedDict[tuple[Named, bytes], int] = OrderedDict()

    def collection(self, name: CollectionNames) -> StoredCollection | None:
        """As it was seen last; None where it is not known."""
        return self._collections.get(_named(name))

    def kept(self, name: CollectionNames, search_filter: SearchFilter | None) -> int | None:
        """How many chunks the filter keeps, as far as is known; None without a filter."""
        if search_filter is None:
            return None
        return self._wide.get(_key(name, search_filter), 0) if self._wide else 0

    def remember(self, name: CollectionNames, seen: StoredCollection) -> None:
        """The collection is now so."""
        _put(self._collections, _named(name), seen)

    def remember_kept(self, name: CollectionNames, search_filter: SearchFilter, plan: SearchPlan) -> None:
        """The filter keeps as many chunks now as this plan is for."""
        if plan.filter_order == "last" or not plan.exact:
            _put(self._wide, _key(name, search_filter), plan.rows)
        elif self._wide:  # it keeps few, as is expected of those not remembered
            self._wide.pop(_key(name, search_filter), None)

    def forget(self, name: CollectionNames) -> None:
        """What was known of the collection no longer holds."""
        self._collections.pop(_named(name), None)


def _put(known: OrderedDict[K, V], key: K, value: V) -> None:
    known.pop(key, None)
    known[key] = value
    if len(known) > MOST_KNOWN:
        known.popitem(last=False)


def _named(collection: CollectionNames) -> Named:
    return current_scope(NOBODY), collection


def _key(collection: CollectionNames, search_filter: SearchFilter) -> tuple[Named, bytes]:
    """A filter may be long, and holds dictionaries: its digest is kept."""
    written = repr(search_filter).encode("utf-8", "surrogatepass")
    return _named(collection), hashlib.blake2b(written, digest_size=16).digest()
