"""CSV and TSV bytes → Document. The stored text is Markdown: see grid.py for its tables.

The delimiter is the one that cuts the first lines into the same number of fields, more than one; quotes are those of
RFC 4180. The charset is told as for plain text.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from app.domain import Document
from app.letters import detect_language
from ingest.cleaning import clean_text
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.budget import TextBudget
from ingest.parsers.decoding import decode
from ingest.parsers.grid import Row, write_grid

CSV_MEDIA_TYPE = "text/csv"
TSV_MEDIA_TYPE = "text/tab-separated-values"

_DELIMITERS = ",;\t|"
_NAMED_DELIMITER = re.compile(r"sep=([^\w\s]|\t)[ \t]*\n", re.I)  # the first line of files for Excel
_SAMPLE_LINES = 50
_SAMPLE_CHARS = 100_000


def parse_csv(content: bytes, source: str) -> Document:
    """Parse a CSV file; its title is the file's stem. Raises DocumentError `bad_encoding`, `too_large`, `empty`."""
    return _parse(content, source, CSV_MEDIA_TYPE, "")


def parse_tsv(content: bytes, source: str) -> Document:
    """Parse a file of values separated by tabs; as parse_csv else."""
    return _parse(content, source, TSV_MEDIA_TYPE, "\t")


def _parse(content: bytes, source: str, media_type: str, delimiter: str) -> Document:
    raw = clean_text(decode(content))
    body, named = raw.text, _NAMED_DELIMITER.match(raw.text)
    if named is not None and not delimiter:
        body, delimiter = raw.text[named.end() :], named[1]
    text = write_grid(_read_rows(body, delimiter or _sniff(body)), TextBudget())
    # Joining cells cannot bring back what cleaning removed, but can put two characters together that compose.
    cleaned = clean_text(text)
    return Document(
        text=cleaned.text,
        title=PurePosixPath(source).stem,
        media_type=media_type,
        language=detect_language(cleaned.text),
        dropped=raw.dropped,
    )


def _sniff(text: str) -> str:
    """Return the delimiter that agrees best with itself over the first lines; a comma if none is used."""
    best, best_score = ",", 0.0
    sample = "\n".join(text[:_SAMPLE_CHARS].split("\n")[:_SAMPLE_LINES])
    for delimiter in _DELIMITERS:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        widths = Counter(len(fields) for fields in rows if fields)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        score = count / max(1, widths.total()) + min(width, 20) / 1000  # the wider one where two agree alike
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


def _read_rows(text: str, delimiter: str) -> Iterator[Row]:
    """Yield the rows; where a quote is never closed, each line is a row and quotes mean nothing."""
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            pass
        fields: Iterable[list[str]] = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error:  # a field over the module's limit of 131,072 characters
        fields = (line.split(delimiter) for line in text.split("\n"))
    for row in fields:
        yield {column: field.replace("\n", LINE_BREAK) for column, field in enumerate(row)}
