"""Connections to PostgreSQL: sync for ingest and the CLI, of a pool (app/store/connection_pool.py) for the service. The
server is checked first (app/store/server_version.py)."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import psycopg
from pgvector.psycopg import register_vector
from psycopg import IsolationLevel, sql
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from app.addresses import KEEPALIVE, NO_DATABASE, split_databases
from app.config import Settings
from app.errors import ConfigError, StoreBusyError, StoreError
from app.server.embedded import EmbeddedPostgres
from app.sqlstates import BUSY, CONFLICTS, all_errors, refusal_at_connect
from app.store.server_version import check_server
from app.store.tenancy import DEFAULT, NOBODY, SET_LOCALLY, SET_SCOPE, Scope, current_scope

_RETRY_AFTER_S: Final = (0.05, 0.2)  # after a conflict with another writer
_LOOK_EVERY_S: Final = 0.1  # psycopg's own

Connection = psycopg.Connection[tuple[Any, ...]]
AsyncConnection = psycopg.AsyncConnection[tuple[Any, ...]]
T = TypeVar("T")
P = ParamSpec("P")


class PooledConnection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection of the pool, in autocommit. `lasting` are the settings that single statements left on its session,
    so that the next one need not set them again. Of one whose session is shared (`is_shared`, app/store/pooler.py),
    nothing outlasts a transaction.

    The server's own time limit does not help where the server, its machine or the line hangs: what has had no reply
    for `patience_s` seconds ends here, as if the connection had been cut, and `has_hung` is set.
    """

    is_shared: bool = False
    lasting: Mapping[str, str] = {}  # replaced, never changed
    patience_s: float = 10.0
    has_hung: bool = False
    scope: Scope | None = NOBODY  # None: not known

    async def wait(self, gen: PQGen[T], interval: float = _LOOK_EVERY_S, timeout: float | None = None) -> T:  # noqa: ASYNC109 - psycopg has it
        """As psycopg has it, for `patience_s` at most."""
        giving_up = asyncio.get_running_loop().call_later(self.patience_s, self._give_up)
        try:
            return await super().wait(gen, interval, timeout)
        finally:
            giving_up.cancel()

    def _give_up(self) -> None:
        """Shut the socket down: whoever waits for it sees an end, and psycopg the loss of its connection."""
        self.has_hung = True
        with suppress(OSError, psycopg.Error):
            borrowed = socket.socket(fileno=self.fileno())
            try:
                borrowed.shutdown(socket.SHUT_RDWR)
            finally:
                borrowed.detach()

    async def set_lasting(self, settings: Mapping[str, str]) -> None:
        """Make these the session's settings, and no others; a round trip only where they differ. The names are the
        program's own."""
        if settings == self.lasting:
            return
        gone = [name for name in self.lasting if name not in settings]
        self.lasting = dict.fromkeys(
            [*self.lasting, *settings], ""
        )  # until all is done: a failure may leave any
        for name in gone:
            await self.execute(
                sql.SQL("RESET {}").format(sql.SQL(".").join(map(sql.Identifier, name.split("."))))
            )
        if settings:
            await self.execute(
                "SELECT set_config(name, value, %s) FROM unnest(%s::text[], %s::text[]) s (name, value)",
                [self.is_shared, list(settings), list(settings.values())],
            )
        self.lasting = dict(settings)

    @asynccontextmanager
    async def within(self, level: IsolationLevel) -> AsyncIterator[None]:
        """A transaction, which begins with all that a session of its own would have kept."""
        await self.set_isolation_level(level)
        async with self.transaction():
            if self.is_shared:
                self.lasting = {}
                limit = {"statement_timeout": f"{int((self.patience_s - MARGIN_S) * 1000)}ms"}
                settings = {**limit, **(self.scope or NOBODY).settings()}
                await self.execute(SET_LOCALLY, [list(settings), list(settings.values())])
            yield

    async def see(self, scope: Scope) -> None:
        """See what this scope sees, and nothing else; a round trip only where it is another one."""
        if self.is_shared:
            self.scope = scope  # `within` sets it
            return
        if scope == self.scope:
            return
        patience_s = self.patience_s
        self.scope, self.patience_s = None, min(_CHECK_S, patience_s)
        try:
            settings = scope.settings()
            await self.execute(SET_SCOPE, [list(settings), list(settings.values())])
        finally:
            self.patience_s = patience_s
        self.scope = scope


