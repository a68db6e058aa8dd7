"""Looks after the vector indexes while the service runs: a thread, in one process of all by an advisory lock.

Others only read how the indexes are, for /metrics. Sync, as the schema's owner; where the service's role is not the
owner's, it reads, and says once that ingest or `pgask index` has to do the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Final

import psycopg
import structlog

from app.errors import PgaskError
from app.index.maintenance import IndexReport, list_spaces, maintain, report
from app.index.manifest import IndexSettings
from app.store.connection import Connection, Database, connect

READ_EVERY_S: Final = 600.0  # reports, where indexes are not looked after
_FIRST_AFTER_S: Final = 5.0  # let a start be a start
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('pgask.upkeep'))"
_OWNS: Final = (
    "SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'pgask_vectors'"
)
_log = structlog.get_logger(__name__)


class IndexWatch:
    """The thread. `every_s` 0: it only reads. The first look comes after `first_after_s`."""

    def __init__(
        self,
        database: Database,
        settings: IndexSettings,
        *,
        every_s: float,
        first_after_s: float = _FIRST_AFTER_S,
    ) -> None:
        self._database, self._settings, self._every_s = database, settings, every_s
        self._first_after_s, self._last_look = first_after_s, time.time()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._told = False
        self._thread = threading.Thread(target=self._run, name="index-watch", daemon=True)
        self._reports: Mapping[int, IndexReport] = {}

    def start(self) -> None:
        """Begin; the first look comes after some seconds."""
        self._thread.start()

    def stop(self) -> None:
        """End: cancels what the database is doing for it, and waits for the thread. A build that was cancelled leaves
        nothing that answers, and the next one clears it away."""
        self._stopping.set()
        while self._thread.is_alive():
            with self._lock:
                if self._connection is not None and not self._connection.closed:
                    self._connection.cancel_safe(timeout=2)
            self._thread.join(timeout=0.5)

    def reports(self) -> Mapping[int, IndexReport]:
        """What the last look found, by the space's number. Asks the database nothing."""
        return self._reports

    def last_look(self) -> float:
        """When the last whole look ended, in seconds since 1970; before the first, when the watch was made."""
        return self._last_look

    def look(self) -> None:
        """One look: do what is due, where that is ours to do, and read how things stand."""
        with connect(self._database.owner) as owner:
            with self._lock:
                self._connection = owner
            try:
                if self._every_s and self._may_build(owner):
                    self._maintain(owner)
                self._reports = {space.id: report(owner, space.id) for space in list_spaces(owner)}
                self._last_look = time.time()
            finally:
                with self._lock:
                    self._connection = None

    def _run(self) -> None:
        wait_s = self._first_after_s
        while not self._stopping.wait(wait_s):
            wait_s = self._every_s or READ_EVERY_S
            try:
                self.look()
            except Exception as error:  # whatever it was, the next look may do better
                self._warn(error)

    def _maintain(self, owner: Connection) -> None:
        if owner.execute(_TRY_LOCK).fetchone() != (True,):
            return  # another process does it; the lock goes with the connection
        for space in list_spaces(owner):
            if space.partition_of is not None:  # looked after with its space
                continue
            if self._stopping.is_set() or owner.closed:
                return
            try:
                maintain(owner, space.id, self._settings, wait=False)
            except Exception as error:  # of this space: the others are looked after all the same
                self._warn(error, space=space.id)

    def _warn(self, error: Exception, **where: int) -> None:
        if self._stopping.is_set():
            return
        is_foreseen = isinstance(error, PgaskError | psycopg.Error)
        _log.warning(
            "the indexes could not be looked after; the next look tries again",
            error=(str(error) or type(error).__name__).split("\n")[0][:200],
            exc_info=None if is_foreseen else error,
            **where,
        )

    def _may_build(self, owner: Connection) -> bool:
        if owner.execute(_OWNS).fetchone() == (True,):
            return True
        if not self._told:
            self._told = True
            _log.warning(
                "this service's role does not own the schema, so it can't look after the vector indexes: "
                "set PGASK_OWNER_DATABASE_URL, or run `pgask index` as the owner",
            )
        return False
