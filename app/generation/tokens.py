"""How many tokens a language model makes of a text, for servers that do not count: by its own tokenizer where that is
on this machine, else an estimate.

The estimate is pure, and meant to be too high rather than too low: a prompt that is longer than the context is
refused, one that is shorter than it could be loses a sentence or two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

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


def local_tokenizer(model: str) -> Callable[[str], int] | None:
    """Return the count of tokens by a model's own tokenizer; None where it is not on this machine.

    `model` is a folder with a `tokenizer.json`, or a name in the Hugging Face cache; nothing is downloaded. Special
    tokens are not added: a chat template's are counted by the caller. Reads a file of some megabytes, about a second.
    """
    from huggingface_hub import try_to_load_from_cache
    from tokenizers import Tokenizer

    file = Path(model) / "tokenizer.json"
    try:
        cached = None if file.is_file() else try_to_load_from_cache(model, "tokenizer.json")
        if isinstance(cached, str):
            file = Path(cached)
        tokenizer = Tokenizer.from_file(str(file)) if file.is_file() else None
    except Exception:  # not a name of the hub, or not a tokenizer: both libraries raise what they like
        return None
    if tokenizer is None:
        return None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
