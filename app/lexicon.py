"""Text → terms for lexical search, English and Chinese; the same function when writing and when asking.

Pure: no database, no embedding model. Changing what `terms` returns means raising LEXICON_VERSION, since
stored terms and asked terms must agree (the manifest compares the version; see app/store/spaces.py).

- Latin words: NFKC, lower case, accents folded, stop words dropped, stems by Snowball's English stemmer.
- Identifiers, versions and codes are kept whole and in parts. One that has letters and digits is kept without its
  joiners, its beginnings too (`LX-200-A`: lx200a, lx200, lx, 200), a version without its v, so that `E107` finds
  `E-107`.
- Chinese, Japanese and Korean runs: traditional characters as simplified ones (OpenCC's table), then dictionary words
  (rjieba) of two characters or more, and every pair of neighbouring characters, so that a name the dictionary lacks is
  found too. Function words and question words are dropped first, and no pair is made across them. Characters that are
  set apart by blanks are read as the words that they make (app/letterspacing.py).
- Thai, Lao, Burmese and Khmer, which have no spaces between words: signs, which are consonants with the vowels and
  marks around them, and every pair of neighbouring ones, so that each word is found (eval/LOG.md).
- Words of other scripts with their vowel signs (Hindi, Arabic): folded like accents where Unicode calls them such.
- Dates and durations also by value, whatever their form: `@03-04` and `@2026-03-04` for 4 March 2026, 2026-03-04 and
  2026年3月4日, `@24mo` for 24 months and two years (app/values.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

import rjieba
import Stemmer
from opencc import OpenCC

from app.graphemes import UNSPACED, is_mark, split_signs
from app.han import HAN
from app.letterspacing import close_up
from app.values import value_terms

LEXICON_VERSION = 5

MAX_TERM_CHARS = 64  # longer "words" (base64, hashes joined by dots) are cut: no one asks for the rest
_CACHED_CHARS = (
    128  # longer words are split each time: they hardly come twice, and the cache is kept for ever
)

# In escapes, since normalising this file would turn U+F900 into U+8C48 and let surrogates and private use in.
_CJK = f"{HAN}\u3040-\u30ff\uac00-\ud7af"
# A joiner stands between two characters of a word. Runs of one class are what the engine is fast at.
_WORD = rf"[^\W{_CJK}]"
_TOKEN = re.compile(rf"[{_CJK}]+|[^\W_]{_WORD}*(?:[.\-/+#@:'’,]{_WORD}+)*(?:\+\+|#(?!\w))?")
_IS_CJK = re.compile(rf"[{_CJK}]")
# Marks are no word characters to the engine. Few texts have them, and the class costs: so it is for those alone.
_MAY_HAVE_MARKS = re.compile("[\u0300-\u036f\u0483-\u1dff\u20d0-\u20f0\u2cef-\u2dff\ua66f-\uabed]")
_MARKS = "".join(
    char for char in map(chr, range(0x300, 0xAC00)) if is_mark(char) and not "\u3000" <= char <= "\u33ff"
)
_MARKED_WORD = rf"(?:(?![{_CJK}{UNSPACED}])[\w{_MARKS}])"
_MARKED_TOKEN = re.compile(
    rf"[{_CJK}]+|[{UNSPACED}]+|[^\W_]{_MARKED_WORD}*(?:[.\-/+#@:'’,]{_MARKED_WORD}+)*(?:\+\+|#(?!\w))?"
)
_IS_UNSPACED = re.compile(rf"[{UNSPACED}]")
_HAN_RUN = re.compile(f"[{HAN}]+")
_KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff]")  # without the middle dot of foreign names
_LATIN_WORD = re.compile(r"[A-Za-z][\w.\-/]*", re.ASCII)
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_POSSESSIVE = re.compile(r"['’]s?$")
_CONTRACTION = re.compile(r"(?P<word>[A-Za-z]+)['’](?:t|re|ve|ll|d|m)$", re.IGNORECASE)
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)$")
_CODE = re.compile(
    r"[^\W_]+(?:[.\-/_][^\W_]+){0,5}$"
)  # of at most six pieces: longer ones are paths or lists
_JOINER = re.compile(r"[.\-/_]")


def _stop_words(language: str) -> frozenset[str]:
    return frozenset((files("app") / "stopwords" / f"{language}.txt").read_text("utf-8").split())


ENGLISH_STOP_WORDS = _stop_words("en")
CHINESE_STOP_WORDS = _stop_words("zh")

_stemmer = Stemmer.Stemmer("english")
_rjieba_tokens = rjieba.cut


def terms(text: str) -> list[str]:
    """The terms of `text`, in order, with repetitions (term frequency is their count)."""
    found: list[str] = []
    for line in close_up(text).split("\n"):
        for token in _tokens(line):
            found.extend(token_terms(token))
        found.extend(value_terms(line))
    return found


def tokens(text: str) -> list[str]:
    """The words, identifiers and runs of scripts without spaces of `text` in NFKC, with simplified characters."""
    return _tokens(close_up(text))


def _tokens(text: str) -> list[str]:
    text = fold_script(unicodedata.normalize("NFKC", text))
    has_marks = not text.isascii() and _MAY_HAVE_MARKS.search(text)
    return (_MARKED_TOKEN if has_marks else _TOKEN).findall(text)


def token_terms(token: str) -> tuple[str, ...]:
    """The terms of one of `tokens`; of an identifier the whole comes first."""
    if not token.isascii() and _IS_CJK.match(token):
        return tuple(_cjk_terms(token))
    if not token.isascii() and _IS_UNSPACED.match(token):
        return tuple(_unspaced_terms(token))
    return _word_terms(token) if len(token) <= _CACHED_CHARS else _split_word(token)


def fold_script(text: str) -> str:
    """Traditional Chinese characters as simplified ones, one for one: the length stays.

    >>> fold_script("報銷期限, reset the 閘道器")
    '报销期限, reset the 闸道器'
    """
    return text if text.isascii() else text.translate(_simplified())


@cache
def _simplified() -> dict[int, int]:
    """Traditional character → the simplified one that OpenCC's table has first for it, where that is another one."""
    characters = [
        chr(code) for start, end in ((0x3400, 0x9FFF), (0xF900, 0xFAFF)) for code in range(start, end)
    ]
    converted = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    return {
        ord(character): ord(other)
        for character, other in zip(characters, converted, strict=True)
        if character != other and len(other) == 1
    }


