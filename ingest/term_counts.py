"""Terms of a document's windows → counters, made when they are asked for; pure.

As counters the terms of a long text take 70 bytes of memory a character, in each of its windows and again in each of
its chunks; as lists of strings that are the same objects they take 12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import overload

from app.lexicon import terms


def terms_of(texts: Iterable[str]) -> list[list[str]]:
    """The terms of each text in order; equal ones are one object."""
    known: dict[str, str] = {}
    return [[known.setdefault(term, term) for term in terms(text)] for text in texts]


class Counted(Sequence[Counter[str]]):
    """term → frequency of the windows of each half-open range; looks like a list of counters."""

    def __init__(self, windows: Sequence[Sequence[str]], ranges: Sequence[tuple[int, int]]) -> None:
        self._windows, self._ranges = windows, ranges

    def __len__(self) -> int:
        return len(self._ranges)

    @overload
    def __getitem__(self, index: int) -> Counter[str]: ...

    @overload
    def __getitem__(self, index: slice) -> list[Counter[str]]: ...

    def __getitem__(self, index: int | slice) -> Counter[str] | list[Counter[str]]:
        if isinstance(index, slice):
            return [self._count(*found) for found in self._ranges[index]]
        return self._count(*self._ranges[index])

    def _count(self, first: int, after: int) -> Counter[str]:
        return Counter(chain.from_iterable(self._windows[first:after]))
