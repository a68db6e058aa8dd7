"""What is talk and what is a question: whole messages only, English and both scripts of Chinese (F-802, F-744)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import ChatTurn
from app.question.talk import (
    Talk,
    asked_language,
    corrected,
    earlier_questions,
    fold_message,
    is_traditional,
    leans_on_history,
    read_again,
    read_talk,
)

TALK: dict[Talk, tuple[str, ...]] = {
    Talk.GREETING: (
        "Hello",
        "hi!",
        "Hey there",
        "Good morning, team",
        "你好",
        "您好！",
        "早上好",
        "大家好",
        "Hello, 你好 👋",
    ),
    Talk.WELL_BEING: (
        "Hi there! How are you?",
        "how are you doing today",
        "你好吗",
        "在吗？",
        "你最近怎么样",
    ),
    Talk.THANKS: (
        "Thanks!",
        "Thanks, that helped!",
        "thank you so much for your help 🙏",
        "ok thanks bye",
        "谢谢",
        "謝謝你的幫助",
        "非常感谢！",
        "好的，谢谢！",
    ),
    Talk.FAREWELL: ("Bye!", "goodbye", "see you tomorrow", "再见", "拜拜", "再見"),
    Talk.IDENTITY: (
        "Who are you?",
        "what's your name",
        "Are you a bot?",
        "你是谁？",
        "你是誰",
        "介绍一下你自己",
    ),
    Talk.HELP: (
        "help",
        "What can you do?",
        "How does this work",
        "how do I use this?",
        "can you help me?",
        "你能做什么？",
        "你能做什麼？",
        "怎么用",
        "帮助",
        "你有哪些功能",
    ),
    Talk.INTENT: ("I have a question", "Can I ask you something?", "我想问一个问题", "请问"),
    Talk.ASSENT: ("yes", "ok", "Yes, please", "sure", "好的", "是的", "嗯", "好"),
    Talk.DENIAL: ("no", "not now", "never mind", "不用了", "算了"),
    Talk.OBJECTION: (
        "That is wrong",
        "I believe that is incorrect.",
        "No, that can't be right.",
        "Where did you get that from?",
        "不對吧",
        "你从哪里看到的？",
        "that's not correct!",
        "Are you sure?",
        "不对",
        "你错了",
        "你錯了",
        "答非所问",
    ),
    Talk.MORE: (
        "Tell me more",
        "and then?",
        "what else?",
        "说详细一点",
        "再具体一点",
        "能再多說一點嗎",
        "more details please",
        "continue",
        "go on",
        "再详细说说",
        "继续",
        "更多",
        "還有嗎？",
    ),
    Talk.RECALL: (
        "What did I ask before?",
        "what was my first question",
        "我刚才问了什么？",
        "我之前問了什麼",
    ),
    Talk.RECAP: ("Summarise this conversation", "总结一下我们的对话"),
    Talk.LANGUAGE: (
        "Answer in English please",
        "Can you say that in Chinese?",
        "用英文再说一遍",
        "English please",
        "in Chinese please",
        "请用中文回答",
        "請用中文回答",
        "用英文回答我",
    ),
    Talk.APPLAUSE: ("👍", "Great!", "got it", "that makes sense", "明白了", "太好了", "原來如此"),
}

QUESTIONS = (
    "Hello world example",
    "Thanks to whom did the city grow?",
    "yes/no questions",
    "help desk phone number",
    "help with the VPN",
    "How does this work with docker?",
    "How do I use this port?",
    "What can you do against rust?",
    "Who are you allowed to call at night?",
    "That is wrong, it changed in 2026",
    "No, I mean the payment term",
    "more holidays",
    "next release",
    "good morning shift hours",
    "Bye-laws",
    "What did I ask the supplier for?",
    "Answer in English to which customers?",
    "Why?",
    "Nice",
    "Potsdam",
    "VPN?",
    "???",
    "",
    "E-107",
    "你好公司的年假",
    "谢谢信怎么写",
    "好的供应商有哪些",
    "怎么用VPN",
    "怎么申请请假？",
    "帮助台电话",
    "你能报销什么",
    "不对的数据怎么改",
    "继续教育有补贴吗？",
    "行李",
    "是否需要审批",
    "可以报销吗",
    "中文合同在哪里",
    "早班几点开始",
    "再見面的時間",
)


@pytest.mark.parametrize(
    ("message", "kind"), [(message, kind) for kind, messages in TALK.items() for message in messages]
)
def test_talk_is_told_by_its_kind(message: str, kind: Talk) -> None:
    assert read_talk(message) is kind


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_no_talk(question: str) -> None:
    assert read_talk(question) is None


@pytest.mark.parametrize("message", [message for messages in TALK.values() for message in messages])
def test_one_thing_more_makes_a_question_of_it(message: str) -> None:
    assert read_talk(f"{message} LX-300") is None
    assert read_talk(f"离心泵{message}") is None


@given(st.text(max_size=200))
def test_any_message_is_read(message: str) -> None:
    read_talk(message)
    assert fold_message(fold_message(message)) == fold_message(message)


def test_the_language_that_is_asked_for() -> None:
    assert asked_language("Answer in Chinese, please") == "zh"
    assert asked_language("請用英文回答") == "en"
    assert asked_language("What is the Chinese name of the pump?") is None


def test_the_script_is_that_of_the_characters_that_differ() -> None:
    assert is_traditional("知識庫裡有什麼內容？")
    assert not is_traditional("知识库里有什么内容？")
    assert not is_traditional("台北在哪？")
    assert not is_traditional("Hello")


def test_talk_is_none_of_the_earlier_questions() -> None:
    """F-744: what was asked before is the last question to the documents, not a thanks after it."""
    said = ("How do I return a device?", "Thanks!", "什么时候到货？", "好的")
    history = [ChatTurn("user", content) for content in said] + [ChatTurn("assistant", "By parcel.")]
    assert earlier_questions(history) == [said[0], said[2]]


def test_this_may_mean_what_was_talked_about() -> None:
    assert leans_on_history("How does this work?")
    assert leans_on_history("这个怎么用？")
    assert not leans_on_history("What can you do?")


SAID = [
    ChatTurn("user", "How many days of leave are there?"),
    ChatTurn("assistant", "26 days [1]."),
    ChatTurn("user", "Thanks"),
    ChatTurn("assistant", "You are welcome."),
]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("That is wrong, it changed in 2026", "it changed in 2026"),
        ("that's not right - my colleague says 30", "my colleague says 30"),
        ("No, it's 30 days now", "it's 30 days now"),
        ("不对，2026年改了", "2026年改了"),
        ("不對吧，應該更多", "應該更多"),
        ("不，现在是三十天", "现在是三十天"),
        ("That is wrong", ""),
    ],
)
def test_an_objection_comes_back_to_the_last_answer(message: str, reason: str) -> None:
    """F-744: the words of a reproach are not searched for."""
    again = read_again(message, SAID)
    assert again is not None
    assert (again.talk, again.question, again.reason) == (Talk.OBJECTION, SAID[0].content, reason)
    assert again.before == ()
    assert "26 days" in again.said


@pytest.mark.parametrize(
    ("message", "kind"),
    [("请用中文回答", Talk.LANGUAGE), ("继续", Talk.MORE), ("more details please", Talk.MORE)],
)
def test_more_and_another_language_come_back_to_the_last_answer(message: str, kind: Talk) -> None:
    """F-744, and 请用中文回答 is not searched for."""
    again = read_again(message, SAID)
    assert again is not None
    assert again.talk is kind
    assert read_again(message, []) is None
    assert read_again(message, SAID[2:]) is None  # a thanks is no question


@pytest.mark.parametrize(
    "message",
    [
        "Thanks",
        "Who approves it?",
        "That is wrong, how many are there?",
        "No, I mean sick leave",
        "不对，我说的是病假",
    ],
)
def test_what_asks_by_itself_does_not_come_back(message: str) -> None:
    assert read_again(message, SAID) is None


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("No, I mean the payment term", "payment term"),
        ("That's wrong, I meant the TK-120.", "TK-120"),
        ("不对，我说的是病假", "病假"),
        ("我問的是產假", "產假"),
        ("What I mean is this", None),
        ("我是新员工，有年假吗", None),
    ],
)
def test_what_is_meant_instead(message: str, meant: str | None) -> None:
    assert corrected(message) == meant
