"""Text → terms for lexical search, English and Chinese; the same function when writing and when asking.

Pure: no database, no embedding model. Changing what `terms` returns means raising LEXICON_VERSION, since
stored terms and asked terms must agree (the manifest compares the version; see app/store/spaces.py).

- Latin words: NFKC, lower case, accents folded, stop words dropped, stems by Snowball's English stemmer.
- Identifiers, versions and codes (`maintenance_work_mem`, `v1.2.3`, `GPT-4o`) are kept whole and in parts.
- Chinese, Japanese and Korean runs: dictionary words (rjieba) of two characters or more, and every pair of
  neighbouring characters, so that a name the dictionary lacks is found too. Function words and question words
  are dropped first, and no pair is made across them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

import rjieba
import Stemmer

LEXICON_VERSION = 2

MAX_TERM_CHARS = 64  # longer "words" (base64, hashes joined by dots) are cut: no one asks for the rest
_CACHED_CHARS = (
    128  # longer words are split each time: they hardly come twice, and the cache is kept for ever
)

# In escapes, since normalising this file would turn U+F900 into U+8C48 and let surrogates and private use in.
_CJK = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003FFFF"
# A joiner stands between two characters of a word. Runs of one class are what the engine is fast at.
_WORD = rf"[^\W{_CJK}]"
_TOKEN = re.compile(rf"[{_CJK}]+|[^\W_]{_WORD}*(?:[.\-/+#@:'’,]{_WORD}+)*(?:\+\+|#(?!\w))?")
_IS_CJK = re.compile(rf"[{_CJK}]")
_LATIN_WORD = re.compile(r"[A-Za-z][\w.\-/]*", re.ASCII)
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_POSSESSIVE = re.compile(r"['’]s?$")


def _stop_words(language: str) -> frozenset[str]:
    return frozenset((files("app") / "stopwords" / f"{language}.txt").read_text("utf-8").split())


ENGLISH_STOP_WORDS = _stop_words("en")
CHINESE_STOP_WORDS = _stop_words("zh")

_stemmer = Stemmer.Stemmer("english")
_rjieba_tokens = rjieba.cut


def terms(text: str) -> list[str]:
    """The terms of `text`, in order, with repetitions (term frequency is their count)."""
    found: list[str] = []
    for token in _TOKEN.findall(unicodedata.normalize("NFKC", text)):
        if not token.isascii() and _IS_CJK.match(token):
            found.extend(_cjk_terms(token))
        else:
            found.extend(_word_terms(token) if len(token) <= _CACHED_CHARS else _split_word(token))
    return found


def is_chinese(text: str) -> bool:
    """Whether `text` is mostly Chinese: chooses the language that the service itself speaks.

    Counted in words, a Han character as half of one: an identifier is one word, however long.

    >>> is_chinese("maintenance_work_mem 要多大？"), is_chinese("How does 分块 work?")
    (True, False)
    """
    han = sum(1 for character in text if "一" <= character <= "鿿" or "㐀" <= character <= "䶿")
    return han > 0 and han >= 2 * len(_LATIN_WORD.findall(text))


@lru_cache(maxsize=65_536)
def _word_terms(token: str) -> tuple[str, ...]:
    return _split_word(token)


def _split_word(token: str) -> tuple[str, ...]:
    """Terms of one word or identifier: its stem; for a compound, the whole and the stems of its parts."""
    token = _POSSESSIVE.sub("", _THOUSANDS.sub("", token)).strip("'’,.:-/@_")
    if not token:
        return ()
    if token.isalpha() and not _CAMEL.search(token):
        stem = _stem(token)
        return (stem,) if stem else ()
    whole = _fold(token)[:MAX_TERM_CHARS]
    pieces = _PARTS.findall(_CAMEL.sub(" ", token))
    parts = [stem for piece in pieces if len(piece) > 1 and (stem := _stem(piece))] if len(pieces) > 1 else []
    if re.fullmatch(r"[\d.]+", whole):  # 3.14 is one number, not a 3 and a 14
        parts = []
    return (whole, *(part for part in parts if part != whole))


def _stem(word: str) -> str:
    """The stem of a word in lower case, "" for a stop word."""
    folded = _fold(word)[:MAX_TERM_CHARS]
    if folded in ENGLISH_STOP_WORDS:
        return ""
    return str(_stemmer.stemWord(folded)) if folded.isascii() else folded


def _fold(word: str) -> str:
    """Lower case without accents: Amazônia → amazonia."""
    lowered = word.casefold()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFD", lowered)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def _cjk_terms(run: str) -> Iterator[str]:
    """Words of two characters or more and character pairs of a run, function words dropped."""
    content = ""
    for word in [*_rjieba_tokens(run), ""]:  # the last "" closes the last stretch
        if word and word not in CHINESE_STOP_WORDS:
            content += word
            if len(word) > 1:
                yield word[:MAX_TERM_CHARS]
            continue
        if len(content) == 1:
            yield content
        for i in range(len(content) - 1):
            yield content[i : i + 2]
        content = ""
