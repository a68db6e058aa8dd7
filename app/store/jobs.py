"""Jobs as the API and the CLI see them: made, listed, shown, tried again and cancelled. Async, in the caller's
transaction. What the worker writes of them is app/store/job_runs.py.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, LiteralString, get_args
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from app.errors import InvalidRequestError, NotFoundError
from app.store.catalog import find_shelf_ids
from app.store.connection import AsyncConnection
from app.store.queue import DEFER, WITHDRAW

MAX_PAGE: Final = 100  # jobs in one answer of list_jobs

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
JobKind = Literal["upload", "reingest"]
FileState = Literal["queued", "running", "succeeded", "skipped", "failed", "cancelled"]
STATES: Final = get_args(JobState)
ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file of a job. `skipped`: left out, for the reason in `code`; `document_id` is that of its document, null where
    there is none (any more)."""

    source: str
    state: FileState
    code: str | None
    detail: str | None
    document_id: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """Files that are taken in by a worker, or again (`kind`). `done` of `total` files have ended; `stage` is what a
    running one does now; `code` and `detail` say why one failed where that is no file's fault, or why the last attempt
    at one ended that goes on; `eta_s` are the seconds left, null where nobody can tell. `succeeded`: at least one file
    went in, or none had to; what failed says so itself."""

    id: str
    kind: JobKind
    collection: str
    state: JobState
    stage: str | None
    done: int
    total: int
    files: tuple[JobFile, ...]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    eta_s: float | None
    attempts: int
    code: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, the newest first, and the cursor of the next page (None: this was the last)."""

    jobs: tuple[Job, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file of a job to be made. With a `code` it has failed already; else `original` holds its bytes."""

    source: str
    size_bytes: int
    original: UUID | None = None
    code: str | None = None
    detail: str | None = None


_SELECT: Final[LiteralString] = """
SELECT j.id::text AS id, j.kind, c.name AS collection, j.state, j.stage, f.done, f.total, f.files, j.created_at,
       j.started_at, j.finished_at, j.eta_s, j.attempts, j.code, j.detail, {key} AS key
  FROM pgask.jobs j JOIN pgask.collections c ON c.id = j.collection_id
 CROSS JOIN LATERAL (
       SELECT count(*)::int AS total, (count(*) FILTER (WHERE f.state NOT IN ('queued', 'running')))::int AS done,
              coalesce(jsonb_agg(jsonb_build_array(f.source, f.state, f.code, f.detail, d.id) ORDER BY f.position),
                       '[]') AS files
         FROM pgask.job_files f LEFT JOIN pgask.documents d ON d.id = f.document_id
        WHERE f.job_id = j.id) f"""
# Sorts as text: the newest last
_KEY: Final[LiteralString] = "to_char(j.created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') || j.id::text"


async def create_job(
    connection: AsyncConnection,
    shelf: int,
    files: Sequence[NewFile],
    *,
    options: Mapping[str, Any],
    created_by: str,
    kind: JobKind = "upload",
) -> Job:
    """Make a job for a collection, or a shelf of it, and put it into the queue."""
    row = await (
        await connection.execute(
            "INSERT INTO pgask.jobs (collection_id, kind, options, created_by) VALUES (%s, %s, %s, %s)"
            " RETURNING id::text",
            [shelf, kind, Jsonb(dict(options)), created_by],
        )
    ).fetchone()
    assert row is not None
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO pgask.job_files (job_id, position, source, size_bytes, original_id, state, code, detail)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    *(row[0], position, file.source, file.size_bytes, file.original),
                    *("failed" if file.code else "queued", file.code, file.detail),
                )
                for position, file in enumerate(files)
            ],
        )
    await connection.execute(DEFER, {"job": row[0]})
    return await get_job(connection, row[0])


async def list_jobs(
    connection: AsyncConnection,
    *,
    state: JobState | None = None,
    collection: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
) -> JobPage:
    """Jobs, the newest first. Raises NotFoundError (no such collection) and InvalidRequestError (a bad cursor)."""
    before = None if cursor is None else _decode_cursor(cursor)
    shelves = None if collection is None else await find_shelf_ids(connection, collection)
    rows = await _read(
        connection,
        " WHERE (%(state)s::text IS NULL OR j.state = %(state)s)"
        " AND (%(shelves)s::int[] IS NULL OR j.collection_id = ANY(%(shelves)s))"
        f' AND (%(before)s::text IS NULL OR ({_KEY}) COLLATE "C" < %(before)s)'
        f' ORDER BY ({_KEY}) COLLATE "C" DESC LIMIT %(rows)s',
        {"state": state, "shelves": shelves, "before": before, "rows": limit + 1},
    )
    more = len(rows) > limit
    jobs = tuple(job for job, _ in rows[:limit])
    return JobPage(jobs, _encode_cursor(rows[limit - 1][1]) if more else None)


