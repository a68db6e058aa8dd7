"""A stored text → what an overview quotes of it: which sections, and of each its first sentences or its table. Pure.

Stored text is Markdown, or source code as it is. Tables come in the two forms that ingest writes: pipe tables, and for
long ones a line of columns with an item a row ("- SKU: GW-7 | Price: 640.00"); see ingest/parsers/grid.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain import QuotedSpan
from app.generation.units import letters
from app.generation.wording import shown_row
from app.sentences import split_sentences
from app.stored_markdown import Kind, fence_at, is_row, kind_of, read_fences, split_cells, split_record

MAX_SECTIONS: Final = 12
SHOWN_ROWS: Final = 3
MAX_SENTENCE_CHARS: Final = 500  # a longer one is quoted up to here
MAX_PASSAGE_CHARS: Final = 600  # no further sentence makes a passage longer
_READ_CHARS: Final = 6_000  # of a section, for its sentences
_LEAST_ITEMS: Final = 3  # of a list

_PROSE_TYPES: Final = frozenset(
    {"text/markdown", "text/plain", "text/html", "text/csv", "text/tab-separated-values"}
    | {"text/x-rst", "text/asciidoc", "text/org", "text/x-tex", "text/mdx", "text/x-rmarkdown", "text/vtt"}
)
_TAG_ALONE: Final = re.compile(r"\s*<[^>]*>\s*$")
_ITEM: Final = re.compile(r"\s*(?:[-*+•·]|\(?\d{1,3}[.)、])\s+")
_NOT_PROSE: Final = (Kind.HEADING, Kind.ROW, Kind.MARKUP)
_SEPARATOR: Final = frozenset("|-: \t")
_COMMENT: Final = re.compile(r"\s*(?:[rbuf]?\"\"\"|'''|#|//|/\*|\*|--)")


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences of a text that stand one after the other."""

    span: QuotedSpan


@dataclass(frozen=True, slots=True)
class TableOutline:
    """A table: its columns (none where the first row does not name them), and its first rows. `row_count` is None
    where the end of the table was not read."""

    columns: tuple[str, ...]
    header: QuotedSpan | None
    rows: tuple[QuotedSpan, ...]
    row_count: int | None
    char_start: int
    char_end: int


Part = Passage | TableOutline


@dataclass(frozen=True, slots=True)
class ChosenSection:
    """A section to show. `label` is its heading, with those above it up to the document's own; "" for that one."""

    char_start: int
    char_end: int
    label: str
    heading_path: tuple[str, ...]


def is_code(media_type: str) -> bool:
    """Whether the stored text of this media type is source code."""
    return media_type.startswith("text/") and media_type not in _PROSE_TYPES


def choose_sections(
    sections: Sequence[tuple[int, int, tuple[str, ...]]], char_count: int, most: int = MAX_SECTIONS
) -> tuple[list[ChosenSection], int]:
    """At most `most` sections that show what a text is about, in its order, and how many others it has.

    Those of the outermost headings come first: as many levels as there is room for, or the first of the outermost one.
    What stands before the first section is one without a heading.
    """
    unique: list[tuple[int, int, tuple[str, ...]]] = []
    first = sections[0][0] if sections else char_count
    if first > 0:
        unique.append((0, first, ()))
    seen: set[tuple[str, ...]] = set()
    for start, end, path in sections:  # a heading that goes on after its subsections is one section
        if path not in seen:
            seen.add(path)
            unique.append((start, end, path))
    if not unique:
        return [], 0
    depths = sorted({len(path) for _, _, path in unique})
    fitting = [depth for depth in depths if sum(len(path) <= depth for _, _, path in unique) <= most]
    deepest = fitting[-1] if fitting else depths[0]
    shown = [section for section in unique if len(section[2]) <= deepest][:most]
    roots = {path[0] for _, _, path in unique if path}
    skipped = 1 if len(roots) == 1 else 0  # the one heading above all others is the title
    return [ChosenSection(start, end, " › ".join(path[skipped:]), path) for start, end, path in shown], len(
        unique
    ) - len(shown)


def sentences_each(sections: int) -> int:
    """How many sentences of each section make a short overview of so many sections."""
    return next((each for most, each in ((1, 6), (2, 4), (4, 3), (6, 2)) if sections <= most), 1)


def read_parts(
    text: str, char_start: int, heading: str, sentences: int, *, is_whole: bool, code: bool = False
) -> list[Part]:
    """What an overview quotes of a section: passages of up to `sentences` sentences together, and its first table, in
    the section's order. `text` stands at `char_start` of the document; `is_whole`: it is the section to its end."""
    if code:
        passage = _first_lines(text, char_start)
        return [passage] if passage else []
    table = find_table(text, char_start, is_whole=is_whole)
    runs: list[tuple[int, int]] = []
    for start, end in _choose_sentences(text[:_READ_CHARS], heading, sentences):
        if runs and not text[runs[-1][1] : start].strip() and end - runs[-1][0] <= MAX_PASSAGE_CHARS:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    parts: list[Part] = [Passage(_quoted(text, char_start, start, end)) for start, end in runs]
    if table is not None:
        before = sum(1 for start, _ in runs if char_start + start < table.char_start)
        parts.insert(before, table)
    return parts