def is_chinese(text: str) -> bool:
    """Whether `text` is mostly Chinese: chooses the language that the service itself speaks.

    Counted in words, a Han character as half of one: an identifier is one word, however long. What has a kana for each
    four Han characters or more is Japanese.

    >>> is_chinese("maintenance_work_mem 要多大？"), is_chinese("How does 分块 work?"), is_chinese("入場料はいくら？")
    (True, False, False)
    """
    han = sum(map(len, _HAN_RUN.findall(text)))
    if han == 0 or han < 2 * len(_LATIN_WORD.findall(text)):
        return False
    return 4 * len(_KANA.findall(text)) < han


@lru_cache(maxsize=65_536)
def _word_terms(token: str) -> tuple[str, ...]:
    return _split_word(token)


def _split_word(token: str) -> tuple[str, ...]:
    """Terms of one word or identifier: its stem; for a compound, the whole and the stems of its parts."""
    if contraction := _CONTRACTION.match(token):  # all words before n't are stop words: don't, can't, won't
        token = "not" if contraction["word"][-1] in "nN" else contraction["word"]
    token = _POSSESSIVE.sub("", _THOUSANDS.sub("", token)).strip("'’,.:-/@_")
    if not token:
        return ()
    if _is_alphabetic(token) and not _CAMEL.search(token):
        stem = _stem(token)
        return (stem,) if stem else ()
    whole = _fold(token)[:MAX_TERM_CHARS]
    if version := _VERSION.match(whole):  # 3.14 is one number, not a 3 and a 14; v2.4.0 is 2.4.0
        return (version[1],)
    pieces = _PARTS.findall(_CAMEL.sub(" ", token))
    parts = [stem for piece in pieces if len(piece) > 1 and (stem := _stem(piece))] if len(pieces) > 1 else []
    names = _joined(whole) if _is_code(whole) else () if whole in ENGLISH_STOP_WORDS else (whole,)
    return (*names, *(part for part in dict.fromkeys(parts) if part not in names))


def _is_alphabetic(token: str) -> bool:
    return token.isalpha() or (not token.isascii() and all(char.isalpha() or is_mark(char) for char in token))


def _is_code(whole: str) -> bool:
    """Whether an identifier has both letters and digits, as product numbers and error codes do."""
    has_both = any(c.isdigit() for c in whole) and any(c.isalpha() for c in whole)
    return has_both and bool(_CODE.match(whole))


def _joined(whole: str) -> tuple[str, ...]:
    """A code without its joiners, and its beginnings that are codes themselves: LX-200-A is an LX-200."""
    pieces = [piece for piece in _JOINER.split(whole) if piece]
    names = ["".join(pieces[:count]) for count in range(len(pieces), 0, -1)]
    return tuple(dict.fromkeys(name for name in names if name == names[0] or _is_code(name)))


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


def _unspaced_terms(run: str) -> Iterator[str]:
    """Neighbouring signs by two, and each that may be a word: those of a consonant and a vowel or more."""
    signs = split_signs(run)
    for sign in signs:
        if len(sign) > 1 or len(signs) == 1:
            yield sign[:MAX_TERM_CHARS]
    for first, second in pairwise(signs):
        yield (first + second)[:MAX_TERM_CHARS]
