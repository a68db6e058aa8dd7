"""What the other integration tests rely on: their database is migrated, empty and theirs alone."""

from __future__ import annotations

import psycopg
import pytest

from app.store.connection import Database, connect
from app.store.migrate import check_revision, current_revision

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("again", [False, True])
def test_each_test_has_a_migrated_database_of_its_own(database: Database, again: bool) -> None:
    with connect(database.app) as app:
        check_revision(app)
    with psycopg.connect(database.owner) as owner:
        owner.execute("CREATE TABLE public.left_behind ()")  # fails in the second test if they shared one


def test_an_empty_database_has_no_schema(empty_database: Database) -> None:
    with connect(empty_database.app) as app:
        assert current_revision(app) is None


def test_the_app_role_can_not_change_the_schema(database: Database) -> None:
    with connect(database.app) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("CREATE TABLE pgask.mine ()")
