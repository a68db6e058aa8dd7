"""A worker: takes jobs from the queue, one at a time, until it is told to end. Run as `python -m ingest.worker`.

procrastinate gives out the jobs, keeps this worker's heartbeat and tries again what raised. Beside it, every few
seconds: jobs of workers that are dead go back, and what kills or hands from outside left is mended
(app/store/job_runs.py). A worker ends itself that has not heard of the database for long, its heartbeat included, or
whose job does not move any more, or that can't run at all since something keeps the interpreter to itself: whoever
started it (app/workers.py) starts another. It ends, too, when its standard input does, for then that one is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker
from psycopg import sql

from app.addresses import KEEPALIVE
from app.config import Settings, load_settings
from app.embedding import Embedder
from app.errors import PgaskError, StoreUnavailableError
from app.logs import configure_logs
from app.store.chosen_model import ChosenModel
from app.store.connection import Connection, Database, connect, open_database, see
from app.store.job_runs import give_up, held_places, reconcile, retry_dropped, retry_stalled
from app.store.migrate import check_revision
from app.store.queue import QUEUE, TASK
from app.store.schema_names import QUEUE_SCHEMA
from app.store.tenancy import Scope, check_confined, list_tenants, working_for
from app.tracing import find_exporter, tracing
from ingest.movement import Movement
from ingest.upload_run import UploadRunner

LOST_STATUS: Final = 3  # exit status of one that has lost the database
HUNG_STATUS: Final = 4  # of one whose job does not move
_GIVE_UP_S: Final = 10.0  # longest wait for the database to take a note of that
_RECONCILER: Final = 7_003_210_418  # any number of our own: the advisory lock of who mends
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """How soon things are noticed, in seconds. Another worker takes over after at most `stalled_s` + `mend_s` +
    `poll_s`; a lost database is noticed after `patience_s`, a job that does not move after `quiet_s` (far more than a
    page of OCR, a part of a document's vectors or a document's way into the database take), and an interpreter that
    nothing else gets a turn in after `frozen_s`."""

    heartbeat_s: float = 5.0
    stalled_s: float = 20.0
    mend_s: float = 10.0
    poll_s: float = 5.0
    patience_s: float = 25.0
    grace_s: float = 10.0  # for the file in work, once told to end
    retry_s: int = 5
    quiet_s: float = 480.0
    frozen_s: float = 90.0


async def work(
    database: Database,
    settings: Settings,
    open_embedder: Callable[[], Embedder],
    *,
    stopping: asyncio.Event,
    timing: Timing = Timing(),
) -> None:
    """Take jobs until `stopping` is set. Raises StoreUnavailableError where the database is lost."""
    runner = UploadRunner(database, settings, open_embedder)
    queue = procrastinate.App(connector=_connector(database.app))
    retry = procrastinate.RetryStrategy(max_attempts=100, wait=timing.retry_s)  # our own count ends it

    @queue.task(name=TASK, queue=QUEUE, retry=retry)
    def run_job(job_id: str, tenant_id: int) -> None:
        with working_for(Scope(tenant_id, groups=None)):
            runner.run(UUID(job_id))

    try:
        async with queue.open_async():
            worker = Worker(
                queue,
                queues=[QUEUE],
                delete_jobs="always",
                install_signal_handlers=False,
                fetch_job_polling_interval=timing.poll_s,
                update_heartbeat_interval=timing.heartbeat_s,
                stalled_worker_timeout=timing.stalled_s,
                shutdown_graceful_timeout=timing.grace_s,
            )
            async with _mending(database, settings, worker, runner, timing):
                running = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
                told = asyncio.create_task(stopping.wait())
                await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
                told.cancel()
                runner.stop()
                worker.stop()  # type: ignore[no-untyped-call]
                await running
                if not stopping.is_set():
                    raise StoreUnavailableError("The queue could not be read; the log says why.")
    except ConnectorException as error:
        raise StoreUnavailableError("The queue could not be reached; the log says why.") from error


def _connector(url: str) -> procrastinate.PsycopgConnector:
    async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(QUEUE_SCHEMA)))
        await connection.commit()

    return procrastinate.PsycopgConnector(
        conninfo=url, min_size=1, max_size=3, kwargs=dict(KEEPALIVE), configure=configure
    )


@asynccontextmanager
async def _mending(
    database: Database, settings: Settings, worker: Worker, runner: UploadRunner, timing: Timing
) -> AsyncIterator[None]:
    """Mend every few seconds until the block ends, in a thread of its own; another one ends this process where neither
    that nor the heartbeat has got through for long, or the job in work hangs: threads that wait for a dead line, or for
    nothing, can't be ended otherwise."""
    over = threading.Event()
    heard = [time.monotonic()]

    def mend() -> None:
        idle: set[int] = set()
        while not over.wait(timing.mend_s):
            try:
                with connect(database.app, vectors=False) as connection:
                    _mend(connection, settings, timing)
                    idle = _drop_idle(connection, worker, runner, idle)
                    if _is_alive(connection, worker.worker_id, timing):
                        heard[0] = time.monotonic()
            except PgaskError as error:
                _log.warning("the queue could not be looked after", code=error.code)

    def watch() -> None:
        while not over.wait(1.0):
            if time.monotonic() - heard[0] > timing.patience_s:
                _log.error("the worker has lost the database and ends", seconds=timing.patience_s)
                os._exit(LOST_STATUS)
            movement = runner.in_work
            if movement is not None and time.monotonic() - movement.at_s > timing.quiet_s:
                _give_up(database, movement, timing)
                os._exit(HUNG_STATUS)
            end_if_frozen()
        faulthandler.cancel_dump_traceback_later()

    def end_if_frozen() -> None:
        """By a thread of C's, which needs no turn of the interpreter's; unless this is called again before."""
        faulthandler.dump_traceback_later(timing.frozen_s, exit=True)

    end_if_frozen()
    threads = [threading.Thread(target=target, daemon=True) for target in (mend, watch)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()


def _mend(connection: Connection, settings: Settings, timing: Timing) -> None:
    """One worker at a time: what it reads must not change before it writes."""
    with connection.transaction():
        row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [_RECONCILER]).fetchone()
        if row != (True,):
            return
        stalled = retry_stalled(connection, seconds=timing.stalled_s)
        lost: list[str] = []
        for tenant in list_tenants(connection):
            see(connection, Scope(tenant, groups=None))
            lost += reconcile(connection, job_days=settings.job_days)
    if stalled or lost:
        _log.warning("jobs went back into the queue", stalled=stalled, lost=len(lost))


