"""From per-question scores to the figures of a run, and how far another draw of questions would move them.

Pure. A figure and the bounds of its interval come from the same function: once over all questions, then over
draws of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from eval.metrics import (
    BLEU_ORDER,
    RANK_MEASURES,
    BleuCounts,
    abstain_auroc,
    abstain_precision,
    abstain_recall,
    brevity_penalty,
    corpus_bleu,
    percentile,
)
from eval.verdicts import NEAR_MISS, OFF_TOPIC, RIGHT_FACT, Verdict

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
_Ratio = tuple[float, float]  # what one question adds to the numerator and to the denominator

BOOTSTRAP_DRAWS: Final = 1000
BOOTSTRAP_SEED: Final = 20261124  # any fixed number: the same scores give the same intervals

# The contract's keys first and in its order, then what this report adds.
METRIC_KEYS: Final = (
    "recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10", "mean_words_per_chunk",
    "answer_contains_gold", "exact_match", "token_f1",
    "bleu", "rouge1", "rouge2", "rougeL", "rougeS", "meteor",
    "abstain_precision", "abstain_recall", "abstain_auroc", "citation_exact",
    "questions", "p50_ms", "p95_ms",
    "bleu1", "bleu2", "bleu3", "bleu4", "brevity_penalty", "mean_answer_words", "answerable_refused", "failed",
    "fact_first", "fact_anywhere", "fact_wrong", "fact_refused", "near_miss_answered", "off_topic_answered",
    "fact_first_one_language", "fact_anywhere_one_language", "fact_wrong_one_language", "fact_refused_one_language",
    "near_miss_answered_one_language", "off_topic_answered_one_language",
)  # fmt: skip
# Of the questions that a fact of the documents answers, the share with one of these verdicts.
FACT_VERDICTS: Final[Mapping[str, frozenset[Verdict]]] = {
    "fact_first": frozenset({"first"}),
    "fact_anywhere": RIGHT_FACT,
    "fact_wrong": frozenset({"wrong", "failed"}),
    "fact_refused": frozenset({"wrongly_refused"}),
}
# Of the questions whose kind begins so and that the documents do not answer, the share answered.
ANSWERED_KINDS: Final = {"near_miss_answered": NEAR_MISS, "off_topic_answered": OFF_TOPIC}
ANSWER_KEYS: Final = (
    "answer_contains_gold", "exact_match", "token_f1", "rouge1", "rouge2", "rougeL", "rougeS", "meteor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class QuestionScores:
    """What one question adds to the figures. None: the measure does not apply to this question."""

    retrieval: Mapping[str, float] | None  # keys of RANK_MEASURES; None without a gold passage
    chunk_words: tuple[int, ...]  # lengths of the retrieved chunks
    answer: Mapping[str, float] | None  # keys of ANSWER_KEYS; None without gold answers
    bleu: BleuCounts | None
    answer_words: int | None  # None where the system abstained
    answerable: bool
    abstained: bool
    abstain_score: float  # higher: more likely unanswerable
    citations: int
    citations_exact: int
    latency_ms: float | None  # None where the question failed
    failed: bool = False
    only_searched: bool = False  # no answer was asked for: abstention is not judged
    verdict: Verdict | None = None
    counts_as_fact: bool = False  # a fact of the documents answers it, and a gold answer says which
    one_language: bool = True  # the question is in the language of its documents
    kind: str | None = None
    about_collection: bool = False  # to refuse it is neither right nor wrong

    @property
    def judges_abstention(self) -> bool:
        """Whether it is right to abstain, or wrong."""
        return not self.only_searched and not self.about_collection

    def is_unanswerable(self, kind: str) -> bool:
        """Whether the documents do not hold the answer, in a judged question whose kind begins so."""
        judged = self.verdict is not None and not self.answerable
        return judged and self.kind is not None and self.kind.startswith(kind)


def summarise(scores: Sequence[QuestionScores]) -> dict[str, float | int | None]:
    """The figures of a run, in the order of METRIC_KEYS; None where no question has the measure.

    Retrieval: mean over answerable questions with a gold passage. Answers: mean over answerable questions
    with gold answers, an abstention or a failure counting 0 (BLEU is the corpus's, from summed counts).
    mean_words_per_chunk, citation_exact, mean_answer_words: mean over all chunks, citations, answers. fact_…: shares
    of the answerable questions with gold, each verdict counting once; …_one_language leaves out cross-language ones.
    """
    everything = np.arange(len(scores))[np.newaxis, :]
    figures: dict[str, float | int | None] = {}
    for key, values in _figures(scores, everything).items():
        figures[key] = None if np.isnan(values[0]) else float(values[0])
    figures["questions"] = len(scores)
    figures["failed"] = sum(s.failed for s in scores)
    return {key: figures[key] for key in METRIC_KEYS}


def fact_values(scores: QuestionScores) -> dict[str, float]:
    """Of one question, each key of FACT_VERDICTS with 1.0 or 0.0; nothing where no fact was asked for or judged."""
    if scores.verdict is None or not scores.counts_as_fact:
        return {}
    return {key: float(scores.verdict in verdicts) for key, verdicts in FACT_VERDICTS.items()}


def bootstrap_intervals(
    scores: Sequence[QuestionScores], draws: int = BOOTSTRAP_DRAWS, seed: int = BOOTSTRAP_SEED
) -> dict[str, tuple[float, float]]:
    """95 % intervals of the figures by the percentile bootstrap over questions; figures without a value are
    left out. Source: Efron and Tibshirani 1993, section 13.3."""
    if not scores:
        return {}
    chosen = np.random.default_rng(seed).integers(len(scores), size=(draws, len(scores)))
    intervals = {}
    for key, values in _figures(scores, chosen).items():
        defined = values[~np.isnan(values)]
        if defined.size:
            low, high = np.quantile(defined, (0.025, 0.975))
            intervals[key] = (float(low), float(high))
    return intervals


def _figures(scores: Sequence[QuestionScores], chosen: Indices) -> dict[str, Floats]:
    """Every figure for each row of `chosen`, indices of questions (draws, questions); NaN: undefined."""
    weights = np.stack([np.bincount(row, minlength=len(scores)) for row in chosen]).astype(np.float64)
    figures = {key: _ratio(parts, weights) for key, parts in _ratios(scores).items()}
    figures |= _bleu_figures(scores, weights)
    for key, statistic in _STATISTICS.items():
        values = (statistic([scores[at] for at in row]) for row in chosen)
        figures[key] = np.array([np.nan if value is None else value for value in values])
    return figures


def _ratios(scores: Sequence[QuestionScores]) -> dict[str, list[_Ratio]]:
    """Figures that are one sum over questions divided by another."""
    ratios = {key: [_mean_part(s.retrieval, key) for s in scores] for key in RANK_MEASURES}
    ratios |= {key: [_mean_part(s.answer, key) for s in scores] for key in ANSWER_KEYS}
    ratios["mean_words_per_chunk"] = [(sum(s.chunk_words), len(s.chunk_words)) for s in scores]
    ratios["citation_exact"] = [(s.citations_exact, s.citations) for s in scores]
    ratios["mean_answer_words"] = [(s.answer_words or 0, s.answer_words is not None) for s in scores]
    ratios["answerable_refused"] = [
        (s.answerable and s.abstained, s.answerable) if s.judges_abstention else (0, 0) for s in scores
    ]
    for suffix, counted in (("", [True] * len(scores)), ("_one_language", [s.one_language for s in scores])):
        for key in FACT_VERDICTS:
            ratios[key + suffix] = [
                _mean_part(fact_values(s), key) if counts else (0, 0)
                for s, counts in zip(scores, counted, strict=True)
            ]
        for key, kind in ANSWERED_KINDS.items():
            ratios[key + suffix] = [
                (s.verdict == "wrongly_answered", 1) if counts and s.is_unanswerable(kind) else (0, 0)
                for s, counts in zip(scores, counted, strict=True)
            ]
    return ratios


def _mean_part(values: Mapping[str, float] | None, key: str) -> _Ratio:
    value = values.get(key) if values else None
    return (0, 0) if value is None else (value, 1)


def _ratio(parts: list[_Ratio], weights: Floats) -> Floats:
    sums = weights @ np.array(parts, dtype=np.float64).reshape(-1, 2)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1], dtype=np.float64)  # 0/0 is NaN: undefined


def _bleu_figures(scores: Sequence[QuestionScores], weights: Floats) -> dict[str, Floats]:
    rows = [
        [0] * (2 * BLEU_ORDER + 2)
        if s.bleu is None
        else [*s.bleu.matched, *s.bleu.total, s.bleu.answer_length, s.bleu.gold_length]
        for s in scores
    ]
    sums = weights @ np.array(rows, dtype=np.float64).reshape(-1, 2 * BLEU_ORDER + 2)
    corpora = [
        BleuCounts(tuple(row[:BLEU_ORDER]), tuple(row[BLEU_ORDER : 2 * BLEU_ORDER]), row[-2], row[-1])
        for row in sums.astype(int).tolist()
    ]
    figures = {f"bleu{n}": _defined(corpora, partial(corpus_bleu, order=n)) for n in range(1, BLEU_ORDER + 1)}
    figures["bleu"] = figures[f"bleu{BLEU_ORDER}"]
    figures["brevity_penalty"] = _defined(corpora, brevity_penalty)
    return figures


def _defined(corpora: Sequence[BleuCounts], statistic: Callable[[BleuCounts], float]) -> Floats:
    """The statistic of each corpus; NaN for one without gold answers."""
    return np.array([statistic(corpus) if corpus.gold_length else np.nan for corpus in corpora])


def _abstentions(scores: Sequence[QuestionScores]) -> tuple[list[bool], list[bool]]:
    judged = [s for s in scores if s.judges_abstention]
    return [s.abstained for s in judged], [s.answerable for s in judged]


def _latency(scores: Sequence[QuestionScores], share: float) -> float | None:
    return percentile([s.latency_ms for s in scores if s.latency_ms is not None], share)


_STATISTICS: Final[dict[str, Callable[[Sequence[QuestionScores]], float | None]]] = {
    "abstain_precision": lambda scores: abstain_precision(*_abstentions(scores)),
    "abstain_recall": lambda scores: abstain_recall(*_abstentions(scores)),
    "abstain_auroc": lambda scores: abstain_auroc(
        [s.abstain_score for s in scores if s.judges_abstention], _abstentions(scores)[1]
    ),
    "p50_ms": lambda scores: _latency(scores, 0.5),
    "p95_ms": lambda scores: _latency(scores, 0.95),
}
