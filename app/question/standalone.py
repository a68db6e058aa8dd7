"""A follow-up question → a question that stands alone, by rule; pure. Used where no model does it (rewrite.py).

A question that can be answered alone is asked alone, so a word that points back counts only where it must: before the
question has named anything itself ("How often is it calibrated?", 它的价格是多少？), or where the question is nothing
but a turn of phrase ("What about the TK-120?", GW-7呢？, "Why?"). "What about X" keeps what was asked and puts X in
the place of the code that it was asked of; anything else that leans is put behind the question before it, up to
MAX_STEPS of them where those lean as well. Whether a question that does not lean finds anything is known only after the
search: `joined_question` is for those that found nothing alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import rjieba

from app.domain import ChatTurn
from app.lexicon import fold_script
from app.question.content import content_terms, read_question
from app.question.talk import read_talk

MAX_CHARS: Final = 8_000
MAX_STEPS: Final = 3  # questions before this one that may be put before it
_NAMES_ANOTHER: Final = re.compile(
    r"^\W*(?:(?:and|but|ok(?:ay)?|so)\b[ ,]*)?(?:what|how) about (?:the |a |an |for )?(?P<en>.+?)[?.! ]*$"
    r"|^\W*(?:那么?|还有|以及)?(?P<zh>.{1,20}?)呢[？?。 ]*$",
    re.IGNORECASE,
)
_TURN_OF_PHRASE: Final = re.compile(
    r"^\W*(?:and|but|so|then|also)?\W*(?:why(?: \w+){0,3}|how so|how come|since when|until when|for how long"
    r"|by whom|who|when|where|how much"
    r"|how many|how long|how often|really|(?:no[, ]+)?i mean(?:t)? (?:the )?\w+(?: \w+)?)\W*$"
    r"|^\W*(?:那)?(?:为什么|为何|怎么会|什么时候(?:开始|结束|生效)?|从什么时候开始|到什么时候|多久|多少钱"
    r"|在哪里?|谁|几[点天个]|为什么.{1,4}|还有(?:别的|其他|其它).{0,8})[？?。 ]*$",
    re.IGNORECASE,
)
_CORRECTION: Final = re.compile(
    r"^\W*(?:no\b[ ,]*)?i mean(?:t)?\b|^\W*不[，, ]?(?:是|对)?[，, ]?我(?:是说|指的是|问的是)", re.IGNORECASE
)
_PRONOUN: Final = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this one|that one|these ones?|those ones?"
    r"|which one|the (?:former|latter)"
    r"|the same)\b(?! (?:true|possible|allowed|okay|ok|right|correct|necessary|necessary|worth)\b)"
    r"|[它他她]们?(?=[的是在有能会要可多什哪怎为对])|(?:该|这个|那个|这种|那种|这款|那款)(?:产品|设备|型号|文件|制度|合同|规定)|上述|前者|后者|其(?=[价质保重尺交期])"
    r"|^[^，。？]{1,6}的(?=[在能会要可是有])(?=.{0,6}[几哪什])",
    re.IGNORECASE,
)
_ANY_PRONOUN: Final = re.compile(
    r"\b(?:it|they|them|that|this|those|these|he|him|she|her)\b(?! (?:true|possible|okay|ok|right|correct|necessary)\b)"
    r"(?! (?:year|month|week|day|quarter|morning|evening|document|file|collection|page)\b)|[它他她]们?",
    re.IGNORECASE,
)
_SUBJECTLESS: Final = re.compile(r"^[^，。]{0,10}(?:吗|谁|多久|多少钱?|几点|什么时候|何时)")
_ASKED: Final = re.compile(
    r"吗|呢|谁|多久|多少钱?|几[点天次]|什么时候|何时"
    r"|[由要是可能得会被给让]|可以|需要|必须|最[长多少晚早快]|至少|一般|通常|[？?。！! ]"
)
_HAN: Final = re.compile(r"[㐀-鿿]")
MOST_LEANING_TERMS: Final = 2
_LEADING_AND: Final = re.compile(
    r"^\W*(?:and|but)\b(?! (?:what|how) about)|^\W*(?:还有|另外|然后|所以)", re.IGNORECASE
)


def standalone_question(question: str, history: Sequence[ChatTurn]) -> str:
    """The question to search for: `question` itself, or joined to the questions before it where it leans on them.

    >>> lists = [ChatTurn("user", "How do I choose ivfflat lists?")]
    >>> standalone_question("And how is it measured?", lists)
    'How do I choose ivfflat lists? And how is it measured?'
    >>> standalone_question("What is BM25?", lists)
    'What is BM25?'
    >>> standalone_question("What about the TK-120?", [ChatTurn("user", "How much is an LX-300-D?")])
    'How much is an TK-120?'
    """
    return joined_question(question, history) if leans(question) else question


def joined_question(question: str, history: Sequence[ChatTurn]) -> str:
    """The question put behind the user's questions before it, or in the place of the thing that those named; itself
    where nothing was asked before."""
    earlier = [
        turn.content.strip() for turn in reversed(history) if turn.role == "user" and turn.content.strip()
    ]
    earlier = [asked for asked in earlier if read_talk(asked) is None]
    if not earlier:
        return question
    before = earlier[0]
    if leans(before) and len(earlier) > 1:
        before = joined_question(
            before, [ChatTurn("user", asked) for asked in reversed(earlier[1:MAX_STEPS])]
        )
    another = _NAMES_ANOTHER.match(question)
    if another and (replaced := _replace_code(before, another["en"] or another["zh"])):
        return replaced[:MAX_CHARS]
    room = MAX_CHARS - len(question) - 1
    return f"{before[:room]} {question}".strip() if room > 0 else question


def leans(question: str) -> bool:
    """Whether a question can't be understood without what was asked before it."""
    if any(pattern.match(question) for pattern in (_NAMES_ANOTHER, _TURN_OF_PHRASE, _CORRECTION)):
        return True
    content = content_terms(question)
    if len(content) <= MOST_LEANING_TERMS and _ANY_PRONOUN.search(question):
        return True  # "Who approves that?"
    if _lacks_subject(question):
        return True
    pronoun = _PRONOUN.search(question)
    if pronoun is None:
        return bool(_LEADING_AND.match(question)) and len(read_question(question).terms) < 3
    return not content_terms(question[: pronoun.start()])


def _lacks_subject(question: str) -> bool:
    """Whether a Chinese question asks after one verb alone (由谁审批？), or after nothing (最长多久？)."""
    folded = fold_script(question)
    if not _SUBJECTLESS.search(folded):
        return False
    words = [(word, kind) for word, kind in rjieba.tag(_ASKED.sub(" ", folded)) if word.strip()]
    if len(words) != 1:
        return not words
    word, kind = words[0]
    return bool(_HAN.match(word)) and (kind.startswith("v") or (len(word) < 3 and "吗" in folded))


def _replace_code(question: str, thing: str) -> str | None:
    """The question with its codes replaced by another thing that is a code itself; None where either has none."""
    if not read_question(thing).codes:
        return None
    found = [token for token in _CODE_WORD.finditer(question) if read_question(token.group()).codes]
    if not found:
        return None
    return question[: found[0].start()] + thing.strip() + question[found[-1].end() :]


_CODE_WORD: Final = re.compile(r"[A-Za-z0-9]+(?:[-._/][A-Za-z0-9]+)*")
