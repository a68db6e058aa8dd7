"""POST /search: the chunks that a question finds, best first."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Annotated

from fastapi import APIRouter, Body, Request

from app.api.components import Components, Counts, Parts, RequestId, note_question
from app.api.documentation import EXAMPLES, example, problems
from app.api.found import SearchReply, search_reply
from app.api.metrics import Metrics
from app.api.requests import Search
from app.api.stream import or_disconnect
from app.domain import ScoredChunk
from app.retrieval.retriever import Retrieved, Retriever

router = APIRouter(tags=["questions"])


@router.post(
    "/search",
    summary="Find the chunks that answer a question best",
    responses=example("search reply") | problems(404, 409, 415, 422, 429),
)
async def search(
    body: Annotated[Search, Body(openapi_examples=EXAMPLES["search requests"])],
    request: Request,
    parts: Parts,
    metrics: Counts,
    request_id: RequestId,
) -> SearchReply:
    """Hybrid retrieval: dense and lexical candidates, fused, and reranked where a model is set. `score` in [0, 1] is
    the fused one; `neighbors` adds the chunks beside each hit, `explain` what each stage thought of each candidate."""
    return await or_disconnect(find(parts, metrics, body, request_id), request.receive)


async def find(parts: Components, metrics: Metrics, body: Search, request_id: str) -> SearchReply:
    """The reply to a search, timed and counted, whoever asks."""
    note_question(parts, body)
    started = time.perf_counter()
    found, surroundings = await _search_in_turn(parts, body)
    timings_ms = found.timings_ms | {"total": (time.perf_counter() - started) * 1000}
    metrics.time_stages(timings_ms)
    return search_reply(found, surroundings, timings_ms, request_id)


async def _search_in_turn(
    parts: Components, body: Search
) -> tuple[Retrieved, Mapping[str, Sequence[tuple[int, ScoredChunk]]] | None]:
    async with parts.turns.take() if parts.turns else nullcontext():
        return await parts.reads.run(lambda: search_with_neighbors(parts.retriever, body))


async def search_with_neighbors(
    retriever: Retriever, body: Search
) -> tuple[Retrieved, Mapping[str, Sequence[tuple[int, ScoredChunk]]] | None]:
    """What a search found, and what stands beside each hit, None where that was not asked for."""
    asked = body.asked()
    if not isinstance(asked, str):
        asked = await retriever.find_collections(asked)
    found = await retriever.retrieve(
        body.question, asked, body.top_k, body.search_filter(), explain=body.explain, weigh=False
    )
    if not body.neighbors:
        return found, None
    return found, await retriever.load_surroundings(found.hits, body.neighbors)
