"""`pgask feedback`: what readers thought of answers, and the cases of `rag-eval` that it makes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.cli.output import AsJson, print_json, print_table, printable
from app.cli.transactions import in_transaction
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from app.store.connection import AsyncConnection
    from app.store.ratings import Rated

_feedback = typer.Typer(help="What readers thought of answers.", no_args_is_help=True)
Only = Annotated[Literal["up", "down"] | None, typer.Option("--rating", help="Only these.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(_feedback, name="feedback", epilog="Example: pgask feedback export cases.jsonl")


@_feedback.command("list", epilog="Example: pgask feedback list --rating down")
def list_feedback(
    rating: Only = None,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List ratings, the newest first."""
    found = _read(rating, limit)
    if as_json:
        print_json({"feedback": [asdict(one) for one in found]})
        return
    print_table(
        ("WHEN", "WHO", "RATING", "REASON", "QUESTION", "COMMENT"),
        (
            (
                f"{one.at:%Y-%m-%d %H:%M}",
                one.actor,
                one.rating,
                one.reason or "",
                one.question[:80],
                one.comment[:80],
            )
            for one in found
        ),
    )


@_feedback.command("export", epilog="Example: pgask feedback export cases.jsonl --collection handbook")
def export_feedback(
    file: Annotated[Path, typer.Argument(help="The question file to write, for `rag-eval run --questions`.")],
    collection: Annotated[
        str | None, typer.Option(help="Only questions that asked this collection alone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the cases that ratings make: good answers are to be found again, good refusals to stay refusals."""
    from app.store.ratings import case_of

    cases, without = [], 0
    for one in reversed(_read(None, None)):
        case = case_of(one)
        if collection is not None and one.scope.get("collections") != [collection]:
            continue
        if case is None:
            without += 1
        else:
            cases.append(case)
    try:
        file.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), "utf-8")
    except OSError as error:
        raise InvalidRequestError(
            f"{file} can't be written: {error.strerror}.", code="file_refused"
        ) from error
    if as_json:
        print_json({"file": str(file), "cases": len(cases), "without": without})
        return
    print(printable(f"wrote {len(cases):,} cases to {file}"))
    if without:
        print(
            f"{without:,} ratings say what is wrong and not what is right: pgask feedback list --rating down"
        )


def _read(rating: Literal["up", "down"] | None, most: int | None) -> list[Rated]:
    async def read(connection: AsyncConnection) -> list[Rated]:
        from app.store.ratings import MAX_PAGE, list_ratings

        found: list[Rated] = []
        while most is None or len(found) < most:
            wanted = MAX_PAGE if most is None else min(MAX_PAGE, most - len(found))
            before = found[-1].id if found else None
            page = await list_ratings(connection, rating=rating, before=before, most=wanted)
            found += page
            if len(page) < wanted:
                break
        return found

    return in_transaction(read)
