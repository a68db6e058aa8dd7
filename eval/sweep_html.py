"""The HTML report of a sweep: a table and a plot for each measure and setting, in one page without network or
script. Every text is escaped; the plots are inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from eval.report import format_figure
from eval.sweep import INDEX_RECALL, PointResult, format_value
from eval.sweep_plot import plot_setting

TABLE_KEYS: Final = (
    "recall@1", "recall@5", "recall@10", "ndcg@10", "mean_words_per_chunk", INDEX_RECALL, "answer_contains_gold",
    "p50_ms", "p95_ms",
)  # fmt: skip
PLOT_KEYS: Final = ("ndcg@10", "recall@5", INDEX_RECALL, "answer_contains_gold", "p50_ms")

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
svg { max-width: 100%; height: auto; } .meta { opacity: .75; }
"""


def measured_keys(results: Sequence[PointResult]) -> list[str]:
    """The columns of the table that some point has a figure for: a sweep that only searches has none of answers."""
    return [
        key for key in TABLE_KEYS if any((result.figures or {}).get(key) is not None for result in results)
    ]


def draw_plots(results: Sequence[PointResult], paper: str | None = None) -> dict[str, str]:
    """SVG by a name for its file: each measure over each setting that has more than one value."""
    names = list(results[0].point) if results else []
    drawn = {
        f"{metric}-by-{name}": plot_setting(results, name, metric, paper=paper)
        for metric in PLOT_KEYS
        for name in names
    }
    return {name: plot for name, plot in drawn.items() if plot}


def render_sweep(results: Sequence[PointResult], command: str) -> str:
    """The whole page. Best values are not marked: see the intervals in each point's own report."""
    names = list(results[0].point) if results else []
    plots = [f"<figure>{plot}</figure>" for plot in draw_plots(results).values()]
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
