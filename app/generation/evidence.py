"""How far the retrieved chunks reach towards an answer: one calibrated score; pure.

    answerability = 1 / (1 + exp(−(intercept + a · coverage + b · standard + c · bm25)))

coverage: the largest share of the question's weight that one unit of the hits holds, what stands around it (header,
headings, title, file name) counting AROUND; standard: the standard score of the cosine of the question and the best
window of the best hit, or of the best in its language (app/search/standard.py), so that one set of coefficients serves
every model; bm25: the highest BM25
as a share of what a chunk full of every term would get. Where the model can't read the question the cosine says
nothing, so a second set goes without it. Both were fitted by logistic regression on half of squad_dev, and of cmrc_dev
and xquad_zh_dev, each question with its document and with it withheld, and moved so that 0.5 refuses few answerable
questions; the figures on the other half are in eval/LOG.md. What is in another language than the question has none of
its words, so it is judged by itself (`answerability_across`).

A code in the question (E-107, 2.4.0, scope_missing) has to stand in a hit that holds half of the rest of it, or the
score is 0: what documents say of another product answers nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import rjieba

from app.domain import ScoredChunk
from app.embedding import Embedder
from app.generation.units import Unit
from app.han import HAN
from app.lexicon import is_chinese, terms, token_terms, tokens
from app.question.alternatives import alternatives_of
from app.question.content import Asked
from app.question.numbered import numbered_things

MAX_UNKNOWN_SHARE: Final = 0.1  # of a question's tokens: from here on the model can't read it
AROUND: Final = 0.8  # what the header, a heading or the title holds, where the unit itself does not
ALTERNATIVE: Final = 0.9  # a word that asks for the same thing
UNKNOWN_NAME: Final = 1.5  # a name that no document holds, against the heaviest word that one does
LEAST_REST: Final = 0.4  # of the question beside its code that the hit with the code must hold
UNKNOWN_NAME_SHARE: Final = 0.5  # what the score is multiplied by where a name in the question is nowhere
# Words that ask for some property of a code and need not stand beside it.
_GENERIC: Final = (
    "default maximum minimum value values change changed changes new difference different purpose definition overview"
    " detail details example number unit gram grams percent percentage kilogram metre meter millimetre euro dollar"
    " version error code fault product device item type 默认 默认值 最大 最小 变化"
    " 变更 区别 作用 用途 单位 型号 产品 设备 版本 错误 代码"
)
_HAN: Final = re.compile(f"[{HAN}]")
_LONG_WORD: Final = re.compile(f"[{HAN}]{{3,}}")
_K1: Final = 1.2  # a term's BM25 is at most idf · (k1 + 1)
_READABLE: Final = (-5.47, 4.10, 0.725, 3.48)  # intercept, coverage, standard score, bm25
_UNREADABLE: Final = (-3.12, 4.78, 0.0, 8.02)
# Where no words tell: of the standard score of a sentence, and _HIT_SHARE of its hit's.
_SLOPE: Final = 1.7
_HIT_SHARE: Final = 0.5
EVEN_ACROSS: Final = 4.75  # of texts in another language than the question


def can_read(embedder: Embedder, text: str) -> bool:
    """Whether the embedding model has tokens for a text: an English model turns most of Chinese into unknowns."""
    tokens = embedder.tokenize(text)
    return len(tokens) > 0 and tokens.unknown_share <= MAX_UNKNOWN_SHARE


def weigh_question(
    asked: Asked, term_weights: Mapping[str, float], unknown: Collection[str]
) -> dict[str, float]:
    """The weight of each term that an answer should hold: its idf.

    A code is one term: its parts weigh nothing. A word that no chunk of the collection holds has the highest idf of
    all, so courtesy would drown what is asked: everyday words of that kind and chance pairs of Chinese characters weigh
    nothing, others as much as the heaviest word that a chunk does hold, names UNKNOWN_NAME times that.
    """
    weights = {term: idf for term, idf in term_weights.items() if term not in asked.parts and idf > 0}
    known = [weight for term, weight in weights.items() if term not in unknown]
    if not known:
        return weights
    highest = max(known)
    for term in [term for term in weights if term in unknown]:
        if term in asked.chance_pairs or term in _everyday():
            del weights[term]
        elif term not in asked.codes:
            weights[term] = min(weights[term], highest * (UNKNOWN_NAME if term in asked.names else 1.0))
    return weights


def terms_in(units: Sequence[Unit]) -> frozenset[str]:
    """All terms of units and of what stands around them."""
    return frozenset[str]().union(*(unit.own | unit.around for unit in units))


def words_once(weights: Mapping[str, float], lacking: Collection[str]) -> dict[str, float]:
    """The weights by which coverage is judged: a Chinese word of three characters or more that is `lacking`, neither in
    the collection nor in a title of the hits, and its lacking parts weigh as much as one term, pairs across the border
    of two of its parts nothing.

    例外情况 with 例外 and 情况 is one word that the collection lacks, not three; and 据保 of 数据保护 says nothing
    where it stands in 数据保存.
    """
    once = dict(weights)
    words = [term for term in weights if term in lacking and _LONG_WORD.fullmatch(term)]
    counted: set[str] = set()
    for word in sorted(words, key=len, reverse=True):
        parts = [part for part in rjieba.cut_all(word) if 1 < len(part) < len(word)]
        inside = [term for term in once if term in word and term not in counted]
        for pair in [term for term in inside if len(term) == 2]:
            if parts and not any(pair in part for part in parts):
                del once[pair]
        shared = [term for term in inside if term in once and term in lacking]
        for term in shared:
            once[term] /= len(shared)
        counted.update(shared)
    return once


def answerability(
    hits: Sequence[ScoredChunk],
    units: Sequence[Unit],
    asked: Asked,
    weights: Mapping[str, float],
    *,
    readable: bool,
    unknown: frozenset[str] = frozenset(),
) -> float:
    """A score in [0, 1]; higher means that the hits hold more of an answer. 0 without hits.

    `units` are those of the hits, `weights` those of `weigh_question`, `unknown` the terms that the collection lacks.
    `readable`: the model reads the question.
    """
    if not hits or not codes_held(units, asked, weights):
        return 0.0
    total = sum(weights.values())
    everything = terms_in(units)
    once = words_once(weights, unknown - everything)
    covered = max((coverage_of(unit, once, sum(once.values())) for unit in units), default=0.0)
    if total > 0 and covered == 0:
        return 0.0
    own = (hit.standard for hit in hits if is_chinese(hit.text) == is_chinese(asked.text))
    standard = max(
        hits[0].standard, next(own, hits[0].standard)
    )  # the best hit may be in another, for one word
    highest = max(hit.scores.lexical or 0.0 for hit in hits)
    bm25 = min(1.0, highest / ((_K1 + 1) * total)) if total > 0 else 0.0
    intercept, a, b, c = _READABLE if readable else _UNREADABLE
    score = 1 / (1 + math.exp(-(intercept + a * covered + b * standard + c * bm25)))
    is_elsewhere = any(name in weights and name not in everything for name in asked.names)
    return score * (UNKNOWN_NAME_SHARE if is_elsewhere and unknown & asked.names else 1.0)


def answerability_across(said: Sequence[Unit], standard: float, units: Sequence[Unit], asked: Asked) -> float:
    """The same for `said`, the units chosen as the answer, in another language than the question; `standard` is the
    score of their cosine with it, less what they are near to all questions (app/search/standard.py).

    What is written alike in both languages must stand in the hit: codes, dates, numbers of things, and Latin words in a
    Chinese question.
    """
    if not said:
        return 0.0
    chunk = said[0].chunk
    held = frozenset[str]().union(*(unit.own | unit.around for unit in units if unit.chunk is chunk))
    dates = {term for term in asked.terms if term[:1] == "@"}
    if not dates | written_alike(asked) | numbered_things(asked.text) <= held:
        return 0.0
    return by_standards(standard, chunk.standard, EVEN_ACROSS)


def by_standards(said: float, hit: float, even: float) -> float:
    """A score in [0, 1] out of the standard scores of a sentence and of its hit alone; .5 where the first with half of
    the second is `even`."""
    return 1 / (1 + math.exp(-_SLOPE * (said + _HIT_SHARE * hit - even)))


def written_alike(asked: Asked) -> frozenset[str]:
    """The terms of a question that a text in the other language writes as it does: codes, and Latin words in a Chinese
    question."""
    latin = {term for term in asked.terms if not _HAN.search(term) and term[:1] != "@"} - asked.parts
    return frozenset((*asked.codes, *(latin if is_chinese(asked.text) else ())))


def without_alike(text: str, asked: Asked) -> str:
    """A text without those: a price list is near to every question that has one of its codes, whatever that asks."""
    alike = written_alike(asked)
    words = [word for word in tokens(asked.text) if alike.intersection(token_terms(word)[:1])]
    if not words:
        return text
    found = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.sub(rf"(?<![A-Za-z0-9])(?:{found})(?![A-Za-z0-9])", "", text, flags=re.IGNORECASE)


def says_more(asked: Asked) -> bool:
    """Whether a question asks anything of what it names so."""
    return bool(frozenset(asked.terms) - written_alike(asked) - asked.parts)


def codes_held(units: Sequence[Unit], asked: Asked, weights: Mapping[str, float]) -> bool:
    """Whether each code of the question stands in a hit, or around it, that holds LEAST_REST of the rest as well; of
    several codes one such hit is enough, the others must stand somewhere."""
    if not asked.codes:
        return True
    held: dict[str, frozenset[str]] = {}
    for unit in units:
        known = held.get(unit.chunk.chunk_id, frozenset())
        held[unit.chunk.chunk_id] = known | unit.own | unit.around
    everything = frozenset[str]().union(*held.values())
    if not any(code in everything for code in asked.codes):
        return False
    rest = {
        term: weight
        for term, weight in weights.items()
        if term not in asked.codes and term not in _generic() and not term.startswith("@")
    }
    total = sum(rest.values())
    return (
        any(
            any(code in terms_held for code in asked.codes)
            and coverage(terms_held, rest, total) >= LEAST_REST
            for terms_held in held.values()
        )
        or total == 0
    )


def coverage_of(unit: Unit, weights: Mapping[str, float], total: float, around: float = AROUND) -> float:
    """Share in [0, 1] of the question's weight `total` that a unit holds, what stands around it counting `around`."""
    if total <= 0:
        return 0.0
    return sum(weight * holds(term, unit, around) for term, weight in weights.items()) / total


def holds(term: str, unit: Unit, around: float = AROUND) -> float:
    """How far a unit holds a term of the question, in [0, 1]."""
    if term in unit.own:
        return 1.0
    others = alternatives_of(term)
    if others and not others.isdisjoint(unit.own):
        return ALTERNATIVE
    if term in unit.around or (others and not others.isdisjoint(unit.around)):
        return around
    return 0.0


def coverage(found: frozenset[str], weights: Mapping[str, float], total: float) -> float:
    """Share in [0, 1] of the question's weight `total` whose terms, or others for the same, are in `found`."""
    if total <= 0:
        return 0.0
    return (
        sum(
            weight if term in found else ALTERNATIVE * weight
            for term, weight in weights.items()
            if term in found or not alternatives_of(term).isdisjoint(found)
        )
        / total
    )


@cache
def _generic() -> frozenset[str]:
    return frozenset(terms(_GENERIC))


@cache
def _everyday() -> frozenset[str]:
    """The terms of English words that people write around a question."""
    return frozenset(terms((files("app") / "stopwords" / "everyday_en.txt").read_text("utf-8")))
