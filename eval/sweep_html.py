"""The HTML report of a sweep: a table and a plot for each measure and setting, in one page without network or
script. Every text is escaped; the plots are inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from eval.report import format_figure
from eval.sweep import Point, PointResult, Value, format_value

TABLE_KEYS: Final = (
    "recall@1", "recall@5", "recall@10", "ndcg@10", "mean_words_per_chunk", "answer_contains_gold", "p50_ms", "p95_ms",
)  # fmt: skip
PLOT_KEYS: Final = ("ndcg@10", "recall@5", "answer_contains_gold", "p50_ms")

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 440, 260, 56, 16, 14, 42
_COLOURS: Final = ("#1565c0", "#c62828", "#2e7d32", "#ef6c00", "#6a1b9a", "#00838f", "#ad1457", "#546e7a")
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
       overflow-wrap: break-word; }
th { white-space: normal; vertical-align: bottom; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); text-align: right;
         font-variant-numeric: tabular-nums; }
td { white-space: nowrap; } td.error { text-align: left; color: var(--bad); white-space: normal; }
figure { display: inline-block; margin: 0 1rem 1rem 0; max-width: 100%; vertical-align: top; }
svg { max-width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
figcaption { max-width: 27rem; font-size: 13px; } .meta { opacity: .75; }
"""


def measured_keys(results: Sequence[PointResult]) -> list[str]:
    """The columns of the table that some point has a figure for: a sweep that only searches has none of answers."""
    return [
        key for key in TABLE_KEYS if any((result.figures or {}).get(key) is not None for result in results)
    ]


def render_sweep(results: Sequence[PointResult], command: str) -> str:
    """The whole page. Best values are not marked: see the intervals in each point's own report."""
    names = list(results[0].point) if results else []
    plots = [plot for metric in PLOT_KEYS for name in names if (plot := plot_setting(results, name, metric))]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>pgask sweep</title><style>{_STYLE}</style></head><body><h1>Sweep</h1>",
            f'<p class="meta">{escape(command)}</p>',
            _table(results, names),
            "<p>Whiskers are 95 % bootstrap intervals over the questions of a run. Lines join points that differ in "
            "the setting of the axis only.</p>",
            *plots,
            "</body></html>\n",
        ]
    )


def plot_setting(results: Sequence[PointResult], name: str, metric: str) -> str:
    """The metric over the values of one setting, a line for each combination of the others; nothing where fewer
    than two values were measured. Values that are words stand side by side in the order of the sweep."""
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

    marks = [
        _axes(
            name,
            metric,
            [(at_x(x), format_value(x)) for x in values],
            [(at_y(y), y) for y in _ticks(low, high)],
        )
    ]
    legend = []
    for number, (label, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        legend.append(f'<span style="color:{colour}">●</span> {escape(label)}')
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y, _ in line)
        marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for x, y, (under, over) in line:
            shift = at_x(x)
            beside = (
                shift + (number - (len(lines) - 1) / 2) * 3
            )  # so that whiskers of several lines stay apart
            marks.append(
                f'<line x1="{beside:.1f}" y1="{at_y(under):.1f}" x2="{beside:.1f}" y2="{at_y(over):.1f}" '
                f'stroke="{colour}" opacity=".4"/><circle cx="{shift:.1f}" cy="{at_y(y):.1f}" r="3.5" '
                f'fill="{colour}"><title>{escape(f"{name} {format_value(x)}: {format_figure(metric, y)}")}'
                "</title></circle>"
            )
    caption = " &nbsp; ".join(legend) if any(lines) else ""
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{escape(f"{metric} by {name}")}">{"".join(marks)}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _group(
    results: Sequence[PointResult], name: str, metric: str
) -> Mapping[str, list[tuple[Value, float, tuple[float, float]]]]:
    """The other settings in words → (value of the setting, figure, its interval), by value."""
    lines: dict[str, list[tuple[Value, float, tuple[float, float]]]] = {}
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


def _ticks(low: float, high: float) -> list[float]:
    return [low + (high - low) * part / 4 for part in range(5)]


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


def _table(results: Sequence[PointResult], names: Sequence[str]) -> str:
    keys = measured_keys(results)
    head = "".join(f"<th>{escape(key.replace('_', ' '))}</th>" for key in (*names, *keys))
    rows = "".join(f"<tr>{_row(result, keys)}</tr>" for result in results)
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _row(result: PointResult, keys: Sequence[str]) -> str:
    cells = "".join(f"<td>{escape(format_value(value))}</td>" for value in result.point.values())
    if result.figures is None:
        return f'{cells}<td class="error" colspan="{len(keys)}">{escape(result.error or "")}</td>'
    return cells + "".join(f"<td>{format_figure(key, result.figures.get(key))}</td>" for key in keys)
