"""What an answer says of itself where only quoting is possible."""

from __future__ import annotations

import pytest

from app.domain import Answer
from app.generation.quoting import in_language, only_quoted, say_before
from app.generation.reply import Voice
from app.question.tasks import Task
from tests.hits import hits_of
from tests.unit.test_again import assert_exact, told

ENGLISH, CHINESE, TRADITIONAL = Voice(False), Voice(True), Voice(True, True)
LEAVE = "# Leave\n\nParental leave lasts 14 months. The firm recommends the train.\n\nCall your manager before nine.\n"


def answered(question: str, text: str = LEAVE) -> Answer:
    return told(question, hits_of(text))[0]


@pytest.mark.parametrize("task", list(Task))
def test_each_task_is_answered_by_quoting_which_the_answer_says(task: Task) -> None:
    answer = answered("How long does parental leave last?")
    for voice, said in (
        (ENGLISH, "I can only quote here"),
        (CHINESE, "只能引用原文"),
        (TRADITIONAL, "這裡只能引用原文"),
    ):
        quoted = only_quoted(answer, task, voice)
        assert said in quoted.text.split("\n")[0]
        assert quoted.text.endswith(answer.text)
        assert_exact(quoted, hits_of(LEAVE))


@pytest.mark.parametrize(
    ("question", "is_stated"),
    [
        ("Should I take the train?", True),
        ("Should I call my manager?", True),
        ("Should I take parental leave?", False),
    ],
)
def test_advice_that_a_document_gives_is_the_answer(question: str, is_stated: bool) -> None:
    answer = answered(question)
    assert (only_quoted(answer, Task.ADVISE, ENGLISH) == answer) is is_stated, answer.text


@pytest.mark.parametrize(
    ("text", "is_stated"),
    [
        ("# 交通\n\n市内出行建议乘坐地铁。\n", True),
        ("# 交通\n\n地铁六点开始运行，票价便宜。\n", False),
        ("# 交通\n\n乘坐地铁须保留车票。\n", True),
    ],
)
def test_chinese_advice(text: str, is_stated: bool) -> None:
    answer = answered("我应该坐地铁吗？", text)
    assert (only_quoted(answer, Task.ADVISE, CHINESE) == answer) is is_stated


def test_an_answer_in_another_language_says_that_quotations_stay_as_written() -> None:
    answer = answered("How long does parental leave last?")
    assert in_language(answer, ENGLISH) == answer
    assert in_language(answer, CHINESE).text.startswith("这里不能翻译，以下引用文档原文：\n\nParental leave")
    assert in_language(answer, TRADITIONAL).text.startswith("這裡不能翻譯")


def test_claims_move_with_the_text() -> None:
    answer = answered("How long does parental leave last?")
    moved = say_before(answer, "Listen:")
    for claim, before in zip(moved.claims, answer.claims, strict=True):
        assert moved.text[claim.start : claim.end] == answer.text[before.start : before.end]
