"""How faithfully each format's text is stored: a set of files made by code, each with what must come of it.

    python -m eval.bench.fidelity [--least 0.98] [--show] [--only xlsx] [--write DIR]

For each format: files; texts that must be found, and how many are; texts that must not; files whose texts come in
order, whose title is right, and headings found. Files are parsed as `ingest` does, in the sandbox. `--show` prints what
is wrong with each file, `--write` puts the files into a folder. Prints a line a format and one JSON object last; exit
status 1 if less than `--least` of the texts of any format are found, or if any share below it holds of all files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from app.errors import DocumentError
from eval.fidelity.corpus import make_samples
from eval.fidelity.sample import Finding, Sample, judge
from ingest.parsers.media_types import SNIFFED_BYTES, media_type_of
from ingest.sandbox import SandboxedParser


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of a format, or of all: files, those that are right in all, and pairs of found and asked."""

    format: str
    files: int
    right: int
    texts: tuple[int, int]
    forbidden: int
    order: tuple[int, int]
    titles: tuple[int, int]
    headings: tuple[int, int]
    ms: float

    def shares(self) -> list[float]:
        """Of texts, order, titles and headings; 1 where nothing is asked."""
        pairs = (self.texts, self.order, self.titles, self.headings)
        return [found / asked if asked else 1.0 for found, asked in pairs]


def main(
    least: Annotated[float, typer.Option(help="Least share that is accepted.")] = 0.98,
    show: Annotated[bool, typer.Option(help="Print what is wrong with each file.")] = False,
    only: Annotated[str, typer.Option(help="One format.")] = "",
    write: Annotated[Path | None, typer.Option(help="Put the files into this folder.")] = None,
) -> None:
    """Parse every file and compare it with what must come of it."""
    samples = [sample for sample in make_samples() if only in {"", sample.format}]
    if write is not None:
        _write(samples, write)
    timed = list(_parse_all(samples))
    names = dict.fromkeys(sample.format for sample in samples)
    rows = [_row(name, [pair for pair in timed if pair[0].sample.format == name]) for name in names]
    total = _row("all", timed)
    print(
        f"{'format':8}{'files':>6}{'right':>6}  {'texts':>15}{'never':>6}{'order':>9}{'titles':>9}{'headings':>10}"
    )
    for row in (*rows, total):
        found, asked = row.texts
        share = f"{found}/{asked} {found / asked:7.2%}" if asked else "-"
        counts = "".join(
            f"{_pair(pair):>{width}}" for pair, width in ((row.order, 9), (row.titles, 9), (row.headings, 10))
        )
        print(f"{row.format:8}{row.files:6}{row.right:6}  {share:>15}{row.forbidden:6}{counts}")
    if show:
        _print_wrong([finding for finding, _ in timed])
    below = [row.format for row in rows if row.shares()[0] < least or row.forbidden]
    failed = bool(below) or min(total.shares()) < least
    print(json.dumps({"least": least, "below": below, "formats": [asdict(row) for row in (*rows, total)]}))
    raise typer.Exit(1 if failed else 0)


def _parse_all(samples: Iterable[Sample]) -> Iterable[tuple[Finding, float]]:
    with SandboxedParser() as parser:
        for sample in samples:
            media_type = media_type_of(sample.name, sample.content[:SNIFFED_BYTES])
            began = time.perf_counter()
            try:
                document, reason = parser.parse(sample.content, media_type, sample.name), ""
            except DocumentError as error:
                document, reason = None, error.code
            yield judge(sample, document, reason), (time.perf_counter() - began) * 1000


def _row(name: str, timed: Sequence[tuple[Finding, float]]) -> Row:
    findings = [finding for finding, _ in timed]
    asked = sum(len(finding.sample.must) for finding in findings)
    headings = sum(len(finding.sample.headings) for finding in findings)
    return Row(
        name,
        len(findings),
        sum(finding.is_right for finding in findings),
        (asked - sum(len(finding.missing) for finding in findings), asked),
        sum(len(finding.shown) for finding in findings),
        _told([finding.order for finding in findings]),
        _told([finding.title for finding in findings]),
        (headings - sum(len(finding.missing_headings) for finding in findings), headings),
        round(sum(ms for _, ms in timed), 1),
    )


def _told(values: Sequence[bool | None]) -> tuple[int, int]:
    return sum(value is True for value in values), sum(value is not None for value in values)


def _pair(pair: tuple[int, int]) -> str:
    return f"{pair[0]}/{pair[1]}" if pair[1] else "-"


def _print_wrong(findings: Sequence[Finding]) -> None:
    for finding in findings:
        if not finding.is_right:
            told = f"; title {finding.told!r}" if finding.title is False else ""
            print(f"{finding.sample.name}{told}{'; not in order' if finding.order is False else ''}")
            for kind, texts in (
                ("lacks", finding.missing),
                ("shows", finding.shown),
                ("heading", finding.missing_headings),
            ):
                print("".join(f"    {kind}: {text}\n" for text in texts), end="")


def _write(samples: Iterable[Sample], folder: Path) -> None:
    for sample in samples:
        path = folder / sample.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.content)


if __name__ == "__main__":
    typer.run(main)
