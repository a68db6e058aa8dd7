"""Raised and lowered text in plain characters.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Final

_RAISED: Final = str.maketrans("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")
_LOWERED: Final = str.maketrans("0123456789+-−()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎")
_NUMBER_BEFORE: Final = re.compile(r"\d\s?$")


def join_runs(runs: Iterable[tuple[str, str]]) -> str:
    """Join runs of text, each with "superscript", "subscript" or "" before it; 25 and a raised o are degrees.

    >>> join_runs([("", "10"), ("superscript", "-"), ("superscript", "6"), ("", " H"), ("subscript", "2"), ("", "O")])
    '10⁻⁶ H₂O'
    """
    written: list[str] = []
    for align, group in groupby(runs, key=lambda run: run[0]):
        text = "".join(part for _, part in group)
        inner = text.strip()
        if inner and align == "subscript":
            text = text.replace(inner, lowered(inner), 1)
        elif inner and align == "superscript":
            is_degree = inner in {"o", "O", "〇"} and written and _NUMBER_BEFORE.search(written[-1])
            text = text.replace(inner, "°" if is_degree else raised(inner), 1)
        written.append(text)
    return "".join(written)


def raised(text: str) -> str:
    """Raised text as superscript characters where there are some for all of it, else after "^"; letters as they are.

    >>> raised("-6"), raised("2x"), raised("th")
    ('⁻⁶', '^2x', 'th')
    """
    shown = text.translate(_RAISED)
    if all(a != b for a, b in zip(text, shown, strict=True)):
        return shown
    return f"^{text}" if any(char.isdigit() for char in text) else text


def lowered(text: str) -> str:
    """Lowered text as subscript characters where there are some for all of it, else as it is.

    >>> lowered("2"), lowered("max")
    ('₂', 'max')
    """
    shown = text.translate(_LOWERED)
    return shown if all(a != b for a, b in zip(text, shown, strict=True)) else text
