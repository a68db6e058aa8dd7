"""Filters that keep too much for the search by one statement: they are evaluated once a question.

A filter that no index serves reads every document's row. A wide one was evaluated three times for each question: for
the one statement, which then found nothing, to count what it keeps, and to search. How many chunks it kept is now
remembered, and a search by steps is planned with that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from app.domain import SearchFilter
from app.embedding import EmbeddingSpace, FloatMatrix
from app.search.candidates import PLANNED_ONCE, Candidates, SearchPlan, find_candidates, plan_search
from app.search.ranking import RankingSettings
from app.store.connection import AsyncConnection

MOST_KNOWN: Final = 1_000  # filters
MOST_DRIFT: Final = 0.1  # of the remembered number: where it is further off, the search is planned anew


class WideFilters:
    """Remembers how many chunks wide filters kept when they were last evaluated, the newest MOST_KNOWN of them."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, bytes], int] = {}

    def rows(self, collection: str, search_filter: SearchFilter | None) -> int | None:
        """How many chunks it kept; None where it is not known to be wide."""
        return None if search_filter is None else self._rows.get(_key(collection, search_filter))

    def note(self, collection: str, search_filter: SearchFilter, rows: int) -> None:
        """It keeps so many chunks, which is too many for one statement."""
        key = _key(collection, search_filter)
        self._rows.pop(key, None)
        self._rows[key] = rows
        if len(self._rows) > MOST_KNOWN:
            self._rows.pop(next(iter(self._rows)))

    async def find_candidates(
        self,
        connection: AsyncConnection,
        collection: str,
        space: EmbeddingSpace,
        search_filter: SearchFilter | None,
        *,
        vector: FloatMatrix,
        terms: Sequence[str],
        settings: RankingSettings,
        on_planned: Callable[[], None],
    ) -> tuple[SearchPlan, Candidates]:
        """The plan of a search by steps, and what it finds: app/search/candidates.py's two functions of these names.

        Where a filter keeps much more or less than is remembered, the search is planned and done again.
        """
        known = self.rows(collection, search_filter)
        while True:
            plan = await plan_search(
                connection,
                collection,
                space,
                search_filter,
                exact_max_rows=settings.exact_max_rows,
                kept_rows=known,
            )
            on_planned()
            candidates = await find_candidates(
                connection,
                plan,
                vector,
                terms,
                search_filter,
                candidates=settings.candidates,
                k1=settings.k1,
                b=settings.b,
            )
            kept = candidates.kept_rows
            if search_filter is not None:
                self._learn(collection, search_filter, plan, kept)
            if known is None or kept is None or abs(kept - known) <= MOST_DRIFT * known:
                return plan, candidates
            known = kept

    def _learn(
        self, collection: str, search_filter: SearchFilter, plan: SearchPlan, kept: int | None
    ) -> None:
        if kept is None or (kept <= PLANNED_ONCE and plan.exact):
            self._rows.pop(_key(collection, search_filter), None)
        else:
            self.note(collection, search_filter, kept)


def _key(collection: str, search_filter: SearchFilter) -> tuple[str, bytes]:
    """A filter may be long, and holds dictionaries: its digest is kept."""
    written = repr(search_filter).encode("utf-8", "surrogatepass")
    return collection, hashlib.blake2b(written, digest_size=16).digest()
