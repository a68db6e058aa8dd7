"""Asks the valid version of a document too, where the hits hold another one: superseded, a draft, or of another year.

The nearest chunk may well stand in last year's rules, and where both versions read alike only one of them is a hit. So
where the best hits are not known to be valid, documents of their names are looked up by one bounded statement, and
those that say they replace them by a second one where no name fits; what changes a contract is found by its number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from opencc import OpenCC

from app.domain import AllOf, CollectionNames, Condition, OneOf, ScoredChunk, SearchFilter, StartsWith
from app.generation.standing import (
    Moment,
    Standing,
    are_versions,
    order_standings,
    read_moments,
    read_standing,
    sought_names,
)
from app.retrieval.retriever import Retrieved, Retriever
from app.store.named_documents import NamedDocument

BEST_HITS: Final = 3  # whose documents have to be valid, or looked up
MAX_VERSIONS: Final = 3  # documents that are asked too
MAX_CHUNKS: Final = 3  # of them that become hits
CONTRACT_DIGITS: Final = 5  # products and errors have fewer
MAX_CODES: Final = 2  # contract numbers and the like of a document, by which what changes it is found

_WORD: Final = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")


async def add_valid_versions(
    retriever: Retriever,
    found: Retrieved,
    standings: Mapping[str, Standing],
    years: Sequence[str],
    *,
    question: str,
    collection: CollectionNames,
    search_filter: SearchFilter | None,
) -> Retrieved:
    """What was found, and behind the best hit what the valid versions of the best hits' documents hold; `found` itself
    where there is nothing to add.

    `question` is what was searched for, `years` those that it names; `standings` are those of the hits' documents, by
    id. Raises what retrieval raises.
    """
    standings = dict(standings)
    best = {hit.document_id: hit for hit in found.hits[:BEST_HITS]}
    asked = read_moments(found.asked.text, years)
    valid = _valid_versions(standings, best, asked)
    sources = {hit.document_id: hit.source for hit in found.hits}
    doubted = [
        hit
        for place, (key, hit) in enumerate(best.items())
        if key not in valid and _may_be_replaced(standings[key], is_best=place == 0)
    ]
    numbers = [[code] for code in _contract_numbers(standings[found.hits[0].document_id])] if best else []
    looked_up = await _find_holding(retriever, numbers, collection, search_filter)
    if doubted:
        looked_up += await _find_replacing(retriever, doubted, standings, collection, search_filter)
    if looked_up:
        sources |= {document.document_id: document.source for document in looked_up}
        standings |= {document.document_id: _read(document) for document in looked_up}
        valid = _valid_versions(standings, best, asked)
    wanted = list(dict.fromkeys(key for versions in valid.values() for key in versions))[:MAX_VERSIONS]
    if not wanted:
        return found
    narrowed = _narrow(search_filter, OneOf("source", tuple(sources[key] for key in wanted)))
    more = await retriever.retrieve(question, collection, MAX_CHUNKS, narrowed)
    known = {hit.chunk_id for hit in found.hits}
    first, *others = found.hits
    # Their scores were made among themselves: so that none is better than the best of all.
    added = [
        replace(hit, score=min(hit.score, first.score)) for hit in more.hits if hit.chunk_id not in known
    ]
    if not added:
        return found
    hits = (replace(hit, rank=rank) for rank, hit in enumerate((first, *added, *others), 1))
    return replace(found, hits=tuple(hits))


def _may_be_replaced(own: Standing, *, is_best: bool) -> bool:
    """Whether another version of it may be the valid one: it is not in force, or it has the best hit and its name or
    folder is dated."""
    is_dated = own.dated_by in ("file", "title", "folder")
    return not own.is_in_force or own.may_be_old or (is_best and is_dated)


def _contract_numbers(own: Standing) -> list[str]:
    """The codes by which amendments may name a document."""
    long = [code for code in sorted(own.codes) if sum(c.isdigit() for c in code) >= CONTRACT_DIGITS]
    return [] if own.is_amendment else long[:MAX_CODES]


def _valid_versions(
    standings: Mapping[str, Standing], best: Iterable[str], asked: Collection[Moment]
) -> dict[str, list[str]]:
    """Of those of `best` that others come before: the documents that are in force in their place, the latest first."""
    order = order_standings(standings, asked)
    in_force = sorted(
        (key for key, rank in order.items() if rank == 0), key=lambda key: standings[key].when, reverse=True
    )
    found = {
        key: [other for other in in_force if are_versions(standings[key], standings[other])]
        for key in best
        if order[key] > 0
    }
    return {key: versions for key, versions in found.items() if versions}


async def _find_replacing(
    retriever: Retriever,
    doubted: Sequence[ScoredChunk],
    standings: Mapping[str, Standing],
    collection: CollectionNames,
    search_filter: SearchFilter | None,
) -> list[NamedDocument]:
    """Documents of the names of those of the hits; where none is valid in place of one that is not in force, those that
    may say they replace it."""
    known = [(hit, standings[hit.document_id]) for hit in doubted]
    names = [words for _, own in known for name in sought_names(own) for words in _spellings(name) if words]
    folders = {hit.source.rpartition("/")[0] if _lies_beside(own) else "" for hit, own in known}
    folder = next(iter(folders)) if len(folders) == 1 else ""
    # An index has the documents of one folder.
    narrowed = _narrow(search_filter, StartsWith("source", f"{folder}/")) if folder else search_filter
    named = await retriever.find_named(collection, narrowed, names) if names else []
    read = [_read(document) for document in named]
    alone = [
        sorted(own.subject)
        for _, own in known
        if own.subject
        and not own.is_in_force
        and not any(other.is_in_force and are_versions(own, other) for other in read)
    ]
    return [*named, *await _find_holding(retriever, alone, collection, search_filter)]


async def _find_holding(
    retriever: Retriever,
    wanted: Sequence[Sequence[str]],
    collection: CollectionNames,
    search_filter: SearchFilter | None,
) -> list[NamedDocument]:
    """Documents one of whose chunks holds all terms of one of `wanted`."""
    found = [await retriever.find_holding(collection, search_filter, terms) for terms in wanted]
    sources = tuple(dict.fromkeys(source for holding in found for source in holding))
    if not sources:
        return []
    return await retriever.find_named(collection, _narrow(search_filter, OneOf("source", sources)), [[]])


def _lies_beside(own: Standing) -> bool:
    """Whether other versions of it lie in its folder: documents in force that differ in a date of their names."""
    return own.is_in_force and not own.may_be_old and own.dated_by in ("file", "title")


def _read(document: NamedDocument) -> Standing:
    return read_standing(document.title, document.source, document.head)


def _narrow(search_filter: SearchFilter | None, condition: Condition) -> SearchFilter:
    given = search_filter or SearchFilter()
    where = condition if given.where is None else AllOf((given.where, condition))
    return replace(given, where=where)


def _spellings(name: str) -> list[list[str]]:
    """The words of a name in their order, in simplified and in traditional characters."""
    return [
        _WORD.findall(spelling)
        for spelling in dict.fromkeys((name.casefold(), str(_to_traditional().convert(name.casefold()))))
    ]


@cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2t")
