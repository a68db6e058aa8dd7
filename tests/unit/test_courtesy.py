"""Courtesy and circumstances change nothing of what is asked."""

from __future__ import annotations

import pytest

from app.question.courtesy import bare_question

QUESTIONS = ("What does error E-107 mean?", "Who did the U.S. collaborate with in 1975?")
QUESTIONS_ZH = ("婚假多少天？", "手機丟了怎麼辦？")


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "template",
    [
        "Hi, could you please tell me: {} Thank you very much!",
        "I would like to know the following. {}",
        "Good morning! {} Thanks in advance.",
        "Hello team, I have a quick question. {} Kind regards",
        "Could anyone tell me: {} Cheers",
        "I just started here last week and my manager sent me all of the rules to read. {}",
    ],
)
def test_polite_questions_are_the_bare_one(template: str, question: str) -> None:
    """F-721."""
    assert bare_question(template.format(question)) == question


@pytest.mark.parametrize("question", QUESTIONS_ZH)
@pytest.mark.parametrize(
    "template",
    [
        "您好，请问{}谢谢！",
        "我想知道{}",
        "帮我查一下{}",
        "麻烦告诉我一下，{}",
        "不好意思，想请教一下，{}",
        "你好！{}麻烦您了",
    ],
)
def test_polite_chinese_questions_are_the_bare_one(template: str, question: str) -> None:
    """F-721."""
    assert bare_question(template.format(question)) == question


@pytest.mark.parametrize("text", ["Thanks!", "你好", "???", "Hello", "VPN", "年假"])
def test_what_is_nothing_but_courtesy_or_a_topic_stays(text: str) -> None:
    assert bare_question(text) == text


def test_a_question_that_leans_on_its_own_first_sentence_keeps_it() -> None:
    text = "In the layered model of the Earth, the mantle has two layers below it. What are they?"
    assert bare_question(text) == text
