"""Replies that their readers may rate (app/api/feedback.py): put aside by requests, written by a task at once, off
every request's path, so that a rating finds its reply after a restart, and whichever process it reaches.

A reply belongs to who asked, and is forgotten after a day. Where no feedback is kept (PGASK_FEEDBACK_DAYS=0) nothing is
put aside, and what was is forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import psycopg
import structlog

from app.api.answers import CITATIONS
from app.domain import Answer, names_of
from app.embedding import Embedder, EmbeddingSpace
from app.errors import StoreBusyError, StoreError, StoreUnavailableError
from app.exchange import AskRequest
from app.loop_tasks import running
from app.store import kept_replies
from app.store.accounts import read_tenant_ids
from app.store.connection import AsyncConnection, AsyncPool, transaction, write
from app.store.tenancy import Scope, current_scope, working_for

if TYPE_CHECKING:
    from app.api.authentication import Caller

MOST_WAITING: Final = 2_000  # while the database is away; then the oldest go
CHAT: Final = "chatcmpl-"  # stands before the request's id in the id of a chat completion
_AT_ONCE: Final = 200
_FORGET_EVERY_S: Final = 3_600.0
_AGAIN_AFTER_S: Final = 5.0
_Key = tuple[int, str, str]  # a tenant, who asked, the request's id
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Replied:
    """A question, what was answered, and by which model's vectors it was found."""

    question: AskRequest
    answer: Answer
    space: EmbeddingSpace

    def stored(self) -> dict[str, Any]:
        """What a rating is stored with."""
        question, answer = self.question, self.answer
        return {
            "question": question.question,
            "answer": answer.text,
            "abstained": answer.abstained,
            "scope": {
                "collections": list(names_of(question.collection)),
                "filtered": question.filter is not None,
                "turns_before": len(question.history),
            },
            "citations": CITATIONS.dump_python(answer.citations, mode="json"),
            "state": {
                "pgask": version("pgask"),
                "model": self.space.model,
                "weights_sha256": self.space.weights_sha256,
                "generator": answer.generator,
                "degraded": answer.degraded,
            },
        }


class Replies:
    """The newest replies of each tenant (app/store/kept_replies.py). Lives on one event loop."""

    def __init__(self, pool: AsyncPool, embedder: Embedder, *, are_kept: bool = True) -> None:
        self._pool, self._embedder, self._are_kept = pool, embedder, are_kept
        self._waiting: dict[_Key, Replied] = {}
        self._some = asyncio.Event()

    def add(self, caller: Caller, request_id: str, question: AskRequest, answer: Answer) -> None:
        """Put a reply aside; it is written within some milliseconds."""
        key = self._key(caller, request_id)
        if key is None or not self._are_kept:
            return
        self._waiting.pop(key, None)
        self._waiting[key] = Replied(question, answer, self._embedder.space)
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._some.set()

    async def find(self, caller: Caller, request_id: str) -> Mapping[str, Any] | None:
        """What a rating of the caller's reply of this id is stored with; None where there is none any more. Raises
        StoreError."""
        key = self._key(caller, request_id)
        if key is None:
            return None
        if key in self._waiting:
            return self._waiting[key].stored()
        async with transaction(self._pool) as connection:
            return await kept_replies.find_reply(connection, *key[1:])

    async def write(self) -> None:
        """Write what waits; where the database is away, it waits on. Raises StoreError."""
        while self._waiting:
            now = dict(list(self._waiting.items())[:_AT_ONCE])
            for tenant in {tenant for tenant, *_ in now}:
                theirs = {key: replied for key, replied in now.items() if key[0] == tenant}
                try:
                    await self._keep(tenant, {key[1:]: replied.stored() for key, replied in theirs.items()})
                except (StoreUnavailableError, StoreBusyError):
                    raise
                except (StoreError, psycopg.Error) as error:  # the tenant may be gone
                    _log.warning("replies can't be rated: they could not be kept", error=_first_line(error))
                for key, replied in theirs.items():
                    if self._waiting.get(key) is replied:
                        del self._waiting[key]

    async def forget(self) -> None:
        """Forget all tenants' old replies. Raises StoreError."""

        async def forget(connection: AsyncConnection) -> None:
            await kept_replies.forget_replies(connection, most=None if self._are_kept else 0)

        for tenant in await read_tenant_ids(self._pool):
            with working_for(Scope(tenant)):
                await write(self._pool, forget)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Replies]:
        """Write what is added until the block ends, and what is left then."""
        try:
            async with running(self._write_on(), self._forget_on()):
                yield self
        finally:
            with contextlib.suppress(StoreError, psycopg.Error):
                await self.write()

    async def _keep(self, tenant: int, kept: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        async def keep(connection: AsyncConnection) -> None:
            await kept_replies.keep_replies(connection, kept)

        with working_for(Scope(tenant)):
            await write(self._pool, keep)

    async def _write_on(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            try:
                await self.write()
            except (StoreError, psycopg.Error) as error:
                _log.warning("replies could not be written; they wait on", error=_first_line(error))
                await asyncio.sleep(_AGAIN_AFTER_S)
                self._some.set()

    async def _forget_on(self) -> None:
        while True:
            try:
                await self.forget()
            except (StoreError, psycopg.Error) as error:
                _log.warning("old replies could not be forgotten", error=_first_line(error))
            await asyncio.sleep(_FORGET_EVERY_S)

    def _key(self, caller: Caller, request_id: str) -> _Key | None:
        tenant = current_scope(self._pool.otherwise).tenant
        if tenant is None:
            return None
        return tenant, str(caller.key_id or caller.name), request_id.removeprefix(CHAT)


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0][:200]
