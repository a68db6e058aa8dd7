"""The statements of a search as PostgreSQL gets them, in tests/golden/*.sql, so that a review sees SQL.

`make golden` (python -m tests.statements) writes them anew; tests/unit/test_statements.py holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.domain import AnyOf, MetadataKey, OneOf, SearchFilter, StartsWith
from app.index.manifest import VectorIndex
from app.search.plan import FilterOrder, SearchPlan, collection_statement
from app.search.ranking import Projection, StatementShape, render
from app.search.statements import NumberedStatement, number_parameters
from app.store.filters import compile_filter

GOLDEN: Final = Path(__file__).parent / "golden"
IVFFLAT: Final = VectorIndex("ivfflat", "full", build=3, dimension=384, lists=316, effort=8)
HNSW: Final = VectorIndex("hnsw", "half", build=4, dimension=384, lists=None, effort=60)
FILTER: Final = SearchFilter(
    "docs/", {"lang": "zh"}, AnyOf((OneOf(MetadataKey(("year",)), (2026,)), StartsWith("title", "手册")))
)


def statements() -> dict[str, str]:
    """By the name of its file each kind of statement, with its parameters told in its first line."""
    return {
        "collection": _show(number_parameters(collection_statement().as_string())),
        "hits": _search("hits"),
        "hits_by_ivfflat": _search("hits", index=IVFFLAT),
        "hits_by_hnsw": _search("hits", index=HNSW),
        "hits_dense": _search("hits", by_words=False),
        "hits_of_partitions": _search("hits", index=replace(IVFFLAT, others=(5,)), partitions=(7, 9)),
        "hits_filter_first": _search("hits", "first"),
        "hits_filter_last": _search("hits", "last"),
        "hits_filter_last_by_ivfflat": _search("hits", "last", IVFFLAT, 5_000),
        "candidates": _search("candidates"),
        "explained": _search("explained"),
        "hits_of_several": _search("hits", several=True),
        "hits_of_two_languages": _search("hits", mixed=True),
    }


def searches(space_id: int) -> dict[str, NumberedStatement]:
    """Kinds of searches that ask no vector index, over a space."""

    def search(
        projection: Projection, order: FilterOrder = "none", *, by_words: bool = True, several: bool = False
    ) -> NumberedStatement:
        plan = SearchPlan((1,), space_id, None, 0, 0, order)
        shape = StatementShape(plan, 50, 8, projection, by_words, weighs=by_words, several=several)
        return render(shape, None if order == "none" else compile_filter(FILTER).condition)

    return {
        "hits": search("hits"),
        "dense": search("hits", by_words=False),
        "filter first": search("hits", "first"),
        "filter last": search("hits", "last"),
        "candidates": search("candidates"),
        "explained": search("explained"),
        "several": search("hits", several=True),
    }


def _search(
    projection: Projection,
    order: FilterOrder = "none",
    index: VectorIndex | None = None,
    visited: int = 0,
    *,
    by_words: bool = True,
    several: bool = False,
    mixed: bool = False,
    partitions: tuple[int, ...] = (7,),
) -> str:
    plan = SearchPlan((1,), 7, index, 0, visited, order, partitions=partitions)
    shape = StatementShape(plan, 50, 8, projection, by_words, weighs=by_words, several=several, mixed=mixed)
    return _show(render(shape, None if order == "none" else compile_filter(FILTER).condition))


def _show(numbered: NumberedStatement) -> str:
    names = ", ".join(f"${number} {name}" for number, name in enumerate(numbered.names, 1))
    return f"-- {names}\n{numbered.text.decode().strip()}\n"


def write(shown: Mapping[str, str], folder: Path = GOLDEN) -> None:
    """Make the folder's files these, and no others."""
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.sql"):
        path.unlink()
    for name, text in shown.items():
        (folder / f"{name}.sql").write_text(text, "utf-8")


if __name__ == "__main__":
    write(statements())
