"""How many documents each collection has, counted only where that may have changed. Async, in the caller's transaction.

Counting reads an entry of an index for each document: 0.1 s a million. What a list of collections shows is therefore
remembered while the collection's chunks, which triggers count, stay what they are. Documents without chunks (failed,
duplicates) change nothing there: they are noticed after MAX_AGE_S.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.store.connection import AsyncConnection
from app.store.tenancy import NOBODY, Scope, current_scope

MAX_AGE_S: Final = 60.0
_MOST_SCOPES: Final = 1_000

_COUNT: Final = """
SELECT id, (SELECT count(*) FROM pgask.documents d WHERE d.collection_id = c.id AND d.status <> 'skipped')
  FROM unnest(%s::int[]) AS c (id)"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What tells that a collection is as it was: the numbers of its chunks and of their terms."""

    chunks: int
    terms: int


@dataclass(frozen=True, slots=True)
class _Counted:
    documents: int
    contents: Contents
    at_s: float


class DocumentCounts:
    """Remembers the counts of the collections that each scope listed last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[Scope, dict[int, _Counted]] = {}

    async def count(
        self, connection: AsyncConnection, collections: Mapping[int, Contents]
    ) -> Mapping[int, int]:
        """The number of documents by the collection's id."""
        now, scope = self._clock(), current_scope(NOBODY)
        remembered = self._known.pop(scope, {})
        known = {
            number: counted
            for number, contents in collections.items()
            if (counted := remembered.get(number)) is not None
            and counted.contents == contents
            and now - counted.at_s < MAX_AGE_S
        }
        unknown = [number for number in collections if number not in known]
        if unknown:
            rows = await (await connection.execute(_COUNT, [unknown])).fetchall()
            known |= {number: _Counted(count, collections[number], now) for number, count in rows}
        self._known[scope] = known
        if len(self._known) > _MOST_SCOPES:
            del self._known[next(iter(self._known))]
        return {number: counted.documents for number, counted in known.items()}
