"""What a worker reads and writes of jobs. Sync; used by ingest/worker.py.

A job belongs to one attempt at a time: every write names the attempt, and one that finds another attempt or another
state tells its worker that the job is not its own any more (cancelled, or another worker has it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from app.store.connection import Connection
from app.store.originals import sweep_originals
from app.store.queue import (
    DEFER,
    HELD,
    LOST,
    MAX_ATTEMPTS,
    RETIRE_DROPPED,
    RETIRE_STALLED,
    RETRY_DROPPED,
    RETRY_STALLED,
)

_HELD: Final = "id = %(job)s AND attempts = %(attempt)s AND state = 'running'"
LOST_WORKER: Final = (
    "The worker was killed or lost the database each time that it worked on this; its log says more. Try again, "
    "or split what is large."
)


_HUNG: Final = "no_progress"
NO_PROGRESS: Final = (
    "Nothing of it had moved for minutes, and the worker that hung at it was ended; its log says where. Try again, or "
    "split what is large."
)


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file of a job that is not done."""

    position: int
    source: str
    original: UUID | None
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job in the hands of a worker: its collection, the groups that shall read the documents (none: all who read the
    collection), and `options`, what came with the files; `is_careful`: the attempt before hung, so files are taken in
    one by one; `is_again`: the files are those of documents that there are, which are made anew."""

    job: UUID
    number: int
    collection: str
    options: Mapping[str, Any]
    is_careful: bool = False
    readers: tuple[str, ...] = ()
    is_again: bool = False

    @property
    def request_id(self) -> str | None:
        """That of the request that sent the files; None where none did, or an earlier version noted none."""
        return self._told("request_id")

    @property
    def sender(self) -> str | None:
        """The account that sent the files; None where accounts are off, or an earlier version noted none."""
        return self._told("sender")

    @property
    def traceparent(self) -> str | None:
        """The trace that the request was part of, where there is one."""
        return self._told("traceparent")

    def _told(self, name: str) -> str | None:
        given = self.options.get(name)
        return given if isinstance(given, str) else None

    @property
    def groups(self) -> tuple[str, ...] | None:
        """Those of who sent the files, as a scope has them; a job of before there were readers has none."""
        groups = self.options.get("groups", ())
        return None if groups is None else tuple(groups)

    def metadata_for(self, source: str) -> Mapping[str, Any] | None:
        """What is added to the metadata of a file's document."""
        kept: Mapping[str, Mapping[str, Any]] = self.options.get("kept_metadata", {})
        return kept.get(source) or self.options.get("metadata")


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What became of a file."""

    position: int
    state: str
    code: str | None = None
    detail: str | None = None
    document: UUID | None = None


def begin(connection: Connection, job: UUID) -> Attempt | None:
    """Take a job in hand; None where there is nothing to do any more. One that has had MAX_ATTEMPTS fails."""
    with connection.transaction():
        row = connection.execute(
            "UPDATE pgask.jobs j SET state = 'running', stage = NULL, eta_s = NULL, attempts = attempts + 1,"
            " started_at = coalesce(started_at, now()), changed_at = now() FROM pgask.collections c"
            " WHERE j.id = %s AND j.state IN ('queued', 'running') AND c.id = j.collection_id"
            " RETURNING j.attempts, c.name, j.options, j.code, j.detail, coalesce(c.readers, '{}'),"
            " j.kind = 'reingest'",
            [job],
        ).fetchone()
    if row is None:
        return None
    number, collection, options, code, detail, readers, is_again = row
    attempt = Attempt(job, number, collection, options, code == _HUNG, tuple(readers), is_again)
    if attempt.number > MAX_ATTEMPTS:
        end(connection, attempt, "failed", code or "worker_lost", detail or LOST_WORKER)
        return None
    return attempt


def waiting_files(connection: Connection, attempt: Attempt) -> list[WaitingFile]:
    """The files that are not done, in order."""
    rows = connection.execute(
        "SELECT f.position, f.source, f.original_id, coalesce(o.sha256, ''), f.size_bytes FROM pgask.job_files f"
        " LEFT JOIN pgask.originals o ON o.id = f.original_id"
        " WHERE f.job_id = %s AND f.state IN ('queued', 'running') ORDER BY f.position",
        [attempt.job],
    )
    return [WaitingFile(*row) for row in rows]


def sources_of(connection: Connection, attempt: Attempt) -> set[str]:
    """The names of all files of a job."""
    rows = connection.execute("SELECT source FROM pgask.job_files WHERE job_id = %s", [attempt.job])
    return {str(row[0]) for row in rows.fetchall()}


def add_files(
    connection: Connection,
    attempt: Attempt,
    files: Sequence[tuple[str, UUID | None, int, str | None, str | None]],
) -> None:
    """Add files to a job: source, original, bytes, and code and detail of one that has failed already."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO pgask.job_files (job_id, position, source, original_id, size_bytes, state, code, detail)"
            " SELECT %(job)s, coalesce(max(position), -1) + 1, %(source)s, %(original)s, %(size)s, %(state)s, %(code)s,"
            " %(detail)s FROM pgask.job_files WHERE job_id = %(job)s",
            [
                {
                    "job": attempt.job,
                    "source": source,
                    "original": original,
                    "size": size,
                    "state": "failed" if code else "queued",
                    "code": code,
                    "detail": detail,
                }
                for source, original, size, code, detail in files
            ],
        )


