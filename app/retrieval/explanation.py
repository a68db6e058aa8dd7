"""What `"explain": true` shows of a search; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain import ExplainedCandidate
from app.retrieval.fusion import Fused, readability
from app.retrieval.selection import Dropped


def explain_candidates(
    fused: Sequence[Fused],
    *,
    unknown_share: float,
    rerank_scores: Mapping[int, float],
    chosen: Sequence[int],
    dropped: Mapping[int, Dropped],
    sources: Mapping[str, str],
) -> tuple[ExplainedCandidate, ...]:
    """Every candidate in the order of fusion. `chosen` are the hits, best first; `dropped` has all the others."""
    ranks = {chunk_id: rank for rank, chunk_id in enumerate(chosen, 1)}
    explained = []
    for place, one in enumerate(fused, 1):
        candidate = one.candidate
        drop = dropped.get(candidate.chunk_id)
        explained.append(
            ExplainedCandidate(
                chunk_id=str(candidate.chunk_id),
                document_id=candidate.document_id,
                source=sources.get(candidate.document_id, ""),
                dense_rank=candidate.dense_rank,
                dense=one.dense,
                lexical_rank=candidate.lexical_rank,
                lexical=candidate.lexical,
                window_lexical=one.window_lexical,
                readability=readability(unknown_share, candidate.unknown_share),
                score=one.score,
                fused_rank=place,
                rerank=rerank_scores.get(candidate.chunk_id),
                rank=ranks.get(candidate.chunk_id),
                dropped=drop.reason if drop else None,
                near_identical_to=str(drop.of) if drop and drop.of is not None else None,
            )
        )
    return tuple(explained)
