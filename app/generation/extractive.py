"""Answers without a language model: the one to three sentences of the hits that best answer a question; pure.

Each sentence gets

    score = coverage + COSINE_WEIGHT · cosine + CHUNK_WEIGHT · its chunk's score
            + (SECTION_WEIGHT + LEAD_WEIGHT where it opens its section) · match of its heading
            + TYPE_BONUS where it has what is asked − KIND_COST
            − LEAD_IN_COST where it ends in a colon − LANGUAGE_COST where it is in another language

coverage: the share of the question's idf mass whose terms the sentence holds; cosine: of question and sentence, 0 where
the model can't read the question; "what is asked": a number for how many and when, a name for who, "X is" for what X
is; kind: headings, code and table rows answer little. The best sentence is joined by up to two more that come near its
score, keep the answer short, and say something else: a sentence gets REPEAT_COST less for the share of the question
that is covered already (maximal marginal relevance, Carbonell and Goldstein 1998, with coverage as the likeness). The
constants were chosen on squad_dev, cmrc_dev and the handbook (eval/LOG.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain import Citation, ScoredChunk
from app.generation.evidence import coverage
from app.generation.structure import Kind, letters, sentence_roles
from app.lexicon import is_chinese, terms

COSINE_WEIGHT: Final = 1.0
CHUNK_WEIGHT: Final = 1.0
TYPE_BONUS: Final = 0.2
SECTION_WEIGHT: Final = 0.5
LEAD_WEIGHT: Final = 0.5  # the first sentence below a heading answers what the heading asks
KIND_COST: Final = {Kind.PROSE: 0.0, Kind.TABLE: 0.5, Kind.CODE: 1.0, Kind.HEADING: 1.0}
MAX_SENTENCES: Final = 3
MAX_WORDS: Final = 75  # of all sentences together; the best one may be longer
MAX_HAN: Final = 120  # the same for Chinese, in characters
LEAST_SHARE: Final = 0.65  # a further sentence needs this share of the best one's score
LEAD_IN_COST: Final = 0.2  # "The steps are:" promises an answer that stands in the lines after it
LANGUAGE_COST: Final = 0.2  # of two sentences that say the same, the one in the question's language
REPEAT_COST: Final = 0.9  # for a further sentence that covers all of what the chosen ones do
RESCORED: Final = 24  # sentences that are embedded, the best by the other parts of the score

_NUMBER_ASKED: Final = re.compile(
    r"\b(how (many|much|old|long|far|often|big|large|high|tall)|when|what (year|date|time|percent\w*)|which year)\b"
    r"|多少|几[个年月天位次人种条]|哪一?年|何时|什么时候|时间|多[大长高久远]|日期|年份|百分",
    re.IGNORECASE,
)
_MEANING_ASKED: Final = re.compile(
    r"^\s*(?:what (?:is|are)|what's|什么是|何谓|何为)\s*(?:an? |the )?(?P<first>[^?？]{1,40}?)\s*[?？]?\s*$"
    r"|^\s*(?:what does )?(?P<last>[^?？]{1,40}?)\s*(?:mean|是什么|是什么意思|是指什么|指什么)\s*[?？]?\s*$",
    re.IGNORECASE,
)
_NAME_ASKED: Final = re.compile(r"\b(who|whom|whose)\b", re.IGNORECASE)
_NUMBER: Final = re.compile(
    r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|million|billion|first"
    r"|second|third|half)\b|[一二三四五六七八九十百千万亿两]+[个年月日天位次人种条]",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")


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
    candidates = _candidates(question, hits, term_weights, blind=cosines is None)
    if cosines is not None:
        candidates = _with_cosines(candidates, cosines)
    chosen = _choose(candidates, term_weights, chinese=is_chinese(question))
    if not chosen:
        return None
    citations = tuple(
        sentence.chunk.cite(marker, sentence.char_start, sentence.char_end)
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
    text = re.sub(r"(?<=[⺀-鿿。，；：])\s*\n\s*(?=[⺀-鿿])", "", text)
    return re.sub(r"\s*\n\s*| {2,}", " ", text).strip()


def _candidates(
    question: str, hits: Sequence[ScoredChunk], term_weights: Mapping[str, float], *, blind: bool
) -> list[_Sentence]:
    """The hits' sentences with all of their score but the cosine, each text once, best first.

    `blind`: no cosine will follow, so that only sentences with a term of the question, or under a heading with one,
    are candidates.
    """
    total = sum(term_weights.values())
    wanted = _wanted(question)
    asked, chinese = letters(question), is_chinese(question)
    seen: set[str] = set()
    candidates = []
    for chunk in hits:
        for (start, end), role in zip(chunk.sentences, sentence_roles(chunk), strict=True):
            text = chunk.text[start - chunk.char_start : end - chunk.char_start]
            same = letters(text)
            if not same or same in seen or same == asked:  # a heading that repeats the question is no answer
                continue
            seen.add(same)
            found = frozenset(terms(text))
            section = heading_match(role.heading, term_weights, total) if role.kind is Kind.PROSE else 0.0
            if blind and section == 0 and found.isdisjoint(term_weights):
                continue  # nothing speaks for it but its neighbours
            score = coverage(found, term_weights, total) + CHUNK_WEIGHT * chunk.score
            score += section * (SECTION_WEIGHT + (LEAD_WEIGHT if role.is_lead else 0.0))
            score += TYPE_BONUS if wanted is not None and wanted.search(text) else 0.0
            score -= LEAD_IN_COST if text.endswith((":", "：")) else 0.0
            score -= KIND_COST[role.kind] + (LANGUAGE_COST if is_chinese(text) != chinese else 0.0)
            candidates.append(_Sentence(chunk, start, end, text, found, score))
    return sorted(candidates, key=lambda sentence: -sentence.score)


def _wanted(question: str) -> re.Pattern[str] | None:
    """What a sentence has that answers this type of question, None where the type does not tell."""
    if meaning := _MEANING_ASKED.match(question):
        thing = re.escape(meaning["first"] or meaning["last"])
        return re.compile(
            rf"^\W*(?:an? |the )?{thing}\W*(?:（[^）]*）|\([^)]*\))?\s*(?:就是|是|指|is\b|are\b|means?\b)",
            re.IGNORECASE,
        )
    return _NUMBER if _NUMBER_ASKED.search(question) else _NAME if _NAME_ASKED.search(question) else None


def heading_match(heading: str, term_weights: Mapping[str, float], total: float) -> float:
    """How well a heading names what is asked, in [0, 1]: the harmonic mean of its coverage of the question and the
    share of its own terms that are asked for, so that "What is a collection?" beats "Filter or collection?"."""
    found = frozenset(terms(heading))
    covered = coverage(found, term_weights, total)
    if covered == 0:
        return 0.0
    asked = len(found & term_weights.keys()) / len(found)
    return 2 * covered * asked / (covered + asked)


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


def _choose(
    candidates: Sequence[_Sentence], term_weights: Mapping[str, float], *, chinese: bool
) -> list[_Sentence]:
    """The best sentence and up to two more: those of its section first, then by hit, always in the text's order."""
    if not candidates:
        return []
    limit, total = MAX_HAN if chinese else MAX_WORDS, sum(term_weights.values())
    chosen = [candidates[0]]
    near = [sentence for sentence in candidates[1:] if sentence.score >= LEAST_SHARE * candidates[0].score]
    while len(chosen) < MAX_SENTENCES:
        room = limit - sum(_length(sentence.text, chinese=chinese) for sentence in chosen)
        near = [s for s in near if s not in chosen and _length(s.text, chinese=chinese) <= room]
        if not near:
            break
        said = frozenset[str]().union(*(sentence.terms for sentence in chosen))
        chosen.append(
            max(near, key=lambda s: s.score - REPEAT_COST * coverage(s.terms & said, term_weights, total))
        )
    best = _section(candidates[0])
    return sorted(chosen, key=lambda s: (_section(s) != best, s.chunk.rank, s.char_start))


def _length(text: str, *, chinese: bool) -> int:
    return len(text) if chinese else len(text.split())


def _section(sentence: _Sentence) -> tuple[str, str | None]:
    return sentence.chunk.document_id, sentence.chunk.place_at(sentence.char_start).heading


def _any_markup(sentences: Sequence[_Sentence]) -> bool:
    return any(re.match(r"\s*([-*+|>#]|\d{1,3}[.)] |```)", sentence.text) for sentence in sentences)
