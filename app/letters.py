"""Which language a text is in: Chinese or another script by its letters, one in Latin letters by its words. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from app.han import HAN
from app.latin_languages import LatinLanguage, detect_latin

Language = LatinLanguage | Literal["zh", "und"]
LANGUAGES: Final[frozenset[str]] = frozenset((*get_args(LatinLanguage), "zh", "und"))

_HAN = re.compile(f"[\u3007{HAN}]+")
_LATIN = re.compile("[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]+")
_OTHER_LETTERS = re.compile(
    "[\u0370-\u1aff\u1f00-\u1fff\u2c00-\u2dff\u3040-\u30ff\ua000-\uabff\uac00-\ud7af]+"
)
_LANGUAGE_SAMPLE_CHARS = 200_000


def detect_language(text: str) -> Language:
    """Name the language: "zh" where Han letters lead, one of `LatinLanguage` by its words where Latin ones do, "und".

    A Han character says about as much as four Latin letters, so Chinese text with English names and code in
    it is "zh". Text mostly in other scripts, Japanese kana included, is "und". Reads the first 200,000
    characters.

    >>> detect_language("用 pgvector 建立 ivfflat 索引"), detect_language("The word 中文 means Chinese")
    ('zh', 'en')
    """
    sample = text[:_LANGUAGE_SAMPLE_CHARS]
    if sample.isascii():
        return detect_latin(sample) if _LATIN.search(sample) else "und"
    han, latin, other = (_count(pattern, sample) for pattern in (_HAN, _LATIN, _OTHER_LETTERS))
    if other * 3 > han + latin or han + latin == 0:
        return "und"
    return "zh" if han * 4 > latin else detect_latin(sample)


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
    """Whether a text has letters and is neither in English nor in Chinese: Korean, Japanese with its kana, German.

    >>> is_other("مرحبا"), is_other("3.14"), is_other("Was kostet das?"), is_other("What does that cost?")
    (True, False, True, False)
    """
    return count_letters(text) > 0 and detect_language(text) not in ("en", "zh")
