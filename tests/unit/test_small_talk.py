"""Replies to talk: in the message's language and script, about nothing but the talk."""

from __future__ import annotations

import pytest

from app.domain import ChatTurn
from app.generation.reply import Voice
from app.generation.small_talk import answer_talk
from app.question.talk import is_traditional
from tests.unit.test_talk import QUESTIONS, TALK

ASKED = [ChatTurn("user", "How do I return a device?"), ChatTurn("assistant", "By parcel [1].")]
SIMPLE = [message for messages in TALK.values() for message in messages]


def text_of(message: str, history: list[ChatTurn] | None = None, voice: Voice | None = None) -> str:
    answer = answer_talk(message, history or [], voice)
    assert answer is not None
    assert (answer.abstained, answer.kind, answer.citations, answer.claims) == (False, "chat", (), ())
    return answer.text


@pytest.mark.parametrize("message", SIMPLE)
def test_each_talk_has_a_reply_that_is_no_quotation(message: str) -> None:
    """F-744, F-802: after a question there is a reply to any talk, and never the answer again."""
    text = text_of(message, ASKED)
    assert text
    assert "By parcel" not in text
    assert "{" not in text


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Thanks, that helped!", "You are welcome."),
        ("谢谢", "不客气"),
        ("謝謝你的幫助", "不客氣"),
        ("你好", "您好！您想从文档中了解什么？"),
        ("你能做什麼？", "點開即是原文"),
        ("What did I ask before?", "You asked: How do I return a device?"),
        ("我刚才问了什么？", "您之前问的是：How do I return a device?"),
        ("Tell me more", '"How do I return a device?"'),
        ("答非所问", "哪里不对"),
        ("yes", "What would you like to know?"),
        ("Answer in Chinese", "可以用中文或英文提问"),
        ("请用英文回答", "Ask in English or in Chinese"),
    ],
)
def test_what_is_said(message: str, said: str) -> None:
    assert said in text_of(message, ASKED)


def test_traditional_characters_are_answered_in_traditional_ones() -> None:
    for message in ("謝謝", "你能做什麼？", "總結一下我們的對話"):
        assert is_traditional(text_of(message, ASKED)) or message == "謝謝", message
    assert "還有問題請繼續問" in text_of("謝謝")


def test_what_was_asked_stays_in_its_own_script() -> None:
    """F-744"""
    asked = [ChatTurn("user", "请假制度的规定？")]
    assert text_of("我剛才問了什麼？", asked) == "您之前問的是：请假制度的规定？"


def test_without_an_earlier_question_there_is_nothing_to_recall_or_to_tell_more_of() -> None:
    assert text_of("What did I ask before?") == "You have not asked anything before this."
    assert answer_talk("Tell me more", []) is None
    assert answer_talk("That is wrong", []) is None


def test_a_reply_is_in_the_voice_that_is_given() -> None:
    assert text_of("👍", ASKED, Voice(True)) == "很高兴能帮上忙，还有问题请继续问。"
    assert text_of("👍", ASKED, Voice(True, True)) == "很高興能幫上忙，還有問題請繼續問。"


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_gets_none(question: str) -> None:
    assert answer_talk(question, ASKED) is None
