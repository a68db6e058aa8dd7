"""A backup holds everything: another database answers from it as the first did (R14)."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest
from psycopg import sql

from app.errors import PgaskError
from app.store.backup import back_up, restore
from app.store.connection import Database, connect
from app.store.migrate import compare, migrate
from app.store.partitions import arrange_partitions
from tests.integration.ingesting import FAKE, open_collection, random_text
from tests.integration.searching import Corpus
from tests.integration.test_cli import Pgask, pgask
from tests.integration.test_export import lists

__all__ = ["pgask"]  # the fixture

pytestmark = pytest.mark.integration


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, by the table's name."""
    with connect(url) as owner:
        tables = owner.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE 'pgask%%' ORDER BY 1, 2"
        ).fetchall()
        return {
            f"{schema}.{table}": owner.execute(
                sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(schema, table))
            ).fetchall()
            for schema, table in tables
        }


def test_r14_what_is_restored_is_what_was_there(
    pgask: Pgask, database: Database, empty_database: Database, tmp_path: Path
) -> None:
    Corpus(database).fill(12, seed=5)
    Corpus(database, "beside").fill(1, seed=100)
    with connect(database.owner) as owner:
        assert arrange_partitions(owner, 1, 5) == 1
    assert pgask("keys", "create", "--name", "ann", "--role", "reader").code == 0
    file = tmp_path / "all.dump"
    done = pgask("backup", str(file), "--json")
    assert done.code == 0, done.err
    assert done.json["size_bytes"] == file.stat().st_size > 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*.dump*")] == ["all.dump"]
    again = pgask("backup", str(file), "--json")
    assert again.json["error"]["code"] == "file_exists"
    assert pgask("backup", str(file), "--overwrite").code == 0

    into = {"database_url": empty_database.app, "owner_database_url": empty_database.owner}
    done = pgask("restore", str(file), "--json", **into)
    assert done.code == 0, done.err
    assert contents(empty_database.owner) == contents(database.owner)
    asked = [random_text(number, 1, chinese=number % 3 == 0) for number in range(20)]
    found = [json.loads(asyncio.run(lists(one, asked))) for one in (database, empty_database)]
    assert found[0] == found[1]
    assert sum(map(len, found[0])) > 20
    compare(empty_database)
    with connect(empty_database.app) as app:  # the service's role has its rights again
        open_collection(empty_database, FAKE)
        assert app.execute("SELECT count(*) FROM pgask.documents").fetchone() == (13,)
    again = pgask("restore", str(file), "--json", **into)
    assert (again.code, again.json["error"]["code"]) == (2, "database_not_empty")


def test_a_broken_backup_restores_nothing(
    database: Database, empty_database: Database, tmp_path: Path
) -> None:
    Corpus(database).put("a.md", random_text(1, 40))
    whole, torn = tmp_path / "whole.dump", tmp_path / "torn.dump"
    back_up(database, whole)
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(PgaskError) as refused:
        restore(empty_database, torn)
    assert refused.value.code == "restore_failed"
    with connect(empty_database.owner, vectors=False) as owner:
        assert owner.execute("SELECT to_regclass('pgask.documents')").fetchone() == (None,)
    (tmp_path / "other.dump").write_text("no backup")
    for name in ("other.dump", "missing.dump"):
        with pytest.raises(PgaskError) as refused:
            restore(empty_database, tmp_path / name)
        assert refused.value.code == "not_a_backup"
    restore(empty_database, whole)
    migrate(empty_database)
    assert contents(empty_database.owner) == contents(database.owner)


def test_what_can_not_be_written_says_so(
    database: Database, empty_database: Database, tmp_path: Path
) -> None:
    with pytest.raises(PgaskError, match="nothing to back up"):
        back_up(empty_database, tmp_path / "empty.dump")
    with pytest.raises(PgaskError) as refused:
        back_up(database, tmp_path / "no-such-folder/all.dump")
    assert refused.value.code == "backup_failed"
    assert database.owner.partition("://")[2].partition("@")[0].partition(":")[2] not in str(refused.value)
