"""A pooler in transaction mode serves requests where it keeps prepared statements apart, and is refused else, or where
a session is kept; one in session mode is as good as the server itself (F-202)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.errors import StoreError
from app.main import create_app
from app.store.connection import (
    AsyncConnection,
    AsyncPool,
    Database,
    PooledConnection,
    connect,
    run_alone,
    transaction,
    write,
)
from app.store.connection_pool import open_pool
from app.store.pooler import is_shared
from app.store.tenancy import Scope, working_for
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import settings_for
from tests.integration.ingesting import ingest, open_collection
from tests.integration.pgbouncer import PgBouncer, needs_any, needs_new
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


@pytest.mark.parametrize("size", [1, 2])
def test_f_202_a_pooler_that_mixes_prepared_statements_is_refused(
    database: Database, tmp_path: Path, size: int
) -> None:
    with Pooler(database.app, tmp_path, "transaction", size) as pooler:
        with pytest.raises(StoreError, match="max_prepared_statements") as refused:
            is_shared(pooler.url)
        assert refused.value.code == "pooler_mixes_statements"


def test_a_server_and_a_pooler_in_session_mode_share_no_sessions(database: Database, tmp_path: Path) -> None:
    assert not is_shared(database.app)
    with Pooler(database.app, tmp_path, "session", 3) as pooler:
        assert not is_shared(pooler.url)


@needs_any
def test_statement_pooling_is_refused(database: Database, tmp_path: Path) -> None:
    with PgBouncer(database.app, tmp_path, "statement") as pooler:
        with pytest.raises(StoreError, match="pool_mode to transaction or session") as refused:
            is_shared(pooler.url)
        assert refused.value.code == "statement_pooler"


@needs_any
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pgbouncer_that_keeps_no_prepared_statements_is_refused(
    database: Database, tmp_path: Path, size: int
) -> None:
    with PgBouncer(database.app, tmp_path, "transaction", size=size, prepared=0) as pooler:
        with pytest.raises(StoreError, match="max_prepared_statements") as refused:
            is_shared(pooler.url)
        assert refused.value.code == "pooler_mixes_statements"


@needs_any
def test_pgbouncer_in_session_mode_shares_no_sessions(database: Database, tmp_path: Path) -> None:
    with PgBouncer(database.app, tmp_path, "session", size=3) as pooler:
        assert not is_shared(pooler.url)


async def _seen(connection: AsyncConnection) -> tuple[Any, ...]:
    names = "current_setting('pgask.tenant', true), current_setting('ivfflat.probes', true)"
    found = await (
        await connection.execute(f"SELECT {names}, current_setting('statement_timeout')".encode())
    ).fetchone()
    assert found is not None
    return found


async def _as_tenant(pool: AsyncPool, tenant: int) -> None:
    """What one caller sets, another never reads: each says who it is, and holds its backend while others ask."""

    async def search(connection: PooledConnection) -> tuple[Any, ...]:
        await connection.set_lasting({"ivfflat.probes": str(tenant)})
        await asyncio.sleep(0.01)
        return await _seen(connection)

    async def change(connection: AsyncConnection) -> tuple[Any, ...]:
        await asyncio.sleep(0.01)
        return await _seen(connection)

    with working_for(Scope(tenant, groups=None)):
        for _ in range(10):
            assert await run_alone(pool, search) == (str(tenant), str(tenant), "5s")
            tenant_seen, probes, _ = await write(pool, change)
            assert (tenant_seen, probes or "1") == (str(tenant), "1")
            async with transaction(pool) as connection:
                assert (await _seen(connection))[0] == str(tenant)
                level = await (await connection.execute("SHOW transaction_isolation")).fetchone()
                assert level == ("repeatable read",)


@needs_new
async def test_f_202_nothing_of_one_caller_reaches_another(database: Database, tmp_path: Path) -> None:
    with PgBouncer(database.app, tmp_path, "transaction", size=2) as pooler:
        assert is_shared(pooler.url)
        async with open_pool(pooler.url, size=6, statement_timeout_s=5, may_share=True) as pool:
            await asyncio.gather(*(_as_tenant(pool, tenant) for tenant in range(1, 9)))


@needs_new
async def test_f_202_a_service_works_through_pgbouncer_in_transaction_mode(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/kiel.md").write_text(
        "# Kiel\n\nThe works in Kiel made four hundred engines.\n", "utf-8"
    )
    ingest(database, tmp_path / "docs")
    (tmp_path / "pooler").mkdir()
    with PgBouncer(database.app, tmp_path / "pooler", "transaction", size=3) as pooler:
        behind = Database(owner=database.owner, app=database.app, pooled=pooler.url)
        app = create_app(settings_for(abstain_threshold=0.0), behind, FakeEmbedder())
        asked = {"question": "How many engines did the works in Kiel make?"}
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1"
            ) as client,
        ):
            for _ in range(3):
                replies = await asyncio.gather(
                    *(client.post(path, json=asked) for path in ("/ask", "/search") * 4),
                    client.get("/documents"),
                    client.get("/readyz"),
                )
                assert [reply.status_code for reply in replies] == [200] * 10
                assert all("four hundred engines" in reply.text for reply in replies[:8])
            made = await client.post("/collections", json={"name": "second"})
            assert made.status_code == 201, made.text
            sent = await client.post(
                "/documents?collection=second", files={"files": ("a.md", b"# A\n\nText.\n", "text/markdown")}
            )
            assert sent.status_code == 202, sent.text
            assert (await client.delete("/collections/second")).status_code == 204
