"""Whether the text of a PDF is what its pages show: many files name their glyphs wrongly, or not at all.

Pure. What can't be read is told by characters that stand for none, by signs without words, and by letters or Chinese
characters in proportions that no text has. In doubt a text is readable: tables of figures and lists of codes are.
"""

from __future__ import annotations

import re
import unicodedata

_SAMPLES, _SAMPLE_CHARS = 3, 2_000
_UNNAMED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]")
_RUN = re.compile(r"([^\w\s]|_)\1+")  # leaders and rules
_SIGNS = re.compile(r"[\W_]+")
_LATIN = re.compile("[a-z]+")
_FREQUENT = re.compile("[aeinorstu]")
_HAN = re.compile("[\u4e00-\u9fff]")

_MOST_UNNAMED = 0.2  # of the visible characters; bullets and formulas of readable files stay below 5 %
_LEAST_WORD_SIGNS = 0.2
_ENOUGH_LETTERS, _ENOUGH_HAN = 400, 100
# Of Latin letters: in running text of European languages .6 and more, with all letters equally often .35.
_LEAST_FREQUENT = 0.32
# Of Chinese characters: those that GB 2312 or Big5 count as usual; .97 in running text, .25 of all there are.
_LEAST_USUAL = 0.6


def is_broken(text: str) -> bool:
    """Tell whether a text layer can't be what is seen; blank text is not broken but absent.

    >>> is_broken("\\ufffd\\ufffd\\ufffd ok"), is_broken("Valves 12 ...... 3"), is_broken("?@''-/")
    (True, False, True)
    """
    sample = text
    if len(text) > _SAMPLES * _SAMPLE_CHARS:
        step = (len(text) - _SAMPLE_CHARS) // (_SAMPLES - 1)
        sample = "\n".join(text[at : at + _SAMPLE_CHARS] for at in range(0, len(text), step))
    visible = "".join(sample.split())
    if len(_UNNAMED.findall(visible)) > _MOST_UNNAMED * len(visible):
        return True
    word_signs = len(_SIGNS.sub("", visible))
    if word_signs < _LEAST_WORD_SIGNS * len(visible):
        return word_signs < _LEAST_WORD_SIGNS * len(_RUN.sub(r"\1", visible))
    words = _LATIN.findall(unicodedata.normalize("NFD", sample).lower())
    once = "".join(set(words))
    han = set(_HAN.findall(sample))
    if len(once) >= _ENOUGH_LETTERS and len(once) > len(han):
        # once for each word too: a list may repeat one that has none of them
        return max(_frequent(once), _frequent("".join(words))) < _LEAST_FREQUENT
    return len(han) >= _ENOUGH_HAN and sum(map(_is_usual, han)) < _LEAST_USUAL * len(han)


def _frequent(letters: str) -> float:
    return len(_FREQUENT.findall(letters)) / len(letters)


def _is_usual(char: str) -> bool:
    """Tell whether a Chinese character is of the first level of GB 2312 (lead byte to D7) or Big5 (to C6)."""
    gb, big5 = char.encode("gb2312", errors="ignore"), char.encode("big5", errors="ignore")
    return (bool(gb) and gb[0] <= 0xD7) or (bool(big5) and big5[0] <= 0xC6)
