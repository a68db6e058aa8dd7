"""Questions are read from a streaming replica, all of one from one server, and never from less than its caller saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx2 as httpx
import pytest
from pydantic import SecretStr

from app.api.positions import HEADER
from app.config import Settings
from app.errors import NotFoundError
from app.main import create_app
from app.store.connection import AsyncConnection, AsyncPool, Database, run_alone, transaction, write
from app.store.connection_pool import open_pool
from app.store.migrate import migrate
from app.store.replicas import Reads, need_position, open_reads
from app.store.tenancy import DEFAULT
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import ingest
from tests.integration.replication import PostgresServer, make_primary, make_replica

pytestmark = [pytest.mark.integration, pytest.mark.long]

_IS_REPLICA = "SELECT pg_is_in_recovery()"


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A primary with a table that nobody but these tests has."""
    server = make_primary(tmp_path_factory.mktemp("primary"))
    migrate(Database(owner=server.url("pgask_owner"), app=server.url()))
    server.execute("CREATE TABLE public.notes (note text); GRANT ALL ON public.notes TO pgask_app")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def replicas(
    primary: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[PostgresServer]]:
    servers = [make_replica(primary, tmp_path_factory.mktemp("replica")) for _ in range(2)]
    yield servers
    for server in servers:
        server.stop()


@asynccontextmanager
async def _opened(
    primary: PostgresServer, *replicas: PostgresServer, max_lag_s: float = 5.0
) -> AsyncIterator[tuple[AsyncPool, Reads]]:
    async with (
        open_pool(primary.url(), size=3, statement_timeout_s=5) as pool,
        open_reads(
            primary.url(),
            [one.url() for one in replicas],
            max_lag_s=max_lag_s,
            size=3,
            statement_timeout_s=5,
            otherwise=DEFAULT,
        ) as reads,
    ):
        yield pool, reads


async def _server_of(pool: AsyncPool) -> tuple[bool, bool]:
    """Whether a statement alone and one in a transaction reached a replica."""

    async def ask(connection: AsyncConnection) -> bool:
        return bool((await (await connection.execute(_IS_REPLICA)).fetchone() or (None,))[0])

    alone = await run_alone(pool, ask)
    async with transaction(pool) as connection:
        return alone, await ask(connection)


async def _until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come to that")


async def _note(pool: AsyncPool, note: str) -> None:
    await write(pool, lambda one: one.execute("INSERT INTO public.notes VALUES (%s)", [note]))


async def _has(pool: AsyncPool, note: str) -> bool:
    found = await run_alone(
        pool, lambda one: one.execute("SELECT count(*) FROM public.notes WHERE note = %s", [note])
    )
    return await found.fetchone() == (1,)


async def test_questions_go_to_replicas_in_turn_and_changes_to_the_primary(
    primary: PostgresServer, replicas: list[PostgresServer]
) -> None:
    async with _opened(primary, *replicas) as (pool, reads):
        for _ in range(4):
            assert await reads.run(lambda: _server_of(pool)) == (True, True)
        assert await _server_of(pool) == (False, False)
        asked = reads.counts()
        assert asked.pop("primary") == 0
        assert [state.state for state in reads.states()] == ["ready", "ready"]

        async def change() -> None:
            await _note(pool, "written while a question is read")

        await reads.run(change)
        assert await _has(pool, "written while a question is read")


async def test_who_saw_a_position_reads_no_less(
    primary: PostgresServer, replicas: list[PostgresServer]
) -> None:
    """One replica stands still: who wrote is answered by another, or by the primary; who did not, by either."""
    replicas[0].execute("SELECT pg_wal_replay_pause()")
    try:
        async with _opened(primary, replicas[0]) as (pool, reads):
            await _note(pool, "paused")
            position = await reads.position()
            assert position is not None
            assert await reads.run(lambda: _server_of(pool)) == (True, True)
            assert not await reads.run(lambda: _has(pool, "paused"))
            need_position(position)
            assert await reads.run(lambda: _has(pool, "paused"))
            assert await reads.run(lambda: _server_of(pool)) == (False, False)
        async with _opened(primary, *replicas) as (pool, reads):
            assert {await reads.run(lambda: _server_of(pool)) for _ in range(4)} == {(True, True)}
            assert await reads.run(lambda: _has(pool, "paused"))
        need_position(0)
    finally:
        replicas[0].execute("SELECT pg_wal_replay_resume()")


async def test_a_position_that_nobody_was_told_keeps_no_one_from_the_replicas(
    primary: PostgresServer, replicas: list[PostgresServer]
) -> None:
    async with _opened(primary, *replicas) as (pool, reads):
        need_position(2**63)
        assert {await reads.run(lambda: _server_of(pool)) for _ in range(4)} == {(True, True)}
        need_position(0)


async def test_a_replica_too_far_behind_is_not_asked(
    primary: PostgresServer, replicas: list[PostgresServer]
) -> None:
    replicas[0].execute("SELECT pg_wal_replay_pause()")
    try:
        async with _opened(primary, replicas[0], max_lag_s=0.5) as (pool, reads):
            await _note(pool, "late")
            await _until(lambda: reads.states()[0].state == "behind")
            assert await reads.run(lambda: _server_of(pool)) == (False, False)
            replicas[0].execute("SELECT pg_wal_replay_resume()")
            await _until(lambda: reads.states()[0].state == "ready")
            assert await reads.run(lambda: _server_of(pool)) == (True, True)
    finally:
        replicas[0].execute("SELECT pg_wal_replay_resume()")


