"""The page of a comparison: a table for each set, losses as plain as wins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

COLUMNS: Final[tuple[tuple[str, str, int], ...]] = (
    ("recall@1", "R@1", 3),
    ("recall@5", "R@5", 3),
    ("ndcg@10", "nDCG@10", 3),
    ("mean_words_per_chunk", "words a chunk", 0),
    ("offsets_exact", "offsets exact", 3),
    ("auroc_foreign", "AUROC, other corpus", 3),
    ("auroc_near_miss", "AUROC, near miss", 3),
    ("p50_ms", "p50 ms", 1),
    ("ready_s", "ready after s", 0),
)


def write_page(page: Mapping[str, Any], file: Path) -> None:
    """Write results as Markdown."""
    parts = [
        f"Commit {page['commit']}, {page['cpu']}, Python {page['python']}; up to {page['limit']} questions a set."
    ]
    parts += [_section(name, one) for name, one in page["sets"].items()]
    file.write_text("\n\n".join(parts) + "\n", "utf-8")


def _section(name: str, one: Mapping[str, Any]) -> str:
    lines = [
        f"## {name} ({one['model']})",
        "",
        "| system | "
        + " | ".join(title for _, title, _ in COLUMNS)
        + " | pgask-256 − this, nDCG@10 (95 %) |",
        "|---" * (len(COLUMNS) + 2) + "|",
    ]
    for system, figures in one["systems"].items():
        cells = [show(figures[key], digits) for key, _, digits in COLUMNS]
        lines.append(f"| {system} | {' | '.join(cells)} | {_difference(figures.get('ours_minus_this'))} |")
    refused = [
        f"{system}: {show(figures['refused_with_answer'], 3)} of the questions with an answer, "
        f"{show(figures['refused_near_miss'], 3)} of the near misses, "
        f"{show(figures['refused_foreign'], 3)} of those on another corpus"
        for system, figures in one["systems"].items()
        if figures["refused_with_answer"] is not None
    ]
    return "\n".join([*lines, "", "Refused: " + "; ".join(refused or ["nothing, by any of them"]) + "."])


def show(value: float | None, digits: int) -> str:
    """A figure, or a dash where the set or the system has none.

    >>> show(0.25, 3), show(211.4, 0), show(None, 3)
    ('.250', '211', '–')
    """
    if value is None:
        return "–"
    told = f"{value:.{digits}f}"
    return told[1:] if told.startswith("0.") else told


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None or found["difference"] is None:
        return ""
    p = "p < .001" if found["p"] < 0.001 else f"p {show(found['p'], 3)}"
    return f"{found['difference']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f}), {p}"
