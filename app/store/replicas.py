"""Questions are read from replicas, by streaming replication, and everything else from the primary.

One question reads from one server, from its first look to its last: hits and texts never come from two. A replica is
asked that is ready and at most PGASK_READ_MAX_LAG_S behind; where it fails, the whole question goes to the next one,
and last to the primary. A caller who has changed something, or has been shown what the primary holds, brings the
position in the write-ahead log that the primary stood at (app/api/positions.py): a replica is asked that is as far.

Positions are counted in bytes from 0/0. Each server is looked at once a second, by a connection of its own. How far
behind a replica is, is told by when the primary stood where the replica is now, so a primary that nobody writes to
makes no replica late, and clocks need not agree.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import psycopg
import structlog

from app.addresses import KEEPALIVE, server_name
from app.errors import EmbeddingMismatchError, NotFoundError, StoreError, StoreUnavailableError
from app.loop_tasks import running
from app.store.connection import AsyncPool, reading_from
from app.store.connection_pool import open_pool
from app.store.tenancy import Scope

EVERY_S: Final = 1.0
_PATIENCE_S: Final = 2.0  # for the reply to a look
_SEEN_S: Final = 3.5  # since a look that was answered: after that a server is lost
_POOL_WAIT_S: Final = 1.0  # for a connection to a replica: there are others to ask
_CATCH_UP_S: Final = 0.25  # for a replica to reach a caller's position
_CATCH_UP_EVERY_S: Final = 0.02
_REMEMBERED: Final = 900  # looks at the primary, and so the most seconds of lag that are told apart
_POSITION: Final = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})")
_LOOK: Final = """
SELECT pg_is_in_recovery(), current_user, current_database(), (SELECT system_identifier FROM pg_control_system()),
       pg_wal_lsn_diff(
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, '0/0'
       )::bigint"""
_log = structlog.get_logger(__name__)
T = TypeVar("T")

State = Literal["ready", "behind", "lost", "no_replica"]
"""`behind`: more than PGASK_READ_MAX_LAG_S; `no_replica`: it takes writes itself, or is of another cluster, database or
role than the primary, and is not asked."""

_needed: ContextVar[int] = ContextVar("needed", default=0)


def read_position(text: str) -> int:
    """A position from its usual form; 0, which every server has reached, for what is none.

    >>> read_position("1/10"), read_position("here")
    (4294967312, 0)
    """
    found = _POSITION.fullmatch(text)
    return (int(found[1], 16) << 32) + int(found[2], 16) if found else 0


def show_position(position: int) -> str:
    """As PostgreSQL writes it.

    >>> show_position(4294967312)
    '1/10'
    """
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def need_position(position: int) -> None:
    """From here on the caller's questions are read from servers that are as far."""
    _needed.set(position)


@dataclass(frozen=True, slots=True)
class Look:
    """What a server said of itself: `who` is its role, database and cluster, `position` what it holds."""

    in_recovery: bool
    who: tuple[str, str, int]
    position: int


