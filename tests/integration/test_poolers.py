"""A pooler in transaction mode is refused at start; one in session mode is as good as the server itself (F-202)."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import StoreError
from app.store.connection import Database, connect, open_pool, run_alone, transaction
from tests.integration.ingesting import open_collection
from tests.integration.pooling import Pooler
from tests.integration.test_cli import Pgask, pgask

__all__ = ["pgask"]  # the fixture

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("size", [1, 2])
def test_f_202_a_pooler_in_transaction_mode_is_refused(
    pgask: Pgask, database: Database, tmp_path: Path, size: int
) -> None:
    with Pooler(database.app, tmp_path, "transaction", size) as pooler:
        with pytest.raises(StoreError, match="pool_mode to session") as refused, connect(pooler.url):
            pass
        assert refused.value.code == "transaction_pooler"
        done = pgask("collections", "--json", database_url=pooler.url)
        assert (done.code, done.json["error"]["code"]) == (2, "transaction_pooler")
        assert done.err.startswith("pgask: ")
        assert done.err.count("\n") == 1


async def test_f_202_a_pooler_in_session_mode_is_good(database: Database, tmp_path: Path) -> None:
    open_collection(database)
    with Pooler(database.app, tmp_path, "session", 3) as pooler:
        with connect(pooler.url) as connection:
            assert connection.execute("SELECT name FROM pgask.collections").fetchall() == [("default",)]
        async with open_pool(pooler.url, size=2, statement_timeout_s=5) as pool:
            for _ in range(7):  # prepared by now
                found = await run_alone(
                    pool, lambda one: one.execute("SELECT count(*) FROM pgask.collections")
                )
                assert await found.fetchone() == (1,)
            async with transaction(pool) as reader:
                assert await (await reader.execute("SELECT 1")).fetchone() == (1,)
