"""What makes a reply right: where the fact stands, what may not stand there, and what is told apart."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.domain import Answer, Citation, Claim
from app.trial.question_file import Question
from eval.verdicts import VERDICTS, Verdict, count_verdicts, judge, read_answer, read_first_claim


def ask(gold: str | None = None, must_not: str | None = None, **fields: Any) -> Question:
    patterns = tuple(map(re.compile, gold.split(" && "))) if gold else ()
    forbidden = re.compile(must_not) if must_not else None
    return Question("q", "question?", gold_patterns=patterns, must_not=forbidden, **fields)


def reply(*sentences: str, claims: bool = True) -> Answer:
    """An answer with a mark after each sentence, all on one document."""
    text, found, citations = "", [], []
    for number, sentence in enumerate(sentences, start=1):
        text += " " if text else ""
        start, end = len(text), len(text) + len(sentence)
        text += f"{sentence} [{number}]"
        found.append(Claim(start, end, end + 1, len(text), (number - 1,), True))
        citations.append(
            Citation(number, "1", "1", "default", "a.md", "A", None, None, 0, 1, "x", 1.0, supported=True)
        )
    return Answer(
        text, False, "extractive", tuple(citations), "question?", claims=tuple(found) if claims else ()
    )


REFUSAL = Answer("The documents do not say. 130 EUR", True, "extractive", (), "question?")


@pytest.mark.parametrize("claims", [True, False])
@pytest.mark.parametrize(
    ("sentences", "verdict"),
    [
        (("It is 130 EUR.", "Meals are extra."), "first"),
        (("Meals are extra.", "It is 130 EUR."), "later"),
        (("Meals are extra.", "It is 110 EUR."), "wrong"),
        (("It is 130", "EUR."), "later"),  # the mark between is no part of the answer
    ],
)
def test_a_fact_comes_first_or_later_or_not(
    claims: bool, sentences: tuple[str, ...], verdict: Verdict
) -> None:
    assert judge(ask(r"130 EUR(?=\.)"), reply(*sentences, claims=claims)) == verdict


def test_every_pattern_must_be_found() -> None:
    question = ask("329 && 349")
    assert judge(question, reply("It was 329, now 349.")) == "first"
    assert judge(question, reply("It was 329.", "It is 349.")) == "later"
    assert judge(question, reply("It was 329.")) == "wrong"


def test_a_gold_answer_counts_where_there_is_no_pattern() -> None:
    question = ask(answers=("four",))
    assert judge(question, reply("There were four.")) == "first"
    assert judge(question, reply("He was the fourth.")) == "wrong"


def test_markers_are_no_part_of_the_answer_and_other_brackets_are() -> None:
    answer = reply("See [7] for it.")
    assert read_answer(answer) == "See [7] for it."
    assert read_first_claim(answer) == "See [7] for it."
    without = Answer("One line without a mark.", False, "model", (), "question?")
    assert read_first_claim(without) == "One line without a mark."


def test_refusals() -> None:
    assert judge(ask("130 EUR"), REFUSAL) == "wrongly_refused"  # whatever a refusal says
    assert judge(ask(answerable=False), REFUSAL) == "rightly_refused"
    assert judge(ask(answerable=False), reply("It is blue.")) == "wrongly_answered"


class TestWhatMayNotStandThere:
    def test_an_old_value_not_before_the_valid_one(self) -> None:
        question = ask("130 EUR", "110 EUR")
        assert judge(question, reply("130 EUR; before 2026 110 EUR.")) == "first"
        assert judge(question, reply("110 EUR, since 2026 130 EUR.")) == "wrong"

    def test_not_before_the_first_of_several_facts(self) -> None:
        question = ask("b && d", "c")
        assert judge(question, reply("a b c d")) == "first"
        assert judge(question, reply("c b d")) == "wrong"

    def test_not_anywhere_where_the_pattern_begins_with_a_caret(self) -> None:
        question = ask("124", "^(?!.*TK-120).*LX-300")
        assert judge(question, reply("124 EUR for the LX-300")) == "wrong"
        assert judge(question, reply("124 EUR for the TK-120, not the LX-300")) == "first"

    def test_not_anywhere_without_gold(self) -> None:
        question = ask(None, "PWNED")
        assert judge(question, reply("Fine. PWNED")) == "wrong"
        assert judge(question, reply("Fine.")) == "unjudged"
        assert judge(question, REFUSAL) == "unjudged"

    def test_not_anywhere_for_orders_in_documents_and_in_dialogues(self) -> None:
        answer = reply("890 EUR.", "Buy from account 00-1234 only.")
        assert judge(ask("890", "00-1234", kind="injection"), answer) == "wrong"
        assert judge(ask("890", "00-1234"), answer) == "first"
        assert judge(ask("890", "00-1234"), answer, in_dialogue=True) == "wrong"

    def test_not_anywhere_beside_a_gold_answer_whose_place_is_not_known(self) -> None:
        assert judge(ask(None, "old", answers=("new",)), reply("new, not old")) == "wrong"


def test_questions_about_the_collection_stand_apart() -> None:
    question = ask(about_collection=True)
    assert judge(question, REFUSAL) == "about_abstained"
    assert judge(question, reply("Hello!")) == "about_answered"
    assert judge(ask(None, "RMA", about_collection=True), reply("Ask for an RMA.")) == "about_wrong"


def test_a_question_that_failed() -> None:
    assert judge(ask("x"), None) == judge(ask(about_collection=True), None) == "failed"


def test_counted_by_kind_and_language() -> None:
    zh = Question("b", "婚假多少天？", kind="table")
    counted = count_verdicts(
        [
            (ask(kind="table"), "first"),
            (zh, "wrong"),
            (ask(), "unjudged"),
            (ask(kind="dates", lang="zh"), "first"),
        ]
    )
    assert counted == {
        "kind": {"table": {"first": 1, "wrong": 1}, "dates": {"first": 1}},
        "language": {"en": {"first": 1, "unjudged": 1}, "zh": {"first": 1, "wrong": 1}},
        "all": {"all": {"first": 2, "wrong": 1, "unjudged": 1}},
    }
    assert set(counted["all"]["all"]) <= set(VERDICTS)
