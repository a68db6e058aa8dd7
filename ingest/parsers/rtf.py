"""Rich Text Format bytes → Document: headings by outline level or style, lists, tables, notes; nothing of layout."""

from __future__ import annotations

import re
from typing import Final

from app.domain import Document
from app.errors import DocumentError
from ingest.cleaning import clean_line
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.flat import FlatWriter
from ingest.parsers.grid import write_rows
from ingest.parsers.numbering import BULLET
from ingest.parsers.rtfreader import Piece, Reader
from ingest.parsers.table_text import Row
from ingest.parsers.titles import usable_title
from ingest.parsers.written import build_document

MEDIA_TYPE: Final = "application/rtf"
_NUMBER: Final = re.compile(r"[\w.()（）、]{1,12}$")


def parse_rtf(content: bytes, source: str) -> Document:
    """Parse a Rich Text file. Title: the property, else the first level-1 heading, else the file's stem. Raises
    DocumentError `parse_failed`, `too_large` or `empty`."""
    if not content.lstrip().startswith(b"{\\rtf"):
        raise DocumentError("The file is no Rich Text; open it and save it again.", code="parse_failed")
    # what is beyond ASCII is escaped, or in the code page that the file names
    reader = Reader(content.decode("latin-1"))
    writer = FlatWriter()
    rows: list[Row] = []
    cells: list[str] = []
    for piece in reader.pieces():
        if piece.kind == "cell":
            cells.append(piece.text)
        elif piece.kind == "row":
            rows.append({at: cell for at, cell in enumerate(cells) if cell.strip()})
            cells = []
        elif cells:  # a paragraph of a cell that has several
            cells[-1] = cells[-1] + LINE_BREAK + piece.text
        else:
            _write_table(writer, rows)
            rows = []
            _write(writer, piece)
    if cells:
        rows.append({at: cell for at, cell in enumerate(cells) if cell.strip()})
    _write_table(writer, rows)
    return build_document(
        writer.text(),
        source,
        MEDIA_TYPE,
        title=usable_title(clean_line(reader.title)),
        dropped={"hidden": reader.hidden} if reader.hidden else {},
    )


def _write(writer: FlatWriter, piece: Piece) -> None:
    if piece.level:
        words = f"{piece.mark} {piece.text}" if _NUMBER.match(piece.mark) else piece.text
        writer.heading(piece.level, words)
    elif piece.mark:
        writer.item(0, piece.mark if _NUMBER.match(piece.mark) else BULLET, piece.text)
    else:
        writer.end_list()
        writer.paragraph(piece.text)


def _write_table(writer: FlatWriter, rows: list[Row]) -> None:
    if rows:
        write_rows(writer, rows)
        writer.end_list()
