"""The curve of `pgask index status --plot`, drawn by matplotlib, which is an extra of its own (`plot`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from app.index.maintenance import IndexReport
    from app.index.recall import Point


def check_plotting() -> None:
    """Raise InvalidRequestError, which names the way out, where matplotlib is missing."""
    if find_spec("matplotlib") is None:
        raise InvalidRequestError(
            "The plot needs matplotlib. Install it with: pip install 'pgask[plot]' (in this repository: "
            ".venv/bin/python -m pip install matplotlib). --json gives the same figures without it.",
            code="no_matplotlib",
        )


def plot_curves(path: Path, curves: Mapping[int, tuple[IndexReport, Sequence[Point]]]) -> None:
    """Write recall@10 against p50 latency as PNG, one line a space, with the 95 % intervals, the target, and the
    effort in use. Raises InvalidRequestError where the file can't be written."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    axes = figure.subplots()
    for space_id, (report, points) in curves.items():
        times, recalls = [point.p50_ms for point in points], [point.recall for point in points]
        name = f"space {space_id}: {report.method}, {report.precision} precision, {report.rows:,} chunks"
        (line,) = axes.plot(times, recalls, marker="o", markersize=4, label=name)
        axes.fill_between(
            times,
            [point.recall_low for point in points],
            [point.recall_high for point in points],
            alpha=0.15,
            color=line.get_color(),
        )
        for point in points:
            axes.annotate(str(point.effort), (point.p50_ms, point.recall), (3, -10), textcoords="offset points",
                          fontsize=7)  # fmt: skip
        if report.p50_ms is not None and report.recall is not None:
            axes.plot([report.p50_ms], [report.recall], marker="s", markersize=9, fillstyle="none",
                      color=line.get_color(), linestyle="none", label="in use")  # fmt: skip
        if report.target_recall is not None:
            axes.axhline(report.target_recall, linestyle="--", linewidth=1, color=line.get_color())
    axes.set_xscale("log")
    for formatter in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        formatter("{x:g}")
    axes.set_xlabel("p50 of a search, ms; numbers: probes or ef_search; dashed: target")
    axes.set_ylabel("recall@10 against exact search (band: 95 % interval)")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise InvalidRequestError(
            f"{path} can't be written: {error.strerror or error}.", code="not_writable"
        ) from error
