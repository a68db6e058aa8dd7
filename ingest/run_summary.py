"""What `ingest` says: a plan as a diff, a report as a summary, both as one JSON object. Pure: text in, text out.

Names of files and words of documents come from outside: nothing of them may act on a terminal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from app.embedding import UNREADABLE_SHARE
from ingest.pipeline import Plan, Report
from ingest.reasons import SKIPPED
from ingest.shelving import ReadersChange
from ingest.sources import SkippedSource

_MOST_LINES: Final = 100  # of each kind in a plan, and of duplicates in a summary; `--json` has the counts


def plan_lines(plan: Plan, changes: Sequence[ReadersChange] = ()) -> Iterator[str]:
    """The plan as a diff: + new, ~ changed, > moved, @ other readers, - removed, & duplicate, ! failed, = unchanged and
    skipped (counts)."""
    yield from _listed("+", plan.new)
    yield from _listed("~", plan.changed)
    yield from _listed(">", [f"{old} → {new}" for old, new in plan.renamed])
    yield from _listed("@", [f"{one.source} ({_named(one.old)} → {_named(one.new)})" for one in changes])
    yield from _listed("-", plan.removed)
    yield from _listed("&", [f"{source} (the same bytes as {kept})" for source, kept in plan.duplicates])
    yield from _listed("!", [f"{failure.source} ({failure.code})" for failure in plan.failed])
    yield from _listed(
        "!", [f"{failure.source} ({failure.code} before; tried again)" for failure in plan.retried]
    )
    yield from _listed(
        "!", [f"{failure.source} ({failure.code} before; not changed)" for failure in plan.still_failed]
    )
    if plan.unchanged:
        yield f"= {len(plan.unchanged):,} unchanged"
    yield from _skipped(plan.skipped, plan.excluded_documents)
    if not (plan.new or plan.changed or plan.renamed or plan.removed or plan.duplicates or changes):
        yield "; ".join(_nothing_but(plan))
        return
    failed = len(plan.failed) + len(plan.retried) + len(plan.still_failed)
    yield (
        f"{len(plan.new):,} new, {len(plan.changed):,} changed, {len(plan.renamed):,} renamed,"
        f" {len(plan.unchanged):,} unchanged, {len(plan.removed):,} removed,"
        f" {failed:,} failed, {_count(len(plan.duplicates), 'duplicate')}"
        + (f", {len(changes):,} with other readers" if changes else "")
    )


def _named(readers: Sequence[str]) -> str:
    return ", ".join(readers) or "all"


def _nothing_but(plan: Plan) -> Iterator[str]:
    """That there is nothing to do, and the files that no run takes in as long as they stay as they are."""
    yield "nothing to do"
    if plan.failed:
        yield f"{_count(len(plan.failed), 'file')} can't be taken in"
    if plan.retried:
        yield f"{_count(len(plan.retried), 'failed file')} would be tried again"
    if plan.still_failed:
        yield f"{_not_retried(len(plan.still_failed))}"


def plan_object(plan: Plan, changes: Sequence[ReadersChange] = ()) -> dict[str, Any]:
    """The plan in the form of a report, and under `plan` the sources of each kind."""
    counts = Report(
        new=len(plan.new),
        changed=len(plan.changed),
        renamed=len(plan.renamed),
        unchanged=len(plan.unchanged),
        removed=len(plan.removed),
        failed=[*plan.failed, *plan.retried, *plan.still_failed],
        not_retried=len(plan.still_failed),
        skipped=list(plan.skipped),
        excluded_documents=plan.excluded_documents,
        readers_changed=len(changes),
    )
    return report_object(counts) | {
        "duplicates": [{"source": source, "of": kept, "similarity": 1.0} for source, kept in plan.duplicates],
        "dry_run": True,
        "plan": {
            "new": plan.new,
            "changed": plan.changed,
            "renamed": [{"from": old, "to": new} for old, new in plan.renamed],
            "removed": plan.removed,
            "readers": [{"source": one.source, "from": one.old, "to": one.new} for one in changes],
        },
    }


def report_lines(report: Report, collection: str, *, interrupted: bool) -> Iterator[str]:
    """Each file that failed and why, duplicates, the counts, how the text was covered, and what to do about it."""
    for failure in report.failed:
        yield printable(f"failed  {failure.source}: {failure.code}. {failure.detail}")
    shown = report.duplicates[:_MOST_LINES]
    for duplicate in shown:
        how = "the same text as" if duplicate.similarity == 1 else f"{duplicate.similarity:.2f} like"
        yield printable(f"duplicate  {duplicate.source}: {how} {duplicate.of}")
    if len(report.duplicates) > len(shown):
        yield f"duplicate  … and {len(report.duplicates) - len(shown):,} more"
    for lossy in report.lossy_documents[:_MOST_LINES]:
        yield printable(
            f"lossy  {lossy.source}: {lossy.share:.0%} of its visible text was left out; "
            "`pgask documents show` tells what"
        )
    if len(report.lossy_documents) > _MOST_LINES:
        yield f"lossy  … and {len(report.lossy_documents) - _MOST_LINES:,} more"
    yield (
        f"{report.new} new, {report.changed} changed, {report.renamed} renamed, {report.unchanged} unchanged, "
        f"{report.removed} removed, {len(report.failed)} failed, {_count(len(report.duplicates), 'duplicate')}; "
        f"{report.chunks} chunks, {report.tokens:,} tokens in {report.seconds:.1f} s"
    )
    if report.readers_changed:
        yield f"readers: {_count(report.readers_changed, 'document')} that other groups may read from now on"
    if report.renewed_terms:
        yield (
            f"renewed: the search terms of {_count(report.renewed_terms, 'document')}, from the stored text, since an "
            "earlier version made them"
        )
    if report.not_retried:
        yield _not_retried(report.not_retried)
    yield from _skipped(report.skipped, report.excluded_documents)
    if report.tokens:
        yield (
            f"coverage: {report.tokens:,} tokens read, {report.embedded_tokens:,} embedded, "
            f"{report.reused_tokens:,} reused, {report.dropped_tokens:,} dropped"
        )
    if report.dropped_chars:
        kinds = sorted(report.dropped_chars.items(), key=lambda one: (-one[1], one[0]))
        yield (
            f"left out: {_count(sum(report.dropped_chars.values()), 'character')} "
            f"({', '.join(f'{kind} {count:,}' for kind, count in kinds)})"
        )
    if report.unreadable_documents:
        yield printable(
            f"The embedding model can't read {_count(report.unreadable_documents, 'document')} of collection "
            f"{collection!r} (over {UNREADABLE_SHARE:.0%} unknown tokens): words find them, meaning does not. Set "
            "PGASK_EMBEDDING_MODEL to a multilingual model, delete the collection and ingest it again."
        )
    if interrupted:
        yield "Interrupted. What is in is in; run the same command again for the rest."


def _not_retried(count: int) -> str:
    return f"{_count(count, 'failed file')} not changed since, so not tried again; --rehash tries"


def _skipped(skipped: Sequence[SkippedSource], excluded_documents: int) -> Iterator[str]:
    """How many files are no documents, by kind; `--json` names them."""
    if skipped:
        counts = Counter(one.code for one in skipped)
        kinds = [
            f"{counts[code]:,} {kind.one if counts[code] == 1 else kind.several}"
            for code, kind in SKIPPED.items()
            if counts[code]
        ]
        yield f"skipped: {', '.join(kinds)}"
    if excluded_documents:
        yield (
            f"in the collection from skipped files: {_count(excluded_documents, 'document')}, left as they are; "
            "`pgask documents delete` forgets them"
        )


def report_object(report: Report) -> dict[str, Any]:
    """The report for `--json`."""
    return asdict(report)


def to_json(value: Mapping[str, Any]) -> str:
    """One line of JSON with letters of every script as they are, and nothing in it that acts on a terminal."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def printable(text: str) -> str:
    """Control characters in a file's name must not reach the terminal."""
    return "".join(c if c.isprintable() or c == "\u3000" else "�" for c in text)


def _listed(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:_MOST_LINES]:
        yield f"{mark} {printable(line)}"
    if len(lines) > _MOST_LINES:
        yield f"{mark} … and {len(lines) - _MOST_LINES:,} more"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
