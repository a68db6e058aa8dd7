"""GET and POST /collections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from app.api.components import Parts
from app.api.documentation import example, problems
from app.api.requests import NewCollection
from app.api.schemas import CollectionList
from app.store import catalog
from app.store.connection import transaction, write

router = APIRouter(tags=["documents"])


@router.get(
    "/collections",
    summary="List the collections",
    responses=example("collections") | problems(),
)
async def list_collections(parts: Parts) -> CollectionList:
    """All of them, by name. `documents` counts files that failed or are duplicates too, those up to a minute late."""
    async with transaction(parts.pool) as connection:
        found = await catalog.list_collections(connection, parts.document_counts)
    return CollectionList(collections=found)


@router.post(
    "/collections",
    status_code=201,
    summary="Make an empty collection",
    responses=example("new collection", 201) | problems(409, 415, 422),
)
async def create_collection(
    body: Annotated[NewCollection, Body(openapi_examples={"handbook": {"value": {"name": "handbook"}}})],
    parts: Parts,
) -> catalog.CollectionSummary:
    """`ingest --collection NAME` makes one by itself; this is for clients that want it before."""
    return await write(
        parts.pool, lambda connection: catalog.create_collection(connection, body.name, parts.space)
    )
