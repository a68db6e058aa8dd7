"""Requests for more than quoting: the task, and what it is about, which alone has to stand in the documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.question.tasks import Task, read_task

TASKS = [
    ("Write an email about the notice period from the handbook", Task.WRITE, "the notice period"),
    ("write an email to a customer about theft", Task.WRITE, "theft"),
    ("draft a notice for readers on late fees", Task.WRITE, "late fees"),
    ("Write an email about it", Task.WRITE, ""),
    ("根据手册写一封邮件", Task.WRITE, "手册"),
    ("根据员工手册写一封关于年假的邮件", Task.WRITE, "年假"),
    ("帮我写个通知，说明食堂的开放时间", Task.WRITE, "食堂的开放时间"),
    ("寫一封關於停車位的郵件", Task.WRITE, "停車位"),
    ("translate the travel policy's section on hotels", Task.TRANSLATE, "the travel policy hotels"),
    ("Translate the section on flights into Chinese", Task.TRANSLATE, "flights"),
    ("把年假的規定翻譯成英文", Task.TRANSLATE, "年假的規定"),
    ("explain the notice period with a table", Task.DRAW, "explain the notice period"),
    ("compare A-1 and B-2 in a table", Task.DRAW, "compare A-1 and B-2"),
    ("用表格说明租车价格", Task.DRAW, "租车价格"),
    ("把價格整理成表格", Task.DRAW, "價格"),
    ("Explain parental leave in simple words", Task.REWORD, "parental leave"),
    ("summarise the refund rules in two sentences", Task.REWORD, "the refund rules"),
    ("用大白话解释产假", Task.REWORD, "产假"),
    ("Summarise this conversation", Task.REWORD, ""),  # F-746: what was said, no words to search for
    ("总结一下我们的对话", Task.REWORD, ""),
    ("calculate the price of three days", Task.COMPUTE, "the price of three days"),
    ("帮我算一下三天的租金", Task.COMPUTE, "三天的租金"),
    ("Should I take the train?", Task.ADVISE, "Should I take the train?"),
    ("Should I rent the E-40 or the E-60?", Task.ADVISE, "Compare: Should I rent the E-40 or the E-60?"),
    ("我应该坐飞机还是火车？", Task.ADVISE, "我应该坐飞机还是火车？"),
    ("你覺得家庭會員值得嗎？", Task.ADVISE, "你覺得家庭會員值得嗎？"),
]


@pytest.mark.parametrize(("question", "task", "about"), TASKS)
def test_a_task_and_what_it_is_about(question: str, task: Task, about: str) -> None:
    found = read_task(question)
    assert found is not None
    assert (found.task, found.about) == (task, about)


@pytest.mark.parametrize(
    "question",
    [
        "How do I write an email?",
        "Who writes the report?",
        "What does the table say?",
        "Show me the table of prices",
        "What should I do when the red light is on?",
        "When should I submit receipts?",
        "create a new user account with a text file",
        "In which language is the report written?",
        "我应该什么时候提交报销？",
        "怎么写通知",
        "通知写在哪里？",
        "加班费怎么计算？",
        "",
    ],
)
def test_a_question_to_the_documents_is_no_task(question: str) -> None:
    assert read_task(question) is None


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    read_task(text)
