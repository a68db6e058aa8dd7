"""R23 at the size for every commit: an address is text, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store.connection import Database
from tests.chaos.addresses import run

pytestmark = pytest.mark.integration


def test_r23_no_address_is_ever_fetched(database: Database, tmp_path: Path) -> None:
    found = run(database, tmp_path / "documents", count=2, seed=1)
    assert found["passed"], found
    assert found["documents"] > 10
    assert found["requests"] > 30
