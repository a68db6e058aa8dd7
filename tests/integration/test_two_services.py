"""Two services on one database lose nothing of what they write side by side; `make chaos` does it at full size."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import numpy as np
import psycopg
import pytest
from structlog.testing import capture_logs

from app.store.connection import Database, connect, write
from app.store.connection_pool import open_pool
from app.store.questions import QuestionVectors
from tests.chaos import services
from tests.integration.ingesting import open_collection
from tests.integration.vectors import clustered

pytestmark = pytest.mark.integration


def test_f_401_two_processes_lose_no_question_and_raise_nothing(database: Database) -> None:
    figures = services.run(database, notes=200)
    print(json.dumps(asdict(figures)))
    assert figures.passed(), figures
    assert figures.expected == 2 * 200 - 200 // services.SHARED


async def test_f_401_what_could_not_be_written_waits_on(database: Database) -> None:
    space_id = open_collection(database).space_id
    vectors = clustered(np.random.default_rng(1), 3)
    async with open_pool(database.app, size=1, statement_timeout_s=0.2) as pool:
        questions = QuestionVectors(pool, keep=10)
        with psycopg.connect(database.owner) as other:
            other.execute("LOCK TABLE pgask.question_vectors")
            questions.note(space_id, vectors[0])
            with capture_logs() as logs:
                assert not await questions._try_to_write()
            assert "wait on" in logs[0]["event"]
            writing = asyncio.create_task(questions.write())
            await asyncio.sleep(0.05)
            questions.note(space_id, vectors[1])
            writing.cancel()  # as the end of the service does
            await asyncio.gather(writing, return_exceptions=True)
        await questions.write()
    with connect(database.owner) as owner:
        assert owner.execute("SELECT count(*) FROM pgask.question_vectors").fetchone() == (2,)


async def test_f_401_more_than_may_wait_are_written_at_once(database: Database) -> None:
    space_id = open_collection(database).space_id
    async with (
        open_pool(database.app, size=1, statement_timeout_s=5) as pool,
        QuestionVectors(pool, keep=1_000).writing() as questions,
    ):
        for batch in np.split(clustered(np.random.default_rng(2), 450), 3):
            for vector in batch:
                questions.note(space_id, vector)
            await asyncio.sleep(0.2)
    with connect(database.owner) as owner:
        assert owner.execute("SELECT count(*) FROM pgask.question_vectors").fetchone() == (450,)


async def test_f_401_a_write_that_met_another_one_is_done_again(database: Database) -> None:
    """Two transactions that take two rows in opposite order: PostgreSQL ends one, which is tried again."""
    with connect(database.owner) as owner:
        owner.execute("CREATE TABLE pgask.two AS SELECT n, 0 AS times FROM generate_series(1, 2) n")
        owner.execute("GRANT ALL ON pgask.two TO pgask_app")
    both = asyncio.Barrier(2)
    tries = 0

    async def touch(connection: psycopg.AsyncConnection, first: int, second: int) -> None:
        nonlocal tries
        tries += 1
        await connection.execute("UPDATE pgask.two SET times = times + 1 WHERE n = %s", [first])
        if tries <= 2:
            await both.wait()
        await connection.execute("UPDATE pgask.two SET times = times + 1 WHERE n = %s", [second])

    async with open_pool(database.app, size=2, statement_timeout_s=5) as pool:
        await asyncio.gather(
            write(pool, lambda connection: touch(connection, 1, 2)),
            write(pool, lambda connection: touch(connection, 2, 1)),
        )
    assert tries == 3
    with connect(database.owner) as owner:
        assert owner.execute("SELECT sum(times) FROM pgask.two").fetchone() == (4,)
