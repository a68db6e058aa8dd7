"""GET and POST /collections, PATCH and DELETE /collections/{name}."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from app.api.components import Parts
from app.api.documentation import DELETED, example, problems
from app.api.problems import Fault, FaultError
from app.api.requests import ChangedCollection, CollectionName, NewCollection
from app.api.schemas import CollectionList
from app.store import catalog
from app.store.connection import AsyncConnection, transaction, write
from app.store.tenancy import NOBODY, current_scope

router = APIRouter(tags=["documents"])

_NOT_ITS_OWN = Fault(
    "forbidden",
    403,
    "This key sees some collections alone, and none of this name. Ask whoever runs the service for another key.",
    detail_zh="当前密钥只能访问部分集合，其中没有此名称。请向服务管理员索取其他密钥。",
)


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
    responses=example("new collection", 201) | problems(403, 409, 415, 422),
)
async def create_collection(
    body: Annotated[
        NewCollection,
        Body(
            openapi_examples={
                "handbook": {"value": {"name": "handbook", "description": "Rules for all who work here"}}
            }
        ),
    ],
    parts: Parts,
) -> catalog.CollectionSummary:
    """`ingest --collection NAME` makes one by itself; this is for clients that want it before."""
    check_name_of_key(body.name)
    return await write(
        parts.pool,
        lambda connection: catalog.create_collection(connection, body.name, parts.space, body.description),
    )


@router.patch(
    "/collections/{name}",
    response_model_exclude_none=True,
    summary="Give a collection another name or description",
    responses=example("renamed collection") | problems(403, 404, 409, 415, 422),
)
async def change_collection(
    name: Annotated[CollectionName, Path()],
    body: Annotated[
        ChangedCollection,
        Body(
            openapi_examples={
                "name": {"value": {"name": "handbook"}},
                "description": {"value": {"description": "Rules for all who work here"}},
            }
        ),
    ],
    parts: Parts,
) -> ChangedCollection:
    """Its documents and their ids stay as they are. Replies with what it is called now, and what was changed."""
    new = body.name or name
    check_name_of_key(new)

    async def change(connection: AsyncConnection) -> None:
        if body.name is not None:
            await catalog.rename_collection(connection, name, new)
        if body.description is not None:
            await catalog.describe_collection(connection, new, body.description)
        elif body.name is None:
            await catalog.find_shelf_ids(connection, name)

    await write(parts.pool, change)
    return body.model_copy(update={"name": new})


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


def check_name_of_key(name: str) -> None:
    """Raise FaultError where the caller's key does not see collections of this name, be there one or not."""
    allowed = current_scope(NOBODY).collections
    if allowed is not None and name not in allowed:
        raise FaultError(_NOT_ITS_OWN)
