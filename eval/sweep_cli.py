"""The command `rag-eval sweep`: arguments, table, report, exit code."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.errors import ConfigError, PgaskError
from app.trial.question_file import LanguageField, load_questions
from eval.corpora import make_corpora
from eval.progress import open_progress
from eval.report import format_figure, make_folder
from eval.sweep import (
    SWEPT,
    OpenSystem,
    PointResult,
    SweepInput,
    describe_sweep,
    format_value,
    list_points,
    name_point,
    parse_grid,
    run_sweep,
)
from eval.sweep_html import draw_plots, measured_keys, render_sweep
from eval.wordnet import load_synonyms


def add_sweep(cli: typer.Typer, open_system: OpenSystem) -> None:
    """Add the command, for one way of opening the system under evaluation."""

    @cli.command("sweep")
    def _sweep(
        *,
        corpus: Annotated[Path, typer.Option(help="Folder of documents.", exists=True, file_okay=False)],
        questions: Annotated[Path, typer.Option(help="Question file, JSON Lines.", exists=True, dir_okay=False)],
        out: Annotated[Path, typer.Option(help="Folder for sweep.html, sweep.json, plots and a folder for each point; "
                                               "points finished there are not run again.", file_okay=False)],
        grid: Annotated[list[str], typer.Option(help="SETTING=VALUE,VALUE…; may be given several times. "
                                                     f"Settings: {', '.join(SWEPT)}.")],
        retrieval_only: Annotated[bool, typer.Option("--retrieval-only",
                                  help="Search without composing answers: several times as fast; figures of answers "
                                       "stay empty.")] = False,
        limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first N questions.")] = None,
        language_field: Annotated[LanguageField, typer.Option(help="question_en asks the English originals "
                                                                   "of translated questions.")]
        = LanguageField.QUESTION,
        json_only: Annotated[bool, typer.Option("--json", help="Print the JSON line only.")] = False,
    ) -> None:  # fmt: skip
        """Measure every combination of some settings on the same questions; exit 1 where some points failed.

        Points with other chunks get a collection of their own. What no setting of the product does can be varied here
        (eval/ablation.py): pooling, dimension (the first numbers of each vector), lists and probes of ivfflat. A point
        about the index has it built over its collection alone and searches it however few chunks there are.

        Example: rag-eval sweep --corpus docs/ --questions q.jsonl --out sweep/ --grid chunk_tokens=256,512
        --grid dense_weight=.3,.5,.7
        """
        err = Console(stderr=True)
        command = shlex.join(sys.argv)
        try:
            points = list_points(parse_grid(grid))
            make_folder(out)
            asked = load_questions(questions, limit, language_field)
            kept = make_corpora([(None, corpus)], [""], asked).keep(asked)
            if len(kept) < len(asked):
                err.print(f"Questions on another collection, which are not asked: {len(asked) - len(kept)}")
            measured_on = SweepInput(
                corpus,
                questions,
                kept,
                load_synonyms(),
                command,
                answers=not retrieval_only,
                wording=language_field.value,
            )
            with open_progress(err) as show:
                results = asyncio.run(
                    run_sweep(
                        open_system,
                        points,
                        measured_on=measured_on,
                        out=out,
                        on_progress=show,
                        on_result=lambda result: _tell(result, err),
                    )
                )
            _write(results, command, out)
        except PgaskError as error:
            err.print(f"rag-eval: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(2) from error
        if not json_only:
            Console().print(_make_table(results))
        described = describe_sweep(results)
        typer.echo(json.dumps(described, ensure_ascii=False))
        if described["failed"]:
            raise typer.Exit(2 if described["failed"] == len(results) else 1)


def _tell(result: PointResult, err: Console) -> None:
    state = f"failed: {result.error}" if result.error else "kept from before" if result.reused else "measured"
    err.print(f"{name_point(result.point)}: {state}", markup=False, highlight=False, soft_wrap=True)


def _make_table(results: Sequence[PointResult]) -> Table:
    table = Table(
        title=f"Sweep of {len(results)} points", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False
    )
    keys = [
        key for key in measured_keys(results) if key != "recall@10"
    ]  # sweep.html has it; here two settings fit 80 characters
    for name in (*results[0].point, *keys):
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    for result in results:
        figures = result.figures or {}
        shown = (format_figure(key, figures.get(key)) for key in keys)
        table.add_row(*map(format_value, result.point.values()), *shown)
    return table


def _write(results: Sequence[PointResult], command: str, out: Path) -> None:
    contents = {
        "sweep.json": json.dumps(describe_sweep(results), ensure_ascii=False, indent=2) + "\n",
        "sweep.html": render_sweep(results, command),
    }
    for name, plot in draw_plots(results, paper="#ffffff").items():
        contents[f"plots/{name}.svg"] = plot + "\n"
    try:
        (out / "plots").mkdir(exist_ok=True)
        for name, content in contents.items():
            (out / name).write_text(content, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"The report can't be written to {out}: {error.strerror}.") from error
