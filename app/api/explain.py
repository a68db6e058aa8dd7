"""How `"explain": true` goes over the wire: what each stage of a search thought, and never a document's text."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.domain import Explanation


class ExplainedTerm(BaseModel):
    """A term of the question and how rare it is in the collection."""

    term: str
    idf: float


class ExplainedCandidate(BaseModel):
    """A chunk that either search proposed, as fusion ranked it.

    `dense_rank` and `lexical_rank` null: that search did not have it among its first. `dense` (cosine) and
    `window_lexical` (BM25) are of its best window, `lexical` is the BM25 of the chunk, `readability` what the cosine
    was multiplied by. `rank` null: `dropped` says why it is no hit.
    """

    model_config = ConfigDict(from_attributes=True)

    chunk_id: str
    document_id: str
    source: str
    dense_rank: int | None
    dense: float
    lexical_rank: int | None
    lexical: float
    window_lexical: float
    readability: float
    score: float
    fused_rank: int
    rerank: float | None
    rank: int | None
    dropped: Literal["top_k", "near_identical", "document_cap", "deleted"] | None
    near_identical_to: str | None


class ExplainedStages(BaseModel):
    """Milliseconds by stage."""

    embed: float = 0.0
    plan: float = 0.0
    search: float = 0.0
    fuse: float = 0.0
    rerank: float = 0.0
    load: float = 0.0


class ExplainReply(BaseModel):
    """How a search went.

    `search`: every row that the filter keeps was compared (exact), or an index asked; `probes` are ivfflat's lists.
    `rows`: chunks that the filter keeps. `candidates_per_search`: how many each of dense and lexical search may
    propose. `reranked`: how many the cross-encoder read. `candidates` in the order of fusion. `answerability` in [0, 1]
    is of /ask alone: below PGASK_ABSTAIN_THRESHOLD it refuses.
    """

    terms: list[ExplainedTerm]
    unknown_share: float
    dense_weight: float
    window_share: float
    search: Literal["exact", "ivfflat", "hnsw"]
    probes: int | None
    rows: int
    candidates_per_search: int
    reranked: int
    candidates: list[ExplainedCandidate]
    stages_ms: ExplainedStages
    answerability: float | None = None


def explain_reply(explanation: Explanation | None, answerability: float | None = None) -> ExplainReply | None:
    """An explanation as it goes over the wire; None where none was asked for."""
    if explanation is None:
        return None
    shown = {stage: round(ms, 2) for stage, ms in explanation.stages_ms.items()}
    return ExplainReply(
        terms=[
            ExplainedTerm(term=term, idf=idf)
            for term, idf in sorted(explanation.terms.items(), key=lambda one: -one[1])
        ],
        unknown_share=explanation.unknown_share,
        dense_weight=explanation.dense_weight,
        window_share=explanation.window_share,
        search=explanation.search,
        probes=explanation.probes,
        rows=explanation.rows,
        candidates_per_search=explanation.candidates_per_search,
        reranked=explanation.reranked,
        candidates=[ExplainedCandidate.model_validate(one) for one in explanation.candidates],
        stages_ms=ExplainedStages(**shown),
        answerability=answerability,
    )