async def get_job(connection: AsyncConnection, job_id: str) -> Job:
    """A job by its id. Raises NotFoundError."""
    rows = await _read(connection, " WHERE j.id = %(id)s", {"id": _job_id(job_id)})
    if not rows:
        raise _no_job(job_id)
    return rows[0][0]


async def retry_job(connection: AsyncConnection, job_id: str) -> Job:
    """Let the files of a job that failed or were cancelled be tried again. Raises NotFoundError, and
    InvalidRequestError (`job_state`) where the job has not ended, or no file is left to try."""
    job = await _locked(connection, job_id)
    if job.state not in ENDED:
        raise _wrong_state(f"The job is {job.state}; only one that has ended can be tried again.")
    tried = await connection.execute(
        "UPDATE pgask.job_files SET state = 'queued', code = NULL, detail = NULL"
        " WHERE job_id = %s AND state IN ('failed', 'cancelled') AND original_id IS NOT NULL",
        [job.id],
    )
    if not tried.rowcount:
        raise _wrong_state("No file of the job can be tried again. Send what failed anew.")
    await connection.execute(
        "UPDATE pgask.jobs SET state = 'queued', stage = NULL, code = NULL, detail = NULL, attempts = 0, eta_s = NULL,"
        " started_at = NULL, finished_at = NULL, changed_at = now() WHERE id = %s",
        [job.id],
    )
    await connection.execute(DEFER, {"job": job.id})
    return await get_job(connection, job.id)


async def cancel_job(connection: AsyncConnection, job_id: str) -> Job:
    """End a job that waits or runs: what is in stays, the rest is not taken in. A worker notices within a second or
    two. Raises NotFoundError, and InvalidRequestError (`job_state`) where it has ended."""
    job = await _locked(connection, job_id)
    if job.state in ENDED:
        raise _wrong_state(
            f"The job has {job.state if job.state != 'cancelled' else 'been cancelled'} already."
        )
    await connection.execute(
        "UPDATE pgask.jobs SET state = 'cancelled', stage = NULL, eta_s = NULL, finished_at = now(), changed_at = now()"
        " WHERE id = %s",
        [job.id],
    )
    await connection.execute(
        "UPDATE pgask.job_files SET state = 'cancelled' WHERE job_id = %s AND state IN ('queued', 'running')",
        [job.id],
    )
    await connection.execute(WITHDRAW, {"job": job.id})
    return await get_job(connection, job.id)


async def change_mark(connection: AsyncConnection, job_id: str) -> datetime:
    """When anything of a job changed last. Raises NotFoundError."""
    row = await (
        await connection.execute("SELECT changed_at FROM pgask.jobs WHERE id = %s", [_job_id(job_id)])
    ).fetchone()
    if row is None:
        raise _no_job(job_id)
    changed: datetime = row[0]
    return changed


async def _locked(connection: AsyncConnection, job_id: str) -> Job:
    await connection.execute("SELECT FROM pgask.jobs WHERE id = %s FOR UPDATE", [_job_id(job_id)])
    return await get_job(connection, job_id)


async def _read(
    connection: AsyncConnection, rest: str, parameters: Mapping[str, Any]
) -> list[tuple[Job, str]]:
    """The jobs of a statement's end, each with its sort key."""
    async with connection.cursor(row_factory=dict_row) as rows:
        await rows.execute(_SELECT.replace("{key}", _KEY) + rest, parameters)
        found = await rows.fetchall()
    read = []
    for row in found:
        key = row.pop("key")
        files = tuple(JobFile(*file) for file in row.pop("files"))
        read.append((Job(files=files, **row), key))
    return read


def _wrong_state(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, code="job_state")


def _job_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _no_job(text) from None


def _no_job(job_id: str) -> NotFoundError:
    return NotFoundError(f"There is no job {job_id[:64]!r}. GET /jobs lists them.")


def _encode_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(f"j:{key}".encode()).decode("ascii")


def _decode_cursor(cursor: str) -> str:
    """The sort key that a cursor stands for. One of the right form that nobody gave stands for some place."""
    try:
        text = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("j:") or not {"+", "/"}.isdisjoint(cursor):
        raise InvalidRequestError(
            "The cursor is none that a list of jobs gave. Start again without it.", code="bad_cursor"
        )
    return text.removeprefix("j:").replace("\0", "\ufffd")
