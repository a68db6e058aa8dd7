"""`ingest PATH…`: arguments, progress, report and exit code around ingest/pipeline.py.

Exit codes: 0 all in (with --watch: ended while waiting), 1 some files failed, 2 could not start, 130 interrupted.
"""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

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
from app.embedding import Embedder
from app.errors import InvalidRequestError, PgaskError
from app.index import maintenance
from app.index.manifest import IndexSettings
from app.logs import configure_logs
from app.store.backgrounds import ensure_texts
from app.store.chosen_model import ChosenModel
from app.store.connection import Database, connect, open_database, see
from app.store.migrate import check_revision
from app.store.shelves import Readers, read_groups
from app.store.spaces import ensure_collection, ensure_space, peek_collection
from app.store.tenancy import open_scope
from ingest.ignoring import Selection
from ingest.pipeline import IngestOptions, IngestRun
from ingest.run_summary import plan_lines, plan_object, printable, report_lines, report_object, to_json
from ingest.sandbox import SandboxedParser
from ingest.shelving import ShelvedRun
from ingest.watch import devices, watch_paths

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

    def page(self, source: str, page: int, pages: int) -> None:
        self._progress.update(self._task, rate=printable(f"{source[-40:]}: page {page:,} of {pages:,}"))


@app.command(epilog="Example: ingest ./corpus --collection handbook --prune")
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to take in.")],
    *,
    collection: Annotated[str, typer.Option(help="Collection that the documents go into.")] = "default",
    chunk_tokens: Annotated[int | None, typer.Option(help="Most tokens in a chunk, 128 to 1,024.")] = None,
    overlap: Annotated[
        int | None, typer.Option(help="Tokens shared with the chunk before, 0 to 256.")
    ] = None,
    duplicates: Annotated[
        str | None, typer.Option(help="keep_once: leave out what has the same text, or nearly; or keep_all.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Leave out what fits this glob, as in a .gitignore; may be repeated."),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(help="Take in only files that fit this glob (or another --include)."),
    ] = None,
    readers: Annotated[
        str | None,
        typer.Option(
            help="Groups that alone may read the documents, comma-separated; '' for all. A .pgask.toml in a folder "
            "comes before it; without either, who reads a document stays as it is."
        ),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Forget documents of these folders whose file is gone.")
    ] = False,
    prune_anyway: Annotated[
        bool,
        typer.Option(
            "--prune-anyway",
            help="The same where a folder is empty, or another disk seems to lie in its place.",
        ),
    ] = False,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            help="What the documents are called after in the collection: NAME/file.md. Once for all paths or once for "
            "each; a dot for none.",
        ),
    ] = None,
    rehash: Annotated[
        bool,
        typer.Option(
            "--rehash", help="Read every file, whatever its size and time say, and try failed ones again."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done and stop.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on after the first run: follow changes until Ctrl-C.")
    ] = False,
    poll: Annotated[
        bool, typer.Option("--poll", help="With --watch: look every second (network shares give no notices).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar and no summary.")] = False,
) -> None:
    """Take files and folders into a collection: new and changed ones go in, unchanged ones are not read.

    Pictures and other files that are no documents are skipped and counted, and so is what a .gitignore or .pgaskignore
    names.
    """
    errors = Console(stderr=True)
    if watch and dry_run:
        raise typer.BadParameter("--dry-run shows one plan; it can't be followed with --watch.")
    try:
        settings = load_settings(chunk_tokens=chunk_tokens, overlap=overlap, duplicates=duplicates)
        configure_logs(settings.log_level)
        job = _Job(
            settings=settings,
            model=ChosenModel(settings),
            paths=paths,
            collection=collection,
            options=IngestOptions.from_settings(
                settings,
                prune=prune,
                prune_anyway=prune_anyway,
                selection=Selection.from_globs(include or (), exclude or ()),
                names=names or (),
                rehash=rehash,
            ),
            readers=None if readers is None else read_groups(readers.split(",")),
            as_json=as_json,
            quiet=quiet,
        )
        once = _show_plan if dry_run else _run_once
        code = _follow(job, poll=poll) if watch else once(job)
    except PgaskError as error:
        _print_error(errors, error, as_json=as_json)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:  # while starting, or while a model loads
        raise typer.Exit(130) from None
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is taken in where, and how it is told; each run of it opens the database anew."""

    settings: Settings
    model: ChosenModel
    paths: list[Path]
    collection: str
    options: IngestOptions
    readers: Readers | None
    as_json: bool
    quiet: bool

    def bar(self, console: Console) -> _Bar:
        return _Bar(console, shown=not self.quiet and console.is_terminal)


def _show_plan(job: _Job) -> int:
    with (
        open_database(job.settings) as database,
        connect(database.app) as connection,
        SandboxedParser() as parser,
    ):
        check_revision(connection)
        see(connection, open_scope(connection, job.settings.tenant))
        embedder = job.model.embedder(connection)
        peek_collection(connection, job.collection, embedder.space)
        with job.bar(Console(stderr=True)) as bar:
            run = ShelvedRun(
                connection,
                job.collection,
                job.options,
                lambda shelf: IngestRun(connection, shelf, embedder, job.options, bar, parse=parser.parse),
                job.readers,
            )
            shelved = run.plan(job.paths)
            plan = shelved.plan
    if job.as_json:
        print(to_json(plan_object(plan, shelved.changes)))
    else:
        for line in plan_lines(plan, shelved.changes):
            print(line)
    return 1 if plan.failed or plan.retried or plan.still_failed else 0


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a run ended: its exit code, and whether files are left that only wait for space on the database's disk."""

    code: int
    disk_was_full: bool = False


