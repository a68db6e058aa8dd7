"""Failures of a model server → the errors of app/errors.py, in words that are safe to show.

The one place that knows what the SDK and its transport raise. The server's own words are shortened, put on
one line and freed of everything secret in the settings.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence

import httpx2
import openai
import structlog

from app.addresses import HIDDEN
from app.errors import GenerationError, LlmTimeoutError, LlmUnavailableError
from app.generation.overlong import PromptTooLongError, read_overlong

MAX_EXCERPT_CHARS = 200  # of the server's own words in an error message
REQUEST_REFUSED = "llm_request_refused"  # error code: the server is well but does not take this request

# Whatever the SDK, the transport and the reading of a reply raise when a server fails or talks nonsense. What a hostile
# server makes them raise can't be listed (RecursionError for deep JSON, OverflowError for numbers, …): everything that
# comes out of them is its failure, and what was not foreseen is logged with its place.
FAILURES = (Exception,)
_FORESEEN = (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, ValueError, TypeError, RecursionError)

_log = structlog.get_logger(__name__)
_RETRIED_STATUS = frozenset({408, 429, 500, 502, 503, 504})
REFUSING_STATUS = frozenset({400, 413, 422})


def worth_a_retry(error: Exception) -> bool:
    """Whether the same request may well succeed a moment later: not reached, or refused for load."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in _RETRIED_STATUS
    if isinstance(error, LlmUnavailableError):
        return isinstance(error.__cause__, httpx2.TransportError)
    return isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError)


def wrap_failure(error: Exception, secrets: Sequence[str]) -> GenerationError:
    """The error of ours for one of FAILURES that is none of ours yet; raise it `from` that one. `secrets` are not
    repeated in it."""
    match error:
        case openai.APITimeoutError():
            return LlmTimeoutError("The language model server did not take the connection in time.")
        case openai.APIStatusError(status_code=status):
            return _wrap_status(status, str(error.message), error.body, secrets)
        case openai.APIConnectionError():
            message = (
                "The language model server can't be reached, or broke off: check that it runs, and "
                "PGASK_LLM_BASE_URL."
            )
        case openai.APIError():  # an event of the stream: llama.cpp once refused prompts in one
            message = f"The language model server reported: {excerpt(str(error.message), secrets)}"
            overlong = read_overlong(error.body, None)
            if overlong is not None:
                return PromptTooLongError(message, overlong, code=REQUEST_REFUSED)
        case _:
            if not isinstance(error, _FORESEEN):
                place = traceback.extract_tb(error.__traceback__)[-1:]
                _log.error(
                    "unforeseen failure of the language model's client",
                    kind=type(error).__name__,
                    place=[f"{frame.filename}:{frame.lineno}" for frame in place],
                )
            message = "The language model server sent something that is no completion."
    return LlmUnavailableError(message)


def _wrap_status(status: int, said: str, body: object, secrets: Sequence[str]) -> GenerationError:
    if status in {401, 403}:  # these replies may repeat a part of the key: none of their words
        return LlmUnavailableError(
            f"The language model server refuses the key ({status}): check PGASK_LLM_API_KEY."
        )
    said = said.removeprefix(f"Error code: {status} - ")  # the SDK's own words
    message = f"The language model server answered {status}: {excerpt(said, secrets)}"
    if status not in REFUSING_STATUS:
        return LlmUnavailableError(message)
    overlong = read_overlong(body, status)
    if overlong is not None:
        return PromptTooLongError(message, overlong, code=REQUEST_REFUSED)
    return LlmUnavailableError(message, code=REQUEST_REFUSED)


def excerpt(text: str, secrets: Sequence[str]) -> str:
    """The start of `text` on one line, without `secrets`; at most MAX_EXCERPT_CHARS.

    >>> excerpt("no such\\nmodel: sk-1", ["sk-1"])
    'no such model: ***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= MAX_EXCERPT_CHARS else text[: MAX_EXCERPT_CHARS - 1] + "…"