def note(
    connection: Connection,
    attempt: Attempt,
    *,
    stage: str,
    eta_s: float | None,
    running: Sequence[int] = (),
    ended: Sequence[FileEnd] = (),
) -> bool:
    """Note how far a job is. False: it is not this attempt's any more, and nothing was written."""
    with connection.transaction():
        held = connection.execute(
            f"UPDATE pgask.jobs SET stage = %(stage)s, eta_s = %(eta)s, changed_at = now() WHERE {_HELD}",  # noqa: S608
            {"stage": stage, "eta": eta_s, "job": attempt.job, "attempt": attempt.number},
        )
        if not held.rowcount:
            return False
        if running:
            connection.execute(
                "UPDATE pgask.job_files SET state = 'running' WHERE job_id = %s AND position = ANY(%s)"
                " AND state = 'queued'",
                [attempt.job, list(running)],
            )
        _write_ends(connection, attempt, ended)
    return True


def end(
    connection: Connection, attempt: Attempt, state: str, code: str | None = None, detail: str | None = None
) -> bool:
    """End a job; files that have not ended fail with its code. False: it is not this attempt's any more."""
    with connection.transaction():
        held = connection.execute(
            "UPDATE pgask.jobs SET state = %(state)s, stage = NULL, eta_s = NULL, code = %(code)s, detail = %(detail)s,"  # noqa: S608
            f" finished_at = now(), changed_at = now() WHERE {_HELD}",
            {"state": state, "code": code, "detail": detail, "job": attempt.job, "attempt": attempt.number},
        )
        if held.rowcount:
            connection.execute(
                "UPDATE pgask.job_files SET state = 'failed', code = %s, detail = %s"
                " WHERE job_id = %s AND state IN ('queued', 'running')",
                [code or "worker_lost", detail or LOST_WORKER, attempt.job],
            )
        return bool(held.rowcount)


def count_ends(connection: Connection, attempt: Attempt) -> tuple[int, int]:
    """How many files went in or were left out, and how many failed."""
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE state IN ('succeeded', 'skipped')), count(*) FILTER (WHERE state = 'failed')"
        " FROM pgask.job_files WHERE job_id = %s",
        [attempt.job],
    ).fetchone()
    return row if row is not None else (0, 0)


def put_back(connection: Connection, attempt: Attempt) -> None:
    """Let a job wait for another attempt."""
    connection.execute(
        f"UPDATE pgask.jobs SET state = 'queued', stage = NULL, eta_s = NULL, changed_at = now() WHERE {_HELD}",  # noqa: S608
        {"job": attempt.job, "attempt": attempt.number},
    )


