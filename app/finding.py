"""A question → what the documents hold of it, and how far that reaches: searched for as it was asked, as it was meant,
with the question before it, or without."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from app.domain import AllOf, OneOf, ScoredChunk, SearchFilter
from app.embedding import Embedder
from app.embedding_switch import embedder_of
from app.exchange import AskRequest
from app.generation.candidates import Material
from app.generation.evidence import (
    answerability,
    answerability_across,
    can_read,
    says_more,
    weigh_question,
    without_alike,
)
from app.generation.extractive import Extraction, extract
from app.generation.narrowing import narrow
from app.generation.reply import Voice
from app.generation.rows import with_ranges
from app.generation.standing import read_standing
from app.generation.sufficiency import answerability_by_meaning, sufficiency
from app.generation.units import Surroundings, read_units
from app.letters import detect_language, is_other
from app.lexicon import is_chinese
from app.meaning import Meant, voice_of
from app.question.acronyms import find_acronyms
from app.question.content import content_terms
from app.question.courtesy import bare_question
from app.question.kinds import Wanted, operation_terms, read_wanted
from app.question.standalone import Standalone, alone, join
from app.retrieval.mending import Mended, Mender
from app.retrieval.retriever import Retrieved, Retriever
from app.search.standard import standard_of
from app.split_blocks import join_split_blocks
from app.stored_markdown import begins_in_table, find_header
from app.threads import Threads, thread_of
from app.valid_versions import add_valid_versions

OPERATION: Final = 0.3  # what "cheapest" or "less than" weighs beside what it is said of
MOST_LEANING_TERMS: Final = 2  # of a question that is joined to the one before because it found nothing

_READ_CHARS: Final = 500  # of a hit, to see whether the model can read it

_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question, and how far it reaches. `material` is what may answer it of `all_found`.
    `searched_for`: its words where they were mended."""

    standalone: Standalone
    found: Retrieved
    material: Material
    all_found: Material
    extraction: Extraction | None
    evidence: float
    searched_for: str | None


