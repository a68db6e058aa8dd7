"""What asks for more than a place in the documents: to write, translate, draw, reword, compute or advise; pure.

"Write an email about the notice period" is about the notice period: that is searched for and has to stand in the
documents, the words of the task need not. A language model is given the whole request; without one the documents are
quoted, and the answer says that this is all. The forms are in tasks.txt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from app.lexicon import fold_script
from app.question.content import read_question
from app.question.phrases import read_phrases

MAX_CHARS: Final = 1_000  # a longer request has its task elsewhere than in one sentence


class Task(Enum):
    """What is to be done with what the documents say."""

    WRITE = "write"
    TRANSLATE = "translate"
    DRAW = "draw"  # a table or a picture of it
    REWORD = "reword"  # in other words, or fewer
    COMPUTE = "compute"
    ADVISE = "advise"


@dataclass(frozen=True, slots=True)
class TaskAsked:
    """A task, and what it is about: the request without the words of the task, "" where it names nothing."""

    task: Task
    about: str


_SOURCES: Final = (
    r"(?:hand ?books?|manuals?|documents?|docs|documentation|files|guides?|knowledge base|wiki|collection"
    r"|sources?)"
)
_FROM_SOURCES: Final = re.compile(
    r"[ ,]{0,20}\b(?:from|based on|using|according to|with the help of|out of|as in|per)"
    rf" (?:(?:the|our|my|your|these|employee|company|staff|user|product) )*{_SOURCES}(?= |[?.!,]|$)",
    re.IGNORECASE,
)
_SOURCES_ZH: Final = re.compile(
    r"(?:这[个份些本])?(?:员工|公司|用户|产品)?(?:手册|文档|文件|资料|说明书|知识库|材料|内容)"
)
_LENGTH: Final = re.compile(
    r"[ ,]{1,20}(?:in|with|using)"
    r" (?:(?:about|at most|no more than|up to|only|a|an|one|two|three|four|five|few|short|\d+) )+"
    r"(?:words?|sentences?|lines?|paragraphs?|bullets?|bullet points?|points?)\W*$"
    r"|[ ,]{1,20}(?:briefly|shortly|in short|in brief)\W*$",
    re.IGNORECASE,
)
_SECTION: Final = re.compile(
    r"(?:'s|’s)? ?\b(?:the )?(?:sections?|parts?|chapters?|paragraphs?|passages?)\b"
    r" (?:on|of|about|from|in|that covers)\b"
    r"|(?:这|那)?(?:一)?(?:章节|章|节|部分|段落?|条款)$|^(?:里|中)?(?:关于|有关)",
    re.IGNORECASE,
)
_NOTHING: Final = re.compile(
    r"\W*(?:it|this|that|these|those|them|the (?:above|same|answer|following)|above"
    r"|(?:this|our|my) (?:whole |entire )?(?:conversation|chat|discussion|dialogue)(?: so far)?"
    r"|(?:我们|咱们|这[次段场个]?|以上|上面)的?(?:对话|聊天|谈话|会话|對話|談話|會話)(?:记录|記錄)?"
    r"|它们?|这个?|那个?|这些|上面的?|以上|此|其)?(?:内容)?\W*",
    re.IGNORECASE,
)


def read_task(question: str) -> TaskAsked | None:
    """The task in a question that is bare of courtesy; None for one that asks for what documents say.

    >>> read_task("Write an email about the notice period from the handbook")
    TaskAsked(task=<Task.WRITE: 'write'>, about='the notice period')
    >>> read_task("把年假的规定翻译成英文").about
    '年假的规定'
    >>> read_task("How do I write an email?") is None
    True
    """
    whole = question.strip().rstrip(" ?？!！.。")
    if len(whole) > MAX_CHARS:
        return None
    simple = fold_script(whole)
    for task, form in _forms():
        if (found := form.fullmatch(simple)) is None:
            continue
        if task is Task.ADVISE:
            # Of two things both are quoted, so that whoever asks can judge
            compared = "Compare: " if len(read_question(whole).codes) > 1 else ""
            return TaskAsked(task, compared + question.strip())
        # The forms are in simplified characters, what it is about stays as it was written
        parts = {name: whole[slice(*found.span(name))] for name in form.groupindex if found[name]}
        if len(parts) > 1 and _SOURCES_ZH.fullmatch(fold_script(parts.get("source", ""))):
            del parts["source"]
        return TaskAsked(task, _about(" ".join(parts.values())))
    return None


def _about(text: str) -> str:
    """What a text names, without the words that say where it stands; "" where it only points at what was said."""
    shorter = _FROM_SOURCES.sub("", _LENGTH.sub("", text))
    shorter = _SECTION.sub(" ", shorter if shorter.strip() else text)
    shorter = " ".join(shorter.split()).strip(" ,，。的")
    return "" if _NOTHING.fullmatch(shorter) else shorter


@cache
def _forms() -> tuple[tuple[Task, re.Pattern[str]], ...]:
    flags = re.IGNORECASE | re.DOTALL
    return tuple((Task(heading), re.compile(form, flags)) for heading, form in read_phrases("tasks"))