class Lookout:
    """Looks at one server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()
        self._seen_at = -_SEEN_S
        self.last: Look | None = None

    @property
    def is_seen(self) -> bool:
        """Whether it answered a moment ago."""
        return time.monotonic() - self._seen_at < _SEEN_S

    def lose(self) -> None:
        """It has failed a question: it is lost until it answers the next look."""
        self._seen_at = -_SEEN_S

    async def look(self) -> Look | None:
        """What it says of itself now; None where it says nothing in time."""
        async with self._turn:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    self.last = await self._ask()
                self._seen_at = time.monotonic()
            except (psycopg.Error, TimeoutError, OSError):
                self._seen_at = -_SEEN_S
                await self._leave()
                return None
            return self.last

    async def aclose(self) -> None:
        """End."""
        async with self._turn:
            await self._leave()

    async def _ask(self) -> Look:
        if self._connection is None:
            named = KEEPALIVE | {"application_name": "pgask lookout", "connect_timeout": int(_PATIENCE_S)}
            self._connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, prepare_threshold=None, **named
            )
        row = await (await self._connection.execute(_LOOK)).fetchone()
        assert row is not None
        return Look(row[0], (row[1], row[2], row[3]), row[4] or 0)

    async def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                await connection.close()


class Progress:
    """Where the primary stood when."""

    def __init__(self) -> None:
        self._stood: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)

    def note(self, at_s: float, position: int) -> None:
        """It stands there. One that stands before where it stood is another primary: what was known is forgotten."""
        if self._stood and position < self._stood[-1][1]:
            self._stood.clear()
        self._stood.append((at_s, position))

    def lag_s(self, now_s: float, position: int) -> float | None:
        """For how long a server that holds `position` has lacked something; None before the primary was seen.

        >>> progress = Progress()
        >>> progress.note(1.0, 100); progress.note(2.0, 100); progress.note(3.0, 200); progress.note(4.0, 300)
        >>> progress.lag_s(5.0, 300), progress.lag_s(5.0, 250), progress.lag_s(5.0, 100)
        (0.0, 1.0, 2.0)
        """
        if not self._stood:
            return None
        if position >= self._stood[-1][1]:
            return 0.0
        return next(now_s - at_s for at_s, stood in self._stood if stood > position)


class Absence:
    """For how long the primary took no writes, as the looks at it tell: from the first that failed to the next that
    did not.

    >>> absence = Absence()
    >>> for at_s, takes_writes in [(1.0, True), (2.0, False), (4.0, False), (5.5, True), (6.5, True)]:
    ...     absence.note(at_s, takes_writes=takes_writes)
    >>> absence.seconds, absence.is_away
    (3.5, False)
    """

    def __init__(self) -> None:
        self.seconds = 0.0  # of all absences together
        self.is_away = False
        self._noted_at = 0.0

    def note(self, at_s: float, *, takes_writes: bool) -> None:
        """What a look found."""
        if self.is_away:
            self.seconds += at_s - self._noted_at
        self._noted_at, self.is_away = at_s, not takes_writes


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """How a replica stands. `name` is its host and port; `lag_s` None where it is not known."""

    name: str
    state: State
    lag_s: float | None


class Replica:
    """A server that questions are read from."""

    def __init__(self, url: str, pool: AsyncPool) -> None:
        self.name = server_name(url)
        self.pool = pool
        self.lookout = Lookout(url)
        self.questions = 0


class Reads:
    """Chooses the server that a question is read from. Without replicas it is always the primary."""

    def __init__(
        self, primary: Lookout | None = None, replicas: Sequence[Replica] = (), max_lag_s: float = 5.0
    ) -> None:
        self._primary, self._replicas, self._max_lag_s = primary, replicas, max_lag_s
        self._progress, self.absence = Progress(), Absence()
        self._turn = 0
        self._told: dict[str, State] = {}
        self.questions = 0  # read from the primary

    @property
    def are_apart(self) -> bool:
        """Whether there are replicas."""
        return bool(self._replicas)

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, all of it read from one server; from the beginning again where one fails."""
        for replica in await self._in_order():
            replica.questions += 1
            try:
                with reading_from(replica.pool):
                    return await work()
            except (StoreError, NotFoundError, EmbeddingMismatchError) as error:
                self._go_on(replica, error)
        self.questions += 1
        return await work()

    async def stream(self, begin: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """The events of `begin`, all read from one server; from the beginning again where one fails before the first
        event."""
        for replica in await self._in_order():
            has_begun = False
            replica.questions += 1
            try:
                with reading_from(replica.pool):
                    async with aclosing(begin()) as events:
                        async for event in events:
                            has_begun = True
                            yield event
                return
            except (StoreError, NotFoundError, EmbeddingMismatchError) as error:
                if has_begun:
                    raise
                self._go_on(replica, error)
        self.questions += 1
        async with aclosing(begin()) as events:
            async for event in events:
                yield event

    async def position(self) -> int | None:
        """Where the primary stands now; None where it does not say, or there are no replicas."""
        if self._primary is None:
            return None
        seen = await self._primary.look()
        return None if seen is None or seen.in_recovery else seen.position

    def states(self) -> list[ReplicaState]:
        """How each replica stood at the last look, in the order of the setting."""
        return [ReplicaState(one.name, self._state(one), self._lag_s(one)) for one in self._replicas]

    def counts(self) -> dict[str, int]:
        """How many questions each server was asked, those that it failed as well; the primary is `primary`."""
        return {"primary": self.questions} | {one.name: one.questions for one in self._replicas}

    def ready_pool(self) -> AsyncPool | None:
        """The pool of a replica that is ready; None where none is."""
        return next((one.pool for one in self._replicas if self._state(one) == "ready"), None)

    async def look(self) -> None:
        """Look at all servers, the primary first: what it holds then, a replica may lack for a moment."""
        if self._primary is None:
            return
        seen = await self._primary.look()
        takes_writes = seen is not None and not seen.in_recovery
        self.absence.note(time.monotonic(), takes_writes=takes_writes)
        if seen is not None and takes_writes:
            self._progress.note(time.monotonic(), seen.position)
        await asyncio.gather(*(one.lookout.look() for one in self._replicas))
        for one in self.states():
            if self._told.get(one.name) != one.state:
                self._told[one.name] = one.state
                log = _log.info if one.state == "ready" else _log.warning
                log("replica", name=one.name, state=one.state, lag_s=one.lag_s)

    async def aclose(self) -> None:
        """Look no more."""
        for lookout in (self._primary, *(one.lookout for one in self._replicas)):
            if lookout is not None:
                await lookout.aclose()

    async def _in_order(self) -> list[Replica]:
        """The replicas that may be asked, whose turn it is first."""
        if not self._replicas:
            return []
        ready = [one for one in self._replicas if self._state(one) == "ready"]
        self._turn += 1
        shift = self._turn % len(ready) if ready else 0
        ready, needed = ready[shift:] + ready[:shift], _needed.get()
        if needed and not await self._may_stand_at(needed):
            needed = 0
        deadline = time.monotonic() + _CATCH_UP_S
        while ready and needed:
            far = [one for one in ready if one.lookout.last and one.lookout.last.position >= needed]
            if far or time.monotonic() >= deadline:
                ready = far
                break
            await asyncio.sleep(_CATCH_UP_EVERY_S)
            await asyncio.gather(*(one.lookout.look() for one in ready))
        return ready

    async def _may_stand_at(self, position: int) -> bool:
        """Whether the primary is as far, for all that can be seen: a position further on is made up, or was told by a
        primary that is lost with it, and no server will reach it."""
        assert self._primary is not None
        seen = self._primary.last
        if seen is None or seen.in_recovery or seen.position < position:
            seen = await self._primary.look()
        return seen is None or seen.in_recovery or seen.position >= position

    def _go_on(self, replica: Replica, error: Exception) -> None:
        """Let the next server be asked; raise where that would fail as well. What a replica does not know of, the
        primary may: it is asked in the end."""
        if isinstance(error, StoreUnavailableError):
            replica.lookout.lose()
        elif isinstance(error, StoreError) and error.code == "statement_timeout":
            raise error
        _log.info("the question goes to the next server", replica=replica.name, why=str(error)[:200])

    def _state(self, replica: Replica) -> State:
        seen = replica.lookout.last
        if seen is None or not replica.lookout.is_seen:
            return "lost"
        primary = self._primary.last if self._primary is not None else None
        if not seen.in_recovery or (primary is not None and primary.who != seen.who):
            return "no_replica"
        lag_s = self._lag_s(replica)
        return "ready" if lag_s is not None and lag_s <= self._max_lag_s else "behind"

    def _lag_s(self, replica: Replica) -> float | None:
        seen = replica.lookout.last
        return None if seen is None else self._progress.lag_s(time.monotonic(), seen.position)


@asynccontextmanager
async def open_reads(
    primary: str,
    replicas: Sequence[str],
    *,
    max_lag_s: float,
    size: int,
    statement_timeout_s: float,
    otherwise: Scope,
) -> AsyncIterator[Reads]:
    """The replicas at these addresses, each with a pool of up to `size` connections, looked at until the block ends;
    the first look is over when it begins. One that can't be reached is lost until it can."""
    if not replicas:
        yield Reads()
        return
    async with AsyncExitStack() as stack:
        opened = []
        for url in replicas:
            pool = await stack.enter_async_context(
                open_pool(
                    url,
                    size=size,
                    statement_timeout_s=statement_timeout_s,
                    otherwise=otherwise,
                    wait_s=_POOL_WAIT_S,
                )
            )
            opened.append(Replica(url, pool))
        reads = Reads(Lookout(primary), opened, max_lag_s)
        await reads.look()
        stack.push_async_callback(reads.aclose)
        async with running(_watch(reads)):
            yield reads


async def _watch(reads: Reads) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        await reads.look()