class Finder:
    """Looks for what answers a question. Whether that is enough is `threshold`, in [0, 1]."""

    def __init__(
        self, retriever: Retriever, embedder: Embedder, mender: Mender | None, threshold: float
    ) -> None:
        """Without a `mender`, misspelt words and acronyms are searched for as they are."""
        self._retriever, self._embedder = retriever, embedder
        self._mender, self._threshold = mender, threshold
        self._judging = Threads("judge", os.cpu_count() or 1)  # these wait for the embedder's thread

    async def look_up(self, meant: Meant, request: AskRequest) -> Found:
        """What the documents hold of what is meant. An objection that names a year asks for that year's first."""
        standalone = meant.standalone
        years = _YEAR.findall(meant.again.reason) if meant.again is not None else []
        if years:
            read = await self._find(replace(standalone, text=" ".join((standalone.text, *years))), request)
            if read.evidence >= self._threshold:
                return read
        read = await self._find(standalone, request)
        asked = meant.asked
        if asked is not None and read.evidence < self._threshold:
            find_again = self._find_joined if standalone.text == asked.question else self._find_alone
            read = await find_again(asked, read)
        if read.evidence >= self._threshold and not _quotes_across(read):
            return read
        return await self._find_by_meaning(read) or await self._find_across(read, request) or read

    async def _find_by_meaning(self, read: Found) -> Found | None:
        """What the same hits hold, judged without words, for a question in a language whose words are not known. None
        where that is not sure enough, or the model does not read the question. Not in English and Chinese, where
        missing words say something (eval/LOG.md)."""
        standalone, found = read.standalone, read.found
        if not is_other(standalone.text) or read.searched_for is not None:
            return None
        if not can_read(self._embedder, standalone.text):
            return None
        own_units = [
            unit
            for unit in read.all_found.units
            if is_chinese(unit.chunk.text) == is_chinese(standalone.text)
            and is_other(unit.chunk.text) == is_other(standalone.text)
        ]
        all_found = replace(read.all_found, units=own_units)

        def judge() -> tuple[Material, Extraction | None, float]:
            material = narrow(all_found, standalone, found.unknown_terms, mended=False)
            material = replace(material, across=True)
            extraction = extract(material, partial(self._standards, found))
            if extraction is None:
                return material, None, 0.0
            return material, extraction, answerability_by_meaning(
                extraction.said, extraction.standard, material
            )  # fmt: skip

        material, extraction, evidence = await self._judging.run(judge)
        if evidence < self._threshold:
            return None
        return replace(read, material=material, all_found=all_found, extraction=extraction, evidence=evidence)

    async def _find(
        self, standalone: Standalone, request: AskRequest, *, mended: Mended | None = None
    ) -> Found:
        """What the hits for a question hold; for the question as it was meant where the collection lacks its words."""
        asked = standalone.text
        if mended is not None:
            asked = " ".join((mended.question, *(f"({form})" for form in mended.added)))
        found = await self._retriever.retrieve(
            asked, request.collection, request.top_k, request.filter, explain=request.explain
        )
        if mended is not None and mended.added:
            found = replace(
                found, asked=replace(found.asked, codes=())
            )  # an acronym may stand in its long form
        readable = can_read(self._embedder, found.asked.text)
        if mended is None and self._mender is not None and _may_be_mended(found):
            better = await self._mender.mend(found.asked.text, request.collection)
            if better is not None:
                read = await self._find(standalone, request, mended=better)
                across = readable and self._is_across(
                    found
                )  # then its words may be missing, and not misspelt
                if not across or read.evidence >= self._threshold:
                    return read
        found, all_found = await self._with_valid_versions(found, standalone, request, asked)

        def judge() -> tuple[Material, Extraction | None, float]:
            """What may answer, what would be said, and how far both reach. Takes long: for a thread."""
            material = narrow(all_found, standalone, found.unknown_terms, mended=mended is not None)
            evidence = answerability(
                found.hits,
                material.units if standalone.about or not material.units else all_found.units,
                found.asked,
                material.weights,
                readable=readable,
                unknown=found.unknown_terms,
            )
            if evidence <= 0:
                return material, None, evidence
            extraction = extract(material, partial(self._standards, found) if readable else None)
            said = extraction.said if extraction is not None else ()
            evidence = sufficiency(evidence, material, said, found.unknown_terms)
            return material, extraction, evidence

        material, extraction, evidence = await self._judging.run(judge)
        searched_for = asked if mended is not None else None
        return Found(standalone, found, material, all_found, extraction, evidence, searched_for)

    async def _find_across(self, read: Found, request: AskRequest) -> Found | None:
        """What documents in the other language hold for a question that those in its own do not answer; None where
        they do neither, or the model does not read both."""
        standalone, background = read.standalone, read.found.background
        own, other = ("zh", "en") if is_chinese(standalone.text) else ("en", "zh")
        languages = background.languages if background is not None else frozenset[str]()
        if other not in languages or not can_read(self._embedder, standalone.text):
            return None
        found = await self._retriever.retrieve(
            standalone.text,
            request.collection,
            request.top_k,
            _in_language(request.filter, other) if len(languages) > 1 else request.filter,
            explain=request.explain,
        )
        # a file in both languages has hits in the question's own
        hits = tuple(hit for hit in found.hits if is_chinese(hit.text) == (other == "zh"))
        if not hits or not can_read(self._embedder, hits[0].text[:_READ_CHARS]):
            return None
        found = replace(found, hits=hits)
        found, all_found = await self._with_valid_versions(found, standalone, request, standalone.text)

        aside, rest = found, without_alike(found.asked.text, found.asked)
        if rest != found.asked.text and says_more(found.asked):
            aside = await self._aside(found, rest)

        def standards(texts: Sequence[str]) -> list[float]:
            return self._standards(aside, texts, asked_in=own)

        def judge() -> tuple[Material, Extraction | None, float]:
            material = narrow(all_found, standalone, found.unknown_terms, mended=False)
            material = replace(material, across=True)
            extraction = extract(material, standards)
            if extraction is None:
                return material, None, 0.0
            return material, extraction, answerability_across(
                extraction.said, extraction.standard, all_found.units, found.asked
            )  # fmt: skip

        material, extraction, evidence = await self._judging.run(judge)
        if evidence < self._threshold:
            return None
        return Found(standalone, found, material, all_found, extraction, evidence, None)

    async def _aside(self, found: Retrieved, question: str) -> Retrieved:
        """What was found, with the vector of another question and what its cosines are measured by."""
        embedder = embedder_of(self._embedder, found.space)
        (vector,) = await thread_of(self._embedder).run(embedder.embed_queries, [question])
        standards = found.background.against(vector) if found.background is not None else found.standards
        return replace(found, vector=vector, standards=standards)

    async def _with_valid_versions(
        self, found: Retrieved, standalone: Standalone, request: AskRequest, asked: str
    ) -> tuple[Retrieved, Material]:
        """The hits, with the valid version of what is not in force, and what they hold."""
        all_found = await self._read(found, standalone, voice_of(request))
        beside = await add_valid_versions(
            self._retriever,
            found,
            all_found.standings,
            all_found.wanted.years,
            question=asked,
            collection=request.collection,
            search_filter=request.filter,
        )
        if beside is found:
            return found, all_found
        return beside, await self._read(beside, standalone, voice_of(request))

    def _standards(self, found: Retrieved, texts: Sequence[str], asked_in: str | None = None) -> list[float]:
        """The standard score of the question's cosine with each text; of one in another language than `asked_in`, that
        of the question, less what it is near to all that is asked in that."""
        embedder = embedder_of(self._embedder, found.space)
        vectors = thread_of(self._embedder).call(embedder.embed_passages, texts)
        languages = ["und" if is_other(text) else "zh" if is_chinese(text) else "en" for text in texts]
        scores = []
        for vector, language in zip(vectors, languages, strict=True):
            standard = standard_of(found.standards, language)
            score = standard.score(float(vector @ found.vector))
            if found.background is not None and asked_in not in (None, language):
                crowding = found.background.crowding(vector[np.newaxis], asked_in, language)
                score -= max(0.0, float(crowding[0])) / standard.deviation
            scores.append(score)
        return scores

    def _is_across(self, found: Retrieved) -> bool:
        """Whether the best hit is in another language than the question, and the model reads it."""
        best = found.hits[0].text if found.hits else ""
        is_other = is_chinese(best) != is_chinese(found.asked.text)
        return is_other and can_read(self._embedder, best[:_READ_CHARS])

    async def _find_joined(self, request: AskRequest, alone: Found) -> Found:
        """A short question that finds nothing alone, put behind the one before it; alone where that helps nothing."""
        joined = join(request.question, request.history)
        content = [term for term in alone.material.weights if term not in alone.found.unknown_terms]
        if joined.text == request.question or len(content) > MOST_LEANING_TERMS:
            return alone
        together = await self._find(joined, request)
        return together if together.evidence >= self._threshold else alone

    async def _find_alone(self, request: AskRequest, joined: Found) -> Found:
        """A question that looked as if it leaned on the one before it, alone, where it says enough for that; not one
        that names another thing, or asks why: without what was said before it would ask for something else."""
        standalone = joined.standalone
        says_enough = len(content_terms(request.question)) >= MOST_LEANING_TERMS
        if standalone.about or standalone.wants_reason or not says_enough:
            return joined
        by_itself = await self._find(alone(request.question), request)
        return by_itself if by_itself.evidence >= self._threshold else joined

    async def _read(self, found: Retrieved, standalone: Standalone, voice: Voice) -> Material:
        """The units of the hits, with what stands around them, and how their documents stand."""
        is_joined = standalone.form != standalone.text
        wanted = read_wanted(bare_question(standalone.form) if is_joined else found.asked.text)
        hits: Sequence[ScoredChunk] = found.hits
        is_whole = True
        if wanted.whole:
            hits, is_whole = await join_split_blocks(self._retriever, found.hits)
        in_table = [hit for hit in hits if begins_in_table(hit.text)]
        known = await self._retriever.load_heads(hits, in_table)
        surroundings = {
            chunk_id: Surroundings(head, find_header(before, before_start))
            for chunk_id, (head, before_start, before) in known.items()
        }
        return await asyncio.to_thread(_material, found, hits, surroundings, wanted, voice, is_whole=is_whole)


