"""Where a text may be cut without tearing what a reader sees as one sign: letters with their marks, emoji. Pure.

A part of the rules of Unicode's UAX 29 (extended grapheme clusters), with what it leaves to tailoring for scripts that
are written without spaces: a vowel of Thai and Lao stays with its consonant.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_JOINER: Final = "\u200d"
_VIRAMA: Final = 9  # canonical combining class: the letters on both sides of one are a conjunct
_VISIBLE_KILLERS: Final = frozenset(
    "\u0e3a\u103a"
)  # of the class of viramas, but what follows is a letter of its own
_BEFORE_CONSONANT: Final = frozenset("เแโใไເແໂໃໄ")
_AFTER_CONSONANT: Final = frozenset("ะาำๅຳະາ")
_ENDS_SYLLABLE: Final = frozenset("ะๆฯະໆຯះៗး")
# Letters and marks of Thai, Lao, Burmese and Khmer, which have no spaces between words; no digits and stops.
UNSPACED: Final = (
    r"\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d"
    r"\u1780-\u17d3\u17d7\u17dc\u17dd\ua9e0-\ua9ef\uaa60-\uaa7f"
)
_UNSPACED_MARKS: Final = "".join(
    chr(code)
    for code in (*range(0xE00, 0x1100), *range(0x1780, 0x1800), *range(0xA9E0, 0xAA80))
    if unicodedata.category(chr(code))[0] == "M"
)
_SIGN: Final = re.compile(
    rf"[{''.join(_BEFORE_CONSONANT)}]*+.(?:[{_UNSPACED_MARKS}{''.join(_AFTER_CONSONANT)}]|(?<=[\u1039\u17d2]).)*+",
    re.DOTALL,
)
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
        or (unicodedata.combining(before) == _VIRAMA and after.isalpha() and before not in _VISIBLE_KILLERS)
        or (_is_regional(after) and _regional_before(text, at) % 2 == 1)
    )


def split_signs(run: str) -> list[str]:
    """The signs of a run of `UNSPACED`: a consonant with the vowels and marks around it, conjuncts whole.

    >>> split_signs("หนังสือเก่า"), split_signs("ខ្មែរ")
    (['ห', 'นั', 'ง', 'สื', 'อ', 'เก่า'], ['ខ្មែ', 'រ'])
    """
    return _SIGN.findall(run)


def begins_syllable(text: str, at: int) -> bool:
    """Whether a syllable of a script without spaces surely begins at `at`: a vowel stands there that is written before
    its consonant, or after what ends a syllable. A word may still be cut between two of its syllables.

    >>> begins_syllable("สะพาน", 2), begins_syllable("การเมือง", 3), begins_syllable("การเมือง", 2)
    (True, True, False)
    """
    if not 0 < at < len(text) or is_torn_at(text, at):
        return False
    return text[at] in _BEFORE_CONSONANT or text[at - 1] in _ENDS_SYLLABLE


def syllable_at_or_before(text: str, at: int, low: int) -> int:
    """The last place in (low, at] where a syllable begins, as far as can be told; else as whole_at_or_before."""
    for place in range(at, max(low, at - _MOST_CHARS), -1):
        if begins_syllable(text, place):
            return place
    return whole_at_or_before(text, at, low)


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
