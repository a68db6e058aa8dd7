"""Follow-up questions: those that lean on the last one are joined to it, all others stand alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import ChatTurn
from app.question.standalone import MAX_CHARS, Standalone, alone, standalone_question

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


def after(asked: str, question: str) -> Standalone:
    return standalone_question(question, [ChatTurn("user", asked), ChatTurn("assistant", "So. [1]")])


@pytest.mark.parametrize("question", ["Potsdam", "VPN?", "forklift", "停车", "頭盔預算", "輪胎破損有理賠嗎"])
def test_a_word_alone_is_a_new_topic(question: str) -> None:
    """F-741: after the first question, search by keyword stays alive."""
    assert after("How do I return a device?", question) == alone(question)


@pytest.mark.parametrize(
    "question",
    [
        "Is it true that private USB sticks are forbidden?",
        "How long does it take Ann Miller to respond to a ticket?",
        "Why is it difficult to resolve conflicts between teams?",
        "What is it called when two orders collide?",
        "What is this year's budget for the test bench?",
        "其他城市的住宿标准是多少？",
        "员工该几点打卡？",
        "这个月的值班表在哪里？",
        "半透膜指的是什么？",
        "三氯化氮在什么情况下比较常见？",
    ],
)
def test_a_pronoun_anywhere_makes_no_follow_up(question: str) -> None:
    """F-742"""
    assert after("How long is the probation period?", question) == alone(question)


@pytest.mark.parametrize(
    ("asked", "question", "text", "about"),
    [
        ("How much is an LX-300-D?", "What about the TK-120?", "How much is an TK-120?", "TK-120"),
        ("LX-200的防护等级是多少？", "GW-7呢？", "GW-7的防护等级是多少？", "GW-7"),
        ("What is the limit in France?", "and in Germany?", "What is the limit in Germany?", "Germany"),
        ("What is the limit in France?", "In Germany?", "What is the limit in Germany?", "Germany"),
        ("法国的限额是多少？", "那英国呢", "英国的限额是多少？", "英国"),
        ("法國的限額是多少？", "那英國？", "英國的限額是多少？", "英國"),
        (
            "How much leave do I get?",
            "What about visitors?",
            "How much leave do I get? What about visitors?",
            "visitors",
        ),
        (
            "What is the notice period?",
            "No, I mean the payment period",
            "What is the payment period?",
            "payment period",
        ),
        ("What does the C-10 cost?", "K-25?", "What does the K-25 cost?", "K-25"),
    ],
)
def test_another_thing_keeps_what_was_asked(asked: str, question: str, text: str, about: str) -> None:
    """F-743: the value of the thing named, or a refusal, never that of the first one."""
    found = after(asked, question)
    assert (found.text, found.about) == (text, about)


@pytest.mark.parametrize(
    ("asked", "question", "text"),
    [
        (
            "What is the accuracy of the LX-200?",
            "Is the LX-300 better?",
            "Difference between LX-200 and the LX-300?",
        ),
        (
            "What is the limit in France?",
            "Is it higher in Belgium?",
            "Difference between France and Belgium?",
        ),
        ("E-40的续航是多少？", "E-60更远吗？", "E-40和E-60比较"),
        ("E-40的續航是多少？", "跟E-60比呢？", "E-40和E-60比较"),
    ],
)
def test_a_degree_without_than_compares_with_what_was_asked_of(asked: str, question: str, text: str) -> None:
    assert after(asked, question).text == f"{asked} {text}"


def test_a_why_wants_the_reason_and_a_when_leans() -> None:
    """F-745: 什么时候开始？ asks of what was asked before."""
    why = after("青岛店的装修推迟到什么时候？", "为什么推迟？")
    assert (why.text, why.form, why.wants_reason) == (
        "青岛店的装修推迟到什么时候？ 为什么推迟？",
        "为什么推迟？",
        True,
    )
    assert after("FM-40X的交期是多少天？", "什么时候开始？").text == "FM-40X的交期是多少天？ 什么时候开始？"
    assert not after("When is the move?", "Who pays for it?").wants_reason
    assert after("What is the excess for theft?", "Who do I call then?").text.startswith("What is the excess")
