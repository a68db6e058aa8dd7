"""GET /documents/{id}/pages, /pages/{n}.png, /pages/{n}/lines and /boxes: pages as they are seen, the words on them,
and where a quote stands.

A stranger's PDF is drawn in a confined child, of which the service knows PageViews alone: whoever starts it
(app/cli/serving.py) hands it in. Pictures are kept in memory, up to CACHE_BYTES of them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, Protocol, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response

from app.api.components import Parts
from app.api.documentation import example, problems
from app.api.documents import DocumentId, Offset
from app.api.problems import Fault, FaultError
from app.api.schemas import Box, BoxList, PageLine, PageLineList, PageList, SeenPage
from app.domain import Page
from app.errors import DocumentError, NotFoundError
from app.store.connection import transaction
from app.store.originals import Original, read_whole
from app.store.pages import PagedDocument, ScannedLines, check_span, page_text, read_pages

router = APIRouter(tags=["documents"])

CACHE_BYTES: Final = 64_000_000
_PDF: Final = "application/pdf"
_MOST_WAITING: Final = 16
_T = TypeVar("_T")
_PICTURE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"image/png": {"example": "…"}}}}
_BUSY: Final = Fault(
    "too_many_requests",
    429,
    f"{_MOST_WAITING} pages wait to be drawn; that is all at once. Try again in a second.",
    detail_zh=f"已有 {_MOST_WAITING} 页等待绘制，已达上限，请稍后重试。",
    retry_after_s=1,
)


class PageViews(Protocol):
    """Draws pages of PDFs. Blocks; raises DocumentError."""

    def sizes(self, content: bytes) -> list[tuple[float, float]]: ...

    def picture(self, content: bytes, page: int, scale: float) -> bytes: ...

    def boxes(
        self, content: bytes, page: int, text: str, start: int, end: int
    ) -> list[tuple[float, float, float, float]]: ...

    def lines(
        self, content: bytes, page: int, text: str
    ) -> list[tuple[str, int, int, float, float, float, float]]: ...


PageNumber = Annotated[int, Path(ge=1, le=100_000, examples=[1], description="The page's number")]


class Views:
    """What has been drawn lately, and what draws. One page is drawn at a time."""

    def __init__(self, drawing: PageViews | None) -> None:
        self.drawing = drawing
        self._kept: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._kept_bytes = self._waiting = 0
        self._turn = asyncio.Lock()

    async def see(
        self,
        key: tuple[object, ...],
        original: Original,
        parts: Parts,
        look: Callable[[PageViews, bytes], _T],
        size: Callable[[_T], int],
    ) -> _T:
        """What `look` sees in an original, or saw lately under this key. Raises DocumentError, FaultError."""
        key = (original.id, *key)
        if key in self._kept:
            self._kept.move_to_end(key)
            kept: _T = self._kept[key][0]
            return kept
        drawing = self.drawing
        assert drawing is not None
        async with self._place():
            async with transaction(parts.pool) as connection:
                content = await read_whole(connection, original.id)
            seen = await asyncio.to_thread(look, drawing, content)
        self._keep(key, seen, size(seen))
        return seen

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._waiting >= _MOST_WAITING:
            raise FaultError(_BUSY)
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    def _keep(self, key: tuple[object, ...], seen: object, size: int) -> None:
        if key in self._kept or size > CACHE_BYTES:
            return
        self._kept[key] = (seen, size)
        self._kept_bytes += size
        while self._kept_bytes > CACHE_BYTES:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._kept_bytes -= dropped


@router.get(
    "/documents/{document_id}/pages",
    summary="List a document's pages",
    responses=example("pages") | problems(404, 422, 429),
)
async def list_pages(document_id: DocumentId, request: Request, parts: Parts) -> PageList:
    """Each page with its stretch of the stored text, in code points. Size, in points (of a picture: pixels), and the
    address of its picture are null where the file is not kept or has no pages to draw."""
    async with transaction(parts.pool) as connection:
        document = await read_pages(connection, document_id)
    sizes = await _sizes(request.app.state.views, document, parts)

    def seen(page: Page) -> SeenPage:
        scanned = document.scanned.get(page.number)
        width, height = sizes.get(page.number) or (
            (scanned.width, scanned.height) if scanned else (None, None)
        )
        return SeenPage(
            number=page.number,
            width=width,
            height=height,
            char_start=page.char_start,
            char_end=page.char_end,
            image=f"/documents/{document.id}/pages/{page.number}.png" if page.number in sizes else None,
        )

    return PageList(pages=[seen(page) for page in document.pages])


@router.get(
    "/documents/{document_id}/pages/{number}.png",
    summary="Draw a page",
    response_class=Response,
    responses=_PICTURE | problems(404, 422, 429),
)
async def get_picture(
    document_id: DocumentId,
    number: PageNumber,
    request: Request,
    parts: Parts,
    scale: Annotated[float, Query(ge=0.1, le=4, description="Pixels a point")] = 1.5,
) -> Response:
    """As PNG, at most 4,000 pixels wide or high."""
    views: Views = request.app.state.views
    async with transaction(parts.pool) as connection:
        document = await read_pages(connection, document_id)
    original = document.original
    if views.drawing is None or original is None or original.media_type != _PDF:
        raise NotFoundError(
            f"There is no picture of page {number}: the document's file is not kept, or it is no PDF."
        )
    if number not in await _sizes(views, document, parts):
        raise NotFoundError(f"The document has no page {number}. GET /documents/{{id}}/pages lists them.")
    scale = round(scale, 2)
    png = await views.see(
        ("picture", number, scale),
        original,
        parts,
        lambda drawing, content: drawing.picture(content, number, scale),
        len,
    )
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@router.get(
    "/documents/{document_id}/pages/{number}/lines",
    summary="Get the words on a page",
    responses=example("lines") | problems(404, 422, 429),
)
async def get_lines(
    document_id: DocumentId, number: PageNumber, request: Request, parts: Parts
) -> PageLineList:
    """What lies over a page's picture, so that its words can be selected and sought: boxes as those of quotes, in the
    order of the stored text. Empty where the page can't be drawn."""
    views: Views = request.app.state.views
    async with transaction(parts.pool) as connection:
        document = await read_pages(connection, document_id)
        page = next((page for page in document.pages if page.number == number), None)
        if page is None:
            raise NotFoundError(f"The document has no page {number}. GET /documents/{{id}}/pages lists them.")
        text = await page_text(connection, document, page)
    scanned, original = document.scanned.get(number), document.original
    if scanned is not None:
        return PageLineList(lines=_scanned_lines(scanned, page, text))
    if views.drawing is None or original is None or original.media_type != _PDF:
        return PageLineList(lines=[])
    try:
        found = await views.see(
            ("lines", number),
            original,
            parts,
            lambda drawing, content: drawing.lines(content, number, text),
            lambda lines: sum(len(line[0]) * 4 + 300 for line in lines) + 64,
        )
    except DocumentError:  # it was read once, and can't be drawn
        return PageLineList(lines=[])
    first = page.char_start
    return PageLineList(
        lines=[
            PageLine(
                text=words,
                char_start=first + start if start >= 0 else None,
                char_end=first + end if start >= 0 else None,
                x=x,
                y=y,
                width=width,
                height=height,
            )
            for words, start, end, x, y, width, height in found
        ]
    )


