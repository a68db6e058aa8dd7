"""Errors in OpenAI's form: `{"error": {"message", "type", "param", "code"}}`, with the statuses of its API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PREFIX: Final = "/v1/"  # addresses below it speak OpenAI's format
_STATUS: Final[Mapping[int, int]] = {422: 400}  # OpenAI calls every wrong request 400
_CODES: Final[Mapping[str, str]] = {
    "invalid_request": "invalid_value",
    "not_found": "unknown_url",
    "unauthenticated": "invalid_api_key",
    "prompt_too_large": "context_length_exceeded",
    "too_many_requests": "rate_limit_exceeded",
    "rate_limited": "rate_limit_exceeded",
    "llm_busy": "rate_limit_exceeded",
    "internal_error": "server_error",
}
_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}


def openai_status(status: int) -> int:
    """The status that OpenAI gives what we call `status`."""
    return _STATUS.get(status, status)


def openai_error(status: int, code: str, message: str, field: str | None) -> dict[str, Any]:
    """The body of an error. `field` is the wrong parameter, as "messages[0].content"."""
    kind = "server_error" if status >= 500 else _TYPES.get(status, "invalid_request_error")
    param = "model" if code == "model_not_found" else field
    return {"error": {"message": message, "type": kind, "param": param, "code": _CODES.get(code, code)}}
