"""An estimate of how many tokens a language model makes of a text, for servers that do not count.

Pure. Meant to be too high rather than too low: a prompt that is longer than the context is refused, one that
is shorter than it could be loses a sentence or two.
"""

from __future__ import annotations

import math
import re

# Tokens per character, rounded up from what byte-level BPE vocabularies of 32,000 entries and more make:
# English prose runs at 4 to 5 characters a token, so 3 leaves a third in hand; code and tables are dense in
# punctuation; a Han character takes 0.6 (Chinese vocabulary) to 2 tokens (Llama 2), mostly under 1.5; other
# scripts and symbols take up to one token a byte.
WORD_TOKENS_PER_CHAR = 1 / 3
PUNCTUATION_TOKENS_PER_CHAR = 2 / 3
CJK_TOKENS_PER_CHAR = 1.5
OTHER_TOKENS_PER_CHAR = 2.0

_ASCII_WORD = bytes(range(ord("a"), ord("z") + 1)) + bytes(range(ord("A"), ord("Z") + 1)) + b"0123456789 "
_CJK = re.compile(
    "[\u2010-\u2027\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+"
)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens `text` is, rounded up; never more for a whole than for its parts together.

    >>> estimate_tokens("How many lists?"), estimate_tokens("分块大小"), estimate_tokens("")
    (6, 6, 0)
    """
    ascii_text = text.encode("ascii", "ignore")
    punctuation = len(ascii_text.translate(None, delete=_ASCII_WORD))
    words = len(ascii_text) - punctuation
    beyond_ascii = len(text) - len(ascii_text)
    cjk = sum(len(run) for run in _CJK.findall(text)) if beyond_ascii else 0
    return math.ceil(
        words * WORD_TOKENS_PER_CHAR
        + punctuation * PUNCTUATION_TOKENS_PER_CHAR
        + cjk * CJK_TOKENS_PER_CHAR
        + (beyond_ascii - cjk) * OTHER_TOKENS_PER_CHAR
    )
