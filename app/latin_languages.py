"""Which language a text in Latin letters is in, by its commonest words. Pure.

Counted are the words of a language's list in app/stopwords that English does not have among its own: an article, a
question word, a form of "be". English is what everything else is called, so that a name, a line of code or a sentence
with a foreign title in it stays English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Final, Literal

LatinLanguage = Literal["en", "de", "fr", "es", "it", "pt", "nl"]
OTHERS: Final[tuple[LatinLanguage, ...]] = ("de", "fr", "es", "it", "pt", "nl")
LEAST_WORDS: Final = 2  # of a language, one of them none of _IN_NAMES
LEAST_SHARE: Final = 0.2  # of all words
LEAST_LEAD: Final = 1.5  # times as many as English ones

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SAMPLE_WORDS: Final = 2_000
# Words that stand in names of people, places and works within English text, or are English words beside the list.
_IN_NAMES: Final = frozenset((files("app") / "stopwords" / "in_names.txt").read_text("utf-8").split())


def detect_latin(text: str) -> LatinLanguage:
    """The language of a text in Latin letters, "en" where none of OTHERS is clear. Reads its first 2,000 words.

    >>> detect_latin("Wann öffnet das Museum?"), detect_latin("¿Cuánto cuesta la entrada?")
    ('de', 'es')
    >>> detect_latin("Who wrote Les Misérables?"), detect_latin("Öffnungszeiten")
    ('en', 'en')
    """
    found = islice(_WORD.finditer(text), _SAMPLE_WORDS)
    words = [word.group().casefold().replace("’", "'") for word in found]
    counts, english, strong = dict.fromkeys(OTHERS, 0), 0, dict.fromkeys(OTHERS, 0)
    listed, in_english = _languages_by_word(), _english()
    for word in words:
        english += word in in_english
        for language in listed.get(word, ()):
            counts[language] += 1
            strong[language] += word not in _IN_NAMES
    best = max(OTHERS, key=lambda language: (counts[language], strong[language]))
    is_clear = counts[best] >= max(LEAST_WORDS, LEAST_SHARE * len(words)) and strong[best] > 0
    return best if is_clear and counts[best] >= LEAST_LEAD * english else "en"


@cache
def _languages_by_word() -> Mapping[str, tuple[LatinLanguage, ...]]:
    by_word: dict[str, tuple[LatinLanguage, ...]] = {}
    for language in OTHERS:
        for word in _read(language):
            by_word[word] = (*by_word.get(word, ()), language)
    return by_word


@cache
def _english() -> frozenset[str]:
    return _read("en") | _read("asking_en") | _read("around_en") | _read("everyday_en")


def _read(name: str) -> frozenset[str]:
    return frozenset((files("app") / "stopwords" / f"{name}.txt").read_text("utf-8").split())
