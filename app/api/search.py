"""POST /search: the chunks that a question finds, best first."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Body, Request

from app.api.components import Counts, Parts, RequestId, note_question
from app.api.documentation import SEARCH_EXAMPLES, SEARCH_REPLY, example, problems
from app.api.schemas import Search, SearchReply, search_reply
from app.api.stream import or_disconnect

router = APIRouter(tags=["questions"])


@router.post(
    "/search",
    summary="Find the chunks that answer a question best",
    responses=example(SEARCH_REPLY) | problems(404, 409, 413, 415, 422, 429, 503),
)
async def search(
    body: Annotated[Search, Body(openapi_examples=SEARCH_EXAMPLES)],
    request: Request,
    parts: Parts,
    metrics: Counts,
    request_id: RequestId,
) -> SearchReply:
    """Hybrid retrieval: dense and lexical candidates, fused. `score` in [0, 1] is the fused one."""
    note_question(parts, body)
    started = time.perf_counter()
    work = parts.retriever.retrieve(body.question, body.collection, body.top_k, body.search_filter())
    found = await or_disconnect(work, request.receive)
    timings_ms = found.timings_ms | {"total": (time.perf_counter() - started) * 1000}
    metrics.time_stages(timings_ms)
    return search_reply(found.hits, timings_ms, request_id)