async def test_what_a_replica_lacks_the_primary_is_asked_for(
    primary: PostgresServer, replicas: list[PostgresServer]
) -> None:
    async with _opened(primary, *replicas) as (pool, reads):

        async def find() -> str:
            if (await _server_of(pool))[0]:
                raise NotFoundError("There is no such thing here.")
            return "found"

        assert await reads.run(find) == "found"


async def test_a_lost_replica_s_question_begins_again_on_the_next_server(
    primary: PostgresServer, replicas: list[PostgresServer]
) -> None:
    """The replica goes between two reads of one question: both of what is told in the end come from one server."""
    async with _opened(primary, replicas[1]) as (pool, reads):
        seen: list[bool] = []

        async def question() -> list[bool]:
            first = (await _server_of(pool))[0]
            seen.append(first)
            if len(seen) == 1:
                replicas[1].stop()
            return [first, (await _server_of(pool))[0]]

        try:
            assert await reads.run(question) == [False, False]
            assert seen == [True, False]
            assert reads.states()[0].state == "lost"

            async def events() -> AsyncGenerator[bool, None]:
                yield (await _server_of(pool))[0]

            assert [event async for event in reads.stream(events)] == [False]
        finally:
            replicas[1].start()
        await _until(lambda: reads.states()[0].state == "ready")
        assert await reads.run(lambda: _server_of(pool)) == (True, True)


async def test_another_server_is_no_replica(primary: PostgresServer, database: Database) -> None:
    async with (
        open_pool(primary.url(), size=1, statement_timeout_s=5) as pool,
        open_reads(
            primary.url(),
            [database.app, primary.url()],
            max_lag_s=5,
            size=1,
            statement_timeout_s=5,
            otherwise=DEFAULT,
        ) as reads,
    ):
        assert [one.state for one in reads.states()] == ["no_replica", "no_replica"]
        assert await reads.run(lambda: _server_of(pool)) == (False, False)


async def test_a_service_answers_from_replicas_and_its_callers_see_what_they_did(
    primary: PostgresServer, replicas: list[PostgresServer], tmp_path: Path
) -> None:
    """By HTTP, with the primary gone in the end: questions go on, and /readyz says so."""
    database = Database(
        owner=primary.url("pgask_owner"), app=primary.url(), replicas=tuple(one.url() for one in replicas)
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/kiel.md").write_text(
        "# Kiel\n\nThe works in Kiel made four hundred engines.\n", "utf-8"
    )
    ingest(database, tmp_path / "docs")
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=SecretStr(primary.url()),
        read_database_url=SecretStr(",".join(database.replicas)),
        abstain_threshold=0.0,
    )
    app = create_app(settings, database, FakeEmbedder())
    asked = {"question": "How many engines did the works in Kiel make?"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client,
    ):
        listed = await client.get("/documents")
        assert listed.headers[HEADER].count("/") == 1
        assert "pgask_position" in client.cookies
        for path in ("/ask", "/search"):
            reply = await client.post(path, json=asked)
            assert reply.status_code == 200, reply.text
            assert "four hundred engines" in reply.text
        streamed = await client.post("/ask", json=asked | {"stream": True})
        assert "event: done" in streamed.text
        status = (await client.get("/status")).json()
        assert [one["state"] for one in status["replicas"]] == ["ready", "ready"]
        figures = (await client.get("/metrics")).text
        assert 'pgask_reads_total{server="primary"} 0.0' in figures
        assert figures.count("pgask_replica_ready{") == 2
        assert "pgask_primary_ready 1.0\npgask_primary_away_seconds_total 0.0" in _values(figures)
        primary.stop()
        try:
            reply = await client.post("/ask", json=asked)
            assert (reply.status_code, "four hundred engines" in reply.text) == (200, True)
            ready = await client.get("/readyz")
            assert ready.status_code == 200, ready.text
            assert "replicas answer" in ready.json()["checks"]["database"]["detail"]
            assert (await client.get("/documents")).status_code == 503
            assert "pgask_primary_ready 0.0" in await _figures(client, "pgask_primary_ready 0.0")
        finally:
            primary.start()
        for _ in range(100):
            if (reply := await client.get("/documents")).status_code == 200:
                break
            await asyncio.sleep(0.2)
        assert reply.status_code == 200
        figures = await _figures(client, "pgask_primary_ready 1.0")
        assert "pgask_primary_ready 1.0" in figures
        assert "pgask_primary_away_seconds_total 0.0" not in figures


async def _figures(client: httpx.AsyncClient, wanted: str) -> str:
    """What /metrics says once it says what is wanted, or after ten seconds."""
    for _ in range(50):
        if wanted in (figures := (await client.get("/metrics")).text):
            break
        await asyncio.sleep(0.2)
    return figures


def _values(figures: str) -> str:
    return "\n".join(line for line in figures.splitlines() if not line.startswith("#"))


def test_a_replica_s_address_needs_a_primary() -> None:
    with pytest.raises(ValueError, match="PGASK_READ_DATABASE_URL needs PGASK_DATABASE_URL"):
        Settings(_env_file=None, read_database_url=SecretStr("postgresql://a/b"))  # type: ignore[call-arg]
    assert replace(Database("a", "b"), replicas=("c",)).replicas == ("c",)
