"""Deleted under load is gone at once (R15), at the size for every commit."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from app.store.connection import Database
from tests.chaos import deletes

pytestmark = pytest.mark.integration


def test_what_is_deleted_is_found_no_more(database: Database, tmp_path: Path) -> None:
    figures = deletes.run(
        database, tmp_path, documents=60, seed=int(os.environ.get("PGASK_CHAOS_SEED", "20261124"))
    )
    print(json.dumps(asdict(figures)))
    assert figures.passed(), figures
    assert figures.deleted == 60
