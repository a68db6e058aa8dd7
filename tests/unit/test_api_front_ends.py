"""A front end's chores are told from questions, and done by rule."""

from __future__ import annotations

import json

import pytest

from app.api.front_ends import chore_reply, title_of
from app.domain import ChatTurn

TALK = "USER: How do I return a device?\nASSISTANT: Ask for a return number. [1]"
TALK_ZH = "USER: 如何退货？\nASSISTANT: 先申请退货编号。"
ASKED = (ChatTurn("user", "How do I return a device?"), ChatTurn("assistant", "Ask for a return number."))


def task(order: str, output: str, conversation: str = TALK) -> str:
    return (
        f"### Task:\n{order}\n\n### Guidelines:\n- Answer with JSON only.\n\n### Output:\nJSON format: {output}\n\n"
        f"### Chat History:\n<chat_history>\n{conversation}\n</chat_history>"
    )


@pytest.mark.parametrize(
    ("prompt", "reply"),
    [
        (task("Write a title with an emoji.", '{ "title": "yours" }'), {"title": "How do I return a device"}),
        (
            task("为对话写一个标题。", '{ "title": "标题" }', TALK_ZH),
            {"title": "如何退货"},
        ),
        (task("Give one to three broad tags.", '{ "tags": ["one", "two"] }'), {"tags": []}),
        (task("Suggest follow-up questions.", '{ "follow_ups": ["One?", "Two?"] }'), {"follow_ups": []}),
        (
            task("Decide whether a search is needed.", '\n{\n  "queries": ["one", "two"]\n}'),
            {"queries": ["How do I return a device?"]},
        ),
        (task("Describe a picture of it.", '\n{\n  "prompt": "yours"\n}'), {"prompt": ""}),
        (
            "### Task:\nYou are an autocompletion system.\n### Rules\nOnly JSON: `{ \"text\": \"<yours>\" }`.\n"
            "<type>General</type>\n<text>How long is the prob</text>\n#### Output:\n",
            {"text": ""},
        ),
    ],
)  # fmt: skip
def test_f_905_json_is_replied_where_it_is_asked_for(prompt: str, reply: dict[str, object]) -> None:
    """F-905: all of these got the refusal, so each chat was called by it."""
    assert json.loads(chore_reply(prompt) or "") == reply


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        (
            "Provide a concise title for the conversation in five words or less. Only return the title itself."
            "\n\nConversation:\nUser: How do I return a device?\nAI: Ask for a number.",
            "How do I return a device",
        ),
        (
            "Please generate a concise title (max 40 characters) for a conversation that starts with:\n"
            "User: How do I return a device?\nAssistant: Ask for a number.\n\nTitle:",
            "How do I return a device",
        ),
        (
            "Based on the chat history, give this conversation a name.\nKeep it short.\n\n```\n"
            "User: How do I return a device?\n\n---\n\nAssistant: Ask for a number.\n```",
            "How do I return a device",
        ),
        (
            "--- BEGIN ---\nHow do I return a device?\n--- END ---\n\n"
            "Only write a short title for the above messages.",
            "How do I return a device",
        ),
        (
            "请用不超过十个字为以上对话起一个标题，只返回标题。\n\n用户：如何退货？\n助手：先申请退货编号。",
            "如何退货",
        ),
    ],
)
def test_f_905_a_title_is_the_first_words_of_the_first_question(prompt: str, title: str) -> None:
    """F-905: a front end's demand for a title in plain words."""
    assert chore_reply(prompt) == title


def test_f_905_a_demand_after_the_conversation_means_the_conversation() -> None:
    """F-905: some front ends send the turns as turns, and the demand as the last of them."""
    demand = "Summarize the conversation above in a title of at most five words, without punctuation."
    assert chore_reply(demand, ASKED) == "How do I return a device"


def test_f_905_a_system_prompt_may_order_it() -> None:
    """F-905: the demand in the system prompt, the conversation as the message."""
    order = "You write a short title for the conversation. Only return the title."
    for talk in (
        "User: How do I return a device?\nAssistant: Ask.",
        'User message: "How do I return a device?"',
    ):
        assert chore_reply(talk, system=order) == "How do I return a device"
    assert chore_reply("How do I return a device?", system=order) is None


def test_f_905_no_tool_is_chosen_where_tools_are_offered_in_words() -> None:
    """F-905: front ends without native tools let the model choose them by a prompt before the question is asked."""
    offer = (
        'Available tools: [{"name": "clock", "parameters": {"zone": {"type": "string"}}}]\n\nReturn only JSON. If none'
        ' fits, return:\n{\n  "tool_calls": []\n}'
    )
    query = 'Query: History:\nUSER: """How do I return a device?"""\nQuery: How do I return a device?'
    assert chore_reply(query, system=offer) == '{"tool_calls": []}'
    assert chore_reply("How do I return a device?", system=offer) is None


def test_f_905_an_emoji_is_an_emoji() -> None:
    """F-905: the chore of a voice call."""
    order = "Your task is to show the speaker's mood by an emoji.\n\nMessage: ```How long is the probation period?```"
    assert chore_reply(order) == "💬"


@pytest.mark.parametrize(
    "question",
    [
        "How long is the probation period?",
        "What is the title of the conversation policy?",
        "Which tags does a return label need?",
        "What is the short title of the chat policy?",
        "Write a short title for the annual report.",
        "### Task\nWhich documents are needed to return a device?",
        "标题是什么？",
        "聊天政策的标题是什么？",
        "Summarise the conversation rules of the handbook",
        'What does {"title": "x"} mean in the API?',
        "User: what does this role may do?",
        "<context>\nWrite a short title for the conversation. USER: x\n</context>\n\nHow long is probation?",
    ],
)
def test_f_905_questions_are_no_chores(question: str) -> None:
    """F-905: what people ask is searched for, even if it speaks of titles, tags and chats."""
    assert chore_reply(question, ASKED) is None


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("", ""),
        ("???", ""),
        ("  What\nis **this**?  And that?", "What is this"),
        ("如何申请退货？谢谢。", "如何申请退货"),
        ("一二三四五六七八九十一二三四五六七八九十一二", "一二三四五六七八九十一二三四五六七八九十…"),
        ("[link](https://example.com/a) of the handbook", "link of the handbook"),
        ("x" * 100, "x" * 60 + "…"),
    ],
)
def test_titles(question: str, title: str) -> None:
    assert title_of(question) == title
