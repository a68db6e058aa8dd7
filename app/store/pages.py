"""Pages of documents: their stretches of the stored text, and the places of lines that OCR read. Async, in the caller's
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.domain import Page
from app.errors import InvalidRequestError, NotFoundError
from app.store.connection import AsyncConnection
from app.store.originals import Original
from app.store.texts import text_between
from app.store.twins import TODAYS

MAX_SPAN_CHARS = 20_000  # of a quote whose boxes are asked for


@dataclass(frozen=True, slots=True)
class ScannedLines:
    """A page that OCR read: its size, and of each line char_start, char_end, x0, y0, x1, y1 in points of the page as it
    is seen (of a picture, pixels)."""

    width: int
    height: int
    lines: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class PagedDocument:
    """A document with its pages in order. `original` is there where one is kept whose text this is."""

    id: UUID
    pages: tuple[Page, ...]
    scanned: dict[int, ScannedLines]
    original: Original | None


async def read_pages(connection: AsyncConnection, document_id: str) -> PagedDocument:
    """The pages of a document. Raises NotFoundError."""
    try:
        wanted = UUID(document_id)
    except ValueError:
        raise _no_document(document_id) from None
    row = await (
        await connection.execute(
            "SELECT d.id, d.pages, o.id, o.name, d.media_type, o.sha256, o.size_bytes"  # noqa: S608 - constants only
            " FROM pgask.documents d"
            " LEFT JOIN pgask.originals o ON o.document_id = d.id AND o.sha256 = d.content_sha256"
            f" AND d.status IN ('ready', 'duplicate') WHERE d.id = {TODAYS}",
            {"id": wanted},
        )
    ).fetchone()
    if row is None:
        raise _no_document(document_id)
    number, pages, original_id, name, media_type, sha256, size_bytes = row
    original = None
    if original_id is not None:
        original = Original(original_id, name, media_type, sha256, size_bytes, has_its_text=True)
    lines = await connection.execute(
        "SELECT page, width, height, lines FROM pgask.page_lines WHERE document_id = %s", [number]
    )
    scanned = {
        page: ScannedLines(width, height, tuple(tuple(flat[at : at + 6]) for at in range(0, len(flat), 6)))
        for page, width, height, flat in await lines.fetchall()
    }
    return PagedDocument(number, tuple(Page(*page) for page in pages), scanned, original)


async def page_text(connection: AsyncConnection, document: PagedDocument, page: Page) -> str:
    """The stored text of a page."""
    row = await (
        await connection.execute(
            f"SELECT {text_between('id', '%(start)s::int', '%(end)s::int')}"  # noqa: S608 - constants only
            " FROM pgask.documents WHERE id = %(id)s",
            {"id": document.id, "start": page.char_start, "end": page.char_end},
        )
    ).fetchone()
    return "" if row is None else str(row[0])


def check_span(start: int, end: int) -> None:
    """Raise InvalidRequestError for a span that is none, or too long."""
    if not 0 <= start < end or end - start > MAX_SPAN_CHARS:
        raise InvalidRequestError(
            f"start must be before end, and the span at most {MAX_SPAN_CHARS:,} characters (fixed); it has "
            f"{end - start:,}.",
            chinese=f"start 须在 end 之前，且范围至多 {MAX_SPAN_CHARS:,} 个字符（不可调整）；现有 {end - start:,}。",
        )


def _no_document(document_id: str) -> NotFoundError:
    return NotFoundError(f"There is no document {document_id[:64]!r}. GET /documents lists them.")
