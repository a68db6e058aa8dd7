"""The evidence score: none without hits, more with more evidence, and a path for questions the model can't read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import RetrievalScores, ScoredChunk
from app.generation.evidence import answerability as score_hits
from app.generation.evidence import (
    answerability_across,
    can_read,
    coverage,
    says_more,
    without_alike,
    words_once,
)
from app.generation.units import read_units
from app.question.content import Asked, read_question
from tests.fakes import FakeEmbedder
from tests.hits import hits_of

WEIGHTS = {"tower": 2.0, "built": 1.0, "pari": 1.0}


ASKED = Asked("", tuple(WEIGHTS), (), frozenset())


def answerability(hits: list[ScoredChunk], weights: dict[str, float], *, readable: bool) -> float:
    return score_hits(hits, read_units(hits), ASKED, weights, readable=readable)


def hit(text: str, dense: float | None = 0.5, lexical: float | None = 4.0) -> ScoredChunk:
    """`dense` in units of ten standard deviations."""
    return replace(
        hits_of(text)[0], scores=RetrievalScores(dense, lexical, None), standard=10 * (dense or 0.0)
    )


@pytest.mark.parametrize("readable", [True, False])
def test_without_hits_there_is_no_evidence(readable: bool) -> None:
    assert answerability([], WEIGHTS, readable=readable) == 0.0


@pytest.mark.parametrize("readable", [True, False])
def test_a_full_answer_passes_and_an_unrelated_one_does_not(readable: bool) -> None:
    full = [hit("The tower was built in Paris.", 0.8, 8.0)]
    other = [hit("Rain is expected in the evening.", 0.05, 0.0)]
    assert answerability(full, WEIGHTS, readable=readable) > 0.9
    assert answerability(other, WEIGHTS, readable=readable) < 0.1


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=2), st.lists(st.floats(0, 20), min_size=2, max_size=2))
@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("fuller", ["The tower was built in Paris.", "The tower stands."])
def test_more_evidence_never_scores_less(
    fuller: str, readable: bool, dense: list[float], lexical: list[float]
) -> None:
    less = [hit("The tower stands.", min(dense), min(lexical))]
    more = [hit(fuller, max(dense), max(lexical))]
    scores = [answerability(hits, WEIGHTS, readable=readable) for hits in (less, more)]
    assert 0.0 <= scores[0] <= scores[1] <= 1.0


def test_one_sentence_that_holds_all_is_more_than_two_that_share_it() -> None:
    together = [hit("The tower was built in Paris. It rains.")]
    apart = [hit("The tower rains. It was built in Paris.")]
    assert answerability(together, WEIGHTS, readable=True) > answerability(apart, WEIGHTS, readable=True)


def test_where_the_model_can_not_read_the_question_the_cosine_says_nothing() -> None:
    low, high = [hit("The tower.", 0.1)], [hit("The tower.", 0.9)]
    assert answerability(low, WEIGHTS, readable=False) == answerability(high, WEIGHTS, readable=False)
    assert answerability(low, WEIGHTS, readable=True) < answerability(high, WEIGHTS, readable=True)


def test_a_hit_in_another_language_does_not_stand_for_the_best_in_the_question_s_own() -> None:
    """firm-068: "2FA" brought a Chinese page to the top, and the nearer English one counted for nothing."""
    chance, own = replace(hit("禁止使用 The tower。"), standard=0.5), replace(hit("The tower."), standard=5.0)
    first = replace(hit("The tower."), standard=0.5)
    assert answerability([chance, own], WEIGHTS, readable=True) > answerability(
        [first, own], WEIGHTS, readable=True
    )


def across(question: str, text: str, *, standard: float) -> float:
    hits = [replace(hit(text), standard=standard)]
    units = read_units(hits)
    return answerability_across(units[:1], standard, units, read_question(question))


def test_a_text_in_another_language_has_no_words_and_may_be_near() -> None:
    assert (
        score_hits([hit("塔建于巴黎。")], read_units([hit("塔建于巴黎。")]), ASKED, WEIGHTS, readable=True)
        == 0.0
    )
    assert across("Where was the tower built?", "塔建于巴黎。", standard=4.0) > 0.5
    assert across("Where was the tower built?", "塔建于巴黎。", standard=2.0) < 0.5
    assert answerability_across((), 9.0, (), ASKED) == 0.0


@pytest.mark.parametrize(
    ("question", "text", "other"),
    [
        ("What does E-120 mean?", "E-120：膜片损坏", "E-101：传感器未连接"),
        ("What was decided on 25 April 2026?", "2026年4月25日决定涨价。", "2026年2月24日决定涨价。"),
        (
            "Nordwind合同的责任上限是多少？",
            "Nordwind is liable for 250,000 EUR.",
            "Huatai is liable for 250,000 EUR.",
        ),
        ("第3条说什么？", "3. Payment is due at once.", "4. Payment is due at once."),
    ],
)
def test_what_both_languages_write_alike_must_stand_in_it(question: str, text: str, other: str) -> None:
    assert across(question, text, standard=6.0) > 0.9
    assert across(question, other, standard=6.0) == 0.0


def test_a_long_chinese_word_that_is_nowhere_counts_once() -> None:
    """Issue 13.3: a word that the collection lacks made a missing term of each of its pairs, and a paraphrase was
    refused."""
    weights = {"宪法": 2.0, "例外情况": 3.0, "例外": 3.0, "外情": 3.0, "情况": 1.0}
    once = words_once(weights, frozenset(("例外情况", "例外", "外情")))
    assert once == pytest.approx({"宪法": 2.0, "例外情况": 1.5, "例外": 1.5, "情况": 1.0})
    assert words_once(weights, frozenset()) == weights  # what is held is asked for by word and by pair
    assert words_once(weights, frozenset(("例外",))) == weights


def test_a_pair_across_two_parts_of_it_says_nothing_where_it_stands_in_other_words() -> None:
    """firm-163: 据保 of 数据保护 stands in 数据保存."""
    weights = {"数据保护": 3.0, "数据": 2.0, "据保": 3.0, "保护": 3.0}
    once = words_once(weights, frozenset(("数据保护", "保护")))
    assert once == pytest.approx({"数据保护": 1.5, "数据": 2.0, "保护": 1.5})


def test_what_a_title_holds_is_not_lacking() -> None:
    """firm-140: 价目表 stands in the name of the file alone."""
    row = hit("| 名称 | 单价 |")
    titled = [replace(unit, around=unit.around | {"价目表", "价目", "目表"}) for unit in read_units([row])]
    weights = {"价目表": 2.0, "价目": 2.0, "目表": 2.0, "产品": 2.0}
    asked = Asked("价目表里有几种产品", tuple(weights), (), frozenset())
    unknown = frozenset(("价目表", "价目", "目表"))
    judged = score_hits([row], titled, asked, weights, readable=True, unknown=unknown)
    assert judged == score_hits([row], titled, asked, weights, readable=True)


def test_what_is_written_alike_is_no_part_of_what_is_compared() -> None:
    asked = read_question("P1的首次响应时间是多少？")
    assert without_alike(asked.text, asked) == "的首次响应时间是多少？"
    assert without_alike("P1: 30 minutes, P12: 4 hours", asked) == ": 30 minutes, P12: 4 hours"
    assert says_more(asked)
    assert not says_more(read_question("GW-7?"))
    plain = read_question("How often?")
    assert without_alike(plain.text, plain) == plain.text


def test_hits_that_one_leg_did_not_score() -> None:
    assert 0.0 < answerability([hit("The tower.", None, None)], WEIGHTS, readable=True) < 0.5


def test_a_question_without_terms_rests_on_the_cosine() -> None:
    assert answerability([hit("The tower.", 0.9)], {}, readable=True) > 0.5
    assert answerability([hit("The tower.", 0.1)], {}, readable=True) < 0.5


def test_coverage_is_the_share_of_idf_mass() -> None:
    assert coverage(frozenset({"tower", "rain"}), WEIGHTS, 4.0) == 0.5
    assert coverage(frozenset(), WEIGHTS, 4.0) == 0.0
    assert coverage(frozenset({"tower"}), {}, 0.0) == 0.0


def test_an_english_model_can_not_read_chinese() -> None:
    english = FakeEmbedder(reads_han=False)
    assert can_read(english, "How many lists?")
    assert not can_read(english, "如何选择分块大小？")
    assert not can_read(english, "ivfflat 的 lists 如何选择？")
    assert can_read(FakeEmbedder(), "如何选择分块大小？")
    assert not can_read(english, " ")