def _material(
    found: Retrieved,
    hits: Sequence[ScoredChunk],
    surroundings: Mapping[str, Surroundings],
    wanted: Wanted,
    voice: Voice,
    *,
    is_whole: bool,
) -> Material:
    """What the hits hold, in units. Takes long where there are many: for a thread."""
    units = with_ranges(read_units(hits, surroundings), found.asked.text)
    standings = {
        hit.document_id: read_standing(
            hit.title, hit.source, surroundings.get(hit.chunk_id, Surroundings()).head
        )
        for hit in found.hits
    }
    weights = weigh_question(found.asked, found.term_weights, found.unknown_terms)
    if wanted.superlative or wanted.bound:
        done = operation_terms(found.asked.text)
        weights = {term: OPERATION * weight if term in done else weight for term, weight in weights.items()}
    return Material(found.asked, wanted, units, weights, standings, is_whole, voice)


def _quotes_across(read: Found) -> bool:
    """Whether a question that has words of its language would be answered in another one: by chance words then."""
    said = read.extraction.said if read.extraction is not None else ()
    asked = read.found.asked
    return bool(said) and says_more(asked) and is_chinese(said[0].text) != is_chinese(asked.text)


def _in_language(search_filter: SearchFilter | None, language: str) -> SearchFilter:
    """A filter that keeps documents of one language alone, of those that it kept."""
    only = OneOf("language", (language,))
    if search_filter is None:
        return SearchFilter(where=only)
    where = search_filter.where
    return replace(search_filter, where=only if where is None else AllOf((where, only)))


def _may_be_mended(found: Retrieved) -> bool:
    """Whether the collection lacks a word of the question, or an acronym in it may stand for one that it holds. Which
    words of German or Spanish are spelt right nobody here knows."""
    if detect_language(found.asked.text) not in ("en", "zh", "und"):
        return False
    return bool(found.unknown_terms - found.asked.parts) or bool(find_acronyms(found.asked.text))
