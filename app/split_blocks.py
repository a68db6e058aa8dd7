"""Lists and tables that go over the border of a chunk: the hits that hold a part of one, with the chunks beside them
that hold the rest. Async, one round trip where there is such a hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.domain import ScoredChunk
from app.generation.units import begins_in_block, ends_in_block
from app.retrieval.retriever import Retriever

MAX_STEPS: Final = 64  # chunks before and after a hit that are read: some hundred rows each way


async def join_split_blocks(
    retriever: Retriever, hits: Sequence[ScoredChunk]
) -> tuple[list[ScoredChunk], bool]:
    """The hits in their order, those of one list or table in the document's with what stands between, before and after
    them of it; and whether all of each is there.

    A chunk that was not a hit has the score of the one that it belongs to. Raises StoreError.
    """
    split = [
        hit for hit in hits if (hit.char_start > 0 and begins_in_block(hit.text)) or ends_in_block(hit.text)
    ]
    if not split:
        return list(hits), True
    beside = await retriever.load_surroundings(split, MAX_STEPS)
    by_id = {hit.chunk_id: hit for hit in hits}
    joined: list[ScoredChunk] = []
    seen: set[str] = set()
    is_whole = True
    for hit in hits:
        if hit.chunk_id in seen:
            continue
        around = beside.get(hit.chunk_id, ())
        before, all_before = _walk(
            hit, [chunk for steps, chunk in reversed(around) if steps < 0], forward=False
        )
        after, all_after = _walk(hit, [chunk for steps, chunk in around if steps > 0], forward=True)
        is_whole = is_whole and all_before and all_after
        for chunk in (*reversed(before), hit, *after):
            if chunk.chunk_id not in seen:
                seen.add(chunk.chunk_id)
                joined.append(by_id.get(chunk.chunk_id) or replace(chunk, score=hit.score, rank=hit.rank))
    return joined, is_whole


def _walk(
    hit: ScoredChunk, beside: Sequence[ScoredChunk], *, forward: bool
) -> tuple[list[ScoredChunk], bool]:
    """The chunks one after the other that the block goes on into, and whether it ends within them."""
    found: list[ScoredChunk] = []
    last = hit
    for chunk in beside:
        first, second = (last, chunk) if forward else (chunk, last)
        if not (ends_in_block(first.text) and begins_in_block(second.text)):
            return found, True
        found.append(chunk)
        last = chunk
    return found, len(beside) < MAX_STEPS
