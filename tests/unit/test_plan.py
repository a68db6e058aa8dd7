"""How a collection is searched: by rows, whatever the size of the space."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import SearchFilter
from app.index.manifest import VectorIndex
from app.search.plan import EXACT_ROWS, FILTER_FIRST_ROWS, MOST_KNOWN, Sample, SearchMemory, StoredCollection

IVFFLAT = VectorIndex("ivfflat", "full", build=1, dimension=384, lists=1_000, effort=8)
HNSW = VectorIndex("hnsw", "full", build=1, dimension=384, lists=None, effort=60)
LIMIT = 10_000


def collection(
    chunks: int, total: int | None = None, index: VectorIndex | None = IVFFLAT
) -> StoredCollection:
    return StoredCollection((Sample(1, 0, chunks),), 1, index, chunks, total or chunks, comparable=True)


@pytest.mark.parametrize(
    ("chunks", "kept", "exact", "order"),
    [
        (5_000, None, True, "none"),
        (100_000, None, False, "none"),
        (100_000, 1_000, True, "first"),
        (100_000, FILTER_FIRST_ROWS, True, "first"),
        (100_000, FILTER_FIRST_ROWS + 1, True, "last"),
        (100_000, 30_000, True, "last"),
        (100_000, 45_000, False, "last"),
        (100_000, 95_000, False, "last"),
        (10_000_000, EXACT_ROWS, True, "last"),
        (10_000_000, 2_500_000, False, "last"),
    ],
)
def test_few_rows_are_compared_and_of_many_the_index_brings_some(
    chunks: int, kept: int | None, exact: bool, order: str
) -> None:
    plan = collection(chunks).plan(LIMIT, kept)
    assert (plan.exact, plan.filter_order, plan.rows) == (exact, order, chunks if kept is None else kept)
    assert plan.probes == (None if exact else 8)


@given(st.integers(1, 2 * 10**8), st.integers(0, 2 * 10**8), st.sampled_from([IVFFLAT, HNSW]))
def test_f_1310_what_a_filter_costs_is_bounded_by_rows(chunks: int, kept: int, index: VectorIndex) -> None:
    """A quarter of ten million chunks was compared one by one, which takes longer than a statement may."""
    plan = collection(chunks, index=index).plan(LIMIT, kept)
    unfiltered = index.effort * (chunks / index.lists if index.lists else 1)
    if plan.exact:
        assert plan.rows <= max(LIMIT, EXACT_ROWS, 4 * unfiltered + 2)
    else:
        assert plan.visited <= max(EXACT_ROWS, 2 * unfiltered + 1)
        assert 2 * plan.visited <= plan.rows


def test_nearly_all_of_a_space_is_searched_as_all_of_it() -> None:
    assert collection(95_000, 100_000).plan(LIMIT).visited == 0
    assert collection(50_000, 100_000).plan(LIMIT).visited > 0
    assert collection(20_000, 100_000).plan(LIMIT).exact


def test_a_plan_serves_another_number_of_rows_where_it_would_be_the_same() -> None:
    known = collection(1_000_000)
    assert known.plan(LIMIT, 100).is_like(known.plan(LIMIT, 9_000))
    assert known.plan(LIMIT, 100_000).is_like(known.plan(LIMIT, 800_000))
    assert not known.plan(LIMIT, 100).is_like(known.plan(LIMIT, 11_000))
    assert not known.plan(LIMIT, 11_000).is_like(known.plan(LIMIT, 100_000))
    assert not known.plan(LIMIT).is_like(known.plan(LIMIT, 999_999))


def test_a_wide_filter_is_remembered_until_it_keeps_few() -> None:
    memory, known = SearchMemory(), collection(100_000)
    wide, narrow = SearchFilter("a/"), SearchFilter("b/")
    assert (memory.kept("c", None), memory.kept("c", wide)) == (None, 0)
    memory.remember_kept("c", wide, known.plan(LIMIT, 50_000))
    memory.remember_kept("c", narrow, known.plan(LIMIT, 50))
    assert (memory.kept("c", wide), memory.kept("c", narrow), memory.kept("d", wide)) == (50_000, 0, 0)
    memory.remember_kept("c", wide, known.plan(LIMIT, 50))
    assert memory.kept("c", wide) == 0


def test_no_more_than_so_many_are_remembered_the_newest() -> None:
    memory, known = SearchMemory(), collection(100_000)
    for number in range(MOST_KNOWN + 5):
        memory.remember(str(number), known)
        memory.remember_kept("c", SearchFilter(str(number)), known.plan(LIMIT, 50_000))
    assert memory.collection("4") is None
    assert memory.collection("5") == known
    assert (memory.kept("c", SearchFilter("4")), memory.kept("c", SearchFilter("5"))) == (0, 50_000)
    memory.forget("5")
    assert memory.collection("5") is None
