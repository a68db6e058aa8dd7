"""Lists and tables that go over the border of a chunk: the hits that hold a part of one, with the chunks beside them
that hold the rest. Async, up to three round trips where there is such a hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.domain import ScoredChunk
from app.retrieval.retriever import Retriever
from app.stored_markdown import begins_in_block, ends_in_block

FIRST_STEPS: Final = (2, 16)
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
    walked = await _walk_beside(retriever, split)
    by_id = {hit.chunk_id: hit for hit in hits}
    joined: list[ScoredChunk] = []
    seen: set[str] = set()
    is_whole = True
    for hit in hits:
        if hit.chunk_id in seen:
            continue
        before, after, is_all = walked.get(hit.chunk_id, ([], [], True))
        is_whole = is_whole and is_all
        for chunk in (*reversed(before), hit, *after):
            if chunk.chunk_id not in seen:
                seen.add(chunk.chunk_id)
                joined.append(by_id.get(chunk.chunk_id) or replace(chunk, score=hit.score, rank=hit.rank))
    return joined, is_whole


_Walked = tuple[
    list[ScoredChunk], list[ScoredChunk], bool
]  # before and after, the nearest first; whether that is all


async def _walk_beside(retriever: Retriever, split: Sequence[ScoredChunk]) -> dict[str, _Walked]:
    """By the hit's id the chunks that its block goes on into. Few are looked at first, since most blocks end soon and
    each chunk of a long document costs a look at its whole text."""
    walked: dict[str, _Walked] = {}
    pending = list(split)
    for most in (*(steps for steps in FIRST_STEPS if steps < MAX_STEPS), MAX_STEPS):
        beside = await retriever.load_surroundings(pending, most)
        for hit in pending:
            around = beside.get(hit.chunk_id, ())
            earlier = [chunk for steps, chunk in reversed(around) if steps < 0]
            later = [chunk for steps, chunk in around if steps > 0]
            before, all_before = _walk(hit, earlier, most, forward=False)
            after, all_after = _walk(hit, later, most, forward=True)
            walked[hit.chunk_id] = (before, after, all_before and all_after)
        pending = [hit for hit in pending if not walked[hit.chunk_id][2]]
        if not pending:
            break
    return walked


def _walk(
    hit: ScoredChunk, beside: Sequence[ScoredChunk], most: int, *, forward: bool
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
    return found, len(beside) < most
