"""Which document a name means: its file, its title, or words of both. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import cache
from pathlib import PurePosixPath
from typing import Final

import rjieba
from opencc import OpenCC

from app.han import HAN
from app.lexicon import CHINESE_STOP_WORDS, ENGLISH_STOP_WORDS, fold_script, terms

MAX_NEEDLES: Final = 12
_HAN: Final = re.compile(f"[{HAN}]+")


class NameMatch(IntEnum):
    """How a name fits a document, the surest first."""

    PATH = 0  # the whole path, or its end
    WHOLE = 1  # the file's name without its suffix, or the title
    WORDS = 2  # each of its words stands in the path or the title


def match_name(name: str, source: str, title: str) -> NameMatch | None:
    """How well a name fits a document; case, script, width, blanks and marks count nothing.

    >>> match_name("Price List 2026", "en/price-list-2026.csv", "price-list-2026")
    <NameMatch.WHOLE: 1>
    >>> match_name("meeting of 18 March", "2026-03-18.md", "Operations meeting, 18 March 2026")
    <NameMatch.WORDS: 2>
    """
    wanted = squeeze(name)
    if not wanted:
        return None
    parts = PurePosixPath(source).parts
    if any(squeeze("/".join(parts[at:])) == wanted for at in range(len(parts))):
        return NameMatch.PATH
    if wanted in {squeeze(PurePosixPath(source).stem), squeeze(title)}:
        return NameMatch.WHOLE
    words, han = name_words(name)
    whole = squeeze(f"{source} {title}")
    held = _latin_words(f"{source} {title}")
    fits = bool(words or han) and words <= held and all(word in whole for word in han)
    return NameMatch.WORDS if fits else None


def match_folder(name: str, sources: Iterable[str]) -> str | None:
    """The folder of some of these sources that has this name, or whose path ends so; of several the outermost."""
    wanted = squeeze(name)
    if not wanted:
        return None
    folders = {str(folder) for source in sources for folder in PurePosixPath(source).parents} - {"."}
    fitting = [
        folder
        for folder in folders
        if any(squeeze("/".join(folder.split("/")[at:])) == wanted for at in range(folder.count("/") + 1))
    ]
    return min(fitting, key=lambda folder: (folder.count("/"), folder), default=None)


def name_needles(name: str) -> list[list[str]]:
    """For each word of a name the spellings that it may be found by in paths and titles, in lower case: of an English
    word what its forms have in common, of a Chinese one both scripts."""
    latin = [
        word
        for word in re.findall(r"[a-z0-9]+", fold_name(name))
        if word not in ENGLISH_STOP_WORDS and (len(word) > 1 or word.isdigit())
    ]
    needles = [[_common_part(word)] for word in latin]
    simple = fold_name(name)
    for word in sorted(name_words(name)[1]):
        at = simple.find(word)
        as_written = name[at : at + len(word)] if at >= 0 and len(simple) == len(name) else word
        needles.append(sorted({word, as_written, str(_to_traditional().convert(word))}))
    return needles[:MAX_NEEDLES]


def squeeze(name: str) -> str:
    """A name as names are compared: letters and digits alone, without case, script and width.

    >>> squeeze("Price List 2026") == squeeze("price-list-2026"), squeeze("辦公室須知")
    (True, '办公室须知')
    """
    return re.sub(r"[\W_]+", "", fold_name(name))


def fold_name(name: str) -> str:
    """A name without case, script and width."""
    return fold_script(unicodedata.normalize("NFKC", name)).casefold()


def name_words(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a name that tell it from others: stems of English ones, whole Chinese ones; no function words."""
    words = {word for run in _HAN.findall(fold_name(name)) for word in rjieba.cut(run)} - CHINESE_STOP_WORDS
    longer = {word for word in words if len(word) > 1}
    return _latin_words(name), frozenset(longer or words)


def _latin_words(text: str) -> frozenset[str]:
    """Stems of the words of a text; of paths and codes each part, as people seldom write those letter by letter."""
    found = terms(re.sub(rf"[\W_{HAN}]+", " ", fold_name(text)))
    return frozenset(term for term in found if not term.startswith("@"))  # a date's own term


def _common_part(word: str) -> str:
    """What a word's forms begin with: polic of policy and policies."""
    stemmed: Sequence[str] = terms(word)
    if not stemmed:
        return word
    stem = stemmed[0].removesuffix("i")
    shared = next((at for at, pair in enumerate(zip(stem, word, strict=False)) if pair[0] != pair[1]), None)
    return word[: shared if shared is not None else min(len(stem), len(word))] or word


@cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2t")
