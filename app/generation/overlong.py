"""A model server's refusal of a prompt as too long: whether an error is one, and by which counts.

Servers say it each in its own way: OpenAI by the code `context_length_exceeded` and a sentence, vLLM and SGLang by a
sentence, llama.cpp by a type and fields. Fields count before words. What is read decides only how much shorter the
next prompt is, so words that repeat a prompt can do no harm beyond that. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from app.errors import LlmUnavailableError
from app.generation.parameters import error_message

MAX_CONTEXT_TOKENS: Final = 100_000_000  # a server that names more does not mean it
CONTENT_TOO_LARGE: Final = 413
LEAST_SHARE: Final = 0.1  # of the last prompt; less is no correction of an estimate
MARGIN: Final = 0.97  # a shorter prompt is not shorter everywhere alike
WITHOUT_COUNTS: Final = (
    0.5  # a Chinese character is three tokens of the worst vocabularies, estimated at one and a half
)

_CODES: Final = frozenset({"context_length_exceeded", "exceed_context_size_error"})
# "maximum context length is 4096 tokens", "the model's context length is only 4096", "exceeds the available context
# size (4096 tokens)", "maximum model length of 4096", "`inputs` tokens + `max_new_tokens` must be <= 4096"
_SAYS_SO: Final = re.compile(
    r"context[_ ](?:length|size|window)|maximum model length|exceed_context_size|(?:prompt|input) is too long"
    r"|`inputs` tokens",
    re.I,
)
_CONTEXT: Final = re.compile(
    r"(?:context (?:length|size|window)|model length)(?: is| of|:)?(?: only)? ?\(?(\d{1,9})\b|must be <= (\d{1,9})",
    re.I,
)
# "4532 in the messages", "4532 input tokens", "4532 tokens from the input messages", "request (4532 tokens)", "prompt
# (length 4532)", "messages resulted in 4532 tokens"
_PROMPT: Final = re.compile(
    r"(\d{1,9}) (?:tokens )?(?:in|from) the (?:input |messages|prompt)|(\d{1,9}) (?:input|`inputs`) tokens"
    r"|(?:request|input|prompt) \((?:length )?(\d{1,9})|resulted in (\d{1,9}) tokens",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Overlong:
    """What a refusal tells: the tokens of the prompt and those of the context; None where it does not say."""

    prompt_tokens: int | None = None
    context_tokens: int | None = None


class PromptTooLongError(LlmUnavailableError):
    """The server takes no prompt of this length; a shorter one may be asked with."""

    def __init__(self, message: str, overlong: Overlong, *, code: str) -> None:
        super().__init__(message, code=code)
        self.overlong = overlong


def read_overlong(body: object, status: int | None) -> Overlong | None:
    """What the body of an error says about a prompt's length; None where that is not what is refused.

    >>> read_overlong({"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 4532, "n_ctx": 4096}, 400)
    Overlong(prompt_tokens=4532, context_tokens=4096)
    >>> read_overlong({"message": "no such model"}, 400)
    """
    fields: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    message = error_message(body)
    named = {fields.get("code"), fields.get("type")} & _CODES if _are_names(fields) else set()
    if not named and status != CONTENT_TOO_LARGE and _SAYS_SO.search(message) is None:
        return None
    prompt, context = fields.get("n_prompt_tokens"), fields.get("n_ctx")
    return Overlong(
        prompt if is_count(prompt) else _first_number(_PROMPT, message),
        context if is_count(context) else _first_number(_CONTEXT, message),
    )


def shorter_budget(estimate: int, room: int, overlong: Overlong) -> int:
    """Tokens by our estimate that the next prompt may take; the last took `estimate` and was too long for `room`, the
    tokens of the context beside the completion.

    >>> shorter_budget(3900, 4000, Overlong(4532, 4096))
    3338
    >>> shorter_budget(3900, 4000, Overlong())
    1950
    """
    counted = overlong.prompt_tokens
    if counted is None or counted <= room:  # unknown, or not what was refused
        return int(estimate * WITHOUT_COUNTS)
    return int(estimate * max(LEAST_SHARE, room / counted * MARGIN))


def is_count(tokens: object) -> TypeGuard[int]:
    """Whether a server may mean this as a number of tokens."""
    return isinstance(tokens, int) and not isinstance(tokens, bool) and 0 < tokens <= MAX_CONTEXT_TOKENS


def _are_names(fields: Mapping[str, Any]) -> bool:
    return all(isinstance(fields.get(name), str | int | None) for name in ("code", "type"))


def _first_number(pattern: re.Pattern[str], message: str) -> int | None:
    found = pattern.search(message)
    number = int(next(filter(None, found.groups()))) if found else None
    return number if is_count(number) else None
