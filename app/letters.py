"""Which language a text is in, by its letters: English (any Latin letters), Chinese, or another. Pure."""

from __future__ import annotations

import re
from typing import Literal

from app.han import HAN

_HAN = re.compile(f"[\u3007{HAN}]+")
_LATIN = re.compile("[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]+")
_OTHER_LETTERS = re.compile(
    "[\u0370-\u1aff\u1f00-\u1fff\u2c00-\u2dff\u3040-\u30ff\ua000-\uabff\uac00-\ud7af]+"
)
_LANGUAGE_SAMPLE_CHARS = 200_000


def detect_language(text: str) -> Literal["en", "zh", "und"]:
    """Name the language by its letters: "zh" or "en" where Han or Latin letters lead, else "und".

    A Han character says about as much as four Latin letters, so Chinese text with English names and code in
    it is "zh". Text mostly in other scripts, Japanese kana included, is "und". Reads the first 200,000
    characters.

    >>> detect_language("用 pgvector 建立 ivfflat 索引"), detect_language("The word 中文 means Chinese")
    ('zh', 'en')
    """
    sample = text[:_LANGUAGE_SAMPLE_CHARS]
    if sample.isascii():
        return "en" if _LATIN.search(sample) else "und"
    han, latin, other = (_count(pattern, sample) for pattern in (_HAN, _LATIN, _OTHER_LETTERS))
    if other * 3 > han + latin or han + latin == 0:
        return "und"
    return "zh" if han * 4 > latin else "en"


def count_letters(text: str) -> int:
    """How many letters there are, a Han character as four, since it says about as much. Reads the first 200,000
    characters.

    >>> count_letters("12 ab 中文"), count_letters("– 3.14")
    (10, 0)
    """
    sample = text[:_LANGUAGE_SAMPLE_CHARS]
    if sample.isascii():
        return _count(_LATIN, sample)
    han, latin, other = (_count(pattern, sample) for pattern in (_HAN, _LATIN, _OTHER_LETTERS))
    return 4 * han + latin + other


def _count(pattern: re.Pattern[str], text: str) -> int:
    return len(text) - len(pattern.sub("", text))


def is_other(text: str) -> bool:
    """Whether a text has letters, and most are neither Latin nor Chinese ones: Korean, Arabic, Japanese with its kana.

    >>> is_other("مرحبا"), is_other("3.14"), is_other("Was kostet das?")
    (True, False, False)
    """
    return count_letters(text) > 0 and detect_language(text) == "und"
