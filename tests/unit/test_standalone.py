"""Follow-up questions: those that lean on the last one are joined to it, all others stand alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import ChatTurn
from app.question.standalone import MAX_CHARS, standalone_question

LISTS = ChatTurn("user", "How do I choose ivfflat lists?")
HISTORY = [LISTS, ChatTurn("assistant", "One for each 1,000 rows [1].")]
ZH_HISTORY = [ChatTurn("user", "如何选择分块大小？"), ChatTurn("assistant", "从 512 个词元开始。")]


@pytest.mark.parametrize(
    "question",
    [
        "And how many probes?",
        "What about probes?",
        "Why?",
        "How does it affect the recall of an index?",
        "Do they need a rebuild after many inserts?",
        "why so many",
        "Which one is the fastest?",
        "How so?",
    ],
)
def test_a_question_that_leans_on_the_last_one_is_joined_to_it(question: str) -> None:
    assert standalone_question(question, HISTORY).text == f"{LISTS.content} {question}"


@pytest.mark.parametrize(
    "question", ["那重叠呢？", "为什么？", "它对召回率有什么影响？", "还有别的办法吗？", "重叠呢"]
)
def test_chinese_follow_ups(question: str) -> None:
    assert standalone_question(question, ZH_HISTORY).text == f"如何选择分块大小？ {question}"


@pytest.mark.parametrize(
    "question",
    [
        "What is BM25 scoring?",
        "How do I back up the database?",
        "如何备份数据库？",
        "向量索引什么时候重建？",
        "Which settings does the embedder have?",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert standalone_question(question, HISTORY).text == question
    assert standalone_question(question, ZH_HISTORY).text == question


@pytest.mark.parametrize("history", [[], [ChatTurn("assistant", "Hello.")], [ChatTurn("user", "  ")]])
def test_without_an_earlier_question_nothing_is_joined(history: list[ChatTurn]) -> None:
    assert standalone_question("And probes?", history).text == "And probes?"


def test_questions_before_the_last_one_are_left_out_where_that_stands_alone() -> None:
    history = [ChatTurn("user", "Old question about lists?"), *HISTORY]
    assert standalone_question("Why?", history).text == f"{LISTS.content} Why?"


def test_a_chain_of_follow_ups_leads_back_to_the_question_that_stands_alone() -> None:
    history = [*HISTORY, ChatTurn("user", "And how many probes?"), ChatTurn("assistant", "Ten.")]
    assert standalone_question("Why?", history).text == f"{LISTS.content} And how many probes? Why?"


@given(st.text(max_size=200), st.integers(0, 2 * MAX_CHARS))
def test_the_result_is_never_longer_than_a_question_may_be(question: str, length: int) -> None:
    found = standalone_question(question, [ChatTurn("user", "x" * length)]).text
    assert len(found) <= MAX_CHARS
    assert question.strip() in found


def test_a_question_of_full_length_keeps_all_of_its_words() -> None:
    question = ("it " * MAX_CHARS)[:MAX_CHARS]
    assert standalone_question(question, HISTORY).text == question.strip()