class AsyncPool(AsyncConnectionPool[PooledConnection]):
    """A pool that knows how many of its connections are `in_use`, and why it could not make the last one. A connection
    sees what whoever takes it works for (app/store/tenancy.py), `otherwise` where nobody said for whom."""

    in_use = 0
    otherwise: Scope = NOBODY
    refusal: psycopg.OperationalError | None = None

    async def getconn(self, timeout: float | None = None) -> PooledConnection:  # noqa: ASYNC109 - psycopg's
        """A connection; putconn takes it back. Raises PoolTimeout."""
        connection = await super().getconn(timeout)
        self.in_use += 1
        try:
            await connection.see(current_scope(self.otherwise))
        except BaseException:
            if not connection.broken:  # else its next statement fails, and whoever takes it knows what to do
                await self.putconn(connection)
                raise
        return connection

    async def putconn(self, conn: PooledConnection) -> None:
        """Take a connection back."""
        self.in_use -= 1
        await super().putconn(conn)

    def no_connection(self, error: PoolTimeout) -> StoreError:
        """Why there is none: all are in use, or no other can be made."""
        if self.in_use >= self.max_size:
            code, sentence = BUSY
            return StoreBusyError(sentence, code=code)
        return refusal_at_connect(self.refusal or error)


_CHECK_S: Final = 2.0  # longest wait for the reply to nothing at all
MARGIN_S: Final = 1.0  # for the server to end a statement by its own limit


@dataclass(frozen=True, slots=True)
class Database:
    """Where the data is. `owner` may change the schema, `app` only reads and writes rows. Never log either. `home` is
    that of the embedded server; None where another one was named. `pooled` leads where `app` does, through a pooler in
    transaction mode, for those that keep no session; `replicas` are servers that only read."""

    owner: str
    app: str
    home: Path | None = None
    pooled: str | None = None
    replicas: tuple[str, ...] = ()


@contextmanager
def open_database(settings: Settings, *, keep: bool = False) -> Iterator[Database]:
    """The configured database: PGASK_DATABASE_URL, else the embedded server, started and shared while this is open;
    with `keep` it is started again should it die."""
    if settings.database_url is not None:
        named = settings.database_url.get_secret_value()
        direct, readers = settings.direct_database_url, settings.read_database_url
        app = direct.get_secret_value() if direct else named
        yield Database(
            owner=settings.owner_database_url.get_secret_value() if settings.owner_database_url else app,
            app=app,
            pooled=named if direct else None,
            replicas=split_databases(readers.get_secret_value()) if readers else (),
        )
        return
    with EmbeddedPostgres(settings.home) as server:
        urls = server.start()
        with server.kept() if keep else nullcontext():
            yield Database(owner=urls.owner, app=urls.app, home=settings.home)


@contextmanager
def connect(url: str, *, autocommit: bool = True, vectors: bool = True) -> Iterator[Connection]:
    """A checked connection. Raises StoreUnavailableError where there is none to be had, or another StoreError that says
    why; what PostgreSQL refuses while it is open becomes a StoreError, too."""
    try:
        connection = psycopg.connect(url, autocommit=autocommit, **KEEPALIVE)
    except psycopg.OperationalError as error:
        raise refusal_at_connect(error) from error
    except psycopg.ProgrammingError:  # its words repeat the address, and a password with it
        raise ConfigError(f"The database's address {NO_DATABASE}.") from None
    with all_errors(), connection:
        check_server(connection, url)
        if vectors:
            register_vector(connection)
        see(connection, current_scope(DEFAULT))
        if not autocommit:
            connection.commit()
        yield connection


def see(connection: Connection, scope: Scope) -> None:
    """Let a connection see what this scope sees, and nothing else."""
    settings = scope.settings()
    connection.execute(SET_SCOPE, [list(settings), list(settings.values())])


_server: ContextVar[AsyncPool | None] = ContextVar("server", default=None)


@contextmanager
def reading_from(pool: AsyncPool) -> Iterator[None]:
    """Until the block ends, `transaction` and `run_alone` take connections of this pool in place of that which they are
    called with (app/store/replicas.py)."""
    _server.set(pool)
    try:
        yield
    finally:
        _server.set(None)  # by no token: a generator may be closed elsewhere than it was begun