def _run_once(job: _Job) -> int:
    return _run(job).code


def _run(job: _Job) -> _Ended:
    with open_database(job.settings) as database:
        return _run_on(database, job)


def _run_on(database: Database, job: _Job) -> _Ended:
    console = Console(stderr=True)
    with (
        connect(database.app) as connection,
        SandboxedParser() as parser,
        SandboxedParser.with_ocr() as scans,
    ):
        check_revision(connection)
        see(connection, open_scope(connection, job.settings.tenant))
        embedder = job.model.embedder(connection)
        with connect(database.owner) as owner:
            space_id = ensure_space(owner, embedder.space)
        ensure_collection(connection, job.collection, space_id)
        interrupted = False
        with job.bar(console) as bar:
            run = ShelvedRun(
                connection,
                job.collection,
                job.options,
                lambda shelf: IngestRun(
                    connection,
                    shelf,
                    embedder,
                    job.options,
                    bar,
                    parse=parser.parse,
                    read_scan=scans.parse if job.options.ocr else None,
                    home=database.home,
                    group_tokens=lambda: embedder.group_tokens,
                ),
                job.readers,
            )
            try:
                run.renew_terms()
                run.execute(job.paths)
            except KeyboardInterrupt:
                interrupted = True
                connection.close()  # it may be in the middle of a command, which nothing can follow
    disk_was_full = any(failure.code == "disk_full" for failure in run.report.failed)
    if not interrupted and not disk_was_full:
        interrupted = not _maintain_index(database, job, space_id, embedder, console)
    if not job.quiet:
        for line in report_lines(run.report, job.collection, interrupted=interrupted):
            console.print(Text(line), soft_wrap=True)
    if job.as_json:
        print(to_json(report_object(run.report)), flush=True)
    if interrupted:
        return _Ended(130)
    return _Ended(1 if run.report.failed else 0, disk_was_full)


def _follow(job: _Job, *, poll: bool) -> int:
    """Run, and again after each burst of changes, until Ctrl-C: 0 while waiting, 130 in the middle of a run.

    A run that fails (the database restarts, a folder is away) is told once and tried again, at first after a second,
    later every minute, and so is one that left files out because a disk was full; only the first one must succeed.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as services are stopped: end as by Ctrl-C
    console = Console(stderr=True)
    is_due, is_first, told = True, True, ""
    begun_on = devices(job.paths)
    delay_s, retry_at = 1.0, 0.0
    try:
        for is_changed in watch_paths(job.paths, poll=poll):
            is_due = is_due or is_changed
            if not is_due or (not is_changed and time.monotonic() < retry_at):
                continue
            try:
                _check_devices(job, begun_on)
                ended = _run(job)
                if ended.code == 130:
                    return 130
            except PgaskError as error:
                if is_first:
                    raise
                if str(error) != told:
                    _print_error(console, error, as_json=job.as_json)
                told, retry_at, delay_s = str(error), time.monotonic() + delay_s, min(2 * delay_s, 60)
                continue
            if is_first and not job.quiet:
                console.print("Watching for changes; Ctrl-C ends it.")
            is_due, is_first, told = ended.disk_was_full, False, ""
            if is_due:  # when there is space again, nobody tells
                retry_at, delay_s = time.monotonic() + delay_s, min(2 * delay_s, 60)
            else:
                retry_at, delay_s = 0.0, 1.0
            job = replace(job, options=replace(job.options, rehash=False, prune_anyway=False))
    except KeyboardInterrupt:
        return 0
    return 0


def _check_devices(job: _Job, before: list[int | None]) -> None:
    for path, old, new in zip(job.paths, before, devices(job.paths), strict=True):
        if old is not None and new is not None and new != old:
            raise InvalidRequestError(
                f"{path} is on another file system than when the watching began, as when a share is unmounted. Nothing "
                "is taken in or forgotten until it is back.",
                code="path_not_found",
            )


def _maintain_index(
    database: Database, job: _Job, space_id: int, embedder: Embedder, console: Console
) -> bool:
    """Build the vector index if it is due, and measure what cosines are like. False: interrupted; the next run does
    it."""
    try:
        with connect(database.owner) as owner:
            ensure_texts(owner, space_id, embedder)
            built = maintenance.maintain(owner, space_id, IndexSettings.from_settings(job.settings))
    except KeyboardInterrupt:
        return False
    if built is not None and not job.quiet:
        console.print(f"index: {built.method}, recall@10 {built.recall} over {built.rows:,} chunks")
    return True


def _print_error(console: Console, error: PgaskError, *, as_json: bool) -> None:
    console.print(Text(printable(f"ingest: {error}")), soft_wrap=True)
    if as_json:
        print(to_json({"error": {"code": error.code, "detail": str(error)}}))


def main() -> None:
    """Entry point of the `ingest` command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
