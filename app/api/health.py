"""GET /healthz (the process lives) and GET /readyz (questions can be answered)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, Literal

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from app.api.components import Components, Parts, RequestId
from app.api.documentation import example, problems
from app.api.problems import RETRY_AFTER_S, Fault, fault_of, problem_response
from app.api.schemas import Reply
from app.errors import StoreError
from app.store.catalog import find_mismatch, schema_revision
from app.store.connection import AsyncConnection, reading_from, transaction
from app.store.migrate import revision_refusal
from app.store.revisions import works_on
from app.store.tenancy import working_for

router = APIRouter(tags=["operation"])


class Health(Reply):
    """The process lives."""

    status: Literal["ok"] = "ok"
    version: str


class Check(Reply):
    """One thing that must hold before questions can be answered."""

    ok: bool
    detail: str


class Readiness(Reply):
    """All checks hold."""

    status: Literal["ready"] = "ready"
    checks: dict[str, Check]


_PATIENCE_S: Final = 1.8  # of the 2 s in which there is an answer, whatever hangs
_BY_REPLICAS: Final = "The primary can't be reached: replicas answer, and nothing can be changed."
_NOT_ASKED: Final = Check(ok=False, detail="not known: the check before it failed")
_NO_DATABASE: Final[Mapping[str, Check]] = {
    "database": Check(ok=False, detail="The database can't be reached."),
    "migrations": _NOT_ASKED,
    "embedding": _NOT_ASKED,
}


@router.get(
    "/healthz",
    summary="The process lives",
    responses=example("health") | problems(),
)
async def healthz(request: Request) -> Health:
    """Asks nothing of the database."""
    return Health(version=request.app.version)


@router.get(
    "/readyz",
    response_model=Readiness,
    summary="Questions can be answered",
    responses=example("readiness") | problems(),
)
async def readyz(request: Request, parts: Parts, request_id: RequestId) -> Readiness | Response:
    """Database, migrations, and whether the embedding model agrees with the stored vectors."""
    checks = await check_parts(request.app, parts)
    if all(check.ok for check in checks.values()):
        return Readiness(checks=checks)
    failed = [f"{name}: {check.detail}" for name, check in checks.items() if not check.ok]
    shown: dict[str, Any] = {name: check.model_dump() for name, check in checks.items()}
    fault = Fault("not_ready", 503, "; ".join(failed), retry_after_s=RETRY_AFTER_S, extra={"checks": shown})
    return problem_response(fault, request_id, request.headers)


async def check_parts(app: FastAPI, parts: Components) -> dict[str, Check]:
    """The checks, or after _PATIENCE_S that the database does not answer. Ending a conversation with a database that
    hangs takes longer than that, so the checks go on by themselves, and whoever asks meanwhile waits for the same."""
    running: asyncio.Task[dict[str, Check]] | None = getattr(app.state, "readiness", None)
    if running is None or running.done():
        running = app.state.readiness = asyncio.create_task(_checks(parts))
    done, _ = await asyncio.wait({running}, timeout=_PATIENCE_S)
    if done:
        return running.result()
    replica = parts.reads.ready_pool()
    if replica is not None:
        with suppress(StoreError), reading_from(replica):
            return await _checks_of(parts, _BY_REPLICAS)
    return _with_reranker(_NO_DATABASE, parts)


async def _checks(parts: Components) -> dict[str, Check]:
    checks = {"database": _NOT_ASKED, "migrations": _NOT_ASKED, "embedding": _NOT_ASKED}
    try:
        checks |= await _checks_of(parts, "reachable")
    except StoreError as error:
        checks = {**_NO_DATABASE, "database": Check(ok=False, detail=fault_of(error).detail)}
        replica = parts.reads.ready_pool()
        if replica is not None:  # questions are answered
            with suppress(StoreError), reading_from(replica):
                checks |= await _checks_of(parts, _BY_REPLICAS)
    if parts.reads.are_apart:
        checks["replicas"] = _replicas(parts)
    return _with_reranker(checks, parts)


async def _checks_of(parts: Components, reached: str) -> dict[str, Check]:
    checks = {"database": Check(ok=True, detail=reached)}
    with working_for(parts.scope):
        async with transaction(parts.pool) as connection:
            checks["migrations"] = await _migrations(connection)
            if checks["migrations"].ok:
                checks["embedding"] = await _embedding(connection, parts)
    return checks


def _replicas(parts: Components) -> Check:
    """Never a reason not to be ready: without replicas the primary answers."""
    told = [
        f"{one.name} {one.state}" + ("" if one.lag_s is None else f" ({one.lag_s:.1f} s behind)")
        for one in parts.reads.states()
    ]
    return Check(ok=True, detail=", ".join(told))


def _with_reranker(checks: Mapping[str, Check], parts: Components) -> dict[str, Check]:
    checks = dict(checks)
    if parts.reranker is not None:  # without it the service does not start
        checks["reranking"] = Check(ok=True, detail=f"{parts.reranker.name} is loaded")
    return checks


async def _migrations(connection: AsyncConnection) -> Check:
    found, oldest = await schema_revision(connection)
    if works_on(found, oldest):
        return Check(ok=True, detail=f"at {found}")
    return Check(ok=False, detail=revision_refusal(found, oldest))


async def _embedding(connection: AsyncConnection, parts: Components) -> Check:
    mismatch = await find_mismatch(connection, parts.space)
    if mismatch is not None:
        return Check(ok=False, detail=str(mismatch))
    return Check(ok=True, detail=f"{parts.space.model} agrees with the stored vectors")
