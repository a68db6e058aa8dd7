"""What PostgreSQL refuses, on the real server: a code and one line of each command, never a traceback (F-201)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.errors import StoreBusyError, StoreError, StoreUnavailableError
from app.store.connection import Connection, Database, connect, run_alone, transaction
from app.store.connection_pool import open_pool
from app.store.documents import record_failure
from app.store.sources import remove_documents
from tests.integration.ingesting import open_collection, version_of
from tests.integration.processes import wait_until
from tests.integration.test_cli import Done, Pgask, pgask

__all__ = ["pgask"]  # the fixture

pytestmark = pytest.mark.integration

# Raised by a trigger, as the server raises them.
RAISED = {
    "53100": "disk_full", "53200": "database_out_of_memory", "53300": "too_many_connections",
    "53400": "database_limit", "55P03": "lock_timeout", "40P01": "deadlock", "40001": "write_conflict",
    "42501": "missing_privilege", "25006": "database_read_only", "57014": "statement_timeout",
    "57P03": "store_unavailable", "58030": "database_fault", "XX001": "data_corrupted", "XX000": "database_fault",
    "42P01": "schema_mismatch", "42P05": "transaction_pooler", "P0001": "store_error", "22012": "store_error",
}  # fmt: skip


def refuse_deletes(owner: Connection) -> None:
    """Every delete of documents raises what the session's setting test.refusal names, and counts its tries."""
    owner.execute("CREATE SEQUENCE pgask.tries")
    owner.execute("GRANT USAGE ON pgask.tries TO pgask_app")
    owner.execute(
        "CREATE FUNCTION pgask.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('pgask.tries');"
        " RAISE EXCEPTION 'this is why' USING ERRCODE = current_setting('test.refusal'), DETAIL = 'more'; END $$"
    )
    owner.execute(
        "CREATE TRIGGER refuse BEFORE DELETE ON pgask.documents FOR EACH STATEMENT EXECUTE FUNCTION pgask.refuse()"
    )


def waits(watcher: Connection, waiting: Connection) -> bool:
    """Whether a session of the same role waits for a lock."""
    found = watcher.execute(
        "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [waiting.info.backend_pid]
    ).fetchone()
    return found == (True,)


def is_one_line(done: Done, code: str) -> bool:
    """Whether a command with --json ended in one line for people and this code for programs."""
    told = done.json["error"]
    lines = [
        line for line in done.err.splitlines() if not line.startswith("20")
    ]  # the log's begin with the date
    assert "Traceback" not in done.err or code == "store_error"  # what nobody foresaw is logged whole
    assert (done.code, told["code"]) == (2, code), done
    return lines[-1] == f"pgask: {told['detail']}"


def test_f_201_each_refusal_ends_a_command_in_one_line(pgask: Pgask, database: Database) -> None:
    open_collection(database)
    with connect(database.owner) as owner:
        refuse_deletes(owner)
        for state, code in RAISED.items():
            url = make_conninfo(database.app, options=f"-c test.refusal={state}")
            done = pgask("collections", "delete", "default", "--yes", "--json", database_url=url)
            assert is_one_line(done, code), (state, done)
            with pytest.raises(StoreError) as refused, connect(url) as app:
                app.execute("DELETE FROM pgask.documents")
            assert refused.value.code == code
            if code not in ("disk_full", "deadlock"):
                assert "this is why" in str(refused.value)


def test_f_201_conditions_of_a_real_server(pgask: Pgask, database: Database) -> None:
    open_collection(database)

    def end(code: str, *command: str, owner: str = "", **options: str) -> None:
        set_by = " ".join(f"-c {name}={value}" for name, value in options.items())
        urls = {
            "database_url": make_conninfo(database.app, options=set_by),
            "owner_database_url": make_conninfo(database.owner, options=owner),
        }
        assert is_one_line(pgask(*command, "--json", **urls), code), (command, options)

    end("database_read_only", "collections", "delete", "default", "--yes", default_transaction_read_only="on")
    with psycopg.connect(database.owner) as other:
        other.execute("LOCK TABLE pgask.collections")
        end("lock_timeout", "collections", lock_timeout="50ms")
        end("lock_timeout", "index", owner="-c lock_timeout=50ms")
        end("statement_timeout", "index", owner="-c statement_timeout=100ms")
    with connect(database.owner) as owner:
        owner.execute("REVOKE SELECT ON pgask.collections FROM pgask_app")
        end("missing_privilege", "collections")
        owner.execute("GRANT SELECT ON pgask.collections TO pgask_app")
        owner.execute("ALTER TABLE pgask.collections RENAME TO other")
        end("schema_mismatch", "collections")
        end("schema_mismatch", "index")
        owner.execute("ALTER TABLE pgask.other RENAME TO collections")
        name = owner.info.dbname
        owner.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0".encode())
        end("too_many_connections", "collections")
        end("too_many_connections", "migrate", owner="")


async def test_f_201_a_full_pool_is_busy_and_an_empty_one_says_why(database: Database) -> None:
    async with open_pool(database.app, size=1, statement_timeout_s=1.0) as pool:
        async with transaction(pool):
            with pytest.raises(StoreBusyError) as busy:
                await run_alone(pool, lambda connection: connection.execute("SELECT 1"))
        assert busy.value.code == "database_busy"
        await run_alone(pool, lambda connection: connection.execute("SELECT 1"))
        assert pool.in_use == 0
    nowhere = make_conninfo(database.app, host="/nowhere")
    async with open_pool(nowhere, size=1, statement_timeout_s=0.3) as pool:
        with pytest.raises(StoreUnavailableError, match="nowhere") as away:
            async with transaction(pool):
                pass
        assert away.value.code == "store_unavailable"
    with connect(database.owner) as owner:
        owner.execute(f"ALTER DATABASE {owner.info.dbname} CONNECTION LIMIT 0".encode())
    async with open_pool(database.app, size=1, statement_timeout_s=0.3) as pool:
        with pytest.raises(StoreBusyError) as full:
            async with transaction(pool):
                pass
        assert full.value.code == "too_many_connections"


def test_f_203_a_write_that_met_another_one_is_done_again(database: Database) -> None:
    """A delete of two documents and a write that takes them in the other order: PostgreSQL ends one, it is tried again.
    Refused each time, it is told after the third."""
    collection = open_collection(database)
    with connect(database.owner) as owner, connect(database.app) as app:
        for source in ("a", "b"):
            record_failure(app, collection, version_of(source, ""), "empty", "")
        with (
            ThreadPoolExecutor(1) as pool,
            connect(database.app) as watcher,
            psycopg.connect(database.owner) as other,
        ):
            other.execute("SELECT FROM pgask.documents WHERE source = 'b' FOR UPDATE")
            deleting = pool.submit(remove_documents, app, collection, ["a", "b"])  # has a, waits for b
            wait_until(lambda: waits(watcher, app))
            other.execute("SELECT FROM pgask.documents WHERE source = 'a' FOR UPDATE")
            other.rollback()
            assert deleting.result(timeout=10) == 2
        refuse_deletes(owner)
        app.execute("SET test.refusal = '40P01'")
        with pytest.raises(StoreBusyError):
            remove_documents(app, collection, ["a"])
        assert owner.execute("SELECT last_value FROM pgask.tries").fetchone() == (3,)
        with pytest.raises(StoreBusyError), app.transaction():  # the caller's: not tried again
            remove_documents(app, collection, ["a"])
        assert owner.execute("SELECT last_value FROM pgask.tries").fetchone() == (4,)
