"""What `pgask spaces evaluate` found of each collection's twin, for `switch` to see. Sync, as the schema's owner.

It holds until the next `add`, or until spaces are switched. What is ingested meanwhile does not end it: a switch that
waited for texts to stay as they are would never come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.sqlstates import store_errors
from app.store.connection import Connection

Rows = Sequence[dict[str, Any]]  # of app/trial/comparison.py, as JSON has them


@dataclass(frozen=True, slots=True)
class Trial:
    """The filled twins of one collection: their numbers (of each shelf one), the collection's name and tenant, and what
    was found since the last `add`; None where that was not looked at."""

    twin_ids: list[int]
    name: str
    tenant_id: int
    evaluation: list[dict[str, Any]] | None


def list_trials(connection: Connection, space_id: int) -> list[Trial]:
    """The collections with text that have a filled twin in a space, by name."""
    with store_errors(), connection.cursor(row_factory=class_row(Trial)) as cursor:
        return cursor.execute(
            "SELECT array_agg(t.id) AS twin_ids, c.name, c.tenant_id,"
            " (array_agg(t.evaluation) FILTER (WHERE t.evaluation IS NOT NULL))[1] AS evaluation"
            " FROM pgask.collections t JOIN pgask.collections c ON c.id = t.twin_of"
            " WHERE t.space_id = %s AND t.filled_at IS NOT NULL AND c.chunk_count > 0"
            " GROUP BY c.tenant_id, c.name ORDER BY c.tenant_id, c.name",
            [space_id],
        ).fetchall()


def keep_evaluation(connection: Connection, trial: Trial, rows: Rows) -> None:
    """Note what was found of a collection's twins; nothing of those that are gone, or answer by now."""
    with store_errors():
        connection.execute(
            "UPDATE pgask.collections SET evaluation = %s, evaluated_at = now()"
            " WHERE id = ANY(%s) AND twin_of IS NOT NULL",
            [Jsonb(list(rows)), trial.twin_ids],
        )


def forget_evaluations(connection: Connection, space_id: int) -> None:
    """What was found of the twins in a space counts no more."""
    with store_errors():
        connection.execute(
            "UPDATE pgask.collections SET evaluation = NULL, evaluated_at = NULL"
            " WHERE space_id = %s AND twin_of IS NOT NULL AND evaluated_at IS NOT NULL",
            [space_id],
        )
