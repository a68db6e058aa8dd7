"""GET /status: how each part of the service is, for who runs it. The page's Status screen puts it into sentences."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import Field

from app.api.components import Components, Counts, Parts
from app.api.documentation import example, problems
from app.api.health import check_parts
from app.api.schemas import Reply
from app.errors import PgaskError
from app.generation.llm import LlmClient
from app.index.maintenance import IndexReport
from app.store.condition import Condition, read_condition
from app.store.connection import transaction
from app.store.replicas import State

router = APIRouter(tags=["operation"])

_MODEL_PATIENCE_S: Final = 2.0


class DatabaseState(Reply):
    """`size_bytes` is all that the database takes on its disk; null where it can't be asked."""

    ok: bool
    detail: str
    server: str | None
    pgvector: str | None
    size_bytes: int | None


class ReplicaReply(Reply):
    """A server that questions are read from. `state`: `ready`; `behind`, by more than PGASK_READ_MAX_LAG_S; `lost`; or
    `no_replica` of this primary. `lag_s` is null where it is not known."""

    name: str
    state: State
    lag_s: float | None


class EncoderState(Reply):
    """`unreadable_documents` are found by their words alone."""

    ok: bool
    detail: str
    model: str
    documents: int
    unreadable_documents: int


class IndexState(Reply):
    """A vector index as it was looked at last. Without a `method` there is none, and search is exact.

    `recall` is recall@10 against exact search, with its 95 % interval.
    """

    model: str
    rows: int
    method: str | None
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    target_recall: float | None
    p50_ms: float | None
    p95_ms: float | None
    built_at: str | None
    fault: str | None


class SecondSpaceState(Reply):
    """Another embedding model beside the one that answers (`pgask spaces`): of `documents` with text it has as many as
    `filled` says, as they are now."""

    model: str
    documents: int
    filled: int


class ModelServerState(Reply):
    """One server of the language model. `address` as it may be shown; `waiting`: questions that wait for it."""

    address: str
    ok: bool
    detail: str
    model: str
    waiting: int


class ModelState(Reply):
    """The language model. Answers come from it while one of its `servers` is well; `detail` is that of one which is
    not, where there is one. `waiting`: questions that wait for any of them."""

    ok: bool
    detail: str
    model: str
    waiting: int
    servers: list[ModelServerState]


class DiskState(Reply):
    """Of the disk that holds PGASK_HOME."""

    free_bytes: int
    total_bytes: int


class StatusReply(Reply):
    """How each part is."""

    version: str
    database: DatabaseState
    encoder: EncoderState
    indexes: Annotated[
        list[IndexState] | None, Field(description="null before the first look, some seconds after the start")
    ]
    second_space: Annotated[
        SecondSpaceState | None, Field(description="null where one model is all there is")
    ]
    llm: Annotated[ModelState | None, Field(description="null where none is configured: answers are quotes")]
    replicas: Annotated[list[ReplicaReply] | None, Field(description="null without PGASK_READ_DATABASE_URL")]
    disk: Annotated[
        DiskState | None, Field(description="null where the database is elsewhere (PGASK_DATABASE_URL)")
    ]


@router.get("/status", summary="How each part of the service is", responses=example("status") | problems())
async def status(request: Request, parts: Parts, metrics: Counts) -> StatusReply:
    """Asks the database for some figures, and the language model's server whether it is there; builds nothing."""
    checks, llm = await asyncio.gather(check_parts(request.app, parts), _ask_model(parts))
    condition = None
    if checks["database"].ok and checks["migrations"].ok:
        condition = await parts.reads.run(lambda: _read_condition(parts))
    database, embedding = checks["database"], checks["embedding"]
    if database.ok and not checks["migrations"].ok:
        database = checks["migrations"]
    return StatusReply(
        version=request.app.version,
        database=DatabaseState(
            ok=database.ok,
            detail=database.detail,
            server=condition.server if condition else None,
            pgvector=condition.pgvector if condition else None,
            size_bytes=condition.size_bytes if condition else None,
        ),
        encoder=EncoderState(
            ok=embedding.ok,
            detail=embedding.detail,
            model=parts.space.model,
            documents=condition.documents if condition else 0,
            unreadable_documents=condition.unreadable_documents if condition else 0,
        ),
        indexes=[_index(report, space_id, condition) for space_id, report in metrics.index_reports().items()]
        or None,
        second_space=_second_space(condition),
        llm=llm,
        replicas=[
            ReplicaReply(name=one.name, state=one.state, lag_s=one.lag_s) for one in parts.reads.states()
        ]
        or None,
        disk=await asyncio.to_thread(_disk, parts),
    )


async def _read_condition(parts: Components) -> Condition:
    async with transaction(parts.pool) as connection:
        return await read_condition(connection)


def _index(report: IndexReport, space_id: int, condition: Condition | None) -> IndexState:
    return IndexState(
        model=condition.models.get(space_id, str(space_id)) if condition else str(space_id),
        rows=report.rows,
        method=report.method,
        recall=report.recall,
        recall_low=report.recall_low,
        recall_high=report.recall_high,
        target_recall=report.target_recall,
        p50_ms=report.p50_ms,
        p95_ms=report.p95_ms,
        built_at=report.built_at,
        fault=report.fault,
    )


def _second_space(condition: Condition | None) -> SecondSpaceState | None:
    second = condition.second_space if condition else None
    if second is None:
        return None
    return SecondSpaceState(model=second.model, documents=second.documents, filled=second.filled)


async def _ask_model(parts: Components) -> ModelState | None:
    if parts.llm is None:
        return None
    servers = await asyncio.gather(*map(_ask_server, parts.llm.clients))
    well, ill = [one for one in servers if one.ok], [one for one in servers if not one.ok]
    return ModelState(
        ok=bool(well),
        detail=(ill or well)[0].detail if len(servers) == 1 or not ill else _some_are_ill(ill, len(servers)),
        model=(well or ill)[0].model,
        waiting=parts.llm.waiting(),
        servers=servers,
    )


def _some_are_ill(ill: Sequence[ModelServerState], of: int) -> str:
    return f"{len(ill)} of {of} servers are away: {ill[0].address}: {ill[0].detail}"


async def _ask_server(client: LlmClient) -> ModelServerState:
    ok, detail, model = False, "It failed several times in a row, and is left alone for some seconds.", ""
    if client.breaker.wait_s == 0:
        try:
            async with asyncio.timeout(_MODEL_PATIENCE_S):
                model = (await client.look()).name
                ok, detail = True, "reachable"
        except (PgaskError, TimeoutError) as error:
            detail = str(error) or "Its server did not answer in time."
    return ModelServerState(
        address=client.address,
        ok=ok,
        detail=detail,
        model=model or client.model_name,
        waiting=client.waiting(),
    )


def _disk(parts: Components) -> DiskState | None:
    if parts.settings.database_url is not None:
        return None
    home = parts.settings.home
    found = next((folder for folder in (home, *home.parents) if folder.exists()), None)
    if found is None:
        return None
    usage = shutil.disk_usage(found)
    return DiskState(free_bytes=usage.free, total_bytes=usage.total)
