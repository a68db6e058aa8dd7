"""Answers without a language model: the one to three sentences of the hits that best answer a question; pure.

Each sentence gets

    score = coverage + COSINE_WEIGHT · cosine + CHUNK_WEIGHT · its chunk's score + TYPE_BONUS where it has what is asked

coverage: the share of the question's idf mass whose terms the sentence holds; cosine: of question and sentence, 0 where
the model can't read the question; "what is asked": a number for how many and when, a name for who. The best sentence is
joined by up to two more that come near its score and keep the answer short. The constants were chosen on squad_dev and
cmrc_dev (eval/LOG.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain import Citation, ScoredChunk
from app.generation.evidence import coverage
from app.lexicon import is_chinese, terms

COSINE_WEIGHT: Final = 1.0
CHUNK_WEIGHT: Final = 0.5
TYPE_BONUS: Final = 0.2
MARKUP_PENALTY: Final = 0.5  # headings, code and table rules answer little
MAX_SENTENCES: Final = 3
MAX_WORDS: Final = 75  # of all sentences together; the best one may be longer
MAX_HAN: Final = 120  # the same for Chinese, in characters
LEAST_SHARE: Final = 0.5  # a further sentence needs this share of the best one's score
RESCORED: Final = 24  # sentences that are embedded, the best by the other parts of the score

_NUMBER_ASKED: Final = re.compile(
    r"\b(how (many|much|old|long|far|often|big|large|high|tall)|when|what (year|date|time|percent\w*)|which year)\b"
    r"|多少|几[个年月天位次人种条]|哪一?年|何时|什么时候|时间|多[大长高久远]|日期|年份|百分",
    re.IGNORECASE,
)
_NAME_ASKED: Final = re.compile(r"\b(who|whom|whose)\b", re.IGNORECASE)
_NUMBER: Final = re.compile(
    r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|million|billion|first"
    r"|second|third|half)\b|[一二三四五六七八九十百千万亿两]+[个年月日天位次人种条]",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")
_MARKUP: Final = re.compile(r"\s*(#{1,6} |```|\|[\s:|-]+\|?$|[-*_]{3,}\s*$|!\[|\[[^\]]*\]:)")


@dataclass(frozen=True, slots=True)
class Extraction:
    """An extractive answer: sentences with markers, one citation each, and how far the evidence reaches."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class _Sentence:
    chunk: ScoredChunk
    char_start: int
    char_end: int
    text: str
    terms: frozenset[str]
    score: float


def extract(
    question: str,
    hits: Sequence[ScoredChunk],
    term_weights: Mapping[str, float],
    cosines: Callable[[Sequence[str]], Sequence[float]] | None,
) -> Extraction | None:
    """Choose the answer's sentences from `hits`, best first. None where no sentence has anything of the question.

    `term_weights` is the idf of the question's terms; `cosines` gives the cosine of the question and each text, None
    where the model can't read the question. Deterministic; ties go to the better hit, then to the earlier sentence.
    """
    candidates = _candidates(question, hits, term_weights)
    if cosines is not None:
        candidates = _with_cosines(candidates, cosines)
    chosen = _choose(candidates, chinese=is_chinese(question))
    if not chosen:
        return None
    citations = tuple(
        Citation(
            marker=marker,
            document_id=sentence.chunk.document_id,
            chunk_id=sentence.chunk.chunk_id,
            source=sentence.chunk.source,
            title=sentence.chunk.title,
            page=sentence.chunk.place_at(sentence.char_start).page,
            heading=sentence.chunk.place_at(sentence.char_start).heading,
            char_start=sentence.char_start,
            char_end=sentence.char_end,
            quote=sentence.text,
            score=sentence.chunk.score,
        )
        for marker, sentence in enumerate(chosen, 1)
    )
    pieces = [f"{shown_sentence(citation.quote)} [{citation.marker}]" for citation in citations]
    return Extraction("\n\n".join(pieces) if _any_markup(chosen) else " ".join(pieces), citations)


def shown_sentence(quote: str) -> str:
    """A sentence as an answer shows it: list and heading marks and line breaks off, words untouched.

    >>> shown_sentence("- Use about one list\\n  for every 1,000 rows.")
    'Use about one list for every 1,000 rows.'
    """
    text = re.sub(r"^\s*(?:[-*+] |\d{1,3}[.)] |#{1,6} |> ?)+", "", quote)
    return (
        re.sub(r"(?<=[⺀-鿿。，；：])\s*\n\s*(?=[⺀-鿿])", "", text)
        .replace("\n", " ")
        .replace("  ", " ")
        .strip()
    )


def _candidates(
    question: str, hits: Sequence[ScoredChunk], term_weights: Mapping[str, float]
) -> list[_Sentence]:
    """The hits' sentences with all of their score but the cosine, each text once, best first."""
    total = sum(term_weights.values())
    wanted = _NUMBER if _NUMBER_ASKED.search(question) else _NAME if _NAME_ASKED.search(question) else None
    asked = _letters(question)
    seen: set[str] = set()
    candidates = []
    for chunk in hits:
        for start, end in chunk.sentences:
            text = chunk.text[start - chunk.char_start : end - chunk.char_start]
            letters = _letters(text)
            if (
                not letters or letters in seen or letters == asked
            ):  # a heading that repeats the question is no answer
                continue
            seen.add(letters)
            found = frozenset(terms(text))
            score = coverage(found, term_weights, total) + CHUNK_WEIGHT * chunk.score
            score += TYPE_BONUS if wanted is not None and wanted.search(text) else 0.0
            score -= MARKUP_PENALTY if _MARKUP.match(text) else 0.0
            candidates.append(_Sentence(chunk, start, end, text, found, score))
    return sorted(candidates, key=lambda sentence: -sentence.score)


def _with_cosines(
    candidates: Sequence[_Sentence], cosines: Callable[[Sequence[str]], Sequence[float]]
) -> list[_Sentence]:
    """The best RESCORED candidates with the cosine added, best first."""
    best = candidates[:RESCORED]
    rescored = [
        _Sentence(s.chunk, s.char_start, s.char_end, s.text, s.terms, s.score + COSINE_WEIGHT * cosine)
        for s, cosine in zip(best, cosines([s.text for s in best]), strict=True)
    ]
    return sorted(rescored, key=lambda sentence: -sentence.score)


def _choose(candidates: Sequence[_Sentence], *, chinese: bool) -> list[_Sentence]:
    """The best sentence and up to two more, in the order of the hits and of the text."""
    limit = MAX_HAN if chinese else MAX_WORDS
    chosen: list[_Sentence] = []
    length = 0
    for sentence in candidates:
        size = len(sentence.text) if chinese else len(sentence.text.split())
        if chosen and sentence.score < LEAST_SHARE * chosen[0].score:
            break
        if chosen and length + size > limit:
            continue
        chosen.append(sentence)
        length += size
        if len(chosen) == MAX_SENTENCES:
            break
    return sorted(chosen, key=lambda sentence: (sentence.chunk.rank, sentence.char_start))


def _any_markup(sentences: Sequence[_Sentence]) -> bool:
    return any(re.match(r"\s*([-*+|>#]|\d{1,3}[.)] |```)", sentence.text) for sentence in sentences)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
