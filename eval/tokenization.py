"""Text as the metrics compare it: one normalisation and three ways to cut it into tokens.

English and Chinese go the same way, so no metric has to know the language of a question. Pure; knows
nothing of questions, answers or files.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable

import rjieba

from app.han import HAN

# Han ideographs: the unified block, extensions A to H, and the compatibility ideographs.
HAN_CHARACTER = re.compile(f"[{HAN}]")
_RUNS = re.compile(f"{HAN_CHARACTER.pattern}+|(?:(?!{HAN_CHARACTER.pattern})\\S)+")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = frozenset(string.punctuation)


def normalise(text: str) -> str:
    """NFKC, lower case, punctuation deleted, runs of whitespace made one space.

    Punctuation is what SQuAD's evaluation script deletes (ASCII, currency and math signs included) and
    Unicode's category P; invisible format characters (Cf) go too.

    >>> normalise("The  U.S.A. spent ＄1,000.")
    'the usa spent 1000'
    >>> normalise("他说：“你好！”")
    '他说你好'
    """
    return _fold(text, punctuation="")


def normalise_answer(text: str) -> str:
    """`normalise` without the articles a, an, the: the form in which SQuAD compares answers.

    Source: Rajpurkar et al. 2016, SQuAD's evaluate-v1.1.py, `normalize_answer`.

    >>> normalise_answer("The Amazon, a river")
    'amazon river'
    """
    return " ".join(_ARTICLES.sub(" ", normalise(text)).split())


def answer_tokens(text: str) -> list[str]:
    """Tokens of SQuAD's F1: words of the normalised answer; each Han character is a token of its own.

    Splitting Han text by character is what CMRC 2018's evaluation script does.

    >>> answer_tokens("the 12-year-old Mozart")
    ['12yearold', 'mozart']
    >>> answer_tokens("3个月")
    ['3', '个', '月']
    """
    return _split_han(normalise_answer(text), list)


def phrase_tokens(text: str) -> list[str]:
    """Tokens for finding a phrase in a longer text: like `answer_tokens`, but punctuation is a border.

    >>> phrase_tokens("the 12-year-old Mozart’s")
    ['12', 'year', 'old', 'mozart', 's']
    """
    return _split_han(_ARTICLES.sub(" ", _fold(text, punctuation=" ")), list)


def words(text: str) -> list[str]:
    """Words of the normalised text; Han text is cut into words by rjieba's dictionary.

    The tokens of ROUGE and METEOR: rouge-score's own tokenizer keeps [a-z0-9] only and so gives 0 to any
    Chinese text.

    >>> words("Retrieval, then answers.")
    ['retrieval', 'then', 'answers']
    >>> words("我爱北京天安门 2024")
    ['我', '爱', '北京', '天安门', '2024']
    """
    return _split_han(normalise(text), rjieba.cut)


def count_words(text: str) -> int:
    """Length of a text in words: every Han character counts one, and so does every other run of
    non-whitespace that holds a letter or a digit.

    >>> count_words("Chunks of 512 tokens – no more.")
    6
    >>> count_words("分块大小是 512 个。")
    7
    """
    han = HAN_CHARACTER.findall(text)
    others = HAN_CHARACTER.sub(" ", text).split() if han else text.split()
    return len(han) + sum(any(map(str.isalnum, run)) for run in others)


def _fold(text: str, punctuation: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower()
    kept = (_keep(character, punctuation) for character in folded)
    return " ".join("".join(kept).split())


def _keep(character: str, punctuation: str) -> str:
    if character.isascii():
        return punctuation if character in _ASCII_PUNCTUATION else character
    category = unicodedata.category(character)
    if category.startswith("P"):
        return punctuation
    return "" if category == "Cf" else character


def _split_han(text: str, split: Callable[[str], list[str]]) -> list[str]:
    """Cut text at whitespace and at the borders of Han runs; `split` cuts the Han runs further."""
    tokens: list[str] = []
    for run in _RUNS.findall(text):
        if HAN_CHARACTER.match(run):
            tokens.extend(split(run))
        else:
            tokens.append(run)
    return tokens
