"""Replies: made of the domain's frozen records, which go over the wire as they are."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from app.store.catalog import CollectionSummary, DocumentSummary
from app.store.jobs import Job
from app.store.listing import Facets


class Reply(BaseModel):
    """Base of all replies. Their parts are the domain's frozen records, as they are (ADR 0029)."""


class DocumentList(Reply):
    """A page of documents; `next_cursor` is null on the last one. `facets` is there if asked for."""

    documents: tuple[DocumentSummary, ...]
    next_cursor: str | None
    facets: Annotated[Facets | None, Field(exclude_if=lambda value: value is None)] = None


class SeenPage(Reply):
    """A page: its size in points (of a picture: pixels), its stretch of the text, and where its picture is."""

    number: int
    width: float | None
    height: float | None
    char_start: int
    char_end: int
    image: str | None


class PageList(Reply):
    """A document's pages in order."""

    pages: list[SeenPage]


class Box(Reply):
    """A rectangle on a page, from its upper left corner."""

    page: int
    x: float
    y: float
    width: float
    height: float


class BoxList(Reply):
    """Where a quote stands; empty where that is not certain."""

    boxes: list[Box]


class PageLine(Reply):
    """Words side by side on a page, and their box. `char_start`, `char_end` are null where it is not certain which
    stretch of the stored text they are; else `text` is that stretch."""

    text: str
    char_start: int | None
    char_end: int | None
    x: float
    y: float
    width: float
    height: float


class PageLineList(Reply):
    """The lines of a page in the order of reading."""

    lines: list[PageLine]


class JobReply(Reply):
    """A job that was made."""

    job: Job


class ReingestReply(Reply):
    """Jobs that were made, and the documents whose file is not kept."""

    jobs: tuple[Job, ...]
    without_original: tuple[str, ...]


class JobList(Reply):
    """A page of jobs, the newest first; `next_cursor` is null on the last one."""

    jobs: tuple[Job, ...]
    next_cursor: str | None


class CollectionList(Reply):
    """All collections by name."""

    collections: list[CollectionSummary]
