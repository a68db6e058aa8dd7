"""Opening the database for a command: settings, logs, the server, its schema checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.config import Settings
    from app.store.connection import Database


def read_settings(**overrides: object) -> Settings:
    """The settings, with the logs set up as they say. Raises ConfigError."""
    from app.config import load_settings
    from app.logs import configure_logs

    settings = load_settings(**overrides)
    configure_logs(settings.log_level)
    return settings


@contextmanager
def open_checked(settings: Settings) -> Iterator[Database]:
    """The database, with a schema of this code's revision, for PGASK_TENANT. Raises StoreError, SchemaError."""
    from app.store.connection import connect, open_database
    from app.store.migrate import check_revision
    from app.store.tenancy import open_scope, working_for

    with open_database(settings) as database:
        with connect(database.app) as connection:
            check_revision(connection)
            scope = open_scope(connection, settings.tenant)
        with working_for(scope):
            yield database


def bring_to_head(database: Database, *, ahead: bool = False) -> tuple[str | None, str | None]:
    """Migrate, with `ahead` as far as services of the version before go on; returns the revision before and after.
    Raises SchemaError where the schema is newer than this code."""
    from app.store.migrate import migrate, migrate_ahead

    return migrate_ahead(database) if ahead else migrate(database)
