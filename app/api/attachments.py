"""What a user asks in a message into which a front end has written the text of files, too. Pure.

Found by structure, not by one product's wording: tags and labels that name what they hold (context, source, file;
question, query; 上下文, 问题). The forms seen are those of Open WebUI, LibreChat, LobeHub, Chatbox, LM Studio and
Cherry Studio, and of the templates of LangChain, LlamaIndex and Spring AI. A message of ordinary length that shows none
of these is the question as it stands. Every pattern is linear in the message's length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

Span = tuple[int, int]  # half-open, in code points of a message

_MOST_TAGS: Final = 50  # distinct names of tags that are looked at
_LONGEST_PARAGRAPH: Final = 1_000  # code points of a paragraph that may be the question of a long message
_LABEL_CHARS: Final = 100  # what may stand beside a question without being a text of its own

_OPENING: Final = re.compile(
    r"^[ \t]{0,20}<(?P<tag>[^\W\d][\w.-]{0,60})(?:[ \t][^<>\n]{0,500})?>", re.MULTILINE
)
CONTEXT_TAG: Final = re.compile(
    r"(?:^|[._-])(?:contexts?|sources?|docs?|documents?|files?|attach(?:ed|ments?)|knowledge|references?|materials?|search"
    r"|results?|retrieved|uploaded|memor(?:y|ies))(?:[._-]|$)"
    r"|上下文|资料|資料|文档|文檔|文件|参考|參考|附件|知识|知識|检索|檢索|背景",
    re.IGNORECASE,
)
_QUESTION_TAG: Final = re.compile(
    r"(?:^|[._-])(?:query|question|input|request|prompt)(?:[._-]|$)|问题|問題|提问|提問|查询|查詢",
    re.IGNORECASE,
)

_BLANKS: Final = r"[ \t]{0,20}"
_ASKED: Final = (
    r"(?:(?:(?:my|the|user'?s?|human|customer'?s?|current|original|latest|new|final|actual)[ \t]+){0,3}"
    r"(?:question|query|request)(?:[ \t]+is)?(?:[ \t]+about[^:：\n]{0,60})?"
    r"|(?:我的|用户的?|用戶的?|客户的?|客戶的?|当前|當前|最新|原始){0,2}(?:问题|問題|提问|提問|查询|查詢|请求|請求)"
    r"(?:是|如下)?)"
)
_CONTEXT: Final = (
    r"(?:(?:(?:the|attached|given|provided|retrieved|relevant|reference|search|background|uploaded)[ \t]+){0,3}"
    r"(?:contexts?|documents?(?:\(s\))?|files?(?:\(s\))?|references?|materials?|passages?|excerpts?|results?|knowledge)"
    r"(?:[ \t]+(?:information|documents?|passages?|text))?(?:[ \t]+(?:is|are)[ \t]+below)?"
    r"|(?:参考|參考|相关|相關|已知|检索|檢索|背景|以下|附件)?"
    r"(?:上下文|资料|資料|材料|文档|文檔|文件|信息|内容|內容|知识|知識|结果|結果))"
)


def _label(subject: str, more: str = "", *, start: str = "^") -> re.Pattern[str]:
    """Matches a label that begins a line ("Question: …", "**Query:** …") or is all of it ("## Question")."""
    return re.compile(
        rf"{start}{_BLANKS}(?:(?:\#{{1,6}}[ \t]*|\*\*|-{{3,10}}[ \t]*)?{subject}(?:\*\*)?[ \t]*[:：](?:\*\*)?"
        rf"|\#{{1,6}}[ \t]*{subject}[ \t]*$|[\[【]{subject}[\]】][ \t]*$"
        + (f"|{more}" if more else "")
        + ")",
        re.MULTILINE | re.IGNORECASE,
    )


_QUESTION_LABEL: Final = _label(_ASKED, start="(?:^|(?<=[。！；]))")  # "…回答。问题是：…"
_CONTEXT_LABEL: Final = _label(
    _CONTEXT,
    rf"{_CONTEXT}[ \t]*[.,]"
    r"|.{0,200}\bfollowing (?:pieces? of |retrieved |provided |search ){0,2}"
    r"(?:context|content|documents?|files?|passages?)\b|.{0,100}(?:根据|根據|基于|基於)(?:以下|下面|下列|上述).{0,20}"
    r"(?:资料|資料|内容|內容|上下文|文档|文檔|文件|信息)",
)
_ANSWER_LABEL: Final = re.compile(
    rf"^{_BLANKS}(?:\#{{1,6}}[ \t]|(?:\*\*)?(?:\w+[ \t]+)?(?:answer|response|output|instructions?)(?:\*\*)?[ \t]*[:：]"
    r"|[\[【](?:answer|response|回答|答案)[\]】]|(?:你的|有用的)?(?:回答|答案|答|输出|輸出)[ \t]*[:：]"
    rf"|{_CONTEXT}[ \t]*[:：])",
    re.MULTILINE | re.IGNORECASE,
)
_FENCE_BELOW: Final = re.compile(r"[:：][ \t]*\n```[^\n]{0,40}\n")
_RULE: Final = re.compile(r"^[-=*_]{5,}[ \t]*$", re.MULTILINE)
_COMMENT: Final = re.compile(r"<!--[^>]{0,300}-->")
_LEAD: Final = re.compile(r"(?:\A|\n)[^\n]{0,200}[:：]\s*\Z")
_HEADING: Final = re.compile(rf"^{_BLANKS}#{{1,6}}[ \t]", re.MULTILINE)
_INSTRUCTION: Final = re.compile(
    r"\b(?:respond|answer|reply)\b.{0,60}\b(?:query|question|user)\b"
    r"|\b(?:use|using|given|based on)\b.{0,40}\b(?:context|documents?|sources?|files?|information|content)\b"
    r"|回答(?:用户|用戶|我|客户|客戶)?的?(?:问题|問題)|(?:根据|根據|基于|基於)(?:以[上下]|上述|下列|[上下]面)",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"[?？][\s\"'”’)）\]*_]{0,20}$|^\W{0,20}(?:what|who|whom|whose|when|where|why|which|how|is|are|was|were|do|does|did"
    r"|can|could|will|would|should|may|must|has|have|summari[sz]e|explain|list|tell|find|show|compare|translate|describe"
    r"|give|please|extract|identify|name|check)\b"
    r"|吗|嗎|呢[。！]?$|什么|什麼|如何|怎么|怎麼|怎样|怎樣|多少|哪|谁|誰|几|幾|是否|为何|為何|为什么|為什麼"
    r"|^\W{0,20}(?:请|請|总结|總結|解释|解釋|列出|介绍|介紹|比较|比較|翻译|翻譯|说明|說明|概括)",
    re.IGNORECASE,
)


def question_in(message: str, max_chars: int) -> str | None:
    """What the user asks in a message that may also hold the text of files; None where that can't be told.

    Never longer than `max_chars`. A message of at most that length without a template's structure is the question as it
    stands. In a longer one its last paragraph is the question, else its first, if it reads like one.

    >>> question_in("<context>\\n<source id=\\"1\\">Soup.</source>\\n</context>\\n\\nWhat is there to eat?", 100)
    'What is there to eat?'
    >>> question_in("What does <context> mean?", 100)
    'What does <context> mean?'
    """
    label = _CONTEXT_LABEL.search(message)
    spans = tagged_spans(message, CONTEXT_TAG) + (_fenced_files(message, label) if label else [])
    outside = outside_of(message, spans)
    found: str | None = None
    if spans or label or len(message) > max_chars or "<user" in message:
        found = _tagged_question(outside) or _labelled_question(outside)
    if found is None and spans:
        found = _beside(outside)
        if found is None:
            return None
    if found is None and label and _RULE.search(message, label.end()):
        before = message[: label.start()].strip()
        found = before if _reads_like_a_question(before) else None
    if found is None:
        found = message
    return found if len(found) <= max_chars else _questioning_paragraph(found, max_chars)


def brings_text(message: str, question: str) -> bool:
    """Whether a message holds more than its question: the text of files or pages, or a template."""
    return len(message) - len(question) > _LABEL_CHARS


def tagged_spans(text: str, names: re.Pattern[str]) -> list[Span]:
    """Where blocks in tags of such names stand: from the first opening tag of a name to its last closing one.

    Only tags that begin a line, and whose closing tag ends one: in a sentence `<file>` is a word.
    """
    spans: list[Span] = []
    seen: set[str] = set()
    for match in _OPENING.finditer(text):
        tag = match["tag"]
        if tag in seen or len(seen) >= _MOST_TAGS or not names.search(tag):
            continue
        seen.add(tag)
        closing = f"</{tag}>"
        end = text.rfind(closing, match.end())
        if end >= 0 and not text[end + len(closing) : end + len(closing) + 200].partition("\n")[0].strip():
            spans.append((match.start(), end + len(closing)))
    return spans


def outside_of(text: str, spans: Sequence[Span]) -> list[str]:
    """What stands before, between and after the spans, stripped, without comments; at least one piece."""
    pieces, reached = [], 0
    for start, end in sorted(spans):
        if start >= reached:
            pieces.append(text[reached:start])
        reached = max(reached, end)
    pieces.append(text[reached:])
    return [_COMMENT.sub("", piece).strip() for piece in pieces]


def _fenced_files(text: str, label: re.Match[str]) -> list[Span]:
    """A label as "Attached document(s):" with a fence right below it, up to the last line that closes a fence."""
    fence = _FENCE_BELOW.search(text, label.start(), label.end() + 100)
    end = text.rfind("\n```")
    return [(label.start(), end + len("\n```"))] if fence and end >= fence.end() - 1 else []


def _tagged_question(outside: Sequence[str]) -> str | None:
    """What stands in a tag as <user_query>."""
    for piece in reversed(outside):
        for start, end in reversed(tagged_spans(piece, _QUESTION_TAG)):
            inside = piece[start:end]
            if asked := inside[inside.index(">") + 1 : inside.rindex("</")].strip():
                return asked
    return None


def _labelled_question(outside: Sequence[str]) -> str | None:
    """What follows the last label as "Question:", up to a label as "Answer:" or to the template's next instruction."""
    text = "\n\n".join(outside)
    labels = list(_QUESTION_LABEL.finditer(text))
    if not labels:
        return None
    asked = text[labels[-1].end() :].lstrip()
    answer = _ANSWER_LABEL.search(asked)
    first, *more = (asked[: answer.start()] if answer else asked).strip().split("\n\n")
    kept = [first]
    for paragraph in more:
        if _INSTRUCTION.search(paragraph):
            break
        kept.append(paragraph)
    return "\n\n".join(kept).strip() or None


