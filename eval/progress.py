"""Progress bars of an evaluation: one a stage, on standard error, nothing where that is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from eval.runner import OnProgress

_STAGES: Final = ("point", "ingest", "ask", "polite", "dialogues", "switch", "score")


@contextmanager
def open_progress(err: Console) -> Iterator[OnProgress]:
    """Show stages as they are told: "point" (of a sweep), "ingest", "ask", those of eval/probes.py, "score". A bar
    appears with its first figure."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks = {stage: progress.add_task(stage, total=None, visible=False) for stage in _STAGES}

        def show(stage: str, done: int, total: int) -> None:
            progress.update(tasks[stage], completed=done, total=total, visible=True)

        yield show
