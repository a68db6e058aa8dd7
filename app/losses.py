"""What parsing and cleaning left out of a document, and whether its reader would miss it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NOTEWORTHY_SHARE: Final = 0.1
# What a reader of the original does not see, or sees on every page; whatever else a parser names was to be read.
_UNREAD_KINDS: Final = frozenset(
    {
        "control", "surrogate", "zero_width", "bidi", "tag", "combining",  # of characters
        "hidden", "comment", "markup", "directive", "data",
        "page_furniture", "boilerplate",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LossyDocument:
    """A document that lost more than NOTEWORTHY_SHARE of its visible text; `share` in (0, 1]."""

    source: str
    share: float


def lost_share(dropped: Mapping[str, int], char_count: int) -> float:
    """The share of the visible text that was left out, in [0, 1]: `dropped` is kind → characters, `char_count` what is
    stored.

    >>> lost_share({"drawing": 40, "zero_width": 100}, 60)
    0.4
    """
    lost = sum(count for kind, count in dropped.items() if kind not in _UNREAD_KINDS)
    return lost / max(1, lost + char_count)
