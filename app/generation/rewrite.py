"""A follow-up question → a question that stands alone, made by the language model.

Builds the short prompt, and decides whether what came back may be searched for. The model is untrusted: whatever is not
plainly the same question with its names filled in is dropped, and the rule of app/question/standalone.py stands in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from string import Template
from typing import Final

import structlog

from app.domain import ChatTurn, GenerationParams
from app.errors import GenerationError
from app.generation.llm import LlmClient
from app.generation.prompt import Language, PromptMessage, neutralise, prompt_words, said
from app.lexicon import is_chinese, terms

MAX_REWRITE_CHARS: Final = 400  # of the result; a longer question has no need of the model
MAX_TURN_CHARS: Final = 300  # of one earlier turn: what it is about is said at its start
MAX_CONVERSATION_CHARS: Final = (
    1_200  # with prompt and question at most 2,900 tokens by our estimate, in Chinese
)
LEAST_KNOWN_SHARE: Final = 0.5  # of the result's terms that must stand in the question or the conversation
REWRITE_PARAMS: Final = GenerationParams(temperature=0.0, top_p=1.0, max_tokens=96)
_SPEAKERS: Final = {"user": "User", "assistant": "Assistant"}
_QUOTES: Final = "\"'“”‘’「」` \t\r\n"
_log = structlog.get_logger(__name__)


async def rewrite_question(
    llm: LlmClient, question: str, history: Sequence[ChatTurn], *, timeout_s: float
) -> str | None:
    """The question with what it points to filled in; None where the model fails, takes too long or strays."""
    if len(question) > MAX_REWRITE_CHARS:
        return None
    try:
        async with asyncio.timeout(timeout_s):
            text = await llm.complete(rewrite_messages(question, history), REWRITE_PARAMS)
    except (TimeoutError, GenerationError) as error:
        _log.info("no rewritten question", reason=getattr(error, "code", "llm_timeout"))
        return None
    return accept_rewrite(text, question, history)


def rewrite_messages(question: str, history: Sequence[ChatTurn]) -> tuple[PromptMessage, ...]:
    """The prompt: the newest turns, oldest first, as many as MAX_CONVERSATION_CHARS holds, and the question."""
    language: Language = "zh" if is_chinese(question) else "en"
    lines: list[str] = []
    for turn in reversed(history):
        words = " ".join(neutralise(said(turn)).split())
        lines.insert(0, f"{_SPEAKERS[turn.role]}: {words[:MAX_TURN_CHARS]}")
        if sum(map(len, lines)) > MAX_CONVERSATION_CHARS:
            del lines[0]
            break
    asked = " ".join(neutralise(question).split())
    text = Template(prompt_words("standalone", language)).substitute(
        conversation="\n".join(lines), question=asked
    )
    return (PromptMessage("user", text),)


def accept_rewrite(text: str, question: str, history: Sequence[ChatTurn]) -> str | None:
    """The model's text as a question, None unless it is one short line in the question's language about the same.

    >>> turns = [ChatTurn("user", "How do I choose ivfflat lists?")]
    >>> accept_rewrite('"How many probes for ivfflat lists?"', "And how many probes?", turns)
    'How many probes for ivfflat lists?'
    >>> accept_rewrite("Paris is the capital of France.", "And how many probes?", turns) is None
    True
    """
    rewritten = text.strip(_QUOTES)
    if not rewritten or len(rewritten) > MAX_REWRITE_CHARS or not rewritten.isprintable():
        return None  # a line break is not printable
    if is_chinese(rewritten) != is_chinese(question):
        return None
    known = set(terms(" ".join([question, *(turn.content for turn in history)])))
    found = set(terms(rewritten))
    return rewritten if found and len(found & known) >= LEAST_KNOWN_SHARE * len(found) else None
