from __future__ import annotations

from dataclasses import replace

import pytest

from eval.metrics import bleu_counts
from eval.summary import ANSWER_KEYS, METRIC_KEYS, QuestionScores, bootstrap_intervals, summarise

PLAIN = QuestionScores(
    retrieval={"recall@1": 1.0, "recall@5": 1.0, "recall@10": 1.0, "mrr@10": 1.0, "ndcg@10": 1.0},
    chunk_words=(10, 20),
    answer=dict.fromkeys(ANSWER_KEYS, 1.0),
    bleu=bleu_counts("the black sea", ["the black sea"]),
    answer_words=3,
    answerable=True,
    abstained=False,
    abstain_score=0.1,
    citations=2,
    citations_exact=2,
    latency_ms=10.0,
)
MISSED = replace(
    PLAIN,
    retrieval=dict.fromkeys(PLAIN.retrieval or {}, 0.0),
    answer=dict.fromkeys(ANSWER_KEYS, 0.0),
    chunk_words=(60,),
    answer_words=5,
    citations_exact=0,
    latency_ms=30.0,
)
UNANSWERABLE = replace(
    PLAIN, retrieval=None, answer=None, bleu=None, answer_words=None, answerable=False, abstained=True,
    abstain_score=0.9, citations=0, citations_exact=0, chunk_words=(), latency_ms=20.0,
)  # fmt: skip


def test_keys_and_their_order_are_fixed() -> None:
    assert tuple(summarise([PLAIN])) == METRIC_KEYS


def test_each_question_counts_where_its_measures_apply() -> None:
    figures = summarise([PLAIN, MISSED, UNANSWERABLE])
    assert figures["recall@1"] == 0.5  # the unanswerable one has no passage to find
    assert figures["answer_contains_gold"] == 0.5
    assert figures["mean_words_per_chunk"] == 30.0
    assert figures["citation_exact"] == 0.5
    assert figures["mean_answer_words"] == 4.0
    assert figures["abstain_precision"] == figures["abstain_recall"] == figures["abstain_auroc"] == 1.0
    assert figures["answerable_refused"] == 0.0
    assert figures["p50_ms"] == 20.0
    assert figures["questions"] == 3


def test_what_no_question_has_is_undefined_not_zero() -> None:
    figures = summarise([UNANSWERABLE])
    for key in (
        "recall@1",
        "ndcg@10",
        "bleu",
        "rougeS",
        "citation_exact",
        "abstain_auroc",
        "answerable_refused",
    ):
        assert figures[key] is None, key
    assert figures["abstain_recall"] == 1.0
    assert "recall@1" not in bootstrap_intervals([UNANSWERABLE])


def test_a_failure_counts_as_wrong_and_has_no_latency() -> None:
    failed = replace(MISSED, failed=True, latency_ms=None, abstain_score=0.0)
    figures = summarise([PLAIN, failed])
    assert (figures["failed"], figures["p95_ms"], figures["recall@10"]) == (1, 10.0, 0.5)


def test_bleu_is_the_corpuss_not_a_mean() -> None:
    long = replace(PLAIN, bleu=bleu_counts("it flows to the black sea", ["it flows to the black sea"]))
    short = replace(PLAIN, bleu=bleu_counts("wrong", ["right"]))
    figures = summarise([long, short])
    assert figures["bleu1"] == pytest.approx(6 / 7)
    assert figures["bleu"] == figures["bleu4"]
    assert figures["brevity_penalty"] == 1.0


def test_interval_of_a_share_is_near_the_normal_approximation() -> None:
    low, high = bootstrap_intervals([PLAIN] * 80 + [MISSED] * 20)["recall@1"]
    error = 1.96 * (0.8 * 0.2 / 100) ** 0.5
    assert low == pytest.approx(0.8 - error, abs=0.02)
    assert high == pytest.approx(0.8 + error, abs=0.02)


def test_intervals_hold_the_figure_and_repeat() -> None:
    scores = [PLAIN, MISSED, UNANSWERABLE] * 20
    intervals = bootstrap_intervals(scores)
    assert intervals == bootstrap_intervals(scores)
    figures = summarise(scores)
    for key, (low, high) in intervals.items():
        value = figures[key]
        assert value is not None
        assert low - 1e-9 <= value <= high + 1e-9, key


class TestFacts:
    FIRST = replace(PLAIN, verdict="first", counts_as_fact=True)
    LATER = replace(PLAIN, verdict="later", counts_as_fact=True)
    REFUSED = replace(
        MISSED, verdict="wrongly_refused", counts_as_fact=True, one_language=False, kind="cross-language"
    )
    FAILED = replace(MISSED, verdict="failed", counts_as_fact=True, failed=True, latency_ms=None)
    NEAR = replace(UNANSWERABLE, verdict="wrongly_answered", abstained=False, kind="near-miss-refuse")

    def test_shares_of_the_questions_with_a_fact(self) -> None:
        figures = summarise([self.FIRST, self.LATER, self.REFUSED, self.FAILED, self.NEAR, UNANSWERABLE])
        assert [figures[f"fact_{key}"] for key in ("first", "anywhere", "wrong", "refused")] == [
            0.25, 0.5, 0.25, 0.25,
        ]  # fmt: skip
        assert figures["fact_first_one_language"] == pytest.approx(1 / 3)
        assert figures["fact_refused_one_language"] == 0.0
        assert (figures["near_miss_answered"], figures["off_topic_answered"]) == (1.0, None)

    def test_what_was_only_searched_for_has_no_verdict(self) -> None:
        figures = summarise([replace(PLAIN, counts_as_fact=True, only_searched=True)])
        assert figures["fact_first"] is None

    def test_a_greeting_is_neither_rightly_nor_wrongly_refused(self) -> None:
        greeting = replace(
            PLAIN, abstained=True, about_collection=True, verdict="about_abstained", answer=None
        )
        figures = summarise([self.FIRST, UNANSWERABLE, greeting])
        assert (figures["answerable_refused"], figures["abstain_precision"]) == (0.0, 1.0)
        assert figures["fact_refused"] == 0.0
