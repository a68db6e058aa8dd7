"""Where a text may be cut without tearing what a reader sees as one sign: letters with their marks, emoji. Pure.

A part of the rules of Unicode's UAX 29 (extended grapheme clusters), with what it leaves to tailoring for scripts that
are written without spaces: a vowel of Thai and Lao stays with its consonant.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_JOINER: Final = "\u200d"
_VIRAMA: Final = 9  # canonical combining class: the letters on both sides of one are a conjunct
_BEFORE_CONSONANT: Final = frozenset("เแโใไເແໂໃໄ")
_AFTER_CONSONANT: Final = frozenset("ะาำๅຳະາ")
_MOST_CHARS: Final = 64  # of one sign: a longer one is made to be long, and is cut


def is_mark(character: str) -> bool:
    """Whether a character stands on, below or around the one before it."""
    return not character.isascii() and unicodedata.category(character)[0] == "M"


def is_torn_at(text: str, at: int) -> bool:
    """Whether a cut at `at` stands within what a reader sees as one sign.

    >>> is_torn_at("की", 1), is_torn_at("कक", 1), is_torn_at("क्ष", 2), is_torn_at("เก", 1)
    (True, False, True, True)
    """
    if not 0 < at < len(text) or (text[at].isascii() and text[at - 1].isascii()):
        return False
    before, after = text[at - 1], text[at]
    return (
        is_mark(after)
        or _JOINER in {before, after}
        or after in _AFTER_CONSONANT
        or before in _BEFORE_CONSONANT
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # colours of skin
        or (unicodedata.combining(before) == _VIRAMA and after.isalpha())
        or (_is_regional(after) and _regional_before(text, at) % 2 == 1)
    )


def whole_at_or_before(text: str, at: int, low: int) -> int:
    """The last place in (low, at] that tears nothing; `at` itself where there is none near."""
    for place in range(at, max(low, at - _MOST_CHARS), -1):
        if not is_torn_at(text, place):
            return place
    return at


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"  # two of them are a flag


def _regional_before(text: str, at: int) -> int:
    first = at
    while first > max(0, at - _MOST_CHARS) and _is_regional(text[first - 1]):
        first -= 1
    return at - first
