"""What is peculiar to ivfflat: how many lists, what a build needs, what makes it search harder. No database.

Lists are learnt from the rows that are there when the index is built, so it is built anew when those rows are no longer
like the rows of today (app/index/maintenance.py).
"""

from __future__ import annotations

import math
from typing import Final

EFFORT: Final = "ivfflat.probes"
LEAST_LISTS: Final = 10
_ROWS_PER_LIST: Final = 50  # at least: what k-means has to learn a centre from


def choose_lists(rows: int) -> int:
    """Lists for an ivfflat index: √rows, at least 10 and at most rows/50, so that each list has 50 rows to learn from.

    >>> choose_lists(100_000), choose_lists(1_000_000), choose_lists(500)
    (316, 1000, 10)
    """
    return max(LEAST_LISTS, min(round(math.sqrt(rows)), rows // _ROWS_PER_LIST))


def fit_lists(lists: int, dimension: int, most_bytes: int) -> int:
    """Fewer lists where the memory that a build may have is too little for as many.

    >>> fit_lists(1_000, 384, 2**30), fit_lists(1_000, 384, 64 * 2**20)
    (1000, 386)
    """
    while lists > LEAST_LISTS and build_bytes(lists, dimension) > most_bytes:
        lists = max(LEAST_LISTS, lists * 9 // 10)
    return lists


def build_bytes(lists: int, dimension: int) -> int:
    """At most what pgvector's k-means needs: the sample (50 rows a list, at least 10,000), three sets of centres, and
    the bounds of Elkan's algorithm, sample × lists and lists × lists (ivfkmeans.c). It refuses to build with less.

    >>> build_bytes(1_000, 384) // 2**20
    276
    """
    sample = max(10_000, 50 * lists)
    return 4 * (sample * (dimension + lists + 4) + lists * (3 * dimension + 2 * lists + 9))
