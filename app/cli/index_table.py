"""How `pgask index` prints its reports: a column a space, a line a figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from app.cli.output import print_table

if TYPE_CHECKING:
    from app.index.maintenance import IndexReport, Space

_FAULTS: Final = {
    "missing": "the index is missing",
    "invalid": "the index is invalid",
    "other_options": "the index has other options than it was built with",
}


def print_reports(found: Sequence[tuple[Space, IndexReport]]) -> None:
    """One table of all spaces."""
    columns = [describe(space, report) for space, report in found]
    names = list(dict.fromkeys(name for column in columns for name in column))
    print_table(
        ("SPACE", *(str(space.id) for space, _ in found)),
        [(name, *(column.get(name) for column in columns)) for name in names],
    )


def describe(space: Space, report: IndexReport) -> dict[str, str]:
    """What a space's column says, by line. A space without an index has few lines."""
    lines = {"model": space.model, "chunks": f"{report.rows:,}"} | _describe_cosines(report)
    if space.partition_of is not None:
        lines |= {"partition of": str(space.partition_of), "collection": str(space.collection)}
    if report.method is None:
        if report.fault is None:
            return lines | {"search": "exact, no index"}
        why = _FAULTS[report.fault]
        return lines | {"search": f"exact: {why}; upkeep builds it anew, or: pgask index rebuild"}
    effort = ("probes", report.probes) if report.method == "ivfflat" else ("ef_search", report.ef_search)
    lines |= {"search": f"{report.method}, {report.precision} precision"}
    if report.lists is not None:
        lines["lists"] = f"{report.lists:,}"
    lines[effort[0]] = f"{effort[1]:,}"
    if report.recall is not None:
        stored = f", {report.stored_questions:,} asked by people" if report.stored_questions else ""
        lines |= {
            "recall@10": f"{report.recall:.3f} ({report.recall_low:.3f} to {report.recall_high:.3f})",
            "target": f"{report.target_recall}",
            "measured with": f"{report.questions:,} questions{stored}",
            "p50, p95": f"{report.p50_ms} ms, {report.p95_ms} ms",
            "exact p50": f"{report.exact_p50_ms} ms",
        }
    if report.size_bytes is not None:
        lines["size"] = f"{report.size_bytes / 2**20:,.1f} MB"
    if report.build_s is not None:
        lines["built"] = f"{_age(report.built_at)} ago, in {report.build_s} s"
    if report.measured_at is not None:
        lines["measured"] = f"{_age(report.measured_at)} ago"
        lines["changed since"] = f"{report.changed_rows:,} chunks"
        lines["drift"] = f"{report.drift:.2f} times the pages of its build"
    return lines


def _describe_cosines(report: IndexReport) -> dict[str, str]:
    """What cosines of texts picked at random are like, a line for each pair of languages, over all collections."""
    found: dict[str, tuple[int, float, float]] = {}
    for background in report.backgrounds:
        for pair in background.cosines:
            pairs, mean, squares = found.get(pair.languages, (0, 0.0, 0.0))
            found[pair.languages] = (
                pairs + pair.pairs,
                mean + pair.pairs * pair.mean,
                squares + pair.pairs * (pair.deviation**2 + pair.mean**2),
            )
    lines = {}
    for languages, (pairs, total, squares) in sorted(found.items()):
        mean = total / pairs
        deviation = max(0.0, squares / pairs - mean**2) ** 0.5
        lines[f"cosines {languages}"] = f"{mean:.3f} ± {deviation:.3f}"
    return lines


def _age(moment: str | None) -> str:
    """How long ago, in the largest unit of which there are at least two."""
    if moment is None:
        return "some time"
    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"
