"""POST /documents/{id}/reingest and /documents/reingest: documents made anew of the files that are kept of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import Field

from app.api.bodies import Request as RequestBody
from app.api.bodies import Text
from app.api.components import Components, Parts
from app.api.documentation import example, problems
from app.api.documents import DocumentId
from app.api.schemas import JobReply, ReingestReply
from app.store.connection import write
from app.store.reingesting import MOST_DOCUMENTS, Reingestion, reingest
from app.store.tenancy import current_scope

router = APIRouter(tags=["documents"])


class PickedDocuments(RequestBody):
    """Documents by their ids."""

    documents: Annotated[
        list[Annotated[Text, Field(max_length=64)]], Field(min_length=1, max_length=MOST_DOCUMENTS)
    ]


@router.post(
    "/documents/{document_id}/reingest",
    status_code=202,
    summary="Take a document in again",
    responses=example("job", 202) | problems(404, 422),
)
async def reingest_document(document_id: DocumentId, request: Request, parts: Parts) -> JobReply:
    """Of its file as it came, by today's parser and settings, though it has not changed. Its id, readers and metadata
    stay; until the job is done, and where it fails, the text that there is answers."""
    made = await _reingest([document_id], request, parts)
    return JobReply(job=made.jobs[0])


@router.post(
    "/documents/reingest",
    status_code=202,
    summary="Take several documents in again",
    responses=example("reingest", 202) | problems(404, 415, 422),
)
async def reingest_documents(
    body: Annotated[
        PickedDocuments,
        Body(openapi_examples={"one": {"value": {"documents": ["0b9c1f2e-6a1d-4c58-9f0e-2f3b6d1a7c44"]}}}),
    ],
    request: Request,
    parts: Parts,
) -> ReingestReply:
    """A job for each collection and set of readers. Those whose file is not kept are named and left as they are."""
    made = await _reingest(body.documents, request, parts)
    return ReingestReply(jobs=made.jobs, without_original=made.without_original)


async def _reingest(ids: list[str], request: Request, parts: Components) -> Reingestion:
    groups = current_scope(parts.pool.otherwise).groups
    created_by = request.state.caller.name
    return await write(
        parts.pool, lambda connection: reingest(connection, ids, groups=groups, created_by=created_by)
    )
