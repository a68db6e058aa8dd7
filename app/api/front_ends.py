"""The chores that chat front ends give their model beside the user's questions, done by rule. Pure.

A title for the chat, tags, questions to go on with, search queries, the rest of a half-typed sentence: the documents
hold no answer to these, so they are never searched for. Found by structure, not by one product's wording: a
conversation in tags or after its speakers' names, the JSON that a prompt shows as its output, a demand for a title *of
the conversation*. The forms seen are those of Open WebUI, LibreChat, NextChat, LobeHub, Cherry Studio,
Chatbox and chat-ui.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.api.attachments import CONTEXT_TAG, outside_of, question_in, tagged_spans
from app.domain import ChatTurn
from app.lexicon import is_chinese

Chore = Literal["title", "tags", "follow_ups", "queries", "completion", "emoji"]

MAX_TITLE_WORDS: Final = 6
MAX_TITLE_CHARS: Final = 60
MAX_TITLE_CHARS_ZH: Final = 20
MAX_QUERY_CHARS: Final = 200
_HEAD_CHARS: Final = 2_000  # how far an instruction is read
_END_MARKS: Final = " ,.;:!?，。；：！？、"

_CONVERSATION_TAG: Final = re.compile(
    r"(?:^|[._-])(?:history|conversations?|chat|dialog(?:ue)?|transcript|messages|session)(?:[._-]|$)"
    r"|对话|對話|聊天|会话|會話|历史|歷史",
    re.IGNORECASE,
)
_SPOKEN: Final = re.compile(
    r"^[ \t>*#-]{0,8}(?:(user (?:query|message)|user|human|message|用户|用戶)|assistant|ai|bot|model|助手|助理)"
    r"(?:\*\*)?[ \t]*[:：](?:\*\*)?[ \t]*",
    re.MULTILINE | re.IGNORECASE,
)
_TASK: Final = re.compile(
    r"\s{0,20}(?:(?:#{1,6}|\*\*|\[)[ \t]*(?:task|任务|任務)\b|your task is\b|你的(?:任务|任務)是)",
    re.IGNORECASE,
)
_TOOL_CHOICE: Final = re.compile(
    r'\{\s{0,20}"tool_calls"\s{0,9}:\s{0,9}\[\s{0,20}\]'
)  # how "none" is to be said
_SKELETON: Final = re.compile(r"\{[^{}]{1,400}\}")
_KEY: Final = re.compile(r'"([^"\n]{1,40})"\s{0,9}:\s{0,9}(\[)?')


@dataclass(frozen=True, slots=True)
class _Form:
    """How a chore is known: the keys of its JSON, and the words of its instruction."""

    keys: frozenset[str]
    words: re.Pattern[str]


def _form(keys: str, words: str) -> _Form:
    return _Form(frozenset(keys.split()), re.compile(words, re.IGNORECASE))


# In the order in which the words are looked for: a prompt for tags or follow-ups may speak of topics and titles, too.
_FORMS: Final[Mapping[Chore, _Form]] = {
    "follow_ups": _form(
        "follow_ups followups follow_up_questions questions suggestions suggested_questions 追问 后续问题",
        r"\bfollow[- ]?ups?\b|追问|追問|后续问题|後續問題|接下来.{0,10}问",
    ),
    "tags": _form(
        "tags topics labels categories keywords 标签 標籤 关键词", r"\btags?\b|\bkeywords?\b|标签|標籤|关键词"
    ),
    "queries": _form(
        "queries query search_queries search_query 查询 搜索词 检索词",
        r"\bsearch(?:es)? (?:quer|terms?)|\bquer(?:y|ies)\b|搜索词|搜尋詞|检索词|查询",
    ),
    "completion": _form(
        "text completion continuation 补全", r"\bauto-?complet|\bcomplet(?:e|ion)\b|补全|補全"
    ),
    "title": _form(
        "title name headline topic 标题 標題 题目 名称 主题",
        r"\btitle\b|\bheadline\b|标题|標題|题目|題目|主题|主題|命名",
    ),
    "emoji": _form("emoji 表情", r"\bemoji\b|表情"),
}

_TALK: Final = (
    r"\b(?:the|this|our|a|an|following|above|given|user'?s?) (?:\w{1,20} ){0,2}?"
    r"(?:conversation|chat|dialog(?:ue)?|discussion|session|thread|exchange|requests?|query|messages?)\b(?: history\b)?"
    r"(?= ?(?:[.,:;!?()\"'\n]|$)"
    r"| (?:an?|above|below|using|with|without|in|that|which|so|and|based|to|as|into|under|by)\b)"
)
_NAME: Final = r"\b(?:title|name|headline|topic)\b"
_OF: Final = r"\b(?:for|of|from|about|based on|summari[sz]\w+|describ\w+|captur\w+|reflect\w+)"
_TALK_ZH: Final = (
    "(?:对话|對話|会话|會話|聊天|这句话|這句話|[以上下述]{2}内容|[以上下述]{2}內容|用户的?(?:消息|提问))"
)
_NAME_ZH: Final = "(?:标题|標題|题目|題目|主题|主題|名称|名稱|命名)"
_DEMANDS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_NAME}[^.\n]{{0,80}}?{_OF}[^.\n]{{0,40}}?{_TALK}",
        rf"\b(?:summari[sz]e|name)\b[^.\n]{{0,60}}?{_TALK}[^.\n]{{0,80}}?"
        r"\b(?:title|topic|words? or (?:less|fewer)|\w+[- ]words?|characters)\b",
        rf"\b(?:give|assign)\b[^.\n]{{0,20}}?{_TALK}[^.\n]{{0,20}}?{_NAME}",
        rf"{_TALK_ZH}.{{0,40}}{_NAME_ZH}|{_NAME_ZH}.{{0,40}}{_TALK_ZH}",
    )
)
_TERSE: Final = re.compile(
    r"\b(?:only|just|without|concise|short|brief|no (?:more|longer|punctuation|quotes|quotation|explanation|other)"
    r"|words? or (?:less|fewer)|(?:\d+|two|three|four|five|six|seven|eight|ten)[- ](?:word|character)s?|max(?:imum)?)\b"
    r"|直接返回|只返回|只输出|只輸出|只需|仅|僅|不要|不超过|不超過|以内|以內|[个個]字|简短|簡短|简洁|簡潔|精炼|精煉|简要|簡要",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A message as a chore's prompt: what is wanted, the conversation it is wanted of, the JSON shown as output."""

    instruction: str
    conversation: str  # "" where there is none
    keys: tuple[tuple[str, bool], ...]  # of the JSON: name, and whether it holds a list

    @property
    def chore(self) -> Chore | None:
        """Which chore its JSON, else its words, name."""
        head = self.instruction[:_HEAD_CHARS]
        for name, _ in self.keys:
            if (chore := _chore_of(name)) is not None:
                return chore
        return next((chore for chore, form in _FORMS.items() if form.words.search(head)), None)


