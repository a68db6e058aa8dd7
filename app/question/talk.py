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
from dataclasses import dataclass
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


_OF_AN_ANSWER: Final = (Talk.LANGUAGE, Talk.MORE, Talk.OBJECTION)
_CLAUSE: Final = re.compile(r"(?:[^\s,.;:!?，。；：！？、…–—-]|(?<=\w)-(?=\w)|[^\S\n](?![-–—]))+")
CORRECTION: Final = re.compile(
    r"^(?:(?:but|no)[, ]+)?i (?:mean|meant|said|(?:am|was) (?:asking|talking) (?:about|for)|asked (?:about|for))\b"
    r"(?: (?:the|a|an)\b)?\s*|^(?:而)?(?:我|我们)(?:想|要)?(?:是[说指问]的?是?|[说指问要]的是)\s*",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(r"[?？]|吗|呢|多少|什么|谁|哪[里个]|几[天个点]")
_STATES: Final = re.compile(
    r"(?:it|that|this|they|there|he|she|you|we|the answer)(?:'s|'re| is| are| was| were| has| have| changed| costs?)\b"
    r"|(?:应该|现在|已经|明明|其实|早就)?(?:是|改|变|有|要)",
    re.IGNORECASE,
)
_MARKS: Final = " ,.;:!?，。；：！？、…–—-"
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


@dataclass(frozen=True, slots=True)
class Again:
    """A message about the last answer: `talk` is LANGUAGE, MORE or OBJECTION.

    `question` is what that answered, `before` what was said before it, `said` the answers since; `reason` is what an
    objection says beside that it objects.
    """

    talk: Talk
    question: str
    before: tuple[ChatTurn, ...]
    said: str
    reason: str = ""


def read_again(message: str, history: Sequence[ChatTurn]) -> Again | None:
    """What a message wants of the answer before it; None for a message that asks by itself, or where nothing was asked.

    >>> turns = [ChatTurn("user", "What is the limit?"), ChatTurn("assistant", "It is 130 EUR [1].")]
    >>> again = read_again("That is wrong, it changed in 2026", turns)
    >>> again.talk, again.question, again.reason
    (<Talk.OBJECTION: 'objection'>, 'What is the limit?', 'it changed in 2026')
    """
    talk, reason = read_talk(message), ""
    if talk is None:
        talk, reason = _read_objection(message)
    if talk not in _OF_AN_ANSWER:
        return None
    asked = [at for at, turn in enumerate(history) if turn.role == "user" and _is_question(turn.content)]
    if not asked:
        return None
    said = "\n".join(turn.content for turn in history[asked[-1] :] if turn.role == "assistant")
    return Again(talk, history[asked[-1]].content.strip(), tuple(history[: asked[-1]]), said, reason)


def earlier_questions(history: Sequence[ChatTurn]) -> list[str]:
    """The user's questions to the documents so far, the oldest first: small talk left out."""
    return [turn.content.strip() for turn in history if turn.role == "user" and _is_question(turn.content)]


def _is_question(message: str) -> bool:
    return bool(message.strip()) and read_talk(message) is None and _read_objection(message)[0] is None


def _read_objection(message: str) -> tuple[Talk | None, str]:
    """An objection with a reason behind it ("That is wrong, it changed in 2026"), and the reason. Where a question or a
    correction stands behind it, that counts."""
    kind, rest = _after_denial(message)
    if kind is Talk.DENIAL and _STATES.match(fold_script(rest)):
        kind = Talk.OBJECTION  # "No, it is 7 EUR now"
    if kind is not Talk.OBJECTION or _ASKS.search(fold_script(rest)) or CORRECTION.match(fold_script(rest)):
        return None, ""
    return kind, rest


def corrected(message: str) -> str | None:
    """What is meant instead ("No, I mean the payment term" → "payment term", 不对，我说的是病假); None for others."""
    rest = _after_denial(message)[1]
    found = CORRECTION.match(fold_script(rest))
    return (rest[found.end() :].strip(_MARKS) or None) if found else None


def _after_denial(message: str) -> tuple[Talk | None, str]:
    """Whether a message begins with an objection or a mere no, and what stands behind those clauses."""
    at, kind = 0, None
    while len(message) <= MAX_CHARS and (clause := _CLAUSE.search(message, at)) is not None:
        talk = read_talk(clause.group())
        if talk not in (Talk.DENIAL, Talk.OBJECTION):
            break
        at, kind = clause.end(), Talk.OBJECTION if Talk.OBJECTION in (talk, kind) else talk
    return kind, message[at:].lstrip(_MARKS).rstrip(" ,.;:!，。；：！、…–—-")


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
