"""How much of each file's text its parser finds, and in the right order, against a reference conversion.

    python -m eval.bench.formats --corpus DIR/corpus --reference DIR/reference [--show-missing FILE] [--least 0.98]

`reference` holds `<file>.md` for files of `corpus`. A word is a run of letters, digits and underscores, a Chinese
character one by itself; markup, case and what stands between words do not count. The share is the length of the
longest common subsequence of both word lists over the reference's words. Files are parsed as `ingest` does, in the
sandbox. Prints a line a file and one JSON object last; exit status 1 if a share is below `--least`.
"""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from app.errors import DocumentError
from ingest.roots import name_paths
from ingest.sandbox import SandboxedParser
from ingest.sources import find_sources

_WORD: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]|[^\W_]+")
_LINK_TARGET: Final = re.compile(
    r"""\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+(?:"[^"]*"|'[^']*'))?\)|<https?://[^>]*>|<!--.*?-->""", re.S
)


@dataclass(frozen=True, slots=True)
class Share:
    """One file's figures; `share` is None where the file has no reference or was refused (`reason`)."""

    file: str
    words: int
    in_order: int
    share: float | None
    found_words: int
    ms: float
    reason: str | None = None


def words_of(markdown: str) -> list[str]:
    """The words that a reader of a Markdown text sees: without link targets, entities as what they stand for.

    >>> words_of("# The *Duck* &amp; co. [site](http://x.y/(z) 'title') 鸭子_2")
    ['the', 'duck', 'co', 'site', '鸭', '子', '2']
    """
    return _WORD.findall(html.unescape(_LINK_TARGET.sub("]", markdown)).casefold())


def common_in_order(reference: Sequence[str], found: Sequence[str]) -> list[bool]:
    """Which of the reference's words a longest common subsequence with `found` holds: the table of lengths, a row at a
    time. For files of some ten thousand words; the table has a cell of 4 bytes for each pair.

    >>> common_in_order("a b c d".split(), "x b d c d".split())
    [False, True, True, True]
    """
    numbers = {word: number for number, word in enumerate(dict.fromkeys(found))}
    ids = np.array([numbers[word] for word in found], dtype=np.int64)
    # lengths[i][j]: the longest common subsequence of reference[i:] and found[j:]
    lengths = np.zeros((len(reference) + 1, len(found) + 1), dtype=np.int32)
    for i in range(len(reference) - 1, -1, -1):
        matches = ids == numbers.get(reference[i], -1)
        best = np.maximum(lengths[i + 1, :-1], np.where(matches, lengths[i + 1, 1:] + 1, 0))
        lengths[i, :-1] = np.maximum.accumulate(best[::-1])[::-1]
    taken, i, j = [False] * len(reference), 0, 0
    while i < len(reference) and j < len(found):
        if reference[i] == found[j] and lengths[i, j] == lengths[i + 1, j + 1] + 1:
            taken[i] = True
            i, j = i + 1, j + 1
        elif lengths[i + 1, j] >= lengths[i, j + 1]:
            i += 1
        else:
            j += 1
    return taken


def main(
    corpus: Annotated[Path, typer.Option(help="Folder of files.")],
    reference: Annotated[Path, typer.Option(help="Folder of their conversions, <file>.md.")],
    show_missing: Annotated[str, typer.Option(help="Print the runs of words that this file lacks.")] = "",
    least: Annotated[float, typer.Option(help="Least share that is accepted.")] = 0.98,
) -> None:
    """Compare every file of a folder with its reference."""
    shares: list[Share] = []
    with SandboxedParser() as parser:
        for file in find_sources(name_paths([corpus])).files:
            began = time.perf_counter()
            try:
                text, reason = parser.parse(file.path.read_bytes(), file.media_type, file.source).text, None
            except DocumentError as error:
                text, reason = "", error.code
            ms = round((time.perf_counter() - began) * 1000, 1)
            share, missing = _compare(file.source, text, reference / f"{file.source}.md", ms, reason)
            shares.append(share)
            told = "no reference" if share.share is None else f"{share.share:8.2%} of {share.words:6} words"
            print(f"{file.source:44} {told}{f', {reason}' if reason else ''}")
            if file.source == show_missing:
                print("\n".join(f"    … {run}" for run in missing))
    below = [share.file for share in shares if share.share is not None and share.share < least]
    print(json.dumps({"least": least, "below": below, "files": [asdict(share) for share in shares]}))
    raise typer.Exit(1 if below else 0)


def _compare(
    source: str, text: str, reference: Path, ms: float, reason: str | None
) -> tuple[Share, list[str]]:
    """A file's share, and the runs of words that are missing."""
    found = words_of(text)
    if not reference.exists():
        return Share(source, 0, 0, None, len(found), ms, reason), []
    wanted = words_of(reference.read_text("utf-8"))
    taken = common_in_order(wanted, found)
    runs: list[str] = []
    run: list[str] = []
    for word, is_there in zip([*wanted, ""], [*taken, True], strict=True):
        if not is_there:
            run.append(word)
        elif run:
            runs.append(" ".join(run))
            run = []
    share = round(sum(taken) / len(wanted), 4) if wanted else 1.0
    return Share(source, len(wanted), sum(taken), share, len(found), ms, reason), runs


if __name__ == "__main__":
    typer.run(main)