def find_table(text: str, char_start: int = 0, *, is_whole: bool = True) -> TableOutline | None:
    """The first table of a text that stands at `char_start` of the document; None where it has none."""
    lines = list(_lines(text))
    for index, (start, line) in enumerate(lines):
        if is_row(line):
            block = _block(lines, index, is_row)
            ruled = len(block) > 1 and "-" in block[1][1] and _SEPARATOR.issuperset(block[1][1])
            return _table(
                text, char_start, block[0] if ruled else None, block[2 if ruled else 0 :], is_whole=is_whole
            )
        if " | " not in line:
            continue
        if _ITEM.match(line):  # rows without a head
            block = _block(lines, index, lambda row: row.startswith("- "))
            return _table(text, char_start, None, block, is_whole=is_whole)
        following = next((at for at in range(index + 1, len(lines)) if lines[at][1].strip()), None)
        columns = [column.strip() for column in line.split(" | ")]
        if following is not None and any(
            lines[following][1].startswith(f"- {column}: ") for column in columns
        ):
            block = _block(lines, following, lambda row: row.startswith("- "))
            return _table(text, char_start, (start, line), block, is_whole=is_whole)
    return None


def show(quote: str) -> str:
    """A quote as an answer shows it: marks of headings and quotations off, lines joined but for those of a list.

    >>> show("The steps\\nare:\\n\\n1. Open it.\\n2. Close\\n   it.")
    'The steps are:\\n1. Open it.\\n2. Close it.'
    """
    shown = ""
    for line in quote.split("\n"):
        bare = re.sub(r"^(?:#{1,6} |> ?)+", "", line.strip())
        if not bare:
            continue
        if _ITEM.match(bare):
            shown += f"\n{re.sub(r'^[*+•·] ', '- ', bare)}"
        elif shown and re.search(r"[\u2e80-\u9fff，。；：、]$", shown) and re.match(r"[\u2e80-\u9fff]", bare):
            shown += bare
        else:
            shown += f" {bare}"
    return re.sub(r" {2,}", " ", shown).strip()


def show_row(columns: Sequence[str], row: str) -> str:
    """A row of a table as what it says: of a pipe table under these columns, or of one whose rows are items.

    >>> show_row(("Code", "Meaning", "Since"), "| E-107 | Membrane damaged | 2024 |")
    'E-107: Meaning: Membrane damaged; Since: 2024'
    >>> show_row((), "- Code: E-107 | Meaning: Damaged")
    'E-107: Meaning: Damaged'
    """
    if is_row(row):
        return shown_row(columns, split_cells(row)) or row.strip()
    record = split_record(row)
    return (shown_row(*record) if record is not None else show(row).removeprefix("- ")) or row.strip()


def _choose_sentences(text: str, heading: str, most: int) -> Iterator[tuple[int, int]]:
    """The first sentences of a section; what leads to a list does not count, and of a list come _LEAST_ITEMS items."""
    count, items, leads = 0, 0, False
    for start, end in _prose(text, heading):
        is_item = bool(_ITEM.match(text, start, end))
        if count >= most and not (is_item and (leads or items) and items < _LEAST_ITEMS):
            return
        yield start, min(end, start + MAX_SENTENCE_CHARS)
        items += is_item
        leads = text[start:end].rstrip().endswith((":", "："))
        count += not leads


def _prose(text: str, heading: str) -> Iterator[tuple[int, int]]:
    """Spans of sentences; headings, rules, images, code and rows of tables left out."""
    fences = read_fences(text)
    for start, end in split_sentences(text):
        sentence = text[start:end]
        if not (
            fence_at(fences, start) is not None
            or (kind_of(sentence) in _NOT_PROSE and not _ITEM.match(sentence))  # an item may be a link alone
            or _TAG_ALONE.match(sentence)
            or " | " in sentence
            or not letters(sentence)
            or letters(sentence) == letters(heading)
        ):
            yield start, end


def _first_lines(text: str, char_start: int) -> Passage | None:
    """The line that opens a piece of code, with the remark after it."""
    lines = [(start, line) for start, line in _lines(text) if line.strip()][:2]
    if not lines:
        return None
    last = lines[-1] if len(lines) == 2 and _COMMENT.match(lines[1][1]) else lines[0]
    start = lines[0][0] + len(lines[0][1]) - len(lines[0][1].lstrip())
    end = min(last[0] + len(last[1].rstrip()), start + MAX_SENTENCE_CHARS)
    return Passage(_quoted(text, char_start, start, end))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def _block(
    lines: Sequence[tuple[int, str]], first: int, belongs: Callable[[str], bool]
) -> list[tuple[int, str]]:
    """The lines from `first` on that belong together."""
    end = next((at for at in range(first, len(lines)) if not belongs(lines[at][1])), len(lines))
    return list(lines[first:end])


def _table(
    text: str,
    char_start: int,
    header: tuple[int, str] | None,
    rows: Sequence[tuple[int, str]],
    *,
    is_whole: bool,
) -> TableOutline | None:
    if not rows:
        return None
    columns: tuple[str, ...] = ()
    if header is not None:
        written = header[1]
        is_piped = is_row(written)
        cells = split_cells(written) if is_piped else tuple(written.split(" | "))
        columns = tuple(cell.strip() for cell in cells)
    last = rows[-1][0] + len(rows[-1][1])
    first = header or rows[0]
    return TableOutline(
        columns,
        None if header is None else _line(text, char_start, header),
        tuple(_line(text, char_start, row) for row in rows[:SHOWN_ROWS]),
        len(rows) if is_whole or last < len(text) else None,
        char_start + first[0],
        char_start + last,
    )


def _line(text: str, char_start: int, line: tuple[int, str]) -> QuotedSpan:
    start = line[0] + len(line[1]) - len(line[1].lstrip())
    return _quoted(text, char_start, start, line[0] + len(line[1].rstrip()))


def _quoted(text: str, char_start: int, start: int, end: int) -> QuotedSpan:
    """text[start:end] without space around it, at its place in the document."""
    quote = text[start:end].rstrip()
    return QuotedSpan(char_start + start, char_start + start + len(quote), quote)