def give_up(connection: Connection, attempt: Attempt, suspect: int | None) -> bool:
    """Let a job that moves no more wait for another attempt, with a code that says why; the file that it hangs at,
    where that is known, fails. False: it is not this attempt's any more."""
    with connection.transaction():
        held = connection.execute(
            "UPDATE pgask.jobs SET state = 'queued', stage = NULL, eta_s = NULL, code = %(code)s, detail = %(detail)s,"  # noqa: S608
            f" changed_at = now() WHERE {_HELD}",
            {"code": _HUNG, "detail": NO_PROGRESS, "job": attempt.job, "attempt": attempt.number},
        )
        if held.rowcount and suspect is not None:
            _write_ends(connection, attempt, [FileEnd(suspect, "failed", _HUNG, NO_PROGRESS)])
        return bool(held.rowcount)


def add_metadata(connection: Connection, document: UUID, metadata: Mapping[str, Any]) -> None:
    """Give a document what came with its file."""
    connection.execute(
        "UPDATE pgask.documents SET metadata = metadata || %s, updated_at = now() WHERE id = %s AND NOT metadata @> %s",
        [Jsonb(dict(metadata)), document, Jsonb(dict(metadata))],
    )


def retry_stalled(connection: Connection, *, seconds: float) -> int:
    """Let jobs wait again whose worker is dead: it has not said for so many seconds that it lives. Returns how many."""
    connection.execute(RETIRE_STALLED, {"seconds": seconds})
    return connection.execute(RETRY_STALLED, {"seconds": seconds}).rowcount


def held_places(connection: Connection, worker: int | None, job: UUID | None) -> set[int]:
    """The places in the queue that a worker holds, but for that of the job that it works on."""
    rows = connection.execute(HELD, {"worker": worker, "job": job}).fetchall()
    return {int(row[0]) for row in rows}


def retry_dropped(connection: Connection, worker: int | None, places: Sequence[int]) -> int:
    """Let the jobs in these places of a worker's wait again: it lives, and does nothing for them. Returns how many."""
    held = {"worker": worker, "places": list(places)}
    retired = connection.execute(RETIRE_DROPPED, held).rowcount
    return retired + connection.execute(RETRY_DROPPED, held).rowcount


def reconcile(connection: Connection, *, job_days: int) -> list[str]:
    """Mend what kills and hands from outside leave, so that every job that has not ended is known to the queue, and
    every file of one that has ended has an end of its own. Forgets jobs that ended `job_days` ago (0: none). Returns
    the ids of the jobs that were put into the queue again."""
    lost = [str(row[0]) for row in connection.execute(LOST).fetchall()]
    for job in lost:
        connection.execute(DEFER, {"job": job})
    connection.execute(
        "UPDATE pgask.job_files f SET state = CASE j.state WHEN 'cancelled' THEN 'cancelled' ELSE 'failed' END,"
        " code = CASE j.state WHEN 'cancelled' THEN NULL ELSE coalesce(j.code, 'worker_lost') END,"
        " detail = CASE j.state WHEN 'cancelled' THEN NULL ELSE coalesce(j.detail, %s) END"
        " FROM pgask.jobs j WHERE j.id = f.job_id AND j.state NOT IN ('queued', 'running')"
        " AND f.state IN ('queued', 'running')",
        [LOST_WORKER],
    )
    if job_days:
        connection.execute(
            "DELETE FROM pgask.jobs WHERE finished_at < now() - make_interval(days => %s)", [job_days]
        )
    sweep_originals(connection)
    return lost


def _write_ends(connection: Connection, attempt: Attempt, ended: Sequence[FileEnd]) -> None:
    if not ended:
        return
    connection.execute(
        "UPDATE pgask.job_files f SET state = e.state, code = e.code, detail = e.detail,"
        " document_id = coalesce(e.document, f.document_id)"
        " FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::uuid[])"
        " AS e (position, state, code, detail, document)"
        " WHERE f.job_id = %s AND f.position = e.position",
        [
            [one.position for one in ended],
            [one.state for one in ended],
            [one.code for one in ended],
            [one.detail for one in ended],
            [one.document for one in ended],
            attempt.job,
        ],
    )
