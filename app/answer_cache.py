"""Whether a model was asked the same before, and what it said then (PGASK_ANSWER_CACHE_HOURS; ADR 0047)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Final

from app.generation.llm import LlmDelta
from app.generation.prompt import Prompt
from app.store.completions import Completions

# Tokens of a prompt that nothing is left out of. Of a shorter one nothing is kept: its markers count otherwise.
_ROOMY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Before:
    """What was said to a question's whole prompt before; `text` is None where nothing was."""

    completions: Completions | None
    prompt: Prompt = field(default_factory=lambda: Prompt((), (), 0))
    by: tuple[str, ...] = ()  # what it is found by, without the model
    text: str | None = None

    @classmethod
    async def look(
        cls,
        completions: Completions | None,
        build: Callable[[int], Prompt],
        nonce: str,
        model: str,
        params: str,
    ) -> Before:
        """Look it up by the prompt of `build` without its `nonce`, and what else a completion depends on."""
        if completions is None:
            return cls(None)
        prompt = await asyncio.to_thread(build, _ROOMY)
        said = (part.replace(nonce, "") for one in prompt.messages for part in (one.role, one.content))
        by = (params, *said)
        return cls(completions, prompt, by, await completions.find(completions.digest(model, *by)))

    def again(self) -> AsyncGenerator[Prompt | LlmDelta, None] | None:
        """The completion as the model would give it, at no cost of tokens."""
        return None if self.text is None else _said(self.prompt, self.text)

    async def keep(self, prompt: Prompt, model: str, text: str, finish_reason: str | None) -> None:
        """Keep what was said to `prompt`, where that is the whole one, and the model came to its end. Its name may
        have become known meanwhile."""
        is_whole = prompt.messages == self.prompt.messages and finish_reason == "stop"
        if self.completions is not None and self.text is None and is_whole:
            await self.completions.keep(self.completions.digest(model, *self.by), text)


async def _said(prompt: Prompt, text: str) -> AsyncGenerator[Prompt | LlmDelta, None]:
    yield prompt
    yield LlmDelta(text, "stop")
