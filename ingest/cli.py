"""`ingest PATH…`: arguments, progress, report and exit code around ingest/pipeline.py.

Exit codes: 0 all in, 1 some files failed, 2 could not start, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from app.config import Settings, load_settings
from app.embedding import SentenceTransformerEmbedder
from app.errors import PgaskError
from app.logs import configure_logs
from app.store import upkeep
from app.store.engine import Database, connect, open_database
from app.store.index import IndexSettings
from app.store.migrate import check_revision
from app.store.spaces import ensure_collection, ensure_space, peek_collection
from ingest.pipeline import IngestOptions, IngestRun, Plan, Report
from ingest.sandbox import SandboxedParser

app = typer.Typer(add_completion=False)


class _Bar:
    """Progress on a terminal: stage, files, chunks and tokens a second, time left. Silent elsewhere."""

    def __init__(self, console: Console, *, shown: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not shown,
        )
        self._chunks = self._tokens = 0

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def stage(self, name: str, total: int) -> None:
        for task in self._progress.task_ids:
            self._progress.update(task, visible=False)
        self._task = self._progress.add_task(name, total=total, rate="")

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None:  # noqa: ARG002 - the protocol's
        self._chunks += chunks
        self._tokens += tokens
        elapsed = self._progress.tasks[-1].elapsed or 0.0
        rate = (
            f"{self._chunks} chunks, {self._tokens / elapsed:,.0f} tokens/s"
            if elapsed and self._tokens
            else ""
        )
        self._progress.update(self._task, advance=1, rate=rate)


@app.command(epilog="Example: ingest ./corpus --collection handbook --prune")
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to take in.")],
    *,
    collection: Annotated[str, typer.Option(help="Collection that the documents go into.")] = "default",
    chunk_tokens: Annotated[int | None, typer.Option(help="Most tokens in a chunk, 128 to 1,024.")] = None,
    overlap: Annotated[
        int | None, typer.Option(help="Tokens shared with the chunk before, 0 to 256.")
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Forget documents whose file is gone.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")] = False,
) -> None:
    """Take files and folders into a collection: new and changed ones go in, unchanged ones are skipped by hash."""
    errors = Console(stderr=True)
    try:
        settings = load_settings(chunk_tokens=chunk_tokens, overlap=overlap)
        configure_logs(settings.log_level)
        options = IngestOptions.from_settings(settings, prune=prune)
        with open_database(settings) as database:
            code = _run(
                database, settings, paths, collection, options, dry_run=dry_run, as_json=as_json, quiet=quiet
            )
    except PgaskError as error:
        _print_error(errors, error, as_json=as_json)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:  # while starting, or while a model loads
        raise typer.Exit(130) from None
    raise typer.Exit(code)


def _run(
    database: Database,
    settings: Settings,
    paths: list[Path],
    collection_name: str,
    options: IngestOptions,
    *,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    console = Console(stderr=True)
    shown = not quiet and console.is_terminal
    with connect(database.app) as connection, SandboxedParser() as parser:
        check_revision(connection)
        embedder = SentenceTransformerEmbedder.from_settings(settings)
        if dry_run:
            peeked = peek_collection(connection, collection_name, embedder.space)
            with _Bar(console, shown=shown) as bar:
                plan = IngestRun(connection, peeked, embedder, options, bar, parse=parser.parse).plan(paths)
            return _print_plan(plan, as_json=as_json)
        with connect(database.owner) as owner:
            space_id = ensure_space(owner, embedder.space)
        collection = ensure_collection(connection, collection_name, space_id)
        interrupted = False
        with _Bar(console, shown=shown) as bar:
            run = IngestRun(
                connection, collection, embedder, options, bar, parse=parser.parse, home=database.home
            )
            try:
                run.execute(run.plan(paths))
            except KeyboardInterrupt:
                interrupted = True
                connection.close()  # it may be in the middle of a command, which nothing can follow
    if not interrupted and not any(failure.code == "disk_full" for failure in run.report.failed):
        interrupted = not _maintain_index(database, settings, space_id, console, quiet=quiet)
    _print_report(run.report, interrupted=interrupted, as_json=as_json, quiet=quiet)
    if interrupted:
        return 130
    return 1 if run.report.failed else 0


def _maintain_index(
    database: Database, settings: Settings, space_id: int, console: Console, *, quiet: bool
) -> bool:
    """Build the vector index if it is due. False: interrupted; the next run builds it."""
    try:
        with connect(database.owner) as owner:
            built = upkeep.maintain(owner, space_id, IndexSettings.from_settings(settings))
    except KeyboardInterrupt:
        return False
    if built is not None and not quiet:
        console.print(f"index: {built.method}, recall@10 {built.recall} over {built.rows:,} chunks")
    return True


def _print_plan(plan: Plan, *, as_json: bool) -> int:
    groups = {
        "new": [("+", source) for source in plan.new],
        "changed": [("~", source) for source in plan.changed],
        "renamed": [(">", f"{old} → {new}") for old, new in plan.renamed],
        "removed": [("-", source) for source in plan.removed],
        "failed": [("!", f"{failure.source} ({failure.code})") for failure in plan.failed],
    }
    if as_json:
        planned = Report(
            new=len(plan.new),
            changed=len(plan.changed),
            renamed=len(plan.renamed),
            unchanged=len(plan.unchanged),
            removed=len(plan.removed),
            failed=list(plan.failed),
        )
        print(_json(asdict(planned) | {"dry_run": True}))
    else:
        for lines in groups.values():
            for mark, text in lines:
                print(f"{mark} {_printable(text)}")
        print("nothing to do" if not any(groups.values()) else f"{len(plan.unchanged)} unchanged")
    return 1 if plan.failed else 0


def _print_report(report: Report, *, interrupted: bool, as_json: bool, quiet: bool) -> None:
    if not quiet:
        console = Console(stderr=True)
        for failure in report.failed:
            console.print(
                Text(f"failed  {_printable(failure.source)}: {failure.code}. {_printable(failure.detail)}"),
                soft_wrap=True,
            )
        console.print(
            f"{report.new} new, {report.changed} changed, {report.renamed} renamed, {report.unchanged} unchanged, "
            f"{report.removed} removed, {len(report.failed)} failed; {report.chunks} chunks, {report.tokens:,} tokens "
            f"in {report.seconds:.1f} s",
            highlight=False,
            soft_wrap=True,
        )
        if interrupted:
            console.print("Interrupted. What is in is in; run the same command again for the rest.")
    if as_json:
        print(_json(asdict(report)))


def _print_error(console: Console, error: PgaskError, *, as_json: bool) -> None:
    console.print(Text(_printable(f"ingest: {error}")), soft_wrap=True)
    if as_json:
        print(_json({"error": {"code": error.code, "detail": str(error)}}))


def _json(value: dict[str, Any]) -> str:
    """One line of JSON with letters of every script as they are, and nothing in it that acts on a terminal."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _printable(text: str) -> str:
    """Control characters in a file's name must not reach the terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)


def main() -> None:
    """Entry point of the `ingest` command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
