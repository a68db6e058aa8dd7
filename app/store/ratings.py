"""What readers thought of answers, and the cases of `rag-eval` that follow from it. Async, in the caller's transaction.

A rating never changes how anything is ranked: it becomes a case that a change is held against (docs/feedback.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.store.connection import AsyncConnection

Rating = Literal["up", "down"]
Reason = Literal["wrong_source", "not_supported", "incomplete", "should_have_refused", "should_have_answered"]
MAX_PAGE: Final = 200
MOST_OF_ONE: Final = 10_000  # ratings of one reader; then the oldest go: nobody fills the table


@dataclass(frozen=True, slots=True)
class Rated:
    """An answer and what a reader thought of it. `citations` are as they were on the wire; `scope` says what was asked
    (`collections`, `filter`), `state` what answered (versions, models, chunks)."""

    id: int
    at: datetime
    actor: str
    request_id: str
    rating: Rating
    reason: Reason | None
    comment: str
    question: str
    answer: str
    abstained: bool
    scope: dict[str, Any]
    citations: list[dict[str, Any]]
    state: dict[str, Any]


_COLUMNS: Final = (
    "id, at, actor, request_id, rating, reason, comment, question, answer, abstained, scope, citations, state"
)


async def rate(
    connection: AsyncConnection, actor: str, key_id: UUID | None, rated: Mapping[str, Any], *, days: int
) -> None:
    """Store a rating, in place of the same reader's earlier one of the same answer; forget those older than `days`, and
    all but the reader's newest MOST_OF_ONE."""
    await connection.execute("DELETE FROM pgask.feedback WHERE at < now() - %s", [timedelta(days=days)])
    await connection.execute(
        "DELETE FROM pgask.feedback WHERE request_id = %s AND actor = %s AND key_id IS NOT DISTINCT FROM %s",
        [rated["request_id"], actor, key_id],
    )
    await connection.execute(
        "INSERT INTO pgask.feedback (actor, key_id, request_id, rating, reason, comment, question, answer, abstained,"
        " scope, citations, state) VALUES (%(actor)s, %(key_id)s, %(request_id)s, %(rating)s, %(reason)s, %(comment)s,"
        " %(question)s, %(answer)s, %(abstained)s, %(scope)s, %(citations)s, %(state)s)",
        {
            **rated,
            "actor": actor,
            "key_id": key_id,
            "scope": Jsonb(rated["scope"]),
            "citations": Jsonb(rated["citations"]),
            "state": Jsonb(rated["state"]),
        },
    )
    await connection.execute(
        "DELETE FROM pgask.feedback WHERE actor = %(actor)s AND key_id IS NOT DISTINCT FROM %(key)s AND id <="
        " (SELECT id FROM pgask.feedback WHERE actor = %(actor)s AND key_id IS NOT DISTINCT FROM %(key)s"
        "   ORDER BY id DESC OFFSET %(most)s LIMIT 1)",
        {"actor": actor, "key": key_id, "most": MOST_OF_ONE},
    )


async def list_ratings(
    connection: AsyncConnection,
    *,
    rating: Rating | None = None,
    before: int | None = None,
    most: int = MAX_PAGE,
) -> Sequence[Rated]:
    """The newest ratings, the newest first; those before an id."""
    async with connection.cursor(row_factory=class_row(Rated)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM pgask.feedback"  # noqa: S608 - constants only
            " WHERE (%(rating)s::text IS NULL OR rating = %(rating)s)"
            "   AND (%(before)s::bigint IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(most)s",
            {"rating": rating, "before": before, "most": most},
        )
        return await cursor.fetchall()


def case_of(rated: Rated) -> dict[str, Any] | None:
    """The line of a question file that a rating makes; None where it says what is wrong and not what is right.

    A good answer: its first cited passage is to be found. A good refusal, or "it should have refused": the question
    is to be refused. "It should have answered": it is to be answered, from wherever.
    """
    names = rated.scope.get("collections") or []
    case: dict[str, Any] = {
        "id": f"feedback-{rated.id}",
        "question": rated.question,
        "kind": f"thumb-{rated.rating}",
    }
    if len(names) == 1:
        case["collection"] = names[0]
    reason = rated.reason if rated.rating == "down" else None
    if (rated.rating == "up" and rated.abstained) or reason == "should_have_refused":
        return case | {"answerable": False, "answers": []}
    if reason == "should_have_answered":
        return case | {"answerable": True, "answers": []}
    if rated.rating == "down" or not rated.citations:
        return None
    first = next((one for one in rated.citations if one.get("supported")), rated.citations[0])
    return case | {
        "answerable": True,
        "answers": [],
        "doc": first["source"],
        "context": first["quote"],
        "context_start": first["char_start"],
        "context_end": first["char_end"],
    }
