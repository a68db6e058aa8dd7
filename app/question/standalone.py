"""A follow-up question → a question that stands alone, by rule; pure. Used where no model does it (rewrite.py).

Rule: a question that points back (a pronoun, "what about", 它, 那…呢) or has fewer than two content terms of its own is
searched together with the user's question before it; where that one points back too, with the one before as well, up
to MAX_STEPS questions. Anything else stands alone already. On the 48 dialogues of
tests/fixtures/dialogues.jsonl the right document comes first for 46, for 24 by the follow-up alone; the two others
name a thing of the earlier topic without pointing at it ("Who keeps the key?").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from app.domain import ChatTurn
from app.lexicon import terms

MAX_CHARS: Final = 8_000
MAX_STEPS: Final = 3  # questions before this one that may be put before it
_POINTS_BACK: Final = re.compile(
    r"\b(it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|hers|one|ones|same|former|latter)\b"
    r"|^\s*(and|but|so|why|how so|how come|what about|how about|what else|really|then)\b"
    r"|[它他她其这那该此]|^(那|那么|还有|为什么|怎么|然后|所以|呢)|呢[？?]?\s*$|上述|前者|后者"
    # without a subject: 彩色的在几楼？到什么时候有效？
    r"|^[^，。？]{1,6}的(?=[在能会要可是有])|^[到从](什么|哪|几)|^(多久|多少钱|几[点天个])",
    re.IGNORECASE,
)


def standalone_question(question: str, history: Sequence[ChatTurn]) -> str:
    """The question to search for: `question` itself, or after the user's questions before it where it leans on them.

    >>> standalone_question("And how many probes?", [ChatTurn("user", "How do I choose ivfflat lists?")])
    'How do I choose ivfflat lists? And how many probes?'
    >>> standalone_question("What is BM25?", [ChatTurn("user", "How do I choose ivfflat lists?")])
    'What is BM25?'
    """
    whole = question
    earlier = [
        turn.content.strip() for turn in reversed(history) if turn.role == "user" and turn.content.strip()
    ]
    leaning = question
    for before in earlier[:MAX_STEPS]:
        room = MAX_CHARS - len(whole) - 1
        if not _leans(leaning) or room <= 0:
            break
        whole, leaning = f"{before[:room]} {whole}".strip(), before
    return whole


def _leans(question: str) -> bool:
    return bool(_POINTS_BACK.search(question)) or len(set(terms(question))) < 2
