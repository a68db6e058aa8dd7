"""Server-sent events with keep-alives that end when the client leaves, and cancelling a plain reply's work likewise.

FastAPI's own EventSourceResponse wants a path operation that only streams; /ask answers either way, so its wire format
is used (fastapi.sse) and the response is ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Final, TypeVar

from fastapi.sse import KEEPALIVE_COMMENT
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KEEP_ALIVE_S: Final = 15.0
_BUFFERED: Final = 16  # events that may wait for a slow client before the source has to
T = TypeVar("T")


class EventStream(Response):
    """Sends events (bytes in wire format) as they come.

    A failure before the first event is raised, so that it becomes a problem with its own status; a later one is sent
    as the event that `describe` makes of it. When the client leaves, the generator is closed at once, which cancels
    what it waits for. `abandoned` is called then.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        describe: Callable[[Exception], bytes],
        abandoned: Callable[[], None],
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._describe = describe
        self._abandoned = abandoned
        self._keep_alive_s = keep_alive_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(_BUFFERED)
        producing = asyncio.create_task(self._produce(queue))
        sending = asyncio.create_task(self._send(queue, send))
        leaving = asyncio.create_task(_until_disconnected(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done() and (ending := leaving.exception()) is not None:  # the service ends
                assert isinstance(ending, Exception)
                self._abandoned()
                await self._break_off(producing, queue, ending)
                await sending
            if not sending.done():
                self._abandoned()
                raise ClientDisconnect
            sending.result()
        finally:
            for task in (producing, sending, leaving):
                task.cancel()
            await asyncio.gather(producing, sending, leaving, return_exceptions=True)

    async def _produce(self, queue: asyncio.Queue[bytes | Exception | None]) -> None:
        """One task pulls all events: what the generator holds over its yields (timeouts, locks) stays in it."""
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    await queue.put(event)
            await queue.put(None)
        except Exception as error:  # the API boundary: told to the client by _send
            await queue.put(error)

    async def _break_off(
        self, producing: asyncio.Task[None], queue: asyncio.Queue[bytes | Exception | None], why: Exception
    ) -> None:
        """Let what has been produced be sent, then `why`."""
        producing.cancel()
        await asyncio.gather(producing, return_exceptions=True)
        await queue.put(why)

    async def _send(self, queue: asyncio.Queue[bytes | Exception | None], send: Send) -> None:
        started = False
        while True:
            try:
                async with asyncio.timeout(self._keep_alive_s):
                    item = await queue.get()
            except TimeoutError:
                item = KEEPALIVE_COMMENT
            if isinstance(item, Exception):
                if not started:
                    raise item
                item = self._describe(item)
                queue.put_nowait(None)
            if not started:
                started = True
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": item or b"", "more_body": item is not None})
            if item is None:
                return


async def or_disconnect(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """The result of `work`, which is cancelled when the client leaves; then ClientDisconnect is raised. Raises what
    `receive` raises, too (app/api/receiving.py)."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_until_disconnected(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            leaving.result()  # or raises, when the service ends
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
