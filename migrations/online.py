"""What a migration does to a large table while questions are asked and documents written (docs/adr/0044).

A revision states its KIND. "pre" adds: the code of the version before goes on with it. "post" takes away, or asks for,
what that code still needs otherwise: it runs once no such service is left. Each runs in a transaction of its own, with
a time limit for locks, and is done again where it met one (app/store/migrate.py): so each must bear being begun anew.
`commit` divides it into short transactions; what takes as long as there are rows goes beside them, by the rest here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from alembic import op
from sqlalchemy import text

# Of `pgask` those that grow with what is stored, and all of `pgask_vectors`: what holds readers or writers back must
# not read them, nor change their rows.
LARGE: Final = frozenset(
    {
        *("audit", "background_windows", "chunks", "document_facts", "document_texts", "documents"),
        *(
            "former_documents",
            "job_files",
            "merged_chunks",
            "original_parts",
            "originals",
            "page_lines",
            "posting_blocks",
        ),
        *("postings", "signature_bands"),
    }
)
BATCH_ROWS: Final = 5_000
REST: Final = (
    1.0  # seconds without work for each second of it: readers and writers have the rest of the machine
)


def vector_tables(kind: str) -> list[str]:
    """The spaces' tables of one kind, "chunk" or "window", with their schema."""
    statement = text(
        "SELECT 'pgask_vectors.' || c.relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'pgask_vectors' AND c.relkind = 'r' AND c.relname ~ :pattern ORDER BY 1"
    )
    return list(op.get_bind().execute(statement, {"pattern": f"^{kind}_vectors_[0-9]+$"}).scalars())


def commit() -> None:
    """End the transaction so far, and begin another one: what was done stays done whatever comes next."""
    with op.get_context().autocommit_block():
        pass


@contextmanager
def alone() -> Iterator[None]:
    """Statements outside of any transaction, and waiting for others without a limit: nobody waits behind it."""
    with op.get_context().autocommit_block():
        limit = op.get_bind().execute(text("SELECT current_setting('lock_timeout')")).scalar_one()
        op.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            op.execute(f"SET lock_timeout = '{limit}'")


def build_index(name: str, table: str, columns: str, included: str = "") -> None:
    """Build an index beside readers and writers, unless it is there and valid; what a killed build left goes first.
    `table` has its schema, `columns` is what stands in the brackets, `included` in those of INCLUDE. By one process:
    several would take all of a small machine from those who ask."""
    besides = f" INCLUDE ({included})" if included else ""
    schema = table.partition(".")[0]
    valid = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    with alone():
        if op.get_bind().execute(valid, {"name": f"{schema}.{name}"}).scalar() is False:
            op.execute(f"DROP INDEX CONCURRENTLY {schema}.{name}")
        op.execute("SET max_parallel_maintenance_workers = 0")
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} ({columns}){besides}")
        op.execute("SET max_parallel_maintenance_workers = DEFAULT")


def drop_index(name: str) -> None:
    """Drop an index, with its schema, where it is there; readers go on."""
    with alone():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def promise_not_null(table: str, column: str) -> None:
    """From now on no row without a value is written; those that are there are not looked at. For a moment."""
    name = _promise(table, column)
    found = text(
        "SELECT count(*) FROM pg_constraint WHERE conrelid = to_regclass(:table) AND conname = :name"
    )
    if not op.get_bind().execute(found, {"table": table, "name": name}).scalar_one():
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID")
    commit()


def check_not_null(table: str, column: str) -> None:
    """Look whether all rows have a value, beside readers and writers. After `promise_not_null`."""
    with alone():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {_promise(table, column)}")


def set_not_null(table: str, column: str) -> None:
    """Make the column NOT NULL. After `check_not_null`, which PostgreSQL then goes by: for a moment."""
    op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {_promise(table, column)}")
    commit()


def drop_promise(table: str, column: str) -> None:
    """Take `promise_not_null` back."""
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {_promise(table, column)}")
    commit()


def update_in_batches(
    table: str, key: Sequence[str], assignment: str, condition: str, *, using: str = ""
) -> int:
    """Update the rows `t` of a table where `condition` holds, in the order of its primary key, BATCH_ROWS looked at a
    transaction, with a rest after each. Returns how many were changed. Begun anew, it changes what is left."""
    columns, changed = ", ".join(f"t.{name}" for name in key), 0
    after: tuple[object, ...] | None = None
    with op.get_context().autocommit_block():
        bind = op.get_bind()
        while True:
            started = time.monotonic()
            given = {f"after_{place}": value for place, value in enumerate(after or ())}
            beyond = f"({columns}) > ({', '.join(':' + name for name in given)})" if given else "true"
            next_key = (
                f"SELECT {columns} FROM {table} t WHERE {beyond} ORDER BY {columns} OFFSET :rows LIMIT 1"  # noqa: S608 - constants only
            )
            last = bind.execute(text(next_key), given | {"rows": BATCH_ROWS - 1}).fetchone()
            limits = {f"last_{place}": value for place, value in enumerate(last or ())}
            within = f"({columns}) <= ({', '.join(':' + name for name in limits)})" if limits else "true"
            update = f"UPDATE {table} t SET {assignment} {using} WHERE {condition} AND {beyond} AND {within}"  # noqa: S608
            changed += bind.execute(text(update), given | limits).rowcount
            if last is None:
                return changed
            after = tuple(last)
            time.sleep(REST * (time.monotonic() - started))


def _promise(table: str, column: str) -> str:
    return f"ck_{table.partition('.')[2]}_{column}_given"
