"""The forms of questions about the collection and its documents (F-801); whole questions only."""

from __future__ import annotations

import pytest

from app.question.collection_questions import (
    AboutCollection,
    AboutDocument,
    Certainty,
    Subject,
    WhichDocument,
    read_collection_question,
)
from app.question.names import NameMatch, match_folder, match_name, name_needles

COLLECTION: dict[Subject, tuple[str, ...]] = {
    Subject.DOCUMENTS: (
        "What documents do you have?",
        "list all files",
        "Show me all documents",
        "which files have been uploaded",
        "你有哪些文档？",
        "你有哪些文檔？",
        "列出所有文件",
        "知识库里有哪些文件",
    ),
    Subject.COUNT: (
        "How many documents are there?",
        "how many PDF files do you have",
        "有多少文件？",
        "一共有多少份文档",
        "有幾個檔案？",
    ),
    Subject.TOPICS: (
        "Which topics can I ask about?",
        "What can I ask about",
        "What is this about?",
        "what's in here",
        "What is in this collection?",
        "知识库里有什么内容？",
        "知識庫裡有什麼內容？",
        "这里有什么",
    ),
    Subject.NEWEST: (
        "Which documents are new?",
        "latest document",
        "what are the newest files",
        "which documents changed recently",
        "最近更新",
        "最近更新了哪些文档？",
        "有什么新文档吗",
        "最新的檔案是哪個？",
    ),
}
MENTIONED = {
    "Which document mentions Potsdam?": "Potsdam",
    "which files talk about the return number": "return number",
    "Where is the RMA mentioned?": "RMA",
    "Do you have a document about webhooks?": "webhooks",
    "哪个文件提到了波茨坦？": "波茨坦",
    "哪個檔案提到了報銷": "報銷",
    "报销在哪个文件里": "报销",
    "有没有关于年假的文档": "年假",
}
DOCUMENTS = {
    "Summarise the leave policy": ("leave policy", Certainty.SUMMARY),
    "Please give me a short summary of nordwind.md in three sentences": ("nordwind.md", Certainty.FILE),
    "What is in backup.md?": ("backup.md", Certainty.FILE),
    "What does price-list-2026.csv contain?": ("price-list-2026.csv", Certainty.FILE),
    "What is the file lx-300-manual about?": ("lx-300-manual", Certainty.FILE),
    "rate-limits.md": ("rate-limits.md", Certainty.FILE),
    "What is the leave policy about?": ("leave policy", Certainty.NAME),
    "What is in the folder en/api?": ("en/api", Certainty.FOLDER),
    "总结一下考勤制度": ("考勤制度", Certainty.SUMMARY),
    "總結一下產品保固說明": ("產品保固說明", Certainty.SUMMARY),
    "《华泰采购合同》主要内容是什么？": ("华泰采购合同", Certainty.SUMMARY),
    "通讯录.csv里有什么？": ("通讯录.csv", Certainty.FILE),
    "介绍一下考勤制度文档": ("考勤制度", Certainty.FILE),
    "考勤制度讲了什么": ("考勤制度", Certainty.NAME),
    "Summarize this document": (None, Certainty.SUMMARY),
    "总结一下这个文档": (None, Certainty.SUMMARY),
    "總結一下這個文檔": (None, Certainty.SUMMARY),
}
QUESTIONS = (
    "What documents do I need for a visa?",
    "Which documents must be kept for ten years?",
    "How many documents does a customs declaration need?",
    "How many files can I upload at once?",
    "What is in the first aid kit?",
    "What does the warranty cover?",
    "What is the database?",
    "What does the index contain?",
    "What is new in release 2.4?",
    "What was changed?",
    "Which article deals with slavery?",
    "summarise how backups work",
    "Where is the head office?",
    "Who wrote the report?",
    "Show me a curl example for the API",
    "Version 2.4.1",
    "Node.js or Python?",
    "e.g. what",
    "报销需要哪些文件？",
    "哪些材料要盖章",
    "合同在哪里签？",
    "这是什么",
    "是什么",
    "有什么区别？",
    "小说的主角是谁？",
    "最近的地铁站在哪里",
    "急救箱里有什么？",
    "需要什麼資料才能報銷？",
    "这个词第一次在哪里出现？",
)


@pytest.mark.parametrize(
    ("question", "subject"),
    [(question, subject) for subject, asked in COLLECTION.items() for question in asked],
)
def test_questions_about_the_collection(question: str, subject: Subject) -> None:
    assert read_collection_question(question) == AboutCollection(subject)


@pytest.mark.parametrize(("question", "thing"), MENTIONED.items())
def test_questions_for_the_document_that_mentions_something(question: str, thing: str) -> None:
    assert read_collection_question(question) == WhichDocument(thing)


@pytest.mark.parametrize(("question", "asked"), DOCUMENTS.items())
def test_questions_about_a_document(question: str, asked: tuple[str | None, Certainty]) -> None:
    assert read_collection_question(question) == AboutDocument(*asked)


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_to_the_documents(question: str) -> None:
    assert read_collection_question(question) is None


@pytest.mark.parametrize(
    ("name", "source", "title", "match"),
    [
        ("api/rate-limits.md", "en/api/rate-limits.md", "Limits", NameMatch.PATH),
        ("RATE LIMITS.MD", "en/api/rate-limits.md", "Limits", NameMatch.PATH),
        ("rate limits", "en/api/rate-limits.md", "Limits", NameMatch.WHOLE),
        ("辦公室須知", "zh/办公室须知.md", "Taipei", NameMatch.WHOLE),
        ("leave policies", "hr/leave.md", "Leave policy", NameMatch.WORDS),
        ("the LX-300 manual", "products/lx-300-manual.md", "LX-300: manual", NameMatch.WORDS),
        ("meeting of 18 March", "m/2026-03-18.md", "Operations meeting, 18 March 2026", NameMatch.WORDS),
        ("采购合同", "zh/合同/7.md", "与华泰有限公司的采购合同", NameMatch.WORDS),
        ("how backups work", "it/backup.md", "Backup and recovery", None),
        ("of the", "a.md", "Words of the house", None),
        ("leave", "products/cleaver.md", "Cleaver", None),
        ("考勤", "zh/报销.md", "报销", None),
    ],
)
def test_how_a_name_fits_a_document(name: str, source: str, title: str, match: NameMatch | None) -> None:
    assert match_name(name, source, title) is match


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("handbook", "en/handbook"),
        ("EN", "en"),
        ("en/api", "en/api"),
        ("员工手册", "zh/员工手册"),
        ("leave", None),
        ("", None),
    ],
)
def test_folders_are_found_by_their_name_or_path(name: str, folder: str | None) -> None:
    assert (
        match_folder(name, ["en/handbook/leave.md", "en/api/a.md", "zh/员工手册/年假.md", "root.md"])
        == folder
    )


def test_needles_are_what_the_forms_of_a_word_share() -> None:
    assert name_needles("the leave policies") == name_needles("Leave Policy") == [["leav"], ["polic"]]
    assert ["办公室", "辦公室"] in name_needles("辦公室須知")
