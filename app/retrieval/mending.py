"""A question that the collection has no words for → the question as it was meant: misspelt words replaced by words that
the collection holds, and what acronyms stand for added. Which edits and sounds are slips is decided without a database
(app/question/{typos,homophones,acronyms}.py); here they meet the collection's terms.

A word that the collection holds, or that is spelt right, is never replaced. Rare: called where a term of the question
is held by no chunk, or where it has an acronym.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import rjieba

from app.domain import CollectionNames
from app.lexicon import fold_script, is_chinese, terms
from app.question import homophones, typos
from app.question.acronyms import (
    find_acronyms,
    find_by_initials,
    find_listed_forms,
    holds_phrase,
    initials_pattern,
    listed_forms,
    long_forms,
    phrase_terms,
)
from app.question.homophones import Pair
from app.question.typos import Spelling, Word
from app.store.connection import AsyncConnection, AsyncPool, run_alone
from app.store.vocabulary import count_chunks, find_headings, load_texts, load_texts_of_all, walk_terms

MAX_CHARS: Final = 1_000  # of a question; a longer one is pasted text
_MOST_WORDS: Final = 4  # that are mended, acronyms that are looked up, and so on: the first ones
_MOST_CANDIDATES: Final = 6  # terms for a word whose texts are read
_MOST_WALKED: Final = 2_000  # terms that are read for words at two edits, some 10 µs each
_MOST_COUNTED: Final = 1_000  # chunks of a term: enough to say which of two is the commoner
_MOST_DEFINING: Final = 20  # chunks that hold an acronym and are read for what it stands for

_LETTERS: Final = re.compile(r"[A-Za-zÀ-ɏ]+")
_RUN: Final = re.compile(r"[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Mended:
    """A question as it is searched for. `replaced` are (what was asked, what is searched for); `added` are the long
    forms of its acronyms, and acronyms of its long forms, that the collection holds. They are not in `question`."""

    question: str
    replaced: tuple[tuple[str, str], ...]
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Replacement:
    start: int
    end: int
    text: str


class Mender:
    """Mends questions by what their collection holds."""

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool

    async def mend(self, question: str, collection: CollectionNames) -> Mended | None:
        """The question with its unknown words replaced by the nearest that the collection holds; None where there was
        nothing to mend. Raises StoreUnavailableError, StoreError."""
        if len(question) > MAX_CHARS or not question.strip():
            return None
        return await run_alone(
            self._pool, lambda connection: _Mending(connection, question, collection).mend()
        )


class _Mending:
    """One question's; `_held` are the chunks of the terms that were looked up, up to _MOST_COUNTED."""

    def __init__(self, connection: AsyncConnection, question: str, collection: CollectionNames) -> None:
        self._connection, self._question, self._collection = connection, question, collection
        self._folded = fold_script(question)
        self._held: dict[str, int] = {}

    async def mend(self) -> Mended | None:
        words = [word for word in typos.find_words(self._question) if terms(word.text)]
        pairs = homophones.find_pairs(self._folded)
        acronyms = find_acronyms(self._question)[:_MOST_WORDS]
        asked_forms = find_listed_forms(self._question)[:_MOST_WORDS]
        asked = terms(self._question)
        asked += [term for word in words for term in terms(word.text)]
        asked += [pair.text for pair in pairs]
        asked += [term for acronym in acronyms for term in terms(acronym)]
        asked += [
            term for acronym in acronyms for form in listed_forms(acronym) for term in phrase_terms(form)
        ]
        asked += [term for acronym, _ in asked_forms for term in terms(acronym)]
        if not words and not pairs and not acronyms and not asked_forms:
            return None
        self._held = await self._count(asked)
        replacements = [*await self._mend_words(words, acronyms), *await self._mend_pairs(pairs)]
        added = await self._expand(acronyms)
        added += [acronym for acronym, _ in asked_forms if self._holds(acronym) and acronym not in acronyms]
        if not replacements and not added:
            return None
        return self._mended(replacements, added)

    def _mended(self, replacements: Sequence[_Replacement], added: Sequence[str]) -> Mended:
        question = self._question
        replaced: dict[str, str] = {}
        for replacement in sorted(replacements, key=lambda each: each.start):
            replaced.setdefault(self._question[replacement.start : replacement.end], replacement.text)
        for replacement in sorted(replacements, key=lambda each: -each.start):
            question = question[: replacement.start] + replacement.text + question[replacement.end :]
        return Mended(question, tuple(replaced.items()), tuple(dict.fromkeys(added)))

    async def _count(self, asked: Sequence[str]) -> dict[str, int]:
        return await count_chunks(self._connection, self._collection, asked, most=_MOST_COUNTED)

    def _holds(self, text: str) -> bool:
        return any(term in self._held for term in terms(text))

    # Latin words

    async def _mend_words(self, words: Sequence[Word], acronyms: Sequence[str]) -> list[_Replacement]:
        unknown: dict[str, Word] = {}
        for word in words:
            spared = word.text in acronyms or self._holds(word.text) or typos.is_spelt_right(word.text)
            if not spared and word.text.isascii() and len(unknown) < _MOST_WORDS:
                unknown.setdefault(word.text.lower(), word)
        meant = await self._near(unknown) if unknown else {}
        far = {
            typed: word
            for typed, word in unknown.items()
            if typed not in meant and typos.most_edits(typed) > 1
        }
        meant |= await self._farther(far) if far else {}
        return [
            _Replacement(word.start, word.end, typos.write_like(word.text, meant[word.text.lower()]))
            for word in words
            if word.text.lower() in meant
        ]

    async def _near(self, unknown: Mapping[str, Word]) -> dict[str, str]:
        """The words at one edit, or whose stem is: every variant of the word is looked up."""
        variants = {typed: _variants_by_term(typed) for typed in unknown}
        chunks = await self._count([term for by_term in variants.values() for term in by_term])
        candidates = {}
        for typed, by_term in variants.items():
            ranked = sorted(
                (min(typos.weigh_edits(typed, variant) for variant in by_term[term]), -chunks[term], term)
                for term in by_term.keys() & chunks.keys()
            )
            candidates[typed] = [term for _, _, term in ranked[:_MOST_CANDIDATES]]
        return await self._choose(unknown, candidates, chunks, variants)

    async def _farther(self, unknown: Mapping[str, Word]) -> dict[str, str]:
        """The words at two edits: of the terms that begin nearly as the word does, those that are near."""
        prefixes = {prefix for typed in unknown for prefix in typos.find_prefixes(typed)}
        lengths = (typos.MIN_LETTERS, max(map(len, unknown)) + 2)
        walked = await walk_terms(
            self._connection, self._collection, prefixes, lengths=lengths, most=_MOST_WALKED
        )
        candidates = {}
        for typed in unknown:
            stem = _only_term(typed)
            ranked = sorted((edits, term) for term in walked if (edits := _near_term(typed, stem, term)))
            candidates[typed] = [term for _, term in ranked[:_MOST_CANDIDATES]]
        chunks = await self._count([term for some in candidates.values() for term in some])
        return await self._choose(unknown, candidates, chunks, {})

    async def _choose(
        self,
        unknown: Mapping[str, Word],
        candidates: Mapping[str, Sequence[str]],
        chunks: Mapping[str, int],
        variants: Mapping[str, Mapping[str, Sequence[str]]],
    ) -> dict[str, str]:
        """The likeliest spelling of each word among the candidate terms, as the texts that hold them write it."""
        texts = await load_texts(
            self._connection,
            self._collection,
            [term for some in candidates.values() for term in some],
            most=2,
        )
        meant = {}
        for typed, word in unknown.items():
            stem = _only_term(typed)
            ranked = []
            for term in candidates[typed]:
                spellings = _find_spellings(term, chunks.get(term, 0), typed, texts.get(term, ()))
                spellings += [
                    Spelling(variant, term, chunks.get(term, 0))
                    for variant in variants.get(typed, {}).get(term, ())
                    if typos.is_spelt_right(variant)
                ]
                ranked += [
                    (rank, spelling.text)
                    for spelling in spellings
                    if (rank := typos.rank_spelling(word, spelling, stem)) is not None
                ]
            if ranked:
                meant[typed] = min(ranked)[1]
        return meant

    # Chinese words

    async def _mend_pairs(self, pairs: Sequence[Pair]) -> list[_Replacement]:
        """Pairs that the collection does not hold, by sound, and words of three characters or more with another one in
        such a pair. A character that is part of a term that the collection holds stays as it is."""
        covered = {
            place
            for start in range(len(self._folded) - 1)
            if self._folded[start : start + 2] in self._held
            for place in (start, start + 1)
        }
        unknown = []
        for pair in pairs:
            sure = len(covered & {pair.start, pair.start + 1})
            if pair.text not in self._held and sure < (1 if pair.is_word else 2):
                unknown.append(pair)
        unknown = unknown[:_MOST_WORDS]
        if not unknown:
            return []
        spellings = {
            pair: {
                spelling: unlikely
                for spelling, unlikely in homophones.find_spellings(pair.text).items()
                if not any(
                    spelling[i] != pair.text[i] and pair.start + i in covered for i in range(len(pair.text))
                )
            }
            for pair in unknown
        }
        chunks = await self._count([spelling for some in spellings.values() for spelling in some])
        found: list[tuple[tuple[int, bool, int, str], int, str]] = []  # rank, start, what was meant
        for pair, some in spellings.items():
            ranked = sorted(
                (unlikely, not rjieba.has_word(spelling), -chunks[spelling], spelling)
                for spelling, unlikely in some.items()
                if spelling in chunks
            )
            found += [
                (rank, pair.start, rank[-1])
                for rank in ranked[:_MOST_CANDIDATES]
                if not pair.is_word or rank[:2] == (0, False)
            ]
        found += await self._one_character_off(unknown)
        return await self._choose_in_context(found)

    async def _one_character_off(
        self, unknown: Sequence[Pair]
    ) -> list[tuple[tuple[int, bool, int, str], int, str]]:
        """Dictionary words of three or four characters that differ in one, which is in an unknown pair that is none."""
        windows = [
            (start, self._folded[start : start + length], pair)
            for run in _RUN.finditer(self._folded)
            for pair in unknown
            if not pair.is_word
            for length in (3, 4)
            for start in range(max(run.start(), pair.start + 2 - length), pair.start + 1)
            if start + length <= run.end()
        ]
        walked = await walk_terms(
            self._connection,
            self._collection,
            {window[:2] for _, window, _ in windows} | {window[0] for _, window, _ in windows},
            lengths=(3, 4),
            most=_MOST_WALKED,
        )
        by_length = {length: [term for term in walked if len(term) == length] for length in (3, 4)}
        found = []
        for start, window, pair in windows:
            for term in by_length[len(window)]:
                other = [start + i for i in range(len(window)) if term[i] != window[i]]
                if len(other) == 1 and pair.start <= other[0] < pair.start + 2 and rjieba.has_word(term):
                    found.append(((3, False, 0, term), start, term))
        return found

    async def _choose_in_context(
        self, found: Sequence[tuple[tuple[int, bool, int, str], int, str]]
    ) -> list[_Replacement]:
        """The likeliest of what was found that overlap none better and are words in the texts. Those that stand in a
        chunk with another term of the question come first; no other is taken where two characters are exchanged, a
        sound is only near, the dictionary lacks the word, or it has what was typed."""
        if not found:
            return []
        meant = list(dict.fromkeys(each for _, _, each in found))
        others = sorted(
            (term for term in set(terms(self._question)) if term in self._held and len(term) > 1),
            key=lambda term: (self._held[term], term),
        )[:3]
        texts = await load_texts(self._connection, self._collection, meant, most=3)
        groups = [[each, other] for each in meant for other in others]
        together = await load_texts_of_all(self._connection, self._collection, groups, most=1)
        beside = {group[0] for group, some in zip(groups, together, strict=True) if some}
        chosen: list[_Replacement] = []
        for rank, start, each in sorted(found, key=lambda one: (one[0][0], one[2] not in beside, one)):
            end = start + len(each)
            typed = self._folded[start:end]
            overlaps = any(start < other.end and other.start < end for other in chosen)
            needed = rank[0] > 0 or rank[1] or bool(rjieba.has_word(typed))
            if overlaps or (needed and each not in beside):
                continue
            some = [fold_script(text) for text in texts.get(each, ())]
            if homophones.is_word_in(each, some):
                chosen.append(_Replacement(start, end, self._write_in_script(each, texts.get(each, ()))))
        return chosen

    def _write_in_script(self, word: str, texts: Sequence[str]) -> str:
        """`word` as the texts write it, where the question is written in traditional characters."""
        if self._folded != self._question:
            for text in texts:
                place = fold_script(text).find(word)
                if place >= 0:
                    return text[place : place + len(word)]
        return word

    # Acronyms

    async def _expand(self, acronyms: Sequence[str]) -> list[str]:
        """The long forms of acronyms that the collection holds: those that it explains itself, else (in each language)
        those of the list that stand in it, else words of a title or heading with these initials."""
        if not acronyms:
            return []
        explained = await self._explained(acronyms)
        listed = await self._listed(acronyms)
        added = []
        for acronym in acronyms:
            forms = list(explained.get(acronym, ()))
            chinese = {is_chinese(form) for form in forms}
            forms += [form for form in listed.get(acronym, ()) if is_chinese(form) not in chinese]
            forms = forms or await self._by_initials(acronym)
            added += [form for form in forms if not holds_phrase(self._question, form)]
        return added

    async def _explained(self, acronyms: Sequence[str]) -> dict[str, list[str]]:
        by_term = {terms(acronym)[0]: acronym for acronym in acronyms if self._holds(acronym)}
        texts = await load_texts(self._connection, self._collection, list(by_term), most=_MOST_DEFINING)
        explained: dict[str, list[str]] = {}
        for term, acronym in by_term.items():
            forms = Counter(
                long
                for text in texts.get(term, ())
                for short, long in long_forms(text).items()
                if short.casefold() == acronym.casefold()
            )
            if forms:
                explained[acronym] = [form for form, _ in forms.most_common(2)]
        return explained

    async def _listed(self, acronyms: Sequence[str]) -> dict[str, list[str]]:
        wanted = [
            (acronym, form, sorted(set(phrase_terms(form)), key=lambda term: self._held[term]))
            for acronym in acronyms
            for form in listed_forms(acronym)
            if (form_terms := phrase_terms(form)) and all(term in self._held for term in form_terms)
        ]
        texts = await load_texts_of_all(
            self._connection, self._collection, [some for _, _, some in wanted], most=5
        )
        listed: dict[str, list[str]] = {}
        for (acronym, form, _), some in zip(wanted, texts, strict=True):
            if any(holds_phrase(text, form) for text in some):
                listed.setdefault(acronym, []).append(form)
        return listed

    async def _by_initials(self, acronym: str) -> list[str]:
        if not acronym.isalpha():
            return []
        lines = await find_headings(self._connection, self._collection, initials_pattern(acronym), most=50)
        found = Counter(form for line in lines if (form := find_by_initials(acronym, line)))
        return [form for form, _ in found.most_common(1)]


