"""Replies to searches: hits as they go over the wire, with what stands beside them and how the search went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final

from pydantic import Field

from app.api.schemas import Reply
from app.domain import Explanation, Hit, ScoredChunk
from app.retrieval.retriever import Retrieved


def _is_none(value: object) -> bool:
    return value is None


# There if there is anything to say.
RerankFailure = Annotated[
    str | None, Field(exclude_if=_is_none, description="Why the configured reranking model had no say")
]
Explained = Annotated[
    Explanation | None, Field(exclude_if=_is_none, description="How the search went; there if asked for")
]


class SearchTimings(Reply):
    """Milliseconds by stage."""

    embed: float = 0.0
    retrieve: float = 0.0
    rerank: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Neighbor:
    """What stands `steps` chunks after a hit (before it: negative), cut where it meets the chunk next to it."""

    steps: int
    chunk_id: str
    page: int | None
    heading: str | None
    char_start: int
    char_end: int
    text: str


@dataclass(frozen=True, slots=True)
class SearchHit(Hit):
    """A hit of a search, with its neighbours where they were asked for."""

    neighbors: Annotated[
        tuple[Neighbor, ...] | None,
        Field(exclude_if=_is_none, description="In the document's order; there if asked for"),
    ] = None


class SearchReply(Reply):
    """Retrieved chunks, best first."""

    hits: list[SearchHit]
    rerank_failure: RerankFailure = None
    explain: Explained = None
    timings_ms: SearchTimings
    request_id: str


def search_reply(
    found: Retrieved,
    surroundings: Mapping[str, Sequence[tuple[int, ScoredChunk]]] | None,
    timings_ms: Mapping[str, float],
    request_id: str,
) -> SearchReply:
    """What a search found as it goes over the wire. `surroundings` has the neighbours of hits by the hit's id, None
    where they were not asked for."""
    return SearchReply(
        hits=[
            SearchHit(
                **fields_of(hit),
                neighbors=None if surroundings is None else _neighbors(surroundings[hit.chunk_id]),
            )
            for hit in found.hits
        ],
        rerank_failure=found.rerank_failure,
        explain=found.explanation,
        timings_ms=SearchTimings.model_validate({stage: round(ms, 2) for stage, ms in timings_ms.items()}),
        request_id=request_id,
    )


def fields_of(hit: Hit) -> dict[str, Any]:
    """What every hit on the wire has."""
    return {name: getattr(hit, name) for name in _HIT_FIELDS}


_HIT_FIELDS: Final = tuple(field.name for field in fields(Hit))


def _neighbors(surroundings: Sequence[tuple[int, ScoredChunk]]) -> tuple[Neighbor, ...]:
    return tuple(
        Neighbor(
            steps, chunk.chunk_id, chunk.page, chunk.heading, chunk.char_start, chunk.char_end, chunk.text
        )
        for steps, chunk in surroundings
    )
