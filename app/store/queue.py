"""The queue: which jobs wait for a worker. PostgreSQL's own tables, by procrastinate, in a schema of their own.

The statements below, and how long it is, are all that the rest of pgask knows of it; its other half, the worker's, is
ingest/worker.py. They run in the caller's transaction: a job and its place in the queue come and go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, LiteralString

from app.store.connection import AsyncConnection

QUEUE: Final = "uploads"
TASK: Final = "pgask.run_job"
MAX_ATTEMPTS: Final = 5  # of a job, whatever ended the others; then it fails with a code

# Put the job %(job)s into the queue; nothing where it waits there already. The lock keeps two workers from it.
DEFER: Final[LiteralString] = f"""
SELECT pgask_queue.procrastinate_defer_jobs_v1(ARRAY[ROW('{QUEUE}', '{TASK}', 0, %(job)s::text, %(job)s::text,
       jsonb_build_object('job_id', %(job)s::text, 'tenant_id', j.tenant_id), NULL)
       ::pgask_queue.procrastinate_job_to_defer_v1])
  FROM pgask.jobs j
 WHERE j.id = %(job)s::uuid AND NOT EXISTS (
       SELECT FROM pgask_queue.procrastinate_jobs q WHERE q.queueing_lock = %(job)s::text AND q.status = 'todo')"""  # noqa: S608 - constants

# Take the job %(job)s out of the queue; one that is being worked on ends by its state in pgask.jobs.
WITHDRAW: Final[LiteralString] = (
    "DELETE FROM pgask_queue.procrastinate_jobs WHERE queueing_lock = %(job)s::text AND status = 'todo'"
)

# Jobs that wait or are said to run, and that the queue does not know of.
LOST: Final[LiteralString] = """
SELECT j.id::text FROM pgask.jobs j WHERE j.state IN ('queued', 'running') AND NOT EXISTS (
       SELECT FROM pgask_queue.procrastinate_jobs q
        WHERE q.queueing_lock = j.id::text AND q.status IN ('todo', 'doing'))"""

_WAITS_AGAIN: Final[LiteralString] = """EXISTS (
       SELECT FROM pgask_queue.procrastinate_jobs o WHERE o.queueing_lock = q.queueing_lock AND o.status = 'todo')"""

_STALLED: Final[LiteralString] = """
       q.status = 'doing' AND NOT EXISTS (
       SELECT FROM pgask_queue.procrastinate_workers w
        WHERE w.id = q.worker_id AND w.last_heartbeat > now() - make_interval(secs => %(seconds)s))"""

# Places in the queue that the worker %(worker)s holds, but for that of the job %(job)s.
HELD: Final[LiteralString] = """
SELECT q.id FROM pgask_queue.procrastinate_jobs q
 WHERE q.status = 'doing' AND q.worker_id = %(worker)s AND q.queueing_lock IS DISTINCT FROM %(job)s::text"""

_DROPPED: Final[LiteralString] = "q.status = 'doing' AND q.worker_id = %(worker)s AND q.id = ANY (%(places)s)"

# Forget places in the queue of dead workers whose job waits there again.
RETIRE_STALLED: Final[LiteralString] = f"""
DELETE FROM pgask_queue.procrastinate_jobs q WHERE {_STALLED} AND {_WAITS_AGAIN}"""  # noqa: S608 - constants

# Let the other jobs of dead workers wait again.
RETRY_STALLED: Final[LiteralString] = f"""
SELECT pgask_queue.procrastinate_retry_job_v2(q.id, now(), NULL, NULL, NULL)
  FROM pgask_queue.procrastinate_jobs q WHERE {_STALLED}"""  # noqa: S608 - constants

# The same of places that a worker holds and does nothing for.
RETIRE_DROPPED: Final[LiteralString] = (
    f"DELETE FROM pgask_queue.procrastinate_jobs q WHERE {_DROPPED} AND {_WAITS_AGAIN}"  # noqa: S608 - constants
)
RETRY_DROPPED: Final[LiteralString] = f"""
SELECT pgask_queue.procrastinate_retry_job_v2(q.id, now(), NULL, NULL, NULL)
  FROM pgask_queue.procrastinate_jobs q WHERE {_DROPPED}"""  # noqa: S608 - constants

# How many jobs wait and are worked on, of all tenants, and for how many seconds the oldest one that waits has been in
# the queue, whatever attempts it had meanwhile.
_BACKLOG: Final[LiteralString] = """
SELECT count(*) FILTER (WHERE q.status = 'todo'), count(*) FILTER (WHERE q.status = 'doing'),
       greatest(0, coalesce(extract(epoch FROM now() - min(e.at) FILTER (WHERE q.status = 'todo')), 0))::float8
  FROM pgask_queue.procrastinate_jobs q
 CROSS JOIN LATERAL (SELECT min(e.at) AS at FROM pgask_queue.procrastinate_events e WHERE e.job_id = q.id) e
 WHERE q.status IN ('todo', 'doing')"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs that wait for a worker and that one works on, and since when the oldest one waits, in seconds; 0: none
    waits."""

    waiting: int
    running: int
    age_s: float


async def read_backlog(connection: AsyncConnection) -> Backlog:
    """How long the queue is now. Raises psycopg's errors."""
    row = await (await connection.execute(_BACKLOG)).fetchone()
    return Backlog(*row) if row is not None else Backlog(0, 0, 0.0)
