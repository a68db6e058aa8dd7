"""Several servers of one model behind PGASK_LLM_BASE_URL: which one a conversation goes to, and what if it fails.

Each server has a client, a breaker and turns of its own (app/generation/llm.py). A conversation keeps to one server by
rendezvous hashing (Thaler and Ravishankar, 1998), so that what the server has cached of its prompts' beginning is used
again, and a server that comes or goes moves the conversations of that one alone. Where it is left alone for its
failures or has no turn free, the next one by the same order is asked; so it is where it fails before its first token,
never after one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import structlog

from app.config import Settings
from app.domain import GenerationParams
from app.errors import GenerationError, LlmBusyError
from app.generation.failures import REQUEST_REFUSED
from app.generation.llm import LlmClient, LlmDelta
from app.generation.llm_settings import LlmSettings
from app.generation.prompt import Prompt

_DEFAULT_PARAMS: Final = GenerationParams()
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Counts:
    """Completions of one server: that it gave, that it failed at, and of these how many another one took over."""

    answered: int = 0
    failed: int = 0
    taken_over: int = 0


class LlmServers:
    """The clients of all servers; make them for the service's life and `aclose` them."""

    def __init__(self, clients: Sequence[LlmClient]) -> None:
        """At least one, each of another address."""
        self._clients = tuple(clients)
        self._counts = {client.address: Counts() for client in clients}

    @classmethod
    def from_settings(cls, settings: Settings) -> LlmServers | None:
        """The configured servers; None where there is none."""
        groups = LlmSettings.each_from_settings(settings)
        return cls([LlmClient(group) for group in groups]) if groups else None

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self._clients:
            await client.aclose()

    @property
    def clients(self) -> tuple[LlmClient, ...]:
        """One a server, in the order of the setting."""
        return self._clients

    @property
    def counts(self) -> Mapping[str, Counts]:
        """By the server's address, as it may be shown."""
        return self._counts

    @property
    def model_name(self) -> str:
        """The model's name as far as it is known: of the first server that is not left alone."""
        return next((one for one in self._clients if not one.breaker.is_open), self._clients[0]).model_name

    @property
    def is_away(self) -> bool:
        """Whether all servers have failed, and no answer is to be hoped for."""
        return all(client.breaker.is_open for client in self._clients)

    def waiting(self) -> int:
        """How many questions wait for their turn now."""
        return sum(client.waiting() for client in self._clients)

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncGenerator[LlmClient, None]:
        """Hold a turn of the server of a conversation for the block, for one short request of which no more than one
        server is asked. Raises as LlmClient.turn does."""
        client = self._order(key)[0]
        async with client.turn():
            yield client

    async def ask(
        self, build: Callable[[int], Prompt], key: str, params: GenerationParams = _DEFAULT_PARAMS
    ) -> AsyncGenerator[Prompt | LlmDelta, None]:
        """Yield the prompt and its completion as LlmClient.ask does, within a turn of the server that gives it; `key`
        is what stays the same in a conversation. A prompt that follows another one stands in its place, of a server
        that took over as well. Raises LlmBusyError, and as LlmClient.ask does of the last server that was asked."""
        order = self._order(key)
        for client, is_last in zip(order, [*[False] * (len(order) - 1), True], strict=True):
            counts, has_begun = self._counts[client.address], False
            try:
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(client.turn())
                    parts = await stack.enter_async_context(aclosing(client.ask(build, params)))
                    async for part in parts:
                        has_begun = has_begun or isinstance(part, LlmDelta)
                        yield part
            except LlmBusyError:
                raise
            except GenerationError as error:
                if error.code == REQUEST_REFUSED:
                    raise
                counts.failed += 1
                if has_begun or is_last:
                    raise
                counts.taken_over += 1
                _log.warning("another model server takes over", server=client.address, code=error.code)
            else:
                counts.answered += 1
                return

    def _order(self, key: str) -> list[LlmClient]:
        """All servers: by their hash with the key, those with a free turn first, those left alone last."""
        ranked = sorted(self._clients, key=lambda client: _weight(client.address, key), reverse=True)
        return sorted(ranked, key=lambda client: (client.breaker.wait_s > 0, not client.has_room))


def _weight(address: str, key: str) -> bytes:
    return blake2b(f"{address}\0{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
