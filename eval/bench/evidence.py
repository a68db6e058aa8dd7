"""How well evidence is told from its absence: the answerability score and the `supported` flag.

    python -m eval.bench.evidence --corpus DIR --questions FILE.jsonl [--limit N]

Answerability: each answerable question is scored on its hits, and once more on its hits without those of its own
document (the evidence is withheld). `auroc` is the chance that a random answerable one scores higher; `refused` the
share of answerable ones below the threshold, `accepted` that of withheld ones above it; `near_miss_auroc` sets the
answerable questions against the set's own unanswerable ones, where it has any.

Support: the sentence that holds a gold answer is cited to a chunk that holds it (true), and to the same chunk the
sentence of another document's question is cited (false). Precision and recall are of `supported`.

Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from app.domain import ScoredChunk
from app.generation.citations import resolve_citations
from app.generation.evidence import answerability, can_read, weigh_question
from app.generation.units import read_units
from eval.cli import name_collection
from eval.dataset import Question, load_questions
from eval.metrics import abstain_auroc
from eval.system import EvaluatedSystem, open_system

CANDIDATES = 50
TOP_K = 6


@dataclass(frozen=True, slots=True)
class _Scored:
    """A question's answerability with its evidence and without, and a claim with the chunk that holds it."""

    question: Question
    present: float
    withheld: float
    claim: tuple[str, ScoredChunk] | None


async def measure(
    system: EvaluatedSystem, questions: list[Question], collection: str, threshold: float
) -> dict[str, object]:
    """The figures named above."""
    scored = [await _score(system, question, collection) for question in questions]
    answerable = [score for score in scored if score.question.answerable]
    unanswerable = [score for score in scored if not score.question.answerable]
    present, withheld = [s.present for s in answerable], [s.withheld for s in answerable]
    true_claims = [s for s in answerable if s.claim is not None]
    supported = [_supported(*s.claim) for s in true_claims if s.claim]
    swapped = [
        _supported(other.claim[0], score.claim[1])
        for score, other in zip(true_claims, true_claims[1:] + true_claims[:1], strict=True)
        if score.claim and other.claim and other.question.doc != score.question.doc
    ]
    hits = sum(supported)
    return {
        "questions": len(scored),
        "auroc": _round(_auroc(present, withheld)),
        "refused": _round(sum(value < threshold for value in present) / max(1, len(present))),
        "accepted": _round(sum(value >= threshold for value in withheld) / max(1, len(withheld))),
        "near_miss_auroc": _round(_auroc(present, [s.present for s in unanswerable])),
        "near_miss_accepted": _round(
            sum(s.present >= threshold for s in unanswerable) / max(1, len(unanswerable))
        ),
        "support_recall": _round(hits / max(1, len(supported))),
        "support_precision": _round(hits / max(1, hits + sum(swapped))),
        "claims": [len(supported), len(swapped)],
    }


async def _score(system: EvaluatedSystem, question: Question, collection: str) -> _Scored:
    found = await system.retrieve(question.question, collection, CANDIDATES)
    readable = can_read(system.embedder, question.question)
    own = question.doc
    weights = weigh_question(found.asked, found.term_weights, found.unknown_terms)

    def score(hits: Sequence[ScoredChunk]) -> float:
        return answerability(
            hits, read_units(hits), found.asked, weights, readable=readable, unknown=found.unknown_terms
        )

    present = score(found.hits[:TOP_K])
    withheld = score([hit for hit in found.hits if hit.source != own][:TOP_K])
    return _Scored(question, present, withheld, _claim(question, found.hits[:TOP_K]))


def _claim(question: Question, hits: tuple[ScoredChunk, ...]) -> tuple[str, ScoredChunk] | None:
    """The sentence of the question's own document that holds a gold answer, and a hit that holds the sentence."""
    for hit in hits:
        for start, end in hit.sentences:
            sentence = hit.text[start - hit.char_start : end - hit.char_start]
            if hit.source == question.doc and any(answer in sentence for answer in question.answers):
                return sentence, hit
    return None


def _supported(sentence: str, chunk: ScoredChunk) -> bool:
    resolved = resolve_citations(f"{sentence} [1]", [chunk])
    return bool(resolved.citations) and all(citation.supported for citation in resolved.citations)


def _auroc(higher: list[float], lower: list[float]) -> float | None:
    scores = [1 - score for score in (*higher, *lower)]
    return abstain_auroc(scores, [True] * len(higher) + [False] * len(lower))


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def main(
    corpus: Annotated[Path, typer.Option(help="Folder of documents.")],
    questions: Annotated[Path, typer.Option(help="Questions, JSON Lines.")],
    limit: Annotated[int | None, typer.Option(help="Ask the first N questions only.")] = None,
    threshold: Annotated[float, typer.Option(help="Answerability from which an answer is given.")] = 0.5,
) -> None:
    """Measure the answerability score and the supported flag."""

    async def run() -> dict[str, object]:
        asked = load_questions(questions, limit)
        async with open_system() as system:
            collection = name_collection(corpus)
            await system.ingest(corpus, collection, lambda _done, _total: None)
            return await measure(system, asked, collection, threshold)

    print(json.dumps(asyncio.run(run())))


if __name__ == "__main__":
    typer.run(main)
