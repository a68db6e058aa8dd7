"""Questions made from a collection's own texts, without a model and without labels.

A sentence is taken from a passage, most of its words are withheld, and what is left is asked: it is to find the
sentence's passage again. This is the inverse cloze task of Lee, Chang and Toutanova 2019 ("Latent Retrieval for Weakly
Supervised Open Domain Question Answering", section 4). There a sentence is taken out of its passage, so that a
retriever does not learn to compare words alone; here passages are asked as they are stored, and so it is the sentence
that loses words, the rarest first (how rare words make a known item easy to find: Azzopardi, de Rijke and Balog 2007,
"Building Simulated Queries for Known-Item Topics"): of those that say something every second one stays, or every third
or fourth, until BM25 alone no longer ranks the passage first. A sentence that its words give away all the same is not
asked. So the words, which are the same in both spaces, do not decide, and the choice knows of neither model. With half
of the words withheld and no look at BM25 both models found everything (eval/LOG.md).

The choice is by a seed and by sources: the same texts give the same questions, in any database.
"""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import rjieba
from psycopg.rows import dict_row

from app.domain import ScoredChunk
from app.han import HAN
from app.lexicon import terms
from app.store.chunks import chunk_columns, hit_from_row
from app.store.connection import AsyncConnection
from app.store.vocabulary import count_chunks
from app.stored_markdown import Kind, kind_of
from app.trial.gold import Case, Gold, hits

SEED: Final = 20261130  # any fixed number
# Words that say something: shorter sentences fit many passages, longer ones are lists.
FEWEST_WORDS, MOST_WORDS = 6, 40
COMMON: Final = 1_000  # chunks: words that more of them hold are all equally common
SPARE: Final = 4  # chunks looked at for one question: some hold no sentence to ask
STEPS: Final = (2, 3, 4)  # every second word stays, or every third, or every fourth
FEWEST_KEPT: Final = 2  # words that say something
_IS_HAN: Final = re.compile(f"[{HAN}]")
_PIECE: Final = re.compile(rf"[{HAN}]+|[^\s{HAN}]+")

# Chosen by their places alone, so that the texts of those chosen are all that is read.
_SAMPLE: Final = f"""
WITH placed AS MATERIALIZED (
    SELECT k.id, row_number() OVER (
           PARTITION BY d.language ORDER BY hashtextextended(d.source || ' ' || k.chunk_index, %(seed)s), k.id) AS place
      FROM pgask.chunks k JOIN pgask.documents d ON d.id = k.document_id
      JOIN pgask.collections c ON c.id = d.collection_id
     WHERE c.name = %(collection)s AND c.twin_of IS NULL AND d.status IN ('ready', 'stale')
), chosen AS MATERIALIZED (
    SELECT id, place FROM placed WHERE place <= %(most)s
)
SELECT {chunk_columns()}, d.language
  FROM chosen JOIN pgask.chunks k ON k.id = chosen.id JOIN pgask.documents d ON d.id = k.document_id
 ORDER BY d.language, chosen.place"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class _Sentence:
    language: str
    source: str
    span: tuple[int, int]
    text: str


FindByWords = Callable[[str], Awaitable[Sequence[ScoredChunk]]]  # by BM25 alone, the best first


async def make_questions(
    connection: AsyncConnection,
    collection: str,
    most: int,
    find_by_words: FindByWords,
    *,
    seed: int = SEED,
) -> list[Case]:
    """At most `most` questions from a collection's texts, as many of each language, a passage once."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SAMPLE, {"collection": collection, "seed": seed, "most": SPARE * most})
        rows = await cursor.fetchall()
    found = [_choose(row, seed) for row in rows]
    sentences = _by_language([one for one in found if one is not None])
    words = {term for ones in sentences for one in ones for _, said in _pieces(one.text) for term in said}
    frequencies = await count_chunks(connection, collection, words, most=COMMON)
    cases: list[Case] = []
    for place, ones in enumerate(sentences):
        share = (most - len(cases)) // (len(sentences) - place)  # what one language lacks is the others'
        cases += await _ask(ones, share, frequencies, find_by_words)
    return cases