def _beside(outside: Sequence[str]) -> str | None:
    """The user's words beside a block: after it, else before it, unless that is the template's instruction."""
    *before, after = outside
    return next(filter(None, map(_user_words, (after, *before))), None)


def _user_words(piece: str) -> str | None:
    """A piece beside a block without what a template adds: headings and what follows them, a last line that leads to
    the block ("Attached files:"), instructions."""
    heading = _HEADING.search(piece)
    words = _LEAD.sub("", piece[: heading.start()] if heading else piece).strip()
    if words and not _INSTRUCTION.search(words):
        return words
    return _questioning_paragraph(piece, _LONGEST_PARAGRAPH)


def _is_instruction(text: str) -> bool:
    return bool(_HEADING.search(text) or _INSTRUCTION.search(text))


def _reads_like_a_question(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_PARAGRAPH and bool(_ASKS.search(text)) and not _is_instruction(text)


def _questioning_paragraph(text: str, max_chars: int) -> str | None:
    """The last paragraph, else the first, if it reads like a question and not like a template; lines where there is but
    one paragraph."""
    text = text.strip()
    border = "\n\n" if "\n\n" in text else "\n"
    ends = (text[text.rfind(border) + 1 :].strip(), text.partition(border)[0].strip())
    return next((part for part in ends if len(part) <= max_chars and _reads_like_a_question(part)), None)
