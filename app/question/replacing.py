"""A question about one thing → the same question about another; pure.

"What about the TK-120?" keeps what was asked and puts the TK-120 in the place of a thing of the same kind: of a code, a
year, a day or a month, a name, of what shares a word with it ("sick leave" for "annual leave", 病假 for 年假), of what
follows the same preposition ("and in Spain?"). Where the question has no such thing, it can't be told what to replace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import rjieba

from app.han import HAN
from app.lexicon import fold_script, terms
from app.question.content import content_terms, read_question

_CODE_WORD: Final = re.compile(r"[A-Za-z0-9]+(?:[-._/][A-Za-z0-9]+)*")
_HAN: Final = re.compile(f"[{HAN}]")
_WORD: Final = re.compile(r"[A-Za-z0-9][\w'’-]*")
# Words of one kind, of which one stands for another.
_KINDS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\d-])(?:19|20)\d\d(?![\d-])年?",
        r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b",
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\bweekends?\b",
        r"(?<!\d)1?\d月份?",
        r"(?:周|星期|礼拜)[一二三四五六日天末]",
    )
)
_NAME_TAGS: Final = frozenset({"ns", "nr", "nt", "nz", "nrt", "nrfg"})
_PREPOSITION: Final = (
    r"(?:in|for|at|on|with|without|from|to|by|under|over|during|after|before|of|as|into|per|between|within)"
)
_ARTICLE: Final = re.compile(r"^(?:the|a|an|our|my|your)\s+", re.IGNORECASE)
_ONE: Final = re.compile(r"(?<!\s)\s+ones?$", re.IGNORECASE)
_LED: Final = re.compile(rf"^(?P<by>{_PREPOSITION})\s+(?:the |a |an |our |my )?(?P<thing>.+)$", re.IGNORECASE)
_ENDS_PHRASE: Final = re.compile(
    rf"(?<!\s)\s+(?:{_PREPOSITION}|is|are|was|were|do|does|did|can|may|must|should|will|and|or|that|which|who|when|if|per"
    r"|have|has|get|be)\b|[?.!,;]|$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Replaced:
    """`text` asks of `new` what was asked of `old`."""

    text: str
    old: str
    new: str


def replace_thing(question: str, thing: str) -> Replaced | None:
    """The question with another thing in it; None where it has none of the same kind.

    >>> replace_thing("How much is an LX-300-D?", "the TK-120")
    Replaced(text='How much is an TK-120?', old='LX-300-D', new='TK-120')
    >>> replace_thing("What is the hotel limit in France?", "in Spain").text
    'What is the hotel limit in Spain?'
    >>> replace_thing("年假由谁审批？", "病假").text
    '病假由谁审批？'
    """
    led = _LED.match(thing.strip())
    new = _ARTICLE.sub("", led["thing"] if led else thing.strip())
    modifier = _ONE.sub("", new)
    if modifier != new:  # "the green one" lacks its noun
        places, new = _modifiers(question), modifier
    else:
        places = _places(question, new, led["by"] if led else None)
    for start, end in places:
        return Replaced(question[:start] + new + question[end:], question[start:end], new)
    return None


def is_name(thing: str) -> bool:
    """Whether a thing is called by a name or a code: then nothing that lacks it tells of it.

    >>> is_name("TK-120"), is_name("in Porto"), is_name("广州"), is_name("visitors")
    (True, True, True, False)
    """
    if read_question(thing).codes or any(kind.search(fold_script(thing)) for kind in _KINDS):
        return True
    if not _HAN.search(thing):
        return any(word[0].isupper() and not word.isupper() for word in _WORD.findall(thing))
    return any(tag in _NAME_TAGS for _, tag in rjieba.tag(fold_script(thing)))


def _places(question: str, thing: str, preposition: str | None) -> Iterator[tuple[int, int]]:
    """Where the question has something of the kind of `thing`, the surest first."""
    yield from _codes(question, thing)
    for kind in _KINDS:
        if kind.search(fold_script(thing)):
            yield from (found.span() for found in kind.finditer(fold_script(question)))
    han = bool(_HAN.search(thing))
    yield from _of_one_word(question, thing) if not han else _of_one_character(question, thing)
    yield from _names(question, thing) if not han else _tagged(question, thing)
    if preposition is not None:
        for found in re.finditer(
            rf"\b{preposition}\s+(?:the |a |an |our |my )?(?=\w)", question, re.IGNORECASE
        ):
            end = _ENDS_PHRASE.search(question, found.end())
            if end is not None and content_terms(question[found.end() : end.start()]):
                yield found.end(), end.start()


def _codes(question: str, thing: str) -> Iterator[tuple[int, int]]:
    if not read_question(thing).codes:
        return
    found = [token for token in _CODE_WORD.finditer(question) if read_question(token.group()).codes]
    if found:
        yield found[0].start(), found[-1].end()


def _of_one_word(question: str, thing: str) -> Iterator[tuple[int, int]]:
    """Words of the question that end, or begin, with the same word as the thing, as long as the thing."""
    new = _WORD.findall(thing)
    old = list(_WORD.finditer(question))
    if len(new) < 2:
        return
    for place in (-1, 0):
        shared = frozenset(terms(new[place]))
        for at, word in enumerate(old):
            if not shared or not shared & frozenset(terms(word.group())):
                continue
            first, last = at, at
            for _ in new[1:]:
                beside = first - 1 if place == -1 else last + 1
                if not 0 <= beside < len(old) or not content_terms(old[beside].group()):
                    break
                first, last = min(first, beside), max(last, beside)
            if first != last or place == -1:
                yield old[first].start(), old[last].end()


def _modifiers(question: str) -> Iterator[tuple[int, int]]:
    """Words of the question that stand before another one of what it is about: red of "a red light"."""
    words = list(_WORD.finditer(question))
    for word, after in pairwise(words):
        beside = question[word.end() : after.start()].isspace()
        if beside and content_terms(word.group()) and content_terms(after.group()):
            yield word.span()


def _names(question: str, thing: str) -> Iterator[tuple[int, int]]:
    """Names of the question: capitalised words that do not begin it, where the thing is a name too."""
    if not is_name(thing):
        return
    for found in re.finditer(r"(?<=[\w,] )[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*", question):
        if content_terms(found.group()):
            yield found.span()


def _of_one_character(question: str, thing: str) -> Iterator[tuple[int, int]]:
    """Chinese words of the question that end with the same character as the thing."""
    words = _han_words(question)
    last = fold_script(thing)[-1]
    for at, (word, start, _) in enumerate(words):
        if not _HAN.match(word) or word[-1] != last:
            continue
        if len(word) < len(thing) and at and _HAN.match(words[at - 1][0]) and content_terms(words[at - 1][0]):
            yield words[at - 1][1], start + len(word)
        elif len(word) > 1:
            yield start, start + len(word)


def _tagged(question: str, thing: str) -> Iterator[tuple[int, int]]:
    """Chinese names of the question, where the thing is a name."""
    if not is_name(thing):
        return
    yield from ((start, start + len(word)) for word, start, tag in _han_words(question) if tag in _NAME_TAGS)


def _han_words(text: str) -> list[tuple[str, int, str]]:
    """The words of a text in simplified characters with their places in it and their parts of speech."""
    words, at = [], 0
    for word, tag in rjieba.tag(fold_script(text)):
        words.append((word, at, tag))
        at += len(word)
    return words
