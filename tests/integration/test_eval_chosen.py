"""`rag-eval` measures the model that answers: the one that `pgask spaces` chose, not the one of the settings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.embedding import SentenceTransformerEmbedder
from app.store.connection import Database, connect
from app.store.spaces import ensure_space
from eval.system import SystemOpener
from tests.spare_models import save_cut_model

pytestmark = [pytest.mark.integration, pytest.mark.model]


def test_the_chosen_model_is_measured_unless_another_is_named(database: Database, tmp_path: Path) -> None:
    spare = str(save_cut_model(tmp_path / "spare", layers=1))
    chosen = SentenceTransformerEmbedder(spare, runtime="torch").space
    with connect(database.owner) as owner:
        space_id = ensure_space(owner, chosen)
        owner.execute("UPDATE pgask.embedding_spaces SET chosen_at = now() WHERE id = %s", [space_id])
    opener = SystemOpener()
    settings = {
        "database_url": database.app,
        "owner_database_url": database.owner,
        "home": tmp_path / "home",
        "embedding_runtime": "torch",
    }

    async def open_as(**overrides: object) -> str:
        async with opener(**settings, **overrides) as system:
            return system.embedder.space.model

    assert asyncio.run(open_as()) == spare
    assert asyncio.run(open_as(embedding_model="english")) != spare