async def _ask(
    sentences: Sequence[_Sentence], most: int, frequencies: Mapping[str, int], find_by_words: FindByWords
) -> list[Case]:
    """Questions of the first of these sentences that can be asked."""
    cases: list[Case] = []
    for one in sentences:
        if len(cases) == most:
            break
        gold = Gold((one.source,), one.span)
        for step in STEPS:
            question, kept = withhold(one.text, frequencies, step)
            if kept < FEWEST_KEPT:
                break
            first = (await find_by_words(question))[:1]
            if not any(hits(chunk, gold) for chunk in first):
                cases.append(Case(f"made:{one.language}", question, gold))
                break
    return cases


def withhold(sentence: str, frequencies: Mapping[str, int], step: int) -> tuple[str, int]:
    """The sentence with every `step`th of its words that say something, counted from the rarest on, and with those that
    say nothing; how many of the former are left. `frequencies`: how many chunks hold each term, none where it is left
    out. A word goes wherever it stands.

    >>> withhold("The heron waits at the river for small fish.", {"river": 9, "small": 8, "fish": 7, "wait": 2}, 2)
    ('The waits at the for small', 2)
    """
    pieces = _pieces(sentence)
    rarity = {said: min(frequencies.get(term, 0) for term in said) for _, said in pieces if said}
    stays = set(sorted(rarity, key=lambda said: rarity[said])[step - 1 :: step])
    kept, at = "", 0
    for (start, end), said in pieces:
        kept += sentence[at:start] + ("" if said and said not in stays else sentence[start:end])
        at = end
    return " ".join((kept + sentence[at:]).split()), len(stays)


def _pieces(sentence: str) -> list[tuple[tuple[int, int], tuple[str, ...]]]:
    """The words of a sentence, where each stands, and its terms: none where it says nothing."""
    pieces = []
    for run in _PIECE.finditer(sentence):
        at = run.start()
        for word in rjieba.cut(run[0]) if _IS_HAN.match(run[0]) else [run[0]]:
            pieces.append(((at, at + len(word)), tuple(terms(word))))
            at += len(word)
    return pieces


def _choose(row: Mapping[str, Any], seed: int) -> _Sentence | None:
    """A sentence of a chunk that is long enough to ask, None where it has none."""
    chunk = hit_from_row(row)
    asked = [span for span in chunk.sentences if _can_be_asked(_text_of(chunk, span))]
    if not asked:
        return None
    chosen = random.Random(f"{seed} {chunk.source} {chunk.char_start}").choice(asked)  # noqa: S311 - no secret
    return _Sentence(row["language"], chunk.source, chosen, _text_of(chunk, chosen))


def _text_of(chunk: ScoredChunk, span: tuple[int, int]) -> str:
    """The text of a sentence, "" where the chunk does not hold all of it."""
    start, end = span[0] - chunk.char_start, span[1] - chunk.char_start
    return chunk.text[start:end] if start >= 0 and end <= len(chunk.text) else ""


def _can_be_asked(text: str) -> bool:
    if kind_of(text) not in (Kind.PROSE, Kind.ITEM) or "```" in text:
        return False
    return FEWEST_WORDS <= len({said for _, said in _pieces(text) if said}) <= MOST_WORDS


def _by_language(sentences: Sequence[_Sentence]) -> list[list[_Sentence]]:
    """Those of each language, in their order, the language with the fewest first."""
    by_language: dict[str, list[_Sentence]] = {}
    asked: set[str] = set()
    for one in sentences:
        if one.text not in asked:  # said in several places, it could be found in each
            by_language.setdefault(one.language, []).append(one)
        asked.add(one.text)
    return sorted(by_language.values(), key=len)