def _scanned_lines(scanned: ScannedLines, page: Page, text: str) -> list[PageLine]:
    return [
        PageLine(
            text=text[first - page.char_start : after - page.char_start],
            char_start=first,
            char_end=after,
            x=x0,
            y=y0,
            width=x1 - x0,
            height=y1 - y0,
        )
        for first, after, x0, y0, x1, y1 in scanned.lines
    ]


@router.get(
    "/documents/{document_id}/boxes",
    summary="Find where a quote stands on its pages",
    responses=example("boxes") | problems(404, 422, 429),
)
async def find_boxes(
    document_id: DocumentId,
    request: Request,
    parts: Parts,
    start: Offset,
    end: Annotated[int, Query(ge=0, le=2**31 - 1, description="Code points from the text's start")],
) -> BoxList:
    """Rectangles in points of the page as it is seen, from its upper left corner; on pages that OCR read, whole lines.
    Of a page where the place is not certain there is none: better no mark than a wrong one."""
    check_span(start, end)
    views: Views = request.app.state.views
    async with transaction(parts.pool) as connection:
        document = await read_pages(connection, document_id)
        wanted = [page for page in document.pages if page.char_start < end and page.char_end > start]
        texts = {
            page.number: await page_text(connection, document, page)
            for page in wanted
            if page.number not in document.scanned
        }
    boxes: list[Box] = []
    for page in wanted:
        scanned = document.scanned.get(page.number)
        if scanned is not None:
            boxes += [
                Box(page=page.number, x=x0, y=y0, width=x1 - x0, height=y1 - y0)
                for first, after, x0, y0, x1, y1 in scanned.lines
                if first < end and after > start
            ]
            continue
        original = document.original
        if views.drawing is None or original is None or original.media_type != _PDF:
            continue
        first, last = max(start, page.char_start) - page.char_start, min(end, page.char_end) - page.char_start
        boxes += await _boxes(views, original, parts, page.number, (texts[page.number], first, last))
    return BoxList(boxes=boxes)


async def _boxes(
    views: Views, original: Original, parts: Parts, number: int, wanted: tuple[str, int, int]
) -> list[Box]:
    """Where text[start:end] stands on a page, `wanted` being the page's text, start and end."""
    try:
        found = await views.see(
            ("boxes", number, *wanted[1:]),
            original,
            parts,
            lambda drawing, content: drawing.boxes(content, number, *wanted),
            lambda found: 64 * len(found) + 64,
        )
    except DocumentError:  # it was read once, and can't be drawn
        return []
    return [Box(page=number, x=x, y=y, width=width, height=height) for x, y, width, height in found]


async def _sizes(views: Views, document: PagedDocument, parts: Parts) -> dict[int, tuple[float, float]]:
    """The size of each page that can be drawn."""
    original = document.original
    if views.drawing is None or original is None or original.media_type != _PDF:
        return {}
    try:
        found = await views.see(
            ("sizes",),
            original,
            parts,
            lambda drawing, content: drawing.sizes(content),
            lambda sizes: 64 * len(sizes) + 64,
        )
    except DocumentError:
        return {}
    return dict(enumerate(found, start=1))
