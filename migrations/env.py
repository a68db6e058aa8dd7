"""alembic's entry: runs the migrations on the connection that app/store/migrate.py hands over.

Knows nothing of settings: `pgask migrate` is the way to run it. Each revision is a transaction of its own.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from app.store.schema_names import SCHEMA
from app.store.tables import metadata


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "schema" or name == SCHEMA


def run(connection: Connection) -> None:
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))  # alembic's own table lives there
    connection.commit()  # alembic commits what it began itself
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=_is_ours,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
        on_version_apply=context.config.attributes["on_version_apply"],
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
