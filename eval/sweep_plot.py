"""A plot of a sweep as SVG: one measure over the values of one setting, with 95 % intervals. Every text is escaped.

    python -m eval.sweep_plot --sweep squad_dev=results/squad --sweep cmrc_dev=results/cmrc --by chunk_tokens
    --metric ndcg@10 --out docs/img/chunk-tokens.svg

draws what `rag-eval sweep` has left in those folders, a line for each combination of the other settings and each
sweep. `--where overlap=64` keeps the points with that value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Annotated, Final

import typer

from eval.report import format_figure
from eval.sweep import Point, PointResult, Value, format_value, read_points

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM, _LINE = 440, 260, 56, 16, 14, 42, 16
_COLOURS: Final = ("#1565c0", "#c62828", "#2e7d32", "#ef6c00", "#6a1b9a", "#00838f", "#ad1457", "#546e7a")
_Mark = tuple[Value, float, tuple[float, float]]  # value of the setting, figure, its interval


def plot_setting(results: Sequence[PointResult], name: str, metric: str, *, paper: str | None = None) -> str:
    """The metric over the values of one setting, a line for each combination of the others; nothing where fewer
    than two values were measured. Values that are words stand side by side in the order of the sweep. `paper` is a
    colour behind it, for a file of its own."""
    lines = _group(results, name, metric)
    values = list(dict.fromkeys(x for line in lines.values() for x, _, _ in line))
    if len(values) < 2:
        return ""
    places = {value: value if isinstance(value, int | float) else at for at, value in enumerate(values)}
    xs = sorted(places.values())
    bounds = [bound for line in lines.values() for _, y, (low, high) in line for bound in (y, low, high)]
    low, high = min(bounds), max(bounds)
    margin = (high - low) * 0.05 or 0.01
    low, high = low - margin, high + margin

    def at_x(value: Value) -> float:
        return _LEFT + (places[value] - xs[0]) / (xs[-1] - xs[0]) * (_WIDTH - _LEFT - _RIGHT)

    def at_y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    columns = [(at_x(x), format_value(x)) for x in values]
    rows = [(at_y(y), y) for y in (low + (high - low) * part / 4 for part in range(5))]
    marks = [_axes(name, metric, columns, rows)]
    for number, (label, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y, _ in line)
        marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for x, y, (under, over) in line:
            at = at_x(x)
            beside = at + (number - (len(lines) - 1) / 2) * 3  # so that whiskers of several lines stay apart
            title = f"{name} {format_value(x)}: {format_figure(metric, y)}"
            marks.append(
                f'<line x1="{beside:.1f}" y1="{at_y(under):.1f}" x2="{beside:.1f}" y2="{at_y(over):.1f}" '
                f'stroke="{colour}" opacity=".4"/><circle cx="{at:.1f}" cy="{at_y(y):.1f}" r="3.5" '
                f'fill="{colour}"><title>{escape(title)}</title></circle>'
            )
        if label:
            y = _HEIGHT + (number + 0.5) * _LINE
            marks.append(
                f'<circle cx="{_LEFT}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
                f'<text x="{_LEFT + 8}" y="{y + 4:.1f}">{escape(label)}</text>'
            )
    height = _HEIGHT + (len(lines) * _LINE + 4 if any(lines) else 0)
    back = f'<rect width="{_WIDTH}" height="{height}" fill="{escape(paper)}"/>' if paper else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(f"{metric} by {name}")}" font-family="system-ui, sans-serif" font-size="11" '
        f'fill="currentColor">{back}{"".join(marks)}</svg>'
    )


def _group(results: Sequence[PointResult], name: str, metric: str) -> Mapping[str, list[_Mark]]:
    """The other settings in words → the marks of a line, by value."""
    lines: dict[str, list[_Mark]] = {}
    for result in results:
        value = (result.figures or {}).get(metric)
        if value is None or name not in result.point:
            continue
        low, high = (result.intervals or {}).get(metric, (value, value))
        lines.setdefault(_others(result.point, name), []).append((result.point[name], value, (low, high)))
    return {
        label: sorted(line, key=lambda mark: mark[0] if isinstance(mark[0], int | float) else 0)
        for label, line in lines.items()
    }


def _others(point: Point, name: str) -> str:
    return ", ".join(f"{other} {format_value(value)}" for other, value in point.items() if other != name)


def _axes(name: str, metric: str, xs: Sequence[tuple[float, str]], ys: Sequence[tuple[float, float]]) -> str:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#8884"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{format_figure(metric, value)}</text>'
        for y, value in ys
    ]
    parts += [
        f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(label)}</text>' for x, label in xs
    ]
    middle = (_LEFT + right) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(metric)} by {escape(name)}</text>'
    )
    return "".join(parts)


def main(
    *,
    sweep: Annotated[list[str], typer.Option(help="NAME=FOLDER of a sweep; may be given several times.")],
    by: Annotated[str, typer.Option(help="The setting of the axis.")],
    out: Annotated[Path, typer.Option(help="The file to write.", dir_okay=False)],
    metric: Annotated[str, typer.Option(help="A figure of the report.")] = "ndcg@10",
    where: Annotated[list[str] | None, typer.Option(help="SETTING=VALUE that a point must have.")] = None,
) -> None:
    """Draw points that were measured."""
    results = []
    for text in sweep:
        name, _, folder = text.partition("=")
        for result in read_points(Path(folder)):
            shown = {key: format_value(value) for key, value in result.point.items()}
            if all(shown.get(key) == value for key, _, value in (one.partition("=") for one in where or ())):
                point = {"set": name, **result.point}
                results.append(PointResult(point, result.figures, result.intervals))
    plot = plot_setting(results, by, metric, paper="#ffffff")
    if not plot:
        raise typer.BadParameter(f"fewer than two values of {by} were measured there")
    out.write_text(plot + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