def _drop_idle(connection: Connection, worker: Worker, runner: UploadRunner, idle: set[int]) -> set[int]:
    """Let jobs wait again that this worker has in the queue, and did not work on at the last look either (`idle`): it
    could not be written that they have ended or are to be tried again. Returns what is idle now."""
    found = held_places(connection, worker.worker_id, runner.job)
    again = sorted(found & idle)
    if again:
        _log.warning("jobs in hand that nothing was done for went back into the queue", jobs=len(again))
        retry_dropped(connection, worker.worker_id, again)
    return found


def _give_up(database: Database, movement: Movement, timing: Timing) -> None:
    """Note that the job in work hangs, where the database takes it in time."""
    suspect = movement.suspect()
    _log.error(
        "the job in work does not move and the worker ends",
        job_id=str(movement.attempt.job),
        seconds=timing.quiet_s,
        stacks=["".join(traceback.format_stack(frame)) for frame in sys._current_frames().values()],
    )

    def note() -> None:
        try:
            with working_for(movement.scope), connect(database.app, vectors=False) as connection:
                give_up(connection, movement.attempt, suspect)
        except PgaskError as error:
            _log.warning("that could not be noted", code=error.code)

    thread = threading.Thread(target=note, daemon=True)
    thread.start()
    thread.join(_GIVE_UP_S)


def _is_alive(connection: Connection, worker_id: int | None, timing: Timing) -> bool:
    """Whether the queue hears this worker's heartbeat."""
    row = connection.execute(
        "SELECT last_heartbeat > now() - make_interval(secs => %s) FROM pgask_queue.procrastinate_workers"
        " WHERE id = %s",
        [timing.stalled_s, worker_id],
    ).fetchone()
    return row == (True,)


def main() -> int:
    """Work until SIGTERM, SIGINT or the end of the standard input. Returns the exit status."""
    settings = load_settings()
    configure_logs(settings.log_level)
    try:
        with open_database(settings) as database:
            with connect(database.app) as connection:
                check_revision(connection)
                check_confined(connection, several=settings.auth != "off")
            with tracing(find_exporter(settings.tracing), questions=settings.log_questions):
                asyncio.run(_main(database, settings))
    except PgaskError as error:
        _log.error("the worker ends", code=error.code, detail=str(error))
        return 1
    return 0


async def _main(database: Database, settings: Settings) -> None:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    def wait_for_end() -> None:
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.buffer.read(1):
                pass
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    model = ChosenModel(settings)

    def open_embedder() -> Embedder:
        with connect(database.app, vectors=False) as connection:
            return model.embedder(connection)

    await work(database, settings, open_embedder, stopping=stopping)


if __name__ == "__main__":
    from ingest.worker import main as started  # under its own name: procrastinate warns of __main__

    sys.exit(started())
