"""GET /documents, GET and DELETE /documents/{id}, GET /documents/{id}/text."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final, Literal, cast

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import allows
from app.api.bodies import Text
from app.api.components import Parts
from app.api.documentation import DELETED, example, problems
from app.api.requests import CollectionName
from app.api.schemas import DocumentList
from app.store import catalog, listing
from app.store.connection import transaction, write

router = APIRouter(tags=["documents"])

_LARGEST = 2**31 - 1
Sort = Literal[
    "source", "-source", "title", "-title", "media_type", "-media_type", "language", "-language",
    "status", "-status", "pages", "-pages", "chars", "-chars", "updated_at", "-updated_at",
]  # fmt: skip
DocumentId = Annotated[
    Text,
    Path(max_length=64, examples=["0b9c1f2e-6a1d-4c58-9f0e-2f3b6d1a7c44"], description="A document's id"),
]
# Base64 of "s:" and a source; that this is UTF-8 no pattern can say
_CURSOR: Final = r"^cz[o-r][\w\-](?:[\w\-]{4})*(?:[\w\-]{2}==|[\w\-]{3}=)?$"
_Values = Annotated[list[Annotated[Text, Field(max_length=200)]], Field(max_length=50)]


class Listed(BaseModel):
    """Which documents are listed, and in which order."""

    model_config = ConfigDict(extra="ignore")

    collection: CollectionName = "default"
    limit: Annotated[int, Field(ge=1, le=listing.MAX_PAGE, description="Documents a page")] = 100
    cursor: Annotated[
        Annotated[Text, Field(json_schema_extra={"pattern": _CURSOR})] | None,
        Field(
            max_length=8_192,
            description="`next_cursor` of the page before, as it came: any other text is refused",
        ),
    ] = None
    q: Annotated[Text, Field(max_length=200, description="Words in the name or title, in any case")] = ""
    status: Annotated[
        _Values, Field(description="ready, failed, stale or duplicate; any of those given")
    ] = []
    media_type: Annotated[_Values, Field(description="Any of those given")] = []
    language: Annotated[
        _Values, Field(description="en, zh, de, fr, es, it, pt, nl or und; any of those given")
    ] = []
    folder: Annotated[
        Text, Field(max_length=2_000, description="What the names begin with, up to a slash")
    ] = ""
    sort: Annotated[Sort, Field(description="A field; with - before it, from the last to the first")] = (
        "source"
    )
    facets: Annotated[bool, Field(description="Count the documents by status, type, language, folder")] = (
        False
    )

    def to_domain(self) -> listing.ListQuery:
        """The query."""
        name = self.sort.removeprefix("-")
        return listing.ListQuery(
            q=self.q.strip(),
            status=tuple(self.status),
            media_type=tuple(self.media_type),
            language=tuple(self.language),
            folder=self.folder,
            sort=cast(listing.SortField, name),
            descending=name != self.sort,
        )


Offset = Annotated[int, Query(ge=0, le=_LARGEST, description="Code points from the text's start")]
End = Annotated[
    int, Query(ge=0, le=_LARGEST, description="Code points from the text's start, not before `start`")
]


@router.get(
    "/documents",
    summary="List a collection's documents",
    responses=example("documents") | problems(404, 422),
)
async def list_documents(
    parts: Parts,
    wanted: Annotated[Listed, Query()],
) -> DocumentList:
    """Follow `next_cursor`, with the other parameters as they were, until it is null to see them all."""
    query = wanted.to_domain()
    async with transaction(parts.pool) as connection:
        page = await listing.list_documents(connection, wanted.collection, wanted.limit, wanted.cursor, query)
        counted = await listing.count_facets(connection, wanted.collection, query) if wanted.facets else None
    return DocumentList(documents=page.documents, next_cursor=page.next_cursor, facets=counted)


@router.get(
    "/documents/{document_id}",
    summary="Show a document's metadata, pages and sections",
    responses=example("document") | problems(404, 422),
)
async def get_document(document_id: DocumentId, request: Request, parts: Parts) -> catalog.DocumentDetail:
    """Everything but the text, which has an address of its own."""
    async with transaction(parts.pool) as connection:
        found = await catalog.get_document(connection, document_id)
    return found if allows(request.state.caller.role, "writer") else replace(found, sender=None)


@router.get(
    "/documents/{document_id}/text",
    summary="Read a stretch of a document's stored text",
    responses=example("text") | problems(404, 422),
)
async def get_text(
    document_id: DocumentId, parts: Parts, start: Offset = 0, end: End | None = None
) -> catalog.TextSlice:
    """Offsets count code points, as those of citations do. At most 100,000 a call: go on from the reply's `end`."""
    async with transaction(parts.pool) as connection:
        return await catalog.document_text(connection, document_id, start, end)


@router.delete(
    "/documents/{document_id}",
    status_code=204,
    response_class=Response,
    summary="Delete a document and all that makes it searchable",
    responses=DELETED | problems(404, 422),
)
async def delete_document(document_id: DocumentId, parts: Parts) -> None:
    """The file itself stays where it is: ingesting it again brings the document back."""
    await write(parts.pool, lambda connection: catalog.delete_document(connection, document_id))
