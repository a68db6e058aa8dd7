"""Replies to what is no question to the documents: a greeting, thanks, what can you do. Pure; cites nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain import Answer, ChatTurn
from app.generation.reply import Voice
from app.question.talk import Talk, asked_language, earlier_questions, read_talk

_REPLIES: Final = {
    Talk.IDENTITY: (
        "I am pgask: I answer questions from the documents of this collection, and show the place of each statement.",
        "我是 pgask：根据这个集合里的文档回答问题，并标出每句话的出处。",
    ),
    Talk.HELP: (
        "Ask about anything that stands in the documents of this collection, in a sentence or a word. Each "
        "statement of an "
        "answer carries a mark that opens its source; where the documents hold no answer, I say so.",
        "请直接提问，一句话或一个词都可以。回答中的每句话都带有标记，点开即是原文；文档里没有答案时会直接说明。",
    ),
    Talk.WELL_BEING: (
        "I am ready. What would you like to know from the documents?",
        "我在。您想从文档中了解什么？",
    ),
    Talk.INTENT: (
        "Go ahead: what would you like to know from the documents?",
        "请说：您想从文档中了解什么？",
    ),
    Talk.THANKS: ("You are welcome. Ask on if there is more.", "不客气，还有问题请继续问。"),
    Talk.FAREWELL: ("Goodbye.", "再见。"),
    Talk.GREETING: ("Hello! What would you like to know from the documents?", "您好！您想从文档中了解什么？"),
    Talk.DENIAL: ("All right. Ask again whenever you like.", "好的，需要时请再问。"),
    Talk.ASSENT: (
        "What would you like to know? Please ask it as a whole question.",
        "您想了解什么？请把问题完整地说一遍。",
    ),
    Talk.APPLAUSE: ("Glad to help. Ask on if there is more.", "很高兴能帮上忙，还有问题请继续问。"),
    Talk.LANGUAGE: (
        "Ask in English or in Chinese: I answer in the language of the question, and quote documents as they are"
        " written.",
        "可以用中文或英文提问：我用提问的语言回答，文档则按原文引用。",
    ),
    Talk.RECAP: (
        "I answer single questions and can't sum up a conversation. Which of them shall I look up again?",
        "我逐个回答问题，不能总结对话。需要再查哪一个问题？",
    ),
}
_YOU_ASKED: Final = ("You asked: {question}", "您之前问的是：{question}")
_MORE_OF: Final = (
    'What more would you like to know about "{question}"? The marks open the whole source.',
    "关于“{question}”，您还想了解什么？标记处可以打开原文全文。",
)
_OBJECTED: Final = (
    'An answer can only quote what the documents say. You asked "{question}": please say what is missing, or ask it in'
    " other words.",
    "回答只能引用文档所写。您问的是“{question}”：哪里不对，或者请换个说法再问。",
)
_NOTHING_ASKED: Final = ("You have not asked anything before this.", "在此之前您还没有提过问题。")


def answer_talk(message: str, history: Sequence[ChatTurn], voice: Voice | None = None) -> Answer | None:
    """The reply, None for a question to the documents. `history` is what was said before, in order. An emoji alone is
    answered in English."""
    talk = read_talk(message)
    if talk is None:
        return None
    asked_for = asked_language(message)
    voice = voice or Voice.of(message)
    if asked_for is not None:
        voice = Voice(asked_for == "zh", voice.traditional)
    earlier = earlier_questions(history)
    if talk is Talk.RECALL:
        text = voice.word(_YOU_ASKED, question="{}") if earlier else voice.word(_NOTHING_ASKED)
    elif talk in (Talk.MORE, Talk.OBJECTION):
        if not earlier:
            return None
        text = voice.word(_MORE_OF if talk is Talk.MORE else _OBJECTED, question="{}")
    else:
        text = voice.word(_REPLIES[talk])
    # Put in last: what was asked stays in its own script
    return Answer(
        text.replace("{}", earlier[-1] if earlier else ""), False, "extractive", (), message, kind="chat"
    )