@asynccontextmanager
async def transaction(pool: AsyncPool) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction, in one snapshot. Raises StoreError, of which StoreUnavailableError and
    StoreBusyError pass."""
    async with _transaction(_server.get() or pool, IsolationLevel.REPEATABLE_READ) as connection:
        yield connection


@asynccontextmanager
async def _transaction(pool: AsyncPool, level: IsolationLevel) -> AsyncIterator[AsyncConnection]:
    with _pool_errors(pool):
        async with _checked(pool) as connection:
            await connection.set_lasting({})
            async with connection.within(level):
                yield connection


def retried(write: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate[Connection, P], T]:
    """A writer that does its transaction again where PostgreSQL ended it in favour of another one; not within a
    transaction of the caller's."""

    @wraps(write)
    def attempt(connection: Connection, /, *arguments: P.args, **named: P.kwargs) -> T:
        for wait_s in _RETRY_AFTER_S:
            try:
                return write(connection, *arguments, **named)
            except StoreError as error:
                is_free = connection.info.transaction_status == TransactionStatus.IDLE
                if error.code not in CONFLICTS or not is_free:
                    raise
            time.sleep(wait_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        return write(connection, *arguments, **named)

    return attempt


async def write(pool: AsyncPool, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """What `work` gives in a transaction of its own that waits for other writers instead of failing on them. Where
    PostgreSQL ends it in favour of another one (deadlock), `work` is called again.

    Raises StoreError, of which StoreUnavailableError and StoreBusyError pass.
    """

    async def attempt() -> T:
        async with _transaction(pool, IsolationLevel.READ_COMMITTED) as connection:
            return await work(connection)

    for wait_s in _RETRY_AFTER_S:
        try:
            return await attempt()
        except StoreError as error:
            if error.code not in CONFLICTS:
                raise
        await asyncio.sleep(wait_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
    return await attempt()


async def run_alone(pool: AsyncPool, ask: Callable[[PooledConnection], Awaitable[T]]) -> T:
    """What `ask` gives, which reads by single statements, each in its own snapshot. No connection is checked before,
    which takes as long as a short statement: where one turns out to be lost, `ask` is called again with another.

    Raises StoreError, of which StoreUnavailableError and StoreBusyError pass.
    """
    pool = _server.get() or pool
    with _pool_errors(pool):
        connection = await pool.getconn()
        try:
            return await _alone(connection, ask)
        except psycopg.OperationalError:
            if not connection.broken or connection.has_hung:  # another would hang as well
                raise
        finally:
            await pool.putconn(connection)
        async with _checked(pool) as connection:
            return await _alone(connection, ask)


async def _alone(connection: PooledConnection, ask: Callable[[PooledConnection], Awaitable[T]]) -> T:
    if not connection.is_shared:
        return await ask(connection)
    async with connection.within(IsolationLevel.READ_COMMITTED):  # which has a snapshot a statement as well
        return await ask(connection)


@asynccontextmanager
async def _checked(pool: AsyncPool) -> AsyncIterator[PooledConnection]:
    """A connection that works; lost ones go back first, and the pool makes others. Raises PoolTimeout
    after the pool's time."""
    now = asyncio.get_running_loop().time
    ends = now() + pool.timeout
    while True:
        connection = await pool.getconn(max(ends - now(), 0.01))
        patience_s = connection.patience_s
        try:
            if await _works(connection):
                yield connection
                return
        finally:
            connection.patience_s = patience_s
            await pool.putconn(connection)


async def _works(connection: PooledConnection) -> bool:
    patience_s = connection.patience_s
    connection.patience_s = min(_CHECK_S, patience_s)
    try:
        await AsyncConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    finally:
        connection.patience_s = patience_s
    return True


async def allow_seconds(connection: AsyncConnection, seconds: int) -> None:
    """Let each statement of this transaction take so long."""
    await connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds}s"])
    if isinstance(connection, PooledConnection):
        connection.patience_s = seconds + MARGIN_S


@contextmanager
def _pool_errors(pool: AsyncPool) -> Iterator[None]:
    try:
        with all_errors():
            yield
    except StoreError as error:
        if isinstance(error.__cause__, PoolTimeout):
            raise pool.no_connection(error.__cause__) from error.__cause__
        raise
