"""Crafted files for `pgask import`, a few of those of `make chaos ONLY=crafted`."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store.connection import Database
from tests.chaos.crafted import attack

pytestmark = [pytest.mark.integration, pytest.mark.long]


def test_crafted_files_are_refused_whole_or_do_no_harm(database: Database, tmp_path: Path) -> None:
    figures = attack(database, tmp_path / "documents", files=12, seed=20)
    assert figures.passed(), figures
