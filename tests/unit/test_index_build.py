"""app.index.build: how a build is done."""

from __future__ import annotations

import pytest

from app.index.build import build_workers


@pytest.mark.parametrize(
    ("method", "pgvector", "alone"),
    [("hnsw", "0.8.1", True), ("hnsw", "0.8", True), ("hnsw", None, True), ("hnsw", "0.8.2", False),
     ("hnsw", "0.10.0", False), ("ivfflat", "0.8.0", False)],
)  # fmt: skip
def test_f_205_hnsw_is_built_by_one_process_where_several_may_corrupt_memory(
    method: str, pgvector: str | None, alone: bool
) -> None:
    assert (build_workers(method, pgvector) == 0) == alone  # type: ignore[arg-type]
