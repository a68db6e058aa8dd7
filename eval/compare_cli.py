"""The command `rag-eval compare`: arguments, table, exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.errors import PgaskError
from app.trial.significance import Difference
from eval.compare import (
    DEFAULT_METRICS,
    compare_runs,
    describe_comparison,
    load_run,
)
from eval.report import format_figure


def add_compare(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command("compare")
    def _compare(
        *,
        a: Annotated[Path, typer.Argument(metavar="A", help="Baseline: --out folder of a run, or its "
                                                            "questions.jsonl.")],
        b: Annotated[Path, typer.Argument(metavar="B", help="The run to judge.")],
        metric: Annotated[list[str] | None, typer.Option(help="Measure to test; may be given several times. "
                                                              f"Default: {', '.join(DEFAULT_METRICS)}.")] = None,
        json_only: Annotated[bool, typer.Option("--json", help="Print the JSON line only.")] = False,
    ) -> None:  # fmt: skip
        """Test whether run B differs from run A on the same questions; exit 1 on a significant loss.

        Paired randomisation test, two-sided, p < 0.05; interval by the bootstrap.

        Example: rag-eval compare results/before results/after --metric ndcg@10
        """
        try:
            run_a = load_run(a)
            found = compare_runs(run_a, load_run(b), metric or DEFAULT_METRICS)
        except PgaskError as error:
            Console(stderr=True).print(
                f"rag-eval: {error}", style="red", markup=False, highlight=False, soft_wrap=True
            )
            raise typer.Exit(2) from error
        described = describe_comparison(a, b, len(run_a), found)
        if not json_only:
            Console().print(_make_table(found, len(run_a)))
        typer.echo(json.dumps(described, ensure_ascii=False))
        if described["losses"]:
            raise typer.Exit(1)


def _make_table(found: Mapping[str, Difference], questions: int) -> Table:
    # Without frames all seven columns fit 80 characters.
    table = Table(
        title=f"B against A on {questions} questions", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False
    )
    table.add_column("metric", no_wrap=True)
    for column in ("A", "B", "B - A", "95 % interval", "p"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for key, one in found.items():
        interval = "–" if one.low is None else f"{one.low:+.3f} to {one.high:+.3f}"
        table.add_row(
            key,
            format_figure(key, one.a),
            format_figure(key, one.b),
            "–" if one.difference is None else f"{one.difference:+.3f}",
            interval,
            "–" if one.p is None else f"{one.p:.4f}",
            one.verdict,
        )
    return table
