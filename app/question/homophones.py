"""Chinese words typed with a character of the same sound: which pairs of a question may be wrong, and what they may
have been. Pure.

Pinyin without tones (pypinyin, every reading of a character), over the 6,763 characters of GB 2312, which is what an
input method offers. Sounds that many speakers don't tell apart count as near: n and l, zh/ch/sh and z/c/s, -ng and -n.
Text is given with simplified characters (app.lexicon.fold_script).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Final

import rjieba
from pypinyin import Style, pinyin

from app.han import HAN
from app.lexicon import CHINESE_STOP_WORDS

MOST_SPELLINGS: Final = 1_500  # of one pair; both characters are exchanged only where that gives no more
_HAN_RUN: Final = re.compile(f"[{HAN}]{{2,}}")
_SAME, _BOTH, _NEAR = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Pair:
    """Two characters of a question, `question[start:start + 2] == text`. `is_word`: the dictionary has them."""

    text: str
    start: int
    is_word: bool


def find_pairs(question: str) -> list[Pair]:
    """The pairs of characters of a question that are one word, or two words of one character, by the dictionary; in
    order. Function words and question words are in none.

    >>> [(pair.text, pair.is_word) for pair in find_pairs("如何重制网关GW7？报消要几天")]
    [('重制', True), ('网关', True), ('报消', False)]
    """
    found: list[Pair] = []
    for run in _HAN_RUN.finditer(question):
        before, place = "", run.start()
        for word in [*rjieba.cut(run[0], False), ""]:
            single = word if len(word) == 1 and word not in CHINESE_STOP_WORDS else ""
            if before and single:
                text = before + single
                found.append(Pair(text, place - 1, bool(rjieba.has_word(text))))
            elif len(word) == 2 and word not in CHINESE_STOP_WORDS and not _names_nothing(word):
                found.append(Pair(word, place, True))
            before, place = single, place + len(word)
    return found


def find_spellings(pair: str) -> dict[str, int]:
    """What `pair` may have been → how unlikely: 0 one character of the same sound, 1 both, 2 one of nearly the same.

    >>> spellings = find_spellings("密马")
    >>> spellings["密码"], "密马" in spellings, len(spellings) <= MOST_SPELLINGS
    (0, False, True)
    """
    first, second = _same_sound(pair[0]), _same_sound(pair[1])
    found = {other + pair[1]: _SAME for other in first} | {pair[0] + other: _SAME for other in second}
    near = {other + pair[1] for other in _near_sound(pair[0])} | {
        pair[0] + other for other in _near_sound(pair[1])
    }
    if len(first) * len(second) + len(near) <= MOST_SPELLINGS:
        for one in first:
            for other in second:
                found.setdefault(one + other, _BOTH)
    for spelling in near:
        found.setdefault(spelling, _NEAR)
    found.pop(pair, None)
    return dict(list(found.items())[:MOST_SPELLINGS])


def is_word_in(pair: str, texts: Collection[str]) -> bool:
    """Whether `pair` is a word and not the end of one and the beginning of the next: by the dictionary, as a word of
    `texts` or a part of one, or since it stands between at least two different neighbours on either side."""
    if rjieba.has_word(pair):
        return True
    before: set[str] = set()
    after: set[str] = set()
    for text in texts:
        for match in re.finditer(re.escape(pair), text):
            start, end = match.span()
            around = text[max(0, start - 10) : end + 10]
            if any(pair in word for word in rjieba.cut(around)):
                return True
            before.add(text[start - 1 : start])
            after.add(text[end : end + 1])
    return len(before) > 1 and len(after) > 1


def _names_nothing(word: str) -> bool:
    """Whether a word asks, counts or points rather than names: 几天, 一下, 以下, 刚才."""
    tagged = rjieba.tag(word)
    return any(character in "几何哪谁啥吗呢怎么" for character in word) or (
        len(tagged) == 1 and tagged[0][1][0] not in "navijlbzt"
    )


@cache
def _readings(character: str) -> frozenset[str]:
    return frozenset(pinyin(character, style=Style.NORMAL, heteronym=True)[0])


def _fold(reading: str) -> str:
    """A reading as who hears no difference says it.

    >>> _fold("zhang"), _fold("ning"), _fold("hua")
    ('zan', 'lin', 'hua')
    """
    folded = re.sub(r"^([zcs])h", r"\1", reading)
    return re.sub(r"^n", "l", re.sub(r"ng$", "n", folded))


def _same_sound(character: str) -> frozenset[str]:
    by_sound, _ = _sounds()
    return frozenset().union(*(by_sound.get(reading, frozenset()) for reading in _readings(character)))


def _near_sound(character: str) -> frozenset[str]:
    _, by_near = _sounds()
    return frozenset().union(*(by_near.get(_fold(reading), frozenset()) for reading in _readings(character)))


@cache
def _sounds() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Reading → its characters, exactly and folded. Made once, in about 0.1 s."""
    by_sound: dict[str, set[str]] = {}
    by_near: dict[str, set[str]] = {}
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            character = bytes((high, low)).decode("gb2312", "ignore")
            for reading in _readings(character) if character else ():
                by_sound.setdefault(reading, set()).add(character)
                by_near.setdefault(_fold(reading), set()).add(character)
    return (
        {reading: frozenset(characters) for reading, characters in by_sound.items()},
        {reading: frozenset(characters) for reading, characters in by_near.items()},
    )
