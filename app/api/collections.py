"""GET and POST /collections, PATCH and DELETE /collections/{name}."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from app.api.components import Parts
from app.api.documentation import DELETED, example, problems
from app.api.requests import ChangedCollection, CollectionName, NewCollection
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


@router.patch(
    "/collections/{name}",
    summary="Give a collection another name",
    responses=example("renamed collection") | problems(404, 409, 415, 422),
)
async def change_collection(
    name: Annotated[CollectionName, Path()],
    body: Annotated[ChangedCollection, Body(openapi_examples={"handbook": {"value": {"name": "handbook"}}})],
    parts: Parts,
) -> ChangedCollection:
    """Its documents and their ids stay as they are."""
    await write(parts.pool, lambda connection: catalog.rename_collection(connection, name, body.name))
    return body


@router.delete(
    "/collections/{name}",
    status_code=204,
    response_class=Response,
    summary="Delete a collection with all its documents",
    responses=DELETED | problems(404, 422),
)
async def delete_collection(name: Annotated[CollectionName, Path()], parts: Parts) -> None:
    """The files that they were made of stay where they are."""
    await write(parts.pool, lambda connection: catalog.delete_collection(connection, name))
