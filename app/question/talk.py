"""What is said to the service rather than asked of the documents: greetings, thanks, help, assent, objections; pure.

A rule matches the whole message or nothing. The message is folded (compatibility forms, case, traditional to simplified
characters, punctuation to spaces, emoji off) and must then be a run of set phrases (talk.en.txt, talk.zh.txt), one
after the other: "Hi there! How are you?" is two of them. One word more, and it is a question: "Hello world example",
"help desk phone number", 你好公司的年假. Questions about the collection itself are in collection_questions.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cache
from typing import Final, Literal

from opencc import OpenCC

from app.domain import ChatTurn
from app.lexicon import fold_script
from app.question.phrases import read_phrases

MAX_CHARS: Final = 160  # a longer message is no small talk


class Talk(Enum):
    """What a message does. Of several in one message the first of this list counts."""

    LANGUAGE = "language"  # answer in Chinese
    RECALL = "recall"  # what did I ask before
    RECAP = "recap"  # summarise this conversation
    OBJECTION = "objection"  # that is wrong
    MORE = "more"  # tell me more
    IDENTITY = "identity"  # who are you
    HELP = "help"  # what can you do
    WELL_BEING = "well_being"  # how are you
    INTENT = "intent"  # I have a question
    THANKS = "thanks"
    FAREWELL = "farewell"
    GREETING = "greeting"
    DENIAL = "denial"  # no, never mind
    ASSENT = "assent"  # yes, ok
    APPLAUSE = "applause"  # great, an emoji alone


_PADDING: Final = "padding"  # what is said beside a phrase, never a message by itself
_OURSELVES: Final = re.compile(r"(?:^|\s)(?:this|it)(?:\s|$)|^这")
_EMOJI_KINDS: Final = frozenset({"So", "Sk", "Cs", "Cf", "Mn"})


def read_talk(message: str) -> Talk | None:
    """What a message does that asks nothing of the documents; None where any part of it may be a question to them.

    >>> read_talk("Thanks, that helped!"), read_talk("你好！"), read_talk("Thanks to whom did Potsdam grow?")
    (<Talk.THANKS: 'thanks'>, <Talk.GREETING: 'greeting'>, None)
    """
    if len(message) > MAX_CHARS:
        return None
    folded = fold_message(message)
    if not folded:
        is_emoji = any(unicodedata.category(character) == "So" for character in message)
        return Talk.APPLAUSE if is_emoji else None
    kinds = _parse(folded)
    return next((kind for kind in Talk if kind in kinds), None)


def leans_on_history(message: str) -> bool:
    """Whether "this" or "it" in a message to the service may as well mean what was talked about: after a question to
    the documents, "How does this work?" asks them."""
    return bool(_OURSELVES.search(fold_message(message)))


def asked_language(message: str) -> Literal["en", "zh"] | None:
    """The language that a message asks for and nothing else ("Answer in Chinese", 请用英文回答); None for any other."""
    if read_talk(message) is not Talk.LANGUAGE:
        return None
    return "en" if re.search("english|英文|英语", fold_message(message)) else "zh"


def is_traditional(text: str) -> bool:
    """Whether a Chinese text is written in traditional characters rather than simplified ones.

    >>> is_traditional("知識庫裡有什麼內容？"), is_traditional("知识库里有什么内容？"), is_traditional("台北在哪？")
    (True, False, False)
    """
    traditional = str(_to_traditional().convert(text))
    return _differing(text, fold_script(text)) > _differing(text, traditional)


def earlier_questions(history: Sequence[ChatTurn]) -> list[str]:
    """The user's questions to the documents so far, the oldest first: small talk left out."""
    said = (turn.content.strip() for turn in history if turn.role == "user")
    return [content for content in said if content and read_talk(content) is None]


def fold_message(message: str) -> str:
    """Lower case, simplified, without emoji; punctuation is a space, but for apostrophes inside words."""
    text = fold_script(unicodedata.normalize("NFKC", message).replace("’", "'").replace("`", "'")).casefold()
    text = "".join(" " if unicodedata.category(c) in _EMOJI_KINDS else c for c in text)
    text = re.sub(r"(?<![a-z])'|'(?![a-z])|[^\w\s']|_", " ", text)
    return " ".join(text.split())


def _parse(folded: str) -> frozenset[Talk]:
    """The phrases that make up the text, from its start to its end; empty where any of it is left over.

    `reached[i]` has the kinds of one way to i, the way with the most telling kinds.
    """
    order = list(Talk)

    def weight(kinds: Iterable[Talk]) -> tuple[int, ...]:
        return tuple(sorted(order.index(kind) for kind in kinds)) or (len(order),)

    reached: dict[int, frozenset[Talk]] = {0: frozenset()}
    for start in range(len(folded)):
        if start not in reached:
            continue
        at = start + 1 if folded[start] == " " else start
        for kind, phrase in _phrases():
            match = phrase.match(folded, at)
            if match is None or match.end() == at:
                continue
            kinds = reached[start] | ({kind} if kind else frozenset())
            if match.end() not in reached or weight(kinds) < weight(reached[match.end()]):
                reached[match.end()] = kinds
    return reached.get(len(folded), frozenset())


@cache
def _phrases() -> tuple[tuple[Talk | None, re.Pattern[str]], ...]:
    """The phrases of both languages, each with its kind; padding has none. An English one ends where a word does."""
    forms = {"talk.en": r"(?:{})(?![a-z0-9'])", "talk.zh": "(?:{})"}
    return tuple(
        (None if heading == _PADDING else Talk(heading), re.compile(form.format(phrase)))
        for name, form in forms.items()
        for heading, phrase in read_phrases(name)
    )


def _differing(text: str, other: str) -> int:
    return sum(a != b for a, b in zip(text, other, strict=False))


@cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2t")
