"""GET /jobs, GET /jobs/{id}, GET /jobs/{id}/events, POST /jobs/{id}/retry and /cancel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.sse import format_sse_event
from pydantic import Field, TypeAdapter

from app.api.bodies import Text
from app.api.components import Components, Parts
from app.api.documentation import EXAMPLES, example, problems
from app.api.problems import fault_of, prefers_chinese, problem_body
from app.api.requests import CollectionName
from app.api.schemas import JobList
from app.api.stream import EventStream
from app.store import jobs
from app.store.connection import AsyncConnection, run_alone, transaction, write

router = APIRouter(tags=["jobs"])

LOOK_EVERY_S: Final = 0.5  # how often a stream of events asks the database whether anything changed
# Base64 of "j:" and a place in the list
_CURSOR: Final = r"^aj[o-r][\w\-](?:[\w\-]{4})*(?:[\w\-]{2}==|[\w\-]{3}=)?$"
JobId = Annotated[
    Text, Path(max_length=64, examples=["5b8f0d0e-3f0a-4d0c-8a55-0d7f4a1c2b3d"], description="A job's id")
]
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            "text/event-stream": {"example": f"event: job\ndata: {json.dumps(EXAMPLES['a job'])}\n\n"}
        }
    }
}
_JOB: Final = TypeAdapter(jobs.Job)


@router.get("/jobs", summary="List jobs, the newest first", responses=example("jobs") | problems(404, 422))
async def list_jobs(
    parts: Parts,
    state: Annotated[jobs.JobState | None, Query(description="Only jobs in this state")] = None,
    collection: Annotated[CollectionName | None, Query(description="Only jobs of this collection")] = None,
    limit: Annotated[int, Query(ge=1, le=jobs.MAX_PAGE, description="Jobs a page")] = 20,
    cursor: Annotated[
        Annotated[Text, Field(json_schema_extra={"pattern": _CURSOR})] | None,
        Query(max_length=1_000, description="`next_cursor` of the page before, as it came"),
    ] = None,
) -> JobList:
    """Follow `next_cursor` until it is null to see them all."""
    async with transaction(parts.pool) as connection:
        page = await jobs.list_jobs(
            connection, state=state, collection=collection, limit=limit, cursor=cursor
        )
    return JobList(jobs=page.jobs, next_cursor=page.next_cursor)


@router.get("/jobs/{job_id}", summary="Show a job", responses=example("a job") | problems(404, 422))
async def get_job(job_id: JobId, parts: Parts) -> jobs.Job:
    """How far it is, and what became of each file."""
    async with transaction(parts.pool) as connection:
        return await jobs.get_job(connection, job_id)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    response_class=Response,
    responses=_EVENTS | problems(404, 422),
)
async def follow_job(job_id: JobId, request: Request, parts: Parts) -> EventStream:
    """Server-sent events: `job` with the whole job whenever it changes, then `done` with it once it has ended, or
    `error` with a problem."""
    chinese = prefers_chinese(request.headers.get("accept-language", ""))
    request_id = request.state.request_id

    def describe(error: Exception) -> bytes:
        return _event("error", problem_body(fault_of(error), request_id, chinese=chinese))

    return EventStream(_events(parts, job_id), describe, lambda: None)


@router.post(
    "/jobs/{job_id}/retry",
    summary="Try a job's failed files again",
    responses=example("a job") | problems(404, 409, 422),
)
async def retry_job(job_id: JobId, parts: Parts) -> jobs.Job:
    """What is in stays; files that failed or were cancelled wait for a worker again."""
    return await write(parts.pool, lambda connection: jobs.retry_job(connection, job_id))


@router.post(
    "/jobs/{job_id}/cancel",
    summary="End a job that waits or runs",
    responses=example("a job") | problems(404, 409, 422),
)
async def cancel_job(job_id: JobId, parts: Parts) -> jobs.Job:
    """What is in stays; the rest is not taken in."""
    return await write(parts.pool, lambda connection: jobs.cancel_job(connection, job_id))


async def _events(parts: Components, job_id: str) -> AsyncGenerator[bytes, None]:
    seen: datetime | None = None

    async def look(connection: AsyncConnection) -> datetime:
        return await jobs.change_mark(connection, job_id)

    while True:
        changed = await run_alone(parts.pool, look)
        if changed != seen:
            seen = changed
            async with transaction(parts.pool) as connection:
                job = await jobs.get_job(connection, job_id)
            told = _JOB.dump_python(job, mode="json")
            if job.state in jobs.ENDED:
                yield _event("done", told)
                return
            yield _event("job", told)
        await asyncio.sleep(LOOK_EVERY_S)


def _event(name: str, value: Any) -> bytes:
    return format_sse_event(data_str=json.dumps(value, ensure_ascii=False), event=name)