def chore_reply(message: str, earlier: Sequence[ChatTurn] = (), system: str = "") -> str | None:
    """The reply to a front end's chore, in the form that it asks for; None where the message is none.

    `earlier` are the turns before the message, which a demand for a title may mean; `system` is the system prompt,
    where some front ends put that demand, or one to choose tools, with the conversation as the message. A title is the
    first words of the conversation's first question, a search query its last question; the rest is empty.

    >>> chore_reply('### Task:\\nWrite a title. JSON: { "title": "…" }\\n<chat_history>\\nUSER: Why?\\n</chat_history>')
    '{"title": "Why"}'
    >>> chore_reply("What is the title of the chat policy?") is None
    True
    """
    prompt = _prompt(message)
    if prompt is None:
        return None
    if _is_chore(message, prompt, earlier):
        chore, keys, conversation = prompt.chore or "title", prompt.keys, prompt.conversation
    elif prompt.conversation and _demands_title(system.partition("\n\n")[0]):
        chore, keys, conversation = "title", _keys(system[:_HEAD_CHARS]), message
    elif prompt.conversation and _TOOL_CHOICE.search(system) and _TERSE.search(system):
        return '{"tool_calls": []}'
    else:
        return None
    asked = _questions(conversation) or [turn.content for turn in earlier if turn.role == "user"]
    if not asked:  # nobody is named as the speaker: the words beside the demand
        words = _untagged(conversation) or message.strip().partition("\n")[2].strip()
        asked = [words] if words and chore == "title" else []
    return _reply(chore, keys, asked, chinese=is_chinese((asked[0] if asked else message)[:_HEAD_CHARS]))


def title_of(question: str) -> str:
    """The first words of a question, on one line and without its mark; "" where it has no words.

    >>> title_of("How do I return a device that is broken?"), title_of("如何退货？谢谢")
    ('How do I return a device…', '如何退货')
    """
    words = (question_in(question, len(question)) or question)[:_HEAD_CHARS]
    words = " ".join(re.sub(r"\]\([^)\n]{0,300}\)|!?\[|[\]#>*_`\"“”]", " ", words).split())
    first = re.split(r"(?<=[?？!！。])|(?<=[.;；])\s", words, maxsplit=1)[0].rstrip(_END_MARKS)
    if is_chinese(first):
        title = first[:MAX_TITLE_CHARS_ZH]
    else:
        title = " ".join(first.split(" ")[:MAX_TITLE_WORDS])[:MAX_TITLE_CHARS]
    title = title.rstrip(_END_MARKS)
    return title + "…" if title and len(title) < len(first) else title


