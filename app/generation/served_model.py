"""What a model server says of itself: which model it serves, its context length, and how it counts tokens.

Knows the two questions (`GET /v1/models`, vLLM's `POST /tokenize`) and what to do with servers that answer
neither. Keeps nothing: app/generation/llm.py remembers the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from app.errors import LlmTimeoutError, LlmUnavailableError
from app.generation.failures import FAILURES
from app.generation.overlong import is_count
from app.generation.prompt import PromptMessage

MAX_NAME_CHARS: Final = 300
DEFAULT_CONTEXT_TOKENS = 4096  # the shortest context among current Llama-like models


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The model that answers, and the tokens that prompt and completion may take together."""

    name: str
    context_tokens: int


async def ask_served_model(
    http: httpx2.AsyncClient, base_url: str, *, name: str | None, context_tokens: int | None
) -> ServedModel:
    """Return the model called `name`, or the first that the server lists.

    The context length is the shorter of vLLM's `max_model_len` and `context_tokens`, whichever are known,
    else DEFAULT_CONTEXT_TOKENS. A server that lists no models is good enough where `name` is given.
    Raises LlmUnavailableError or LlmTimeoutError.
    """
    listed = await _list_models(http, base_url)
    if name is None:
        if not listed:
            raise LlmUnavailableError(
                "The language model server lists no models: set PGASK_LLM_MODEL to its name."
            )
        name = str(listed[0]["id"])
    max_model_len = next((model.get("max_model_len") for model in listed if model["id"] == name), None)
    known = [n for n in (max_model_len, context_tokens) if is_count(n)]
    return ServedModel(name, min(known, default=DEFAULT_CONTEXT_TOKENS))


async def count_tokens(
    http: httpx2.AsyncClient, base_url: str, model: str, messages: Sequence[PromptMessage]
) -> int | None:
    """Tokens of the prompt by the model's own tokenizer and chat template; None if the server never counts.

    Raises httpx2.HTTPError where it may count another time.
    """
    body = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "add_generation_prompt": True,
    }
    response = await http.post(f"{base_url.removesuffix('/v1')}/tokenize", json=body)
    if response.status_code >= 500:
        response.raise_for_status()
    try:
        count = response.json().get("count") if response.is_success else None
    except (ValueError, AttributeError, RecursionError):
        return None
    return count if is_count(count) else None


def _is_name(name: object) -> bool:
    """Whether this may be shown as a model's name: it stands beside each answer."""
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME_CHARS and name.isprintable()


async def _list_models(http: httpx2.AsyncClient, base_url: str) -> list[Mapping[str, Any]]:
    try:
        response = await http.get(f"{base_url}/models")
    except httpx2.TimeoutException as error:
        raise LlmTimeoutError("The language model server did not list its models in time.") from error
    except FAILURES as error:
        raise LlmUnavailableError(
            "The language model server can't be reached: check PGASK_LLM_BASE_URL and that it runs."
        ) from error
    if response.status_code in {401, 403} or response.status_code >= 500:
        raise LlmUnavailableError(
            f"The language model server answered {response.status_code} when asked for its models: "
            "check that it runs and PGASK_LLM_API_KEY."
        )
    try:
        listed = response.json()["data"] if response.is_success else []
        return [model for model in listed if _is_name(model["id"])]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
