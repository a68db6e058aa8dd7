"""`pgask upgrade`: the same questions before and after an upgrade, and what moved."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer

from app.cli.asking import with_components
from app.cli.opening import read_settings
from app.cli.output import AsJson, print_json, print_table, printable
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from app.api.components import Components
    from app.trial.snapshot import Comparison, Snapshot

_SHOWN: Final = 50  # questions that moved, in the table for people

Asked = list[tuple[str, tuple[str, ...]]]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: pgask upgrade --save before.json, upgrade, then pgask upgrade --check before.json"
    )(upgrade)


def upgrade(
    *,
    save: Annotated[
        Path | None, typer.Option("--save", help="Before: ask, and write what is replied to this new file.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="After: ask the questions of this file again, and compare.")
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="With --save: a question file of `rag-eval`, in place of the "
                     "questions that readers rated."),
    ] = None,
    collection: Annotated[
        str | None, typer.Option(help="With --save: only questions of this collection; those of a file that name none "
                                 "ask it (else: default).")
    ] = None,
    bound: Annotated[
        float, typer.Option(min=0, max=1, help="With --check: the largest share of replies that may change, and of "
                            "hits that may go.")
    ] = 0.05,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Ask kept questions before and after an upgrade, and show which answers, refusals and hits moved. Only quotes are
    compared, no language model is asked. Exit code 1 where more moved than --bound."""
    if (save is None) == (check is None):
        raise InvalidRequestError(
            "Give --save FILE before the upgrade, or --check FILE after it.", code="one_of_two"
        )
    if save is not None:
        _save(save, questions, collection, as_json=as_json)
    elif check is not None and not _check(check, bound, as_json=as_json):
        raise typer.Exit(1)


def _save(path: Path, questions: Path | None, collection: str | None, *, as_json: bool) -> None:
    from app.trial.question_file import load_questions
    from app.trial.snapshot import asked_of, write_snapshot

    if path.exists():
        raise InvalidRequestError(f"{path} is there already. Name another file.", code="file_exists")
    asked = None if questions is None else asked_of(load_questions(questions), collection or "default")
    snapshot = _ask(asked, collection, quiet=as_json)
    write_snapshot(path, snapshot)
    if as_json:
        print_json({"file": str(path), "questions": len(snapshot.replies)})
    else:
        print(
            printable(
                f"{path}: {len(snapshot.replies):,} questions. After the upgrade: pgask upgrade --check {path}"
            )
        )


def _check(path: Path, bound: float, *, as_json: bool) -> bool:
    """Whether no more than `bound` moved."""
    from app.trial.snapshot import compare, read_snapshot

    before = read_snapshot(path)
    now = _ask([(one.question, one.collections) for one in before.replies], None, quiet=as_json)
    compared = compare(before, now.replies)
    if as_json:
        print_json(_as_json(before, now, compared, bound))
    else:
        _show(before, now, compared, bound)
    return not compared.exceeds(bound)


def _ask(asked: Asked | None, collection: str | None, *, quiet: bool) -> Snapshot:
    """Ask these, else what readers rated. Raises InvalidRequestError (`no_questions`)."""
    from importlib.metadata import version

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from app.store.connection import transaction
    from app.store.revisions import head_revision
    from app.trial.snapshot import Snapshot, ask_all, read_asked

    console = Console(stderr=True)
    bar = Progress(*Progress.get_default_columns()[:2], MofNCompleteColumn(), console=console,
                   transient=True, disable=quiet or not console.is_terminal)  # fmt: skip

    async def ask(parts: Components) -> Snapshot:
        wanted = asked
        if wanted is None:
            async with transaction(parts.pool) as connection:
                wanted = await read_asked(connection, collection)
        if not wanted:
            raise InvalidRequestError(
                "Readers have rated no answer yet. Give a file of questions: pgask upgrade --save FILE --questions "
                'QUESTIONS (JSON Lines: {"question": "…"}).',
                code="no_questions",
            )
        with bar:
            task = bar.add_task("questions", total=len(wanted))
            replies = await ask_all(parts.answerer.answer, wanted, lambda: bar.advance(task))
        return Snapshot(version("pgask"), head_revision(), parts.space.model, replies)

    snapshot: Snapshot = with_components(read_settings(), ask)
    return snapshot


def _what(snapshot: Snapshot) -> str:
    return f"pgask {snapshot.pgask}, schema {snapshot.schema}, {snapshot.model}"


def _counts(compared: Comparison) -> dict[str, int]:
    from app.trial.snapshot import Kind

    counted = Counter(one.kind for one in compared.moved)
    return {kind: counted[kind] for kind in get_args(Kind)}


def _as_json(before: Snapshot, now: Snapshot, compared: Comparison, bound: float) -> dict[str, object]:
    return {
        "before": {"pgask": before.pgask, "schema": before.schema, "model": before.model},
        "now": {"pgask": now.pgask, "schema": now.schema, "model": now.model},
        "questions": len(compared.moved),
        "counts": _counts(compared),
        "replies_changed": round(compared.replies_changed, 4),
        "hits_lost": round(compared.hits_lost, 4),
        "bound": bound,
        "ok": not compared.exceeds(bound),
        "moved": [
            {
                "question": one.now.question,
                "collections": one.now.collections,
                "kind": one.kind,
                "hits_kept": round(one.kept, 4),
                "before": one.before.code or one.before.answer,
                "now": one.now.code or one.now.answer,
            }
            for one in compared.moved
            if one.kind != "same"
        ],
    }


def _show(before: Snapshot, now: Snapshot, compared: Comparison, bound: float) -> None:
    print(printable(f"before: {_what(before)}\nnow:    {_what(now)}"))
    moved = sorted(
        (one for one in compared.moved if one.kind != "same"),
        key=lambda one: list(_counts(compared)).index(one.kind),
    )
    if moved:
        print_table(
            ("MOVED", "HITS KEPT", "QUESTION", "BEFORE", "NOW"),
            (
                (
                    one.kind,
                    f"{one.kept:.0%}",
                    one.now.question[:60],
                    (one.before.code or one.before.answer)[:60],
                    (one.now.code or one.now.answer)[:60],
                )
                for one in moved[:_SHOWN]
            ),
        )
    if len(moved) > _SHOWN:
        print(f"… and {len(moved) - _SHOWN:,} more (--json shows all)")
    said = ", ".join(f"{count:,} {kind}" for kind, count in _counts(compared).items() if count)
    verdict = "more than" if compared.exceeds(bound) else "within"
    print(
        f"{len(compared.moved):,} questions: {said}. {compared.replies_changed:.1%} of the replies changed and "
        f"{compared.hits_lost:.1%} of the hits are gone, {verdict} the bound of {bound:.1%}."
    )
