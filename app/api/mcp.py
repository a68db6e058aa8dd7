"""POST /mcp: agents by streamable HTTP (Model Context Protocol), in both revisions and without sessions.

The SDK is imported when the first agent comes. Who asks, hosts, body sizes and the log are middleware's, as everywhere.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.api.admission import Places
from app.api.authentication import is_own_origin
from app.api.components import Components
from app.api.metrics import Metrics
from app.api.problems import Fault, FaultError
from app.api.stream import or_disconnect

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

router = APIRouter(tags=["agents"])

NOT_INSTALLED: Final = Fault(
    "mcp_not_installed",
    404,
    "Agents are answered where the extra `mcp` is installed: pip install 'pgask[mcp]', and start the service again.",
    detail_zh="需要安装 mcp 扩展才能应答智能体：pip install 'pgask[mcp]'，然后重启服务。",
)
_OTHER_ORIGIN: Final = Fault(
    "forbidden",
    403,
    "A page of another site may not speak to this address. PGASK_CORS_ORIGINS names the sites that may.",
    detail_zh="其他网站的页面不能访问该地址。允许访问的网站在 PGASK_CORS_ORIGINS 中列出。",
)


class Agents:
    """What answers at /mcp, made when it is first asked for."""

    def __init__(self, parts: Components, metrics: Metrics, places: Places) -> None:
        self._parts, self._metrics, self._places = parts, metrics, places
        self._lock = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    async def manager(self) -> StreamableHTTPSessionManager:
        """The SDK's part. Raises FaultError where the SDK is not installed."""
        async with self._lock:
            if self._manager is None:
                if find_spec("mcp") is None:
                    raise FaultError(NOT_INSTALLED)
                manager = await asyncio.to_thread(self._build)
                started = asyncio.Event()
                # Not in the context of the request that happens to be the first one
                self._running = asyncio.get_running_loop().create_task(
                    self._run(manager, started), context=contextvars.Context()
                )
                await started.wait()
                self._manager = manager
            return self._manager

    def _build(self) -> StreamableHTTPSessionManager:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from app.api.mcp_tools import build_server

        return StreamableHTTPSessionManager(
            build_server(self._parts, self._metrics, self._places),
            json_response=True,
            stateless=True,
            max_request_body_size=self._parts.settings.max_body_bytes,
        )

    async def _run(self, manager: StreamableHTTPSessionManager, started: asyncio.Event) -> None:
        """One task enters and leaves the SDK's group of tasks, which asks for that."""
        async with manager.run():
            started.set()
            await self._end.wait()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Agents]:
        """Ready to answer until the block ends."""
        try:
            yield self
        finally:
            self._end.set()
            if self._running is not None:
                await self._running


class _Reply(Response):
    """What the SDK answers; its work ends when the client leaves."""

    def __init__(self, manager: StreamableHTTPSessionManager, body: bytes) -> None:
        super().__init__()
        self._manager = manager
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        delivered = False

        async def receive_body() -> Message:
            nonlocal delivered
            if delivered:  # whether the client leaves is or_disconnect's to see
                await asyncio.Event().wait()
            delivered = True
            return {"type": "http.request", "body": self._body, "more_body": False}

        await or_disconnect(self._manager.handle_request(scope, receive_body, send), receive)


@router.post("/mcp", include_in_schema=False)
async def answer_agent(request: Request) -> Response:
    """See docs/mcp.md."""
    agents: Agents = request.app.state.agents
    _check_origin(request, request.app.state.components.settings.origins)
    return _Reply(await agents.manager(), await request.body())


def _check_origin(request: Request, allowed: frozenset[str]) -> None:
    """Only pages of this service, and of sites that may read it: the protocol asks for that (DNS rebinding)."""
    origin = request.headers.get("origin")
    if not (origin is None or origin in allowed or is_own_origin(origin, request.headers.get("host", ""))):
        raise FaultError(_OTHER_ORIGIN)
