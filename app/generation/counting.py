"""How many tokens a prompt takes: by the model's server, else by the model's own tokenizer where it is on this machine.

Remembers whether the server counts. The estimate for all other cases is app/generation/tokens.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import httpx2

from app.generation.failures import FAILURES
from app.generation.llm_settings import LlmSettings
from app.generation.prompt import MESSAGE_TOKENS, REPLY_TOKENS, PromptMessage
from app.generation.served_model import ServedModel, count_tokens
from app.generation.tokens import local_tokenizer


class PromptCounter:
    """Counts the tokens of prompts for one server."""

    def __init__(self, http: httpx2.AsyncClient, settings: LlmSettings) -> None:
        self._http = http
        self._settings = settings
        self._server_counts = True
        self._tokenizer: Callable[[str], int] | None = None
        self._looked_for_tokenizer = False

    def forget(self) -> None:
        """Another model is served now: the server may count for it."""
        self._server_counts = True

    async def count(self, served: ServedModel, messages: Sequence[PromptMessage]) -> int | None:
        """The tokens, with what the chat template adds; None where nothing here counts them."""
        counted = await self._by_server(served, messages)
        return counted if counted is not None else await self._here(messages)

    async def _here(self, messages: Sequence[PromptMessage]) -> int | None:
        """By the model's own tokenizer, with what a chat template adds at most."""
        if self._settings.model is None:
            return None
        if not self._looked_for_tokenizer:
            self._tokenizer = await asyncio.to_thread(local_tokenizer, self._settings.model)
            self._looked_for_tokenizer = True
        if self._tokenizer is None:
            return None
        counts = await asyncio.to_thread(
            list, map(self._tokenizer, [message.content for message in messages])
        )
        return sum(counts) + MESSAGE_TOKENS * len(messages) + REPLY_TOKENS

    async def _by_server(self, served: ServedModel, messages: Sequence[PromptMessage]) -> int | None:
        if not self._server_counts:
            return None
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                counted = await count_tokens(self._http, self._settings.base_url, served.name, messages)
        except FAILURES:
            return None  # it may count next time
        self._server_counts = counted is not None
        return counted
