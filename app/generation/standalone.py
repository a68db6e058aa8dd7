"""A follow-up question → a question that stands alone; pure.

Rule: a question that points back (a pronoun, "what about", 它, 那…呢) or has fewer than two content terms of its own is
searched together with the user's last question. Anything else stands alone already.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from app.domain import ChatTurn
from app.lexicon import terms

MAX_CHARS: Final = 8_000
_POINTS_BACK: Final = re.compile(
    r"\b(it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|hers|one|ones|same|former|latter)\b"
    r"|^\s*(and|but|so|why|how so|how come|what about|how about|what else|really|then)\b"
    r"|[它他她其这那该此]|^(那|那么|还有|为什么|怎么|然后|所以|呢)|呢[？?]?\s*$|上述|前者|后者",
    re.IGNORECASE,
)


def standalone_question(question: str, history: Sequence[ChatTurn]) -> str:
    """The question to search for: `question` itself, or after the user's last question where it leans on that.

    >>> standalone_question("And how many probes?", [ChatTurn("user", "How do I choose ivfflat lists?")])
    'How do I choose ivfflat lists? And how many probes?'
    >>> standalone_question("What is BM25?", [ChatTurn("user", "How do I choose ivfflat lists?")])
    'What is BM25?'
    """
    earlier = next((turn.content.strip() for turn in reversed(history) if turn.role == "user"), "")
    if not earlier or not (_POINTS_BACK.search(question) or len(set(terms(question))) < 2):
        return question
    return f"{earlier[: MAX_CHARS - len(question) - 1]} {question}".strip()