def _prompt(message: str) -> _Prompt | None:
    """The parts of a message; None where it holds the text of a file, in which anything may stand."""
    files = tagged_spans(message, CONTEXT_TAG)
    spans = [
        (start, end)
        for start, end in tagged_spans(message, _CONVERSATION_TAG)
        if not any(file_start < start and end < file_end for file_start, file_end in files)
    ]
    spoken = _SPOKEN.search(message)
    if spans:
        instruction = "\n".join(outside_of(message, spans))
        conversation = "\n".join(message[start:end] for start, end in spans)
    elif files:
        return None
    elif spoken and spoken.start() > 0:
        instruction, conversation = message[: spoken.start()], message[spoken.start() :]
    elif spoken and "\n\n" in message:  # the instruction comes last
        conversation, _, instruction = message.rpartition("\n\n")
    elif spoken or '"role"' in message:
        instruction, conversation = "", message
    else:
        instruction, conversation = message, ""
    return _Prompt(instruction, conversation, _keys(instruction))


def _is_chore(message: str, prompt: _Prompt, earlier: Sequence[ChatTurn]) -> bool:
    if prompt.chore in (None, "title") and _demands_title(prompt.instruction):
        return bool(prompt.conversation or earlier or "\n" in message.strip())
    is_task = _TASK.match(message) is not None
    if is_task and prompt.conversation and prompt.keys:
        return True  # whatever it is, it is to be made of the conversation and no question
    if prompt.chore is None:
        return False
    head = prompt.instruction[:_HEAD_CHARS]
    is_named = _FORMS[prompt.chore].words.search(head) is not None
    if any(_chore_of(name) for name, _ in prompt.keys):
        return bool(prompt.conversation) or (is_task and is_named)
    return bool(prompt.conversation) and is_named and is_task


def _demands_title(text: str) -> bool:
    """Whether a text asks for a title, and nothing but one, of the conversation that comes with it."""
    text = text[:_HEAD_CHARS]
    return bool(_TERSE.search(text)) and any(demand.search(text) for demand in _DEMANDS)


def _keys(instruction: str) -> tuple[tuple[str, bool], ...]:
    """The keys of the first JSON object that a prompt shows as its output, and whether each holds a list."""
    for shown in _SKELETON.finditer(instruction):
        keys = tuple((key[1], key[2] is not None) for key in _KEY.finditer(shown[0]))
        if keys:
            return keys
    return ()


def _chore_of(key: str) -> Chore | None:
    return next((chore for chore, form in _FORMS.items() if key.lower() in form.keys), None)


def _questions(conversation: str) -> list[str]:
    """What the user said in a written conversation, in order: after "USER:", or in JSON with roles."""
    if '"role"' in conversation:
        return list(_json_questions(conversation))
    said = []
    marks = list(_SPOKEN.finditer(conversation))
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(conversation)
        if mark[1] and (text := _untagged(conversation[mark.end() : end])):
            said.append(text)
    return said


def _json_questions(conversation: str) -> Iterator[str]:
    start = conversation.find("[")
    try:
        turns = json.loads(conversation[start : conversation.rfind("]") + 1]) if start >= 0 else []
    except (ValueError, RecursionError):
        return
    for turn in turns if isinstance(turns, list) else ():
        if isinstance(turn, dict) and turn.get("role") == "user":
            texts = (turn.get(name) for name in ("content", "mainText", "text", "message"))
            yield from (text for text in texts if isinstance(text, str) and text.strip())


def _untagged(text: str) -> str:
    """Text without the tags that hold a conversation."""
    return re.sub(r"^[ \t]{0,20}</?[\w.-]{1,60}>[ \t]{0,20}$", "", text, flags=re.MULTILINE).strip()


def _reply(chore: Chore, keys: Sequence[tuple[str, bool]], asked: Sequence[str], *, chinese: bool) -> str:
    """The reply as plain text, or as JSON with the keys that were shown; what is not known stays empty."""
    if not keys:
        return _done(chore, asked, chinese=chinese)
    filled: dict[str, str | list[str]] = {}
    for name, is_list in keys:
        of_key = _chore_of(name)
        done = _done(of_key, asked, chinese=chinese) if of_key else ""
        filled[name] = ([done] if done else []) if is_list else done
    return json.dumps(filled, ensure_ascii=False)


def _done(chore: Chore, asked: Sequence[str], *, chinese: bool) -> str:
    match chore:
        case "title":
            return (title_of(asked[0]) if asked else "") or ("新对话" if chinese else "New chat")
        case "queries":
            return " ".join(asked[-1].split())[:MAX_QUERY_CHARS] if asked else ""
        case "emoji":
            return "💬"
        case "tags" | "follow_ups" | "completion":
            return ""
