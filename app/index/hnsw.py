"""What is peculiar to hnsw: the shape of the graph, what a build needs, what makes it search harder. No database.

It answers faster than ivfflat at the same recall, and takes several times as long to build and to write to
(docs/tuning.md has both).
"""

from __future__ import annotations

from typing import Final

EFFORT: Final = "hnsw.ef_search"
M: Final = 16  # neighbours of a row in each layer, twice as many in the lowest; pgvector's default
EF_CONSTRUCTION: Final = (
    100  # a little above pgvector's 64: recall by fewer steps, for a third more of build time
)
LEAST_EF_SEARCH: Final = 10
MOST_EF_SEARCH: Final = 1_000  # pgvector's limit
_POINTER_BYTES: Final = 16  # of a neighbour while building (HnswCandidate)
_ROW_BYTES: Final = 200  # an element, its tuple's header and its locks


def build_bytes(rows: int, dimension: int, bytes_a_number: int) -> int:
    """About what the graph takes while it is built. With less, pgvector goes on on disk, several times slower.

    >>> build_bytes(100_000, 384, 4) // 2**20
    220
    """
    neighbours = 2 * M + M // 4  # the lowest layer, and what few rows have above it
    return rows * (dimension * bytes_a_number + neighbours * _POINTER_BYTES + _ROW_BYTES)
