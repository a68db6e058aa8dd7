"""The question in a message into which a front end has written more: in its templates' shapes, English and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.attachments import brings_text, question_in

QUESTION = "How long is the warranty of the TK-120?"
CHINESE = "保修期是多久？"
FILE = "The canteen serves soup.\n\nQuestion: who cooks? What does it cost?"
RULES = "### Task:\nAnswer the user's query from the context.\n\n### Guidelines:\n- Say so if you don't know."


def context(inside: str = FILE, tag: str = "context") -> str:
    return f'<{tag}>\n<source id="1" name="menu.txt">{inside}</source>\n</{tag}>'


SHAPES = {
    "rules, context, question": f"{RULES}\n\n{context()}\n\n{{}}",
    "question right below": f"{RULES}\n{context()}\n{{}}",
    "question above the rules": f"{{}}\n{RULES}\n{context()}",
    "question in a tag": f"{RULES}\n\n{context()}\n\n<user_query>\n{{}}\n</user_query>",
    "files announced": f"{{}}\n\nThe user has attached a file:\n{context(tag='files')}\n\n"
    "Use the context to answer the user.",
    "attachments in fences": f'Attached document(s):\n```md\n# "menu.txt"\n{FILE}\n```\n\n{{}}',
    "labels": f"Use the following pieces of context to answer.\n\nContext:\n{FILE}\n\nQuestion: {{}}\nAnswer:",
    "headings": f"## Context\n{FILE}\n\n## Question\n{{}}",
    "labels in Chinese": f"请根据以下资料回答用户的问题。\n\n参考资料：\n{FILE}\n\n问题：{{}}\n\n回答：",
    "a label within a line": f"已知信息：\n{FILE}\n\n根据上述已知信息回答用户的问题，答案请使用中文。 问题是：{{}}",
    "tags in Chinese": f"<参考资料>\n{FILE}\n</参考资料>\n\n{{}}",
    "memory": "<memory_context>\nThe user is called Bob.\n</memory_context>\n\n{}",
    "a long paste": "The canteen serves soup. " * 500 + "\n\n{}",
    "a long paste below": "{}\n\n" + "The canteen serves soup. " * 500,
}


@pytest.mark.parametrize("question", [QUESTION, CHINESE])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_f_904_the_question_of_a_template_is_asked(shape: str, question: str) -> None:
    """F-904: the whole template was searched as the question, or refused for its length."""
    assert question_in(shape.format(question), 8_000) == question


@pytest.mark.parametrize(
    "message",
    [
        QUESTION,
        CHINESE,
        "What does <context> mean in the template of a prompt?",
        "Is a <file> tag closed by </file>?",
        "Compare:\n1. TK-120\n2. TK-130",
        "# Plan\nWhich of these is missing?",
        "Which documents are in the collection: all of them?",
        "I have two machines.\n\nOne is a TK-120. Which oil does it take?",
    ],
)
def test_f_904_a_message_without_a_template_is_the_question(message: str) -> None:
    """F-904: what is no template must not be cut."""
    assert question_in(message, 8_000) == message


@pytest.mark.parametrize("message", [context(), f"{RULES}\n{context()}", "soup " * 5_000])
def test_f_904_a_text_without_a_question_has_none(message: str) -> None:
    """F-904: then the client is told what to switch off."""
    assert question_in(message, 8_000) is None


def test_f_904_text_beside_the_question_is_noticed() -> None:
    """F-904: a refusal then says that the text was not read."""
    assert brings_text(f"{RULES}\n{context()}\n{QUESTION}", QUESTION)
    assert not brings_text(f"Question: {QUESTION}", QUESTION)


@given(st.text(st.sampled_from("<>/context#:：\n `?Qq"), max_size=300))
def test_a_question_is_a_part_of_the_message(message: str) -> None:
    """No message breaks it, and none makes it longer or puts words into it."""
    asked = question_in(message, 100)
    assert asked is None or (len(asked) <= 100 and all(line in message for line in asked.splitlines()))
