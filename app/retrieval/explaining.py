"""What each stage of a search thought of each candidate, as it is shown; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.domain import ExplainedStages, ExplainedStandard, ExplainedTerm, Explanation, ScoredChunk
from app.retrieval.selection import Dropped
from app.search.ranking import RankedChunk, Ranking, RankingQuery, RankingSettings


def explain_search(
    query: RankingQuery,
    ranking: Ranking,
    settings: RankingSettings,
    *,
    ranked: Sequence[RankedChunk],
    hits: Sequence[ScoredChunk],
    dropped: Mapping[int, Dropped],
    stages_ms: Mapping[str, float],
) -> Explanation:
    """Every candidate in the order of fusion. `ranked` are they after reranking; `dropped` has all but the hits."""
    plan = ranking.plan
    terms = sorted(ranking.term_weights.items(), key=lambda one: -one[1])
    rerank_scores = {one.chunk_id: one.scores.rerank for one in ranked}
    ranks = {hit.chunk_id: hit.rank for hit in hits}
    candidates = []
    for one in ranking.chunks:
        assert one.explained is not None  # the projection has it
        drop = dropped.get(one.chunk_id)
        candidates.append(
            replace(
                one.explained,
                rerank=rerank_scores[one.chunk_id],
                rank=ranks.get(str(one.chunk_id)),
                dropped=drop.reason if drop else None,
                near_identical_to=str(drop.of) if drop and drop.of is not None else None,
            )
        )
    return Explanation(
        terms=tuple(ExplainedTerm(term, idf) for term, idf in terms),
        unknown_share=query.unknown_share,
        dense_weight=settings.dense_weight,
        window_share=settings.window_share,
        search="exact" if plan.index is None else plan.index.method,
        probes=plan.probes,
        rows=plan.rows,
        candidates_per_search=query.candidates,
        reranked=sum(score is not None for score in rerank_scores.values()),
        candidates=tuple(candidates),
        stages_ms=ExplainedStages(**{stage: round(ms, 2) for stage, ms in stages_ms.items()}),
        standards=tuple(
            ExplainedStandard(language, round(one.mean, 4), round(one.deviation, 4))
            for language, one in ranking.standards.items()
        ),
    )