def _only_term(word: str) -> str:
    return (terms(word) or [word])[0]


def _variants_by_term(typed: str) -> dict[str, list[str]]:
    by_term: dict[str, list[str]] = {}
    for variant in sorted(typos.find_variants(typed)):
        found = terms(variant)
        if len(found) == 1 and len(variant) >= typos.MIN_LETTERS:
            by_term.setdefault(found[0], []).append(variant)
    return by_term


def _near_term(typed: str, stem: str, term: str) -> tuple[int, int] | None:
    """The edits between the word or its stem and a term, None for more than two."""
    most = typos.most_edits(typed)
    if term[0] != typed[0] or not term.isalpha() or not term.isascii():
        return None
    edits = min(
        (
            typos.weigh_edits(word, term, most=most)
            for word in {stem, typed}
            # each edit brings in one letter and takes one out at the most: a look that is quicker than counting
            if abs(len(word) - len(term)) <= most and len(set(word) ^ set(term)) <= 2 * most
        ),
        default=(most + 1, 0),
    )
    return edits if edits[0] <= most else None


def _find_spellings(term: str, chunks: int, typed: str, texts: Sequence[str]) -> list[Spelling]:
    """How the texts write the words of a term: in small letters where they do so once, or have a common word only where
    it begins a sentence."""
    forms: dict[str, Counter[str]] = {}
    names: set[str] = set()
    for text in texts:
        for match in _LETTERS.finditer(text):
            form = match[0]
            if form[0].lower() not in typed[:2] or terms(form) != [term]:
                continue
            lowered = form.lower()
            forms.setdefault(lowered, Counter())[form] += 1
            if form[0].isupper() and typos.is_inside_sentence(text, match.start()):
                names.add(lowered)
    spellings = []
    for lowered, written in sorted(forms.items()):
        small = lowered in written or (lowered not in names and typos.is_spelt_right(lowered))
        form = lowered if small else written.most_common(1)[0][0]
        spellings.append(Spelling(form, term, chunks, lowered in names))
    return spellings
