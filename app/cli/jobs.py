"""`pgask worker` and `pgask jobs`: who takes in what is uploaded, and how far it is."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.opening import open_checked, read_settings
from app.cli.output import AsJson, print_json, print_table, printable
from app.cli.transactions import in_transaction

if TYPE_CHECKING:
    from app.store.connection import AsyncConnection
    from app.store.jobs import Job

JobId = Annotated[str, typer.Argument(help="A job's id.")]
_jobs = typer.Typer(help="List, show, retry and cancel jobs.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: pgask worker --workers 2")(worker)
    app.add_typer(_jobs, name="jobs", epilog="Example: pgask jobs list --state failed")


def worker(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many at once.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Take in what is uploaded, beside `pgask serve` or on another machine, until Ctrl-C. One that dies is replaced."""
    from app.workers import WorkerProcesses

    settings = read_settings()
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with open_checked(settings), WorkerProcesses(workers) as running:
            if as_json:
                print_json({"workers": workers, "pids": running.pids()})
            else:
                print(f"{workers} at work  (Ctrl-C ends it)", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        pass  # the usual way to end
    finally:
        signal.signal(signal.SIGTERM, previous)


@_jobs.callback()
def _jobs_alone(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_jobs(as_json=as_json)


@_jobs.command("list", epilog="Example: pgask jobs list --state failed --json")
def list_jobs(
    state: Annotated[
        str | None, typer.Option(help="queued, running, succeeded, failed or cancelled.")
    ] = None,
    collection: Annotated[str | None, typer.Option(help="Only jobs of this collection.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    from app.store import jobs

    wanted = next((one for one in jobs.STATES if one == state), None)
    if state is not None and wanted is None:
        raise typer.BadParameter(f"--state takes one of {', '.join(jobs.STATES)}.")
    found = in_transaction(
        lambda connection: jobs.list_jobs(connection, state=wanted, collection=collection, limit=limit)
    ).jobs
    if as_json:
        print_json({"jobs": [asdict(job) for job in found]})
        return
    print_table(
        ("ID", "STATE", "COLLECTION", "FILES", "FAILED", "CREATED"),
        (
            (
                job.id,
                job.state if job.stage is None else f"{job.state} ({job.stage})",
                job.collection,
                f"{job.done}/{job.total}",
                sum(file.state == "failed" for file in job.files),
                job.created_at.isoformat(timespec="seconds"),
            )
            for job in found
        ),
    )


@_jobs.command("show", epilog="Example: pgask jobs show 5b8f0d0e-3f0a-4d0c-8a55-0d7f4a1c2b3d")
def show_job(job: JobId, as_json: AsJson = False) -> None:
    """Show a job and what became of each of its files."""
    from app.store import jobs

    _show(lambda connection: jobs.get_job(connection, job), as_json=as_json)


@_jobs.command("retry", epilog="Example: pgask jobs retry 5b8f0d0e-3f0a-4d0c-8a55-0d7f4a1c2b3d")
def retry_job(job: JobId, as_json: AsJson = False) -> None:
    """Let a job's files that failed or were cancelled be tried again."""
    from app.store import jobs

    _show(lambda connection: jobs.retry_job(connection, job), as_json=as_json)


@_jobs.command("cancel", epilog="Example: pgask jobs cancel 5b8f0d0e-3f0a-4d0c-8a55-0d7f4a1c2b3d")
def cancel_job(job: JobId, as_json: AsJson = False) -> None:
    """End a job that waits or runs; what is in stays."""
    from app.store import jobs

    _show(lambda connection: jobs.cancel_job(connection, job), as_json=as_json)


def _show(find: Callable[[AsyncConnection], Coroutine[Any, Any, Job]], *, as_json: bool) -> None:
    job = in_transaction(find)
    if as_json:
        print_json(asdict(job))
        return
    for name in ("id", "collection", "state", "stage", "attempts", "eta_s", "code", "detail"):
        value = getattr(job, name)
        if value is not None:
            print(printable(f"{name:<11} {value}"))
    for file in job.files:
        why = f"  {file.code}: {file.detail or ''}" if file.code else ""
        print(printable(f"{file.state:<11} {file.source}{why}"))
