"""Which parameters of a completion a model server takes, learned from its refusals.

OpenAI's wire has grown apart: `max_tokens` is `max_completion_tokens` for newer models, some take no `temperature` but
their own, `top_k` is vLLM's and llama.cpp's. All are sent at first; what a server refuses by name is renamed or left
out, and from then on where that helped. A name counts where the server points at it (`param`, `loc`, or in quotes
beside the words of a refusal), never because it stands somewhere in its text, which may repeat the prompt. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_TOKENS: Final = "max_tokens"
# A parameter's other name, tried once where the first is refused.
RENAMED: Final[Mapping[str, str]] = {MAX_TOKENS: "max_completion_tokens"}
LIMITS: Final = frozenset({*RENAMED, *RENAMED.values()})  # too large is no refusal of the parameter
MAX_READ_CHARS: Final = 500  # of an error's message: what is refused is said first, what is repeated follows

_NAMES: Final = r"[a-z][a-z0-9_]{1,40}(?:\.[a-z0-9_]{1,40})*"
_REFUSING: Final = (
    r"(?:extra_forbidden|unsupported|unrecogni[sz]ed|unknown|unexpected|deprecated"
    r"|(?:not|n't|no longer|cannot) (?:be )?(?:support(?:ed)?|permitted|allowed|accept(?:ed)?|recogni[sz]ed|exist))"
)
# "Unsupported parameter: 'max_tokens' …", "unknown field `top_k`", "does not support parameters: ['top_k', 'x']"
_REFUSED_THEN_NAMED: Final = re.compile(
    rf"{_REFUSING}(?:[^'\"`.?!\n]|\.(?!\s)){{0,60}}?(?P<names>['\"`]{_NAMES}['\"`](?:\s*,\s*['\"`]{_NAMES}['\"`])*)",
    re.I,
)
# "property 'top_k' is unsupported", "'temperature' does not support 0.2 with this model"
_NAMED_THEN_REFUSED: Final = re.compile(
    rf"['\"`](?P<names>{_NAMES})['\"`][^'\"`.?!\n]{{0,60}}?{_REFUSING}", re.I
)
# "Unrecognized request argument supplied: top_k", "Extra inputs are not permitted, field: top_k"
_NAMED_LAST: Final = re.compile(
    rf"{_REFUSING}[^'\"`.:]{{0,60}}(?:arguments?|parameters?|fields?|options?|propert(?:y|ies))(?: supplied| provided)?"
    rf":\s*(?P<names>{_NAMES}(?:\s*,\s*{_NAMES})*)\s*+(?:\.\s*+)?\Z",
    re.I,
)
# A validator's list of faults, also written into a message: ('body', 'top_k')
_PLACED: Final = re.compile(rf"'loc':\s*[(\[]\s*'body',\s*'(?P<names>{_NAMES})'")
_NAME: Final = re.compile(_NAMES, re.I)
_REFUSED: Final = re.compile(_REFUSING, re.I)
_REFUSING_CODE: Final = re.compile(r"unsupported|unknown|unrecogni[sz]ed|extra_forbidden", re.I)


@dataclass(slots=True)
class Parameters:
    """What one server has been found to refuse; `left_out` and `renamed` hold for every later request."""

    left_out: set[str] = field(default_factory=set)
    renamed: set[str] = field(default_factory=set)

    def attempt(self) -> Attempt:
        """A request's own view, which learns from refusals and tells what it learned once the server has taken it."""
        return Attempt(self, set(self.left_out), set(self.renamed))

    def forget(self) -> None:
        """Another model is served now, which may take what the last one refused."""
        self.left_out.clear()
        self.renamed.clear()


@dataclass(slots=True)
class Attempt:
    """The parameters of one request, sent until the server takes them."""

    known: Parameters
    left_out: set[str]
    renamed: set[str]
    passing: set[str] = field(default_factory=set)  # values that were refused, not the parameters themselves

    def choose(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What to send of the parameters that are wanted."""
        names = ((RENAMED[name] if name in self.renamed else name, value) for name, value in wanted.items())
        return {name: value for name, value in names if name not in self.left_out | self.passing}

    def learn(self, body: object, sent: Mapping[str, Any]) -> bool:
        """Take in a refusal of what was sent; False where it names nothing that can be left out or renamed."""
        refused = [name for name in refused_parameters(body) if name in sent]
        of_value = is_of_value(body)
        if of_value:
            refused = [name for name in refused if name not in LIMITS]
        for name in refused:
            if name in RENAMED:
                self.renamed.add(name)
            else:
                (self.passing if of_value else self.left_out).add(name)
        return bool(refused)

    def taken(self) -> None:
        """The server took the request: what was changed for that is remembered."""
        self.known.left_out |= self.left_out
        self.known.renamed |= self.renamed


def refused_parameters(body: object) -> list[str]:
    """The parameters that an error's body says are refused, without what stands behind a dot.

    >>> refused_parameters({"message": "Unsupported parameter: 'max_tokens'", "param": "max_tokens"})
    ['max_tokens']
    >>> refused_parameters({"message": "Unrecognized request argument supplied: top_k", "param": None})
    ['top_k']
    >>> refused_parameters({"message": "The prompt is too long: 'How do I choose top_k?'"})
    []
    """
    fields = body if isinstance(body, Mapping) else {}
    param = fields.get("param")
    message = error_message(body)
    if isinstance(param, str) and param:
        return _first_parts([param])
    placed = _placed(fields.get("detail", fields.get("errors")))
    if placed:
        return _first_parts(placed)
    found: list[str] = []
    for pattern in (_PLACED, _REFUSED_THEN_NAMED, _NAMED_THEN_REFUSED, _NAMED_LAST):
        for match in pattern.finditer(message):
            found += _NAME.findall(match["names"])
        if found:
            break
    return _first_parts(found)


def is_of_value(body: object) -> bool:
    """Whether an error is about a value that is out of range: another request's may be taken."""
    fields = body if isinstance(body, Mapping) else {}
    return not _is_refusing(fields.get("code")) and _REFUSED.search(error_message(body)) is None


def error_message(body: object) -> str:
    """The words of an error's body, the first MAX_READ_CHARS of them; "" where it has none."""
    said = body.get("message", body.get("detail", body.get("errors"))) if isinstance(body, Mapping) else body
    if isinstance(said, list):
        kinds = ((fault.get("type"), fault.get("msg")) for fault in said if isinstance(fault, Mapping))
        said = "; ".join(str(part)[:MAX_READ_CHARS] for kind in kinds for part in kind)
    return said[:MAX_READ_CHARS] if isinstance(said, str) else ""


def _is_refusing(code: object) -> bool:
    return isinstance(code, str) and _REFUSING_CODE.search(code) is not None


def _placed(faults: object) -> list[str]:
    """The parameters that a validator's faults are placed at: [{"loc": ["body", "top_k"], "type": …}]."""
    found: list[str] = []
    for fault in faults if isinstance(faults, list) else []:
        place = fault.get("loc") if isinstance(fault, Mapping) else None
        names = [part for part in place if isinstance(part, str)] if isinstance(place, list) else []
        found += [name for name in names if name != "body"][:1]
    return found


def _first_parts(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(_base(name) for name in names))


def _base(name: str) -> str:
    """`stream_options.include_usage` is refused as `stream_options`, `stop[0]` as `stop`."""
    return re.split(r"[.\[]", name.strip("'\"` "), maxsplit=1)[0]
