"""The newest replies, in memory, so that a reader may say what they think of one (app/api/feedback.py).

What nobody rates is never written anywhere: questions are private. A reply belongs to who asked.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.domain import Answer
from app.exchange import AskRequest

if TYPE_CHECKING:
    from app.api.authentication import Caller

MOST: Final = 2_000
KEPT_S: Final = 24 * 3600.0
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Replied:
    """A question, what was answered, and when, by the loop's clock."""

    question: AskRequest
    answer: Answer
    at_s: float


class Replies:
    """The newest MOST replies of the last KEPT_S seconds. Lives on one event loop."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._kept: OrderedDict[_Key, Replied] = OrderedDict()
        self._now = now

    def add(self, caller: Caller, request_id: str, question: AskRequest, answer: Answer) -> None:
        """Keep a reply; one of the same id in place of the older."""
        key = _key(caller, request_id)
        self._kept.pop(key, None)
        self._kept[key] = Replied(question, answer, self._now())
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def find(self, caller: Caller, request_id: str) -> Replied | None:
        """The caller's reply of this id; None where there is none any more."""
        found = self._kept.get(_key(caller, request_id))
        return found if found is not None and self._now() - found.at_s <= KEPT_S else None


def _key(caller: Caller, request_id: str) -> _Key:
    return caller.tenant, str(caller.key_id or caller.name), request_id
