"""What one document says: its size, of each section the first sentences, of tables the columns and first rows. Pure;
all of that is cited.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final

from app.domain import Answer, Citation, QuotedSpan
from app.generation.instructions import TO_ASSISTANT, speaks_to_an_assistant
from app.generation.outline import (
    ChosenSection,
    Part,
    Passage,
    TableOutline,
    is_code,
    read_parts,
    sentences_each,
    show,
    show_row,
)
from app.generation.reply import MAX_SOURCE_CHARS, TABLE_TYPES, Reply, Voice, call_document, call_type, clip
from app.store.outlines import HEAD_CHARS, StoredOutline
from app.stored_markdown import split_cells

_CHARACTERS: Final = ("{count} characters", "{count} 字")
_PAGES: Final = ("{count} pages", "{count} 页")
_SECTIONS: Final = ("{count} sections", "{count} 节")
_ROWS: Final = ("{count} rows", "{count} 行")
_MORE_SECTIONS: Final = ("… and {count} more sections.", "……另有 {count} 节。")
_COLUMNS: Final = ("Columns: ", "列：")
_FIRST_ROWS: Final = ("The first {count} of {all} rows:", "共 {all} 行，前 {count} 行：")
_ALL_ROWS: Final = ("{all} rows:", "共 {all} 行：")
_UNCOUNTED_ROWS: Final = ("The first rows:", "前几行：")
_TABLE: Final = ("table of {count} rows, columns ", "表格，{count} 行，列：")
_UNCOUNTED_TABLE: Final = ("table, columns ", "表格，列：")
_NAMELESS_TABLE: Final = ("table of {count} rows", "表格，{count} 行")
_FIRST_ROW: Final = ("first row: ", "第一行：")


def describe_document(
    outline: StoredOutline,
    chosen: Sequence[ChosenSection],
    left: int,
    texts: Mapping[int, str],
    question: str,
    *,
    voice: Voice | None = None,
) -> Answer:
    """The overview of a document, in the language of the question; what is quoted is as it stands.

    `texts` has the text of each chosen section from its char_start on, perhaps not to its end. `left`: how many
    sections are not among the chosen.
    """
    reply = Reply(voice or Voice.of(question))
    sentences = sentences_each(len(chosen))
    read = [
        read_parts(
            texts[section.char_start],
            section.char_start,
            section.heading_path[-1] if section.heading_path else outline.title,
            sentences,
            is_whole=section.char_start + len(texts[section.char_start]) >= section.char_end,
            code=is_code(outline.media_type),
        )
        for section in chosen
    ]
    tables = [part for parts in read for part in parts if isinstance(part, TableOutline)]
    rows = _count_rows(outline, tables) if outline.media_type in TABLE_TYPES else None
    _say_size(reply, outline, rows)
    for section, parts in zip(chosen, read, strict=True):
        if parts:
            reply.say("\n\n" if section.label or parts is read[0] else "\n")
            _describe_section(reply, outline, section.label, parts, rows if len(tables) == 1 else None)
    if left > 0:
        reply.say("\n\n")
        reply.put(_MORE_SECTIONS, count=f"{left:,}")
    return reply.finish("overview", question)


def _say_size(reply: Reply, outline: StoredOutline, rows: int | None) -> None:
    voice = reply.voice
    sizes = [call_type(outline.media_type, voice), voice.word(_CHARACTERS, count=f"{outline.char_count:,}")]
    counts = ((_PAGES, outline.page_count), (_SECTIONS, outline.section_count), (_ROWS, rows or 0))
    sizes += [voice.word(wording, count=f"{count:,}") for wording, count in counts if count > 1]
    reply.say(call_document(outline.title, outline.source) + voice.colon + voice.comma.join(sizes))


def _count_rows(outline: StoredOutline, tables: Sequence[TableOutline]) -> int | None:
    """How many rows the tables of a sheet have; None where that was not read. Of a text that was not read whole, rows
    are its items: tables with so many rows are written that way."""
    if outline.char_count > HEAD_CHARS:
        return outline.items or None
    counts = [table.row_count for table in tables]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _describe_section(
    reply: Reply, outline: StoredOutline, label: str, parts: Sequence[Part], rows: int | None
) -> None:
    """The parts of a section behind its heading; `rows` is the number of rows of a document that is one table."""
    reply.say(clip(label, MAX_SOURCE_CHARS))
    for place, part in enumerate(parts):
        is_sheet = outline.media_type in TABLE_TYPES
        shown = _show(part, outline.media_type) if isinstance(part, Passage) else ""
        own_line = place > 0 or "\n" in shown or shown.startswith("- ") or (not shown and is_sheet)
        if place == 0 and label:
            colon = " " if label.endswith(("?", "？", ":", "：")) else reply.voice.colon
            reply.say(colon.rstrip() if own_line else colon)
        if own_line and (place > 0 or label):
            reply.say("\n")
        if isinstance(part, Passage):
            if any(map(speaks_to_an_assistant, (label, *part.span.quote.split("\n")))):
                reply.put(TO_ASSISTANT)
            reply.cite(shown, _cite(outline, part.span))
        elif is_sheet:
            _describe_rows(reply, outline, part, rows)
        else:
            _describe_table(reply, outline, part)


def _show(passage: Passage, media_type: str) -> str:
    quote = passage.span.quote
    if not is_code(media_type):
        return show(quote)
    return f"```\n{quote}\n```" if "\n" in quote else quote


def _describe_rows(reply: Reply, outline: StoredOutline, table: TableOutline, rows: int | None) -> None:
    """The columns and the first rows of a table that is a document, or a sheet of one."""
    count = rows if rows is not None else table.row_count
    if table.header is not None:
        columns = reply.voice.comma.join(filter(None, table.columns))
        reply.cite(reply.voice.word(_COLUMNS) + columns, _cite(outline, table.header))
        reply.say("\n")
    wording = _UNCOUNTED_ROWS if count is None else _ALL_ROWS if count <= len(table.rows) else _FIRST_ROWS
    reply.put(wording, count=len(table.rows), all=f"{count or 0:,}")
    for row in table.rows:
        reply.say("\n- ")
        _say_row(reply, outline, table, row)


def _describe_table(reply: Reply, outline: StoredOutline, table: TableOutline) -> None:
    """A table inside a text, on a line: its columns and its first row."""
    if table.header is None:
        reply.put(_NAMELESS_TABLE, count=table.row_count or len(table.rows))
    else:
        wording = _UNCOUNTED_TABLE if table.row_count is None else _TABLE
        columns = reply.voice.comma.join(filter(None, table.columns))
        reply.cite(reply.voice.word(wording, count=table.row_count) + columns, _cite(outline, table.header))
    reply.say(reply.voice.semicolon)
    reply.put(_FIRST_ROW)
    _say_row(reply, outline, table, table.rows[0])


def _say_row(reply: Reply, outline: StoredOutline, table: TableOutline, row: QuotedSpan) -> None:
    if any(map(speaks_to_an_assistant, (row.quote, *split_cells(row.quote)))):
        reply.put(TO_ASSISTANT)
    reply.cite(show_row(table.columns, row.quote), _cite(outline, row, table.header))


def _cite(outline: StoredOutline, span: QuotedSpan, header: QuotedSpan | None = None) -> Citation:
    """A span of the document as evidence; a row comes with the header of its table."""
    page = next((page for page in outline.pages if page.char_start <= span.char_start < page.char_end), None)
    paths = (path for start, end, path in outline.sections if start <= span.char_start < end)
    return Citation(
        marker=1,
        document_id=outline.document_id,
        chunk_id=str(_chunk_at(outline, span.char_start, span.char_end)),
        collection=outline.collection,
        source=outline.source,
        title=outline.title,
        page=page.number if page else None,
        heading=" › ".join(next(paths, ())) or None,
        char_start=span.char_start,
        char_end=span.char_end,
        quote=span.quote,
        score=1.0,
        spans=(span, header) if header is not None else (),
        supported=True,
        ocr_confidence=page.ocr_confidence if page else None,
    )


def _chunk_at(outline: StoredOutline, start: int, end: int) -> int:
    """The chunk that holds all of a span, else the one that holds its beginning."""
    after = bisect_right(outline.chunks, start, key=lambda chunk: chunk[1])
    near = outline.chunks[max(0, after - 2) : after] or outline.chunks[:1]
    return next((chunk[0] for chunk in near if chunk[2] >= end), near[-1][0])
