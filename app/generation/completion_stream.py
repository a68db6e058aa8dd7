"""One chunk of an OpenAI completion stream → what it says, checked for shape.

Pure. The SDK builds its objects without checking them, so a field may be of any type or missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, cast

from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from app.domain import Usage
from app.generation.prompt import PromptMessage

MAX_COUNTED_TOKENS: Final = 100_000_000  # more is not counted but made up
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class NotACompletionError(ValueError):
    """What came is not a completion in OpenAI's format."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk says. `is_alive`: the model has begun to write, be it reasoning, which is not shown."""

    text: str
    is_alive: bool
    is_reasoning: bool
    finish_reason: str | None
    usage: Usage | None


def read_chunk(chunk: ChatCompletionChunk) -> Piece:
    """Take what is needed from a chunk. Raises NotACompletionError."""
    choices = cast(Any, getattr(chunk, "choices", None))
    if not isinstance(choices, list):
        raise NotACompletionError("no choices")
    choice = choices[0] if choices else None
    delta = getattr(choice, "delta", None)
    text = getattr(delta, "content", None) or ""
    finish_reason = getattr(choice, "finish_reason", None)
    if not isinstance(text, str) or not isinstance(finish_reason, str | None):
        raise NotACompletionError("content or finish_reason is no text")
    if choice is not None and delta is None and finish_reason is None:
        raise NotACompletionError("a choice without a delta")
    reasoning = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
    is_alive = bool(text or finish_reason or reasoning)
    usage = _read_usage(getattr(chunk, "usage", None))
    return Piece(_sendable(text), is_alive, bool(reasoning), finish_reason, usage)


def wire_message(message: PromptMessage) -> ChatCompletionMessageParam:
    return cast(ChatCompletionMessageParam, {"role": message.role, "content": message.content})


def _read_usage(usage: object) -> Usage | None:
    prompt_tokens = getattr(usage, "prompt_tokens", None)
    completion_tokens = getattr(usage, "completion_tokens", None)
    return Usage(_count(prompt_tokens), _count(completion_tokens)) if isinstance(prompt_tokens, int) else None


def _count(tokens: object) -> int:
    """A count that a model can have reached; 0 for anything else."""
    is_count = isinstance(tokens, int) and not isinstance(tokens, bool) and 0 <= tokens <= MAX_COUNTED_TOKENS
    return tokens if is_count and isinstance(tokens, int) else 0


def _sendable(text: str) -> str:
    """Text that UTF-8 and PostgreSQL can hold: no lone surrogates, no NUL."""
    return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text).replace("\x00", "")
