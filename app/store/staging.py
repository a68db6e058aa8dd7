"""COPY into tables with policies, which PostgreSQL refuses: rows go into a table of the session, and from there on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from app.store.connection import Connection

MOST_BYTES: Final = 1 << 20  # of a session's table, mostly rows that are deleted


@contextmanager
def staged_copy(
    connection: Connection, schema: str, table: str, columns: LiteralString, *, binary: bool = True
) -> Iterator[psycopg.Copy]:
    """A COPY whose rows come into `table` when the block ends, under its policies. The session's own table is made once
    a session; its rows are deleted as they go on, and the room that they leave is given back when it is MOST_BYTES:
    each time (ON COMMIT DELETE ROWS) it would take as long as all else."""
    names = {
        "table": sql.Identifier(schema, table),
        "staging": sql.Identifier("pg_temp", f"staged_{table}"),
        "columns": sql.SQL(columns),
        "format": sql.SQL("(FORMAT BINARY)" if binary else ""),
    }
    is_alone = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction() if is_alone else nullcontext():
        connection.execute(
            sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {staging} (LIKE {table} INCLUDING DEFAULTS)").format(
                **names
            )
        )
        with (
            connection.cursor() as cursor,
            cursor.copy(sql.SQL("COPY {staging} ({columns}) FROM STDIN {format}").format(**names)) as copy,
        ):
            yield copy
        size = connection.execute(
            sql.SQL(
                "WITH moved AS (DELETE FROM {staging} RETURNING {columns}),"
                " stored AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM moved)"
                " SELECT pg_relation_size({name}::regclass)"
            ).format(**names, name=f"pg_temp.staged_{table}")
        )
        if size.fetchall()[0][0] > MOST_BYTES:
            connection.execute(sql.SQL("TRUNCATE {staging}").format(**names))
